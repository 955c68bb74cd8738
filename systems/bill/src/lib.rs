//! BILL: the platform on the payables side.
//!
//! [`SYSTEM`] is all that the rest of the program sees. The rooms: `settings`; `session` and `call` reach
//! the organization; `problem` reads its errors; `list` and `write` do what all records have in common;
//! one file for each object; `port` fills the domain's ports; `webhooks` takes hints. What is known of the service, with public
//! sources, is in the README beside this crate, whose sections the code cites.

mod accounts;
mod address;
mod bills;
mod call;
mod currencies;
mod dimensions;
mod documents;
mod examine;
mod funding_accounts;
mod guides;
mod list;
mod parts;
mod payments;
mod port;
mod problem;
mod projection;
mod session;
mod settings;
mod subscriptions;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod vendor_credits;
mod vendors;
pub mod webhooks;
mod wire;
mod write;

use tieout_domain::port::Ways;
use tieout_domain::{Book, Side};
use tieout_kit::System;
use tieout_kit::webhooks::{Signed, Webhooks};

/// BILL.
pub static SYSTEM: System = System {
    id: port::BILL,
    title: "BILL",
    side: Side::Platform,
    book: Some(Book::Payables),
    ways: Ways::NONE,
    manual: include_str!("../README.md"),
    settings: settings::SETTINGS,
    credentials: settings::CREDENTIALS,
    guides: guides::GUIDES,
    understand: settings::understand,
    webhooks: Some(Webhooks::Signed(Signed {
        header: webhooks::SIGNATURE_HEADER,
        receive: webhooks::receive,
        subscriptions: subscriptions::connect,
    })),
    connect: port::connect,
    address: Some(address::address),
    calls_an_hour: Some(call::CALLS_AN_HOUR),
};
