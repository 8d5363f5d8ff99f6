-- title: how fast counters grew from each sample to the next; a fall is a restart from zero, as for Prometheus
-- column: snapshot : the snapshot
-- column: timestamp : the later sample's
-- column: name : name of the metric
-- column: labels : the series' other labels, a map
-- column: namespace : the label namespace
-- column: pod : the label pod
-- column: container : the label container
-- column: node : the label node
-- column: series_id : the series
-- column: value : the later sample's value
-- column: seconds : time since the sample before
-- column: increase : growth since the sample before; after a reset the value itself
-- column: rate : increase per second
-- column: reset : whether the counter began again
SELECT snapshot, timestamp, name, labels, namespace, pod, container, node, series_id, value, seconds,
       CASE WHEN value < previous THEN value ELSE value - previous END AS increase,
       CASE WHEN value < previous THEN value ELSE value - previous END / seconds AS rate,
       value < previous AS reset
FROM (
  SELECT *,
         -- What depends on the series is named too, so that conditions on it go below.
         lag(value) OVER (PARTITION BY snapshot, series_id, name, namespace, pod, container, node
                          ORDER BY timestamp) AS previous,
         (milliseconds - lag(milliseconds) OVER (PARTITION BY snapshot, series_id, name, namespace, pod, container, node
                                                 ORDER BY timestamp)) / 1e3 AS seconds
  FROM (
    SELECT *, CAST(timestamp AS BIGINT) AS milliseconds
    FROM metrics
    WHERE NOT isnan(value)
      AND (name LIKE '%\_total' OR name LIKE '%\_count' OR name LIKE '%\_sum' OR name LIKE '%\_bucket')
  )
)
WHERE previous IS NOT NULL
