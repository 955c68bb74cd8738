-- What stops remote writes: of one connection, or, under the installation's name, of all. A fold of the entries.
CREATE TABLE stops (
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (connection, kind)
);

-- A vendor whose link is lost is found again through its bills.
CREATE INDEX records_by_vendor ON records (connection, vendor) WHERE vendor IS NOT NULL;
