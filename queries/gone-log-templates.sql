-- title: kinds of log lines that were usual before a moment and did not come again
-- parameter: since = 'fault' : the moment: a time, a length before now (5m), fault, baseline
-- parameter: lines = '5' : only kinds with at least so many lines
-- parameter: limit = '20' : at most so many kinds
-- column: snapshot : the snapshot
-- column: service : the service that wrote them
-- column: lines : number of lines
-- column: last_seen : the last of them
-- column: template : the line with * for what differs
SELECT snapshot, coalesce(service, container) AS service, lines, last_seen, template
FROM log_templates
WHERE last_seen < since(snapshot, $since) AND lines >= CAST($lines AS BIGINT)
ORDER BY snapshot, lines DESC, service, template
LIMIT CAST($limit AS BIGINT)
