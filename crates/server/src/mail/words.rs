//! The words of each mail.

use tieout_desk::import;
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;

use super::money;
use crate::notices::{Event, Happened, Waiting, title};

/// A mail before it has a form.
pub(super) struct Words {
    /// The subject.
    pub(super) subject: String,
    /// What it says, paragraph by paragraph.
    pub(super) paragraphs: Vec<String>,
    /// What the link does.
    pub(super) link: &'static str,
}

/// The words about something that happened.
pub(super) fn of(happened: &Happened) -> Words {
    let connection = happened.connection.as_ref();
    let connection = connection.map_or("tieout", ConnectionName::as_str);
    match &happened.event {
        Event::RunFailed { code, cause, .. } => Words {
            subject: format!("{connection}: runs fail: {}", title(code.as_ref())),
            paragraphs: vec![
                format!("A run of {connection} failed: {cause}"),
                to_do(&code.as_ref().map(Code::fix).unwrap_or_default()),
                "You are told once. The next mail about it comes when a run gets through again."
                    .to_owned(),
            ],
            link: "See the run",
        },
        Event::RunRecovered { .. } => Words {
            subject: format!("{connection}: runs get through again"),
            paragraphs: vec![format!(
                "A run of {connection} got through. Nothing is left to do."
            )],
            link: "See the run",
        },
        Event::ExceptionOpened(waiting) => Words {
            subject: format!("{connection}: {}", waiting.title()),
            paragraphs: vec![
                counted(waiting),
                waiting.cause.clone(),
                to_do(&waiting.fix()),
            ],
            link: "Fix it",
        },
        Event::ExceptionClosed { code, .. } => Words {
            subject: format!("{connection}: settled: {}", title(code.as_ref())),
            paragraphs: vec!["Nothing waits for this any more.".to_owned()],
            link: "See what waits",
        },
        Event::CredentialExpiring {
            name,
            expires,
            days_left,
        } => Words {
            subject: expiry(name, *days_left),
            paragraphs: vec![
                format!("{}. Its last day is {expires}.", expiry(name, *days_left)),
                format!(
                    "What to do: renew it with `tieout credentials rotate {name}`. No link is lost."
                ),
            ],
            link: "See the credentials",
        },
        Event::ImportEnded(ended) => Words {
            subject: format!("{connection}: the import of {} has ended", ended.list),
            paragraphs: vec![
                format!(
                    "The import of {} into {connection}, asked for by {}, has come to its end: {}.",
                    ended.list,
                    ended.asked_by,
                    import::summary(&ended.counts)
                ),
                "Nobody was mailed, reminded or charged for what was imported.".to_owned(),
            ],
            link: "See it record by record",
        },
        Event::Digest { waiting } => Words {
            subject: format!("{connection}: {} wait for a person", causes(waiting.len())),
            paragraphs: waiting
                .iter()
                .map(|one| format!("{}: {}", one.title(), counted(one)))
                .collect(),
            link: "See what waits",
        },
    }
}

fn to_do(fix: &str) -> String {
    format!("What to do: {fix}")
}

fn expiry(name: &str, days_left: i64) -> String {
    match days_left {
        ..0 => format!("credential {name} has expired"),
        0 => format!("credential {name} expires today"),
        1 => format!("credential {name} expires tomorrow"),
        days => format!("credential {name} expires in {days} days"),
    }
}

fn causes(count: usize) -> String {
    match count {
        1 => "1 cause".to_owned(),
        more => format!("{more} causes"),
    }
}

fn counted(waiting: &Waiting) -> String {
    let records = match waiting.count {
        1 => "1 record waits".to_owned(),
        more => format!("{more} records wait"),
    };
    if waiting.amounts.is_empty() {
        return records;
    }
    format!("{records}, worth {}", money(&waiting.amounts))
}
