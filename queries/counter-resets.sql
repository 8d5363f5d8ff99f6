-- title: counters that began again from zero, by pod: a process that restarted
-- column: snapshot : the snapshot
-- column: namespace : the namespace
-- column: pod : the pod
-- column: container : the container
-- column: reset : when that was first seen
-- column: counters : number of its counters that began again
-- column: example : one of them
SELECT snapshot, namespace, pod, container, min(timestamp) AS reset, count(DISTINCT series_id) AS counters, min(name) AS example
FROM rates
WHERE reset
GROUP BY snapshot, namespace, pod, container
ORDER BY snapshot, reset, pod, container
