-- The tenants whose connections alone somebody sees: names with commas between, empty for everything.
ALTER TABLE users ADD COLUMN tenants TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN tenants TEXT NOT NULL DEFAULT '';

-- The chains whose history is being taken out. Empty but within the one transaction that does it: nothing of any other
-- chain can be deleted.
CREATE TABLE leaving (
    chain TEXT NOT NULL PRIMARY KEY
);
