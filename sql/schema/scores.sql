-- One sample of one evaluated policy, of every evaluation below models/ of the home.
CREATE TABLE scores (
    -- name of the policy
    model VARCHAR,
    -- livecodebench, humaneval, mbpp, cruxeval-output, cruxeval-input
    suite VARCHAR,
    -- platform:native-id
    problem_id VARCHAR,
    -- the suite's own id
    question_id VARCHAR,
    -- the judge that sets it; empty where the suite has none
    platform VARCHAR,
    -- easy | medium | hard; unknown where the suite has none
    difficulty VARCHAR,
    -- contest month, YYYY-MM; unknown without a date
    "month" VARCHAR,
    -- LiveCodeBench release that added the problem
    release VARCHAR,
    -- number of the sample, from 0
    "sample" BIGINT,
    -- by the suite's own rules; null where the judge failed or there is no test
    accepted BOOLEAN,
    -- AC WA TLE MLE OLE RE CE IE, NO_CODE, TOO_LONG or NO_TESTS
    verdict VARCHAR,
    -- tests accepted
    passed BIGINT,
    -- tests there are
    total BIGINT,
    -- the first difference or error, in one line
    message VARCHAR,
    -- as an online judge would say
    faithful BOOLEAN,
    -- its verdict
    faithful_verdict VARCHAR,
    -- where the two part, what each says
    difference VARCHAR,
    -- what LiveCodeBench's errata say of the problem
    errata VARCHAR,
    -- how the program was found in the completion, or why there is none
    extracted VARCHAR,
    -- the completion was cut off
    truncated BOOLEAN,
    -- of the completion
    tokens BIGINT,
    -- of the prompt
    prompt_tokens BIGINT,
    -- the program
    code VARCHAR,
    -- the whole completion
    completion VARCHAR,
    -- the evaluation's scores.parquet
    filename VARCHAR
);
