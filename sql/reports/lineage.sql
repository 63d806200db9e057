-- $1: a problem id. The last decision of every stage on it, and on those that were merged into it.
SELECT s.stage, l.problem_id, l.decision, l.reason, l.detail, l.score, l.rule, l.parents, l.sha_out,
       l.run_id, l.code_version, l.decided_at
FROM ledger AS l
JOIN stages AS s ON s.stage = l.stage
WHERE l.problem_id = $1 OR (l.decision = 'merged' AND list_contains(l.parents, $1))
QUALIFY row_number() OVER (PARTITION BY l.stage, l.problem_id, l.ref ORDER BY l.decided_at DESC, l.version DESC) = 1
ORDER BY s.position, l.problem_id <> $1, l.problem_id, l.ref;
