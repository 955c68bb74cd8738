//! NetSuite's control accounts and its receivables: the real client against its sandbox, in one process.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod deposits;
mod files;
mod owed;
mod receivables;
mod stage;
mod stories;
mod worlds;

use serde_json::json;
use stage::{Stage, bare, day, opens};
use tieout_domain::RemoteId;
use tieout_domain::subledger::{Basis, PostingKind};

const PAYABLE: &str = "2000";
const BANK: &str = "1000";

fn rows(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(id, open): &(&str, &str)| ((*id).to_owned(), (*open).to_owned());
    expected.iter().map(own).collect()
}

#[tokio::test]
async fn what_a_later_period_pays_is_open_at_the_end_of_the_earlier_one() {
    let stage = Stage::new(&bare(true)).await;
    let vendor = stage.vendor(0).await;
    let bill = stage.bill(&vendor, "2026-05-31", "100").await;
    let next = stage.bill(&vendor, "2026-06-01", "7").await;
    stage.pay(&bill, "2026-06-01", "40").await;

    let may = stage.open("2026-05-31", Basis::Period).await;
    assert_eq!(opens(&may), rows(&[(&bill, "-100")]));
    assert_eq!(may[0].kind, PostingKind::Bill);
    assert_eq!(may[0].amount.to_string(), "-100");
    assert_eq!(may[0].period_end, day("2026-05-31"));
    assert_eq!(may[0].party, Some(RemoteId::new(&vendor)));
    assert!(!may[0].party_name.is_empty());
    // One day less, and May's period isn't over.
    assert!(stage.open("2026-05-30", Basis::Period).await.is_empty());
    // June's period isn't over in the middle of June, though its first days are.
    let middle = stage.open("2026-06-29", Basis::Period).await;
    assert_eq!(opens(&middle), rows(&[(&bill, "-100")]));
    let middle = stage.open("2026-06-29", Basis::Day).await;
    assert_eq!(opens(&middle), rows(&[(&bill, "-60"), (&next, "-7")]));
    let june = stage.open("2026-06-30", Basis::Period).await;
    assert_eq!(opens(&june), rows(&[(&bill, "-60"), (&next, "-7")]));
    for until in ["2026-05-30", "2026-05-31", "2026-06-29", "2026-06-30"] {
        stage.assert_ties(until).await;
    }
}

#[tokio::test]
async fn period_and_day_differ_where_a_bill_was_posted_to_another_month() {
    let stage = Stage::new(&bare(true)).await;
    let vendor = stage.vendor(0).await;
    let june = stage
        .value("SELECT id FROM accountingperiod WHERE periodname = 'Jun 2026'")
        .await;
    let bill = stage
        .person(
            "vendorbill",
            json!({"vendor": vendor, "number": "LATE", "date": "2026-05-20", "amount": "10",
                "postingPeriod": june}),
        )
        .await;
    assert!(stage.open("2026-05-31", Basis::Period).await.is_empty());
    let by_day = stage.open("2026-05-31", Basis::Day).await;
    assert_eq!(opens(&by_day), rows(&[(&bill, "-10")]));
    let june = stage.open("2026-06-30", Basis::Period).await;
    assert_eq!(opens(&june), rows(&[(&bill, "-10")]));
    stage.assert_ties("2026-05-31").await;
    stage.assert_ties("2026-06-30").await;
}

#[tokio::test]
async fn credits_are_open_until_they_are_used_also_together_with_a_payment() {
    let stage = Stage::new(&bare(true)).await;
    let vendor = stage.vendor(0).await;
    let bill = stage.bill(&vendor, "2026-05-10", "100").await;
    let credit = stage
        .person(
            "vendorcredit",
            json!({"vendor": vendor, "number": "CM-1", "date": "2026-05-11", "amount": "30"}),
        )
        .await;
    let may = stage.open("2026-05-31", Basis::Period).await;
    assert_eq!(opens(&may), rows(&[(&bill, "-100"), (&credit, "30")]));
    assert_eq!(may[1].kind, PostingKind::VendorCredit);
    let payment = stage
        .person(
            "vendorpayment",
            json!({"vendor": vendor, "date": "2026-06-02", "account": stage.account(BANK).await,
                "apply": [{"doc": bill, "apply": true, "amount": 90}],
                "credit": [{"doc": credit, "apply": true, "amount": 20}]}),
        )
        .await;
    let june = stage.open("2026-06-30", Basis::Period).await;
    assert_eq!(opens(&june), rows(&[(&bill, "-10"), (&credit, "10")]));
    stage.assert_ties("2026-06-30").await;
    // The credit's application stands at the credit's own date; the payment's only at the payment's.
    stage.assert_ties("2026-05-31").await;
    stage
        .person(
            &format!("vendorpayment/{payment}"),
            json!({"action": "void"}),
        )
        .await;
    let june = stage.open("2026-06-30", Basis::Period).await;
    assert_eq!(opens(&june), rows(&[(&bill, "-80"), (&credit, "10")]));
    stage.assert_ties("2026-06-30").await;
}

