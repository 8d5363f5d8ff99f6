-- title: Services whose target port no container of the pods behind them declares
-- parameter: namespace = '' : only this namespace; empty: all
-- parameter: label = 'app.kubernetes.io/name' : the label that tells which pods are behind a Service
-- column: snapshot : the snapshot
-- column: namespace : the namespace
-- column: service : the Service
-- column: target_port : where it sends requests
-- column: pods : the pods behind it
-- column: declared : the ports that the first container of one of them declares
WITH ports AS (
  SELECT snapshot, namespace, name, json_get_str(selector, $label) AS app, json_as_text(port, 'targetPort') AS target_port
  FROM (SELECT snapshot, namespace, name, json_get_json(object, 'spec', 'selector') AS selector,
               unnest(json_get_array(object, 'spec', 'ports')) AS port
        FROM objects WHERE "group" = '' AND resource = 'services')
),
behind AS (
  SELECT snapshot, namespace, json_get_str(object, 'metadata', 'labels', $label) AS app,
         json_get_json(object, 'spec', 'containers') AS containers
  FROM objects WHERE "group" = '' AND resource = 'pods'
)
SELECT ports.snapshot, ports.namespace, name AS service, target_port, count(*) AS pods,
       min(json_get_json(containers, 0, 'ports')) AS declared
FROM ports JOIN behind ON behind.snapshot = ports.snapshot AND behind.namespace = ports.namespace AND behind.app = ports.app
WHERE regexp_like(target_port, '^[0-9]+$') AND ($namespace = '' OR ports.namespace = $namespace)
GROUP BY ports.snapshot, ports.namespace, name, target_port
HAVING NOT bool_or(regexp_like(containers, '"containerPort":' || target_port || '[,}]'))
ORDER BY snapshot, namespace, service, target_port
