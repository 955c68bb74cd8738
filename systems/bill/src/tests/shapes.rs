//! What the fixtures become.

use tieout_domain::document::{AccountKind, BillStatus, Method, PaymentStatus};
use tieout_domain::{Currency, Date, Kind};

use super::*;

/// The document that a fixture becomes.
async fn shown(kind: Kind, json: &'static str) -> Document {
    let vendor = include_str!("../../fixtures/vendor.json");
    let stage = Stage::new(move |seen| {
        if seen.path.starts_with("/v3/vendors") {
            ok(vendor)
        } else {
            ok(json)
        }
    });
    let ports = stage.ports();
    let mut found = ports.read[&kind].fetch(&[id_of(json)]).await.unwrap();
    found.pop().unwrap().document
}

#[tokio::test]
async fn a_bill() {
    let Document::Bill(bill) = shown(Kind::Bill, include_str!("../../fixtures/bill.json")).await
    else {
        panic!()
    };
    assert_eq!(bill.number, "INV-0042 a");
    assert_eq!(bill.total, amount("1234.50"));
    assert_eq!(
        (bill.open, bill.scheduled),
        (amount("1034.40"), amount("200.10"))
    );
    assert_eq!(bill.currency, Currency::USD);
    assert_eq!(
        (bill.status, bill.approval),
        (BillStatus::Open, Approval::Approved)
    );
    assert_eq!(bill.memo, "Office chairs, second floor");
    assert_eq!(bill.marker.unwrap().to_string(), "ns:1234567_SB1:4711");
    assert_eq!(bill.lines[1].amount, amount("-65.50"));
    assert_eq!(bill.lines[0].class, None, "a reference of zeros is none");
    assert_eq!(
        bill.lines[0].department,
        Some("0deAAAAAAAAAAAAAAA01".into())
    );
    assert_eq!(bill.payables_account, Some("0caAAAAAAAAAAAAAAA09".into()));
}

#[tokio::test]
async fn a_vendor_that_manages_itself_and_nothing_of_its_bank() {
    let document = shown(Kind::Vendor, include_str!("../../fixtures/vendor.json")).await;
    let text = format!("{document:?}");
    for secret in ["4321", "071000013", "3456789", "12-345"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let Document::Vendor(vendor) = document else {
        panic!()
    };
    assert!(vendor.self_managed && vendor.payable_electronically && vendor.form_1099);
    assert_eq!(vendor.tax_id_last4, "6789");
    assert_eq!(vendor.payee.as_deref(), Some("Birch and Sons LLC"));
    assert_eq!(vendor.currency.unwrap().code(), "EUR");
    assert_eq!(vendor.address.unwrap().line2, "");
}

#[tokio::test]
async fn a_vendor_credit_in_its_vendors_currency() {
    let json = include_str!("../../fixtures/vendor-credit.json");
    let Document::VendorCredit(credit) = shown(Kind::VendorCredit, json).await else {
        panic!()
    };
    assert_eq!((credit.total, credit.open), (amount("100"), amount("70")));
    assert_eq!(credit.currency.code(), "EUR");
    assert_eq!(credit.applications.len(), 1);
    assert_eq!(credit.applications[0].amount, amount("30"));
    assert_eq!(credit.status, BillStatus::Open);
}

#[tokio::test]
async fn s101_a_card_payment_of_several_bills_without_its_card_number() {
    let document = shown(Kind::Payment, include_str!("../../fixtures/payment.json")).await;
    let text = format!("{document:?}{}", serde_json::to_string(&document).unwrap());
    assert!(!text.contains("4111"), "{text}");
    let Document::Payment(payment) = document else {
        panic!()
    };
    assert_eq!(payment.card_last4, "1111");
    assert_eq!(payment.method, Method::VirtualCard);
    assert_eq!(payment.status, PaymentStatus::Cleared);
    // 03:00 UTC on the 19th is still the 18th at BILL.
    assert_eq!(payment.cleared, Some(Date::constant(2026, 6, 18)));
    let sum = Amount::total(payment.applications.iter().map(|part| part.amount)).unwrap();
    assert_eq!((payment.applications.len(), sum), (2, payment.total));
    assert_eq!(payment.applications[0].credits[0].amount, amount("5"));
    assert!(!payment.outside && payment.posted);
    assert_eq!(payment.memo, "card …1111");
}

#[tokio::test]
async fn a_payment_made_outside_says_so() {
    let json = include_str!("../../fixtures/recorded-payment.json");
    let Document::Payment(payment) = shown(Kind::Payment, json).await else {
        panic!()
    };
    assert!(payment.outside);
    assert_eq!(payment.method, Method::Offline);
    assert_eq!(payment.status, PaymentStatus::Processed);
    assert_eq!(payment.reference, "ns_1234567-SB1_900");
    assert_eq!(payment.account, None);
}

#[tokio::test]
async fn an_account_type_nobody_knows_is_kept_in_its_own_spelling() {
    let json = r#"{"id":"0ca1","name":"Odd","account":{"type":"SOMETHING_NEW","number":"1"}}"#;
    let Document::Account(account) = shown(Kind::Account, json).await else {
        panic!()
    };
    assert_eq!(
        account.account_kind,
        AccountKind::Other("SOMETHING_NEW".to_owned())
    );
}

#[tokio::test]
async fn bank_accounts_by_one_call_and_no_more_than_four_digits() {
    let stage = Stage::new(|_| {
        ok(
            r#"{"results":[{"id":"bac1","bankName":"First","accountNumber":"000123456789","status":"VERIFIED","chartOfAccountId":"0ca1"},
                          {"id":"bac2","bankName":"Second","accountNumber":"****1234","status":"PENDING"}]}"#,
        )
    });
    let ports = stage.ports();
    let page = ports.read[&Kind::FundingAccount]
        .page(tieout_domain::port::Depth::Changes, None, None)
        .await
        .unwrap();
    let Document::FundingAccount(first) = &page.records[0].document else {
        panic!()
    };
    assert_eq!((first.name.as_str(), first.usable), ("First …6789", true));
    assert_eq!(first.account, Some("0ca1".into()));
    let Document::FundingAccount(second) = &page.records[1].document else {
        panic!()
    };
    assert!(!second.usable);
    assert_eq!(stage.calls(), ["GET /v3/funding-accounts/banks?max=100"]);
}
