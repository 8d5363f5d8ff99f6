-- title: Deployments that are scaled to nothing, or have fewer pods than they should
-- column: snapshot : the snapshot
-- column: namespace : its namespace
-- column: name : its name
-- column: desired : pods that it should have
-- column: ready : pods that are ready
-- column: available : pods that have been ready for long enough
-- column: images : images of its containers
SELECT snapshot, namespace, name, desired, ready, available, images
FROM deployments
WHERE desired = 0 OR ready < desired
ORDER BY snapshot, namespace, name
