//! `tieout tie-out sign`: a preparer and a reviewer, who is somebody else, put their names under a report.

use clap::{Args, ValueEnum};
use serde_json::json;
use tieout_desk::tie_out::sign_off;
use tieout_store::Fact;

use super::{ScopeArgs, make};
use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

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

/// Signs.
pub(super) async fn run(global: &Global, home: &Home, args: &SignArgs) -> Result<Exit, Failure> {
    let store = args.scope.store(home)?;
    let (who, comment) = (actor(), args.comment.as_str());
    let fact = match args.role {
        Role::Preparer => {
            let made = make(global, home, &args.scope).await?;
            sign_off::prepare(&store, &made, comment, &who).await?
        }
        Role::Reviewer => {
            sign_off::review(&store, &args.scope.scope(), None, comment, &who).await?
        }
    };
    if global.json {
        output::json(&json!({"connection": store.name(), "signed": fact, "by": who}));
    } else if let Fact::Signed { role, sha256, .. } = &fact {
        output::line(&format!("signed by {who} as {role}: {sha256}"));
    }
    Ok(Exit::Done)
}
