-- What a service allows at once, shared out among the processes that call it: who holds how many and until when, and
-- who waits for some.
CREATE TABLE slots (
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    held BIGINT NOT NULL,
    wanted BIGINT NOT NULL,
    -- Since when it holds some, or waits for the first.
    since_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,
    PRIMARY KEY (name, holder)
);
CREATE INDEX slots_by_holder ON slots (holder);

-- Whoever shares out the slots of a name writes here first: one after the other.
CREATE TABLE slot_pools (
    name TEXT NOT NULL PRIMARY KEY,
    most BIGINT NOT NULL
);
