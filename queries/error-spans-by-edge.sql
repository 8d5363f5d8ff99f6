-- title: who calls whom, how often, and how often it fails
-- parameter: since = '' : only calls that began since then: a time, a length before now (5m), fault, baseline; empty: since the recording began
-- parameter: errors = 'no' : yes: only edges with errors
-- parameter: limit = '50' : at most so many edges
-- column: snapshot : the snapshot
-- column: caller : the calling service; (outside) for requests from outside
-- column: callee : the called service, or the address of what recorded no span of its own
-- column: calls : number of calls
-- column: errors : number of calls with error status
-- column: error_percent : share of them
-- column: p99_ms : 99th percentile of the duration, approximate
-- column: first_error : start of the first failed call
-- column: last_error : start of the last failed call
-- column: message : a status message of theirs
SELECT snapshot, caller, callee, count(*) AS calls,
       sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS errors,
       round(100.0 * sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) / count(*), 1) AS error_percent,
       round(approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ms), 1) AS p99_ms,
       min(CASE WHEN status = 'error' THEN start END) AS first_error,
       max(CASE WHEN status = 'error' THEN start END) AS last_error,
       min(CASE WHEN status = 'error' THEN message END) AS message
FROM calls
WHERE start >= since(snapshot, $since)
GROUP BY snapshot, caller, callee
HAVING $errors <> 'yes' OR sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) > 0
ORDER BY snapshot, errors DESC, calls DESC, caller, callee
LIMIT CAST($limit AS BIGINT)