#[tokio::test]
async fn an_entry_with_vendors_is_open_by_vendor_and_can_be_paid_and_pay() {
    let stage = Stage::new(&bare(true)).await;
    let (one, two) = (stage.vendor(0).await, stage.vendor(1).await);
    let (payable, bank) = (stage.account(PAYABLE).await, stage.account(BANK).await);
    // A debt moves from one vendor to another: nothing on the account, two open items.
    let entry = stage
        .journal(
            "2026-05-05",
            &[(&payable, "25", Some(&one)), (&payable, "-25", Some(&two))],
        )
        .await;
    let may = stage.open("2026-05-31", Basis::Period).await;
    assert_eq!(opens(&may), rows(&[(&entry, "25"), (&entry, "-25")]));
    assert_eq!(may[0].party, Some(RemoteId::new(&one)));
    assert_eq!(may[1].party, Some(RemoteId::new(&two)));
    assert_eq!(may[0].kind, PostingKind::Journal);

    // The credit is paid like a bill.
    stage
        .person(
            "vendorpayment",
            json!({"vendor": two, "date": "2026-06-03", "account": bank,
                "apply": [{"doc": entry, "line": 2, "apply": true, "amount": 15}]}),
        )
        .await;
    // The debit pays a bill of its vendor.
    let bill = stage.bill(&one, "2026-05-06", "100").await;
    stage
        .person(
            "vendorpayment",
            json!({"vendor": one, "date": "2026-06-03", "account": bank,
                "apply": [{"doc": bill, "apply": true, "amount": 60}],
                "credit": [{"doc": entry, "apply": true, "amount": 20}]}),
        )
        .await;
    let link = stage
        .books("SELECT nextline, foreignamount FROM nexttransactionlinelink WHERE nexttype = 'Journal'")
        .await;
    assert_eq!(link[0]["nextline"], "1");
    let june = stage.open("2026-06-30", Basis::Period).await;
    assert_eq!(
        opens(&june),
        rows(&[(&entry, "5"), (&entry, "-10"), (&bill, "-40")])
    );
    stage.assert_ties("2026-05-31").await;
    stage.assert_ties("2026-06-30").await;
}

#[tokio::test]
async fn lines_without_a_vendor_are_loose() {
    let stage = Stage::new(&bare(true)).await;
    let (payable, bank) = (stage.account(PAYABLE).await, stage.account(BANK).await);
    let client = stage
        .person("customer", json!({"name": "A client, and no vendor"}))
        .await;
    let nobody = stage
        .journal(
            "2026-05-31",
            &[(&payable, "-12", None), (&bank, "12", None)],
        )
        .await;
    let other = stage
        .journal(
            "2026-06-01",
            &[(&payable, "5", Some(&client)), (&bank, "-5", None)],
        )
        .await;
    // Nothing is left of it.
    stage
        .journal(
            "2026-06-01",
            &[(&payable, "5", None), (&payable, "-5", None)],
        )
        .await;
    assert!(stage.open("2026-06-30", Basis::Period).await.is_empty());
    let may = stage.loose("2026-05-31").await;
    assert_eq!(opens(&may), rows(&[(&nobody, "-12")]));
    let june = stage.loose("2026-06-30").await;
    assert_eq!(opens(&june), rows(&[(&nobody, "-12"), (&other, "5")]));
    assert!(
        june.iter()
            .all(|row| row.party.is_none() && row.amount == row.open)
    );
    stage.assert_ties("2026-06-30").await;
}

