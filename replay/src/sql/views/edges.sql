-- title: who calls whom, how often, how often it fails and how long it takes (single calls: calls)
-- column: snapshot : the snapshot
-- column: caller : the calling service; (outside) for requests from outside
-- column: callee : the called service, or the address of what recorded no span of its own
-- column: calls : number of calls
-- column: errors : how many of them failed
-- column: p50_ms : median of the duration in milliseconds, approximate
-- column: p95_ms : 95th percentile of the duration, approximate
-- column: p99_ms : 99th percentile of the duration, approximate
-- column: max_ms : the longest
SELECT snapshot, caller, callee, count(*) AS calls,
       sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS errors,
       approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) AS p50_ms,
       approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_ms,
       approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ms) AS p99_ms,
       max(duration_ms) AS max_ms
FROM calls
GROUP BY snapshot, caller, callee
