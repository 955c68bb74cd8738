-- What is asked of all connections at once, or of one that has years behind it: of many thousands only what waits, and
-- what came last.
CREATE INDEX items_waiting ON items (connection, state, flow, code, cause_group, since_us)
    WHERE state IN ('BLOCKED', 'CONFLICT', 'ORPHAN');
CREATE INDEX runs_ended ON runs (connection, seq, status) WHERE ended_us IS NOT NULL;
CREATE INDEX runs_by_start ON runs (connection, started_us, status);
CREATE INDEX writes_applied ON writes (connection, attempted_us) WHERE status = 'applied';
CREATE INDEX remembered_by_name ON remembered (name, connection);
