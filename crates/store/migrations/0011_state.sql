-- What is known of the database itself: the oldest schema whose programs may open it (`oldest`), and whether it is a
-- copy that has not come to its end (`copying`).
CREATE TABLE store_state (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
