//! What holds for whatever happens: it comes to rest, nothing is paid above what is owed on either side (the world checks
//! it, and that what is written adds up), a payout gives a deposit equal to the line on the bank statement less what was
//! deposited by itself, or none, and each platform payment reaches the bank account once at most.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use rust_decimal::Decimal;
use tieout_domain::document::*;
use tieout_domain::{Amount, Document, Kind, RecordRef, RemoteId, Side, State};

use super::*;

/// Something that happens on one of the two sides.
#[derive(Debug, Clone)]
enum Event {
    Bills(Side, i64),
    PaysHere(Index, i64),
    PaysThere(Index, i64, bool),
    Fails(Index),
    Voids(Index),
    Undoes(Index),
    Frees(Index),
    Deletes(Index),
    Edits(Index, i64),
    PaysOut(i64, bool),
    Syncs,
}

fn event() -> impl Strategy<Value = Event> {
    let at = any::<Index>;
    prop_oneof![
        4 => (prop_oneof![3 => Just(Side::Ledger), 1 => Just(Side::Platform)], 1_i64..50_000)
            .prop_map(|(side, cents)| Event::Bills(side, cents)),
        3 => (at(), 1_i64..130).prop_map(|(at, share)| Event::PaysHere(at, share)),
        4 => (at(), 1_i64..130, any::<bool>())
            .prop_map(|(at, share, pending)| Event::PaysThere(at, share, pending)),
        2 => at().prop_map(Event::Fails),
        1 => at().prop_map(Event::Voids),
        1 => at().prop_map(Event::Undoes),
        1 => at().prop_map(Event::Frees),
        1 => at().prop_map(Event::Deletes),
        2 => (at(), 1_i64..50_000).prop_map(|(at, cents)| Event::Edits(at, cents)),
        3 => (0_i64..500, any::<bool>()).prop_map(|(fee, right)| Event::PaysOut(fee, right)),
        4 => Just(Event::Syncs),
    ]
}

fn cents(cents: i64) -> Amount {
    Amount::new(Decimal::new(cents, 2))
}

fn pick(world: &World, side: Side, kind: Kind, at: &Index) -> Option<RecordRef> {
    let mut records = world.of(side, kind);
    records.retain(|record| !world.records[record].gone);
    (!records.is_empty()).then(|| at.get(&records).clone())
}

/// What is really open on an invoice of the platform, whether it tells so or not.
fn open_there(world: &World, invoice: &RecordRef) -> Amount {
    let paid: Amount = world
        .of(Side::Platform, Kind::CustomerPayment)
        .iter()
        .filter(|record| !world.records[record].gone)
        .map(|record| world.receipt_at(record))
        .filter(|it| !matches!(it.status, ReceiptStatus::Failed | ReceiptStatus::Voided))
        .flat_map(|it| &it.uses)
        .filter(|part| part.of.invoice() == Some(&invoice.id))
        .map(|part| part.amount)
        .sum();
    world.invoice_at(invoice).total.minus(paid).unwrap()
}

fn share_of(open: Amount, share: i64) -> (Amount, Amount) {
    let asked = (open.decimal() * Decimal::new(share, 2)).round_dp(2);
    let asked = Amount::new(asked.max(Decimal::new(1, 2)));
    (asked.min(open), asked)
}

