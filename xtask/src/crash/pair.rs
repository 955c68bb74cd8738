//! What is of one pair of systems alone: how its home is made, what its people do, and what its services hold.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

use super::acts::People;
use super::books::Books;
use super::payouts::{self, Payers};
use super::receivables::{self, Traders};
use crate::home::{Home, Manner};
use crate::panel::Caller;
use crate::sandbox::Sandbox;

/// How many phases a round has.
pub(crate) const PHASES: usize = 4;

/// The pair whose syncs are killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pair {
    /// Bills and their payments.
    #[value(name = "netsuite-bill")]
    Payables,
    /// Invoices and what customers pay.
    #[value(name = "netsuite-invoiced")]
    Receivables,
    /// Invoices, what customers pay on the platform, and what it pays out. Slow: it takes five calls a second.
    #[value(name = "netsuite-alternative-payments")]
    Payouts,
}

impl Pair {
    /// What each sync of a round brings about.
    pub(super) fn phases(self) -> [&'static str; PHASES] {
        match self {
            Self::Payables => [
                "vendors, bills and credits out",
                "payments posted and recorded, edits",
                "reversals, voids and credits",
                "paid again, bills voided",
            ],
            Self::Receivables => [
                "customers, invoices and credits both ways",
                "payments posted and recorded, edits",
                "voids, refunds and credits",
                "paid again, invoices voided",
            ],
            Self::Payouts => [
                "customers and invoices out",
                "payments posted and recorded, payouts deposited, edits",
                "failures, refunds and chargebacks",
                "paid again, invoices voided",
            ],
        }
    }

    /// How many documents, and vendors or customers, a short slice has.
    pub(super) fn slice(self) -> (u32, u32) {
        match self {
            Self::Payables | Self::Receivables => (200, 40),
            // Five calls a second are little.
            Self::Payouts => (16, 6),
        }
    }

    /// The sandbox's options for a world with so many documents, and vendors or customers.
    pub(super) fn world(self, documents: u32, parties: u32) -> Vec<String> {
        let (documents, parties) = (documents.to_string(), parties.to_string());
        let options = match self {
            Self::Payables => vec!["--bills", &documents, "--vendors", &parties],
            Self::Receivables | Self::Payouts => {
                let few = ["--bills", "2", "--vendors", "2"];
                let sells = ["--invoices", &documents, "--customers", &parties];
                [few, sells].concat()
            }
        };
        let seed = ["--seed", "1"];
        let all = seed.into_iter().chain(options);
        all.map(str::to_owned).collect()
    }

    /// A home that is connected to the sandbox and writes to both sides.
    pub(super) fn home(
        self,
        program: &Path,
        sandbox: &Sandbox,
        caller: &Caller,
        manner: Manner,
    ) -> Result<Home> {
        match self {
            Self::Payables => Home::connected_in(program, sandbox, manner),
            Self::Receivables => {
                let preferences = receivables::preferences(sandbox, caller)?;
                Home::trading(program, sandbox, manner, preferences)
            }
            Self::Payouts => Home::paid_out(program, sandbox, manner, payouts::preferences()?),
        }
    }

    /// What people do before the sync of a phase.
    pub(super) fn act(self, phase: usize, sandbox: &Sandbox, caller: &Caller) -> Result<()> {
        let (people, traders) = (People { sandbox, caller }, Traders { sandbox, caller });
        let payers = Payers { sandbox, caller };
        match (self, phase) {
            (Self::Payables, 1) => people.pay(),
            (Self::Payables, 2) => people.undo(),
            (Self::Payables, 3) => people.pay_again(),
            (Self::Receivables, 0) => traders.begin(),
            (Self::Receivables, 1) => traders.pay(),
            (Self::Receivables, 2) => traders.undo(),
            (Self::Receivables, 3) => traders.pay_again(),
            (Self::Payouts, 0) => payers.begin(),
            (Self::Payouts, 1) => payers.pay(),
            (Self::Payouts, 2) => payers.undo(),
            (Self::Payouts, 3) => payers.pay_again(),
            _ => Ok(()),
        }
    }

    /// What both sides hold.
    pub(super) fn books(self, sandbox: &Sandbox, caller: &Caller) -> Result<Books> {
        match self {
            Self::Payables => Books::read(sandbox, caller),
            Self::Receivables => receivables::books(sandbox, caller),
            Self::Payouts => payouts::books(sandbox, caller),
        }
    }
}
