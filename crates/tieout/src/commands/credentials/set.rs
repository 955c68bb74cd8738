//! A new value for a credential: proven for every connection that uses it before it replaces the old one, all or
//! nothing (scenario 207).

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;
use tieout_kit::Credential;
use tieout_kit::system::CredentialKind;

use super::{checked, seal};
use crate::cli::Global;
use crate::commands::sync::{Done, run_all};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::trial::{Trial, Verdict, uses};

/// What came of it.
pub(crate) struct Set {
    name: String,
    kind: &'static CredentialKind,
    pub(crate) version: u64,
    proven: Vec<Verdict>,
    /// Connections whose last run had ended with a sign-in that was not accepted.
    pub(crate) released: Vec<String>,
}

/// Proves a credential where it is in use already, and seals it.
///
/// # Errors
/// `credential-not-accepted`, with the connections and the causes; then nothing was replaced.
pub(crate) async fn replace(
    home: &Home,
    name: &str,
    kind: &'static CredentialKind,
    fields: SecretString,
    check: bool,
    actor: &str,
) -> Result<Set, Failure> {
    checked(kind, fields.expose_secret())?;
    let listed = home.store.credentials().list().await?;
    let exists = listed.iter().any(|row| row.name == name);
    let proven = if check && exists && !uses(home, name).is_empty() {
        prove(home, name, kind, &fields).await?
    } else {
        Vec::new()
    };
    let version = seal(home, name, kind, fields, actor).await?;
    let released = if proven.is_empty() {
        Vec::new()
    } else {
        stopped_by_sign_in(home, name).await?
    };
    Ok(Set {
        name: name.to_owned(),
        kind,
        version,
        proven,
        released,
    })
}

/// Signs in with a value that is not in use yet, for every connection that will use it.
///
/// # Errors
/// `credential-not-accepted`, with the connections and the causes.
pub(crate) async fn prove(
    home: &Home,
    name: &str,
    kind: &CredentialKind,
    fields: &SecretString,
) -> Result<Vec<Verdict>, Failure> {
    let credential = Credential {
        kind: kind.name.to_owned(),
        fields: fields.clone(),
    };
    let trial = Trial::new(home).await?;
    let verdicts = trial.sign_in(name, &credential).await?;
    let wrong: Vec<_> = verdicts
        .iter()
        .filter_map(|verdict| {
            let failure = verdict.result.as_ref().err()?;
            Some(format!(
                "{}: {} [{}]",
                verdict.connection, failure.cause, failure.code
            ))
        })
        .collect();
    if wrong.is_empty() {
        return Ok(verdicts);
    }
    let cause = format!(
        "the new value of `{name}` doesn't sign in for {} of {} connections; the old one stays. {}",
        wrong.len(),
        verdicts.len(),
        wrong.join("; ")
    );
    Err(Failure {
        code: Code::new("credential-not-accepted"),
        cause,
        exit: Exit::Side,
    })
}

/// The connections whose last run the credential had stopped: their next run goes on where that one ended.
pub(crate) async fn stopped_by_sign_in(home: &Home, name: &str) -> Result<Vec<String>, Failure> {
    let mut stopped = Vec::new();
    for user in uses(home, name) {
        let store = home.store.connection(user.connection);
        let last = store.runs(1).await?;
        if last.iter().any(|run| {
            run.status == "failed" && run.cause.contains(&format!("{}: ", user.system.id))
        }) {
            stopped.push(user.connection.to_string());
        }
    }
    stopped.dedup();
    Ok(stopped)
}

impl Set {
    /// The connections that it signed in for; one that uses it on both sides is named twice.
    pub(crate) fn proven_for(&self) -> Vec<ConnectionName> {
        let proven = self.proven.iter();
        proven.map(|it| it.connection.clone()).collect()
    }

    /// Runs the connections that use it, where its new value was proven. Those that are switched off or paused are
    /// left alone.
    ///
    /// # Errors
    /// Where they can't be put together.
    pub(super) async fn run(&self, global: &Global, home: &Home) -> Result<Option<Done>, Failure> {
        let mut names: Vec<_> = self.proven.iter().map(|it| &it.connection).collect();
        names.dedup();
        let mut runs = Vec::new();
        for name in names {
            let enabled = home
                .config
                .connections
                .get(name)
                .is_some_and(|it| it.enabled);
            if enabled && home.store.connection(name).stops().await?.is_empty() {
                runs.push(name.to_string());
            }
        }
        if runs.is_empty() {
            return Ok(None);
        }
        Ok(Some(run_all(global, home, &runs).await?))
    }

    /// Tells people and scripts.
    pub(super) fn tell(&self, global: &Global, runs: Option<&Done>) {
        if global.json {
            let proven: Vec<Value> = self.proven.iter().map(entry).collect();
            output::json(&json!({
                "name": self.name, "kind": self.kind.name, "version": self.version,
                "proven": proven, "released": self.released,
                "runs": runs.map(|runs| &runs.reports),
            }));
            return;
        }
        if global.quiet {
            return;
        }
        output::line(&format!(
            "sealed `{}` ({}), version {}",
            self.name, self.kind.name, self.version
        ));
        self.proven.iter().for_each(tell);
        for connection in &self.released {
            output::line(&format!(
                "{connection}: the old value had stopped its last run; it goes on from there"
            ));
        }
        if let Some(runs) = runs {
            runs.print(global.quiet);
        }
    }
}

/// A verdict as JSON.
pub(crate) fn entry(verdict: &Verdict) -> Value {
    match &verdict.result {
        Ok(identity) => json!({
            "connection": verdict.connection, "system": verdict.system.id, "status": "ok",
            "identity": identity,
        }),
        Err(failure) => json!({
            "connection": verdict.connection, "system": verdict.system.id, "status": "failed",
            "code": failure.code, "cause": failure.cause, "fix": failure.code.fix(),
        }),
    }
}

/// A verdict as a line.
pub(crate) fn tell(verdict: &Verdict) {
    let Verdict {
        connection,
        system,
        result,
    } = verdict;
    match result {
        Ok(identity) => output::line(&format!(
            "{connection}: {} ok: {} ({})",
            system.id, identity.name, identity.id
        )),
        Err(failure) => output::line(&format!("{connection}: {} {failure}", system.id)),
    }
}
