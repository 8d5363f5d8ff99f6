-- title: samples up to now, each with its series
-- column: snapshot : the snapshot
-- column: timestamp : when it was scraped
-- column: name : name of the metric
-- column: labels : the series' other labels, a map: labels['route']
-- column: namespace : the label namespace
-- column: pod : the label pod
-- column: container : the label container
-- column: node : the label node
-- column: value : the value; NaN where the series ended
-- column: source : who recorded it
-- column: series_id : the series, a row of metric_series
SELECT metric_samples.snapshot, timestamp, name, labels, namespace, pod, container, node, value, source,
       metric_samples.series_id
FROM metric_samples
JOIN metric_series ON metric_samples.snapshot = metric_series.snapshot
  AND metric_samples.series_id = metric_series.series_id
WHERE timestamp <= arrow_cast(clock(metric_samples.snapshot), 'Timestamp(ms, "UTC")')
