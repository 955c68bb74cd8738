//! Where the two databases differ: all of it is here.

use std::borrow::Cow;
use std::time::Duration;

use sqlx::AnyConnection;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// How many there are.
    pub(crate) const COUNT: usize = 2;

    /// Which database a connection leads to.
    pub(crate) fn of(connection: &AnyConnection) -> Self {
        match connection.backend_name() {
            "PostgreSQL" => Self::Postgres,
            _ => Self::Sqlite,
        }
    }

    /// The placeholder of this number in a statement over many rows. SQLite looks numbered ones up by their
    /// names, one after the other, which for hundreds of them takes longer than the insert.
    pub(crate) fn placeholder(self, number: usize) -> String {
        match self {
            Self::Sqlite => "?".to_owned(),
            Self::Postgres => format!("${number}"),
        }
    }

    /// Run on every new connection.
    ///
    /// SQLite: readers go on while one writes (WAL), a commit is on the disk when it returns (FULL), and a
    /// lock held by another process is waited for.
    ///
    /// PostgreSQL: the server gives up a statement that takes too long, and the transaction of whoever has fallen
    /// silent in the middle of it, with its locks. It notices a node that is gone, and answers no commit that isn't on
    /// its disk, whatever it was set to.
    pub(crate) fn on_connect(self, statement_timeout: Duration) -> String {
        match self {
            Self::Sqlite => [
                "PRAGMA busy_timeout = 15000",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
                "PRAGMA temp_store = MEMORY",
                "PRAGMA cache_size = -2000",
                // What is erased is overwritten, not only forgotten.
                "PRAGMA secure_delete = ON",
            ]
            .join("; "),
            Self::Postgres => format!(
                "SET client_min_messages = warning; SET statement_timeout = {timeout}; \
                 SET idle_in_transaction_session_timeout = {timeout}; SET tcp_keepalives_idle = 30; \
                 SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; \
                 SELECT set_config('synchronous_commit', 'on', false) \
                 WHERE current_setting('synchronous_commit') = 'off'",
                timeout = statement_timeout.as_millis()
            ),
        }
    }

    /// Run beside that on a connection that writes.
    ///
    /// SQLite: what a commit of hundreds of records changes fits into memory, and is copied from the log into the file
    /// when there is much of it, not after each.
    pub(crate) fn on_connect_to_write(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 4000"),
            Self::Postgres => None,
        }
    }

    /// Run in a transaction that may take as long as it takes.
    pub(crate) fn without_hurry(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(
                "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0",
            ),
        }
    }

    /// How a writing transaction begins. A deferred one of SQLite's could fail at its first write, whatever
    /// the time-out, once another has written since it began to read.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// How a transaction begins that reads one moment's state however long it takes.
    pub(crate) fn snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Checks the file itself, page by page, and answers `ok` or what is wrong with it.
    pub(crate) fn check_file(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("PRAGMA integrity_check(1)"),
            // The server's files are its operator's; what it can't read it refuses to give.
            Self::Postgres => None,
        }
    }

    /// Asks for the database's own time, in microseconds since 1970: the one clock that machines share. SQLite's is its
    /// machine's, which the store has already.
    pub(crate) fn time(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => {
                Some("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)")
            }
        }
    }

    /// Tells other sessions something under a name, where the database can.
    pub(crate) fn tell(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT CAST(pg_notify($1, $2) AS TEXT)"),
        }
    }

    /// Asks how many bytes the database takes.
    pub(crate) fn bytes(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT p.page_count * s.page_size FROM pragma_page_count() p, pragma_page_size() s"
            }
            Self::Postgres => "SELECT pg_database_size(current_database())",
        }
    }

    /// Run after an erasure, outside a transaction: takes what was erased out of the database's own log.
    pub(crate) fn after_erasure(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("PRAGMA wal_checkpoint(TRUNCATE)"),
            // The server's log is its operator's, and its vacuum takes the old rows away.
            Self::Postgres => None,
        }
    }

    /// A `SELECT` that keeps its rows from being changed until the transaction ends. In SQLite a writing
    /// transaction is alone anyway.
    pub(crate) fn locking(self, select: &'static str) -> Cow<'static, str> {
        match self {
            Self::Sqlite => Cow::Borrowed(select),
            Self::Postgres => Cow::Owned(format!("{select} FOR UPDATE")),
        }
    }

    /// A `SELECT` that waits for a transaction that is changing its rows, and keeps them from being changed,
    /// but not from being read so by others.
    pub(crate) fn sharing(self, select: &'static str) -> Cow<'static, str> {
        match self {
            Self::Sqlite => Cow::Borrowed(select),
            Self::Postgres => Cow::Owned(format!("{select} FOR SHARE")),
        }
    }

    /// A migration in this database's words. PostgreSQL would sort texts by its locale; keys are paged in
    /// the order of their bytes.
    pub(crate) fn schema(self, text: &str) -> String {
        match self {
            Self::Sqlite => text.to_owned(),
            Self::Postgres => text.replace(" TEXT", " TEXT COLLATE \"C\""),
        }
    }

    /// Lets the rows of a chain out of a table whose rows stay for ever, while the chain stands in `leaving`; `column`
    /// is the one that names the chain.
    pub(crate) fn leaving(self, table: &str, column: &str) -> String {
        match self {
            Self::Sqlite => format!(
                "DROP TRIGGER {table}_no_DELETE; \
                 CREATE TRIGGER {table}_no_DELETE BEFORE DELETE ON {table} \
                 WHEN NOT EXISTS (SELECT 1 FROM leaving WHERE chain = OLD.{column}) BEGIN \
                 SELECT RAISE(ABORT, 'the history is append-only'); END;"
            ),
            Self::Postgres => format!(
                "CREATE OR REPLACE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN IF EXISTS (SELECT 1 FROM leaving WHERE chain = to_jsonb(OLD) ->> TG_ARGV[0]) \
                 THEN RETURN OLD; END IF; RAISE EXCEPTION 'the history is append-only'; END $$;\n\
                 DROP TRIGGER {table}_append_only ON {table};\n\
                 CREATE TRIGGER {table}_append_only BEFORE UPDATE OR TRUNCATE ON {table} \
                 FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n\
                 CREATE TRIGGER {table}_no_removal BEFORE DELETE ON {table} \
                 FOR EACH ROW EXECUTE FUNCTION refuse_removal('{column}');"
            ),
        }
    }

    /// Forbids changes to a table whose rows stay for ever.
    pub(crate) fn append_only(self, table: &str) -> String {
        match self {
            Self::Sqlite => ["UPDATE", "DELETE"]
                .map(|verb| {
                    format!(
                        "CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN \
                         SELECT RAISE(ABORT, 'the history is append-only'); END;"
                    )
                })
                .join("\n"),
            Self::Postgres => format!(
                "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'the history is append-only'; END $$;\n\
                 CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} \
                 FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
            ),
        }
    }

    /// Finds a row where there is a schema of ours, of whatever number.
    pub(crate) fn has_schema(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT name FROM sqlite_master WHERE name = 'store_schema'",
            Self::Postgres => {
                "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
                 WHERE table_schema = current_schema() AND table_name = 'store_schema'"
            }
        }
    }

    /// Every table with its columns in their order: table, column, whether it holds text, and its place in the table's
    /// key, from 1 on; 0 if it has none.
    pub(crate) fn tables(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT m.name, c.name, c.type, CAST(c.pk AS BIGINT) FROM sqlite_master m \
                 JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' \
                 ORDER BY m.name, c.cid"
            }
            Self::Postgres => {
                "SELECT CAST(c.table_name AS TEXT), CAST(c.column_name AS TEXT), CAST(c.data_type AS TEXT), \
                 CAST(COALESCE(k.ordinal_position, 0) AS BIGINT) FROM information_schema.columns c \
                 JOIN information_schema.tables t ON t.table_schema = c.table_schema \
                 AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE' \
                 LEFT JOIN information_schema.table_constraints p ON p.table_schema = c.table_schema \
                 AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY' \
                 LEFT JOIN information_schema.key_column_usage k ON k.table_schema = p.table_schema \
                 AND k.constraint_name = p.constraint_name AND k.table_name = c.table_name \
                 AND k.column_name = c.column_name WHERE c.table_schema = current_schema() \
                 ORDER BY c.table_name, c.ordinal_position"
            }
        }
    }

    /// Run when very much has been written at once.
    pub(crate) fn after_much(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            // Until it knows how much there is, the server looks for it the wrong way.
            Self::Postgres => Some("ANALYZE"),
        }
    }

    /// Asks which server answers, and of which version.
    pub(crate) fn server(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT '', sqlite_version()",
            Self::Postgres => {
                "SELECT COALESCE(CAST(inet_server_addr() AS TEXT) || ':' || CAST(inet_server_port() AS TEXT), \
                 'a socket'), current_setting('server_version')"
            }
        }
    }
}
