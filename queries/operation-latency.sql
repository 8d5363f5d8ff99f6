-- title: how long each operation of a service takes, and how often it fails
-- parameter: service = '' : only this service; empty: all
-- parameter: since = '' : only spans that began since then: a time, a length before now (5m), fault, baseline; empty: since the recording began
-- parameter: limit = '50' : at most so many operations
-- column: snapshot : the snapshot
-- column: service : the service
-- column: operation : what was done
-- column: kind : client, server, internal, producer or consumer
-- column: spans : how often
-- column: errors : how often it failed
-- column: p50_ms : median of the duration in milliseconds, approximate
-- column: p95_ms : 95th percentile of the duration, approximate
-- column: max_ms : the longest
SELECT snapshot, service, operation, kind, count(*) AS spans,
       sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS errors,
       round(approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms), 1) AS p50_ms,
       round(approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms), 1) AS p95_ms,
       round(max(duration_ms), 1) AS max_ms
FROM spans
WHERE ($service = '' OR service = $service) AND start >= since(snapshot, $since)
GROUP BY snapshot, service, operation, kind
ORDER BY snapshot, p95_ms DESC, service, operation, kind
LIMIT CAST($limit AS BIGINT)
