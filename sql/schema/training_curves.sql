-- The curve of every training run, in long form: one value of one metric at one step.
CREATE TABLE training_curves (
    -- of the run, as in training_runs
    key VARCHAR,
    -- what the run is called
    run VARCHAR,
    -- optimiser updates done when the rollout's updates were
    step BIGINT,
    -- reward, loss, clip_ratio, completion_length, truncated, masked, entropy, temperature, diversity and others
    metric VARCHAR,
    -- mean over the rollout's updates
    "value" DOUBLE
);
