//! The statements themselves.

use std::sync::Arc;

use super::{IDS, In, ROWS, Rows};
use crate::dialect::Dialect;

macro_rules! statements {
    ($($name:ident = $text:expr;)*) => {
        $(pub(crate) const $name: &str = $text;)*
        const FIXED: &[&str] = &[$($text),*];
    };
}

macro_rules! rows {
    ($($name:ident = $head:expr, $width:expr, $tail:expr;)*) => {
        $(pub(crate) static $name: Rows = Rows::new($head, $width, $tail);)*
        static ROW_STATEMENTS: &[&Rows] = &[$(&$name),*];
    };
}

macro_rules! lookups {
    ($($name:ident = $head:expr, $fixed:expr, $tail:expr;)*) => {
        $(pub(crate) static $name: In = In::new($head, $fixed, $tail);)*
        static ID_STATEMENTS: &[&In] = &[$(&$name),*];
    };
}

/// Every statement in every size: what a test prepares on the database at hand.
pub(crate) fn all(dialect: Dialect) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = FIXED.iter().map(|text| Arc::from(*text)).collect();
    for rows in ROW_STATEMENTS {
        all.extend((0..ROWS.len()).map(|size| rows.text(dialect, size)));
    }
    for lookup in ID_STATEMENTS {
        all.extend((0..IDS.len()).map(|size| lookup.text(dialect, size)));
    }
    all
}

macro_rules! entry_columns {
    () => {
        "SELECT e.seq, e.at_us, e.actor, e.run_id, e.record, e.body, e.hash, e.fact, e.flow, \
         p.seq, p.salt, p.body FROM entries e \
         LEFT JOIN private_values p ON p.chain = e.chain AND p.seq = e.seq WHERE "
    };
}

/// The items that wait for a person, whose-ever; word for word what the index over them has.
macro_rules! waiting_items {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM items WHERE state IN ('BLOCKED', 'CONFLICT', 'ORPHAN')"
        )
    };
}

macro_rules! waiting_columns {
    () => {
        waiting_items!(
            "flow, record, state, code, cause, cause_group, waits_for, label, amount, currency, \
             since_us, at_us, seq, connection"
        )
    };
}

macro_rules! held_columns {
    () => {
        "SELECT flow, record, state, code, cause, cause_group, waits_for, label, amount, currency, \
         since_us, at_us, seq, connection FROM items WHERE state = 'HOLD'"
    };
}

/// The order in which exceptions of many connections are gathered.
macro_rules! by_cause {
    () => {
        " ORDER BY connection, state, flow, code, cause_group, since_us"
    };
}

/// How the last run of each connection ended.
macro_rules! last_ends {
    () => {
        "SELECT c.chain, (SELECT r.status FROM runs r WHERE r.connection = c.chain AND r.ended_us IS NOT NULL \
         ORDER BY r.seq DESC LIMIT 1) FROM chains c"
    };
}

macro_rules! item_columns {
    () => {
        "SELECT flow, record, state, code, cause, cause_group, waits_for, label, amount, currency, \
         since_us, at_us, seq FROM items WHERE connection = $1"
    };
}

macro_rules! link_columns {
    () => {
        "SELECT flow, record, role, target, event_key, how, applied, confirmed, drift, seq \
         FROM links WHERE connection = $1 AND "
    };
}

macro_rules! record_columns {
    () => {
        "SELECT record, version, created_us, fingerprint, match_key, gone, document \
         FROM records WHERE connection = $1 AND "
    };
}

/// A document of the ledger with what bears its mark on the platform.
macro_rules! marked_columns {
    () => {
        "SELECT l.vendor, l.record, p.vendor, p.record, p.currency "
    };
}

macro_rules! write_columns {
    () => {
        "SELECT write_id, flow, record, role, order_body, status, attempted_us, attempts, \
         attempt_seqs FROM writes WHERE connection = $1 AND "
    };
}

/// What is due already is due once more: see `Settled`. (SQLite would take `ON` after a bare `SELECT … FROM`
/// for a join's; all of these have a `WHERE`.)
macro_rules! due_again {
    () => {
        " ON CONFLICT (connection, flow, record) DO UPDATE SET stamp = due.stamp + 1"
    };
}

macro_rules! run_columns {
    () => {
        "SELECT r.run_id, r.set_off_by, r.flows, r.actor, r.started_us, r.ended_us, r.status, r.counts, \
         r.calls, r.cause, CAST(CASE WHEN EXISTS (SELECT 1 FROM entries e WHERE e.chain = r.connection AND e.seq = r.seq AND \
         e.body LIKE '%\"limited\":true%') THEN 1 ELSE 0 END AS BIGINT)"
    };
}

/// The runs of a connection.
macro_rules! its_runs {
    () => {
        concat!(run_columns!(), " FROM runs r WHERE r.connection = $1")
    };
}

/// A user, with whether they have a password in the place of it.
macro_rules! user_columns {
    () => {
        "SELECT u.name, u.display, u.mail, u.role, u.subject, u.disabled, u.created_us, \
         CAST(CASE WHEN u.password IS NULL THEN 0 ELSE 1 END AS BIGINT), u.signed_in_us, u.until_us, u.tenants"
    };
}

macro_rules! approval_columns {
    () => {
        "SELECT request, what, subject, proposal, asked_by, asked_us, reason, status, decided_by, \
         decided_us, decision_reason FROM approvals WHERE connection = $1"
    };
}

/// The beginning of every statement on entries that is put together from a filter.
pub(crate) const ENTRIES_HEAD: &str = concat!(entry_columns!(), "e.chain = $1");

/// The beginning of every statement on items that is put together from a filter.
pub(crate) const ITEMS_HEAD: &str = item_columns!();

