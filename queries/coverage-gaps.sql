-- title: what was not recorded, or not all of it, and why
-- column: snapshot : the snapshot
-- column: table : the table
-- column: source : who was asked
-- column: scope : what of it
-- column: state : partial, missing or lost
-- column: from : from when
-- column: to : till when
-- column: reason : why
SELECT snapshot, "table", source, scope, state, "from", "to", reason
FROM coverage
WHERE state <> 'recorded'
ORDER BY snapshot, "table", source, scope, "from"
