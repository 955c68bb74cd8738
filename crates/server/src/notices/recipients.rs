//! Who is told of what.

use serde_json::Value;
use tieout_desk::DeskError;
use tieout_domain::{ConnectionName, TenantName};
use tieout_store::Letter;

use super::event::{Event, Happened};
use super::{HOOK, MAIL};
use crate::app::App;
use crate::mail;

/// The preference that names who is told by mail.
const NOTIFY: &str = "miscellaneous.notify";

/// The addresses that a connection's mail goes to.
pub(super) fn addresses(app: &App, connection: &ConnectionName) -> Result<Vec<String>, DeskError> {
    let preferences = app.program.preferences(connection)?;
    let notify = preferences.iter().find(|one| one.entry.key == NOTIFY);
    let all = notify.and_then(|one| one.value.as_array());
    let texts = all.into_iter().flatten().filter_map(Value::as_str);
    Ok(texts.map(str::to_owned).collect())
}

/// The same, and whoever asked for what has come to its end: they may have left the page long ago.
pub(super) async fn with_asker(
    app: &App,
    tenant: Option<&TenantName>,
    event: &Event,
    to: &[String],
) -> Result<Vec<String>, DeskError> {
    let mut to = to.to_vec();
    let Event::ImportEnded(ended) = event else {
        return Ok(to);
    };
    let Some(asker) = ended.asked_by.strip_prefix("user:") else {
        return Ok(to);
    };
    let users = app.store.people().users().await?;
    let asker = users.into_iter().find(|user| user.name == asker);
    let asker = asker.filter(|user| !user.is_kept_out(app.clock.now()));
    // Whoever asked may be limited to other tenants by now.
    let asker = asker.filter(|user| user.reach().includes(tenant));
    if let Some(asker) = asker.filter(|it| !it.mail.is_empty() && !to.contains(&it.mail)) {
        to.push(asker.mail);
    }
    Ok(to)
}

/// The letters about something that happened: a mail to each of these addresses, and a body for each hook that asked
/// for it and is told of all these tenants.
pub(super) fn letters(
    app: &App,
    tenants: &[Option<TenantName>],
    happened: &Happened,
    to: &[String],
) -> Vec<Letter> {
    let public_url = app.outside.public_url.as_deref();
    let mut letters = Vec::new();
    if is_mailed(&happened.event) {
        let said = mail::said(happened, public_url);
        letters.extend(to.iter().map(|to| Letter {
            name: format!("mail/{to}/{}", happened.id),
            way: MAIL.to_owned(),
            target: to.clone(),
            body: said.to_body(),
        }));
    }
    for hook in app.outside.hooks.iter() {
        let told = tenants.iter().all(|it| hook.reach.includes(it.as_ref()));
        if told && hook.events.iter().any(|name| name == happened.name()) {
            letters.push(Letter {
                name: format!("hook/{}/{}", hook.name, happened.id),
                way: HOOK.to_owned(),
                target: hook.name.clone(),
                body: happened.to_json(public_url).to_string(),
            });
        }
    }
    letters
}

/// Whether people are told by mail: an exception that is gone is no reason to write.
fn is_mailed(event: &Event) -> bool {
    !matches!(event, Event::ExceptionClosed { .. })
}
