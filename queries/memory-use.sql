-- title: memory that containers use, beside what they ask for and may have
-- parameter: namespace = '' : only this namespace; empty: all
-- parameter: limit = '20' : at most so many containers
-- column: snapshot : the snapshot
-- column: namespace : namespace of the pod
-- column: pod : name of the pod
-- column: container : name of the container
-- column: used_mib : MiB at now, by the metrics server
-- column: request_mib : MiB that it asks for
-- column: limit_mib : MiB that it may have
-- column: percent : what it uses of its limit
SELECT containers.snapshot, containers.namespace, pod, containers.container,
       round(memory_bytes / 1048576.0, 1) AS used_mib, round(memory_request / 1048576.0, 1) AS request_mib,
       round(memory_limit / 1048576.0, 1) AS limit_mib, round(100 * memory_bytes / memory_limit, 1) AS percent
FROM containers
JOIN (SELECT *, row_number() OVER (PARTITION BY snapshot, namespace, name, container ORDER BY timestamp DESC) AS place
      FROM usage WHERE kind = 'pod' AND timestamp <= clock(snapshot)) AS latest
  ON latest.snapshot = containers.snapshot AND latest.namespace = containers.namespace
    AND latest.name = containers.pod AND latest.container = containers.container AND place = 1
WHERE $namespace = '' OR containers.namespace = $namespace
ORDER BY snapshot, percent DESC NULLS LAST, used_mib DESC, pod, container
LIMIT CAST($limit AS BIGINT)
