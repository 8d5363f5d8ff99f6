-- title: objects created, deleted or changed in anything but status
-- parameter: since = '' : only since then: a time, a length before now (5m), fault, baseline; empty: since the recording began
-- parameter: namespace = '' : only this namespace; empty: all
-- parameter: pods = 'no' : yes: Pods, ReplicaSets and EndpointSlices too, which follow from the rest
-- column: snapshot : the snapshot
-- column: at : since when, by the API server
-- column: resource : what was changed, resource/name
-- column: namespace : its namespace
-- column: change : created, deleted or changed
-- column: path : where
-- column: before : its value before
-- column: after : its value after
SELECT snapshot, at, resource || '/' || name AS resource, namespace, change, path,
       CASE WHEN length(before) > 120 THEN left(before, 117) || '...' ELSE before END AS before,
       CASE WHEN length(after) > 120 THEN left(after, 117) || '...' ELSE after END AS after
FROM changes
WHERE at >= since(snapshot, $since)
  AND resource NOT IN ('leases', 'endpoints')
  AND ($pods = 'yes' OR resource NOT IN ('pods', 'replicasets', 'endpointslices'))
  AND ($namespace = '' OR namespace = $namespace)
  AND (path IS NULL OR NOT starts_with(path, 'status') AND NOT starts_with(path, 'metadata'))
ORDER BY snapshot, changes.at, seq, path
