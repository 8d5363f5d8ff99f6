-- title: the containers of the pods as they are now, init containers included
-- column: snapshot : the snapshot
-- column: namespace : namespace of the pod
-- column: pod : name of the pod
-- column: container : name of the container
-- column: init : whether it is an init container
-- column: image : its image
-- column: ready : whether it is ready
-- column: restarts : how often it was restarted
-- column: state : running, waiting or terminated; null before the kubelet told of it
-- column: reason : why it waits or ended
-- column: message : what the kubelet says about that
-- column: started : since when it runs
-- column: last_reason : why its previous instance ended: OOMKilled, Error
-- column: last_exit_code : how its previous instance ended
-- column: last_finished : when its previous instance ended
-- column: cpu_request : cores that it asks for
-- column: cpu_limit : cores that it may have
-- column: memory_request : bytes that it asks for
-- column: memory_limit : bytes that it may have
SELECT spec.snapshot, spec.namespace, spec.pod, spec.container, spec.init,
       json_get_str(spec, 'image') AS image,
       json_get_bool(status, 'ready') AS ready, json_get_int(status, 'restartCount') AS restarts,
       CASE WHEN json_contains(status, 'state', 'running') THEN 'running'
            WHEN json_contains(status, 'state', 'terminated') THEN 'terminated'
            WHEN json_contains(status, 'state', 'waiting') THEN 'waiting' END AS state,
       coalesce(json_get_str(status, 'state', 'waiting', 'reason'),
                json_get_str(status, 'state', 'terminated', 'reason')) AS reason,
       coalesce(json_get_str(status, 'state', 'waiting', 'message'),
                json_get_str(status, 'state', 'terminated', 'message'),
                json_get_str(status, 'lastState', 'terminated', 'message')) AS message,
       CAST(json_get_str(status, 'state', 'running', 'startedAt') AS TIMESTAMP WITH TIME ZONE) AS started,
       json_get_str(status, 'lastState', 'terminated', 'reason') AS last_reason,
       json_get_int(status, 'lastState', 'terminated', 'exitCode') AS last_exit_code,
       CAST(json_get_str(status, 'lastState', 'terminated', 'finishedAt') AS TIMESTAMP WITH TIME ZONE) AS last_finished,
       quantity(json_as_text(spec, 'resources', 'requests', 'cpu')) AS cpu_request,
       quantity(json_as_text(spec, 'resources', 'limits', 'cpu')) AS cpu_limit,
       quantity(json_as_text(spec, 'resources', 'requests', 'memory')) AS memory_request,
       quantity(json_as_text(spec, 'resources', 'limits', 'memory')) AS memory_limit
FROM (
  SELECT snapshot, namespace, pod, uid, init, spec, json_get_str(spec, 'name') AS container
  FROM (
    SELECT snapshot, namespace, name AS pod, uid, false AS init,
           unnest(json_get_array(object, 'spec', 'containers')) AS spec
    FROM objects WHERE "group" = '' AND resource = 'pods'
    UNION ALL
    SELECT snapshot, namespace, name, uid, true, unnest(json_get_array(object, 'spec', 'initContainers'))
    FROM objects WHERE "group" = '' AND resource = 'pods'
  )
) AS spec
LEFT JOIN (
  SELECT snapshot, uid, init, status, json_get_str(status, 'name') AS container
  FROM (
    SELECT snapshot, uid, false AS init, unnest(json_get_array(object, 'status', 'containerStatuses')) AS status
    FROM objects WHERE "group" = '' AND resource = 'pods'
    UNION ALL
    SELECT snapshot, uid, true, unnest(json_get_array(object, 'status', 'initContainerStatuses'))
    FROM objects WHERE "group" = '' AND resource = 'pods'
  )
) AS status
  ON spec.snapshot = status.snapshot AND spec.uid = status.uid AND spec.init = status.init
    AND spec.container = status.container
