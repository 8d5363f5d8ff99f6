-- title: targets that could not be scraped
-- column: snapshot : the snapshot
-- column: job : the scrape job
-- column: instance : the target
-- column: pod : its pod
-- column: failed : scrapes that failed
-- column: scrapes : scrapes in all
-- column: last_failed : the last failed one
SELECT snapshot, labels['job'] AS job, labels['instance'] AS instance, pod,
       sum(CASE WHEN value = 0 THEN 1 ELSE 0 END) AS failed, count(*) AS scrapes,
       max(CASE WHEN value = 0 THEN timestamp END) AS last_failed
FROM metrics
WHERE name = 'up' AND NOT isnan(value)
GROUP BY snapshot, labels['job'], labels['instance'], pod
HAVING sum(CASE WHEN value = 0 THEN 1 ELSE 0 END) > 0
ORDER BY snapshot, failed DESC, job, instance
