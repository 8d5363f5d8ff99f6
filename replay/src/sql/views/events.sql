-- title: Kubernetes events that were seen by now, those that are gone included
-- column: snapshot : the snapshot
-- column: last_seen : when it last happened; null where no time was recorded
-- column: count : how often it happened
-- column: namespace : its namespace
-- column: type : Normal or Warning
-- column: reason : why, in a word
-- column: object : what it is about, kind/name
-- column: message : what happened
SELECT snapshot,
       TRY_CAST(coalesce(json_get_str(object, 'lastTimestamp'), json_get_str(object, 'eventTime'),
                         json_get_str(object, 'metadata', 'creationTimestamp')) AS TIMESTAMP WITH TIME ZONE) AS last_seen,
       coalesce(json_get_int(object, 'count'), json_get_int(object, 'series', 'count'), 1) AS count,
       namespace, json_get_str(object, 'type') AS type, json_get_str(object, 'reason') AS reason,
       lower(coalesce(json_get_str(object, 'involvedObject', 'kind'), json_get_str(object, 'regarding', 'kind')))
         || '/' || coalesce(json_get_str(object, 'involvedObject', 'name'), json_get_str(object, 'regarding', 'name')) AS object,
       coalesce(json_get_str(object, 'message'), json_get_str(object, 'note')) AS message
FROM (SELECT snapshot, namespace, object, row_number() OVER (PARTITION BY snapshot, namespace, uid ORDER BY seq DESC) AS newest
      FROM object_versions
      WHERE resource = 'events' AND event <> 'deleted' AND valid_from <= clock(snapshot))
WHERE newest = 1
