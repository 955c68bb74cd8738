//! The history: how an entry is sealed, hashed and read back.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use tieout_domain::Timestamp;

use crate::facts::{Fact, RecordRef, RunId};
use crate::private;
use crate::sql::{Cell, cells, count, int, maybe_int, maybe_text, parse, text};
use crate::{Entry, StoreError};

/// Changes whenever the canonical form of an entry does.
pub(crate) const VERSION: &str = "tieout-entry-1";

/// The chain of the installation. No connection can have this name.
pub(crate) const INSTALLATION: &str = "(installation)";

/// An entry as it lies in the database, apart from its chain and its hash.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) seq: u64,
    pub(crate) at_us: i64,
    pub(crate) actor: String,
    pub(crate) run: Option<String>,
    pub(crate) fact: String,
    pub(crate) flow: Option<String>,
    pub(crate) record: Option<String>,
    pub(crate) body: String,
}

impl Envelope {
    /// The hash of the entry and, with it, of all before it. Each part is preceded by its length, so that no
    /// two entries have one form.
    pub(crate) fn hash(&self, chain: &str, before: &str) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: Option<&str>| match text {
            Some(text) => {
                hash.update(text.len().to_string());
                hash.update(":");
                hash.update(text);
            }
            None => hash.update("-"),
        };
        part(Some(VERSION));
        part(Some(before));
        part(Some(chain));
        part(Some(&self.seq.to_string()));
        part(Some(&self.at_us.to_string()));
        part(Some(&self.actor));
        part(self.run.as_deref());
        part(Some(&self.fact));
        part(self.flow.as_deref());
        part(self.record.as_deref());
        part(Some(&self.body));
        tieout_domain::hexadecimal(&hash.finalize())
    }

    pub(crate) fn cells(self, chain: &str, hash: &str) -> Vec<Cell> {
        cells![
            chain,
            self.seq,
            self.at_us,
            self.actor,
            self.run,
            self.fact,
            self.flow,
            self.record,
            self.body,
            hash
        ]
    }
}

/// The fact's canonical JSON with its personal values taken out, and those values by place.
pub(crate) fn seal(fact: &Fact, salt: &str) -> (String, Map<String, Value>) {
    let mut body = serde_json::to_value(fact).expect("facts serialise to JSON");
    // What these tell is about the installation, and a name in them names no person.
    let impersonal = matches!(fact, Fact::Credential { .. } | Fact::Preference { .. });
    let also = match fact {
        Fact::User { .. } => &private::OF_A_USER[..],
        _ => &[],
    };
    let kept = if impersonal {
        Map::new()
    } else {
        private::seal(&mut body, salt, also)
    };
    (body.to_string(), kept)
}

/// An entry's row, read but not yet understood.
pub(crate) struct Stored {
    pub(crate) envelope: Envelope,
    pub(crate) hash: String,
    private: Private,
}

enum Private {
    /// No personal values.
    None,
    Kept {
        salt: String,
        values: String,
    },
    Erased,
}

impl Stored {
    pub(crate) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let private = match (
            maybe_int(row, 9)?,
            maybe_text(row, 10)?,
            maybe_text(row, 11)?,
        ) {
            (None, ..) => Private::None,
            (Some(_), Some(salt), Some(values)) => Private::Kept { salt, values },
            (Some(_), ..) => Private::Erased,
        };
        Ok(Self {
            envelope: Envelope {
                seq: count(row, 0)?,
                at_us: int(row, 1)?,
                actor: text(row, 2)?,
                run: maybe_text(row, 3)?,
                record: maybe_text(row, 4)?,
                body: text(row, 5)?,
                fact: text(row, 7)?,
                flow: maybe_text(row, 8)?,
            },
            hash: text(row, 6)?,
            private,
        })
    }

    /// Whether its personal values were erased.
    pub(crate) fn erased(&self) -> bool {
        matches!(self.private, Private::Erased)
    }

    /// What is wrong with its personal values, if anything is.
    pub(crate) fn private_fault(&self) -> Option<String> {
        let Ok(body) = serde_json::from_str::<Value>(&self.envelope.body) else {
            return Some("its body is no JSON".to_owned());
        };
        match &self.private {
            Private::None if private::count(&body) > 0 => Some(
                "its personal values are missing, and nothing says that they were erased"
                    .to_owned(),
            ),
            Private::Kept { salt, values } => {
                let kept = serde_json::from_str::<Map<String, Value>>(values).ok();
                let agrees = kept.is_some_and(|kept| private::agrees(&body, salt, &kept));
                (!agrees).then(|| "its personal values are not those that were recorded".to_owned())
            }
            _ => None,
        }
    }

    /// The fact, with its personal values or with `[erased]` in their places.
    pub(crate) fn fact(&self) -> Result<Fact, StoreError> {
        let mut body: Value = crate::sql::json(&self.envelope.body)?;
        match &self.private {
            Private::None => {}
            Private::Kept { values, .. } => private::reveal(&mut body, crate::sql::json(values)?),
            Private::Erased => private::reveal_erased(&mut body),
        }
        serde_json::from_value(body).map_err(|error| {
            StoreError::corrupt(format!(
                "entry {} can't be read: {error}",
                self.envelope.seq
            ))
        })
    }

    /// The entry as the store's callers see it.
    pub(crate) fn entry(self, chain: &str) -> Result<Entry, StoreError> {
        let fact = self.fact()?;
        let record: Option<RecordRef> = self.envelope.record.as_deref().map(parse).transpose()?;
        Ok(Entry {
            chain: chain.to_owned(),
            seq: self.envelope.seq,
            at: moment(self.envelope.at_us)?,
            actor: self.envelope.actor,
            run: self.envelope.run.map(RunId::new),
            record,
            fact,
            erased: matches!(self.private, Private::Erased),
            hash: self.hash,
        })
    }
}

/// The moment of so many microseconds since 1970.
pub(crate) fn moment(us: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(us)
        .map_err(|error| StoreError::corrupt(format!("{us} is no moment: {error}")))
}
