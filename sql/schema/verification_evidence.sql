-- A view: every program that was run on a problem which came into verification, kept or dropped.
CREATE TABLE verification_evidence (
    -- platform:native-id, stable for ever
    problem_id VARCHAR,
    -- its name at the source, or mutant/N-OPERATOR-LINE
    program VARCHAR,
    -- accepted | wrong_answer | run_time_error | rejected | mutant
    label VARCHAR,
    -- python | cpp
    "language" VARCHAR,
    -- sha256 of its code
    sha VARCHAR,
    -- of its first run: AC | WA | TLE | MLE | OLE | RE | CE | IE
    verdict VARCHAR,
    -- the first test that it failed, null where it passed
    failed_test VARCHAR,
    -- of every run; more than one where the first left a doubt
    verdicts VARCHAR[],
    -- CPU seconds on the slowest test that was run
    cpu_s DOUBLE,
    -- sha256 over the hashes of the problem's tests, in order
    tests_sha VARCHAR,
    -- of microcoder_judge
    judge_version VARCHAR,
    -- UTC
    judged_at TIMESTAMP WITH TIME ZONE,
    -- key of the outcome in the store's pack `verdicts`
    evidence VARCHAR
);