fn happen(world: &mut World, event: &Event, count: usize) {
    match event {
        Event::Syncs => world.sync(),
        Event::Bills(side, worth) => {
            let (customer, id) = match side {
                Side::Ledger => ("7", format!("{}", count + 1)),
                Side::Platform => ("70", format!("8{count}")),
            };
            let number = format!("{}-{count}", side.as_str());
            let document = invoice(customer, &number, &cents(*worth).to_string());
            world.put(RecordRef::new(*side, Kind::Invoice, id), document);
        }
        Event::PaysHere(at, share) => check(world, at, *share, count),
        Event::PaysThere(at, share, pending) => card(world, at, *share, *pending, count),
        Event::Fails(at) => {
            if let Some(payment) = pick(world, Side::Platform, Kind::CustomerPayment, at)
                && world.receipt_at(&payment).external_id.is_none()
            {
                world.receipt(&payment, |it| it.status = ReceiptStatus::Failed);
            }
        }
        Event::Voids(at) => {
            if let Some(invoice) = pick(world, Side::Ledger, Kind::Invoice, at) {
                let it = world.invoice_at(&invoice);
                if it.open == it.total {
                    world.invoice(&invoice, |it| it.status = InvoiceStatus::Voided);
                }
            }
        }
        // What is in a deposit can be neither voided nor deleted.
        Event::Undoes(at) => in_hand(world, at, |world, payment| {
            world.receipt(&payment, |it| it.status = ReceiptStatus::Voided);
        }),
        Event::Deletes(at) => in_hand(world, at, |world, payment| {
            world.delete(&payment);
            world.settle_receivables();
        }),
        Event::Frees(at) => in_hand(world, at, |world, payment| {
            world.receipt(&payment, |it| {
                it.uses.clear();
                it.unapplied = it.total;
            });
        }),
        Event::Edits(at, worth) => {
            if let Some(invoice) = pick(world, Side::Ledger, Kind::Invoice, at) {
                let it = world.invoice_at(&invoice);
                let paid = it.total.minus(it.open).unwrap();
                if cents(*worth) >= paid && it.status == InvoiceStatus::Open {
                    world.invoice(&invoice, |it| {
                        it.total = cents(*worth);
                        it.lines = vec![sold(&cents(*worth).to_string())];
                    });
                }
            }
        }
        Event::PaysOut(fee, right) => pay_out(world, *fee, *right, count),
    }
}

fn in_hand(world: &mut World, at: &Index, act: impl FnOnce(&mut World, RecordRef)) {
    if let Some(payment) = pick(world, Side::Ledger, Kind::CustomerPayment, at)
        && world.receipt_at(&payment).status == ReceiptStatus::Received
    {
        act(world, payment);
    }
}

fn check(world: &mut World, at: &Index, share: i64, count: usize) {
    let Some(invoice) = pick(world, Side::Ledger, Kind::Invoice, at) else {
        return;
    };
    let it = world.invoice_at(&invoice);
    if it.status != InvoiceStatus::Open || !it.open.is_positive() {
        return;
    }
    let (applied, asked) = share_of(it.open, share);
    let payer = ledger(Kind::Customer, it.customer.as_str());
    let mut paid = receipt(&payer, &[(pays(&invoice), &applied.to_string())]);
    paid.total = asked;
    paid.unapplied = asked.minus(applied).unwrap();
    let record = ledger(Kind::CustomerPayment, &format!("6{count}"));
    world.put(record, Document::CustomerPayment(paid));
    world.settle_receivables();
}

fn card(world: &mut World, at: &Index, share: i64, pending: bool, count: usize) {
    let Some(invoice) = pick(world, Side::Platform, Kind::Invoice, at) else {
        return;
    };
    let open = open_there(world, &invoice);
    if world.invoice_at(&invoice).status != InvoiceStatus::Open || !open.is_positive() {
        return;
    }
    let (applied, _) = share_of(open, share);
    let payer = world.payer(&invoice);
    let mut paid = receipt(&payer, &[(pays(&invoice), &applied.to_string())]);
    if pending {
        paid.status = ReceiptStatus::Pending;
    }
    let record = platform(Kind::CustomerPayment, &format!("9{count}"));
    world.put(record, Document::CustomerPayment(paid));
    world.settle_receivables();
}

