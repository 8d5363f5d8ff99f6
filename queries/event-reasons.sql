-- title: events by reason, before a moment and since
-- parameter: since = 'fault' : the moment: a time, a length before now (5m), fault, baseline
-- column: snapshot : the snapshot
-- column: type : Normal or Warning
-- column: reason : why, in a word
-- column: before : events that were last seen before
-- column: after : events that were last seen since
-- column: example : what one of the latter is about
SELECT snapshot, type, reason,
       sum(CASE WHEN late THEN 0 ELSE 1 END) AS before, sum(CASE WHEN late THEN 1 ELSE 0 END) AS after,
       min(CASE WHEN late THEN object END) AS example
FROM (SELECT *, last_seen >= since(snapshot, $since) AS late FROM events)
GROUP BY snapshot, type, reason
ORDER BY snapshot, after DESC, before DESC, type DESC, reason
