//! What holds for whatever documents there are: decisions are total and the same each time (the world checks
//! each one twice), nothing that doesn't add up is written (the world checks each step), no key is used for
//! two creations (the same), and it comes to rest.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;
use rust_decimal::Decimal;
use tieout_domain::document::{Approval, Bill, BillStatus, Payment, PaymentStatus, Void, VoidKind};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, RecordRef, Side};

use crate::world::*;

fn cents() -> impl Strategy<Value = Amount> {
    (-20_000_i64..2_000_000).prop_map(|cents| Amount::new(Decimal::new(cents, 2)))
}

fn bill_status() -> impl Strategy<Value = BillStatus> {
    prop_oneof![
        8 => Just(BillStatus::Open),
        1 => Just(BillStatus::Paid),
        1 => Just(BillStatus::PendingApproval),
        1 => Just(BillStatus::Rejected),
        1 => Just(BillStatus::Cancelled),
        1 => Just(BillStatus::Voided),
        1 => Just(BillStatus::Archived),
        1 => "[A-Z]{3}".prop_map(BillStatus::Other),
    ]
}

fn approval() -> impl Strategy<Value = Approval> {
    prop_oneof![
        6 => Just(Approval::Approved),
        1 => Just(Approval::Unassigned),
        1 => Just(Approval::Pending),
        1 => Just(Approval::Denied),
        1 => "[A-Z]{3}".prop_map(Approval::Other),
    ]
}

fn payment_status() -> impl Strategy<Value = PaymentStatus> {
    prop::sample::select(vec![
        PaymentStatus::Approving,
        PaymentStatus::Scheduled,
        PaymentStatus::Funding,
        PaymentStatus::Processed,
        PaymentStatus::Processed,
        PaymentStatus::Processed,
        PaymentStatus::Cleared,
        PaymentStatus::OnHold,
        PaymentStatus::VoidPending,
        PaymentStatus::Canceled,
        PaymentStatus::Voided,
        PaymentStatus::FundingFailedVoided,
        PaymentStatus::FundingFailedOwed,
        PaymentStatus::Returned,
        PaymentStatus::Expiring,
        PaymentStatus::Escheated,
        PaymentStatus::LedgerVoided,
        PaymentStatus::Other("NEW".into()),
    ])
}

prop_compose! {
    /// A bill of the ledger, sometimes wrong in itself.
    fn any_bill()(
        number in "[A-C0]{0,2}[ -]?[0-2]{0,2}",
        amounts in prop::collection::vec(cents(), 0..4),
        off in prop::option::weighted(0.1, cents()),
        open in prop::option::weighted(0.2, cents()),
        status in bill_status(),
        approval in approval(),
        month in 1_i8..=12,
        hold in prop::bool::weighted(0.05),
        memo in ".{0,20}",
    ) -> Bill {
        let Document::Bill(base) = bill(&number, "1.00") else { unreachable!() };
        let lines: Vec<_> = amounts.iter().map(|it| tieout_domain::document::Line { amount: *it, ..line("1") }).collect();
        let sum: Amount = amounts.into_iter().sum();
        let total = off.unwrap_or(sum);
        Bill {
            lines,
            total,
            open: open.unwrap_or(total),
            status,
            approval,
            date: jiff_date(month),
            payment_hold: hold,
            memo,
            ..base
        }
    }
}

fn jiff_date(month: i8) -> tieout_domain::Date {
    tieout_domain::Date::new(2026, month, 15).unwrap()
}

/// Something that happens on the platform.
#[derive(Debug, Clone)]
enum Event {
    Pays(usize, i64, PaymentStatus),
    Moves(usize, PaymentStatus, bool),
    Deletes(usize),
    Edits(usize, Amount),
    Archives(usize),
    Syncs,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), 1_i64..100, payment_status()).prop_map(|(at, share, status)| Event::Pays(at.index(1000), share, status)),
        4 => (any::<prop::sample::Index>(), payment_status(), any::<bool>()).prop_map(|(at, status, reissue)| Event::Moves(at.index(1000), status, reissue)),
        1 => any::<prop::sample::Index>().prop_map(|at| Event::Deletes(at.index(1000))),
        2 => (any::<prop::sample::Index>(), cents()).prop_map(|(at, to)| Event::Edits(at.index(1000), to)),
        1 => any::<prop::sample::Index>().prop_map(|at| Event::Archives(at.index(1000))),
        2 => Just(Event::Syncs),
    ]
}

fn pick(world: &World, side: Side, kind: Kind, at: usize) -> Option<RecordRef> {
    let records = world.of(side, kind);
    (!records.is_empty()).then(|| records[at % records.len()].clone())
}

