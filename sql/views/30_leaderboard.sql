-- Each problem of each evaluated policy: its rate of accepted samples, by the suite's own rules and faithfully.
CREATE VIEW problem_rates AS
SELECT
    suite,
    model,
    parse_path(filename)[-3] || '/' || parse_path(filename)[-2] AS evaluation,
    problem_id,
    difficulty,
    platform,
    month,
    count(*) AS samples,
    avg(accepted::INTEGER) AS rate,
    avg(faithful::INTEGER) AS faithful,
    any_value(errata) AS errata
FROM scores
GROUP BY ALL
HAVING rate IS NOT NULL;

-- pass@1 of every policy that was ever evaluated in this home, the best first. margin: half the 95 % interval over
-- problems by the normal approximation; the evaluation's own page has bootstraps.
CREATE VIEW leaderboard AS
SELECT
    suite,
    model,
    evaluation,
    count(*) AS problems,
    max(samples) AS samples,
    avg(rate) AS "pass@1",
    1.96 * stddev_samp(rate) / sqrt(count(*)) AS margin,
    avg(faithful) AS faithful,
    avg(rate) FILTER (errata IS NULL) AS without_errata
FROM problem_rates
GROUP BY suite, model, evaluation
ORDER BY suite, "pass@1" DESC, model, evaluation;

CREATE VIEW leaderboard_by_difficulty AS
SELECT suite, model, evaluation, difficulty, count(*) AS problems, avg(rate) AS "pass@1"
FROM problem_rates
GROUP BY suite, model, evaluation, difficulty
ORDER BY suite, model, evaluation, difficulty;
