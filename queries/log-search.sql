-- title: log lines that hold a text, the last ones
-- parameter: text = 'error' : the text, in any case
-- parameter: service = '' : only this service; empty: all
-- parameter: limit = '20' : at most so many lines
-- column: snapshot : the snapshot
-- column: timestamp : when it was written
-- column: pod : name of the pod
-- column: message : the line
SELECT * FROM (
  SELECT snapshot, timestamp, pod, message
  FROM logs
  WHERE strpos(lower(message), lower($text)) > 0 AND ($service = '' OR service = $service)
  ORDER BY timestamp DESC, pod, message
  LIMIT CAST($limit AS BIGINT)
)
ORDER BY snapshot, timestamp, pod, message
