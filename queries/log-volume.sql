-- title: log lines per second of each service, before a moment and since
-- parameter: since = 'fault' : the moment: a time, a length before now (5m), fault, baseline
-- column: snapshot : the snapshot
-- column: service : the service
-- column: lines_before : lines before
-- column: lines : lines since
-- column: rate_before : lines per second before
-- column: rate : lines per second since
-- column: times : the rate since as a multiple of that before
WITH counts AS (
  SELECT snapshot, service, sum(CASE WHEN late THEN 0 ELSE 1 END) AS lines_before, sum(CASE WHEN late THEN 1 ELSE 0 END) AS lines,
         (CAST(since(snapshot, $since) AS BIGINT) - CAST(since(snapshot, '') AS BIGINT)) / 1e9 AS seconds_before,
         (CAST(clock(snapshot) AS BIGINT) - CAST(since(snapshot, $since) AS BIGINT)) / 1e9 AS seconds
  FROM (SELECT snapshot, coalesce(service, pod) AS service, timestamp >= since(snapshot, $since) AS late FROM logs
        WHERE timestamp >= since(snapshot, ''))
  GROUP BY snapshot, service
)
SELECT snapshot, service, lines_before, lines, round(lines_before / seconds_before, 2) AS rate_before,
       round(lines / seconds, 2) AS rate,
       round(lines / seconds / nullif(lines_before / seconds_before, 0), 2) AS times
FROM counts
ORDER BY snapshot, times DESC NULLS FIRST, lines DESC, service
