-- $1: a problem id. Every decision ever made about it, oldest first.
SELECT decided_at, stage, decision, reason, detail, score, rule, parents, sha_out, run_id, code_version
FROM problem_timeline
WHERE problem_id = $1
ORDER BY decided_at, stage;
