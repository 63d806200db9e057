-- The last calibration of every solver: columns as in calibrated_problems, which is that of the solver in the settings.
CREATE TABLE calibrations (
    -- platform:native-id, stable for ever
    problem_id VARCHAR,
    -- sha256 of the canonical content: sections, samples, limits, tests, checker
    content_sha VARCHAR,
    -- weighted mean of the rubric dimensions, 1 to 5
    score DOUBLE,
    -- [0, 1]; by the row's own rating and attempts, else by the map
    expected_solve_rate DOUBLE,
    -- lower end of the 90 % interval of its Beta distribution
    expected_solve_rate_low DOUBLE,
    -- upper end of it
    expected_solve_rate_high DOUBLE,
    -- easy | medium | hard | expert
    band VARCHAR,
    -- what the map was fitted to for this row's platform; `prior` where nothing was known
    evidence VARCHAR,
    -- of its ratings and attempts; null where unknown
    observed_solve_rate DOUBLE,
    -- what the map alone says: falls as the index of difficulty rises
    mapped_solve_rate DOUBLE,
    -- lower end of the map's 90 % bootstrap interval
    mapped_solve_rate_low DOUBLE,
    -- upper end of it
    mapped_solve_rate_high DOUBLE,
    -- of the solver; null where none was made
    attempts BIGINT,
    -- attempts that pass every test
    solved BIGINT,
    -- the solver that the rates are of; null: the reference population
    model VARCHAR,
    -- of its training; null for a model that is not in training
    step BIGINT
);
