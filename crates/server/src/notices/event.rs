//! What others are told of.

use serde_json::{Value, json};
use tieout_desk::exceptions::Cause;
use tieout_desk::import::Ended;
use tieout_domain::code::Code;
use tieout_domain::{ConnectionName, Date, Money, Timestamp};
use tieout_store::RunId;

use crate::pages::parts::Address;

/// The names of all events, as the configuration and hooks have them.
pub const NAMES: [&str; 7] = [
    "run.failed",
    "run.recovered",
    "exception.opened",
    "exception.closed",
    "credential.expiring",
    "import.ended",
    "digest",
];

/// Something that others are told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Runs fail, for a reason that was not told of yet.
    RunFailed {
        /// The first of them.
        run: RunId,
        /// Why, where it has a code.
        code: Option<Code>,
        /// Why, in its words.
        cause: String,
    },
    /// Runs that failed get through again.
    RunRecovered {
        /// The first that did.
        run: RunId,
    },
    /// Records wait for a person, for a cause that was not told of yet.
    ExceptionOpened(Waiting),
    /// Nothing waits for this cause any more.
    ExceptionClosed {
        /// Its code.
        code: Option<Code>,
        /// What its records shared.
        group: String,
    },
    /// A credential will end soon.
    CredentialExpiring {
        /// Its name.
        name: String,
        /// Its last day.
        expires: Date,
        /// How many days that is from today.
        days_left: i64,
    },
    /// An import has come to its end.
    ImportEnded(Ended),
    /// What waits, once a day.
    Digest {
        /// The causes.
        waiting: Vec<Waiting>,
    },
}

/// A cause with all that waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its code.
    pub code: Option<Code>,
    /// What its records share.
    pub group: String,
    /// What the oldest of them says.
    pub cause: String,
    /// How many records.
    pub count: u64,
    /// What they are worth.
    pub amounts: Vec<Money>,
}

impl Waiting {
    /// Of a cause as the desk groups it.
    #[must_use]
    pub fn of(cause: &Cause) -> Self {
        Self {
            code: cause.code.clone(),
            group: cause.group.clone(),
            cause: cause
                .first()
                .map(|group| group.cause.clone())
                .unwrap_or_default(),
            count: cause.count(),
            amounts: cause.amounts(),
        }
    }

    /// What the code is called, for people.
    #[must_use]
    pub fn title(&self) -> String {
        title(self.code.as_ref())
    }

    /// What to do next.
    #[must_use]
    pub fn fix(&self) -> String {
        self.code.as_ref().map(Code::fix).unwrap_or_default()
    }

    fn to_json(&self) -> Value {
        json!({
            "code": self.code, "group": self.group, "title": self.title(), "cause": self.cause,
            "fix": self.fix(), "count": self.count, "amounts": self.amounts,
        })
    }
}

/// What a code is called, for people.
pub(crate) fn title(code: Option<&Code>) -> String {
    let page = code.and_then(Code::page);
    page.map_or_else(
        || code.map(ToString::to_string).unwrap_or_default(),
        |page| page.title().to_owned(),
    )
}

/// An event with where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// What it is about, once: receivers know by it what they had before.
    pub id: String,
    /// In which connection; `None` for what is the installation's.
    pub connection: Option<ConnectionName>,
    /// When it was noticed.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

impl Happened {
    /// The event's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.event {
            Event::RunFailed { .. } => "run.failed",
            Event::RunRecovered { .. } => "run.recovered",
            Event::ExceptionOpened(_) => "exception.opened",
            Event::ExceptionClosed { .. } => "exception.closed",
            Event::CredentialExpiring { .. } => "credential.expiring",
            Event::ImportEnded(_) => "import.ended",
            Event::Digest { .. } => "digest",
        }
    }

    /// Where a person does something about it: the address of a page, below the service's own.
    #[must_use]
    pub fn page(&self) -> String {
        let connection = self.connection.as_ref().map_or("", ConnectionName::as_str);
        let address = match &self.event {
            Event::RunFailed { run, .. } | Event::RunRecovered { run } => {
                Address::of(["runs", run.as_str()])
            }
            Event::ExceptionOpened(Waiting { code, group, .. })
            | Event::ExceptionClosed { code, group } => {
                let code = code.as_ref().map_or("", Code::as_str);
                Address::of(["exceptions", connection, "cause"])
                    .with("code", code)
                    .with("group", group)
            }
            Event::CredentialExpiring { .. } => Address::of(["credentials"]),
            Event::ImportEnded(ended) => {
                Address::of(["connections", connection, "imports", &ended.seq.to_string()])
            }
            Event::Digest { .. } => Address::of(["exceptions"]),
        };
        address.to_string()
    }

    /// The event as hooks carry it.
    #[must_use]
    pub fn to_json(&self, public_url: Option<&str>) -> Value {
        let data = match &self.event {
            Event::RunFailed { run, code, cause } => {
                let fix = code.as_ref().map(Code::fix).unwrap_or_default();
                json!({"run": run, "code": code, "cause": cause, "fix": fix})
            }
            Event::RunRecovered { run } => json!({ "run": run }),
            Event::ExceptionOpened(waiting) => waiting.to_json(),
            Event::ExceptionClosed { code, group } => json!({"code": code, "group": group}),
            Event::CredentialExpiring {
                name,
                expires,
                days_left,
            } => json!({"name": name, "expires": expires, "days_left": days_left}),
            Event::ImportEnded(ended) => json!({
                "import": ended.seq, "list": ended.list, "asked_by": ended.asked_by, "counts": ended.counts,
            }),
            Event::Digest { waiting } => {
                let waiting: Vec<Value> = waiting.iter().map(Waiting::to_json).collect();
                json!({ "waiting": waiting })
            }
        };
        json!({
            "id": self.id, "event": self.name(), "at": self.at, "connection": self.connection, "data": data,
            "link": public_url.map(|url| format!("{url}{}", self.page())),
        })
    }
}
