-- Every program that was run on a problem, with what it showed: the outcomes that decisions of verification name.
CREATE VIEW verification_evidence AS
WITH named AS (
    SELECT problem_id, json_extract_string(detail, '$.evidence') AS evidence
    FROM decisions
    WHERE stage = 'verified_problems'
),
outcomes AS (
    SELECT DISTINCT ON (key) key, decode(value) AS outcome FROM verdict_packs WHERE key IN (SELECT evidence FROM named)
)
SELECT
    problem_id,
    run.program,
    run.label,
    run.language,
    run.sha,
    run.verdict,
    run.failed_test,
    run.verdicts,
    run.cpu_s,
    json_extract_string(outcome, '$.tests_sha') AS tests_sha,
    json_extract_string(outcome, '$.judge_version') AS judge_version,
    json_extract_string(outcome, '$.judged_at')::TIMESTAMPTZ AS judged_at,
    evidence
FROM named
JOIN outcomes ON key = evidence,
unnest(
    from_json(
        json_extract(outcome, '$.runs'),
        '[{"program": "VARCHAR", "label": "VARCHAR", "language": "VARCHAR", "sha": "VARCHAR", "verdict": "VARCHAR",
           "failed_test": "VARCHAR", "verdicts": ["VARCHAR"], "cpu_s": "DOUBLE"}]'
    )
) AS u(run);

-- How well the tests of each verified problem tell right from wrong: shares in [0, 1], null where nothing was run.
CREATE VIEW test_strength AS
SELECT
    problem_id,
    tests_run,
    references_accepted / nullif(references_run, 0) AS true_positive_rate,
    wrong_rejected / nullif(wrong_run, 0) AS true_negative_rate,
    mutants_killed / nullif(mutants_run, 0) AS mutation_score,
    list_contains(flags, 'weak_tests') AS weak
FROM verified_problems;
