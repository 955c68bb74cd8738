//! What this process counts for whoever watches it: nothing of it is in the store, so that a stranger who knocks again
//! and again costs no write.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tieout_domain::code::Code;

/// What became of a notification, beside the codes of those that were refused.
pub const WEBHOOK_OUTCOMES: [&str; 7] = [
    "taken",
    "repeated",
    "webhook-unsigned",
    "webhook-malformed",
    "webhook-too-large",
    "incomplete",
    "not-kept",
];

/// Why a person was not let in.
pub const SIGN_IN_OUTCOMES: [&str; 9] = [
    "password-wrong",
    "sign-in-barred",
    "passwords-off",
    "form-refused",
    "openid-provider",
    "openid-begin-again",
    "openid-denied",
    "openid-unproven",
    "openid-unknown-user",
];

/// The counts, since the process began.
#[derive(Debug, Default)]
pub struct Counts {
    webhooks: Mutex<BTreeMap<String, u64>>,
    sign_ins: Mutex<BTreeMap<String, u64>>,
}

impl Counts {
    /// A person was not let in.
    pub fn sign_in_refused(&self, code: &Code) {
        add(&self.sign_ins, code.as_str());
    }

    /// A notification came, and this became of it: one of [`WEBHOOK_OUTCOMES`].
    pub fn webhook(&self, outcome: &str) {
        add(&self.webhooks, outcome);
    }

    /// How many notifications came, by what became of them.
    #[must_use]
    pub fn webhooks(&self) -> BTreeMap<String, u64> {
        told(&self.webhooks, &WEBHOOK_OUTCOMES)
    }

    /// How many people were not let in, by why.
    #[must_use]
    pub fn sign_ins_refused(&self) -> BTreeMap<String, u64> {
        told(&self.sign_ins, &SIGN_IN_OUTCOMES)
    }
}

fn add(counts: &Mutex<BTreeMap<String, u64>>, name: &str) {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

/// With a zero for what has not happened yet: a monitor must see the first one.
fn told(counts: &Mutex<BTreeMap<String, u64>>, all: &[&str]) -> BTreeMap<String, u64> {
    let mut told: BTreeMap<String, u64> = all.iter().map(|name| ((*name).to_owned(), 0)).collect();
    let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    told.extend(counts.iter().map(|(name, count)| (name.clone(), *count)));
    told
}
