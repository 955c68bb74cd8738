-- When the next turn of calls that are spaced evenly is free, over all processes: a service that takes so many a
-- second, for one.
CREATE TABLE turns (
    name TEXT NOT NULL PRIMARY KEY,
    next_us BIGINT NOT NULL
);
