//! What a seed decides beyond a world's size: what the service has given the account, how it answers where that isn't
//! documented, and what the company wants.

use serde_json::{Value, json};

use crate::dice::Dice;

/// Everything that is missing from the documented API, and that an account may have been given.
const CAPABILITIES: [&str; 9] = [
    EXTERNAL_PAYMENTS,
    "amend-invoices",
    "balances",
    INVOICE_PDF,
    "invoice-external-id",
    "allocations",
    "changed-since",
    "webhook-bodies",
    "amend-customers",
];

const EXTERNAL_PAYMENTS: &str = "external-payments";
const INVOICE_PDF: &str = "invoice-pdf";

/// What a seed decides.
#[derive(Debug, Clone)]
pub struct Manner {
    /// What the service has given the account.
    pub capabilities: Vec<&'static str>,
    /// Whether another system carries the invoices.
    pub payments_only: bool,
    nested: bool,
    newest_first: bool,
    retry_after: bool,
    reverses: bool,
    all_customers: bool,
}

impl Manner {
    /// What this seed decides.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let dice = Dice::of(seed, "manner");
        let share = match dice.between(0, 3) {
            0 => 0.0,
            1 => 0.5,
            _ => 1.0,
        };
        let given = |_: &&str| dice.chance(share);
        Self {
            capabilities: CAPABILITIES.into_iter().filter(given).collect(),
            payments_only: dice.chance(0.2),
            nested: dice.chance(0.5),
            newest_first: dice.chance(0.5),
            retry_after: dice.chance(0.5),
            reverses: dice.chance(0.5),
            all_customers: dice.chance(0.3),
        }
    }

    /// One in which the account was given everything, and tieout carries the invoices.
    #[must_use]
    pub fn full() -> Self {
        Self {
            capabilities: CAPABILITIES.to_vec(),
            payments_only: false,
            ..Self::of(0)
        }
    }

    /// Whether the platform can be told what was paid elsewhere.
    #[must_use]
    pub fn takes_payments(&self) -> bool {
        self.capabilities.contains(&EXTERNAL_PAYMENTS)
    }

    /// Whether the platform takes PDFs.
    #[must_use]
    pub fn shows_pdfs(&self) -> bool {
        self.capabilities.contains(&INVOICE_PDF)
    }

    /// How the service is to be switched.
    pub(super) fn switches(&self) -> Value {
        let mut switches = json!({
            "paging": if self.nested { "nested" } else { "flat" },
            "newest_first": self.newest_first,
            "retry_after": self.retry_after,
        });
        for name in CAPABILITIES {
            switches[name] = json!(self.capabilities.contains(&name));
        }
        switches
    }

    pub(super) fn mode(&self) -> &'static str {
        if self.payments_only {
            "payments-only"
        } else {
            "full"
        }
    }

    pub(super) fn customers(&self) -> &'static str {
        if self.all_customers {
            "all"
        } else {
            "with-invoices"
        }
    }

    pub(super) fn failed_payments(&self) -> &'static str {
        if self.reverses { "reverse" } else { "task" }
    }
}
