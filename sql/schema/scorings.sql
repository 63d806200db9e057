-- The last scores by every version of the rubric and every scorer: columns as in scored_problems, which is those that stand.
CREATE TABLE scorings (
    -- platform:native-id, stable for ever
    problem_id VARCHAR,
    -- sha256 of the canonical content: sections, samples, limits, tests, checker
    content_sha VARCHAR,
    -- embedded:<version> or llm:<model>
    scorer VARCHAR,
    -- version of filtering/rubric.toml
    rubric_version VARCHAR,
    -- rubric dimension, 1 to 5, mean of the draws
    algorithmic_thinking DOUBLE,
    -- rubric dimension, 1 to 5, mean of the draws
    implementation DOUBLE,
    -- rubric dimension, 1 to 5, mean of the draws
    mathematics DOUBLE,
    -- rubric dimension, 1 to 5, mean of the draws
    data_structures DOUBLE,
    -- rubric dimension, 1 to 5, mean of the draws
    edge_cases DOUBLE,
    -- weighted mean of the rubric dimensions, 1 to 5
    score DOUBLE,
    -- standard deviation of the draws' scores; for the embedded scorer of its prediction
    uncertainty DOUBLE,
    -- every draw of the scorer: dimensions, tokens, cost
    draws STRUCT(algorithmic_thinking DOUBLE, implementation DOUBLE, mathematics DOUBLE, data_structures DOUBLE, edge_cases DOUBLE, prompt_tokens BIGINT, completion_tokens BIGINT, cost_usd DOUBLE)[]
);