#[tokio::test]
async fn two_payables_accounts_give_two_rows_and_settings_choose() {
    let world = bare(true);
    let stage = Stage::new(&world).await;
    let vendor = stage.vendor(0).await;
    let (payable, other) = (stage.account(PAYABLE).await, stage.account("2001").await);
    assert_eq!(
        stage.payables,
        [RemoteId::new(&payable), RemoteId::new(&other)]
    );
    let entry = stage
        .journal(
            "2026-05-05",
            &[
                (&payable, "-25", Some(&vendor)),
                (&other, "25", Some(&vendor)),
            ],
        )
        .await;
    let may = stage.open("2026-05-31", Basis::Period).await;
    assert_eq!(opens(&may), rows(&[(&entry, "-25"), (&entry, "25")]));
    stage.assert_ties("2026-05-31").await;

    let one = Stage::with(&world, json!({"payables_accounts": [payable]})).await;
    assert_eq!(one.payables, [RemoteId::new(&payable)]);
    let named = one.ledger.control_accounts().await.unwrap();
    assert_eq!(named[0].1, "2000 Accounts Payable");
}

#[tokio::test]
async fn movements_are_of_vendors_and_of_the_span() {
    let stage = Stage::new(&bare(true)).await;
    let vendor = stage.vendor(0).await;
    let (payable, bank) = (stage.account(PAYABLE).await, stage.account(BANK).await);
    stage.bill(&vendor, "2026-04-30", "3").await;
    let bill = stage.bill(&vendor, "2026-05-01", "100").await;
    stage.bill(&vendor, "2026-05-31", "11").await;
    stage.pay(&bill, "2026-05-31", "100").await;
    stage
        .journal(
            "2026-05-31",
            &[(&payable, "-12", None), (&bank, "12", None)],
        )
        .await;
    let told = stage
        .ledger
        .movements(
            &stage.payables,
            day("2026-05-31"),
            day("2026-05-31"),
            Basis::Period,
        )
        .await
        .unwrap();
    let found: Vec<_> = told
        .rows
        .iter()
        .map(|row| (row.kind.clone(), row.amount.to_string(), row.count))
        .collect();
    assert_eq!(
        found,
        [
            (PostingKind::Bill, "-111".to_owned(), 2),
            (PostingKind::Payment, "100".to_owned(), 1)
        ]
    );
}

#[tokio::test]
async fn all_postings_of_a_clearing_account_come_with_vendor_and_key() {
    let stage = Stage::new(&bare(true)).await;
    let vendor = stage.vendor(0).await;
    let bank = stage.account(BANK).await;
    let clearing = stage.account("1090").await;
    let bill = stage.bill(&vendor, "2026-05-01", "100").await;
    let payment = stage
        .person(
            "vendorpayment",
            json!({"vendor": vendor, "date": "2026-05-02", "account": clearing,
                "externalId": "bill_org_pay", "apply": [{"doc": bill, "apply": true, "amount": 100}]}),
        )
        .await;
    let funding = stage
        .journal(
            "2026-05-03",
            &[(&clearing, "100", None), (&bank, "-100", None)],
        )
        .await;
    let found = stage
        .postings(&[RemoteId::new(&clearing)], "2026-05-31")
        .await;
    assert_eq!(
        opens(&found),
        rows(&[(&payment, "-100"), (&funding, "100")])
    );
    assert_eq!(found[0].party, Some(RemoteId::new(&vendor)));
    assert!(found[0].external_id.is_some());
    assert_eq!(found[1].party, None);
    assert_eq!(found[1].external_id, None);
}

#[tokio::test]
async fn another_subsidiary_is_left_out_and_what_does_not_post_too() {
    let stage = Stage::new(&bare(true)).await;
    let vendor = stage.vendor(0).await;
    for (number, fields) in [
        ("ELSEWHERE", json!({"subsidiary": "1"})),
        ("PENDING", json!({"approvalStatus": "1"})),
    ] {
        let mut body = json!({"vendor": vendor, "number": number, "date": "2026-05-10",
            "amount": "100"});
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        stage.person("vendorbill", body).await;
    }
    let own = stage.bill(&vendor, "2026-05-10", "1").await;
    let may = stage.open("2026-05-31", Basis::Period).await;
    assert_eq!(opens(&may), rows(&[(&own, "-1")]));
    stage.assert_ties("2026-05-31").await;
    let told = stage
        .ledger
        .balances(&stage.payables, day("2026-05-31"), Basis::Period)
        .await
        .unwrap();
    assert_eq!(told.rows.len(), 1);
    assert_eq!(
        (told.rows[0].lines, told.rows[0].base.to_string()),
        (1, "-1".to_owned())
    );
}

