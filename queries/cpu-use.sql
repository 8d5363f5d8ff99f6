-- title: processor time that containers use, beside what they ask for, may have, and are throttled
-- parameter: since = '5m' : since then: a time, a length before now, fault, baseline
-- parameter: limit = '20' : at most so many containers
-- column: snapshot : the snapshot
-- column: namespace : namespace of the pod
-- column: pod : name of the pod
-- column: container : name of the container
-- column: cores : cores that it used on average
-- column: request : cores that it asks for
-- column: limit : cores that it may have
-- column: throttled_percent : share of its periods in which it was held back
SELECT used.snapshot, used.namespace, used.pod, used.container, round(cores, 3) AS cores,
       cpu_request AS request, cpu_limit AS limit, round(100 * throttled / nullif(periods, 0), 1) AS throttled_percent
FROM (
  SELECT snapshot, namespace, pod, container,
         sum(CASE WHEN name = 'container_cpu_usage_seconds_total' THEN increase END)
           / sum(CASE WHEN name = 'container_cpu_usage_seconds_total' THEN seconds END) AS cores,
         sum(CASE WHEN name = 'container_cpu_cfs_throttled_periods_total' THEN increase END) AS throttled,
         sum(CASE WHEN name = 'container_cpu_cfs_periods_total' THEN increase END) AS periods
  FROM rates
  WHERE name IN ('container_cpu_usage_seconds_total', 'container_cpu_cfs_throttled_periods_total', 'container_cpu_cfs_periods_total')
    AND container <> '' AND timestamp >= since(snapshot, $since)
  GROUP BY snapshot, namespace, pod, container
) AS used
LEFT JOIN containers ON containers.snapshot = used.snapshot AND containers.namespace = used.namespace
  AND containers.pod = used.pod AND containers.container = used.container
ORDER BY snapshot, cores DESC NULLS LAST, pod, container
LIMIT CAST($limit AS BIGINT)
