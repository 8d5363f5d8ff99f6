-- title: error spans by edge: who calls whom, how often, and how often it fails
-- parameter: since = '' : only spans that started at or after this time, e.g. 2026-01-31T12:00:00Z; empty: all
-- parameter: errors = 'no' : yes: only edges with errors
-- column: caller : the calling service; (outside) for requests from outside
-- column: callee : the called service, or the address of what recorded no span of its own
-- column: calls : number of calls
-- column: errors : number of calls with error status
-- column: error_percent : share of them
-- column: p99_ms : 99th percentile of the duration, approximate
-- column: first_error : start of the first failed call
-- column: last_error : start of the last failed call
-- column: message : a status message of theirs
WITH visible AS (
  SELECT * FROM spans WHERE "end" <= now() AND ($since = '' OR start >= CAST(nullif($since, '') AS TIMESTAMP))
),
edges AS (
  -- Calls that the called service recorded.
  SELECT coalesce(parent.service, '(outside)') AS caller, child.service AS callee,
         child.start AS start, child."end" AS "end", child.status AS status, child.message AS message
  FROM visible AS child
  LEFT JOIN visible AS parent
    ON parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id
  WHERE parent.service IS NULL OR parent.service <> child.service
  UNION ALL
  -- Calls that only the caller recorded: stores, and services that could not be reached.
  SELECT caller.service, coalesce(
           (regexp_match(caller.attributes, '"key":"peer\.service"[^}]*"value":"([^"]*)"'))[1],
           (regexp_match(caller.attributes, '"key":"server\.address"[^}]*"value":"([^"]*)"'))[1],
           (regexp_match(caller.attributes, '"key":"net\.peer\.name"[^}]*"value":"([^"]*)"'))[1],
           (regexp_match(caller.attributes, '"key":"db\.system"[^}]*"value":"([^"]*)"'))[1],
           '(' || caller.operation || ')'),
         caller.start, caller."end", caller.status, caller.message
  FROM visible AS caller
  LEFT ANTI JOIN visible AS child
    ON child.trace_id = caller.trace_id AND child.parent_span_id = caller.span_id
  WHERE caller.kind = 'client'
)
SELECT caller, callee, count(*) AS calls,
       sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS errors,
       round(100.0 * sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) / count(*), 1) AS error_percent,
       round(approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY CAST(CAST("end" AS BIGINT) - CAST(start AS BIGINT) AS DOUBLE)) / 1e6, 1) AS p99_ms,
       min(CASE WHEN status = 'error' THEN start END) AS first_error,
       max(CASE WHEN status = 'error' THEN start END) AS last_error,
       min(CASE WHEN status = 'error' THEN message END) AS message
FROM edges
GROUP BY caller, callee
HAVING $errors <> 'yes' OR sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) > 0
ORDER BY errors DESC, calls DESC, caller, callee
