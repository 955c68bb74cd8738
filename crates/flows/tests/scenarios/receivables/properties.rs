//! What holds for whatever happens on both sides: decisions are the same each time, nothing that doesn't add up is
//! written and no key is used for two creations (the world checks these), it comes to rest, every cent that the
//! platform received is in the ledger once or waits for a person, and nothing is ever paid above what is owed.

use proptest::prelude::*;
use proptest::sample::Index;
use rust_decimal::Decimal;
use tieout_domain::document::*;
use tieout_domain::{Amount, Document, Kind, RecordRef, Side};

use super::books::*;
use crate::world::*;

/// Something that happens on one of the two sides.
#[derive(Debug, Clone)]
enum Event {
    Bills(Side, i64),
    Pays(Side, Index, i64),
    Fails(Index, bool),
    Voids(Side, Index),
    Edits(Side, Index, i64),
    Frees(Index),
    Deletes(Index),
    Syncs,
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Ledger), Just(Side::Platform)]
}

fn event() -> impl Strategy<Value = Event> {
    let at = any::<Index>;
    prop_oneof![
        4 => (side(), 1_i64..50_000).prop_map(|(side, cents)| Event::Bills(side, cents)),
        5 => (side(), at(), 1_i64..130).prop_map(|(side, at, share)| Event::Pays(side, at, share)),
        2 => (at(), any::<bool>()).prop_map(|(at, failed)| Event::Fails(at, failed)),
        1 => (side(), at()).prop_map(|(side, at)| Event::Voids(side, at)),
        2 => (side(), at(), 1_i64..50_000).prop_map(|(side, at, cents)| Event::Edits(side, at, cents)),
        1 => at().prop_map(Event::Frees),
        1 => at().prop_map(Event::Deletes),
        4 => Just(Event::Syncs),
    ]
}

fn cents(cents: i64) -> Amount {
    Amount::new(Decimal::new(cents, 2))
}

fn pick(world: &World, side: Side, kind: Kind, at: &Index) -> Option<RecordRef> {
    let records = world.of(side, kind);
    (!records.is_empty()).then(|| at.get(&records).clone())
}

/// Whether a person on this side could still do something to it.
fn is_live(world: &World, record: &RecordRef) -> bool {
    !world.records[record].gone
}

fn happen(world: &mut World, event: &Event, count: usize) {
    match event {
        Event::Syncs => world.sync(),
        Event::Bills(side, worth) => {
            let text = cents(*worth).to_string();
            let (customer, id) = match side {
                Side::Ledger => ("7", format!("{count}")),
                Side::Platform => ("70", format!("8{count}")),
            };
            let number = format!("{}-{count}", side.as_str());
            world.put(
                RecordRef::new(*side, Kind::Invoice, id),
                invoice(customer, &number, &text),
            );
        }
        Event::Pays(side, at, share) => pay(world, *side, at, *share, count),
        Event::Fails(at, failed) => {
            if let Some(payment) = pick(world, Side::Platform, Kind::CustomerPayment, at) {
                // A person voids; only what the platform took itself can fail.
                let it = world.receipt_at(&payment);
                let ours = it.marker.is_some();
                // What is undone stays undone.
                if it.status != ReceiptStatus::Received {
                    return;
                }
                world.receipt(&payment, |it| {
                    it.status = if *failed && !ours {
                        ReceiptStatus::Failed
                    } else {
                        ReceiptStatus::Voided
                    };
                });
            }
        }
        Event::Voids(side, at) => {
            if let Some(invoice) = pick(world, *side, Kind::Invoice, at) {
                let it = world.invoice_at(&invoice);
                // Neither side lets anybody void what is paid.
                if it.open == it.total {
                    world.invoice(&invoice, |it| it.status = InvoiceStatus::Voided);
                }
            }
        }
        Event::Edits(side, at, worth) => {
            if let Some(invoice) = pick(world, *side, Kind::Invoice, at) {
                let it = world.invoice_at(&invoice);
                let paid = it.total.minus(it.open).unwrap();
                let worth = cents(*worth);
                if worth >= paid && it.status == InvoiceStatus::Open {
                    world.invoice(&invoice, |it| {
                        it.total = worth;
                        it.lines = vec![sold(&worth.to_string())];
                    });
                }
            }
        }
        Event::Frees(at) => {
            if let Some(payment) = pick(world, Side::Ledger, Kind::CustomerPayment, at) {
                world.receipt(&payment, |it| {
                    it.uses.clear();
                    it.unapplied = it.total;
                });
            }
        }
        Event::Deletes(at) => {
            if let Some(payment) = pick(world, Side::Ledger, Kind::CustomerPayment, at) {
                world.delete(&payment);
                world.settle_receivables();
            }
        }
    }
}

