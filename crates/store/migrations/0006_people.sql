-- Who may do what. A fold of the installation's entries, apart from the last two columns of users and tokens:
-- what proves who somebody is never enters the history.
CREATE TABLE users (
    chain TEXT NOT NULL,
    name TEXT NOT NULL,
    display TEXT NOT NULL,
    mail TEXT NOT NULL,
    role TEXT NOT NULL,
    subject TEXT,
    disabled BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    password TEXT,
    signed_in_us BIGINT,
    PRIMARY KEY (chain, name)
);
CREATE INDEX users_by_subject ON users (chain, subject) WHERE subject IS NOT NULL;

CREATE TABLE tokens (
    chain TEXT NOT NULL,
    name TEXT NOT NULL,
    user_name TEXT NOT NULL,
    scope TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT,
    seq BIGINT NOT NULL,
    secret_hash TEXT,
    used_us BIGINT,
    PRIMARY KEY (chain, name)
);
CREATE INDEX tokens_by_secret ON tokens (secret_hash) WHERE secret_hash IS NOT NULL;

-- Who is signed in. Of the secret that the browser holds, only the hash.
CREATE TABLE sessions (
    secret_hash TEXT NOT NULL PRIMARY KEY,
    user_name TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    seen_us BIGINT NOT NULL,
    source TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_name);

-- Sign-ins that failed, counted for each user and for each source.
CREATE TABLE attempts (
    name TEXT NOT NULL PRIMARY KEY,
    failed BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL
);

-- What one person asked for and another must approve. A fold of the entries.
CREATE TABLE approvals (
    connection TEXT NOT NULL,
    request BIGINT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    proposal TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_us BIGINT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    decided_by TEXT,
    decided_us BIGINT,
    decision_reason TEXT,
    seq BIGINT NOT NULL,
    PRIMARY KEY (connection, request)
);
CREATE INDEX approvals_open ON approvals (connection, what, subject) WHERE status = 'open';
