-- Until when somebody is a user at all: support, an auditor. A fold of the installation's entries.
ALTER TABLE users ADD COLUMN until_us BIGINT;

-- Sign-ins by an identity provider that came to their end: each one once.
CREATE TABLE finished_sign_ins (
    state TEXT NOT NULL PRIMARY KEY,
    at_us BIGINT NOT NULL
);
CREATE INDEX finished_sign_ins_by_age ON finished_sign_ins (at_us);

-- When something last happened that leaves no entry: a backup, the use of a credential.
CREATE TABLE moments (
    name TEXT NOT NULL PRIMARY KEY,
    at_us BIGINT NOT NULL
);
