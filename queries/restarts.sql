-- title: restarts: containers that restarted, ended or are not ready
-- parameter: namespace = '' : only this namespace; empty: all
-- column: namespace : namespace of the pod
-- column: pod : name of the pod
-- column: container : name of the container
-- column: ready : whether it is ready
-- column: restarts : how often it was restarted
-- column: state : running, waiting or terminated
-- column: reason : why it waits or ended
-- column: last_reason : why its previous instance ended
-- column: last_exit_code : how its previous instance ended
-- column: last_finished : when its previous instance ended
-- column: message : what the kubelet says about it
WITH pods AS (
  SELECT namespace, name, object
  FROM object_versions
  WHERE "group" = '' AND resource = 'pods'
    AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now())
    AND ($namespace = '' OR namespace = $namespace)
),
containers AS (
  SELECT namespace, name, unnest(json_get_array(object, 'status', 'containerStatuses')) AS status
  FROM pods
  UNION ALL
  SELECT namespace, name, unnest(json_get_array(object, 'status', 'initContainerStatuses'))
  FROM pods
),
facts AS (
  SELECT namespace, name AS pod, json_get_str(status, 'name') AS container,
         json_get_bool(status, 'ready') AS ready, json_get_int(status, 'restartCount') AS restarts,
         CASE WHEN json_contains(status, 'state', 'running') THEN 'running'
              WHEN json_contains(status, 'state', 'terminated') THEN 'terminated'
              ELSE 'waiting' END AS state,
         coalesce(json_get_str(status, 'state', 'waiting', 'reason'),
                  json_get_str(status, 'state', 'terminated', 'reason')) AS reason,
         json_get_str(status, 'lastState', 'terminated', 'reason') AS last_reason,
         json_get_int(status, 'lastState', 'terminated', 'exitCode') AS last_exit_code,
         json_get_str(status, 'lastState', 'terminated', 'finishedAt') AS last_finished,
         coalesce(json_get_str(status, 'state', 'waiting', 'message'),
                  json_get_str(status, 'state', 'terminated', 'message'),
                  json_get_str(status, 'lastState', 'terminated', 'message')) AS message
  FROM containers
)
SELECT namespace, pod, container, ready, restarts, state, reason, last_reason, last_exit_code, last_finished,
       message
FROM facts
WHERE restarts > 0 OR ((state <> 'running' OR NOT ready) AND coalesce(reason, '') <> 'Completed')
UNION ALL
-- Pods without any container yet: not scheduled, or not started.
SELECT namespace, name, '', false, 0, 'waiting', json_get_str(object, 'status', 'phase'), NULL, NULL, NULL,
       json_get_str(object, 'status', 'conditions', 0, 'message')
FROM pods
WHERE NOT json_contains(object, 'status', 'containerStatuses')
ORDER BY restarts DESC, namespace, pod, container
