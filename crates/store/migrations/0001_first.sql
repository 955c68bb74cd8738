-- Columns are TEXT or BIGINT only: flags are 0 or 1, moments are microseconds since 1970 (`*_us`), amounts
-- are decimal text beside their currency, JSON is text. A record is named as `side/kind/id`.

-- The end of each chain; compared and set with every commit.
CREATE TABLE chains (
    chain TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);

CREATE TABLE entries (
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    actor TEXT NOT NULL,
    run_id TEXT,
    fact TEXT NOT NULL,
    flow TEXT,
    record TEXT,
    body TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (chain, seq)
);
CREATE INDEX entries_by_record ON entries (chain, record, seq) WHERE record IS NOT NULL;
CREATE INDEX entries_by_run ON entries (chain, run_id, seq) WHERE run_id IS NOT NULL;

-- The personal values of an entry, by their place in its body; both NULL once they are erased.
CREATE TABLE private_values (
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    salt TEXT,
    body TEXT,
    PRIMARY KEY (chain, seq)
);

-- The state: a fold of the entries.
CREATE TABLE items (
    connection TEXT NOT NULL,
    flow TEXT NOT NULL,
    record TEXT NOT NULL,
    state TEXT NOT NULL,
    code TEXT NOT NULL,
    cause TEXT NOT NULL,
    cause_group TEXT NOT NULL,
    waits_for TEXT,
    label TEXT NOT NULL,
    amount TEXT,
    currency TEXT,
    since_us BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (connection, flow, record)
);
CREATE INDEX items_by_state ON items (connection, state, flow, code, cause_group, since_us);
CREATE INDEX items_by_flow ON items (connection, flow, state);
CREATE INDEX items_by_wait ON items (connection, waits_for) WHERE waits_for IS NOT NULL;

CREATE TABLE links (
    connection TEXT NOT NULL,
    flow TEXT NOT NULL,
    record TEXT NOT NULL,
    role TEXT NOT NULL,
    target TEXT NOT NULL,
    event_key TEXT,
    how TEXT NOT NULL,
    applied TEXT,
    confirmed BIGINT NOT NULL,
    drift TEXT,
    seq BIGINT NOT NULL,
    PRIMARY KEY (connection, flow, record, role)
);
CREATE INDEX links_by_target ON links (connection, target);
CREATE INDEX links_by_record ON links (connection, record);

CREATE TABLE maps (
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    from_id TEXT NOT NULL,
    to_id TEXT,
    status TEXT NOT NULL,
    label_from TEXT NOT NULL,
    label_to TEXT NOT NULL,
    why TEXT NOT NULL,
    actor TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (connection, kind, from_id)
);

CREATE TABLE writes (
    connection TEXT NOT NULL,
    write_id BIGINT NOT NULL,
    flow TEXT NOT NULL,
    record TEXT NOT NULL,
    role TEXT NOT NULL,
    order_body TEXT NOT NULL,
    status TEXT NOT NULL,
    attempted_us BIGINT,
    attempts BIGINT NOT NULL,
    -- The entries of its attempts, each number with a comma before it.
    attempt_seqs TEXT NOT NULL,
    PRIMARY KEY (connection, write_id)
);
CREATE INDEX writes_by_record ON writes (connection, record);
CREATE INDEX writes_open ON writes (connection, write_id) WHERE status IN ('intended', 'attempted', 'unknown');

CREATE TABLE decisions (
    connection TEXT NOT NULL,
    flow TEXT NOT NULL,
    record TEXT NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (connection, flow, record)
);

CREATE TABLE runs (
    connection TEXT NOT NULL,
    run_id TEXT NOT NULL,
    set_off_by TEXT NOT NULL,
    flows TEXT NOT NULL,
    actor TEXT NOT NULL,
    started_us BIGINT NOT NULL,
    ended_us BIGINT,
    status TEXT NOT NULL,
    counts TEXT NOT NULL,
    calls TEXT NOT NULL,
    cause TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (connection, run_id)
);
CREATE INDEX runs_by_seq ON runs (connection, seq);

-- The mirror of both sides: a cache.
CREATE TABLE records (
    connection TEXT NOT NULL,
    record TEXT NOT NULL,
    side TEXT NOT NULL,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    created_us BIGINT,
    fingerprint TEXT NOT NULL,
    match_key TEXT NOT NULL,
    label TEXT NOT NULL,
    label_folded TEXT NOT NULL,
    alias_folded TEXT,
    vendor TEXT,
    amount TEXT,
    open_amount TEXT,
    currency TEXT,
    doc_date TEXT,
    external_id TEXT,
    marker TEXT,
    gone BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (connection, record)
);
CREATE INDEX records_by_kind ON records (connection, side, kind, record);
CREATE INDEX records_by_match ON records (connection, side, kind, match_key) WHERE match_key <> '';
CREATE INDEX records_by_label ON records (connection, label_folded);
CREATE INDEX records_by_alias ON records (connection, alias_folded) WHERE alias_folded IS NOT NULL;
CREATE INDEX records_by_external_id ON records (connection, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX records_by_marker ON records (connection, marker) WHERE marker IS NOT NULL;

CREATE TABLE marks (
    connection TEXT NOT NULL,
    side TEXT NOT NULL,
    kind TEXT NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (connection, side, kind)
);

CREATE TABLE due (
    connection TEXT NOT NULL,
    flow TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (connection, flow, record)
);

CREATE TABLE leases (
    connection TEXT NOT NULL PRIMARY KEY,
    fence BIGINT NOT NULL,
    holder TEXT NOT NULL,
    run_id TEXT,
    until_us BIGINT NOT NULL
);

-- What is sealed; the key is not here.
CREATE TABLE vault (
    name TEXT NOT NULL PRIMARY KEY,
    salt TEXT NOT NULL,
    sealed TEXT NOT NULL
);

CREATE TABLE credentials (
    name TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    version BIGINT NOT NULL,
    sealed TEXT NOT NULL,
    set_us BIGINT NOT NULL,
    set_by TEXT NOT NULL
);

CREATE TABLE kept (
    name TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    expires_us BIGINT
);
