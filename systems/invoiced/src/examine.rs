//! Checking everything about an account that can be wrong (README §Telling causes apart). Invoiced answers a refused
//! key with 401 and nothing more; which of the causes it is has to be found out.

use serde::de::IgnoredAny;
use tieout_domain::Fault;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;
use tieout_kit::reach;

use crate::call::{Client, parse};
use crate::pages::Onward;
use crate::problem::Effect;

/// Signing in is reading one customer.
const FIRST: &str = "/customers?per_page=1";

/// What is read besides, and what it is called where permissions are given.
const READS: [(&str, &str); 5] = [
    ("/invoices?per_page=1", "invoices"),
    ("/credit_notes?per_page=1", "credit notes"),
    ("/payments?per_page=1", "payments"),
    ("/items?per_page=1", "items"),
    ("/events?per_page=1", "events"),
];

impl Client {
    /// How many customers there are, where it is told: the least that shows that the key is taken.
    pub(crate) async fn count_customers(&self) -> Result<Option<u64>, Fault> {
        let what = "reading one customer";
        let answered = self.get(FIRST, what).await?;
        let _: Vec<IgnoredAny> = parse(&answered.body, Effect::Read, what)?;
        Ok(Onward::of(&answered.headers, "per_page=1").total)
    }

    /// Checks everything, and gives the checks in the order in which things were looked at.
    pub(crate) async fn examine(&self) -> Vec<Check> {
        let customers = match self.count_customers().await {
            Ok(customers) => customers,
            Err(fault) => return vec![self.failed(&fault).await],
        };
        let count = customers.map_or_else(String::new, |count| format!(": {count} customers"));
        let cause = format!(
            "the key is taken at {} ({}){count}",
            self.settings.base_url,
            self.settings.environment.as_str()
        );
        let mut checks = vec![Check::ok(Code::new("sign-in"), cause)];
        self.check_reads(&mut checks).await;
        checks
    }

    async fn check_reads(&self, checks: &mut Vec<Check>) {
        let mut may_all = true;
        for (path, name) in READS {
            let read: Result<Vec<IgnoredAny>, _> =
                self.read(path, &format!("reading {name}")).await;
            let Err(fault) = read else { continue };
            may_all = false;
            if fault.code() != Code::new("permission-missing") {
                checks.push(self.failed(&fault).await);
                break;
            }
            let cause = format!("the key may not read {name}: {fault}");
            let fix = format!(
                "In Invoiced, give the key a role that may see {name}, or make a new key as a member who may."
            );
            let check = Check::found(Status::Failed, Code::new("permission-missing"), cause);
            checks.push(check.with_fix(fix));
        }
        if may_all {
            let cause =
                "the key may read customers, invoices, credit notes, payments, items and events";
            checks.push(Check::ok(Code::new("checked"), cause));
        }
    }

    async fn failed(&self, fault: &Fault) -> Check {
        let cause = fault.to_string();
        let code = fault.code();
        match code.as_str() {
            "api-key-refused" => self.refused_key(cause).await,
            "unreachable" => Check::found(Status::Failed, reach::lost_code(&cause), cause),
            // What answered was not Invoiced's own form of an error, or of a list.
            "not-json" => Check::found(Status::Failed, Code::new("proxy"), cause),
            "gone-there" | "drift" => {
                let cause = format!(
                    "{cause}. What answers at {} doesn't serve Invoiced's API",
                    self.settings.base_url
                );
                Check::found(Status::Failed, Code::new("wrong-host"), cause)
            }
            _ => Check::found(Status::Failed, code, cause),
        }
    }

    /// A key of one environment is unknown in the other. One customer is asked for there, once: nobody documents that
    /// a refused key locks anything.
    async fn refused_key(&self, cause: String) -> Check {
        let here = self.settings.environment;
        let there = here.other();
        if !self.settings.stand_in && self.try_at(there.host(), FIRST).await.is_ok() {
            let cause = format!(
                "{cause}. The key is one of the {} environment, and {} is set",
                there.as_str(),
                here.as_str()
            );
            return Check::found(Status::Failed, Code::new("wrong-environment"), cause);
        }
        let cause = format!(
            "{cause}. The key is unknown in Invoiced's {} environment: it is mistyped, or was taken back",
            here.as_str()
        );
        Check::found(Status::Failed, Code::new("api-key-refused"), cause)
    }
}
