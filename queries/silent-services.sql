-- title: services that served requests before a moment, and fewer or none since
-- parameter: since = 'fault' : the moment: a time, a length before now (5m), fault, baseline
-- parameter: below = '0.5' : only those whose rate fell below this share of what it was
-- column: snapshot : the snapshot
-- column: service : the service
-- column: rate_before : requests per second before
-- column: rate : requests per second since
-- column: share : the rate since as a share of that before
-- column: last_request : start of its last request
WITH counts AS (
  SELECT snapshot, service, max(start) AS last_request,
         sum(CASE WHEN late THEN 0 ELSE 1 END) AS before, sum(CASE WHEN late THEN 1 ELSE 0 END) AS after,
         (CAST(since(snapshot, $since) AS BIGINT) - CAST(since(snapshot, '') AS BIGINT)) / 1e9 AS seconds_before,
         (CAST(clock(snapshot) AS BIGINT) - CAST(since(snapshot, $since) AS BIGINT)) / 1e9 AS seconds
  FROM (SELECT snapshot, service, start, start >= since(snapshot, $since) AS late FROM spans
        WHERE kind IN ('server', 'consumer') AND start >= since(snapshot, ''))
  GROUP BY snapshot, service
)
SELECT snapshot, service, round(before / seconds_before, 2) AS rate_before, round(after / seconds, 2) AS rate,
       round(after / seconds / (before / seconds_before), 2) AS share, last_request
FROM counts
WHERE before > 0 AND after / seconds / (before / seconds_before) < CAST($below AS DOUBLE)
ORDER BY snapshot, share, service