/// Pays out what was received and is in no payout yet; sometimes the platform's own sum is wrong.
fn pay_out(world: &mut World, fee: i64, right: bool, count: usize) {
    let before: BTreeSet<RemoteId> = payouts(world)
        .iter()
        .flat_map(|(_, it)| it.payments().map(|(id, _)| id.clone()).collect::<Vec<_>>())
        .collect();
    let mut parts = Vec::new();
    for record in world.of(Side::Platform, Kind::CustomerPayment) {
        let it = world.receipt_at(&record);
        let ours = it.external_id.is_some() || before.contains(&record.id);
        if it.status == ReceiptStatus::Received && !ours {
            parts.push((of(&record), it.total.to_string()));
        }
    }
    parts.push((PartOf::Fee, format!("-{}", cents(fee))));
    let parts: Vec<_> = parts
        .iter()
        .map(|(of, text)| (of.clone(), text.as_str()))
        .collect();
    let mut made = payout(&parts);
    if !right {
        made.total = made.total.plus(Amount::ONE).unwrap();
    }
    let record = platform(Kind::Payout, &format!("{count}"));
    world.put(record, Document::Payout(made));
}

fn payouts(world: &World) -> Vec<(RecordRef, Payout)> {
    let records = world.of(Side::Platform, Kind::Payout).into_iter();
    records
        .map(|record| match world.at(&record) {
            Document::Payout(it) => (record.clone(), it.clone()),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn alone(world: &World, payment: &RemoteId) -> bool {
    world.links.iter().any(|link| {
        link.flow == "payments" && link.role == "stand-alone" && link.record.id == *payment
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_payout_is_the_line_on_the_bank_statement_or_no_deposit(
        events in prop::collection::vec(event(), 1..28),
        documented in any::<bool>(),
        reverse in any::<bool>(),
    ) {
        let mut world = if documented { World::documented() } else { World::alternative() };
        world.put(platform(Kind::Customer, "70"), customer("New Ltd", ""));
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

        for (record, payout) in payouts(&world) {
            let outcome = &world.outcomes[&("deposits".to_owned(), record.clone())];
            if outcome.state != State::Done {
                prop_assert!(outcome.code.is_some());
                prop_assert_eq!(world.target("deposits", &record), None);
                continue;
            }
            let alone: Amount = payout
                .payments()
                .filter(|(id, _)| alone(&world, id))
                .map(|(_, amount)| amount)
                .sum();
            let bank = payout.total.minus(alone).unwrap();
            prop_assert_eq!(world.deposit_of(&record).total, bank);
        }
        for payment in world.of(Side::Platform, Kind::CustomerPayment) {
            let posted = world.links.iter().any(|link| {
                link.flow == "payments" && link.record == payment && link.role.is_empty()
            });
            prop_assert!(!(posted && alone(&world, &payment.id)), "{payment} is in the books twice");
        }
    }

    #[test]
    fn what_is_told_of_the_ledger_is_what_the_ledger_settled(
        events in prop::collection::vec(event(), 1..28),
    ) {
        let mut world = World::alternative();
        world.put(platform(Kind::Customer, "70"), customer("New Ltd", ""));
        for (count, event) in events.iter().enumerate() {
            happen(&mut world, event, count);
        }
        world.sync();
        for check in world.of(Side::Ledger, Kind::CustomerPayment) {
            let place = ("payments".to_owned(), check.clone());
            let done = world.outcomes.get(&place).is_some_and(|it| it.state == State::Done);
            if !done {
                continue;
            }
            let here = world.receipt_at(&check);
            for part in &here.uses {
                let Some(invoice) = part.of.invoice() else { continue };
                let prefix = format!("{invoice}.");
                let told: Amount = world
                    .links
                    .iter()
                    .filter(|link| link.flow == "payments" && link.record == check)
                    .filter(|link| link.role.starts_with(&prefix))
                    .filter(|link| !world.records[&link.target].gone)
                    .map(|link| world.receipt_at(&link.target).total)
                    .sum();
                let copy = world.target("invoices", &ledger(Kind::Invoice, invoice.as_str()));
                let stands = copy.is_some_and(|copy| {
                    world.invoice_at(&copy).status != InvoiceStatus::Voided
                });
                if stands {
                    prop_assert_eq!(told, part.amount);
                }
            }
        }
    }
}
