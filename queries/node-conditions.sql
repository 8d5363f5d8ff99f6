-- title: what nodes say of themselves
-- column: snapshot : the snapshot
-- column: node : name of the node
-- column: condition : Ready, MemoryPressure, DiskPressure, PIDPressure
-- column: status : True, False or Unknown
-- column: reason : why, in a word
-- column: since : since when
SELECT snapshot, node, json_get_str(condition, 'type') AS condition, json_get_str(condition, 'status') AS status,
       json_get_str(condition, 'reason') AS reason, json_get_str(condition, 'lastTransitionTime') AS since
FROM (SELECT snapshot, name AS node, unnest(json_get_array(object, 'status', 'conditions')) AS condition
      FROM objects WHERE "group" = '' AND resource = 'nodes')
ORDER BY snapshot, node, condition
