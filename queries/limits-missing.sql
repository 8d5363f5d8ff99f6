-- title: containers without a limit of memory or a request
-- parameter: namespace = '' : only this namespace; empty: all
-- column: snapshot : the snapshot
-- column: namespace : namespace of the pod
-- column: pod : name of the pod
-- column: container : name of the container
-- column: cpu_request : cores that it asks for
-- column: memory_request : bytes that it asks for
-- column: memory_limit : bytes that it may have
SELECT snapshot, namespace, pod, container, cpu_request, memory_request, memory_limit
FROM containers
WHERE (memory_limit IS NULL OR memory_request IS NULL OR cpu_request IS NULL)
  AND ($namespace = '' OR namespace = $namespace)
ORDER BY snapshot, namespace, pod, container
