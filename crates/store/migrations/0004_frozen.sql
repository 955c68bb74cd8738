-- What people signed, word for word, under its SHA-256. The entry that signs it names the hash.
CREATE TABLE frozen (
    connection TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (connection, sha256)
);

CREATE INDEX entries_signed ON entries (chain, seq) WHERE fact = 'signed';
