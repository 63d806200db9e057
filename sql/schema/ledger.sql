-- Every decision that was new or different when it was made; append-only.
CREATE TABLE ledger (
    -- the asset that decided
    stage VARCHAR,
    -- contest month and platform, or the whole asset
    partition VARCHAR,
    -- of that partition, counting up
    version BIGINT,
    -- platform:native-id, stable for ever
    problem_id VARCHAR,
    -- tells apart rows of one problem id inside a stage; else empty
    ref VARCHAR,
    -- kept | changed | dropped | merged | error
    decision VARCHAR,
    -- a code of stage.REASONS
    reason VARCHAR,
    -- JSON: small facts for a person
    detail VARCHAR,
    -- what the rule measured, e.g. a similarity
    score DOUBLE,
    -- which rule decided, where a stage has several
    rule VARCHAR,
    -- content before
    sha_in VARCHAR,
    -- content after
    sha_out VARCHAR,
    -- the problems this one was merged into or overlaps
    parents VARCHAR[],
    -- the Dagster run
    run_id VARCHAR,
    -- of the stage
    code_version VARCHAR,
    -- UTC
    decided_at TIMESTAMP WITH TIME ZONE
);
