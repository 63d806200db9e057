-- $1: a problem id. Every program that was run on it in verification.
SELECT label, program, "language", array_to_string(verdicts, ' ') AS verdicts, failed_test, cpu_s, judge_version, judged_at
FROM verification_evidence
WHERE problem_id = $1
ORDER BY label, program;
