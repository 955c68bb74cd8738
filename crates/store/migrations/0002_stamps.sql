-- Grows whenever a record is made due again: who has looked at it takes off only what it had seen.
ALTER TABLE due ADD COLUMN stamp BIGINT NOT NULL DEFAULT 1;

-- What a connection must know from run to run besides its state. No part of the history.
CREATE TABLE remembered (
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (connection, name)
);
