-- $1: a problem id. Its own decisions, and those where another problem was merged into it.
SELECT d.stage, d.problem_id, d.decision, d.reason, d.detail, d.score, d.rule, d.parents, d.sha_out,
       l.run_id, l.code_version, l.decided_at
FROM decisions AS d
LEFT JOIN ledger AS l
    ON l.stage = d.stage AND l.problem_id = d.problem_id AND l.ref = d.ref
   AND l.decision IN (d.decision, 'changed') AND l.reason = d.reason
WHERE d.problem_id = $1 OR list_contains(d.parents, $1)
QUALIFY row_number() OVER (PARTITION BY d.stage, d.problem_id, d.ref ORDER BY l.decided_at DESC) = 1
ORDER BY d.position, d.problem_id <> $1, d.problem_id;
