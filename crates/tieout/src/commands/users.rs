//! `tieout users`: who may use the pages and the API, and as what. The first one is made here.

use std::io::{BufRead as _, IsTerminal as _};

use clap::{Args, Subcommand};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tieout_desk::users;
use tieout_domain::code::Code;
use tieout_domain::{Clock as _, TenantName};
use tieout_store::{NewUser, PasswordHash, Role, User, UserEdit};
use zeroize::Zeroizing;

use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::seams::WallClock;

/// What `users` takes.
#[derive(Debug, Args)]
pub struct UsersArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Adds a user; the password is asked for, or is the first line of standard input.
    Add {
        /// What they sign in with: lower-case letters, digits and `.`, `_`, `-`, `@`, `+`.
        name: String,
        /// What they may do: viewer, operator, approver or admin, each with all that those before it may.
        #[arg(long)]
        role: Role,
        /// What people call them; the name if nothing is said.
        #[arg(long, value_name = "TEXT")]
        display: Option<String>,
        /// Their mail address.
        #[arg(long, value_name = "ADDRESS", default_value = "")]
        mail: String,
        /// Their last day (UTC), for somebody who is here for a while: support, an auditor.
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
        /// They see and touch the connections of this tenant alone; again for another one. Everything if none is named.
        #[arg(long = "tenant", value_name = "NAME")]
        tenants: Vec<TenantName>,
        /// They sign in by the identity provider alone, which knows them by the mail address.
        #[arg(long, requires = "mail")]
        no_password: bool,
    },
    /// Lists users, their roles, and when they last signed in.
    List,
    /// Changes a user. Another role, a new password or disabling ends their sessions.
    Change(ChangeArgs),
    /// Removes a user, their sessions and tokens; what they did stays in the history.
    Remove {
        /// Which.
        name: String,
    },
    /// Takes the name, the mail and the identity provider's subject of somebody who was removed out of the history,
    /// which still verifies.
    Erase {
        /// What they signed in with. It stays where it says who did what.
        name: String,
    },
}

#[derive(Debug, Args)]
struct ChangeArgs {
    /// Which.
    name: String,
    /// What they may do from now on.
    #[arg(long)]
    role: Option<Role>,
    /// What people call them.
    #[arg(long, value_name = "TEXT")]
    display: Option<String>,
    /// Their mail address.
    #[arg(long, value_name = "ADDRESS")]
    mail: Option<String>,
    /// Give them a new password, which is asked for, or is the first line of standard input.
    #[arg(long)]
    password: bool,
    /// Keep them from signing in.
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Let them sign in again.
    #[arg(long)]
    enable: bool,
    /// End all of their sessions.
    #[arg(long)]
    sign_out: bool,
    /// Their last day (UTC); `never` for somebody who stays.
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// They see and touch the connections of this tenant alone, and no more those of others; again for another one.
    #[arg(long = "tenant", value_name = "NAME", conflicts_with = "all_tenants")]
    tenants: Vec<TenantName>,
    /// They see and touch everything.
    #[arg(long)]
    all_tenants: bool,
    /// By what the identity provider knows them (its `sub`), where it tells no mail address that it has verified; empty
    /// to part them from it.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
}

/// Carries out the action.
pub async fn run(global: &Global, args: &UsersArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.action {
        Action::Add {
            name,
            role,
            display,
            mail,
            until,
            tenants,
            no_password,
        } => {
            let new = NewUser {
                name: name.clone(),
                display: display.clone().unwrap_or_else(|| name.clone()),
                mail: mail.clone(),
                role: *role,
                subject: None,
                until: until.as_deref().map(users::until).transpose()?,
                tenants: tenants.clone(),
            };
            known(&home, tenants)?;
            let password = match no_password {
                true => None,
                false => Some(new_password(&home, name)?),
            };
            let people = home.store.people();
            let added = people.add(&new, password.as_ref(), &actor()).await?;
            tell(global, &added);
        }
        Action::List => list(global, &home).await?,
        Action::Change(args) => tell(global, &change(&home, args).await?),
        Action::Remove { name } => {
            home.store.people().remove(name, &actor()).await?;
            if global.json {
                output::json(&json!({"removed": name}));
            }
        }
        Action::Erase { name } => {
            let entries = home.store.people().erase(name, &actor()).await?;
            if global.json {
                output::json(&json!({"erased": name, "entries": entries}));
            } else if !global.quiet {
                output::line(&format!(
                    "the name, mail and subject of {name} are erased from {entries} entries; `{name}` stays where it says \
                     who did what"
                ));
            }
        }
    }
    Ok(Exit::Done)
}

