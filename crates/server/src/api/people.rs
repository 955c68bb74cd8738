//! People and their tokens, for administrators. Passwords and tokens are made on pages alone, where nothing keeps them.

use axum::Json;
use axum::routing::{delete, get, patch};
use http::{Method, StatusCode};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::{TenantName, Timestamp};
use tieout_store::UserEdit;

use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, instant, list, maybe, object, of, switch, text};
use super::taking::{Asked, Named, Nothing, Taken};
use crate::people::{Person, Role};
use crate::view::View;

/// What can be asked of people.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("listUsers", Method::GET, "/users"),
            "UserList",
            "All users: what they may do, and when they last signed in.",
            get(users),
        )
        .needs(Role::Admin),
        Operation::new(
            ("changeUser", Method::PATCH, "/users/{user}"),
            "User",
            "Changes a user's name, mail or role, or keeps one from signing in.",
            patch(change),
        )
        .needs(Role::Admin)
        .takes("UserChange")
        .refuses(StatusCode::CONFLICT),
        Operation::new(
            ("listTokens", Method::GET, "/tokens"),
            "TokenList",
            "All tokens, without their values: whose they are, what they may do, when they were last used.",
            get(tokens),
        )
        .needs(Role::Admin),
        Operation::new(
            ("revokeToken", Method::DELETE, "/tokens/{token}"),
            "TokenList",
            "Takes a token back at once. Says which are left.",
            delete(revoke),
        )
        .needs(Role::Admin),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let user = json!({
        "name": text(), "display": text(), "mail": text(), "role": of("Role"), "subject": maybe(text()),
        "disabled": switch(), "until": maybe(instant()), "created": instant(), "has_password": switch(), "signed_in": maybe(instant()),
        "tenants": list(text()),
    });
    let change = json!({
        "display": text(), "mail": text(), "role": of("Role"), "disabled": switch(), "until": maybe(instant()),
        "tenants": list(text()),
    });
    let mut change = object(
        change,
        &["display", "mail", "role", "disabled", "until", "tenants"],
    );
    change["example"] = json!({"display": "Ann Smith"});
    let token = json!({
        "name": text(), "user": text(), "scope": {"enum": ["read", "operate", "approve", "admin"]},
        "created": instant(), "expires": maybe(instant()), "used": maybe(instant()), "tenants": list(text()),
    });
    vec![
        (
            "Role",
            json!({"enum": ["viewer", "operator", "approver", "admin"]}),
        ),
        ("User", object(user, &[])),
        ("UserList", all_of("User")),
        ("UserChange", change),
        ("Token", object(token, &[])),
        ("TokenList", all_of("Token")),
    ]
}

async fn users(view: View, Asked(Nothing {}): Asked<Nothing>) -> Result<Json<Value>, Problem> {
    let users = view.whole()?.people().users().await?;
    Ok(Json(json!({ "items": users })))
}

/// What is to be changed; the rest stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserChange {
    display: Option<String>,
    mail: Option<String>,
    role: Option<Role>,
    disabled: Option<bool>,
    /// Null for one who stays.
    #[serde(default, deserialize_with = "present")]
    until: Option<Option<Timestamp>>,
    /// The tenants whose connections alone they see; none for everything.
    tenants: Option<Vec<TenantName>>,
}

/// Null is something else than nothing.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Timestamp>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

async fn change(
    view: View,
    person: Person,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(change): Taken<UserChange>,
) -> Result<Json<Value>, Problem> {
    let people = view.whole()?.people();
    if people.user(&name).await?.is_none() {
        let cause = format!("`{name}` is no user");
        return Err(Problem::missing(Code::new("user-missing"), cause));
    }
    let edit = UserEdit {
        display: change.display,
        mail: change.mail,
        role: change.role,
        disabled: change.disabled,
        until: change.until,
        tenants: change.tenants,
        ..UserEdit::default()
    };
    let user = people.change(&name, &edit, &person.actor()).await?;
    Ok(Json(json!(user)))
}

async fn tokens(view: View, Asked(Nothing {}): Asked<Nothing>) -> Result<Json<Value>, Problem> {
    let tokens = view.whole()?.people().tokens().await?;
    Ok(Json(json!({ "items": tokens })))
}

async fn revoke(
    view: View,
    person: Person,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let people = view.whole()?.people();
    let known = people.tokens().await?;
    if !known.iter().any(|token| token.name == name) {
        let cause = format!("`{name}` is no token");
        return Err(Problem::missing(Code::new("token-missing"), cause));
    }
    people.revoke_token(&name, &person.actor()).await?;
    let left = people.tokens().await?;
    Ok(Json(json!({ "items": left })))
}
