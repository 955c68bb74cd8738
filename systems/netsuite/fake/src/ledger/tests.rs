//! What a write to the books entails.

use jiff::civil::date;
use rusqlite::Connection;
use rust_decimal::Decimal;
use tieout_kit::fake::world::generate::{Shape, generate};

use super::*;
use crate::schema::from_units;

const SUBSIDIARY: i64 = 1;

struct Books {
    connection: Connection,
    context: Context,
    vendor: i64,
    bank: i64,
    payables: i64,
    expense: i64,
}

fn books() -> Books {
    let mut connection = Connection::open_in_memory().unwrap();
    crate::schema::create(&connection).unwrap();
    let today = date(2026, 6, 15);
    let now = "2026-06-15T20:00:00Z".parse().unwrap();
    crate::load::load(&mut connection, &generate(&Shape::new(today)), now).unwrap();
    let context = Context {
        now,
        today,
        one_world: true,
        payment_touches_bill: false,
        void_by_journal: false,
        override_locked: false,
    };
    let account = |number: &str| -> i64 {
        connection
            .query_row(
                "SELECT id FROM account WHERE acctnumber = ?1",
                [number],
                |row| row.get(0),
            )
            .unwrap()
    };
    let (bank, payables) = (account("1000"), account("2000"));
    let expense = connection
        .query_row(
            "SELECT id FROM account WHERE accttype = 'Expense' AND issummary = 'F' AND isinactive = 'F'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let vendor = EntityIn {
        kind: EntityKind::Vendor,
        entity_id: None,
        company_name: Some("Quill & Anvil".into()),
        legal_name: None,
        is_person: false,
        first_name: None,
        last_name: None,
        email: None,
        phone: None,
        account_number: None,
        terms: None,
        currency: None,
        category: None,
        ledger_account: None,
        expense_account: None,
        subsidiaries: vec![SUBSIDIARY],
        inactive: false,
        give_access: false,
        is_1099: false,
        tax_id: None,
        print_on_check_as: None,
        comments: None,
        parent: None,
        external_id: Some("vendor_1".into()),
        addresses: vec![AddressIn {
            city: Some("Salem".into()),
            default_billing: true,
            ..AddressIn::default()
        }],
        extra: None,
    };
    let vendor_id = insert_entity(&connection, &context, &vendor).unwrap();
    let read = read_entity(&connection, vendor_id).unwrap().unwrap();
    assert_eq!(read.company_name, vendor.company_name);
    assert_eq!((read.subsidiaries.len(), read.addresses.len()), (1, 1));
    Books {
        connection,
        context,
        vendor: vendor_id,
        bank,
        payables,
        expense,
    }
}

impl Books {
    fn bill(&self, amount: &str) -> BillIn {
        BillIn {
            kind: BillKind::VendorBill,
            entity: self.vendor,
            subsidiary: None,
            account: None,
            number: Some("INV-1".into()),
            date: None,
            due: None,
            terms: None,
            currency: None,
            rate: None,
            memo: None,
            external_id: None,
            other_reference: None,
            approval: Approval::Approved,
            payment_hold: false,
            period: None,
            lines: vec![LineIn {
                kind: LineKind::Expense,
                account: Some(self.expense),
                amount: amount.parse().unwrap(),
                memo: None,
                department: None,
                class: None,
                location: None,
                extra: None,
            }],
            applications: Vec::new(),
            extra: None,
        }
    }

    fn insert(&self, bill: &BillIn) -> i64 {
        insert_bill(&self.connection, &self.context, bill).unwrap()
    }

    fn payment(&self, applications: &[(i64, i64, Option<&str>)]) -> PaymentIn {
        PaymentIn {
            kind: PaymentKind::VendorPayment,
            entity: self.vendor,
            subsidiary: None,
            account: Some(self.bank),
            ledger_account: None,
            check_number: None,
            number: None,
            date: None,
            currency: None,
            rate: None,
            memo: None,
            external_id: None,
            period: None,
            amount: None,
            applications: applications
                .iter()
                .map(|(doc, line, amount)| Application {
                    doc: *doc,
                    line: *line,
                    amount: amount.map(|amount| amount.parse().unwrap()),
                    discount: Decimal::ZERO,
                })
                .collect(),
            credits: Vec::new(),
            department: None,
            class: None,
            location: None,
            extra: None,
        }
    }

