-- title: Services as they are now, with the addresses behind them
-- column: snapshot : the snapshot
-- column: namespace : its namespace
-- column: name : its name
-- column: type : ClusterIP, NodePort, LoadBalancer or ExternalName
-- column: cluster_ip : its address
-- column: ports : as kubectl prints them
-- column: target_ports : where each of them goes
-- column: selector : which pods are behind it
-- column: ready_addresses : addresses that take requests
-- column: other_addresses : addresses that don't: their pods are not ready
-- column: created : when it was made
-- column: object : JSON: all of it
SELECT services.snapshot, services.namespace, services.name,
       json_get_str(object, 'spec', 'type') AS type,
       json_get_str(object, 'spec', 'clusterIP') AS cluster_ip,
       printed('services', object, 'Port(s)', clock(services.snapshot)) AS ports,
       target_ports,
       printed('services', object, 'Selector', clock(services.snapshot)) AS selector,
       coalesce(ready_addresses, 0) AS ready_addresses,
       coalesce(other_addresses, 0) AS other_addresses,
       CAST(json_get_str(object, 'metadata', 'creationTimestamp') AS TIMESTAMP WITH TIME ZONE) AS created,
       object
FROM (SELECT * FROM objects WHERE "group" = '' AND resource = 'services') AS services
LEFT JOIN (
  SELECT snapshot, namespace, service,
         sum(CASE WHEN ready THEN addresses ELSE 0 END) AS ready_addresses,
         sum(CASE WHEN ready THEN 0 ELSE addresses END) AS other_addresses
  FROM (
    SELECT snapshot, namespace, service, coalesce(json_get_bool(endpoint, 'conditions', 'ready'), true) AS ready,
           coalesce(json_length(endpoint, 'addresses'), 0) AS addresses
    FROM (SELECT snapshot, namespace, json_get_str(object, 'metadata', 'labels', 'kubernetes.io/service-name') AS service,
                 unnest(json_get_array(object, 'endpoints')) AS endpoint
          FROM objects WHERE "group" = 'discovery.k8s.io' AND resource = 'endpointslices')
  )
  GROUP BY snapshot, namespace, service
) AS slices
  ON slices.snapshot = services.snapshot AND slices.namespace = services.namespace AND slices.service = services.name
LEFT JOIN (
  SELECT snapshot, uid, string_agg(json_as_text(port, 'targetPort'), ',') AS target_ports
  FROM (SELECT snapshot, uid, unnest(json_get_array(object, 'spec', 'ports')) AS port
        FROM objects WHERE "group" = '' AND resource = 'services')
  GROUP BY snapshot, uid
) AS targets
  ON targets.snapshot = services.snapshot AND targets.uid = services.uid
