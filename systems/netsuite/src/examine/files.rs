//! The script that prints invoices: one call proves that it is there, deployed, open to the role and to the integration,
//! and that the role may see what it prints. Everything else works without it.

use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;

use crate::call::Client;
use crate::settings::Script;

impl Client {
    /// Asks the script about itself, where one is set.
    pub(super) async fn check_files(&self, checks: &mut Vec<Check>) {
        if let Some(script) = &self.settings.files {
            checks.push(self.check_script(script).await);
        }
    }

    async fn check_script(&self, script: &Script) -> Check {
        let warning = |code, cause: String| {
            let cause = format!("{cause}. Invoices go without their PDF; everything else works");
            Check::found(Status::Warning, code, cause)
        };
        match self.about_files(script).await {
            Ok(about) if about.invoices => {
                let version = about.version;
                let cause = format!(
                    "the script {} (version {version}) prints invoices",
                    script.id
                );
                Check::ok(Code::new("checked"), cause)
            }
            Ok(_) => {
                let cause = format!(
                    "the script {} may not see invoices: the role lacks Transactions > Invoice",
                    script.id
                );
                warning(Code::new("permission-missing"), cause)
            }
            Err(fault) => warning(fault.code(), fault.to_string()),
        }
    }
}
