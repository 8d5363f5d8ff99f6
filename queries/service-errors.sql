-- title: requests and errors of each service, before a moment and since
-- parameter: since = 'fault' : the moment: a time, a length before now (5m), fault, baseline
-- column: snapshot : the snapshot
-- column: service : the service
-- column: requests_before : requests that it served before
-- column: errors_before : how many of them failed
-- column: percent_before : their share
-- column: requests : requests that it served since
-- column: errors : how many of them failed
-- column: percent : their share
SELECT snapshot, service,
       sum(CASE WHEN late THEN 0 ELSE 1 END) AS requests_before,
       sum(CASE WHEN NOT late AND failed THEN 1 ELSE 0 END) AS errors_before,
       round(100.0 * sum(CASE WHEN NOT late AND failed THEN 1 ELSE 0 END)
         / nullif(sum(CASE WHEN late THEN 0 ELSE 1 END), 0), 1) AS percent_before,
       sum(CASE WHEN late THEN 1 ELSE 0 END) AS requests,
       sum(CASE WHEN late AND failed THEN 1 ELSE 0 END) AS errors,
       round(100.0 * sum(CASE WHEN late AND failed THEN 1 ELSE 0 END)
         / nullif(sum(CASE WHEN late THEN 1 ELSE 0 END), 0), 1) AS percent
FROM (SELECT snapshot, service, start >= since(snapshot, $since) AS late, status = 'error' AS failed
      FROM spans WHERE kind IN ('server', 'consumer'))
GROUP BY snapshot, service
ORDER BY snapshot, errors DESC, requests DESC, service
