-- $1: a Dagster run. What it decided anew, by platform: at the sources, and in the split.
WITH lines AS (
    SELECT
        *,
        split_part(problem_id, ':', 1) AS platform,
        lag(decision) OVER (PARTITION BY stage, partition, problem_id, ref ORDER BY version) AS before
    FROM ledger
    WHERE stage IN ('scraped_problems', 'train_split')
)
SELECT
    platform,
    count(*) FILTER (stage = 'scraped_problems' AND decision = 'kept' AND coalesce(before, '') NOT IN ('kept', 'changed'))
        AS new,
    count(*) FILTER (stage = 'scraped_problems' AND decision = 'changed') AS changed,
    count(*) FILTER (stage = 'scraped_problems' AND reason = 'vanished') AS gone,
    count(*) FILTER (stage = 'scraped_problems' AND decision = 'error') AS unreadable,
    count(*) FILTER (stage = 'train_split' AND decision = 'kept' AND coalesce(before, '') NOT IN ('kept', 'changed'))
        AS entered_split,
    count(*) FILTER (stage = 'train_split' AND decision = 'dropped' AND before IN ('kept', 'changed')) AS left_split
FROM lines
WHERE run_id = $1
GROUP BY platform
HAVING new + changed + gone + unreadable + entered_split + left_split > 0
ORDER BY platform;
