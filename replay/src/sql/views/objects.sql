-- title: Kubernetes objects as they are now
-- column: snapshot : the snapshot
-- column: group : API group (write "group")
-- column: version : API version
-- column: resource : the type, as in a path: pods
-- column: kind : the type, as in a manifest: Pod
-- column: namespace : its namespace; '' for none
-- column: name : its name
-- column: uid : its identity
-- column: valid_from : since when it is like this
-- column: object : JSON; json_get_str(object, 'spec', 'nodeName') reads a field
SELECT snapshot, "group", version, resource, kind, namespace, name, uid, valid_from, object
FROM object_versions
WHERE valid_from <= clock(snapshot) AND (valid_to IS NULL OR valid_to > clock(snapshot))
