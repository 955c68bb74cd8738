//! Brings a database to the schema that this program knows.
//!
//! A runner of our own, because one text serves both databases: PostgreSQL's columns get a byte order and
//! each database its own triggers on the way in (`dialect.rs`), which the library's runner has no place for.
//!
//! Several machines are upgraded one after the other, so that programs of two versions work on one database. Steps
//! therefore first only add what programs before don't mind (expand), and take away what nobody uses any more a version
//! later (contract). Each step says which programs may go on beside it, the database remembers the strictest of them,
//! and an older program goes by what it remembers.

use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::StoreError;
use crate::dialect::Dialect;
use crate::sql::{self, cells, int, parse, text, with};
use crate::store::Store;

/// A numbered step. Once released it never changes: its hash is recorded and compared.
struct Step {
    number: i64,
    text: &'static str,
    append_only: &'static [&'static str],
    /// The oldest schema whose programs may go on beside this step. A step that only adds has that of the one before it;
    /// one that nobody else may see has its own number.
    oldest: i64,
}

/// How much is done to a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Nobody has asked: on a server, no program that may be at work is shut out.
    ByItself,
    /// A person has.
    Asked,
}

/// How the schema of a database stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schema {
    /// The number of its last step; 0 for an empty database.
    pub found: i64,
    /// The number of the last step that this program knows.
    pub known: i64,
    /// The oldest schema whose programs may open it.
    pub oldest: i64,
    /// The steps that it lacks.
    pub missing: Vec<SchemaStep>,
}

/// A step that a database lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SchemaStep {
    /// Its number.
    pub number: i64,
    /// The oldest schema whose programs may go on beside it.
    pub oldest: i64,
}

impl Schema {
    /// Whether some programs that may open the database now may not do so afterwards.
    #[must_use]
    pub fn shuts_out(&self) -> bool {
        self.missing.iter().any(|step| step.oldest > self.oldest)
    }
}

/// The step from which on a whole chain may leave.
const TENANTS: i64 = 14;

/// What stays for ever but for a chain that leaves as a whole: each table with the column that names the chain.
const LEAVING: [(&str, &str); 2] = [("entries", "chain"), ("frozen", "connection")];

const STEPS: &[Step] = &[
    Step {
        number: 1,
        text: include_str!("../migrations/0001_first.sql"),
        append_only: &["entries"],
        oldest: 1,
    },
    Step {
        number: 2,
        text: include_str!("../migrations/0002_stamps.sql"),
        append_only: &[],
        oldest: 2,
    },
    Step {
        number: 3,
        text: include_str!("../migrations/0003_stops.sql"),
        append_only: &[],
        oldest: 3,
    },
    Step {
        number: 4,
        text: include_str!("../migrations/0004_frozen.sql"),
        append_only: &["frozen"],
        oldest: 4,
    },
    Step {
        number: 5,
        text: include_str!("../migrations/0005_allowances.sql"),
        append_only: &[],
        oldest: 5,
    },
    Step {
        number: 6,
        text: include_str!("../migrations/0006_people.sql"),
        append_only: &[],
        oldest: 6,
    },
    Step {
        number: 7,
        text: include_str!("../migrations/0007_hints.sql"),
        append_only: &[],
        oldest: 7,
    },
    Step {
        number: 8,
        text: include_str!("../migrations/0008_face.sql"),
        append_only: &[],
        oldest: 8,
    },
    Step {
        number: 9,
        text: include_str!("../migrations/0009_watching.sql"),
        append_only: &[],
        oldest: 9,
    },
    Step {
        number: 10,
        text: include_str!("../migrations/0010_turns.sql"),
        append_only: &[],
        oldest: 10,
    },
    Step {
        number: 11,
        text: include_str!("../migrations/0011_state.sql"),
        append_only: &[],
        oldest: 11,
    },
    Step {
        number: 12,
        text: include_str!("../migrations/0012_slots.sql"),
        append_only: &[],
        // Programs before it keep the limits of their own process alone.
        oldest: 12,
    },
    Step {
        number: 13,
        text: include_str!("../migrations/0013_nodes.sql"),
        append_only: &[],
        oldest: 12,
    },
    Step {
        number: TENANTS,
        text: include_str!("../migrations/0014_tenants.sql"),
        append_only: &[],
        // A program from before would show everything to whoever is limited.
        oldest: TENANTS,
    },
    Step {
        number: 15,
        text: include_str!("../migrations/0015_many.sql"),
        append_only: &[],
        oldest: TENANTS,
    },
    Step {
        number: 16,
        text: include_str!("../migrations/0016_indexes.sql"),
        append_only: &[],
        // What programs before it verify and erase of a closed write is what it was to write, which is kept no longer.
        oldest: 16,
    },
];

