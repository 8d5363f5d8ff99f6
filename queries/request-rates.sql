-- title: requests per second by service and status, as its own counters tell
-- parameter: metric = 'http_requests_total' : the counter
-- parameter: label = 'status' : the label to tell apart
-- parameter: since = '' : only since then: a time, a length before now (5m), fault, baseline; empty: since the recording began
-- column: snapshot : the snapshot
-- column: pod : the pod
-- column: value : the label's value
-- column: requests : growth of the counter
-- column: per_second : requests per second
SELECT snapshot, pod, value, round(sum(increase), 0) AS requests, round(sum(per_second), 2) AS per_second
FROM (SELECT snapshot, pod, labels[$label] AS value, series_id, sum(increase) AS increase,
             sum(increase) / sum(seconds) AS per_second
      FROM rates WHERE name = $metric AND timestamp >= since(snapshot, $since)
      GROUP BY snapshot, pod, labels[$label], series_id)
GROUP BY snapshot, pod, value
ORDER BY snapshot, requests DESC, pod, value