    fn status(&self, id: i64) -> (String, Option<Decimal>) {
        self.connection
            .query_row(
                "SELECT status, foreignamountunpaid FROM \"transaction\" WHERE id = ?1",
                [id],
                |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(from_units))),
            )
            .unwrap()
    }

    fn owed(&self) -> Decimal {
        self.connection
            .query_row(
                "SELECT balance FROM vendor WHERE id = ?1",
                [self.vendor],
                |row| row.get(0),
            )
            .map(from_units)
            .unwrap()
    }

    fn pay(&self, applications: &[(i64, i64, Option<&str>)]) -> Result<i64, LedgerError> {
        insert_payment(&self.connection, &self.context, &self.payment(applications))
    }
}

fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_bill_is_open_partly_paid_and_paid() {
    let books = books();
    let before = account_balance(&books.connection, books.payables).unwrap();
    let bill = books.insert(&books.bill("100.25"));
    assert_eq!(books.status(bill), ("A".into(), Some(amount("100.25"))));
    assert_eq!(books.owed(), amount("100.25"));
    let part = books.pay(&[(bill, 0, Some("40"))]).unwrap();
    assert_eq!(books.status(bill), ("A".into(), Some(amount("60.25"))));
    assert!(matches!(
        books.pay(&[(bill, 0, Some("60.26"))]),
        Err(LedgerError::OverApplied { .. })
    ));
    books.pay(&[(bill, 0, None)]).unwrap();
    assert_eq!(books.status(bill), ("B".into(), Some(Decimal::ZERO)));
    assert!(matches!(
        books.pay(&[(bill, 0, None)]),
        Err(LedgerError::NotApplicable { .. })
    ));
    assert!(matches!(
        delete(&books.connection, &books.context, bill),
        Err(LedgerError::InUse { .. })
    ));
    assert_eq!(
        account_balance(&books.connection, books.payables).unwrap(),
        before
    );
    delete(&books.connection, &books.context, part).unwrap();
    assert_eq!(books.status(bill), ("A".into(), Some(amount("40"))));
    assert_eq!(books.owed(), amount("40"));
    let gone: i64 = books
        .connection
        .query_row(
            "SELECT COUNT(*) FROM deletedrecord WHERE recordid = ?1",
            [part],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(gone, 1);
}

#[test]
fn an_unapproved_bill_has_no_accounting_impact() {
    let books = books();
    let before = account_balance(&books.connection, books.payables).unwrap();
    let bill = books.insert(&BillIn {
        approval: Approval::Pending,
        ..books.bill("10")
    });
    assert_eq!(books.status(bill).0, "D");
    assert_eq!(
        account_balance(&books.connection, books.payables).unwrap(),
        before
    );
    assert!(matches!(
        books.pay(&[(bill, 0, None)]),
        Err(LedgerError::NotApplicable { .. })
    ));
    set_approval(&books.connection, &books.context, bill, Approval::Approved).unwrap();
    assert_eq!(books.status(bill).0, "A");
    assert_eq!(
        account_balance(&books.connection, books.payables).unwrap(),
        before - amount("10")
    );
}

#[test]
fn a_payment_is_moved_from_the_bill_to_a_journal_line() {
    let books = books();
    let bill = books.insert(&books.bill("75"));
    let id = books.pay(&[(bill, 0, None)]).unwrap();
    let line = |account, debit: &str, credit: &str, entity| JournalLineIn {
        account,
        debit: amount(debit),
        credit: amount(credit),
        entity,
        memo: None,
        department: None,
        class: None,
        location: None,
        extra: None,
    };
    let journal = JournalIn {
        subsidiary: Some(SUBSIDIARY),
        number: None,
        date: None,
        currency: None,
        rate: None,
        memo: None,
        external_id: Some("bill_rev".into()),
        period: None,
        approved: true,
        lines: vec![
            line(books.bank, "75", "0", None),
            line(books.payables, "0", "75", Some(books.vendor)),
        ],
        extra: None,
    };
    let entry = insert_journal(&books.connection, &books.context, &journal).unwrap();
    let found = applicable(
        &books.connection,
        books.vendor,
        books.payables,
        1,
        Some(SUBSIDIARY),
    )
    .unwrap();
    assert_eq!(
        found
            .iter()
            .map(|open| (open.doc, open.line))
            .collect::<Vec<_>>(),
        [(entry, 2)]
    );
    let mut payment = read_payment(&books.connection, id).unwrap().unwrap();
    payment.applications = vec![Application {
        doc: entry,
        line: 2,
        amount: None,
        discount: Decimal::ZERO,
    }];
    update_payment(&books.connection, &books.context, id, &payment).unwrap();
    assert_eq!(books.status(bill), ("A".into(), Some(amount("75"))));
    let links: Vec<i64> = books
        .connection
        .prepare("SELECT previousdoc FROM nexttransactionlinelink WHERE nextdoc = ?1")
        .unwrap()
        .query_map([id], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(links, [entry]);
    assert_eq!(books.owed(), amount("75"));
    let unbalanced = JournalIn {
        external_id: None,
        lines: vec![
            line(books.bank, "1", "0", None),
            line(books.payables, "0", "2", None),
        ],
        ..journal.clone()
    };
    assert!(matches!(
        insert_journal(&books.connection, &books.context, &unbalanced),
        Err(LedgerError::Unbalanced { .. })
    ));
    assert!(matches!(
        insert_journal(
            &books.connection,
            &books.context,
            &JournalIn {
                external_id: Some("BILL_REV".into()),
                ..journal
            }
        ),
        Err(LedgerError::DuplicateExternalId(_))
    ));
}

#[test]
fn a_void_opens_the_bill_again_either_way() {
    for by_journal in [false, true] {
        let mut books = books();
        books.context.void_by_journal = by_journal;
        let cash = account_balance(&books.connection, books.bank).unwrap();
        let bill = books.insert(&books.bill("12.5"));
        let payment = books.pay(&[(bill, 0, None)]).unwrap();
        let journal = void(&books.connection, &books.context, payment).unwrap();
        assert_eq!(journal.is_some(), by_journal);
        assert_eq!(books.status(bill), ("A".into(), Some(amount("12.5"))));
        assert_eq!(books.status(payment).0, "V");
        assert_eq!(
            account_balance(&books.connection, books.bank).unwrap(),
            cash
        );
        assert_eq!(books.owed(), amount("12.5"));
    }
}

#[test]
fn credits_settle_bills_too() {
    let books = books();
    let bill = books.insert(&books.bill("30"));
    let credit = BillIn {
        kind: BillKind::VendorCredit,
        applications: vec![Application {
            doc: bill,
            line: 0,
            amount: Some(amount("20")),
            discount: Decimal::ZERO,
        }],
        ..books.bill("25")
    };
    let id = books.insert(&credit);
    assert_eq!(books.status(bill), ("A".into(), Some(amount("10"))));
    assert_eq!(books.status(id).0, "A");
    assert_eq!(books.owed(), amount("5"));
    let read = read_bill(&books.connection, id).unwrap().unwrap();
    assert_eq!(read.lines, credit.lines);
    assert_eq!(read.applications, credit.applications);
}

#[test]
fn a_debit_of_an_entry_settles_a_bill_as_far_as_it_goes() {
    let books = books();
    let bill = books.insert(&books.bill("30"));
    let line = |account, debit: &str, credit: &str, entity| JournalLineIn {
        account,
        debit: amount(debit),
        credit: amount(credit),
        entity,
        memo: None,
        department: None,
        class: None,
        location: None,
        extra: None,
    };
    let entry = |entity| JournalIn {
        subsidiary: Some(SUBSIDIARY),
        number: None,
        date: None,
        currency: None,
        rate: None,
        memo: None,
        external_id: None,
        period: None,
        approved: true,
        lines: vec![
            line(books.expense, "0", "20", None),
            line(books.payables, "20", "0", entity),
        ],
        extra: None,
    };
    let journal = entry(Some(books.vendor));
    let id = insert_journal(&books.connection, &books.context, &journal).unwrap();
    let nobodys = insert_journal(&books.connection, &books.context, &entry(None)).unwrap();
    let with = |credit, used: &str| {
        let mut payment = books.payment(&[]);
        payment.credits = vec![CreditUse {
            credit,
            bill,
            amount: amount(used),
        }];
        insert_payment(&books.connection, &books.context, &payment)
    };
    with(id, "15").unwrap();
    assert_eq!(books.status(bill), ("A".into(), Some(amount("15"))));
    for refused in [with(id, "5.01"), with(nobodys, "5")] {
        assert!(matches!(refused, Err(LedgerError::NotApplicable { .. })));
    }
    assert!(matches!(
        update_journal(&books.connection, &books.context, id, &journal),
        Err(LedgerError::InUse { .. })
    ));
    void(&books.connection, &books.context, id).unwrap();
    assert_eq!(books.status(bill), ("A".into(), Some(amount("30"))));
}

#[test]
fn closed_and_locked_periods_refuse() {
    let mut books = books();
    let period: i64 = books
        .connection
        .query_row(
            "SELECT id FROM accountingperiod WHERE periodname = 'Jun 2026'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let bill = books.insert(&books.bill("5"));
    set_period(
        &books.connection,
        &books.context,
        period,
        PeriodState::Closed,
    )
    .unwrap();
    let refused = insert_bill(&books.connection, &books.context, &books.bill("5"));
    assert!(matches!(refused, Err(LedgerError::PeriodClosed(_))));
    assert!(matches!(
        books.pay(&[(bill, 0, None)]),
        Err(LedgerError::PeriodClosed(_))
    ));
    assert!(matches!(
        delete(&books.connection, &books.context, bill),
        Err(LedgerError::PeriodClosed(_))
    ));
    set_period(
        &books.connection,
        &books.context,
        period,
        PeriodState::Locked,
    )
    .unwrap();
    assert!(matches!(
        books.pay(&[(bill, 0, None)]),
        Err(LedgerError::PeriodLocked(_))
    ));
    books.context.override_locked = true;
    books.pay(&[(bill, 0, None)]).unwrap();
}

#[test]
fn a_refused_write_leaves_nothing_behind() {
    let books = books();
    let first = books.insert(&books.bill("10"));
    let second = books.insert(&books.bill("10"));
    let before: i64 = books
        .connection
        .query_row("SELECT COUNT(*) FROM \"transaction\"", [], |row| row.get(0))
        .unwrap();
    assert!(
        books
            .pay(&[(first, 0, None), (second, 0, Some("11"))])
            .is_err()
    );
    assert_eq!(books.status(first), ("A".into(), Some(amount("10"))));
    let after: i64 = books
        .connection
        .query_row("SELECT COUNT(*) FROM \"transaction\"", [], |row| row.get(0))
        .unwrap();
    assert_eq!(before, after);
}

#[test]
fn seeded_records_were_modified_on_their_own_dates() {
    let books = books();
    let (documents, strange): (i64, i64) = books
        .connection
        .query_row(
            "SELECT COUNT(*), SUM(julianday(lastmodifieddate) - julianday(trandate) NOT BETWEEN 0 AND 2)
             FROM \"transaction\"",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert!(documents > 150);
    assert_eq!(strange, 0);
    let overpaid: i64 = books
        .connection
        .query_row("SELECT COUNT(*) FROM \"transaction\" WHERE foreignamountunpaid < 0 OR foreignpaymentamountunused < 0", [], |row| row.get(0))
        .unwrap();
    assert_eq!(overpaid, 0);
}

#[test]
fn bare_and_single_subsidiary_worlds_load() {
    for (one_world, empty) in [(true, true), (false, false), (false, true)] {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::schema::create(&connection).unwrap();
        let mut shape = Shape::new(date(2026, 6, 15));
        (shape.one_world, shape.empty) = (one_world, empty);
        let now = "2026-06-15T20:00:00Z".parse().unwrap();
        crate::load::load(&mut connection, &generate(&shape), now).unwrap();
        let subsidiaries: i64 = connection
            .query_row("SELECT COUNT(*) FROM subsidiary", [], |row| row.get(0))
            .unwrap();
        assert_eq!(subsidiaries > 0, one_world);
        let open: i64 = connection
            .query_row(
                "SELECT COUNT(*) FROM accountingperiod WHERE isposting = 'T' AND closed = 'F'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert!(open > 0);
    }
}

#[test]
fn a_payment_in_another_currency_relieves_what_was_owed_and_books_the_difference() {
    let books = books();
    let foreign: i64 = books
        .connection
        .query_row(
            "SELECT id FROM currency WHERE isbasecurrency = 'F' LIMIT 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let before = account_balance(&books.connection, books.payables).unwrap();
    let bill = BillIn {
        currency: Some(foreign),
        rate: Some(amount("0.73")),
        ..books.bill("99.99")
    };
    let id = books.insert(&bill);
    let payment = PaymentIn {
        currency: Some(foreign),
        rate: Some(amount("0.75")),
        ..books.payment(&[(id, 0, None)])
    };
    let paid = insert_payment(&books.connection, &books.context, &payment).unwrap();
    assert_eq!(
        account_balance(&books.connection, books.payables).unwrap(),
        before
    );
    let lines: Vec<i64> = books
        .connection
        .prepare("SELECT amount FROM transactionaccountingline WHERE \"transaction\" = ?1 ORDER BY transactionline")
        .unwrap()
        .query_map([paid], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let lines: Vec<Decimal> = lines.into_iter().map(from_units).collect();
    assert_eq!(lines, [amount("-74.99"), amount("72.99"), amount("2")]);
}
