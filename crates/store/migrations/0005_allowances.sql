-- How much of an hour's allowance is used, counted over all processes: a key's sign-ins, for one.
CREATE TABLE allowances (
    name TEXT NOT NULL PRIMARY KEY,
    hour BIGINT NOT NULL,
    used BIGINT NOT NULL
);
