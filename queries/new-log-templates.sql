-- title: kinds of log lines that appeared at a moment or later
-- parameter: since = 'fault' : the moment: a time, a length before now (5m), fault, baseline
-- parameter: limit = '20' : at most so many kinds
-- column: snapshot : the snapshot
-- column: service : the service that wrote them
-- column: lines : number of lines
-- column: first_seen : the first of them
-- column: template : the line with * for what differs
SELECT snapshot, coalesce(service, container) AS service, lines, first_seen, template
FROM log_templates
WHERE first_seen >= since(snapshot, $since)
ORDER BY snapshot, lines DESC, service, template
LIMIT CAST($limit AS BIGINT)