#[tokio::test]
async fn another_currency_is_counted_in_itself_and_in_base() {
    let stage = Stage::new(&bare(true)).await;
    let vendor = stage.vendor(0).await;
    let dollar = stage
        .value("SELECT id FROM currency WHERE symbol = 'CAD'")
        .await;
    let bill = stage
        .person(
            "vendorbill",
            json!({"vendor": vendor, "number": "CA-1", "date": "2026-05-10", "amount": "100",
                "currency": dollar, "exchangeRate": "0.75"}),
        )
        .await;
    let own = stage.bill(&vendor, "2026-05-11", "8").await;
    stage.pay(&bill, "2026-06-01", "40").await;
    let told = stage
        .ledger
        .balances(&stage.payables, day("2026-06-30"), Basis::Period)
        .await
        .unwrap();
    let mut found: Vec<_> = told
        .rows
        .iter()
        .map(|row| {
            let sums = (row.amount.to_string(), row.base.to_string());
            (row.currency.code().to_owned(), sums, row.lines)
        })
        .collect();
    found.sort();
    let sums = |amount: &str, base: &str| (amount.to_owned(), base.to_owned());
    assert_eq!(
        found,
        [
            ("CAD".to_owned(), sums("-60", "-45"), 2),
            ("USD".to_owned(), sums("-8", "-8"), 1)
        ]
    );
    let june = stage.open("2026-06-30", Basis::Period).await;
    assert_eq!(opens(&june), rows(&[(&bill, "-60"), (&own, "-8")]));
    assert_eq!(june[0].currency.code(), "CAD");
    stage.assert_ties("2026-05-31").await;
    stage.assert_ties("2026-06-30").await;
}

#[tokio::test]
async fn a_payment_that_is_voided_by_an_entry_is_settled_by_it() {
    let stage = Stage::new(&bare(true)).await;
    stage
        .person("switches", json!({"void_by_journal": true}))
        .await;
    let vendor = stage.vendor(0).await;
    let bill = stage.bill(&vendor, "2026-05-10", "100").await;
    let payment = stage.pay(&bill, "2026-05-12", "100").await;
    stage
        .person(
            &format!("vendorpayment/{payment}"),
            json!({"action": "void"}),
        )
        .await;
    // The entry is of today, in July: until then the payment stands there unapplied.
    let june = stage.open("2026-06-30", Basis::Period).await;
    assert_eq!(opens(&june), rows(&[(&bill, "-100"), (&payment, "100")]));
    assert_eq!(june[1].kind, PostingKind::Payment);
    let july = stage.open("2026-07-31", Basis::Period).await;
    assert_eq!(opens(&july), rows(&[(&bill, "-100")]));
    stage.assert_ties("2026-06-30").await;
    stage.assert_ties("2026-07-31").await;
}

#[tokio::test]
async fn accounts_without_subsidiaries_books_or_currencies_are_read_too() {
    let stage = Stage::new(&bare(false)).await;
    stage
        .person("features", json!({"MULTICURRENCY": false}))
        .await;
    stage
        .person(
            "role",
            json!({"hide": {"columns": ["transactionaccountingline.accountingbook",
                "transaction.externalid"]}}),
        )
        .await;
    let vendor = stage.vendor(0).await;
    let bill = stage.bill(&vendor, "2026-05-10", "100").await;
    stage.pay(&bill, "2026-05-12", "40").await;
    assert!(
        stage
            .ledger
            .open_totals(&stage.payables, day("2026-04-30"), Basis::Period)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    let may = stage.open("2026-05-31", Basis::Period).await;
    assert_eq!(opens(&may), rows(&[(&bill, "-60")]));
    assert_eq!(may[0].currency.code(), "USD");
    stage.assert_ties("2026-05-31").await;
}
