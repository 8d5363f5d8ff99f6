-- title: series that moved most: how many standard deviations their mean since a moment is from that before
-- parameter: since = 'fault' : the moment: a time, a length before now (5m), fault, baseline
-- parameter: namespace = '' : only series of this namespace; empty: all
-- parameter: limit = '20' : at most so many series
-- column: snapshot : the snapshot
-- column: name : name of the metric
-- column: pod : the label pod
-- column: container : the label container
-- column: mean_before : mean before, of counters the rate
-- column: mean : mean since
-- column: z : their distance in standard deviations of the time before
-- column: series_id : the series
WITH numbers AS (
  SELECT snapshot, series_id, name, namespace, pod, container, timestamp, rate AS value FROM rates
  UNION ALL
  SELECT snapshot, series_id, name, namespace, pod, container, timestamp, value FROM metrics
  WHERE NOT isnan(value)
    AND NOT (name LIKE '%\_total' OR name LIKE '%\_count' OR name LIKE '%\_sum' OR name LIKE '%\_bucket')
),
moved AS (
  SELECT snapshot, series_id, name, namespace, pod, container,
         avg(CASE WHEN NOT late THEN value END) AS before, avg(CASE WHEN late THEN value END) AS after,
         stddev(CASE WHEN NOT late THEN value END) AS deviation,
         sum(CASE WHEN late THEN 0 ELSE 1 END) AS samples
  FROM (SELECT *, timestamp >= since(snapshot, $since) AS late FROM numbers)
  WHERE $namespace = '' OR namespace = $namespace
  GROUP BY snapshot, series_id, name, namespace, pod, container
)
SELECT snapshot, name, pod, container, round(before, 4) AS mean_before, round(after, 4) AS mean,
       round((after - before) / deviation, 1) AS z, series_id
FROM moved
WHERE deviation > 0 AND samples >= 3 AND after IS NOT NULL
ORDER BY snapshot, abs((after - before) / deviation) DESC, name, series_id
LIMIT CAST($limit AS BIGINT)
