-- title: the images that run, and in how many containers
-- parameter: namespace = '' : only this namespace; empty: all
-- column: snapshot : the snapshot
-- column: namespace : the namespace
-- column: image : the image
-- column: containers : number of containers
-- column: pods : one of their pods
SELECT snapshot, namespace, image, count(*) AS containers, min(pod) AS pods
FROM containers
WHERE $namespace = '' OR namespace = $namespace
GROUP BY snapshot, namespace, image
ORDER BY snapshot, namespace, image
