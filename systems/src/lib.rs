//! The registry: the only crate that lists the systems. The command line and the simulation receive it as a
//! value. A new system is one folder beside this one and one line in [`ALL`].

use std::sync::Arc;

use tieout_domain::Side;
use tieout_kit::System;
use tieout_kit::fake::world::World;
use tieout_kit::fake::{Chassis, Fake};

/// A system and its sandbox.
pub struct Entry {
    /// The system.
    pub system: &'static System,
    /// Makes its sandbox service over a world. The same seed makes the same credentials.
    pub fake: Make,
    /// Its port in the sandbox, counted from the control panel's.
    pub port: u16,
}

/// Makes a sandbox service over a world, from a seed.
pub type Make = fn(Chassis, &World, u64) -> Arc<dyn Fake>;

/// All systems there are.
pub static ALL: &[Entry] = &[
    Entry {
        system: &tieout_netsuite::SYSTEM,
        fake: netsuite,
        port: 1,
    },
    Entry {
        system: &tieout_bill::SYSTEM,
        fake: bill,
        port: 2,
    },
    Entry {
        system: &tieout_invoiced::SYSTEM,
        fake: invoiced,
        port: 3,
    },
    Entry {
        system: &tieout_alternative_payments::SYSTEM,
        fake: alternative_payments,
        port: 4,
    },
];

/// The system of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.system.id.as_str() == name)
}

/// The ledger and the platform that a pair names: `netsuite-bill`.
#[must_use]
pub fn pair(name: &str) -> Option<(&'static Entry, &'static Entry)> {
    pairs().find_map(|(text, ledger, platform)| (text == name).then_some((ledger, platform)))
}

/// All pairs: every ledger with every platform.
pub fn pairs() -> impl Iterator<Item = (String, &'static Entry, &'static Entry)> {
    let of = |side: Side| ALL.iter().filter(move |entry| entry.system.side == side);
    of(Side::Ledger).flat_map(move |ledger| {
        of(Side::Platform).map(move |platform| {
            (
                format!("{}-{}", ledger.system.id, platform.system.id),
                ledger,
                platform,
            )
        })
    })
}

fn netsuite(chassis: Chassis, world: &World, seed: u64) -> Arc<dyn Fake> {
    let options = tieout_netsuite_fake::Options {
        account: world.account_id.clone(),
        seed,
        one_world: world.one_world,
        session_time_zone: world.time_zone.clone(),
        wall_clock: Arc::clone(&chassis.wall_clock),
        ..tieout_netsuite_fake::Options::default()
    };
    tieout_netsuite_fake::NetSuiteFake::new(chassis, world, options)
}

fn bill(chassis: Chassis, world: &World, seed: u64) -> Arc<dyn Fake> {
    let options = tieout_bill_fake::Options {
        seed,
        transport: chassis.outgoing.clone(),
        ..tieout_bill_fake::Options::default()
    };
    tieout_bill_fake::BillFake::new(chassis, world, options)
}

fn invoiced(chassis: Chassis, world: &World, seed: u64) -> Arc<dyn Fake> {
    tieout_invoiced_fake::InvoicedFake::new(chassis, world, seed)
}

fn alternative_payments(chassis: Chassis, world: &World, seed: u64) -> Arc<dyn Fake> {
    tieout_alternative_payments_fake::AlternativePaymentsFake::new(chassis, world, seed)
}
