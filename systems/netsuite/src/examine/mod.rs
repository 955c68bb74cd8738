//! Checking everything about an account that can be wrong, and telling one cause from another (README §Telling
//! causes apart).
//!
//! From the outside to the inside: the network and the account's name, the clock, the sign-in, the service, the
//! features, the role, the subsidiary, another sync. What can't be seen while something before it fails is left
//! out. At most one sign-in is refused on the way.

mod account;
mod contact;
mod files;
mod role;
mod sign_in;
mod trail;

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use secrecy::ExposeSecret as _;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;
use tieout_domain::{Date, Fault};
use tieout_kit::expiry::{Expiry, Nearness};
use tieout_kit::{Credential, reach};

use crate::call::Client;

/// What was seen of the sign-in: it decides what a refusal can mean.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// The day from which the credential no longer serves, where it tells.
    expires: Option<Date>,
    /// Whether the last check was refused at the sign-in.
    refused: bool,
    /// Whether the integration alone was accepted: consumer key and secret are right. `None` where the account
    /// doesn't tell.
    integration_accepted: Option<bool>,
    /// Whether this credential was accepted at some time before.
    has_worked: bool,
}

impl Evidence {
    /// What the credential itself tells.
    pub(crate) fn of(credential: &Credential) -> Self {
        let fields: Option<serde_json::Value> =
            serde_json::from_str(credential.fields.expose_secret()).ok();
        let expires = fields
            .as_ref()
            .and_then(|fields| fields.get("expires")?.as_str()?.trim().parse().ok());
        Self {
            expires,
            ..Self::default()
        }
    }
}

impl Client {
    /// Checks everything, and gives the checks in the order in which things were looked at.
    pub(crate) async fn examine(&self) -> Vec<Check> {
        self.hasty.store(true, Ordering::Relaxed);
        let mut checks = Vec::new();
        self.look(&mut checks).await;
        self.hasty.store(false, Ordering::Relaxed);
        checks
    }

    async fn look(&self, checks: &mut Vec<Check>) {
        self.seen(|evidence| evidence.refused = false);
        if !self.check_expiry(checks) || !self.make_contact(checks).await {
            return;
        }
        if let Some(until) = self.refusals.barred_until(&self.wire.kit).await {
            checks.push(barred(&format!("{until:.0}")));
            return;
        }
        let Some(signed_in) = self.prove_sign_in(checks).await else {
            return;
        };
        if !self.check_service(checks).await {
            return;
        }
        checks.extend(signed_in.checks(self.settings.receivables));
        let features = self.check_features(checks).await;
        self.check_permissions(&features, checks).await;
        self.check_subsidiary(checks).await;
        self.check_files(checks).await;
        self.check_limit(checks).await;
    }

    /// Whether the credential's end has come, where it tells; signing in with one that is past its end would only
    /// be refused (scenario 209).
    fn check_expiry(&self, checks: &mut Vec<Check>) -> bool {
        let Some(expires) = self.evidence().expires else {
            return true;
        };
        let today = self
            .wire
            .kit
            .timer
            .now()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date();
        let expiry = Expiry::seen_from(today, expires);
        let Some(warning) = expiry.warning() else {
            return true;
        };
        let past = expiry.nearness() == Nearness::Past;
        let (status, code) = if past {
            (Status::Failed, Code::new("certificate-expired"))
        } else {
            (Status::Warning, Code::new("certificate-expiring"))
        };
        let cause = match past {
            true => format!("the credential {warning}"),
            false => format!("the credential {warning} (on {expires})"),
        };
        checks.push(Check::found(status, code, cause));
        !past
    }

    fn evidence(&self) -> Evidence {
        self.evidence
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn seen(&self, note: impl FnOnce(&mut Evidence)) {
        note(&mut self.evidence.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// No sign-in is tried: one more could be the one that locks.
fn barred(until: &str) -> Check {
    let cause = format!(
        "three sign-ins with this credential were refused within half an hour, and five lock it: none is tried \
         before {until}"
    );
    Check::found(Status::Failed, Code::new("sign-in-barred"), cause)
}

/// The check that a fault amounts to, with the causes told apart that a run doesn't have to tell apart.
fn failed(fault: &Fault) -> Check {
    let cause = fault.to_string();
    let code = match fault.code().as_str() {
        "unreachable" => reach::lost_code(&cause),
        "not-json" if cause.contains('<') => Code::new("proxy"),
        _ => fault.code(),
    };
    Check::found(Status::Failed, code, cause)
}
