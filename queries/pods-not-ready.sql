-- title: pods that are not ready, those that have done their work aside
-- parameter: namespace = '' : only this namespace; empty: all
-- column: snapshot : the snapshot
-- column: namespace : its namespace
-- column: name : its name
-- column: ready : containers that are ready, of how many
-- column: status : as kubectl prints it
-- column: restarts : restarts of its containers
-- column: age : how old it is
-- column: node : where it runs
-- column: owner : what made it
SELECT snapshot, namespace, name, ready, status, restarts, age(created, clock(snapshot)) AS age, node, owner
FROM pods
WHERE NOT is_ready AND phase <> 'Succeeded' AND ($namespace = '' OR namespace = $namespace)
ORDER BY snapshot, namespace, name
