//! The script that prints invoices and hands out the files of bills: one call proves that it is there, deployed, open to
//! the role and to the integration, and that the role may see what it is asked for. Everything else works without it.

use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;

use crate::call::Client;
use crate::files::About;
use crate::settings::Script;

/// The first version that lists the files of bills.
const LISTS_FILES: u32 = 2;

/// What a connection wants of the script.
struct Wish {
    /// What goes on without it.
    without: &'static str,
    /// What it does.
    does: &'static str,
    /// The permission that it needs.
    permission: &'static str,
    /// Whether the role has that.
    may: fn(&About) -> bool,
}

const INVOICES: Wish = Wish {
    without: "Invoices go without their PDF",
    does: "prints invoices",
    permission: "Invoice",
    may: |about| about.invoices,
};

const BILLS: Wish = Wish {
    without: "Bills go without the files that are attached to them",
    does: "hands out the files of bills",
    permission: "Bills",
    may: |about| about.bills,
};

impl Client {
    /// Asks the script about itself, where one is set.
    pub(super) async fn check_files(&self, checks: &mut Vec<Check>) {
        if let Some(script) = &self.settings.files {
            checks.push(self.check_script(script).await);
        }
    }

    async fn check_script(&self, script: &Script) -> Check {
        let wish = if self.settings.receivables {
            INVOICES
        } else {
            BILLS
        };
        let warning = |code, cause: String| {
            let cause = format!("{cause}. {}; everything else works", wish.without);
            Check::found(Status::Warning, code, cause)
        };
        match self.about_files(script).await {
            Ok(about) if !(wish.may)(&about) => {
                let cause = format!(
                    "the script {} may not see them: the role lacks Transactions > {}",
                    script.id, wish.permission
                );
                warning(Code::new("permission-missing"), cause)
            }
            Ok(about) if !self.settings.receivables && is_older(&about) => {
                let cause = format!(
                    "the script {} is version {}, which doesn't list files: deploy version {LISTS_FILES}",
                    script.id, about.version
                );
                warning(Code::new("script-missing"), cause)
            }
            Ok(about) => {
                let version = about.version;
                let cause = format!("the script {} (version {version}) {}", script.id, wish.does);
                Check::ok(Code::new("checked"), cause)
            }
            Err(fault) => warning(fault.code(), fault.to_string()),
        }
    }
}

fn is_older(about: &About) -> bool {
    about
        .version
        .parse::<u32>()
        .is_ok_and(|version| version < LISTS_FILES)
}
