-- title: spans that had ended by now (those of all time: raw.spans)
-- column: snapshot : the snapshot
-- column: trace_id : the trace
-- column: span_id : the span
-- column: parent_span_id : the span that it is a part of; null for the first of a trace
-- column: service : who recorded it
-- column: operation : what was done
-- column: kind : client, server, internal, producer or consumer
-- column: start : when it began
-- column: end : when it ended (write "end")
-- column: duration_ms : how long it took, in milliseconds
-- column: status : error, ok or unset
-- column: message : what was said of the status
-- column: attributes : JSON; attribute(attributes, 'http.route') gives the value of one
-- column: resource : JSON: the process that recorded it, in the same form
-- column: scope : JSON: the library that recorded it
-- column: events : JSON
-- column: links : JSON
-- column: flags : flags of the trace context
-- column: warnings : what the tracing system found odd
-- column: source : who kept it
SELECT snapshot, trace_id, span_id, parent_span_id, service, operation, kind, start, "end",
       (CAST("end" AS BIGINT) - CAST(start AS BIGINT)) / 1e6 AS duration_ms,
       status, message, attributes, resource, scope, events, links, flags, warnings, source
FROM raw.spans
WHERE "end" <= clock(snapshot)
