//! What people give while two systems are connected.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::Redirect;
use tieout_desk::checks::{self, Looked};
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;

use super::super::PageError;
use super::super::credentials::entry;
use super::super::fields::Fields;
use super::side::{SETTING, SYSTEM};
use super::{address, connects, named, start_address};
use crate::people::{Person, Role};
use crate::view::View;

/// Who may, on which one.
fn may(person: &Person, name: &str) -> Result<ConnectionName, PageError> {
    person.must(Role::Admin)?;
    named(name)
}

fn back(name: &ConnectionName, done: &str) -> Redirect {
    Redirect::to(&address(name).with("done", done).to_string())
}

pub(super) async fn settings(
    view: View,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let name = may(&person, &name)?;
    let values: BTreeMap<_, _> = fields
        .with_prefix(SETTING)
        .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        .collect();
    let (system, by) = (fields.get(SYSTEM), person.actor());
    connects(&view)?
        .settings(&name, system, &values, &by)
        .await?;
    Ok(back(&name, "settings"))
}

/// One that is sealed already; another where none is named.
pub(super) async fn credential(
    view: View,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let name = may(&person, &name)?;
    let (system, by) = (fields.get(SYSTEM), person.actor());
    let chosen = fields.given("credential");
    connects(&view)?
        .use_credential(&name, system, chosen, &by)
        .await?;
    Ok(back(&name, chosen.map_or("", |_| "signed-in")))
}

pub(super) async fn enter(
    view: View,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let name = may(&person, &name)?;
    let connects = connects(&view)?;
    let (system, kind, by) = (fields.get(SYSTEM), fields.get("kind"), person.actor());
    let kinds = view.program.credential_kinds();
    let known = kinds.iter().find(|known| known.name == kind);
    let known = known.ok_or_else(|| {
        let cause = format!("`{kind}` is no kind of credential");
        PageError::usage(Code::new("credential-kind"), cause)
    })?;
    let value = entry::sent(&known.fields, &fields);
    connects
        .enter_credential(&name, system, kind, value, &by)
        .await?;
    Ok(back(&name, "signed-in"))
}

pub(super) async fn key(
    view: View,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let name = may(&person, &name)?;
    let (system, kind, by) = (fields.get(SYSTEM), fields.get("kind"), person.actor());
    connects(&view)?
        .make_certificate(&name, system, kind, &by)
        .await?;
    Ok(back(&name, "key"))
}

pub(super) async fn choose(
    view: View,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let name = may(&person, &name)?;
    let (system, value, by) = (fields.get(SYSTEM), fields.get("value"), person.actor());
    connects(&view)?.choose(&name, system, value, &by).await?;
    Ok(back(&name, "chosen"))
}

/// Stores it, and looks for everything that can be wrong with it.
pub(super) async fn store(
    view: View,
    person: Person,
    Path(name): Path<String>,
    _: Fields,
) -> Result<Redirect, PageError> {
    let name = may(&person, &name)?;
    let by = person.actor();
    connects(&view)?.store(&name, &by).await?;
    let looked = Looked {
        checks: view.program.examine(&name).await?,
        at: view.clock.now(),
        by,
    };
    checks::keep(&view.store.connection(&name)?, &looked).await?;
    Ok(back(&name, "stored"))
}

pub(super) async fn abandon(
    view: View,
    person: Person,
    Path(name): Path<String>,
    _: Fields,
) -> Result<Redirect, PageError> {
    let name = may(&person, &name)?;
    connects(&view)?.abandon(&name, &person.actor()).await?;
    let back = start_address().with("done", "given-up");
    Ok(Redirect::to(&back.to_string()))
}
