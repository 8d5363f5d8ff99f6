-- title: series that ended well before now, by pod: what is scraped no more
-- parameter: before = '1m' : ended before this: a time, a length before now (5m), fault, baseline
-- column: snapshot : the snapshot
-- column: namespace : the namespace
-- column: pod : the pod
-- column: last : the last sample of any of them
-- column: ago : how long before now
-- column: series : number of series
SELECT snapshot, namespace, pod, max(last) AS last, age(max(last), clock(snapshot)) AS ago, count(*) AS series
FROM (SELECT snapshot, series_id, namespace, pod, max(timestamp) AS last FROM metrics WHERE NOT isnan(value)
      GROUP BY snapshot, series_id, namespace, pod)
WHERE last < since(snapshot, $before)
GROUP BY snapshot, namespace, pod
ORDER BY snapshot, last, namespace, pod
