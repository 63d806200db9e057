-- What the judge found when it ran references, known-wrong submissions and mutants against the tests.
CREATE TABLE verified_problems (
    -- platform:native-id, stable for ever
    problem_id VARCHAR,
    -- sha256 of the canonical content: sections, samples, limits, tests, checker
    content_sha VARCHAR,
    -- accepted references that were run
    references_run BIGINT,
    -- of these, how many passed every test each time they were run
    references_accepted BIGINT,
    -- known-wrong submissions that were run
    wrong_run BIGINT,
    -- of these, how many failed a test
    wrong_rejected BIGINT,
    -- mutants of a reference that were run and ended in time
    mutants_run BIGINT,
    -- of these, how many failed a test
    mutants_killed BIGINT,
    -- tests that were run
    tests_run BIGINT,
    -- sha256 over the hashes of the tests, in order
    tests_sha VARCHAR,
    -- tests in the problem's order, each with the known-wrong submissions and mutants that it rejects; with few tests, and
    -- of mutants, only the first that rejects one
    kills STRUCT(test VARCHAR, submissions VARCHAR[])[],
    -- generated tests beside the problem's own, each of which rejects a program that those let pass; family and seed are those
    -- of the input, `kills` says what it rejects
    added_tests STRUCT("name" VARCHAR, input_sha VARCHAR, expected_sha VARCHAR, bytes BIGINT, family VARCHAR, seed VARCHAR)[],
    -- mutants that pass every test; some mean the same as the reference
    survivors VARCHAR[],
    -- near_limit: every verified reference comes near the time limit; unsteady_reference: one changes its mind;
    -- weak_tests: too many mutants survive
    flags VARCHAR[],
    -- names of the accepted references that passed every test, each time
    verified_references VARCHAR[],
    -- of microcoder_judge
    judge_version VARCHAR
);
