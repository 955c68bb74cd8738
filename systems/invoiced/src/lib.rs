//! Invoiced: a platform on the receivables side.
//!
//! [`SYSTEM`] is all that the rest of the program sees. The rooms: `settings`; `call` and `pages` reach the account;
//! `problem` reads its errors; `list`, `past` and `write` do what all records have in common; one file for each
//! object, with `lines` for what invoices and credit memos share; `port` fills the domain's ports; `webhooks` takes
//! hints. What is known of the service, with public sources, is in the README beside this crate, whose sections the
//! code cites.

mod address;
mod call;
mod credit_memos;
mod customers;
mod days;
mod documents;
mod examine;
mod guides;
mod invoices;
mod items;
mod lines;
mod list;
mod pages;
mod past;
mod payments;
mod port;
mod problem;
mod projection;
mod settings;
mod terms;
#[cfg(test)]
mod tests;
pub mod webhooks;
mod wire;
mod write;

use tieout_domain::{Book, Side};
use tieout_kit::System;
use tieout_kit::webhooks::{ByHand, Webhooks};

/// Invoiced.
pub static SYSTEM: System = System {
    id: port::INVOICED,
    title: "Invoiced",
    side: Side::Platform,
    book: Some(Book::Receivables),
    ways: port::WAYS,
    manual: include_str!("../README.md"),
    settings: settings::SETTINGS,
    credentials: settings::CREDENTIALS,
    guides: guides::GUIDES,
    understand: settings::understand,
    webhooks: Some(Webhooks::ByHand(ByHand {
        header: webhooks::SIGNATURE_HEADER,
        receive: webhooks::receive,
        key: settings::webhook_key,
        menu: guides::WEBHOOKS_MENU,
        past: past::connect,
    })),
    connect: port::connect,
    address: Some(address::address),
    calls_an_hour: None,
};
