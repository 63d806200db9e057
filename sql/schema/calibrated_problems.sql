-- The score as an expected solve rate and a difficulty band.
CREATE TABLE calibrated_problems (
    -- platform:native-id, stable for ever
    problem_id VARCHAR,
    -- sha256 of the canonical content: sections, samples, limits, tests, checker
    content_sha VARCHAR,
    -- weighted mean of the rubric dimensions, 1 to 5
    score DOUBLE,
    -- [0, 1], falls as score rises
    expected_solve_rate DOUBLE,
    -- lower end of the 90 % bootstrap interval
    expected_solve_rate_low DOUBLE,
    -- upper end of the 90 % bootstrap interval
    expected_solve_rate_high DOUBLE,
    -- easy | medium | hard | expert
    band VARCHAR,
    -- what the map was fitted to for this row's platform; `prior` where nothing was known
    evidence VARCHAR,
    -- null where unknown
    observed_solve_rate DOUBLE
);
