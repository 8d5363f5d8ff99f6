-- title: how much each kind of data has, and from when to when
-- column: snapshot : the snapshot
-- column: kind : metrics, logs, spans or objects
-- column: rows : rows up to now
-- column: first : the first
-- column: last : the last
SELECT snapshot, 'metrics' AS kind, count(*) AS rows, CAST(min(timestamp) AS TIMESTAMP WITH TIME ZONE) AS first,
       CAST(max(timestamp) AS TIMESTAMP WITH TIME ZONE) AS last FROM metrics GROUP BY snapshot
UNION ALL
SELECT snapshot, 'logs', count(*), min(timestamp), max(timestamp) FROM logs GROUP BY snapshot
UNION ALL
SELECT snapshot, 'spans', count(*), min(start), max("end") FROM spans GROUP BY snapshot
UNION ALL
SELECT snapshot, 'objects', count(*), min(valid_from), max(valid_from) FROM object_versions
WHERE valid_from <= clock(snapshot) GROUP BY snapshot
ORDER BY snapshot, kind
