-- title: what changed: objects created, deleted or changed in anything but status
-- parameter: namespace = '' : only this namespace; empty: all
-- parameter: pods = 'no' : yes: Pods, ReplicaSets and EndpointSlices too, which follow from the rest
-- column: at : since when, by the API server
-- column: resource : what was changed, resource/name
-- column: namespace : its namespace
-- column: change : created, deleted or changed
-- column: field : the field below the object or its spec
-- column: before : its value before
-- column: after : its value after
WITH versions AS (
  SELECT seq, event, valid_from, "group", resource, namespace, name, uid, object,
         lag(object) OVER (PARTITION BY "group", resource, namespace, name, uid ORDER BY seq) AS previous
  FROM object_versions
  WHERE valid_from <= now()
    AND resource NOT IN ('events', 'leases', 'endpoints')
    AND ($pods = 'yes' OR resource NOT IN ('pods', 'replicasets', 'endpointslices'))
    AND ($namespace = '' OR namespace = $namespace)
),
pairs AS (
  SELECT seq, valid_from, resource, namespace, name, object, previous,
         json_get_json(object, 'spec') AS spec, json_get_json(previous, 'spec') AS previous_spec
  FROM versions
  WHERE event IN ('modified', 'relisted') AND previous IS NOT NULL AND object <> previous
),
keys AS (
  SELECT seq, false AS in_spec, unnest(json_object_keys(object)) AS key FROM pairs
  UNION
  SELECT seq, false, unnest(json_object_keys(previous)) FROM pairs
  UNION
  SELECT seq, true, unnest(json_object_keys(spec)) FROM pairs
  UNION
  SELECT seq, true, unnest(json_object_keys(previous_spec)) FROM pairs
),
fields AS (
  SELECT pairs.seq, valid_from, resource, namespace, name,
         CASE WHEN in_spec THEN 'spec.' || key ELSE key END AS field,
         CASE WHEN in_spec THEN json_get_json(previous_spec, key) ELSE json_get_json(previous, key) END AS before,
         CASE WHEN in_spec THEN json_get_json(spec, key) ELSE json_get_json(object, key) END AS after
  FROM pairs JOIN keys ON keys.seq = pairs.seq
  WHERE in_spec OR key NOT IN ('apiVersion', 'kind', 'metadata', 'status', 'spec')
),
changes AS (
  SELECT seq, valid_from, resource, namespace, name, 'changed' AS change, field, before, after
  FROM fields
  WHERE before IS DISTINCT FROM after
  UNION ALL
  SELECT seq, valid_from, resource, namespace, name, CASE event WHEN 'added' THEN 'created' ELSE 'deleted' END,
         '', NULL, NULL
  FROM versions
  WHERE event IN ('added', 'deleted')
)
SELECT valid_from AS at, resource || '/' || name AS resource, namespace, change, field,
       CASE WHEN length(before) > 120 THEN left(before, 117) || '...' ELSE before END AS before,
       CASE WHEN length(after) > 120 THEN left(after, 117) || '...' ELSE after END AS after
FROM changes
ORDER BY valid_from, seq, field