fn happen(world: &mut World, event: Event, count: usize) {
    match event {
        Event::Syncs => world.sync(),
        Event::Pays(at, share, status) => {
            let Some(record) = pick(world, Side::Platform, Kind::Bill, at) else {
                return;
            };
            let bill = world.bill_at(&record).clone();
            if !bill.open.is_positive() || bill.status == BillStatus::Archived {
                return;
            }
            let part = (bill.open.decimal() * Decimal::new(share, 2)).round_dp(2);
            let text = part.max(Decimal::new(1, 2)).to_string();
            world.pays(
                &format!("stp{count}"),
                Payment {
                    status,
                    ..payment(&[(&record, &text)])
                },
            );
        }
        Event::Moves(at, status, reissue) => {
            let Some(record) = pick(world, Side::Platform, Kind::Payment, at) else {
                return;
            };
            let kind = if reissue {
                VoidKind::Reissue
            } else {
                VoidKind::Credit
            };
            world.payment(&record, |it| {
                if it.outside {
                    return;
                }
                it.void = (status == PaymentStatus::Voided).then_some(Void {
                    void_kind: kind,
                    accepted: true,
                    rejected: false,
                });
                it.status = status;
            });
        }
        Event::Deletes(at) => {
            if let Some(record) = pick(world, Side::Ledger, Kind::Bill, at) {
                world.delete(&record);
            }
        }
        Event::Edits(at, to) => {
            if let Some(record) = pick(world, Side::Ledger, Kind::Bill, at) {
                world.bill(&record, |it| {
                    it.lines = vec![line(&to.to_string())];
                    (it.total, it.open) = (to, to);
                });
            }
        }
        Event::Archives(at) => {
            if let Some(record) = pick(world, Side::Platform, Kind::Bill, at) {
                world.bill(&record, |it| it.status = BillStatus::Archived);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_happens_it_comes_to_rest_and_every_record_has_one_state(
        bills in prop::collection::vec(any_bill(), 1..6),
        events in prop::collection::vec(event(), 0..12),
        balance in any::<bool>(),
    ) {
        let mut world = World::new();
        if balance {
            world.preferences.set("transactions.partly_paid", "balance").unwrap();
        }
        for (at, it) in bills.into_iter().enumerate() {
            world.put(ledger(Kind::Bill, &(at + 1).to_string()), Document::Bill(it));
        }
        world.sync();
        for (count, event) in events.into_iter().enumerate() {
            happen(&mut world, event, count);
        }
        world.sync();
        let writes = world.writes.len();
        world.sync();
        prop_assert_eq!(world.writes.len(), writes, "a run with nothing to do writes nothing");
        let keys: HashSet<_> = world.writes.iter().filter(|it| it.action == Action::Create).map(|it| &it.key).collect();
        let made = world.writes.iter().filter(|it| it.action == Action::Create).count();
        prop_assert_eq!(keys.len(), made);
    }

    #[test]
    fn no_bill_of_the_platform_ever_stands_for_two(
        booked in prop::collection::vec(any_bill(), 0..6),
        typed_there in prop::collection::vec(("[A-C0]{0,2}[ -]?[0-2]{0,2}", 1_i64..400, prop::bool::weighted(0.2)), 0..6),
    ) {
        let mut world = World::new();
        world.put(platform(Kind::Vendor, "009"), vendor("Acme Ltd"));
        world.link("vendors", ledger(Kind::Vendor, "12"), platform(Kind::Vendor, "009"));
        for (at, (number, cents, paid)) in typed_there.into_iter().enumerate() {
            let record = platform(Kind::Bill, &format!("00n{at}"));
            world.put(record.clone(), typed("009", &number, &Decimal::new(cents, 2).to_string()));
            world.bill(&record, |it| if paid { it.open = Amount::ZERO });
        }
        for (at, mut it) in booked.into_iter().enumerate() {
            // Amounts close to each other, so that some fit.
            for line in &mut it.lines {
                line.amount = Amount::new(Decimal::new(at as i64 % 3 + 1, 2));
            }
            it.total = it.lines.iter().map(|line| line.amount).sum();
            it.open = it.total;
            world.put(ledger(Kind::Bill, &(at + 1).to_string()), Document::Bill(it));
        }
        world.sync();
        let targets: Vec<_> = world.links.iter().filter(|link| link.flow == "bills").map(|link| &link.target).collect();
        let distinct: BTreeSet<_> = targets.iter().collect();
        prop_assert_eq!(distinct.len(), targets.len());
        // Each bill of either side is counted once: by itself, or by the one that stands for it.
        for record in world.of(Side::Platform, Kind::Bill) {
            let linked = targets.contains(&&record);
            let counted = world.outcomes.contains_key(&("bills".to_owned(), record.clone()));
            prop_assert!(!(linked && counted), "{} is counted twice", record);
        }
    }

    #[test]
    fn no_two_bills_share_a_key(ids in prop::collection::btree_set("[1-9][0-9]{0,6}", 2..20)) {
        let world = World::new();
        let keys: BTreeSet<_> = ids.iter().map(|id| world.connection.ledger_key(&id.as_str().into())).collect();
        prop_assert_eq!(keys.len(), ids.len());
    }

    #[test]
    fn cash_posted_is_cash_paid(parts in prop::collection::vec(1_i64..100_000, 1..9)) {
        let mut world = World::new();
        let mut sent = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let text = Decimal::new(*part, 2).to_string();
            let (_, there) = world.sent(&(at + 1).to_string(), &format!("N{at}x"), &text);
            sent.push((there, text));
        }
        let paid: Vec<_> = sent.iter().map(|(there, text)| (there, text.as_str())).collect();
        let record = world.pays("stp1", payment(&paid));
        world.sync();
        let posted = world.payment_at(&world.target("bill-payments", &record).unwrap());
        prop_assert_eq!(posted.total, world.payment_at(&record).total);
        let open: Amount = world.of(Side::Ledger, Kind::Bill).iter().map(|it| world.bill_at(it).open).sum();
        prop_assert!(open.is_zero());
    }
}

/// Every code that the flows can give has a page with a fix.
#[test]
fn every_code_has_a_page() {
    let mut found = 0;
    let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for rest in text.split("Code::new(").skip(1) {
                let Some(name) = rest
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|it| it.split('"').next())
                else {
                    continue;
                };
                let page = tieout_domain::code::Code::from_text(name).page();
                let page = page.unwrap_or_else(|| panic!("{name} has no page"));
                assert!(
                    !page.fix().is_empty() && !page.who().is_empty() && page.title() != name,
                    "{name}"
                );
                found += 1;
            }
        }
    }
    assert!(found > 90);
}
