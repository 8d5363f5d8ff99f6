-- title: log lines that were written by now
-- column: snapshot : the snapshot
-- column: timestamp : when the line was written
-- column: namespace : namespace of the pod
-- column: service : the service that the pod belongs to
-- column: pod : name of the pod
-- column: container : name of the container
-- column: stream : stdout or stderr, where it is known
-- column: message : the line; null where it is not UTF-8 (log_lines has its bytes)
-- column: instance_id : the container instance, a row of log_instances
-- column: seq : the line's number in its instance
SELECT snapshot, timestamp, namespace, service, pod, container, stream,
       TRY_CAST(message AS VARCHAR) AS message, instance_id, seq
FROM log_lines
WHERE timestamp <= clock(snapshot)
