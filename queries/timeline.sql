-- title: what happened, in order: changes but of status, warnings, containers that ended, first errors of services
-- parameter: since = '' : only since then: a time, a length before now (5m), fault, baseline; empty: since the recording began
-- parameter: limit = '100' : at most so many entries
-- column: snapshot : the snapshot
-- column: at : when
-- column: kind : change, event, ended or errors
-- column: what : the object or service
-- column: detail : what happened to it
SELECT * FROM (
  SELECT snapshot, at, 'change' AS kind, resource || '/' || name AS what,
         CASE change WHEN 'changed' THEN path || ': ' || coalesce(left(before, 60), '-') || ' > ' || coalesce(left(after, 60), '-')
                     ELSE change END AS detail
  FROM changes
  WHERE resource NOT IN ('leases', 'endpoints', 'endpointslices', 'replicasets', 'pods')
    AND (path IS NULL OR NOT starts_with(path, 'status') AND NOT starts_with(path, 'metadata'))
  UNION ALL
  SELECT snapshot, last_seen, 'event', object, reason || ': ' || message
  FROM events WHERE type = 'Warning'
  UNION ALL
  SELECT snapshot, finished, 'ended', pod || '/' || container,
         coalesce(reason, 'exit') || ' ' || coalesce(CAST(exit_code AS VARCHAR), '')
  FROM log_instances WHERE finished <= clock(snapshot)
  UNION ALL
  SELECT snapshot, start, 'errors', service, coalesce(message, operation)
  FROM (SELECT snapshot, service, start, message, operation,
               row_number() OVER (PARTITION BY snapshot, service ORDER BY start, span_id) AS place
        FROM spans WHERE status = 'error')
  WHERE place = 1
)
WHERE at >= since(snapshot, $since)
ORDER BY snapshot, at, kind, what, detail
LIMIT CAST($limit AS BIGINT)
