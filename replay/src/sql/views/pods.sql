-- title: pods as they are now
-- column: snapshot : the snapshot
-- column: namespace : its namespace
-- column: name : its name
-- column: ready : containers that are ready, of how many, as kubectl prints it
-- column: status : as kubectl prints it: Running, CrashLoopBackOff, Terminating
-- column: restarts : restarts of its containers
-- column: phase : Pending, Running, Succeeded, Failed or Unknown
-- column: is_ready : its condition Ready
-- column: node : where it runs
-- column: ip : its address
-- column: owner : what made it, kind/name
-- column: created : when it was made; age(created) is its age
-- column: labels : JSON
-- column: uid : its identity
-- column: object : JSON: all of it
SELECT snapshot, namespace, name,
       printed('pods', object, 'Ready', clock(snapshot)) AS ready,
       printed('pods', object, 'Status', clock(snapshot)) AS status,
       CAST(split_part(printed('pods', object, 'Restarts', clock(snapshot)), ' ', 1) AS BIGINT) AS restarts,
       json_get_str(object, 'status', 'phase') AS phase,
       coalesce(condition(object, 'Ready') = 'True', false) AS is_ready,
       json_get_str(object, 'spec', 'nodeName') AS node,
       json_get_str(object, 'status', 'podIP') AS ip,
       lower(json_get_str(object, 'metadata', 'ownerReferences', 0, 'kind'))
         || '/' || json_get_str(object, 'metadata', 'ownerReferences', 0, 'name') AS owner,
       CAST(json_get_str(object, 'metadata', 'creationTimestamp') AS TIMESTAMP WITH TIME ZONE) AS created,
       json_get_json(object, 'metadata', 'labels') AS labels, uid, object
FROM objects
WHERE "group" = '' AND resource = 'pods'
