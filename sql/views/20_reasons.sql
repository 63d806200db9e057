-- Why rows did not go on, by stage and reason.
CREATE VIEW why_dropped AS
SELECT position, stage, decision, reason, count(*) AS problems, min(problem_id) AS example
FROM decisions
WHERE decision <> 'kept'
GROUP BY ALL;

-- Where every problem stands: the last stage it came into and what that stage said.
CREATE VIEW standing AS
SELECT problem_id, stage, decision, reason, detail
FROM decisions
QUALIFY row_number() OVER (PARTITION BY problem_id ORDER BY position DESC, decision = 'kept' DESC, ref) = 1;

-- Every decision ever made about a problem, oldest first.
CREATE VIEW problem_timeline AS
SELECT problem_id, decided_at, stage, decision, reason, detail, score, rule, parents, sha_in, sha_out, run_id, code_version
FROM ledger;
