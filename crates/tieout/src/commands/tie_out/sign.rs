//! `tieout tie-out sign`: a preparer and a reviewer, who is somebody else, put their names under a report.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use serde_json::json;
use tieout_domain::Currency;
use tieout_domain::code::Code;
use tieout_flows::tie_out::{OpenDocument, Report, Signature, Status};
use tieout_store::{Commit, ConnectionStore, Entry, Fact, frozen_name};

use super::{Made, ScopeArgs, make, the_only};
use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What is signed.
pub(super) const REPORT: &str = "tie-out";

/// What `tie-out sign` takes.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// Which report.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// As what.
    #[arg(long = "as", value_enum, value_name = "ROLE")]
    pub role: Role,
    /// What there is to say; part of the history.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub comment: String,
}

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Who made the report and looked after its differences.
    Preparer,
    /// Somebody else, who has read it.
    Reviewer,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Preparer => "preparer",
            Self::Reviewer => "reviewer",
        }
    }
}

/// A signature as the history has it.
pub(super) struct Signed {
    pub(super) seq: u64,
    pub(super) period: String,
    pub(super) currency: String,
    pub(super) extract: String,
    pub(super) signature: Signature,
}

impl Signed {
    fn of(entry: Entry) -> Option<Self> {
        let Fact::Signed {
            report,
            period,
            currency,
            role,
            sha256,
            extract,
            comment,
            ..
        } = entry.fact
        else {
            return None;
        };
        (report == REPORT).then_some(Self {
            seq: entry.seq,
            period,
            currency,
            extract,
            signature: Signature {
                role,
                who: entry.actor,
                at: entry.at,
                comment,
                sha256,
            },
        })
    }

    /// What was signed.
    pub(super) async fn report(&self, store: &ConnectionStore) -> Result<Report, Failure> {
        thawed(store, &self.signature.sha256).await
    }

    /// What it was made of.
    pub(super) async fn documents(
        &self,
        store: &ConnectionStore,
    ) -> Result<Vec<OpenDocument>, Failure> {
        thawed(store, &self.extract).await
    }
}

async fn thawed<T: serde::de::DeserializeOwned>(
    store: &ConnectionStore,
    sha256: &str,
) -> Result<T, Failure> {
    let body = store.frozen(sha256).await?;
    let read = body.as_deref().map(serde_json::from_str);
    match read {
        Some(Ok(read)) => Ok(read),
        Some(Err(error)) => Err(corrupt(format!("what was signed under {sha256}: {error}"))),
        None => Err(corrupt(format!(
            "what was signed under {sha256} is not there"
        ))),
    }
}

fn corrupt(cause: String) -> Failure {
    Failure::failed(Code::new("store-corrupt"), cause)
}

/// All signatures of tie-outs, the oldest first.
pub(super) async fn signatures(store: &ConnectionStore) -> Result<Vec<Signed>, Failure> {
    let entries = store.signatures().await?;
    Ok(entries.into_iter().filter_map(Signed::of).collect())
}

/// Signs.
pub(super) async fn run(global: &Global, home: &Home, args: &SignArgs) -> Result<Exit, Failure> {
    let names: Vec<String> = args.scope.connection.iter().cloned().collect();
    let (name, _) = the_only(home.config.chosen(&names)?)?;
    let store = home.store.connection(name);
    let (fact, frozen) = match args.role {
        Role::Preparer => prepared(global, home, args).await?,
        Role::Reviewer => reviewed(&store, args).await?,
    };
    let said = json!({"connection": name, "signed": fact, "by": actor()});
    let commit = Commit {
        actor: actor(),
        facts: vec![fact],
        frozen,
        ..Commit::default()
    };
    store.commit(commit).await?;
    if global.json {
        output::json(&said);
    } else {
        output::line(&format!(
            "signed by {} as {}: {}",
            actor(),
            args.role.as_str(),
            said.pointer("/signed/is/sha256")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        ));
    }
    Ok(Exit::Done)
}

