//! Brings a database to the schema that this program knows.
//!
//! A runner of our own, because one text serves both databases: PostgreSQL's columns get a byte order and
//! each database its own triggers on the way in (`dialect.rs`), which the library's runner has no place for.

use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::StoreError;
use crate::dialect::Dialect;
use crate::sql::{cells, int, text, with};

/// A numbered step. Once released it never changes: its hash is recorded and compared.
struct Step {
    number: i64,
    text: &'static str,
    append_only: &'static [&'static str],
}

const STEPS: &[Step] = &[
    Step {
        number: 1,
        text: include_str!("../migrations/0001_first.sql"),
        append_only: &["entries"],
    },
    Step {
        number: 2,
        text: include_str!("../migrations/0002_stamps.sql"),
        append_only: &[],
    },
    Step {
        number: 3,
        text: include_str!("../migrations/0003_stops.sql"),
        append_only: &[],
    },
    Step {
        number: 4,
        text: include_str!("../migrations/0004_frozen.sql"),
        append_only: &["frozen"],
    },
    Step {
        number: 5,
        text: include_str!("../migrations/0005_allowances.sql"),
        append_only: &[],
    },
    Step {
        number: 6,
        text: include_str!("../migrations/0006_people.sql"),
        append_only: &[],
    },
    Step {
        number: 7,
        text: include_str!("../migrations/0007_hints.sql"),
        append_only: &[],
    },
    Step {
        number: 8,
        text: include_str!("../migrations/0008_face.sql"),
        append_only: &[],
    },
    Step {
        number: 9,
        text: include_str!("../migrations/0009_watching.sql"),
        append_only: &[],
    },
    Step {
        number: 10,
        text: include_str!("../migrations/0010_turns.sql"),
        append_only: &[],
    },
    Step {
        number: 12,
        text: include_str!("../migrations/0012_slots.sql"),
        append_only: &[],
    },
    Step {
        number: 13,
        text: include_str!("../migrations/0013_nodes.sql"),
        append_only: &[],
    },
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS store_schema \
    (number BIGINT NOT NULL PRIMARY KEY, hash TEXT NOT NULL, applied_us BIGINT NOT NULL)";
const APPLIED: &str = "SELECT number, hash FROM store_schema ORDER BY number";
const RECORD: &str = "INSERT INTO store_schema (number, hash, applied_us) VALUES ($1, $2, $3)";

/// The newest schema that this program knows.
pub(crate) fn known() -> i64 {
    STEPS.last().map_or(0, |step| step.number)
}

/// Applies what is missing; refuses a schema that is newer than this program, or not as it was released.
/// Runs inside the caller's transaction, so that two processes that open an empty database take turns.
pub(crate) async fn migrate(
    connection: &mut AnyConnection,
    dialect: Dialect,
    now_us: i64,
) -> Result<(), StoreError> {
    if dialect == Dialect::Postgres {
        // Two creators of the same table would meet in the catalogue; the lock ends with the transaction.
        sqlx::raw_sql("SELECT pg_advisory_xact_lock(8107116101)")
            .execute(&mut *connection)
            .await?;
    }
    sqlx::raw_sql(TABLE).execute(&mut *connection).await?;
    let mut applied = Vec::new();
    for row in with(APPLIED, cells![]).fetch_all(&mut *connection).await? {
        applied.push((int(&row, 0)?, text(&row, 1)?));
    }
    let known = known();
    let found = applied.last().map_or(0, |(number, _)| *number);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for step in STEPS {
        let hash = hash(step.text);
        match applied.iter().find(|(number, _)| *number == step.number) {
            Some((_, recorded)) if *recorded == hash => {}
            Some(_) => {
                return Err(StoreError::corrupt(format!(
                    "schema {} was not made by a released tieout",
                    step.number
                )));
            }
            None => {
                apply(connection, dialect, step).await?;
                with(RECORD, cells![step.number, hash, now_us])
                    .execute(&mut *connection)
                    .await?;
            }
        }
    }
    Ok(())
}

async fn apply(
    connection: &mut AnyConnection,
    dialect: Dialect,
    step: &Step,
) -> Result<(), StoreError> {
    sqlx::raw_sql(AssertSqlSafe(dialect.schema(step.text)))
        .execute(&mut *connection)
        .await?;
    for table in step.append_only {
        sqlx::raw_sql(AssertSqlSafe(dialect.append_only(table)))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn hash(text: &str) -> String {
    crate::private::hex(&Sha256::digest(text.as_bytes()))
}