/// The step that brought the table in which the database remembers what is known of itself.
const STATE: i64 = 11;
/// Under which name it remembers the oldest schema whose programs may open it.
const OLDEST: &str = "oldest";

const TABLE: &str = "CREATE TABLE store_schema \
    (number BIGINT NOT NULL PRIMARY KEY, hash TEXT NOT NULL, applied_us BIGINT NOT NULL)";
const APPLIED: &str = "SELECT number, hash FROM store_schema ORDER BY number";
const RECORD: &str = "INSERT INTO store_schema (number, hash, applied_us) VALUES ($1, $2, $3)";

/// The tables that the steps make: a server's schema may have others' beside them.
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    let lines = STEPS.iter().flat_map(|step| step.text.lines());
    let made = lines.filter_map(|line| line.strip_prefix("CREATE TABLE "));
    let names = made.filter_map(|rest| rest.split([' ', '(']).next());
    names.chain(["store_schema"])
}

/// The newest schema that this program knows.
pub(crate) fn known() -> i64 {
    STEPS.last().map_or(0, |step| step.number)
}

impl Store {
    /// How the schema stands. Nothing is changed.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a schema that no released program made. Also what a database can answer.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let mut transaction = self.begin().await?;
        look(&mut transaction, self.inner.dialect).await
    }

    /// Brings the schema up to date, as a person has asked for. Programs that may not go on beside it must have ended.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a schema that this program can't go by. Also what a database can answer.
    pub async fn migrate(&self) -> Result<Schema, StoreError> {
        self.bring_up_to_date(How::Asked).await
    }

    /// Applies what is missing, and says what was; refuses a schema that this program can't go by.
    pub(crate) async fn bring_up_to_date(&self, how: How) -> Result<Schema, StoreError> {
        let dialect = self.inner.dialect;
        let mut transaction = self.begin().await?;
        let schema = look(&mut transaction, dialect).await?;
        if schema.found > schema.known {
            // What it has more, the programs since ours need not mind: the database says so.
            let may_open = schema.oldest <= schema.known;
            return match may_open {
                true => Ok(schema),
                false => Err(StoreError::Newer {
                    found: schema.found,
                    known: schema.known,
                }),
            };
        }
        let is_shared = dialect == Dialect::Postgres && schema.found > 0;
        if how == How::ByItself && is_shared && schema.shuts_out() {
            return Err(StoreError::Older {
                found: schema.found,
                known: schema.known,
            });
        }
        if schema.missing.is_empty() {
            return Ok(schema);
        }
        if let Some(text) = dialect.without_hurry() {
            sqlx::raw_sql(text).execute(&mut *transaction).await?;
        }
        for step in STEPS.iter().filter(|step| step.number > schema.found) {
            apply(&mut transaction, dialect, step).await?;
            let cells = cells![step.number, hash(step.text), self.now_us()];
            with(RECORD, cells).execute(&mut transaction).await?;
        }
        let oldest = STEPS.iter().map(|step| step.oldest).max().unwrap_or(0);
        let cells = cells![OLDEST, oldest.max(schema.oldest).to_string()];
        with(sql::STORE_STATE_SET, cells)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(schema)
    }
}