statements! {
    STORE_STATE = "SELECT value FROM store_state WHERE name = $1";
    STORE_STATE_SET = "INSERT INTO store_state (name, value) VALUES ($1, $2) \
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    STORE_STATE_DROP = "DELETE FROM store_state WHERE name = $1";

    CHAIN_HEAD = "SELECT seq, hash FROM chains WHERE chain = $1";
    CHAIN_START = "INSERT INTO chains (chain, seq, hash) VALUES ($1, 0, '') ON CONFLICT (chain) DO NOTHING";
    CHAIN_MOVE = "UPDATE chains SET seq = $1, hash = $2 WHERE chain = $3 AND seq = $4 AND hash = $5";
    CHAINS = "SELECT chain, seq, hash FROM chains ORDER BY chain";

    ENTRIES_ALL = concat!(entry_columns!(), "e.chain = $1 ORDER BY e.seq");
    ENTRIES_AFTER = concat!(entry_columns!(), "e.chain = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3");
    ENTRIES_SIGNED = concat!(entry_columns!(), "e.chain = $1 AND e.fact = 'signed' ORDER BY e.seq");
    FROZEN_PUT = "INSERT INTO frozen (connection, sha256, body) VALUES ($1, $2, $3) \
                  ON CONFLICT (connection, sha256) DO NOTHING";
    FROZEN_GET = "SELECT body FROM frozen WHERE connection = $1 AND sha256 = $2";
    ENTRIES_OF_FACT = concat!(
        entry_columns!(),
        "e.chain = $1 AND e.fact = $2 AND e.seq > $3 ORDER BY e.seq LIMIT $4"
    );
    ENTRIES_OF_RUN = concat!(
        entry_columns!(),
        "e.chain = $1 AND e.run_id = $2 AND e.seq > $3 ORDER BY e.seq LIMIT $4"
    );

    RUN_END = "UPDATE runs SET ended_us = $1, status = $2, counts = $3, calls = $4, cause = $5 \
               WHERE connection = $6 AND run_id = $7";
    RUNS = concat!(its_runs!(), " ORDER BY r.seq DESC LIMIT $2");
    RUNS_BEFORE = concat!(
        its_runs!(),
        " AND r.seq < (SELECT b.seq FROM runs b WHERE b.connection = $1 AND b.run_id = $2) ORDER BY r.seq DESC LIMIT $3"
    );
    RUN = concat!(its_runs!(), " AND r.run_id = $2");
    RUN_TALLY = "SELECT started_us / 900000000, status, COUNT(*) FROM runs \
                 WHERE connection = $1 AND started_us >= $2 GROUP BY started_us / 900000000, status";
    WRITE_TALLY = "SELECT attempted_us / 900000000, status, COUNT(*) FROM writes \
                   WHERE connection = $1 AND attempted_us >= $2 AND status = 'applied' \
                   GROUP BY attempted_us / 900000000, status";

    LINK_CONFIRM = "UPDATE links SET confirmed = 1, drift = NULL, seq = $1 \
                    WHERE connection = $2 AND flow = $3 AND record = $4 AND role = $5";
    LINK_DRIFT = "UPDATE links SET confirmed = 0, drift = $1, seq = $2 \
                  WHERE connection = $3 AND flow = $4 AND record = $5 AND role = $6";
    LINK_DROP = "DELETE FROM links WHERE connection = $1 AND flow = $2 AND record = $3 AND role = $4";
    LINKS_PAGE = concat!(link_columns!(), "flow = $2 AND (record, role) > ($3, $4) ORDER BY record, role LIMIT $5");

    ITEM_DROP = "DELETE FROM items WHERE connection = $1 AND flow = $2 AND record = $3";
    ITEM_COUNTS = "SELECT flow, state, COUNT(*) FROM items WHERE connection = $1 GROUP BY state, flow";
    EXCEPTIONS = concat!(
        item_columns!(),
        " AND state IN ('BLOCKED', 'CONFLICT', 'ORPHAN') ORDER BY state, flow, code, cause_group, since_us"
    );
    HOLDS = concat!(item_columns!(), " AND state = 'HOLD' ORDER BY state, flow, code, cause_group, since_us");

    MAPS = "SELECT kind, from_id, to_id, status, label_from, label_to, why, actor, at_us, seq \
            FROM maps WHERE connection = $1 ORDER BY kind, from_id";
    OPEN_WRITES = concat!(
        write_columns!(),
        "status IN ('intended', 'attempted', 'unknown') ORDER BY write_id"
    );
    DECISIONS_IN = "SELECT flow, record, decision, reason, actor, at_us, seq FROM decisions \
                    WHERE connection = $1 AND flow = $2 ORDER BY record";
    DECISION_DROP = "DELETE FROM decisions WHERE connection = $1 AND flow = $2 AND record = $3";

    RECORDS_PAGE = concat!(
        record_columns!(),
        "record > $2 AND record < $3 ORDER BY record LIMIT $4"
    );
    RECORDS_LABELLED = concat!(record_columns!(), "label_folded = $2 ORDER BY record LIMIT $3");
    RECORDS_ALIASED = concat!(record_columns!(), "alias_folded = $2 ORDER BY record LIMIT $3");
    RECORDS_EXTERNAL = concat!(record_columns!(), "external_id = $2 ORDER BY record LIMIT $3");
    RECORDS_MARKED = concat!(record_columns!(), "marker = $2 ORDER BY record LIMIT $3");
    RECORDS_PREFIXED = concat!(
        record_columns!(),
        "label_folded >= $2 AND label_folded < $3 ORDER BY label_folded, record LIMIT $4"
    );
    RECORD_TOTALS = "SELECT currency, amount, open_amount FROM records \
                     WHERE connection = $1 AND record > $2 AND record < $3 AND gone = 0";
    RECORD_BLANK = "UPDATE records SET label = $1, label_folded = $2, alias_folded = NULL, match_key = '', \
                    document = $3 WHERE connection = $4 AND record = $5";

    MARK = "SELECT mark FROM marks WHERE connection = $1 AND side = $2 AND kind = $3";
    DUE_PAGE = "SELECT record, stamp FROM due WHERE connection = $1 AND flow = $2 AND record > $3 \
                ORDER BY record LIMIT $4";
    DUE_COUNT = "SELECT COUNT(*) FROM due WHERE connection = $1 AND flow = $2";
    DUE_ITEMS = concat!(
        "INSERT INTO due (connection, flow, record) SELECT connection, flow, record FROM items \
         WHERE connection = $1 AND flow = $2",
        due_again!()
    );
    HOLD_CODES = "SELECT DISTINCT code FROM items \
                  WHERE connection = $1 AND state = 'HOLD' AND flow = $2 ORDER BY code";
    DUE_HOLDS = concat!(
        "INSERT INTO due (connection, flow, record) SELECT connection, flow, record FROM items \
         WHERE connection = $1 AND flow = $2 AND state = 'HOLD' AND waits_for IS NULL AND code = $3",
        due_again!()
    );
    DUE_WAITS = concat!(
        "INSERT INTO due (connection, flow, record) SELECT connection, flow, record FROM items \
         WHERE connection = $1 AND flow = $2 AND state = 'HOLD' AND waits_for IS NOT NULL",
        due_again!()
    );
    DUE_RECORDS = concat!(
        "INSERT INTO due (connection, flow, record) SELECT connection, $1, record FROM records \
         WHERE connection = $2 AND record > $3 AND record < $4 AND gone = 0",
        due_again!()
    );
    REMEMBERED = "SELECT value FROM remembered WHERE connection = $1 AND name = $2";
    REMEMBERED_BY_ALL = "SELECT connection, value FROM remembered WHERE name = $1 AND value <> '' ORDER BY connection";

    LEASE = "SELECT fence, holder, run_id, until_us FROM leases WHERE connection = $1";
    LEASE_AND_STOPS = "SELECT fence, (SELECT COUNT(*) FROM stops s WHERE s.connection = $1 OR s.connection = $2) \
                       FROM leases WHERE connection = $1";
    LEASES_GOOD = "SELECT connection, holder FROM leases WHERE until_us > $1 ORDER BY connection LIMIT 1";
    LEASE_TAKE = "INSERT INTO leases (connection, fence, holder, run_id, until_us) VALUES ($1, $2, $3, NULL, $4) \
                  ON CONFLICT (connection) DO UPDATE SET fence = excluded.fence, holder = excluded.holder, \
                  run_id = excluded.run_id, until_us = excluded.until_us WHERE leases.fence < excluded.fence";
    LEASE_EXTEND = "UPDATE leases SET until_us = $1 WHERE connection = $2 AND fence = $3";
    LEASE_RUN = "UPDATE leases SET run_id = $1 WHERE connection = $2 AND fence = $3";

    HEARD = "SELECT seq, open_causes FROM heard WHERE chain = $1";
    HEARD_BEGIN = "INSERT INTO heard (chain, seq, open_causes) VALUES ($1, $2, $3) \
                   ON CONFLICT (chain) DO NOTHING";
    HEARD_MOVE = "UPDATE heard SET seq = $4, open_causes = $5 \
                  WHERE chain = $1 AND seq = $2 AND open_causes = $3";
    OUTBOX_PUT = "INSERT INTO outbox (name, way, target, body, made_us, due_us, tries, cause) \
                  VALUES ($1, $2, $3, $4, $5, $5, 0, '') ON CONFLICT (name) DO NOTHING";
    OUTBOX_DUE = "SELECT name, way, target, body, made_us, due_us, tries FROM outbox \
                  WHERE due_us <= $1 ORDER BY due_us, name LIMIT $2";
    OUTBOX_TAKE = "UPDATE outbox SET due_us = $3, tries = tries + 1 WHERE name = $1 AND due_us = $2";
    OUTBOX_SENT = "UPDATE outbox SET due_us = NULL, body = '', cause = '' WHERE name = $1";
    OUTBOX_FAILED = "UPDATE outbox SET due_us = $2, cause = $3 WHERE name = $1";
    OUTBOX_AGED = "DELETE FROM outbox WHERE due_us IS NULL AND made_us < $1";
    OUTBOX_COUNTS = "SELECT CAST(COUNT(due_us) AS BIGINT), \
                     CAST(COUNT(CASE WHEN due_us IS NULL AND cause <> '' THEN 1 END) AS BIGINT) FROM outbox";

    ANSWERS_AGED = "DELETE FROM answers WHERE asked_us < $1 OR (status IS NULL AND asked_us < $2)";
    ANSWER_BEGIN = "INSERT INTO answers (asker, answer_key, request, asked_us, status, media_type, body) \
                    VALUES ($1, $2, $3, $4, NULL, '', '') ON CONFLICT (asker, answer_key) DO NOTHING";
    ANSWER = "SELECT request, status, media_type, body FROM answers WHERE asker = $1 AND answer_key = $2";
    ANSWER_GIVE = "UPDATE answers SET status = $3, media_type = $4, body = $5 \
                   WHERE asker = $1 AND answer_key = $2";
    ANSWER_DROP = "DELETE FROM answers WHERE asker = $1 AND answer_key = $2 AND status IS NULL";

    // Of many connections at once.
    STOPS_OF_ALL = "SELECT connection, kind, reason, actor, at_us, seq FROM stops ORDER BY at_us, connection, kind";
    RUNNING = "SELECT connection FROM leases WHERE run_id IS NOT NULL AND until_us > $1";
    WAITING_OF_ALL = concat!(waiting_items!("connection, COUNT(*)"), " GROUP BY connection");
    LAST_ENDS_OF_ALL = last_ends!();
    EXCEPTIONS_OF_ALL = concat!(waiting_columns!(), by_cause!());
    HOLDS_OF_ALL = concat!(held_columns!(), by_cause!());
    REMEMBERED_LACKING = "SELECT connection FROM remembered WHERE name = $1 AND value NOT LIKE $2";
    HEARD_OF_ALL = "SELECT h.chain, h.seq, COALESCE(c.seq, 0) FROM heard h LEFT JOIN chains c ON c.chain = h.chain";

    STOPS = "SELECT connection, kind, reason, actor, at_us, seq FROM stops \
             WHERE connection = $1 OR connection = $2 ORDER BY at_us, connection, kind";
    STOP_DROP = "DELETE FROM stops WHERE connection = $1 AND kind = $2";
    ENTRY_HASH = "SELECT hash FROM entries WHERE chain = $1 AND seq = $2";
    ENTRY_BEFORE = "SELECT COALESCE(MAX(seq), 0) FROM entries WHERE chain = $1 AND at_us < $2";

    VAULT = "SELECT salt, sealed FROM vault WHERE name = $1";
    VAULT_START = "INSERT INTO vault (name, salt, sealed) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    VAULT_SET = "UPDATE vault SET salt = $1, sealed = $2 WHERE name = $3";
    VAULT_HOLD = "UPDATE vault SET salt = salt WHERE name = $1 RETURNING salt, sealed";
    CREDENTIAL = "SELECT name, kind, version, set_us, set_by, sealed FROM credentials WHERE name = $1";
    CREDENTIALS = "SELECT name, kind, version, set_us, set_by, sealed FROM credentials ORDER BY name";
    CREDENTIAL_SET = "INSERT INTO credentials (name, kind, version, sealed, set_us, set_by) \
                      VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, \
                      version = excluded.version, sealed = excluded.sealed, set_us = excluded.set_us, \
                      set_by = excluded.set_by";
    CREDENTIAL_RESEAL = "UPDATE credentials SET sealed = $1 WHERE name = $2";
    CREDENTIAL_DROP = "DELETE FROM credentials WHERE name = $1";
    KEPT = "SELECT sealed, expires_us FROM kept WHERE name = $1";
    KEPT_SET = "INSERT INTO kept (name, sealed, expires_us) VALUES ($1, $2, $3) ON CONFLICT (name) \
                DO UPDATE SET sealed = excluded.sealed, expires_us = excluded.expires_us";
    KEPT_DROP = "DELETE FROM kept WHERE name = $1";
    KEPT_ALL = "SELECT name, sealed FROM kept ORDER BY name";
    KEPT_RESEAL = "UPDATE kept SET sealed = $1 WHERE name = $2";

    ALLOWANCE_TAKE_SOME = "INSERT INTO allowances (name, hour, used) VALUES ($1, $2, $3) \
                           ON CONFLICT (name) DO UPDATE SET \
                           used = CASE WHEN excluded.hour > allowances.hour OR allowances.hour > excluded.hour + 1 THEN $3 \
                           WHEN allowances.used + $3 > $4 THEN $4 ELSE allowances.used + $3 END, \
                           hour = CASE WHEN excluded.hour > allowances.hour OR allowances.hour > excluded.hour + 1 \
                           THEN excluded.hour ELSE allowances.hour END \
                           RETURNING used, hour";
    ALLOWANCE_GIVE_BACK = "UPDATE allowances SET used = CASE WHEN used > $3 THEN used - $3 ELSE 0 END \
                           WHERE name = $1 AND hour = $2";
    SLOT_POOL = "INSERT INTO slot_pools (name, most) VALUES ($1, $2) \
                 ON CONFLICT (name) DO UPDATE SET most = excluded.most";
    SLOTS = "SELECT holder, held, wanted, since_us, until_us FROM slots WHERE name = $1 ORDER BY holder";
    SLOTS_PUT = "INSERT INTO slots (name, holder, held, wanted, since_us, until_us) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (name, holder) DO UPDATE SET held = excluded.held, wanted = excluded.wanted, \
                 since_us = excluded.since_us, until_us = excluded.until_us";
    SLOTS_DROP = "DELETE FROM slots WHERE name = $1 AND holder = $2";
    SLOTS_WAITED_FOR = "SELECT holder FROM slots WHERE name = $1 AND holder <> $2 AND wanted > held \
                        AND until_us > $3 LIMIT 1";
    NODE_PUT = "INSERT INTO nodes (holder, name, version, store_schema, runs, since_us, beat_us, until_us) \
                VALUES ($1, $2, $3, $4, $5, $6, $6, $7) \
                ON CONFLICT (holder) DO UPDATE SET runs = excluded.runs, beat_us = excluded.beat_us, \
                until_us = excluded.until_us";
    NODES = "SELECT n.holder, n.name, n.version, n.store_schema, n.runs, n.since_us, n.beat_us, n.until_us, \
             d.by_whom, d.at_us FROM nodes n LEFT JOIN drains d ON d.name = n.name ORDER BY n.name, n.since_us";
    NODE_UNTIL = "SELECT until_us FROM nodes WHERE holder = $1";
    NODE_DROP = "DELETE FROM nodes WHERE holder = $1";
    NODES_AGED = "DELETE FROM nodes WHERE until_us < $1";
    NODES_REPLACED = "DELETE FROM nodes WHERE name = $1 AND holder <> $2 AND until_us < $3";
    DRAIN = "SELECT by_whom, at_us FROM drains WHERE name = $1";
    DRAIN_PUT = "INSERT INTO drains (name, by_whom, at_us) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    DRAIN_DROP = "DELETE FROM drains WHERE name = $1";
    CLAIM = "SELECT holder, due_us, started_us, ended_us FROM claims WHERE what = $1";
    CLAIM_BEGIN = "INSERT INTO claims (what, holder, due_us, started_us, ended_us) VALUES ($1, $2, $3, $4, NULL) \
                   ON CONFLICT (what) DO NOTHING";
    CLAIM_TAKE = "UPDATE claims SET holder = $2, due_us = $3, started_us = $4, ended_us = NULL WHERE what = $1";
    CLAIM_END = "UPDATE claims SET ended_us = $3 WHERE what = $1 AND holder = $2 AND ended_us IS NULL";
    CLAIM_KEPT = "INSERT INTO claims (what, holder, due_us, started_us, ended_us) VALUES ($1, $2, $3, $4, $5) \
                  ON CONFLICT (what) DO UPDATE SET holder = excluded.holder, due_us = excluded.due_us, \
                  started_us = excluded.started_us, ended_us = excluded.ended_us";
    CLAIMS_LEFT = "SELECT c.what, c.holder, n.until_us FROM claims c LEFT JOIN nodes n ON n.holder = c.holder \
                   WHERE c.ended_us IS NULL ORDER BY c.started_us";
    TURN_TAKE = "INSERT INTO turns (name, next_us) VALUES ($1, $3) \
                 ON CONFLICT (name) DO UPDATE SET \
                 next_us = CASE WHEN turns.next_us > $2 AND turns.next_us <= $5 THEN turns.next_us + $4 \
                 ELSE excluded.next_us END RETURNING next_us";

    USERS = concat!(user_columns!(), " FROM users u WHERE u.chain = $1 ORDER BY u.name");
    USER = concat!(user_columns!(), " FROM users u WHERE u.chain = $1 AND u.name = $2");
    USER_BY_SUBJECT = concat!(user_columns!(), " FROM users u WHERE u.chain = $1 AND u.subject = $2");
    USER_ADD = "INSERT INTO users (chain, name, display, mail, role, subject, disabled, until_us, tenants, \
                created_us, seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (chain, name) DO NOTHING";
    USER_CHANGE = "UPDATE users SET display = $1, mail = $2, role = $3, subject = $4, disabled = $5, until_us = $6, \
                   tenants = $7, seq = $8 WHERE chain = $9 AND name = $10";
    USER_DROP = "DELETE FROM users WHERE chain = $1 AND name = $2";
    PASSWORD = "SELECT password FROM users WHERE chain = $1 AND name = $2 AND disabled = 0 \
                AND (until_us IS NULL OR until_us > $3)";
    PASSWORD_SET = "UPDATE users SET password = $1 WHERE chain = $2 AND name = $3";
    PASSWORD_REHASH = "UPDATE users SET password = $1 WHERE chain = $2 AND name = $3 AND password = $4";
    USER_SIGNED_IN = "UPDATE users SET signed_in_us = $1 WHERE chain = $2 AND name = $3 AND disabled = 0 \
                      AND (until_us IS NULL OR until_us > $4)";

    SIGN_IN_FINISH = "INSERT INTO finished_sign_ins (state, at_us) VALUES ($1, $2) ON CONFLICT (state) DO NOTHING";
    SIGN_INS_FORGET = "DELETE FROM finished_sign_ins WHERE at_us < $1";

    MOMENTS = "SELECT name, at_us FROM moments ORDER BY name";
    MOMENT = "SELECT at_us FROM moments WHERE name = $1";
    MOMENT_SET = "INSERT INTO moments (name, at_us) VALUES ($1, $2) \
                  ON CONFLICT (name) DO UPDATE SET at_us = excluded.at_us";

    SESSION = concat!(
        user_columns!(),
        ", s.created_us, s.seen_us, s.source, s.agent FROM sessions s JOIN users u ON u.name = s.user_name \
         WHERE u.chain = $1 AND s.secret_hash = $2"
    );
    SESSIONS = "SELECT secret_hash, user_name, created_us, seen_us, source, agent FROM sessions \
                WHERE seen_us > $1 AND created_us > $2 ORDER BY user_name, created_us";
    SESSION_START = "INSERT INTO sessions (secret_hash, user_name, created_us, seen_us, source, agent) \
                     VALUES ($1, $2, $3, $4, $5, $6)";
    SESSION_SEEN = "UPDATE sessions SET seen_us = $1 WHERE secret_hash = $2";
    SESSION_END = "DELETE FROM sessions WHERE secret_hash = $1";
    SESSIONS_END = "DELETE FROM sessions WHERE user_name = $1 AND secret_hash <> $2";
    SESSIONS_OVER = "DELETE FROM sessions WHERE seen_us <= $1 OR created_us <= $2";

    TOKENS = "SELECT name, user_name, scope, created_us, expires_us, used_us, tenants FROM tokens \
              WHERE chain = $1 ORDER BY name";
    TOKEN_BY_SECRET = concat!(
        user_columns!(),
        ", t.name, t.scope, t.created_us, t.expires_us, t.used_us, t.tenants FROM tokens t JOIN users u \
         ON u.chain = t.chain AND u.name = t.user_name WHERE t.chain = $1 AND t.secret_hash = $2"
    );
    TOKEN_ADD = "INSERT INTO tokens (chain, name, user_name, scope, created_us, expires_us, tenants, seq) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (chain, name) DO NOTHING";
    TOKEN_SECRET = "UPDATE tokens SET secret_hash = $1 WHERE chain = $2 AND name = $3";
    TOKEN_USED = "UPDATE tokens SET used_us = $1 WHERE chain = $2 AND name = $3";
    TOKEN_DROP = "DELETE FROM tokens WHERE chain = $1 AND name = $2";

    ATTEMPT_HOLD = "INSERT INTO attempts (name, failed, last_us, until_us) VALUES ($1, 0, $2, 0) \
                    ON CONFLICT (name) DO UPDATE SET last_us = attempts.last_us RETURNING failed, until_us";
    ATTEMPT_SET = "UPDATE attempts SET failed = $1, last_us = $2, until_us = $3 WHERE name = $4";
    ATTEMPT_FORGIVE = "UPDATE attempts SET failed = failed - 1, until_us = 0 WHERE name = $1 AND failed > 0";
    ATTEMPT_DROP = "DELETE FROM attempts WHERE name = $1";
    ATTEMPTS_OVER = "DELETE FROM attempts WHERE last_us <= $1";

    APPROVALS_OPEN = concat!(approval_columns!(), " AND status = 'open' ORDER BY request");
    APPROVALS_DECIDED = concat!(approval_columns!(), " AND status <> 'open' ORDER BY request DESC LIMIT $2");
    APPROVAL = concat!(approval_columns!(), " AND request = $2");
    APPROVAL_OPEN_FOR = concat!(approval_columns!(), " AND status = 'open' AND what = $2 AND subject = $3");
    APPROVAL_ASK = "INSERT INTO approvals (connection, request, what, subject, proposal, asked_by, asked_us, \
                    reason, status, seq) SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), \
                    CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS BIGINT), \
                    CAST($8 AS TEXT), 'open', CAST($2 AS BIGINT) WHERE NOT EXISTS (SELECT 1 FROM approvals \
                    WHERE connection = $1 AND what = $3 AND subject = $4 AND status = 'open')";
    APPROVAL_APPROVE = "UPDATE approvals SET status = 'approved', decided_by = $1, decided_us = $2, \
                        decision_reason = $3, seq = $4 WHERE connection = $5 AND request = $6 \
                        AND status = 'open' AND asked_by <> $1";
    APPROVAL_DECLINE = "UPDATE approvals SET status = 'declined', decided_by = $1, decided_us = $2, \
                        decision_reason = $3, seq = $4 WHERE connection = $5 AND request = $6 \
                        AND status = 'open'";
    HINTED = "SELECT DISTINCT connection FROM hints WHERE heeded_us IS NULL ORDER BY connection";
    HINTS_HEED = "UPDATE hints SET heeded_us = $1 WHERE connection = $2 AND heeded_us IS NULL AND received_us <= $3";
    HINTS_SEEN = "SELECT MAX(received_us), MIN(CASE WHEN heeded_us IS NULL THEN received_us END) \
                  FROM hints WHERE connection = $1 AND system = $2";
    HINTS_WAITING_SINCE = "SELECT MIN(received_us) FROM hints WHERE connection = $1 AND heeded_us IS NULL";
    HINTS_FORGET = "DELETE FROM hints WHERE heeded_us < $1";

    ITEM_BLANK = "UPDATE items SET label = $1, cause = $2 WHERE connection = $3 AND flow = $4 AND record = $5";
    LINK_BLANK = "UPDATE links SET applied = $1, drift = $2 \
                  WHERE connection = $3 AND flow = $4 AND record = $5 AND role = $6";
    WRITE_BLANK = "UPDATE writes SET order_body = $1 WHERE connection = $2 AND write_id = $3";
    DECISION_BLANK = "UPDATE decisions SET reason = $1 WHERE connection = $2 AND flow = $3 AND record = $4";

    LEAVING_PUT = "INSERT INTO leaving (chain) VALUES ($1)";
    LEAVING_DROP = "DELETE FROM leaving WHERE chain = $1";
    LEASE_BLANK = "UPDATE leases SET fence = fence + 1, holder = '', run_id = NULL, until_us = 0 \
                   WHERE connection = $1 AND fence = $2";
    DELETE_APPROVALS = "DELETE FROM approvals WHERE connection = $1";
    DELETE_ITEMS = "DELETE FROM items WHERE connection = $1";
    DELETE_LINKS = "DELETE FROM links WHERE connection = $1";
    DELETE_MAPS = "DELETE FROM maps WHERE connection = $1";
    DELETE_WRITES = "DELETE FROM writes WHERE connection = $1";
    DELETE_DECISIONS = "DELETE FROM decisions WHERE connection = $1";
    DELETE_RUNS = "DELETE FROM runs WHERE connection = $1";
    DELETE_STOPS = "DELETE FROM stops WHERE connection = $1";
    DELETE_RECORDS = "DELETE FROM records WHERE connection = $1";
    DELETE_MARKS = "DELETE FROM marks WHERE connection = $1";
    DELETE_DUE = "DELETE FROM due WHERE connection = $1";
    DELETE_REMEMBERED = "DELETE FROM remembered WHERE connection = $1";
    DELETE_HINTS = "DELETE FROM hints WHERE connection = $1";
    DELETE_HEARD = "DELETE FROM heard WHERE chain = $1";
    DELETE_FROZEN = "DELETE FROM frozen WHERE connection = $1";
    DELETE_PRIVATE = "DELETE FROM private_values WHERE chain = $1";
    DELETE_ENTRIES = "DELETE FROM entries WHERE chain = $1";
    DELETE_CHAIN = "DELETE FROM chains WHERE chain = $1";
    DELETE_LETTERS = "DELETE FROM outbox WHERE name LIKE $1 ESCAPE '\\'";
    SIZE_OF_ENTRIES = "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(body)), 0) AS BIGINT) FROM entries WHERE chain = $1";
    SIZE_OF_RECORDS = "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(document)), 0) AS BIGINT) FROM records \
                       WHERE connection = $1";

    // What `verify` compares, in the order of the keys.
    ALL_ITEMS = "SELECT flow, record, state, code, cause, cause_group, waits_for, label, amount, currency, \
                 CAST(since_us AS TEXT), CAST(at_us AS TEXT), CAST(seq AS TEXT) FROM items \
                 WHERE connection = $1 ORDER BY flow, record";
    ALL_LINKS = "SELECT flow, record, role, target, event_key, how, applied, CAST(confirmed AS TEXT), drift, \
                 CAST(seq AS TEXT) FROM links WHERE connection = $1 ORDER BY flow, record, role";
    ALL_MAPS = "SELECT kind, from_id, to_id, status, label_from, label_to, why, actor, CAST(at_us AS TEXT), \
                CAST(seq AS TEXT) FROM maps WHERE connection = $1 ORDER BY kind, from_id";
    // Programs of before left closed writes their orders.
    ALL_WRITES = "SELECT CAST(write_id AS TEXT), flow, record, role, \
                  CASE WHEN status IN ('intended', 'attempted', 'unknown') THEN order_body ELSE '' END, status, \
                  CAST(attempted_us AS TEXT), CAST(attempts AS TEXT), attempt_seqs FROM writes \
                  WHERE connection = $1 ORDER BY writes.write_id";
    ALL_DECISIONS = "SELECT flow, record, decision, reason, actor, CAST(at_us AS TEXT), CAST(seq AS TEXT) \
                     FROM decisions WHERE connection = $1 ORDER BY flow, record";
    ALL_STOPS = "SELECT kind, reason, actor, CAST(at_us AS TEXT), CAST(seq AS TEXT) FROM stops \
                 WHERE connection = $1 ORDER BY kind";
    ALL_USERS = "SELECT name, display, mail, role, subject, CAST(disabled AS TEXT), CAST(until_us AS TEXT), \
                 tenants, CAST(created_us AS TEXT), CAST(seq AS TEXT) FROM users WHERE chain = $1 ORDER BY name";
    ALL_TOKENS = "SELECT name, user_name, scope, tenants, CAST(created_us AS TEXT), CAST(expires_us AS TEXT), \
                  CAST(seq AS TEXT) FROM tokens WHERE chain = $1 ORDER BY name";
    ALL_APPROVALS = "SELECT CAST(request AS TEXT), what, subject, proposal, asked_by, CAST(asked_us AS TEXT), \
                     reason, status, decided_by, CAST(decided_us AS TEXT), decision_reason, CAST(seq AS TEXT) \
                     FROM approvals WHERE connection = $1 ORDER BY approvals.request";
    ALL_RUNS = "SELECT run_id, set_off_by, flows, actor, CAST(started_us AS TEXT), CAST(ended_us AS TEXT), \
                status, counts, calls, cause, CAST(seq AS TEXT) FROM runs WHERE connection = $1 \
                ORDER BY run_id";
}

