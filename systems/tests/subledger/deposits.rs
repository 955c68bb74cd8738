//! Deposits: what a platform pays out, booked at the bank and read back.

use serde_json::json;
use tieout_domain::document::{
    CustomerPayment, Deposit, DepositLine, Deposited, KeptIn, PaymentUse, ReceiptStatus, UseOf,
};
use tieout_domain::port::{Action, Answer};
use tieout_domain::{Amount, Currency, Document, Fault, Key, Kind, RemoteId};

use crate::receivables::{amount, receipt, sale, sold};
use crate::stage::Stage;

const BANK: &str = "1000";
const DAY: &str = "2026-06-23";

/// A customer's payment of that amount, waiting in Undeposited Funds.
async fn waiting(stage: &Stage, customer: &RemoteId, total: &str, key: &str) -> RemoteId {
    let on_account = PaymentUse {
        of: UseOf::Credit,
        amount: amount(total),
    };
    let payment = CustomerPayment {
        external_id: Some(Key::of(["ap", "payment", key])),
        ..receipt(customer, total, vec![on_account])
    };
    let payment = Document::CustomerPayment(payment);
    stage.make(payment).await.id
}

/// What is to be booked: two payments, less a fee.
async fn payout(stage: &Stage) -> (RemoteId, Deposit) {
    let (customer, _) = sale(stage).await;
    let fees = stage
        .value("SELECT id FROM account WHERE accttype = 'Expense' AND issummary = 'F' ORDER BY id")
        .await;
    let mut payments = Vec::new();
    for (key, total) in [("1", "60"), ("2", "40.5")] {
        payments.push(Deposited {
            payment: waiting(stage, &customer, total, key).await,
            amount: amount(total),
        });
    }
    let deposit = Deposit {
        number: String::new(),
        date: DAY.parse().unwrap(),
        currency: Currency::USD,
        account: stage.account(BANK).await.as_str().into(),
        payments,
        lines: vec![DepositLine {
            account: fees.as_str().into(),
            amount: amount("-3.2"),
            party: None,
            memo: "fee".to_owned(),
        }],
        total: amount("97.3"),
        memo: "payout pyt_1".to_owned(),
        subsidiary: None,
        period: None,
        external_id: Some(Key::of(["ap", "demo", "payout", "pyt_1"])),
    };
    (customer, deposit)
}

async fn read(stage: &Stage, id: &RemoteId) -> Deposit {
    match stage.one(Kind::Deposit, id).await {
        Document::Deposit(deposit) => deposit,
        other => panic!("{other:?}"),
    }
}

