//! Which user somebody is whom the provider knows.

use tieout_store::{NewUser, StoreError, User, UserEdit};

use super::refused::Refused;
use super::token::Identity;
use crate::app::App;
use crate::program::OpenId;

/// The user. At the first sign-in it is the one with their mail address, if the provider has seen that it is theirs;
/// from then on it is whoever the provider calls by the same subject, whatever their address.
pub(super) async fn found(
    app: &App,
    openid: &OpenId,
    identity: &Identity,
) -> Result<User, Refused> {
    let people = app.store.people();
    let subject = openid.subject(&identity.subject);
    if let Some(user) = people.user_by_subject(&subject).await? {
        if user.is_kept_out(app.clock.now()) {
            return unknown(&format!("{} may not sign in any more", user.name));
        }
        return Ok(user);
    }
    let Some(mail) = identity.mail.as_deref().filter(|_| identity.mail_verified) else {
        return unknown("the provider doesn't say that it has verified their mail address");
    };
    let users = people.users().await?;
    let mut same = users
        .into_iter()
        .filter(|user| user.mail.eq_ignore_ascii_case(mail));
    // Whoever is added by itself would be limited to no tenant, and see them all.
    let mut connections = app.program.connections().into_iter();
    let apart = connections.any(|connection| connection.tenant.is_some());
    let default_role = openid.default_role.filter(|_| !apart);
    match (same.next(), same.next(), default_role) {
        (Some(user), None, _) if user.is_kept_out(app.clock.now()) => {
            unknown(&format!("{} may not sign in any more", user.name))
        }
        (Some(user), None, _) if user.subject.is_none() => {
            let edit = UserEdit {
                subject: Some(subject),
                ..UserEdit::default()
            };
            Ok(people.change(&user.name, &edit, &user.actor()).await?)
        }
        (Some(user), None, _) => unknown(&format!(
            "{} has this mail address, and is somebody else for the provider",
            user.name
        )),
        (Some(_), Some(_), _) => unknown("several users have this mail address"),
        (None, _, None) => unknown("no user has this mail address"),
        (None, _, Some(role)) => {
            let name = mail.to_ascii_lowercase();
            let new = NewUser {
                display: identity.name.clone().unwrap_or_else(|| name.clone()),
                mail: mail.to_owned(),
                role,
                subject: Some(subject),
                until: None,
                name,
                tenants: Vec::new(),
            };
            let actor = format!("user:{}", new.name);
            match people.add(&new, None, &actor).await {
                Err(error @ (StoreError::NameUnfit { .. } | StoreError::UserExists { .. })) => {
                    unknown(&error.to_string())
                }
                added => Ok(added?),
            }
        }
    }
}

fn unknown<T>(cause: &str) -> Result<T, Refused> {
    Err(Refused::Unknown(cause.to_owned()))
}
