//! Checking everything about an account that can be wrong, and saying what is done without what it hasn't been given
//! (README §Telling causes apart).

use serde_json::{Map, Value};
use tieout_domain::Fault;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;
use tieout_kit::reach;

use crate::call::{Client, drift};
use crate::capabilities::Capability;
use crate::pages::Sheet;

/// What is read besides customers, what it is called where scopes are given, and whether nothing works without it.
const READS: [(&str, &str, bool); 5] = [
    ("/invoices", "invoices", true),
    ("/payments", "payments", true),
    ("/payouts", "payouts", true),
    ("/refunds", "refunds", true),
    ("/webhooks", "webhooks", false),
];

/// Fields by which it shows whether the account has what its table names: the list, the capability, the field.
const SHOWN: [(&str, Capability, &str); 3] = [
    ("customers", Capability::ChangedSince, "updated_at"),
    ("invoices", Capability::Balances, "balance"),
    ("payments", Capability::Allocations, "allocations"),
];

impl Client {
    /// The first record of a list, if there is one: the least that shows that it may be read.
    pub(crate) async fn first(
        &self,
        path: &str,
        name: &str,
    ) -> Result<Option<Map<String, Value>>, Fault> {
        let what = format!("reading {name}");
        let answered = self.get(&format!("{path}?limit=1"), &what).await?;
        let sheet = Sheet::read(&answered.body, None).map_err(|why| {
            drift(format!(
                "Alternative Payments: {what}: the answer is not as documented: {why}"
            ))
        })?;
        let first = sheet.records.first();
        Ok(first.and_then(|raw| serde_json::from_str(raw.get()).ok()))
    }

    /// Checks everything, and gives the checks in the order in which things were looked at.
    pub(crate) async fn examine(&self) -> Vec<Check> {
        let customer = match self.first("/customers", "customers").await {
            Ok(customer) => customer,
            Err(fault) => return vec![self.failed(&fault).await],
        };
        let cause = format!(
            "the key is taken at {} ({})",
            self.settings.base_url,
            self.settings.environment.as_str()
        );
        let mut checks = vec![Check::ok(Code::new("sign-in"), cause)];
        self.check_shown("customers", customer.as_ref(), &mut checks);
        self.check_reads(&mut checks).await;
        let missing = self.settings.capabilities.missing();
        checks.extend(missing.map(without));
        checks
    }

    async fn check_reads(&self, checks: &mut Vec<Check>) {
        let mut may_all = true;
        for (path, name, needed) in READS {
            let fault = match self.first(path, name).await {
                Ok(first) => {
                    self.check_shown(name, first.as_ref(), checks);
                    continue;
                }
                Err(fault) => fault,
            };
            may_all = false;
            if fault.code() != Code::new("permission-missing") {
                checks.push(self.failed(&fault).await);
                break;
            }
            let status = if needed {
                Status::Failed
            } else {
                Status::Warning
            };
            let cause = format!("the key may not read {name}: {fault}");
            let fix = format!(
                "In Alternative Payments, make a key under Team Preferences > API Keys that may read {name}."
            );
            let check = Check::found(status, Code::new("permission-missing"), cause);
            checks.push(check.with_fix(fix));
        }
        if may_all {
            let cause =
                "the key may read customers, invoices, payments, payouts, refunds and webhooks";
            checks.push(Check::ok(Code::new("checked"), cause));
        }
    }

    /// Whether a record shows what the account is said to have been given. Where there is no record, nothing shows it.
    fn check_shown(&self, list: &str, first: Option<&Map<String, Value>>, checks: &mut Vec<Check>) {
        for (of, capability, field) in SHOWN {
            let named = of == list && self.settings.has(capability);
            if let Some(first) = first.filter(|_| named)
                && !first.contains_key(field)
            {
                let cause = format!(
                    "`capabilities` names `{}`, and {list} show no `{field}`: the account doesn't have it",
                    capability.name()
                );
                let code = Code::new("capability-missing");
                checks.push(Check::found(Status::Failed, code, cause));
            }
        }
    }

    async fn failed(&self, fault: &Fault) -> Check {
        let cause = fault.to_string();
        let code = fault.code();
        match code.as_str() {
            "api-key-refused" => self.refused_key(cause).await,
            "unreachable" => Check::found(Status::Failed, reach::lost_code(&cause), cause),
            // What answered was not the service's own form of an error, or of a list.
            "not-json" => Check::found(Status::Failed, Code::new("proxy"), cause),
            "gone-there" | "drift" => {
                let cause = format!(
                    "{cause}. What answers at {} doesn't serve the API of Alternative Payments",
                    self.settings.base_url
                );
                Check::found(Status::Failed, Code::new("wrong-host"), cause)
            }
            _ => Check::found(Status::Failed, code, cause),
        }
    }

    /// A key of one environment is unknown in the other. It is tried there once: nobody documents that a refused key
    /// locks anything.
    async fn refused_key(&self, cause: String) -> Check {
        let here = self.settings.environment;
        let there = here.other();
        if !self.settings.stand_in && self.signs_in_at(there.host()).await {
            let cause = format!(
                "{cause}. The key is one of the {} environment, and {} is set",
                there.as_str(),
                here.as_str()
            );
            return Check::found(Status::Failed, Code::new("wrong-environment"), cause);
        }
        let cause = format!(
            "{cause}. The key is unknown in the {} environment of Alternative Payments: it is mistyped, or was taken back",
            here.as_str()
        );
        Check::found(Status::Failed, Code::new("api-key-refused"), cause)
    }
}

/// What is done without a capability.
fn without(capability: Capability) -> Check {
    let cause = format!(
        "`{}` is not among the `capabilities`, so {}",
        capability.name(),
        capability.fallback()
    );
    Check::found(Status::Note, Code::new("capability-off"), cause)
}
