-- title: the kinds of log lines that were written by now
-- column: snapshot : the snapshot
-- column: namespace : namespace of the pods
-- column: service : the service that wrote them
-- column: container : the container that wrote them
-- column: template : the line with * for what differs: template(message)
-- column: lines : number of lines
-- column: first_seen : the first of them
-- column: last_seen : the last of them
-- column: example : one of them
SELECT snapshot, namespace, service, container, template, count(*) AS lines,
       min(timestamp) AS first_seen, max(timestamp) AS last_seen, min(message) AS example
FROM (SELECT snapshot, namespace, service, container, template(message) AS template, timestamp, message FROM logs)
GROUP BY snapshot, namespace, service, container, template