rows! {
    HINTS_PUT = "INSERT INTO hints (connection, system, event, record, received_us)", 5,
                "ON CONFLICT (connection, system, event) DO NOTHING";
    ENTRY_ROWS = "INSERT INTO entries (chain, seq, at_us, actor, run_id, fact, flow, record, body, hash)", 10, "";
    PRIVATE_ROWS = "INSERT INTO private_values (chain, seq, salt, body)", 4, "";
    RUN_ROWS = "INSERT INTO runs (connection, run_id, set_off_by, flows, actor, started_us, ended_us, status, \
                counts, calls, cause, seq)", 12, "ON CONFLICT (connection, run_id) DO NOTHING";
    WRITE_ROWS = "INSERT INTO writes (connection, write_id, flow, record, role, order_body, status, \
                  attempted_us, attempts, attempt_seqs)", 10, "";
    LINK_ROWS = "INSERT INTO links (connection, flow, record, role, target, event_key, how, applied, confirmed, \
                 drift, seq)", 11,
        "ON CONFLICT (connection, flow, record, role) DO UPDATE SET target = excluded.target, \
         event_key = excluded.event_key, how = excluded.how, applied = excluded.applied, \
         confirmed = excluded.confirmed, drift = excluded.drift, seq = excluded.seq";
    ITEM_ROWS = "INSERT INTO items (connection, flow, record, state, code, cause, cause_group, waits_for, label, \
                 amount, currency, since_us, at_us, seq)", 14,
        "ON CONFLICT (connection, flow, record) DO UPDATE SET since_us = CASE WHEN items.state = excluded.state \
         AND items.code = excluded.code THEN items.since_us ELSE excluded.since_us END, \
         state = excluded.state, code = excluded.code, cause = excluded.cause, \
         cause_group = excluded.cause_group, waits_for = excluded.waits_for, label = excluded.label, \
         amount = excluded.amount, currency = excluded.currency, at_us = excluded.at_us, seq = excluded.seq";
    MAP_ROWS = "INSERT INTO maps (connection, kind, from_id, to_id, status, label_from, label_to, why, actor, \
                at_us, seq)", 11,
        "ON CONFLICT (connection, kind, from_id) DO UPDATE SET to_id = excluded.to_id, \
         status = excluded.status, label_from = excluded.label_from, label_to = excluded.label_to, \
         why = excluded.why, actor = excluded.actor, at_us = excluded.at_us, seq = excluded.seq";
    DECISION_ROWS = "INSERT INTO decisions (connection, flow, record, decision, reason, actor, at_us, seq)", 8,
        "ON CONFLICT (connection, flow, record) DO UPDATE SET decision = excluded.decision, \
         reason = excluded.reason, actor = excluded.actor, at_us = excluded.at_us, seq = excluded.seq";
    STOP_ROWS = "INSERT INTO stops (connection, kind, reason, actor, at_us, seq)", 6,
        "ON CONFLICT (connection, kind) DO NOTHING";
    RECORD_ROWS = "INSERT INTO records (connection, record, side, kind, version, created_us, fingerprint, \
                   match_key, label, label_folded, alias_folded, vendor, amount, open_amount, currency, \
                   doc_date, external_id, marker, gone, document)", 20,
        "ON CONFLICT (connection, record) DO UPDATE SET version = excluded.version, \
         created_us = excluded.created_us, fingerprint = excluded.fingerprint, \
         match_key = excluded.match_key, label = excluded.label, label_folded = excluded.label_folded, \
         alias_folded = excluded.alias_folded, vendor = excluded.vendor, amount = excluded.amount, \
         open_amount = excluded.open_amount, currency = excluded.currency, doc_date = excluded.doc_date, \
         external_id = excluded.external_id, marker = excluded.marker, gone = excluded.gone, \
         document = excluded.document";
    MARK_ROWS = "INSERT INTO marks (connection, side, kind, mark)", 4,
        "ON CONFLICT (connection, side, kind) DO UPDATE SET mark = excluded.mark";
    DUE_ROWS = "INSERT INTO due (connection, flow, record)", 3, due_again!();
    REMEMBERED_ROWS = "INSERT INTO remembered (connection, name, value)", 3,
        "ON CONFLICT (connection, name) DO UPDATE SET value = excluded.value";
}

