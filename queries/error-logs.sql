-- title: log lines that tell of an error, by kind
-- parameter: since = '' : only since then: a time, a length before now (5m), fault, baseline; empty: since the recording began
-- parameter: like = 'error|fail|refused|denied|timeout|exception|panic|fatal' : what tells of one, a regular expression
-- parameter: limit = '20' : at most so many kinds
-- column: snapshot : the snapshot
-- column: service : the service that wrote them
-- column: lines : number of lines
-- column: first_seen : the first of them
-- column: last_seen : the last of them
-- column: example : one of them
SELECT snapshot, service, count(*) AS lines, min(timestamp) AS first_seen, max(timestamp) AS last_seen,
       left(min(message), 200) AS example
FROM (SELECT snapshot, coalesce(service, container) AS service, timestamp, message, template(message) AS template FROM logs
      WHERE regexp_like(message, $like, 'i') AND timestamp >= since(snapshot, $since))
GROUP BY snapshot, service, template
ORDER BY snapshot, lines DESC, first_seen, service
LIMIT CAST($limit AS BIGINT)
