//! Checking everything about an organization that can be wrong (README §Telling causes apart). BILL answers a refused
//! sign-in with a code for its cause; what is left to do is to say it, and to find out what the user may read.

use tieout_domain::Fault;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;
use tieout_kit::reach;

use crate::call::Client;
use crate::port::SessionInfo;

/// What is read, and what it is called where permissions are given.
const READS: [(&str, &str); 4] = [
    ("/v3/vendors?max=1", "vendors"),
    ("/v3/bills?max=1", "bills"),
    ("/v3/payments?max=1", "payments"),
    (
        "/v3/classifications/chart-of-accounts?max=1",
        "the chart of accounts",
    ),
];

impl Client {
    /// Checks everything, and gives the checks in the order in which things were looked at.
    pub(crate) async fn examine(&self) -> Vec<Check> {
        if let Some(until) = self.refusals.barred_until(&self.kit).await {
            let cause = format!(
                "three sign-ins with this credential were refused within half an hour, and five lock it: none is \
                 tried before {until:.0}"
            );
            return vec![Check::found(
                Status::Failed,
                Code::new("sign-in-barred"),
                cause,
            )];
        }
        let what = "asking who is signed in";
        let session: SessionInfo = match self.read("/v3/login/session", what).await {
            Ok(session) => session,
            Err(failed) => return vec![self.failed(&failed.fault)],
        };
        let mut checks = vec![self.signed_in(&session)];
        checks.extend(self.second_factor(&session));
        self.check_reads(&mut checks).await;
        checks
    }

    fn signed_in(&self, session: &SessionInfo) -> Check {
        let (asked, got) = (&self.settings.organization, &session.organization_id);
        if asked != got {
            let cause = format!("the session is for organization {got}, and {asked} is set");
            return Check::found(Status::Failed, Code::new("wrong-organization"), cause);
        }
        let user = if self.login.sync_token() {
            "sync token"
        } else {
            "user"
        };
        let cause = format!(
            "signed in to organization {got} ({}) as the {user} {}",
            self.settings.environment.as_str(),
            self.login.username
        );
        Check::ok(Code::new("sign-in"), cause)
    }

    /// Only paying needs a second factor, and that is never done from here; but a user who must register a phone
    /// first may be stopped by it.
    fn second_factor(&self, session: &SessionInfo) -> Option<Check> {
        let status = session.mfa_status.as_str();
        if self.login.sync_token() || matches!(status, "" | "DISABLED" | "COMPLETE") {
            return None;
        }
        let cause = format!("BILL wants a second factor of this user (its word: {status})");
        Some(Check::found(
            Status::Warning,
            Code::new("two-factor"),
            cause,
        ))
    }

    async fn check_reads(&self, checks: &mut Vec<Check>) {
        let mut may_all = true;
        for (path, name) in READS {
            let what = format!("reading {name}");
            let read: Result<serde::de::IgnoredAny, _> = self.read(path, &what).await;
            let Err(failed) = read else { continue };
            may_all = false;
            if failed.fault.code() != Code::new("permission-missing") {
                checks.push(self.failed(&failed.fault));
                break;
            }
            let cause = format!("the user may not read {name}: {}", failed.fault);
            let fix = format!(
                "In BILL, Settings > Users: give the user a role that may see {name} and change bills and vendors \
                 (Accountant or Clerk is enough; Administrator is not needed), or use a sync token."
            );
            let check = Check::found(Status::Failed, Code::new("permission-missing"), cause);
            checks.push(check.with_fix(fix));
        }
        if may_all {
            let cause = "the user may read vendors, bills, payments and accounts";
            checks.push(Check::ok(Code::new("checked"), cause));
        }
    }

    fn failed(&self, fault: &Fault) -> Check {
        let cause = fault.to_string();
        let code = fault.code();
        match code.as_str() {
            "wrong-developer-key" => {
                let here = self.settings.environment.as_str();
                let cause = format!(
                    "{cause}. The key is unknown in BILL's {here} environment: it is mistyped, was withdrawn, or \
                     is a key of the other environment, which shares none"
                );
                Check::found(Status::Failed, code, cause)
            }
            "unreachable" => Check::found(Status::Failed, reach::lost_code(&cause), cause),
            // What answered was not BILL's own form of an error.
            "not-json" => Check::found(Status::Failed, Code::new("proxy"), cause),
            _ => Check::found(Status::Failed, code, cause),
        }
    }
}