lookups! {
    WAITING_AMONG = concat!(waiting_items!("connection, COUNT(*)"), " AND connection"), 0, " GROUP BY connection";
    LAST_ENDS_AMONG = concat!(last_ends!(), " WHERE c.chain"), 0, "";
    EXCEPTIONS_AMONG = concat!(waiting_columns!(), " AND connection"), 0, by_cause!();
    HOLDS_AMONG = concat!(held_columns!(), " AND connection"), 0, by_cause!();
    ITEM_COUNTS_AMONG = "SELECT connection, flow, state, COUNT(*) FROM items WHERE connection", 0,
        " GROUP BY connection, state, flow";
    REMEMBERED_AMONG = "SELECT connection, value FROM remembered WHERE name = $1 AND connection", 1, "";
    // The latest of each connection: the subquery says with which one they begin.
    RUNS_AMONG = concat!(
        run_columns!(),
        ", r.connection FROM chains c JOIN runs r ON r.connection = c.chain \
         AND r.seq >= COALESCE((SELECT b.seq FROM runs b WHERE b.connection = c.chain \
         ORDER BY b.seq DESC LIMIT 1 OFFSET $1), 0) WHERE c.chain"
    ), 1, " ORDER BY r.connection, r.seq DESC";
    RUN_TALLY_AMONG = "SELECT started_us / 900000000, status, COUNT(*) FROM runs \
                       WHERE started_us >= $1 AND connection", 1, " GROUP BY started_us / 900000000, status";
    SIGNED_AMONG = concat!(
        "SELECT e.seq, e.at_us, e.actor, e.run_id, e.record, e.body, e.hash, e.fact, e.flow, \
         p.seq, p.salt, p.body, e.chain FROM entries e \
         LEFT JOIN private_values p ON p.chain = e.chain AND p.seq = e.seq WHERE ",
        "e.fact = 'signed' AND e.seq = (SELECT MAX(s.seq) FROM entries s WHERE s.chain = e.chain \
         AND s.fact = 'signed') AND e.chain"
    ), 0, "";
    HINTS_KNOWN = "SELECT event FROM hints WHERE connection = $1 AND system = $2 AND event", 2, "";
    ENTRIES_BY_RECORD = concat!(entry_columns!(), "e.chain = $1 AND e.record"), 1, "";
    ENTRIES_BY_SEQ = concat!(entry_columns!(), "e.chain = $1 AND e.seq"), 1, "";
    PRIVATE_ERASE = "UPDATE private_values SET salt = NULL, body = NULL \
                     WHERE salt IS NOT NULL AND chain = $1 AND seq", 1, "";
    WRITES_BY_ID = concat!(write_columns!(), "write_id"), 1, "";
    WRITES_BY_RECORD = concat!(write_columns!(), "record"), 1, "";
    WRITES_ATTEMPT = "UPDATE writes SET status = 'attempted', attempted_us = $1, attempts = attempts + 1, \
                      attempt_seqs = attempt_seqs || $2 WHERE connection = $3 \
                      AND status IN ('intended', 'attempted', 'unknown') AND write_id", 3, "";
    WRITES_TELL = "UPDATE writes SET status = $1 WHERE connection = $2 \
                   AND status IN ('intended', 'attempted', 'unknown') AND write_id", 2, "";
    // Nobody asks any more what a closed write was to write: its intent stands in the history.
    WRITES_CLOSE = "UPDATE writes SET status = $1, order_body = '' WHERE connection = $2 \
                    AND status IN ('intended', 'attempted', 'unknown') AND write_id", 2, "";
    LINKS_BY_RECORD = concat!(link_columns!(), "flow = $2 AND record"), 2, "";
    LINKS_FROM = concat!(link_columns!(), "record"), 1, "";
    LINKS_BY_TARGET = concat!(link_columns!(), "target"), 1, "";
    ITEMS_BY_RECORD = concat!(item_columns!(), " AND flow = $2 AND record"), 2, "";
    ITEMS_OF = concat!(item_columns!(), " AND record"), 1, "";
    DECISIONS_BY_RECORD = "SELECT flow, record, decision, reason, actor, at_us, seq FROM decisions \
                           WHERE connection = $1 AND flow = $2 AND record", 2, "";
    DECISIONS_OF = "SELECT flow, record, decision, reason, actor, at_us, seq FROM decisions \
                    WHERE connection = $1 AND record", 1, "";
    RECORDS_KNOWN = "SELECT record, version, fingerprint, gone FROM records \
                     WHERE connection = $1 AND record", 1, "";
    RECORDS_BY_NAME = concat!(record_columns!(), "record"), 1, "";
    RECORDS_BY_MATCH = concat!(
        record_columns!(),
        "gone = 0 AND match_key <> '' AND side = $2 AND kind = $3 AND match_key"
    ), 3, "";
    // Here and above nothing more than the index has, and no order: SQLite would rather walk along another index,
    // through every record of the kind.
    RECORDS_BY_MARKER = concat!(record_columns!(), "gone = 0 AND marker"), 1, "";
    RECORDS_BY_KEY = concat!(record_columns!(), "gone = 0 AND external_id"), 1, "";
    MARKED_BY_LEDGER_VENDOR = concat!(
        marked_columns!(),
        "FROM records l CROSS JOIN records p WHERE l.connection = $1 AND p.connection = l.connection \
         AND p.gone = 0 AND p.marker = CAST($2 AS TEXT) || substr(l.record, length(l.side) + length(l.kind) + 3) \
         AND l.vendor"
    ), 2, "";
    MARKED_BY_PLATFORM_VENDOR = concat!(
        marked_columns!(),
        "FROM records p CROSS JOIN records l WHERE p.connection = $1 AND l.connection = p.connection \
         AND l.record IN ('ledger/bill/' || substr(p.marker, length(CAST($2 AS TEXT)) + 1), \
         'ledger/vendor-credit/' || substr(p.marker, length(CAST($2 AS TEXT)) + 1)) AND p.gone = 0 \
         AND substr(p.marker, 1, length(CAST($2 AS TEXT))) = CAST($2 AS TEXT) AND p.vendor"
    ), 2, "";
    WRITES_TRACED = "SELECT DISTINCT record FROM writes WHERE connection = $1 AND record", 1, "";
    LINKS_TRACED = "SELECT DISTINCT record FROM links WHERE connection = $1 AND record", 1, "";
    RECORDS_GONE = "UPDATE records SET gone = 1 WHERE connection = $1 AND record", 1, "";
    WAITED_FOR = "SELECT DISTINCT waits_for FROM items WHERE connection = $1 AND waits_for", 1, "";
    DUE_AMONG = "SELECT record FROM due WHERE connection = $1 AND flow = $2 AND record", 2, "";
    DUE_SETTLED = "DELETE FROM due WHERE connection = $1 AND flow = $2 AND stamp = $3 AND record", 3, "";
    DUE_WAITING = "INSERT INTO due (connection, flow, record) SELECT connection, flow, record FROM items \
                   WHERE connection = $1 AND waits_for", 1, due_again!();
}
