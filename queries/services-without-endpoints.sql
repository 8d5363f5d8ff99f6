-- title: Services that select pods and have no address that takes requests
-- column: snapshot : the snapshot
-- column: namespace : its namespace
-- column: name : its name
-- column: selector : which pods should be behind it
-- column: ports : as kubectl prints them
-- column: target_ports : where each of them goes
-- column: other_addresses : addresses of pods that are not ready
SELECT snapshot, namespace, name, selector, ports, target_ports, other_addresses
FROM services
WHERE ready_addresses = 0 AND selector <> '<none>' AND type <> 'ExternalName'
ORDER BY snapshot, namespace, name
