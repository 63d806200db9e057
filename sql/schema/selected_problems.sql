-- The problems that are hard and clean enough to train on, as the selection policy draws them; weight and draw of each
-- are in the detail of its decision.
CREATE TABLE selected_problems (
    -- platform:native-id, stable for ever
    problem_id VARCHAR,
    -- sha256 of the canonical content: sections, samples, limits, tests, checker
    content_sha VARCHAR,
    -- weighted mean of the rubric dimensions, 1 to 5
    score DOUBLE,
    -- [0, 1], falls as score rises
    expected_solve_rate DOUBLE,
    -- easy | medium | hard | expert
    band VARCHAR
);
