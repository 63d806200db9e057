-- $1: what somebody typed for a problem id.
SELECT problem_id
FROM (SELECT DISTINCT problem_id FROM ledger)
ORDER BY jaro_winkler_similarity(problem_id, $1) DESC, problem_id
LIMIT 3;
