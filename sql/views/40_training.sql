-- Every training run of this home, the best on its validation part first. margin: half the 95 % interval of the gain.
CREATE VIEW training_leaderboard AS
SELECT
    run,
    key,
    source,
    seed,
    data_version,
    steps,
    base_pass_at_1,
    pass_at_1,
    gain,
    (gain_high - gain_low) / 2 AS margin,
    seconds
FROM training_runs
ORDER BY data_version, pass_at_1 DESC, run, key;

-- Two runs side by side, step by step: every pair of different runs, and every metric that both have at a step.
CREATE VIEW training_pairs AS
SELECT
    a.key AS key_a,
    b.key AS key_b,
    a.run AS run_a,
    b.run AS run_b,
    a.metric,
    a.step,
    a.value AS a,
    b.value AS b,
    b.value - a.value AS difference
FROM training_curves AS a
JOIN training_curves AS b ON a.metric = b.metric AND a.step = b.step AND a.key <> b.key;

-- The same over all steps that two runs share: means, and the last step's values.
CREATE VIEW training_comparison AS
SELECT
    key_a,
    key_b,
    run_a,
    run_b,
    metric,
    count(*) AS steps,
    avg(a) AS mean_a,
    avg(b) AS mean_b,
    avg(difference) AS difference,
    arg_max(a, step) AS last_a,
    arg_max(b, step) AS last_b
FROM training_pairs
GROUP BY ALL;

-- Runs that differ in the seed alone, together: one row for each configuration and data version.
CREATE VIEW training_over_seeds AS
SELECT
    data_version,
    config,
    min(run) AS run,
    count(DISTINCT seed) AS seeds,
    avg(pass_at_1) AS pass_at_1,
    stddev_samp(pass_at_1) AS deviation,
    avg(gain) AS gain
FROM training_runs
GROUP BY data_version, config;
