-- Why a problem is not in the split: the last stage that it came into and what that stage says now.
SELECT problem_id, concat_ws(' ', stage, decision, reason) AS reason FROM standing;
