-- title: where the time of requests goes: what services spend by themselves, without what they wait for
-- parameter: since = '' : only spans that began since then: a time, a length before now (5m), fault, baseline; empty: since the recording began
-- parameter: limit = '20' : at most so many steps
-- column: snapshot : the snapshot
-- column: service : the service
-- column: operation : what was done
-- column: kind : client, server, internal, producer or consumer
-- column: spans : how often
-- column: self_ms : milliseconds that were spent in it and in no span below it, on average
-- column: total_ms : milliseconds that it took, on average
-- column: percent : its share of the time of all spans' own
WITH own AS (
  SELECT span.snapshot, span.service, span.operation, span.kind, span.duration_ms,
         greatest(span.duration_ms - coalesce(below.duration_ms, 0), 0) AS self_ms
  FROM (SELECT * FROM spans WHERE start >= since(snapshot, $since)) AS span
  LEFT JOIN (SELECT snapshot, trace_id, parent_span_id, sum(duration_ms) AS duration_ms
             FROM spans GROUP BY snapshot, trace_id, parent_span_id) AS below
    ON below.snapshot = span.snapshot AND below.trace_id = span.trace_id AND below.parent_span_id = span.span_id
)
SELECT snapshot, service, operation, kind, count(*) AS spans, round(avg(self_ms), 2) AS self_ms,
       round(avg(duration_ms), 2) AS total_ms,
       round(100 * sum(self_ms) / sum(sum(self_ms)) OVER (PARTITION BY snapshot), 1) AS percent
FROM own
GROUP BY snapshot, service, operation, kind
ORDER BY snapshot, percent DESC, service, operation, kind
LIMIT CAST($limit AS BIGINT)
