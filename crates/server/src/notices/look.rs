//! One look: what is new since others were told last.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use tieout_desk::DeskError;
use tieout_desk::exceptions::{Cause, causes};
use tieout_desk::import;
use tieout_domain::code::Code;
use tieout_domain::{ConnectionName, Date, TenantName, Timestamp};
use tieout_store::{Among, Entry, Fact, Heard, Letter, RunId};

use super::event::{Event, Happened, Waiting};
use super::recipients::{addresses, letters, with_asker};
use crate::app::App;
use crate::program::{ConnectionInfo, CredentialInfo};

/// How many entries are read at once.
const PAGE: u32 = 500;
/// The word of a run's end in the history.
const RUN_ENDED: &str = "run-ended";
/// The days before a credential's end on which people are told.
const DAYS_LEFT: [i64; 6] = [60, 30, 14, 7, 3, 1];
/// The hour of the company's day at which the digest is made.
const DIGEST_HOUR: i8 = 7;

/// What was looked at and need not be looked at again soon. A process that begins anew looks at all of it.
#[derive(Debug, Default)]
pub struct Looked {
    /// How long each history was when the ends of its runs were looked for.
    heads: BTreeMap<ConnectionName, u64>,
    digests: BTreeMap<ConnectionName, Date>,
    credentials: Option<Date>,
}

impl Looked {
    /// Whether a history may have something that others have not heard: one of which nobody has been told anything has,
    /// and one that has grown since they were told and since it was looked at.
    fn may_have_news(&self, name: &ConnectionName, heard: Option<&(u64, u64)>) -> bool {
        let seen = self.heads.get(name).copied().unwrap_or_default();
        heard.is_none_or(|(seq, head)| head > seq && *head > seen)
    }
}

/// How many digests are made in one look: where ten thousand are due at the same hour, they go out over the next
/// half an hour.
const DIGESTS: usize = 200;

/// Looks at every connection that may have something new and at every credential, and puts what is new into the outbox.
///
/// # Errors
/// The first connection's that could not be looked at; the others were looked at all the same.
pub async fn look(app: &App, looked: &mut Looked) -> Result<(), DeskError> {
    let mut first = Ok(());
    let connections = app.program.connections();
    // One question over all of them: where nothing is new, nothing more is asked.
    let heard = app.store.heard_of_all().await?;
    for connection in &connections {
        let name = &connection.name;
        let of = heard.get(name.as_str());
        if !looked.may_have_news(name, of) {
            continue;
        }
        let told = of_connection(app, connection).await;
        if told.is_ok()
            && let Some((_, head)) = of
        {
            looked.heads.insert(name.clone(), *head);
        }
        first = first.and(told);
    }
    first = first.and(digests(app, looked, &connections).await);
    first.and(of_credentials(app, looked, &connections).await)
}

async fn of_connection(app: &App, connection: &ConnectionInfo) -> Result<(), DeskError> {
    let store = app.store.connection(&connection.name);
    let heard = app.store.heard(connection.name.as_str()).await?;
    let after = heard.as_ref().map_or(0, |heard| heard.seq);
    let ends = ends(app, connection, after).await?;
    let first = heard.is_none();
    if first || !ends.is_empty() {
        let waiting = causes(&store, false).await?;
        let (now, mut events) = news(heard.as_ref(), &ends, &waiting);
        let imports = import::ended_after(&store, after).await?;
        // What ended since the last run did is told with the next.
        let imports = imports.into_iter().filter(|ended| ended.seq <= now.seq);
        events.extend(imports.map(Event::ImportEnded));
        // What was so before anybody was to be told is no news.
        let events = if first { Vec::new() } else { events };
        let letters = told(app, connection, now.seq, events).await?;
        let chain = connection.name.as_str();
        app.store
            .hear(chain, heard.as_ref(), &now, &letters)
            .await?;
    }
    Ok(())
}