async fn kept(stage: &Stage, payment: &RemoteId) -> (ReceiptStatus, Option<KeptIn>) {
    match stage.one(Kind::CustomerPayment, payment).await {
        Document::CustomerPayment(payment) => (payment.status, payment.kept_in),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_payout_becomes_a_deposit_that_reads_back_as_it_was_written() {
    for one_world in [true, false] {
        let stage = Stage::new(&sold(one_world)).await;
        let (_, wanted) = payout(&stage).await;
        let payment = wanted.payments[0].payment.clone();
        assert_eq!(kept(&stage, &payment).await.0, ReceiptStatus::Received);
        let made = stage.make(Document::Deposit(wanted.clone())).await;
        assert!(!made.adopted);
        let there = read(&stage, &made.id).await;
        let read_back = Deposit {
            number: there.number.clone(),
            subsidiary: there.subsidiary.clone(),
            period: there.period.clone(),
            ..wanted
        };
        assert_eq!(there, read_back);
        assert_eq!(there.subsidiary.is_some(), one_world);
        let funds = Some(KeptIn::UndepositedFunds);
        let taken = (ReceiptStatus::Deposited, funds);
        assert_eq!(kept(&stage, &payment).await, taken);
        let bank = format!(
            "SELECT SUM(l.amount) AS n FROM transactionaccountingline l WHERE l.transaction = {} AND l.account = {}",
            made.id, there.account
        );
        assert_eq!(stage.value(&bank).await, "97.3");
    }
}

#[tokio::test]
async fn a_deposit_that_is_sent_again_is_the_one_that_is_there() {
    let stage = Stage::new(&sold(true)).await;
    let (_, wanted) = payout(&stage).await;
    let first = stage.make(Document::Deposit(wanted.clone())).await;
    let again = stage.make(Document::Deposit(wanted.clone())).await;
    assert!(again.adopted && again.id == first.id, "{again:?}");
    let count = "SELECT COUNT(*) AS n FROM transaction t WHERE t.type = 'Deposit' AND t.externalid = \
                 'ap_demo_payout_pyt_1'";
    assert_eq!(stage.value(count).await, "1");

    // A person has moved the fee since: it is theirs.
    let path = format!("deposit/{}", first.id);
    let edit = json!({"action": "edit", "fields": {"memo": "by hand", "other": [
        {"account": wanted.lines[0].account.as_str(), "amount": -4.2}]}});
    stage.person(&path, edit).await;
    let create = stage.order(Action::Create, None, None, Document::Deposit(wanted));
    let Answer::Failed(fault) = create.await else {
        panic!("an edit was overwritten")
    };
    assert_eq!(fault.code().as_str(), "edited-there");
    let there = read(&stage, &first.id).await;
    assert_eq!(there.total, amount("96.3"));
}

#[tokio::test]
async fn a_payment_that_was_deposited_already_is_refused_by_name() {
    let stage = Stage::new(&sold(true)).await;
    let (_, wanted) = payout(&stage).await;
    stage.make(Document::Deposit(wanted.clone())).await;
    let second = Deposit {
        external_id: Some(Key::of(["ap", "demo", "payout", "pyt_2"])),
        ..wanted
    };
    let create = stage.order(Action::Create, None, None, Document::Deposit(second));
    let Answer::Failed(fault) = create.await else {
        panic!("a payment was deposited twice")
    };
    assert!(matches!(fault, Fault::Refused { .. }), "{fault}");
    assert_eq!(fault.code().as_str(), "cannot-apply");
}

#[tokio::test]
async fn money_without_a_payment_is_a_deposit_of_lines_alone() {
    let stage = Stage::new(&sold(true)).await;
    let (customer, wanted) = payout(&stage).await;
    let income = stage.account("4000").await;
    let alone = Deposit {
        payments: Vec::new(),
        lines: vec![DepositLine {
            account: income.as_str().into(),
            amount: amount("25"),
            party: Some(customer.clone()),
            memo: "invoice of the platform's own".to_owned(),
        }],
        total: amount("25"),
        ..wanted
    };
    let made = stage.make(Document::Deposit(alone.clone())).await;
    let there = read(&stage, &made.id).await;
    assert_eq!(there.lines, alone.lines);
    assert_eq!((there.total, there.payments.len()), (amount("25"), 0));
}

#[tokio::test]
async fn deposits_of_people_are_read_and_one_that_is_deleted_is_gone() {
    let stage = Stage::new(&sold(true)).await;
    let (customer, _) = sale(&stage).await;
    let payment = waiting(&stage, &customer, "80", "7").await;
    let bank = stage.account(BANK).await;
    let number: i64 = payment.as_str().parse().unwrap();
    let fields = json!({"account": bank, "date": DAY,
        "payment": [{"id": number, "deposit": true}],
        "cashback": [{"account": bank, "amount": 5}]});
    let id = RemoteId::from(stage.person("deposit", fields).await);
    let (all, _, mark) = stage.read(Kind::Deposit, None).await;
    let found = all.iter().find(|one| one.id == id).unwrap();
    let Document::Deposit(deposit) = &found.document else {
        panic!("a deposit")
    };
    assert_eq!(deposit.total, amount("75"));
    let back: Amount = deposit.lines.iter().map(|line| line.amount).sum();
    assert_eq!(back, amount("-5"));
    let path = format!("deposit/{id}");
    stage.person(&path, json!({"action": "delete"})).await;
    stage.ports.whole.run_begins();
    let (_, gone, _) = stage.read(Kind::Deposit, Some(&mark)).await;
    assert_eq!(gone, [id]);
}
