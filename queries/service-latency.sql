-- title: how long each service's requests took, before a moment and since
-- parameter: since = 'fault' : the moment: a time, a length before now (5m), fault, baseline
-- column: snapshot : the snapshot
-- column: service : the service
-- column: p50_before_ms : median before, in milliseconds, approximate
-- column: p95_before_ms : 95th percentile before
-- column: p99_before_ms : 99th percentile before
-- column: p50_ms : median since
-- column: p95_ms : 95th percentile since
-- column: p99_ms : 99th percentile since
-- column: p95_times : the 95th percentile since, as a multiple of that before
SELECT *, round(p95_ms / p95_before_ms, 1) AS p95_times
FROM (
  SELECT snapshot, service,
         round(approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY before), 1) AS p50_before_ms,
         round(approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY before), 1) AS p95_before_ms,
         round(approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY before), 1) AS p99_before_ms,
         round(approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY after), 1) AS p50_ms,
         round(approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY after), 1) AS p95_ms,
         round(approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY after), 1) AS p99_ms
  FROM (SELECT snapshot, service,
               CASE WHEN start < since(snapshot, $since) THEN duration_ms END AS before,
               CASE WHEN start >= since(snapshot, $since) THEN duration_ms END AS after
        FROM spans WHERE kind IN ('server', 'consumer'))
  GROUP BY snapshot, service
)
ORDER BY snapshot, p95_times DESC NULLS LAST, service
