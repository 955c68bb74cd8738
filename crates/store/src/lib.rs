//! The memory of tieout.
//!
//! A [`Store`] is a database (SQLite, or PostgreSQL for several machines) that holds, for each connection:
//!
//! - its **history**: an append-only chain of [`Fact`]s, each entry hashed together with the one before it;
//! - its **state**: links, items, open writes, maps, decisions and runs, which are nothing but a fold of the
//!   history, kept beside it and written in the same transaction; [`Store::verify`] folds again and compares;
//! - its **mirror** of both sides' records, with the marks up to which they were read: a cache without
//!   history, which the remote systems can fill again at any time;
//! - its **work**: which records are due for another look, what services told of, and who holds the lease.
//!
//! Users, their sessions and tokens ([`People`]) are the installation's, and what proves who somebody is never
//! enters the history. Sealed credentials lie beside them; the key that opens them never does ([`Vault`]).
//!
//! Every statement is written once and runs on both databases; the few differences are in `dialect.rs`.
//! What is deliberately missing: a way to change or delete an entry of the history. Personal values can be
//! erased from it without breaking the chain ([`ConnectionStore::erase`]), and a connection that is given up can be
//! taken out as a whole, which the installation's history tells of ([`ConnectionStore::delete`]).

mod across;
mod address;
mod alive;
mod allowances;
mod answers;
mod backup;
mod batch;
mod browse;
mod catalogue;
mod chain;
mod claims;
mod commit;
mod copy;
mod credentials;
mod delete;
mod dialect;
mod erase;
mod error;
mod export;
mod facts;
mod fold;
mod frozen;
mod hint_log;
mod hints;
mod history;
mod lease;
mod migrate;
mod mirror;
mod moments;
mod nodes;
mod options;
mod outbox;
mod people;
mod pool;
mod private;
mod seams;
mod servers;
mod slots;
mod sql;
mod state;
mod status;
mod stops;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod turns;
mod vault;
mod verify;
mod views;
mod wakes;
mod witness;

pub use across::{Among, Pulses};
pub use allowances::Taken;
pub use answers::{Answered, Earlier};
pub use backup::Backup;
pub use browse::{EntryFilter, Tally};
pub use claims::Claim;
pub use copy::{Copied, CopiedTable};
pub use credentials::{CredentialRow, Credentials, Kept};
pub use delete::{Deleted, Size};
pub use error::StoreError;
pub use export::{Export, Exported, Sealed};
pub use facts::{Commit, Due, Fact, MapStatus, RecordChange, RecordRef, RunId, Settled};
pub use frozen::frozen_name;
pub use hint_log::HintLog;
pub use hints::{HintsSeen, NewHint};
pub use lease::Lease;
pub use migrate::{Schema, SchemaStep};
pub use moments::Moments;
pub use nodes::{Beat, Drain, Node};
pub use options::{STATEMENT_MAX, StoreOptions};
pub use outbox::{Heard, Letter, Letters, Outgoing};
pub use people::{
    ApiToken, Approval, ApprovalDecision, ApprovalStatus, Asked, Attempt, NewToken, NewUser,
    PASSWORD_MIN, PasswordHash, People, Role, Scope, Session, SessionLimits, TokenChange, User,
    UserChange, UserEdit,
};
pub use seams::{Salts, Seams, Turn, Watch};
pub use slots::{SlotsAsked, SlotsHeld};
pub use status::StoreStatus;
pub use stops::{Stop, StopKind};
pub use store::{ConnectionStore, InstallationStore, Store};
pub use vault::{KeySource, Vault};
pub use views::{
    ChainHead, CurrencyTotal, Decision, Entry, ExceptionGroup, Item, ItemFilter, Known, Link,
    MapEntry, MarkedBill, Mirrored, OpenWrite, RunRow, SAMPLE_MAX, Totals, Verification,
    VerificationFault, WriteStatus,
};
pub use wakes::Wakes;
