-- What the face keeps: answers that are given again to who asks twice, and what is to be told to others.

-- An answer of the API under its idempotency key; without a status while the first request is at work.
CREATE TABLE answers (
    asker TEXT NOT NULL,
    answer_key TEXT NOT NULL,
    request TEXT NOT NULL,
    asked_us BIGINT NOT NULL,
    status BIGINT,
    media_type TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (asker, answer_key)
);
CREATE INDEX answers_by_age ON answers (asked_us);

-- Up to which entry of a chain others have been told, and what they know to be open.
CREATE TABLE heard (
    chain TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    open_causes TEXT NOT NULL
);

-- What is to be sent, once: the name says what it is about, so that it is never put in twice.
CREATE TABLE outbox (
    name TEXT NOT NULL PRIMARY KEY,
    way TEXT NOT NULL,
    target TEXT NOT NULL,
    body TEXT NOT NULL,
    made_us BIGINT NOT NULL,
    due_us BIGINT,
    tries BIGINT NOT NULL,
    cause TEXT NOT NULL
);
CREATE INDEX outbox_by_due ON outbox (due_us);
