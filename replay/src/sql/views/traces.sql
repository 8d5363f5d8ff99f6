-- title: the spans as an agent's query_sql shows them
-- column: snapshot : the snapshot
-- column: start : when the span began
-- column: trace_id : the trace
-- column: span_id : the span
-- column: parent_span_id : the span that it is a part of
-- column: service : who recorded it
-- column: operation : what was done
-- column: kind : client, server, internal, producer or consumer
-- column: status : error, ok or unset
-- column: message : what was said of the status
-- column: duration_ms : how long it took, in milliseconds
-- column: attributes : JSON
-- column: resource : JSON
-- column: events : JSON
SELECT snapshot, start, trace_id, span_id, parent_span_id, service, operation, kind, status, message,
       duration_ms, attributes, resource, events
FROM spans
