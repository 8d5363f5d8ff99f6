-- title: containers that restarted, ended or are not ready
-- parameter: namespace = '' : only this namespace; empty: all
-- column: snapshot : the snapshot
-- column: namespace : namespace of the pod
-- column: pod : name of the pod
-- column: container : name of the container; empty for a pod that has none yet
-- column: ready : whether it is ready
-- column: restarts : how often it was restarted
-- column: state : running, waiting or terminated
-- column: reason : why it waits or ended
-- column: last_reason : why its previous instance ended
-- column: last_exit_code : how its previous instance ended
-- column: last_finished : when its previous instance ended
-- column: message : what the kubelet, or the scheduler, says about it
SELECT snapshot, namespace, pod, container, ready, restarts, state, reason, last_reason, last_exit_code,
       last_finished, message
FROM containers
WHERE (restarts > 0 OR ((state <> 'running' OR NOT ready) AND coalesce(reason, '') <> 'Completed'))
  AND ($namespace = '' OR namespace = $namespace)
UNION ALL
SELECT snapshot, namespace, name, '', false, 0, 'waiting', phase, NULL, NULL, NULL,
       json_get_str(object, 'status', 'conditions', 0, 'message')
FROM pods
WHERE NOT json_contains(object, 'status', 'containerStatuses') AND ($namespace = '' OR namespace = $namespace)
ORDER BY snapshot, restarts DESC, namespace, pod, container
