-- The processes that serve: a life of each, for as long as it says that it is there.
CREATE TABLE nodes (
    holder TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    store_schema BIGINT NOT NULL,
    runs BIGINT NOT NULL,
    since_us BIGINT NOT NULL,
    beat_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL
);

-- The nodes that are to begin nothing new, by name: also after they have started again.
CREATE TABLE drains (
    name TEXT NOT NULL PRIMARY KEY,
    by_whom TEXT NOT NULL,
    at_us BIGINT NOT NULL
);

-- What is done once over all nodes: who began with it last, for which tick, and whether it has ended.
CREATE TABLE claims (
    what TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    due_us BIGINT NOT NULL,
    started_us BIGINT NOT NULL,
    ended_us BIGINT
);
CREATE INDEX claims_open ON claims (holder) WHERE ended_us IS NULL;
