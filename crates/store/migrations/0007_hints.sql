-- What services told without being asked: something of a connection may have changed. No content is kept; an event's id
-- is, so that one that comes again does nothing.
CREATE TABLE hints (
    connection TEXT NOT NULL,
    system TEXT NOT NULL,
    event TEXT NOT NULL,
    record TEXT NOT NULL,
    received_us BIGINT NOT NULL,
    heeded_us BIGINT,
    PRIMARY KEY (connection, system, event)
);
CREATE INDEX hints_unheeded ON hints (connection, received_us) WHERE heeded_us IS NULL;
