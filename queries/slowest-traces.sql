-- title: the traces that took longest
-- parameter: since = '' : only traces that began since then: a time, a length before now (5m), fault, baseline; empty: since the recording began
-- parameter: limit = '10' : at most so many traces
-- column: snapshot : the snapshot
-- column: trace_id : the trace
-- column: start : when it began
-- column: service : where it began
-- column: operation : what was asked there
-- column: duration_ms : how long it took, in milliseconds
-- column: status : error, ok or unset
-- column: spans : number of its spans
-- column: errors : how many of them failed
SELECT first.snapshot, first.trace_id, first.start, first.service, first.operation,
       round(first.duration_ms, 1) AS duration_ms, first.status, spans, errors
FROM (SELECT * FROM spans WHERE parent_span_id IS NULL AND start >= since(snapshot, $since)) AS first
JOIN (SELECT snapshot, trace_id, count(*) AS spans, sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS errors
      FROM spans GROUP BY snapshot, trace_id) AS whole
  ON whole.snapshot = first.snapshot AND whole.trace_id = first.trace_id
ORDER BY duration_ms DESC, trace_id
LIMIT CAST($limit AS BIGINT)
