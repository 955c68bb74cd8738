//! Alternative Payments: a platform on the receivables side that pays out what it receives.
//!
//! [`SYSTEM`] is all that the rest of the program sees. The rooms: `settings` and `capabilities`; `token`, `call` and
//! `pages` reach the account; `problem` reads its errors; `list` and `write` do what all records have in common; one file
//! for each object, with `paying` and `refunds` for what a payment itself doesn't tell; `port` fills the domain's ports;
//! `webhooks` takes hints and `subscriptions` has them sent. What is known of the service, with public sources, is in the
//! README beside this crate, whose sections the code cites.

mod address;
mod call;
mod capabilities;
mod customers;
mod examine;
mod external;
mod fees;
mod guides;
mod invoices;
mod lines;
mod list;
mod memo;
mod pages;
mod paying;
mod payments;
mod payouts;
mod pdf;
mod port;
mod problem;
mod refunds;
mod settings;
mod subscriptions;
#[cfg(test)]
mod tests;
mod token;
pub mod webhooks;
mod wire;
mod write;

use tieout_domain::{Book, Side};
use tieout_kit::System;
use tieout_kit::webhooks::{Signed, Webhooks};

/// Alternative Payments.
pub static SYSTEM: System = System {
    id: port::ALTERNATIVE_PAYMENTS,
    title: "Alternative Payments",
    side: Side::Platform,
    book: Some(Book::Receivables),
    ways: port::WAYS,
    manual: include_str!("../README.md"),
    settings: settings::SETTINGS,
    credentials: settings::CREDENTIALS,
    guides: guides::GUIDES,
    understand: settings::understand,
    webhooks: Some(Webhooks::Signed(Signed {
        header: webhooks::PROOF_HEADER,
        receive: webhooks::receive,
        subscriptions: subscriptions::connect,
    })),
    connect: port::connect,
    address: Some(address::address),
    calls_an_hour: None,
};
