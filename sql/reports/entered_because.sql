-- What kept a problem out before: the last decision that ended its way, where there was one.
SELECT problem_id, 'before: ' || arg_max(concat_ws(' ', stage, decision, reason), decided_at) AS reason
FROM ledger
WHERE decision NOT IN ('kept', 'changed')
GROUP BY problem_id;
