-- title: calls from one service to another that had ended by now
-- column: snapshot : the snapshot
-- column: trace_id : the trace
-- column: caller : the calling service; (outside) for requests from outside
-- column: callee : the called service, or the address of what recorded no span of its own
-- column: operation : what was called
-- column: start : when the call began
-- column: end : when it ended (write "end")
-- column: duration_ms : how long it took, in milliseconds
-- column: status : error, ok or unset
-- column: message : what was said of the status
-- Calls that the called service recorded.
SELECT child.snapshot, child.trace_id, coalesce(parent.service, '(outside)') AS caller, child.service AS callee,
       child.operation, child.start, child."end", child.duration_ms, child.status, child.message
FROM spans AS child
LEFT JOIN spans AS parent ON parent.snapshot = child.snapshot
  AND parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id
WHERE parent.service IS NULL OR parent.service <> child.service
UNION ALL
-- Calls that only the caller recorded: stores, and services that could not be reached.
SELECT caller.snapshot, caller.trace_id, caller.service,
       coalesce(attribute(caller.attributes, 'peer.service'), attribute(caller.attributes, 'server.address'),
                attribute(caller.attributes, 'net.peer.name'), attribute(caller.attributes, 'db.system'),
                '(' || caller.operation || ')'),
       caller.operation, caller.start, caller."end", caller.duration_ms, caller.status, caller.message
FROM spans AS caller
LEFT ANTI JOIN spans AS child ON child.snapshot = caller.snapshot
  AND child.trace_id = caller.trace_id AND child.parent_span_id = caller.span_id
WHERE caller.kind = 'client'