/// Makes the report anew: what is signed is what is there.
async fn prepared(
    global: &Global,
    home: &Home,
    args: &SignArgs,
) -> Result<(Fact, Vec<String>), Failure> {
    let Made {
        report, documents, ..
    } = make(global, home, &args.scope).await?;
    if matches!(report.status, Status::NotTied | Status::Incomplete) {
        let cause = format!(
            "the tie-out of {} is {}: {}",
            report.period.name,
            report.status.as_str(),
            report.reasons.join("; ")
        );
        return Err(Failure {
            code: Code::new("not-tied"),
            cause,
            exit: Exit::Refused,
        });
    }
    let unreadable = |error: serde_json::Error| corrupt(error.to_string());
    let body = serde_json::to_string(&report).map_err(unreadable)?;
    let extract = serde_json::to_string(&documents).map_err(unreadable)?;
    let fact = Fact::Signed {
        report: REPORT.to_owned(),
        period: report.period.start.strftime("%Y-%m").to_string(),
        currency: report.currency.to_string(),
        role: args.role.as_str().to_owned(),
        status: report.status.as_str().to_owned(),
        sha256: frozen_name(&body),
        extract: frozen_name(&extract),
        comment: args.comment.clone(),
    };
    Ok((fact, vec![body, extract]))
}

/// Signs the very report that the preparer signed.
async fn reviewed(
    store: &ConnectionStore,
    args: &SignArgs,
) -> Result<(Fact, Vec<String>), Failure> {
    let signed = last(store, &args.scope, Some("preparer")).await?;
    if signed.signature.who == actor() {
        let cause = format!(
            "{} prepared the tie-out of {} and can't review it too",
            actor(),
            signed.period
        );
        return Err(Failure {
            code: Code::new("same-person"),
            cause,
            exit: Exit::Refused,
        });
    }
    let report = signed.report(store).await?;
    let fact = Fact::Signed {
        report: REPORT.to_owned(),
        period: signed.period,
        currency: signed.currency,
        role: args.role.as_str().to_owned(),
        status: report.status.as_str().to_owned(),
        sha256: signed.signature.sha256,
        extract: signed.extract,
        comment: args.comment.clone(),
    };
    Ok((fact, Vec::new()))
}

/// The last signature of this month and currency, in this role. What was signed is never guessed: the month is
/// named, and the currency too where several were signed.
async fn last(
    store: &ConnectionStore,
    scope: &ScopeArgs,
    role: Option<&str>,
) -> Result<Signed, Failure> {
    let Some(period) = &scope.period else {
        let cause = "name the month that was signed with --period, as 2026-06";
        return Err(Failure::usage(Code::new("usage"), cause));
    };
    let mut found: Vec<Signed> = signatures(store).await?;
    found.retain(|signed| {
        let currency = scope.currency.as_ref();
        signed.period == *period
            && currency.is_none_or(|code| code.eq_ignore_ascii_case(&signed.currency))
            && role.is_none_or(|role| role == signed.signature.role)
    });
    let currencies: BTreeSet<&str> = found.iter().map(|one| one.currency.as_str()).collect();
    if currencies.len() > 1 {
        let names: Vec<&str> = currencies.into_iter().collect();
        let cause = format!(
            "{period} was signed in {}: name one with --currency",
            names.join(", ")
        );
        return Err(Failure::usage(Code::new("usage"), cause));
    }
    found.pop().ok_or_else(|| {
        let cause = match role {
            Some(role) => format!("no tie-out of {period} was signed by a {role}"),
            None => format!("no tie-out of {period} was signed"),
        };
        Failure::usage(Code::new("not-signed"), cause)
    })
}

/// The report that was last signed, with its signatures.
pub(super) async fn as_signed(home: &Home, scope: &ScopeArgs) -> Result<Made, Failure> {
    let names: Vec<String> = scope.connection.iter().cloned().collect();
    let (name, _) = the_only(home.config.chosen(&names)?)?;
    let store = home.store.connection(name);
    let signed = last(&store, scope, None).await?;
    let mut report = signed.report(&store).await?;
    let all = signatures(&store).await?.into_iter();
    report.signatures = all
        .filter(|one| one.signature.sha256 == signed.signature.sha256)
        .map(|one| one.signature)
        .collect();
    Ok(Made {
        report,
        documents: signed.documents(&store).await?,
        others: std::collections::BTreeMap::<Currency, Status>::new(),
    })
}
