-- title: what changed up to now: a row for each object that came or went, and for each path that differs between two versions
-- column: snapshot : the snapshot
-- column: at : since when, by the API server
-- column: resource : the type: deployments
-- column: namespace : its namespace
-- column: name : its name
-- column: change : created, deleted or changed
-- column: path : where, e.g. spec.ports[0].targetPort; null when the object came or went
-- column: before : what was there; null for nothing
-- column: after : what is there now; null for nothing
-- column: uid : the object's identity
-- column: seq : order of the versions
-- Events are left out: what happened is in the view of that name. changed_paths leaves out versions and times.
WITH versions AS (
  SELECT snapshot, seq, event, valid_from, "group", resource, namespace, name, uid, object,
         lag(object) OVER (PARTITION BY snapshot, "group", resource, namespace, name, uid ORDER BY seq) AS previous
  FROM object_versions
  WHERE resource <> 'events' AND valid_from <= clock(snapshot)
)
SELECT snapshot, at, resource, namespace, name, 'changed' AS change, difference['path'] AS path,
       difference['before'] AS before, difference['after'] AS after, uid, seq
FROM (
  SELECT snapshot, valid_from AS at, resource, namespace, name, uid, seq,
         unnest(changed_paths(previous, object)) AS difference
  FROM versions
  WHERE event IN ('modified', 'relisted') AND previous IS NOT NULL
)
UNION ALL
SELECT snapshot, valid_from, resource, namespace, name, CASE event WHEN 'added' THEN 'created' ELSE 'deleted' END,
       NULL, NULL, NULL, uid, seq
FROM versions
WHERE event IN ('added', 'deleted')
