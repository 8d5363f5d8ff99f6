-- title: Deployments as they are now
-- column: snapshot : the snapshot
-- column: namespace : its namespace
-- column: name : its name
-- column: desired : pods that it should have
-- column: replicas : pods that it has
-- column: ready : pods that are ready
-- column: updated : pods of its newest template
-- column: available : pods that have been ready for long enough
-- column: images : images of its containers
-- column: selector : which pods are its own
-- column: created : when it was made
-- column: object : JSON: all of it
SELECT snapshot, namespace, name,
       json_get_int(object, 'spec', 'replicas') AS desired,
       coalesce(json_get_int(object, 'status', 'replicas'), 0) AS replicas,
       coalesce(json_get_int(object, 'status', 'readyReplicas'), 0) AS ready,
       coalesce(json_get_int(object, 'status', 'updatedReplicas'), 0) AS updated,
       coalesce(json_get_int(object, 'status', 'availableReplicas'), 0) AS available,
       printed('deployments', object, 'Images', clock(snapshot)) AS images,
       printed('deployments', object, 'Selector', clock(snapshot)) AS selector,
       CAST(json_get_str(object, 'metadata', 'creationTimestamp') AS TIMESTAMP WITH TIME ZONE) AS created,
       object
FROM objects
WHERE "group" = 'apps' AND resource = 'deployments'
