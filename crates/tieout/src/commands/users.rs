//! `tieout users`: who may use the pages and the API, and as what. The first one is made here.

use std::io::{BufRead as _, IsTerminal as _};

use clap::{Args, Subcommand};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_store::{NewUser, PasswordHash, Role, User, UserEdit};
use zeroize::Zeroizing;

use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

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
        } => {
            let new = NewUser {
                name: name.clone(),
                display: display.clone().unwrap_or_else(|| name.clone()),
                mail: mail.clone(),
                role: *role,
                subject: None,
            };
            let password = new_password(&home, name)?;
            let people = home.store.people();
            let added = people.add(&new, Some(&password), &actor()).await?;
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
        subject: None,
        disabled: off_or_on,
    };
    if edit == UserEdit::default() && !args.password && !args.sign_out {
        let cause = "say what to change: --role, --display, --mail, --password, --disable, --enable or --sign-out";
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
        "disabled": user.disabled, "created": user.created, "signed_in": user.signed_in,
    })
}

fn tell(global: &Global, user: &User) {
    if global.json {
        output::json(&as_json(user));
    } else if !global.quiet {
        let off = if user.disabled { ", disabled" } else { "" };
        output::line(&format!("{}: {}{off}", user.name, user.role));
    }
}

async fn list(global: &Global, home: &Home) -> Result<(), Failure> {
    let users = home.store.people().users().await?;
    if global.json {
        let users: Vec<_> = users.iter().map(as_json).collect();
        output::json(&json!({ "users": users }));
        return Ok(());
    }
    let moment =
        |at: Option<tieout_domain::Timestamp>| at.map(|at| format!("{at:.0}")).unwrap_or_default();
    let rows = users
        .into_iter()
        .map(|user| {
            let state = if user.disabled { "disabled" } else { "" };
            vec![
                user.name,
                user.display,
                user.mail,
                user.role.to_string(),
                state.to_owned(),
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
            "",
            "since",
            "last signed in",
        ],
        rows,
        &[],
    ));
    Ok(())
}
