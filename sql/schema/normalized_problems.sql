-- The same problem in one schema: clean Markdown, limits, samples, tests, io mode, checker, references.
CREATE TABLE normalized_problems (
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
    -- the adapter that read it: leetcode, codeforces, kattis, ...
    source_kind VARCHAR,
    -- file and row inside the source: problems.jsonl.gz#17
    source_ref VARCHAR,
    -- whole, clean Markdown, LaTeX maths in $...$, samples and constraints included
    statement VARCHAR,
    -- Markdown; the story and the task
    description VARCHAR,
    -- Markdown; null where there is no such section
    input_spec VARCHAR,
    -- Markdown; null where there is no such section
    output_spec VARCHAR,
    -- Markdown: limits of the data, subtasks, scoring
    constraints VARCHAR,
    -- of the constraints and the input section, as numbers where they parse
    bounds STRUCT("variable" VARCHAR, low DOUBLE, low_strict BOOLEAN, high DOUBLE, high_strict BOOLEAN, "text" VARCHAR)[],
    -- Markdown: hints, remarks, what belongs to no sample
    notes VARCHAR,
    -- ISO 639-1
    statement_language VARCHAR,
    -- input, output, explanation as a reader sees them; function problems: `nums = [1,2], k = 3`
    samples STRUCT("input" VARCHAR, output VARCHAR, explanation VARCHAR)[],
    -- stdin | function | null (not a program: SQL, shell, output-only)
    io_mode VARCHAR,
    -- name of the function to call; null for stdin problems
    entry_point VARCHAR,
    -- the signature as the judge shows it; null for stdin problems
    starter_code VARCHAR,
    -- by reference: bytes in the blob store under their sha256. stdin: raw bytes; function: JSON array of arguments, JSON value
    tests STRUCT("name" VARCHAR, "sample" BOOLEAN, input_sha VARCHAR, expected_sha VARCHAR, bytes BIGINT)[],
    -- microcoder_judge.Checker as JSON; null: the source declares none
    checker VARCHAR,
    -- seconds; null where none is stated
    time_limit_s DOUBLE,
    -- MiB; null where none is stated
    memory_limit_mb BIGINT,
    -- submissions known to the source. label: accepted | wrong_answer | time_limit_exceeded | run_time_error | rejected
    "references" STRUCT("name" VARCHAR, "language" VARCHAR, "label" VARCHAR, code VARCHAR)[],
    -- the source's topics
    tags VARCHAR[],
    -- the platform's own word, lower case: easy, medium, hard, gold, ...
    difficulty_label VARCHAR,
    -- difficulty as measured: an Elo-like number, or a share in [0, 1] where source ends in _solve_rate
    ratings STRUCT("source" VARCHAR, "value" DOUBLE)[],
    -- of the statement; null where none is stated
    license VARCHAR,
    -- why the checker was inferred; empty where the source declares it, or nothing is said
    checker_evidence STRUCT("rule" VARCHAR, sentence VARCHAR)[],
    -- those of collection, and needs_image, multi_answer, samples_unparsed, sample_shape, tests_out_of_bounds
    flags VARCHAR[],
    -- sha256 of the canonical content: sections, samples, limits, tests, checker
    content_sha VARCHAR
);
