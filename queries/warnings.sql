-- title: warning events by reason and object
-- parameter: namespace = '' : only this namespace; empty: all
-- parameter: limit = '30' : at most so many
-- column: snapshot : the snapshot
-- column: namespace : the namespace
-- column: reason : why, in a word
-- column: object : what it is about, kind/name
-- column: times : how often it happened
-- column: last_seen : when it last happened
-- column: message : what happened last
SELECT snapshot, namespace, reason, object, sum(count) AS times, max(last_seen) AS last_seen,
       last_value(message ORDER BY last_seen, message) AS message
FROM events
WHERE type = 'Warning' AND ($namespace = '' OR namespace = $namespace)
GROUP BY snapshot, namespace, reason, object
ORDER BY snapshot, last_seen DESC, times DESC, object, reason
LIMIT CAST($limit AS BIGINT)
