-- title: when spans of each service began to fail, and with what
-- parameter: limit = '20' : at most so many services
-- column: snapshot : the snapshot
-- column: service : the service
-- column: first_error : start of its first failed span
-- column: ago : how long before now
-- column: errors : number of its failed spans
-- column: operation : what failed first
-- column: message : what was said of that
SELECT snapshot, service, start AS first_error, age(start, clock(snapshot)) AS ago, errors, operation, message
FROM (
  SELECT snapshot, service, start, operation, message,
         count(*) OVER (PARTITION BY snapshot, service) AS errors,
         row_number() OVER (PARTITION BY snapshot, service ORDER BY start, span_id) AS place
  FROM spans WHERE status = 'error'
)
WHERE place = 1
ORDER BY snapshot, first_error, service
LIMIT CAST($limit AS BIGINT)
