-- $1: a problem id. What was run on it in verification, a row for each label.
SELECT
    label,
    count(*) AS programs,
    count(*) FILTER (list_unique(verdicts) = 1 AND verdict = 'AC') AS passed,
    max(cpu_s) AS slowest_s,
    min(tests_sha) AS tests_sha,
    min(judge_version) AS judge_version,
    max(judged_at) AS judged_at
FROM verification_evidence
WHERE problem_id = $1
GROUP BY label
ORDER BY label;
