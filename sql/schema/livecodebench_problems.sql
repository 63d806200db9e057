-- One problem of the pinned LiveCodeBench release; never a training row.
CREATE TABLE livecodebench_problems (
    -- platform:native-id, stable for ever
    problem_id VARCHAR,
    -- the judge that sets it: codeforces, leetcode, kattis, bzoj, ...
    platform VARCHAR,
    -- the judge's own id
    native_id VARCHAR,
    -- as served, trimmed
    title VARCHAR,
    -- null where the source has none
    url VARCHAR,
    -- id or slug; null where unknown
    contest VARCHAR,
    -- day of first publication; null where unknown
    published DATE,
    -- how that is known: contest | archive | inferred; only the first two may decide decontamination
    published_basis VARCHAR,
    -- train | validation; benchmark rows: test
    split VARCHAR,
    -- what the policy is asked: statement, io instructions, starter code
    prompt VARCHAR,
    -- Markdown, as the benchmark has it
    statement VARCHAR,
    -- stdin | function | null (not a program: SQL, shell, output-only)
    io_mode VARCHAR,
    -- name of the function to call; null for stdin problems
    entry_point VARCHAR,
    -- the signature as the judge shows it; null for stdin problems
    starter_code VARCHAR,
    -- self-contained: bytes inside
    tests STRUCT("name" VARCHAR, "sample" BOOLEAN, "input" BLOB, expected BLOB)[],
    -- microcoder_judge.Checker as JSON; null: the source declares none
    checker VARCHAR,
    -- seconds; null where none is stated
    time_limit_s DOUBLE,
    -- MiB; null where none is stated
    memory_limit_mb BIGINT,
    -- always empty
    "references" STRUCT("name" VARCHAR, "language" VARCHAR, "label" VARCHAR, code VARCHAR)[],
    -- train: the band; benchmark: its own easy | medium | hard
    difficulty VARCHAR,
    -- weighted mean of the rubric dimensions, 1 to 5
    score DOUBLE,
    -- [0, 1], falls as score rises
    expected_solve_rate DOUBLE,
    -- the source's topics
    tags VARCHAR[],
    -- of the statement; null where none is stated
    license VARCHAR,
    -- sha256 of the canonical content: sections, samples, limits, tests, checker
    content_sha VARCHAR,
    -- LiveCodeBench release that added the problem
    release VARCHAR,
    -- the public samples
    samples STRUCT("input" VARCHAR, output VARCHAR, explanation VARCHAR)[],
    -- LiveCodeBench's own id of the problem
    question_id VARCHAR
);
