//! All that the rest of the program knows about a vendor: plain data and one function.

use secrecy::SecretString;
use serde_json::{Map, Value};
use tieout_domain::code::Code;
use tieout_domain::port::{Ports, Ways};
use tieout_domain::{Book, Kind, RemoteId, Side, SystemId};

use crate::Kit;
use crate::guide::Guide;
use crate::webhooks::Webhooks;

/// Makes a system's ports from its table in the configuration, a credential, and the seams.
pub type Connect = fn(&Map<String, Value>, Credential, Kit) -> Result<Ports, ConnectError>;

/// What a system makes of its table before there is a credential. Sends nothing.
pub type Understand = fn(&Map<String, Value>) -> Result<Understood, ConnectError>;

/// Where a person finds a record in the service's own pages, by its table and the record: as near as the service
/// documents it. `None` where its pages have no such record, or where a stand-in is in the service's place.
pub type Address = fn(&Map<String, Value>, Kind, &RemoteId) -> Option<String>;

/// A table, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Understood {
    /// Values in the one form in which they are kept, by key.
    pub kept: Vec<(&'static str, String)>,
    /// What follows from them, label and value, for a person to recognise: the host, the environment.
    pub follows: Vec<(&'static str, String)>,
}

/// A system.
pub struct System {
    /// Its name in configuration and output.
    pub id: SystemId,
    /// Its name for people.
    pub title: &'static str,
    /// Which side of a connection it is.
    pub side: Side,
    /// Which of the ledger's books it deals with; `None` for a ledger, which keeps them all.
    pub book: Option<Book>,
    /// What rules must know of it, for a platform.
    pub ways: Ways,
    /// Its README: verified quirks with their sources.
    pub manual: &'static str,
    /// The keys of its table in the configuration.
    pub settings: &'static [Setting],
    /// The kinds of credentials it takes, best first.
    pub credentials: &'static [CredentialKind],
    /// How a person comes by its credentials, and renews them.
    pub guides: &'static [Guide],
    /// Checks what a person gives before there is a credential, and says how it is understood.
    pub understand: Understand,
    /// How it tells of changes without being asked, if it does.
    pub webhooks: Option<Webhooks>,
    /// Makes the ports. Sends nothing yet: the first call signs in.
    pub connect: Connect,
    /// Where a person finds its records, if it has pages.
    pub address: Option<Address>,
    /// How many calls it allows in an hour, if it limits them so.
    pub calls_an_hour: Option<u32>,
}

/// A key of a system's table in the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key.
    pub name: &'static str,
    /// What to ask a person for.
    pub label: &'static str,
    /// Where a person finds it, or what it means.
    pub help: &'static str,
    /// Whether it must be there.
    pub required: bool,
}

/// A kind of credentials.
#[derive(Debug, Clone, Copy)]
pub struct CredentialKind {
    /// Its name: `netsuite-m2m`, `bill`.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [CredentialField],
}

/// A field of a credential.
#[derive(Debug, Clone, Copy)]
pub struct CredentialField {
    /// Its name in JSON.
    pub name: &'static str,
    /// The vendor's own label for it.
    pub label: &'static str,
    /// Whether it must never be shown.
    pub secret: bool,
    /// Whether it must be there.
    pub required: bool,
}

/// The day from which a credential no longer serves, where a person or a certificate tells it: every kind may
/// carry it.
pub const EXPIRES: CredentialField = CredentialField {
    name: "expires",
    label: "Expires on (YYYY-MM-DD, if known)",
    secret: false,
    required: false,
};

/// A credential in the clear, in memory that is wiped.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Its kind.
    pub kind: String,
    /// Its fields as a JSON object.
    pub fields: SecretString,
}

/// Why a connection can't even be tried: its settings or credentials are malformed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct ConnectError {
    /// Its code.
    pub code: Code,
    /// Which setting or field, and what was wrong with it.
    pub cause: String,
}