/// Pays a share of what is open, and what is above 100 % on account.
fn pay(world: &mut World, side: Side, at: &Index, share: i64, count: usize) {
    let Some(invoice) = pick(world, side, Kind::Invoice, at) else {
        return;
    };
    let it = world.invoice_at(&invoice);
    if !is_live(world, &invoice) || it.status != InvoiceStatus::Open {
        return;
    }
    let asked = (it.open.decimal() * Decimal::new(share, 2)).round_dp(2);
    let asked = Amount::new(asked.max(Decimal::new(1, 2)));
    let applied = asked.min(it.open);
    let over = asked.minus(applied).unwrap();
    let payer = RecordRef::new(side, Kind::Customer, it.customer.clone());
    let (applied, over) = (applied.to_string(), over.to_string());
    let uses = [
        (pays(&invoice), applied.as_str()),
        (UseOf::Credit, over.as_str()),
    ];
    let mut payment = receipt(&payer, &uses);
    let id = match side {
        Side::Ledger => {
            // The ledger shows what is not applied as just that.
            payment.uses.pop();
            payment.unapplied = amount(&over);
            format!("6{count}")
        }
        Side::Platform => format!("9{count}"),
    };
    let record = RecordRef::new(side, Kind::CustomerPayment, id);
    world.put(record, Document::CustomerPayment(payment));
    world.settle_receivables();
}

/// The live cash of one side's payments that began on it.
fn received(world: &World, payment: &RecordRef) -> Option<Amount> {
    let it = world.receipt_at(payment);
    let live = is_live(world, payment) && it.status == ReceiptStatus::Received;
    (live && it.marker.is_none() && it.external_id.is_none()).then_some(it.total)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn whatever_happens_every_cent_is_on_both_sides_once_or_waits_for_a_person(
        events in prop::collection::vec(event(), 1..24),
        bank in any::<bool>(),
        reverse in any::<bool>(),
    ) {
        let mut world = World::receivables();
        world.put(platform(Kind::Customer, "70"), customer("New Ltd", "CUST-70"));
        if bank {
            world.preferences.receivables.deposit_accounts = vec!["1020".into()];
        }
        if reverse {
            world.preferences.set("receivables.failed_payments", "reverse").unwrap();
        }
        for (count, event) in events.iter().enumerate() {
            happen(&mut world, event, count);
        }
        world.sync();
        let written = world.writes.len();
        world.sync();
        prop_assert_eq!(written, world.writes.len(), "nothing is left to write");

        for payment in world.of(Side::Platform, Kind::CustomerPayment) {
            let Some(total) = received(&world, &payment) else { continue };
            let outcome = &world.outcomes[&("payments".to_owned(), payment.clone())];
            if outcome.state != tieout_domain::State::Done {
                prop_assert!(outcome.code.is_some());
                continue;
            }
            let posted = world.target("payments", &payment).unwrap();
            prop_assert_eq!(world.receipt_at(&posted).total, total);
        }
        for invoice in world.of(Side::Ledger, Kind::Invoice) {
            let outcome = world.outcomes.get(&("invoices".to_owned(), invoice.clone()));
            let Some(outcome) = outcome else { continue };
            if outcome.state != tieout_domain::State::Done {
                continue;
            }
            let copy = world.target("invoices", &invoice).unwrap();
            prop_assert_eq!(world.invoice_at(&copy).total, world.invoice_at(&invoice).total);
        }
    }
}
