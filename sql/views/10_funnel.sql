-- Where rows go: for each stage, how many came in and how many went each way.
-- came_in = kept + dropped + merged + errors, always; blocking checks hold it.
CREATE VIEW funnel AS
SELECT
    position,
    stage,
    count(*) AS came_in,
    count(*) FILTER (decision = 'kept') AS kept,
    count(*) FILTER (decision = 'dropped') AS dropped,
    count(*) FILTER (decision = 'merged') AS merged,
    count(*) FILTER (decision = 'error') AS errors
FROM decisions
GROUP BY position, stage;

-- The same by platform.
CREATE VIEW funnel_by_platform AS
SELECT
    position,
    stage,
    split_part(problem_id, ':', 1) AS platform,
    count(*) AS came_in,
    count(*) FILTER (decision = 'kept') AS kept,
    count(*) FILTER (decision = 'dropped') AS dropped,
    count(*) FILTER (decision = 'merged') AS merged,
    count(*) FILTER (decision = 'error') AS errors
FROM decisions
GROUP BY ALL;
