-- $1: a problem id. The row as the first stages hold it: of each column what the last of them says.
SELECT coalesce(n.title, s.title) AS title, coalesce(n.url, s.url) AS url, s.source_kind, s.source_ref,
       coalesce(n.published, s.published) AS published, coalesce(n.io_mode, s.io_mode) AS io_mode,
       coalesce(n.checker, s.checker) AS checker, len(coalesce(n.tests, s.tests)) AS tests,
       len(coalesce(n."references", s."references")) AS "references", array_to_string(n.flags, ', ') AS flags,
       n.content_sha, coalesce(n.statement, s.statement) AS statement
FROM scraped_problems AS s
LEFT JOIN normalized_problems AS n ON n.problem_id = s.problem_id
WHERE s.problem_id = $1;
