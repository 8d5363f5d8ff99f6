-- title: how many series each metric has
-- parameter: limit = '20' : at most so many metrics
-- column: snapshot : the snapshot
-- column: name : name of the metric
-- column: type : counter, gauge, histogram or summary, where it is told
-- column: series : number of series
-- column: samples : number of samples
SELECT series.snapshot, series.name, type, count(DISTINCT series.series_id) AS series, sum(samples) AS samples
FROM (SELECT snapshot, series_id, name, count(*) AS samples FROM metrics GROUP BY snapshot, series_id, name) AS series
LEFT JOIN (SELECT snapshot, name, min(type) AS type FROM metric_metadata WHERE kind = 'metadata' GROUP BY snapshot, name) AS known
  ON known.snapshot = series.snapshot
    AND known.name = regexp_replace(series.name, CASE WHEN series.name LIKE '%\_total' THEN '^$' ELSE '_(bucket|sum|count)$' END, '')
GROUP BY series.snapshot, series.name, type
ORDER BY snapshot, series DESC, series.name
LIMIT CAST($limit AS BIGINT)
