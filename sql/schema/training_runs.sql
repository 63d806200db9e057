-- One training run: of the asset grpo_policy, of an experiment, or imported. From the summary that training leaves.
CREATE TABLE training_runs (
    -- what it is called; a name may come twice, a key not
    run VARCHAR,
    -- names what it was made from, data, model, settings, seed and code: equal keys, equal runs
    key VARCHAR,
    -- grpo_policy | experiment | imported
    source VARCHAR,
    -- of sampling and training
    seed BIGINT,
    -- of the train split
    data_version VARCHAR,
    -- the policy it started from: a Hub name, or a folder relative to its own
    base VARCHAR,
    -- optimiser updates
    steps BIGINT,
    -- trained on
    problems BIGINT,
    -- wall time with scoring
    seconds DOUBLE,
    -- of the base on the validation part
    base_pass_at_1 DOUBLE,
    -- of the tuned policy there
    pass_at_1 DOUBLE,
    -- lower end of its 95 % interval over problems
    pass_at_1_low DOUBLE,
    -- upper end of it
    pass_at_1_high DOUBLE,
    -- tuned minus base, paired by problem
    gain DOUBLE,
    -- lower end of its 95 % interval over problems
    gain_low DOUBLE,
    -- upper end of it
    gain_high DOUBLE,
    -- every setting, as JSON
    config VARCHAR,
    -- where its model, completions and samples are
    folder VARCHAR
);