async fn change(home: &Home, args: &ChangeArgs) -> Result<User, Failure> {
    let people = home.store.people();
    let off_or_on = (args.disable || args.enable).then_some(args.disable);
    let edit = UserEdit {
        display: args.display.clone(),
        mail: args.mail.clone(),
        role: args.role,
        subject: subject(home, args.subject.as_deref())?,
        disabled: off_or_on,
        until: match args.until.as_deref() {
            None => None,
            Some("never") => Some(None),
            Some(day) => Some(Some(users::until(day)?)),
        },
        tenants: (args.all_tenants || !args.tenants.is_empty()).then(|| args.tenants.clone()),
    };
    known(home, &args.tenants)?;
    if edit == UserEdit::default() && !args.password && !args.sign_out {
        let cause = "say what to change: --role, --display, --mail, --password, --disable, --enable, --until, --tenant, --all-tenants, --subject or --sign-out";
        return Err(Failure::usage(Code::new("usage"), cause));
    }
    // Nothing is changed for somebody whose new password is refused.
    let password = if args.password {
        Some(new_password(home, &args.name)?)
    } else {
        None
    };
    let user = people.change(&args.name, &edit, &actor()).await?;
    if let Some(password) = password {
        people
            .set_password(&args.name, &password, None, &actor())
            .await?;
        // Whoever has forgotten it need not wait with the new one.
        people.clear_attempts(&user.actor()).await?;
    }
    if args.sign_out {
        people.sign_out(&args.name, &actor()).await?;
    }
    Ok(user)
}

/// Refuses tenants that no connection belongs to: a name that is mistyped would show somebody nothing, and who comes to
/// have that name later would be seen by them.
fn known(home: &Home, tenants: &[TenantName]) -> Result<(), Failure> {
    let unknown = |it: &&TenantName| home.config.of_tenant(it).is_empty();
    match tenants.iter().find(unknown) {
        None => Ok(()),
        Some(tenant) => Err(super::tenants::unknown(tenant)),
    }
}

/// Who somebody is for the identity provider, as the store keeps it.
fn subject(home: &Home, given: Option<&str>) -> Result<Option<String>, Failure> {
    match (given, &home.config.openid) {
        (None, _) => Ok(None),
        (Some(""), _) => Ok(Some(String::new())),
        (Some(subject), Some(openid)) => Ok(Some(openid.provider.subject(subject))),
        (Some(_), None) => {
            let cause = "`[server.openid]` names no identity provider that could know them";
            Err(Failure::usage(Code::new("usage"), cause))
        }
    }
}

/// A password from a prompt, twice, or from the first line of standard input.
fn new_password(home: &Home, name: &str) -> Result<PasswordHash, Failure> {
    let password = if std::io::stdin().is_terminal() {
        let first = prompt("Password (at least 12 characters): ")?;
        let second = prompt("The same once more: ")?;
        if first.expose_secret() != second.expose_secret() {
            let cause = "the two passwords are not the same";
            return Err(Failure::usage(Code::new("password-unfit"), cause));
        }
        first
    } else {
        let mut line = Zeroizing::new(String::new());
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|error| unread(&error))?;
        line.trim_end_matches(['\r', '\n']).into()
    };
    Ok(home.store.hash_password(name, &password)?)
}

fn prompt(label: &str) -> Result<SecretString, Failure> {
    rpassword::prompt_password(label)
        .map(SecretString::from)
        .map_err(|error| unread(&error))
}

fn unread(error: &std::io::Error) -> Failure {
    let cause = format!("can't read the password: {error}");
    Failure::failed(Code::new("file"), cause)
}

fn as_json(user: &User) -> Value {
    json!({
        "name": user.name, "display": user.display, "mail": user.mail, "role": user.role,
        "disabled": user.disabled, "until": user.until, "subject": user.subject, "tenants": user.tenants, "created": user.created, "signed_in": user.signed_in,
    })
}

fn tell(global: &Global, user: &User) {
    if global.json {
        output::json(&as_json(user));
    } else if !global.quiet {
        let standing = users::standing(user, WallClock.now());
        output::line(&format!("{}: {}, {standing}", user.name, user.role));
    }
}

/// To which they are limited; nothing for everybody else.
fn tenants(tenants: &[TenantName]) -> String {
    let names: Vec<_> = tenants.iter().map(TenantName::as_str).collect();
    names.join(", ")
}

async fn list(global: &Global, home: &Home) -> Result<(), Failure> {
    let all = home.store.people().users().await?;
    if global.json {
        let users: Vec<_> = all.iter().map(as_json).collect();
        output::json(&json!({ "users": users }));
        return Ok(());
    }
    let moment =
        |at: Option<tieout_domain::Timestamp>| at.map(|at| format!("{at:.0}")).unwrap_or_default();
    let now = WallClock.now();
    let rows = all
        .into_iter()
        .map(|user| {
            let state = users::standing(&user, now);
            vec![
                user.name,
                user.display,
                user.mail,
                user.role.to_string(),
                tenants(&user.tenants),
                state,
                moment(Some(user.created)),
                moment(user.signed_in),
            ]
        })
        .collect();
    output::line(&output::table(
        &[
            "name",
            "called",
            "mail",
            "role",
            "tenants",
            "state",
            "since",
            "last signed in",
        ],
        rows,
        &[],
    ));
    Ok(())
}
