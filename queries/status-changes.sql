-- title: how the status of an object went
-- parameter: resource = 'pods' : the type
-- parameter: name = '' : only names that begin like this; empty: all
-- parameter: since = '' : only since then: a time, a length before now (5m), fault, baseline; empty: since the recording began
-- parameter: limit = '50' : at most so many changes, the last ones
-- column: snapshot : the snapshot
-- column: at : since when
-- column: name : name of the object
-- column: path : where in its status
-- column: before : what was there
-- column: after : what is there since
SELECT * FROM (
  SELECT snapshot, at, name, path, left(before, 120) AS before, left(after, 120) AS after
  FROM changes
  WHERE resource = $resource AND starts_with(name, $name) AND starts_with(path, 'status')
    AND at >= since(snapshot, $since)
  ORDER BY snapshot, changes.at DESC, name, path
  LIMIT CAST($limit AS BIGINT)
)
ORDER BY snapshot, at, name, path
