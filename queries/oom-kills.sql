-- title: containers that were killed for their memory, and what they may have
-- column: snapshot : the snapshot
-- column: namespace : namespace of the pod
-- column: pod : name of the pod
-- column: container : name of the container
-- column: killed : when
-- column: restarts : how often it was restarted
-- column: memory_limit : bytes that it may have
-- column: memory_most : bytes that it was seen to use at most, by the kubelet's metrics
SELECT containers.snapshot, containers.namespace, containers.pod, containers.container,
       coalesce(last_finished, started) AS killed, restarts, memory_limit, memory_most
FROM containers
LEFT JOIN (SELECT snapshot, namespace, pod, container, max(value) AS memory_most FROM metrics
           WHERE name = 'container_memory_working_set_bytes' AND NOT isnan(value)
           GROUP BY snapshot, namespace, pod, container) AS used
  ON used.snapshot = containers.snapshot AND used.namespace = containers.namespace
    AND used.pod = containers.pod AND used.container = containers.container
WHERE last_reason = 'OOMKilled' OR reason = 'OOMKilled'
ORDER BY snapshot, killed, namespace, pod, container