/// Looks at the schema, inside the caller's transaction: two processes that open an empty database take turns.
async fn look(connection: &mut AnyConnection, dialect: Dialect) -> Result<Schema, StoreError> {
    if dialect == Dialect::Postgres {
        // Two creators of the same table would meet in the catalogue; the lock ends with the transaction.
        sqlx::raw_sql("SELECT pg_advisory_xact_lock(8107116101)")
            .execute(&mut *connection)
            .await?;
    }
    let mut applied = Vec::new();
    // Where it is there, no right to make a table is needed.
    if with(dialect.has_schema(), cells![])
        .fetch_optional(&mut *connection)
        .await?
        .is_none()
    {
        sqlx::raw_sql(TABLE).execute(&mut *connection).await?;
    }
    for row in with(APPLIED, cells![]).fetch_all(&mut *connection).await? {
        applied.push((int(&row, 0)?, text(&row, 1)?));
    }
    for step in STEPS {
        let recorded = applied.iter().find(|(number, _)| *number == step.number);
        if recorded.is_some_and(|(_, recorded)| *recorded != hash(step.text)) {
            return Err(StoreError::corrupt(format!(
                "schema {} was not made by a released tieout",
                step.number
            )));
        }
    }
    let found = applied.last().map_or(0, |(number, _)| *number);
    let missing = STEPS.iter().filter(|step| step.number > found);
    Ok(Schema {
        found,
        known: known(),
        oldest: oldest(connection, found).await?,
        missing: missing
            .map(|step| SchemaStep {
                number: step.number,
                oldest: step.oldest,
            })
            .collect(),
    })
}

/// The oldest schema whose programs may open the database.
async fn oldest(connection: &mut AnyConnection, found: i64) -> Result<i64, StoreError> {
    if found < STATE {
        // Programs of that time opened no schema but their own.
        return Ok(found);
    }
    let row = with(sql::STORE_STATE, cells![OLDEST])
        .fetch_optional(connection)
        .await?;
    row.map_or(Ok(found), |row| parse(&text(&row, 0)?))
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
    if step.number == TENANTS {
        for (table, column) in LEAVING {
            sqlx::raw_sql(AssertSqlSafe(dialect.leaving(table, column)))
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

fn hash(text: &str) -> String {
    tieout_domain::hexadecimal(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tieout_domain::{Clock, Timestamp};

    use super::*;
    use crate::testing::TestStore;
    use crate::{Seams, StoreOptions};

    /// The last schema before databases remembered who may open them.
    const OLDER: i64 = STATE - 1;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
    }

    fn seams() -> Seams {
        Seams::of(Arc::new(Noon))
    }

    /// A database as a program of then has left it.
    async fn older(options: &StoreOptions) {
        let store = Store::connect(options, seams(), &[]).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        sqlx::raw_sql(TABLE)
            .execute(&mut *transaction)
            .await
            .unwrap();
        for step in STEPS.iter().take_while(|step| step.number <= OLDER) {
            apply(&mut transaction, store.inner.dialect, step)
                .await
                .unwrap();
            let cells = cells![step.number, hash(step.text), 0_i64];
            with(RECORD, cells).execute(&mut transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
        store.close().await;
    }

    #[tokio::test]
    async fn a_file_is_brought_up_to_date_by_whoever_opens_it() {
        let database = TestStore::file();
        let options = StoreOptions::at(database.url());
        older(&options).await;
        let store = Store::open_with(&options, seams()).await.unwrap();
        let schema = store.schema().await.unwrap();
        assert_eq!((schema.found, schema.missing.len()), (known(), 0));
        store.close().await;
    }

    #[tokio::test]
    async fn on_a_server_what_shuts_others_out_waits_for_a_person() {
        let Some(database) = TestStore::on_server() else {
            return;
        };
        let options = StoreOptions::at(database.url());
        older(&options).await;
        let refused = Store::open_with(&options, seams()).await.unwrap_err();
        let (found, known) = (OLDER, known());
        assert_eq!(refused, StoreError::Older { found, known });

        let store = Store::open_as_it_is(&options, seams()).await.unwrap();
        let before = store.schema().await.unwrap();
        assert!(before.shuts_out());
        assert_eq!((before.found, before.oldest), (OLDER, OLDER));
        assert_eq!(store.migrate().await.unwrap(), before);
        let after = store.schema().await.unwrap();
        assert_eq!(after.found, known);
        assert!(after.missing.is_empty() && (STATE..=known).contains(&after.oldest));
        store.close().await;
        let store = Store::open_with(&options, seams()).await.unwrap();
        store.close().await;
    }

    #[test]
    fn steps_are_numbered_in_a_row_and_never_let_a_newer_program_alone_in() {
        for (step, number) in STEPS.iter().zip(1..) {
            assert_eq!(step.number, number);
            assert!(step.oldest <= step.number);
        }
        assert!(tables().any(|table| table == "entries"));
    }
}
