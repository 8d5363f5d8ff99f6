-- title: the calls that decide how long traces take: of each span's calls the one that ended last, from the first span down
-- parameter: since = '' : only traces that began since then: a time, a length before now (5m), fault, baseline; empty: since the recording began
-- parameter: limit = '20' : at most so many edges
-- column: snapshot : the snapshot
-- column: caller : the calling service
-- column: callee : the called service
-- column: depth : calls between the trace's start and this one
-- column: traces : traces that it decides
-- column: mean_ms : milliseconds that it takes, on average
WITH RECURSIVE last AS (
  SELECT * FROM (
    SELECT snapshot, trace_id, span_id, parent_span_id, service, duration_ms,
           row_number() OVER (PARTITION BY snapshot, trace_id, parent_span_id ORDER BY "end" DESC, span_id) AS place
    FROM spans)
  WHERE place = 1
),
path AS (
  SELECT snapshot, trace_id, span_id, service, CAST('' AS VARCHAR) AS caller, duration_ms, 0 AS depth
  FROM spans
  WHERE parent_span_id IS NULL AND start >= since(snapshot, $since)
  UNION ALL
  SELECT last.snapshot, last.trace_id, last.span_id, last.service, path.service, last.duration_ms,
         CASE WHEN last.service = path.service THEN path.depth ELSE path.depth + 1 END
  FROM path JOIN last ON last.snapshot = path.snapshot AND last.trace_id = path.trace_id
    AND last.parent_span_id = path.span_id
)
SELECT snapshot, caller, service AS callee, depth, count(DISTINCT trace_id) AS traces,
       round(avg(duration_ms), 2) AS mean_ms
FROM path
WHERE caller <> '' AND caller <> service
GROUP BY snapshot, caller, service, depth
ORDER BY snapshot, depth, traces DESC, caller, callee
LIMIT CAST($limit AS BIGINT)
