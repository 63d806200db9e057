-- What the judge found when it ran the references against the tests.
CREATE TABLE verified_problems (
    -- platform:native-id, stable for ever
    problem_id VARCHAR,
    -- sha256 of the canonical content: sections, samples, limits, tests, checker
    content_sha VARCHAR,
    -- accepted references that were run
    references_run BIGINT,
    -- of these, how many passed every test
    references_accepted BIGINT,
    -- known-wrong submissions that were run
    wrong_run BIGINT,
    -- of these, how many failed a test
    wrong_rejected BIGINT,
    -- tests that were run
    tests_run BIGINT,
    -- tests in the problem's order, each with the known-wrong submissions that it rejects; with few tests only the first that
    -- rejects a submission
    kills STRUCT(test VARCHAR, submissions VARCHAR[])[],
    -- generated tests beside the problem's own, each of which rejects a program that those let pass; family and seed are those
    -- of the input, `kills` says what it rejects
    added_tests STRUCT("name" VARCHAR, input_sha VARCHAR, expected_sha VARCHAR, bytes BIGINT, family VARCHAR, seed VARCHAR)[],
    -- names of the accepted references that passed every test
    verified_references VARCHAR[],
    -- of microcoder_judge
    judge_version VARCHAR
);
