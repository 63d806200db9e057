-- Every call of a model that was paid for, or may have been: `lost` says why there is no answer, and the tokens and the
-- cost (USD) are then the most that it can have used.
CREATE VIEW llm_calls AS
SELECT
    answer ->> 'call' AS call,
    answer ->> 'lost' AS lost,
    CAST(answer ->> 'prompt_tokens' AS BIGINT) AS prompt_tokens,
    CAST(answer ->> 'completion_tokens' AS BIGINT) AS completion_tokens,
    CAST(answer ->> 'cost_usd' AS DOUBLE) AS cost_usd
FROM (SELECT CAST(decode(value) AS JSON) AS answer FROM llm_packs);