/// The ends of runs since.
async fn ends(app: &App, connection: &ConnectionInfo, after: u64) -> Result<Vec<Entry>, DeskError> {
    let store = app.store.connection(&connection.name);
    let mut all = Vec::new();
    let mut after = after;
    loop {
        let page = store.entries_of(RUN_ENDED, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = last.seq;
        all.extend(page);
    }
}

/// How far others have heard then, and what is new to them.
fn news(heard: Option<&Heard>, ends: &[Entry], waiting: &[Cause]) -> (Heard, Vec<Event>) {
    let before = heard.cloned().unwrap_or_default();
    let mut now = Heard {
        seq: ends.last().map_or(before.seq, |end| end.seq),
        open: BTreeSet::new(),
    };
    let mut events = Vec::new();
    let known_failures = before.open.iter().filter(|name| name.starts_with(FAILED));
    let mut failing: BTreeSet<String> = known_failures.cloned().collect();
    for end in ends {
        let Fact::RunEnded {
            status,
            cause,
            codes,
            ..
        } = &end.fact
        else {
            continue;
        };
        let run = end.run.clone().unwrap_or_else(|| RunId::new(""));
        if status == "failed" {
            let code = codes.first().cloned();
            let name = code.as_ref().map_or("", Code::as_str);
            if failing.insert(format!("{FAILED}{name}")) {
                let cause = cause.clone();
                events.push(Event::RunFailed { run, code, cause });
            }
        } else if !failing.is_empty() {
            failing.clear();
            events.push(Event::RunRecovered { run });
        }
    }
    now.open.extend(failing);
    for cause in waiting {
        let name = name_of(cause.code.as_ref(), &cause.group);
        if !before.open.contains(&name) {
            events.push(Event::ExceptionOpened(Waiting::of(cause)));
        }
        now.open.insert(name);
    }
    for name in before.open.difference(&now.open) {
        if let Some((code, group)) = named(name) {
            events.push(Event::ExceptionClosed { code, group });
        }
    }
    (now, events)
}

/// What stands before the code of failing runs, among what is open.
const FAILED: &str = "run ";
/// What stands before the code and the group of an exception there.
const EXCEPTION: &str = "exception ";

fn name_of(code: Option<&Code>, group: &str) -> String {
    format!("{EXCEPTION}{} {group}", code.map_or("", Code::as_str))
}

fn named(name: &str) -> Option<(Option<Code>, String)> {
    let (code, group) = name.strip_prefix(EXCEPTION)?.split_once(' ')?;
    let code = (!code.is_empty()).then(|| Code::from_text(code));
    Some((code, group.to_owned()))
}

/// The letters about these events. The number of the entry up to which was looked tells an exception that opens
/// again from the one before.
async fn told(
    app: &App,
    connection: &ConnectionInfo,
    seq: u64,
    events: Vec<Event>,
) -> Result<Vec<Letter>, DeskError> {
    let to = addresses(app, &connection.name)?;
    let at = app.clock.now();
    let mut all = Vec::new();
    for (index, event) in events.into_iter().enumerate() {
        let id = format!("{}/{seq}/{index}", connection.name);
        let happened = happened(id, Some(&connection.name), at, event);
        let tenant = &connection.tenant;
        let to = with_asker(app, tenant.as_ref(), &happened.event, &to).await?;
        all.extend(letters(app, slice::from_ref(tenant), &happened, &to));
    }
    Ok(all)
}

fn happened(
    id: String,
    connection: Option<&ConnectionName>,
    at: Timestamp,
    event: Event,
) -> Happened {
    Happened {
        id,
        connection: connection.cloned(),
        at,
        event,
    }
}

/// What waits, once a day, in the morning of the company's day; nothing where nothing waits.
async fn digests(
    app: &App,
    looked: &mut Looked,
    connections: &[ConnectionInfo],
) -> Result<(), DeskError> {
    let at = app.clock.now();
    let due = |connection: &&ConnectionInfo| {
        let local = at.to_zoned(connection.time_zone.clone());
        let made = looked.digests.get(&connection.name);
        local.hour() >= DIGEST_HOUR && made != Some(&local.date())
    };
    let due: Vec<_> = connections.iter().filter(due).collect();
    if due.is_empty() {
        return Ok(());
    }
    let waiting = app.store.waiting_for_people(Among::All).await?;
    let (mut first, mut made) = (Ok(()), 0);
    for connection in due {
        let name = &connection.name;
        let today = at.to_zoned(connection.time_zone.clone()).date();
        if waiting.contains_key(name) {
            made += 1;
            if made > DIGESTS {
                continue;
            }
            let told = digest(app, connection, today).await;
            let failed = told.is_err();
            first = first.and(told);
            if failed {
                continue;
            }
        }
        looked.digests.insert(name.clone(), today);
    }
    first
}

async fn digest(app: &App, connection: &ConnectionInfo, today: Date) -> Result<(), DeskError> {
    let store = app.store.connection(&connection.name);
    let waiting: Vec<Waiting> = causes(&store, false)
        .await?
        .iter()
        .map(Waiting::of)
        .collect();
    if !waiting.is_empty() {
        let id = format!("{}/digest/{today}", connection.name);
        let event = Event::Digest { waiting };
        let happened = happened(id, Some(&connection.name), app.clock.now(), event);
        let to = addresses(app, &connection.name)?;
        let of = slice::from_ref(&connection.tenant);
        let letters = letters(app, of, &happened, &to);
        app.store.put_letters(&letters).await?;
    }
    Ok(())
}

/// Whose a credential is: every tenant's whose connections use it, and the installation's where it uses it itself, or
/// nobody does.
fn tenants(credential: &CredentialInfo, connections: &[ConnectionInfo]) -> Vec<Option<TenantName>> {
    let used = |it: &&ConnectionInfo| credential.used_by.contains(&it.name);
    let used = connections.iter().filter(used);
    let mut tenants: Vec<_> = used.map(|it| it.tenant.clone()).collect();
    if tenants.is_empty() || !credential.serves.is_empty() {
        tenants.push(None);
    }
    tenants
}

/// Credentials that end soon, once for each of the days on which people are told.
async fn of_credentials(
    app: &App,
    looked: &mut Looked,
    connections: &[ConnectionInfo],
) -> Result<(), DeskError> {
    let at = app.clock.now();
    let today = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    if looked.credentials == Some(today) {
        return Ok(());
    }
    for credential in app.program.credentials().await? {
        let (Some(expires), Some(days_left)) = (credential.expires, credential.days_left) else {
            continue;
        };
        let Some(step) = DAYS_LEFT.into_iter().rev().find(|days| days_left <= *days) else {
            continue;
        };
        let mut to = BTreeSet::new();
        for connection in &credential.used_by {
            to.extend(addresses(app, connection)?);
        }
        let tenants = tenants(&credential, connections);
        let row = &credential.row;
        let id = format!("credential/{}/{}/{step}", row.name, row.version);
        let event = Event::CredentialExpiring {
            name: row.name.clone(),
            expires,
            days_left,
        };
        let to: Vec<String> = to.into_iter().collect();
        let letters = letters(app, &tenants, &happened(id, None, at, event), &to);
        app.store.put_letters(&letters).await?;
    }
    looked.credentials = Some(today);
    Ok(())
}
