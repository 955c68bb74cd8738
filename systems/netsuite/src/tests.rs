//! Behaviour over a scripted transport: what is asked, how often, and what comes of each answer.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tieout_domain::document::{
    Application, CreditUse, Customer, Journal, JournalLine, Method, Payment, PaymentStatus,
};
use tieout_domain::port::{Action, Answer, Depth, Order, Page, Ports, Read};
use tieout_domain::{Amount, Currency, Document, Fault, Key, Kind, Lost};
use tieout_kit::Credential;

use crate::testing::{Stage, certificate, tokens};

fn table(subsidiary: Option<&str>) -> Map<String, Value> {
    let mut table = Map::new();
    table.insert("account".to_owned(), json!("1234567_SB1"));
    if let Some(id) = subsidiary {
        table.insert("subsidiary".to_owned(), json!(id));
    }
    table
}

pub(crate) fn connect(stage: &Stage, credential: Credential) -> Ports {
    (crate::SYSTEM.connect)(&table(Some("3")), credential, stage.kit()).unwrap()
}

/// What the profile asks first: subsidiaries and currencies.
pub(crate) fn profile(stage: &Stage) {
    stage.script.rows(
        &json!([{"id": "1", "name": "Acme Holding", "currency": "1"},
        {"id": "3", "name": "Acme US", "parent": "1", "currency": "1"}]),
    );
    stage
        .script
        .rows(&json!([{"id": "1", "symbol": "USD", "base": "T"}]));
}

async fn page(reader: &Arc<dyn Read>, mark: Option<&tieout_domain::port::Mark>) -> Page {
    reader.page(Depth::Changes, mark, None).await.unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

pub(crate) fn payment() -> Payment {
    Payment {
        vendor: "12".into(),
        number: "P-77".to_owned(),
        date: "2026-06-12".parse().unwrap(),
        currency: Currency::USD,
        total: amount("100.25"),
        funded: None,
        applications: vec![Application {
            document: "4001".into(),
            line: None,
            amount: amount("100.25"),
            discount: Amount::ZERO,
            credits: Vec::new(),
        }],
        method: Method::Ach,
        status: PaymentStatus::Processed,
        outside: false,
        reference: String::new(),
        funding: None,
        check_number: String::new(),
        confirmation: String::new(),
        card_last4: String::new(),
        cleared: None,
        void: None,
        account: Some("1".into()),
        payables_account: Some("111".into()),
        subsidiary: Some("3".into()),
        period: None,
        department: None,
        class: None,
        location: None,
        memo: "paid through BILL".to_owned(),
        posted: true,
        external_id: Some(Key::of(["bill", "008X", "stp1"])),
    }
}

pub(crate) fn order(action: Action, target: Option<&str>, document: Document) -> Order {
    let key = Key::of(["bill", "008X", "stp1"]);
    Order {
        key,
        action,
        target: target.map(Into::into),
        document,
        expect: None,
        file: None,
    }
}

pub(crate) fn payment_row(total: &str) -> Value {
    json!({"id": "887", "type": "VendPymt", "tranid": "P-77", "entity": "12",
        "trandate": "2026-06-12", "status": "F", "approvalstatus": "2", "currency": "1",
        "total": total, "memo": "paid through BILL", "posting": "T", "voided": "F",
        "externalid": "bill_008X_stp1", "modified": "2026-06-12 10:00:00"})
}

/// The lines and links of that payment. They are asked for together.
pub(crate) fn payment_details(stage: &Stage, applied: &str) {
    stage.script.rows(&json!([
        {"doc": "887", "line": "0", "mainline": "T", "amount": "-100.25", "account": "1"},
        {"doc": "887", "line": "1", "mainline": "F", "amount": "100.25", "account": "111"}]));
    stage.script.rows(
        &json!([{"next": "887", "previous": "4001", "previousline": "0",
        "type": "VendBill", "entity": "12", "amount": applied}]),
    );
}

#[tokio::test]
async fn s202_connecting_lists_the_subsidiaries_to_pick_from() {
    let stage = Stage::new();
    profile(&stage);
    let ports = (crate::SYSTEM.connect)(&table(None), tokens(), stage.kit()).unwrap();
    let fault = ports.read[&Kind::Bill]
        .page(Depth::Changes, None, None)
        .await
        .unwrap_err();
    assert!(matches!(&fault, Fault::Denied { code, .. } if code.as_str() == "subsidiary-missing"));
    assert!(fault.to_string().contains("3 = Acme US"), "{fault}");
}

#[tokio::test]
async fn bills_come_with_their_lines_and_a_quiet_run_asks_once_per_kind() {
    let stage = Stage::new();
    profile(&stage);
    let bill = json!({"id": "4001", "tranid": "INV-77", "entity": "12", "trandate": "2026-06-01",
        "duedate": "2026-07-01", "status": "A", "approvalstatus": "2", "currency": "1",
        "total": "110.5", "open": "110.5", "voided": "F", "modified": "2026-06-10 09:00:00",
        "asked": "2026-06-12 03:00:00"});
    stage.script.rows(&json!([bill]));
    stage.script.rows(&json!([
        {"doc": "4001", "line": "0", "mainline": "T", "amount": "-110.5", "account": "111"},
        {"doc": "4001", "line": "1", "mainline": "F", "amount": "110.5", "account": "58",
         "createdfrom": "77"}]));
    stage.script.rows(&json!([{"id": "77", "tranid": "PO-9"}]));
    let ports = connect(&stage, tokens());
    let bills = &ports.read[&Kind::Bill];
    let first = page(bills, None).await;
    let Document::Bill(read) = &first.records[0].document else {
        panic!("a bill")
    };
    assert_eq!(read.purchase_order, "PO-9");
    assert_eq!(read.payables_account, Some("111".into()));
    assert_eq!(
        Amount::total(read.lines.iter().map(|l| l.amount)).unwrap(),
        read.total
    );

    let before = stage.script.asked().len();
    stage.script.rows(&json!([]));
    stage.script.rows(&json!([bill]));
    let second = page(bills, first.mark.as_ref()).await;
    assert!(
        second.records.is_empty(),
        "the bill of the overlap is known in this version"
    );
    let asked = stage.script.asked();
    assert_eq!(
        asked.len(),
        before + 2,
        "deletions for all kinds, and one query of bills"
    );
    assert!(asked[before].2.contains("FROM deletedrecord"));
    assert!(
        asked[before + 1]
            .2
            .contains("TO_TIMESTAMP('2026-06-10 07:50:00'")
    );

    stage.script.rows(&json!([]));
    assert!(page(bills, second.mark.as_ref()).await.records.is_empty());
    assert_eq!(
        stage.script.asked().len(),
        before + 3,
        "deletions were shared"
    );
}

#[tokio::test]
async fn a_deletion_is_found_by_the_scan() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([]));
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    let ports = connect(&stage, tokens());
    let first = page(&ports.read[&Kind::Bill], None).await;
    stage.script.rows(&json!([
        {"id": "4001", "name": "INV-77", "type": "VendBill", "deleted": "2026-06-12 03:10:00"},
        {"id": "12", "name": "Acme Chairs", "type": "Vendor", "deleted": "2026-06-12 03:11:00"}]));
    stage.script.rows(&json!([]));
    let second = page(&ports.read[&Kind::Bill], first.mark.as_ref()).await;
    assert_eq!(second.gone, ["4001".into()]);
}

#[tokio::test]
async fn what_a_whole_read_is_the_first_to_see_out_of_scope_is_gone() {
    let stage = Stage::new();
    profile(&stage);
    let account = |subsidiary: &str| {
        json!([{"id": "58", "acctnumber": "58", "fullname": "A", "accttype": "Expense",
        "subsidiary": subsidiary, "modified": "2026-06-10 09:00:00", "asked": "2026-06-12 03:00:00"}])
    };
    let ports = connect(&stage, tokens());
    let accounts = &ports.read[&Kind::Account];
    stage.script.rows(&account("3"));
    let first = page(accounts, None).await;
    assert_eq!(first.records.len(), 1);
    // Shared with another subsidiary alone since then.
    stage.script.rows(&json!([]));
    stage.script.rows(&account("1"));
    let whole = accounts.page(Depth::Whole, first.mark.as_ref(), None).await;
    let whole = whole.unwrap();
    assert_eq!(whole.gone, ["58".into()]);
    // The next read knows it in this version: nothing but the whole read could tell.
    stage.script.rows(&account("1"));
    let after = page(accounts, whole.mark.as_ref()).await;
    assert!(after.gone.is_empty() && after.records.is_empty());
    assert!(stage.script.used_up());
}

#[tokio::test]
async fn s230_a_column_that_the_account_lacks_is_left_out_and_remembered() {
    let stage = Stage::new();
    profile(&stage);
    let refusal =
        include_str!("../fixtures/unknown_identifier.json").replace("subsidiary", "paymenthold");
    stage.script.answer(400, &refusal);
    stage.script.rows(&json!([]));
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    let ports = connect(&stage, tokens());
    page(&ports.read[&Kind::Bill], None).await;
    let asked = stage.script.asked();
    assert!(asked[2].2.contains("paymenthold") && !asked[3].2.contains("paymenthold"));
    // Another process needs no probing.
    stage.script.rows(&json!([]));
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    page(&connect(&stage, tokens()).read[&Kind::Bill], None).await;
    assert!(!stage.script.asked()[5].2.contains("paymenthold"));
}

/// A refusal that names no column.
const DECLINED: &str = r#"{"title": "Bad Request", "status": 400,
    "o:errorDetails": [{"detail": "Declined.", "o:errorCode": "USER_ERROR"}]}"#;

#[tokio::test]
async fn s230_a_refusal_that_passes_is_no_columns_fault() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.answer(400, DECLINED);
    // Without all that may be missing, without one, and then as it was asked at first.
    stage.script.rows(&json!([]));
    stage.script.rows(&json!([]));
    stage.script.rows(&json!([]));
    let clock = json!([{"asked": "2026-06-12 03:00:00"}]);
    stage.script.rows(&clock);
    let ports = connect(&stage, tokens());
    page(&ports.read[&Kind::Bill], None).await;
    let asked = stage.script.asked();
    assert!(!asked[3].2.contains("t.currency"));
    assert_eq!(asked[5].2, asked[2].2);
    // Nothing is remembered that would read a foreign bill as one of the base currency.
    stage.script.rows(&json!([]));
    stage.script.rows(&clock);
    page(&connect(&stage, tokens()).read[&Kind::Bill], None).await;
    assert!(stage.script.asked()[7].2.contains("t.currency"));
}

/// Subsidiaries, and two currencies.
fn two_currencies(stage: &Stage) {
    stage
        .script
        .rows(&json!([{"id": "3", "name": "Acme US", "currency": "1"}]));
    stage.script.rows(&json!([
        {"id": "1", "symbol": "USD", "base": "T"}, {"id": "2", "symbol": "CAD", "base": "F"}]));
}

#[tokio::test]
async fn s230_what_amounts_are_in_is_given_up_only_where_it_is_named() {
    let stage = Stage::new();
    two_currencies(&stage);
    stage.script.answer(400, DECLINED);
    // Without all that may be missing, without one, and then as it was asked at first.
    stage.script.rows(&json!([]));
    stage.script.rows(&json!([]));
    stage.script.answer(400, DECLINED);
    stage.script.rows(&json!([]));
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    let ports = connect(&stage, tokens());
    page(&ports.read[&Kind::Bill], None).await;
    let asked = stage.script.asked();
    assert!(!asked[3].2.contains("t.paymenthold"));
    for (_, _, body) in &asked[2..7] {
        assert!(body.contains("t.currency"), "{body}");
    }
    // One that is named is left out.
    let refusal =
        include_str!("../fixtures/unknown_identifier.json").replace("subsidiary", "currency");
    stage.script.answer(400, &refusal);
    stage.script.rows(&json!([]));
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    page(&ports.read[&Kind::Bill], None).await;
    assert!(!stage.script.asked()[9].2.contains("t.currency"));
    assert!(stage.script.used_up());
}

#[tokio::test]
async fn s230_a_time_out_while_a_column_is_sought_is_no_columns_fault() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.answer(400, DECLINED);
    // Without all that may be missing it works, and without the first there is no answer.
    stage.script.rows(&json!([]));
    for _ in 0..4 {
        stage.script.lose(Lost::Unknown("timed out".to_owned()));
    }
    let ports = connect(&stage, tokens());
    let bills = &ports.read[&Kind::Bill];
    let fault = bills.page(Depth::Changes, None, None).await.unwrap_err();
    assert!(fault.to_string().contains("Declined"), "{fault}");
    let first = stage.script.asked()[2].2.clone();
    stage.script.rows(&json!([]));
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    page(bills, None).await;
    assert_eq!(stage.script.asked()[8].2, first, "nothing was hidden");
    assert!(stage.script.used_up());
}

#[tokio::test]
async fn a_list_of_subsidiaries_that_is_refused_for_once_is_not_an_empty_one() {
    let stage = Stage::new();
    stage.script.answer(400, DECLINED);
    let ports = connect(&stage, tokens());
    let fault = ports.read[&Kind::Bill].page(Depth::Changes, None, None);
    let fault = fault.await.unwrap_err();
    assert!(fault.to_string().contains("Declined"), "{fault}");
}

#[tokio::test]
async fn an_unreadable_record_hides_no_other() {
    let stage = Stage::new();
    profile(&stage);
    let account = |id: &str, kind: &str| {
        json!({"id": id, "acctnumber": id, "fullname": "A",
        "accttype": kind, "modified": "2026-06-10 09:00:00", "asked": "2026-06-12 03:00:00"})
    };
    let mut bad = payment_row("ten");
    bad["id"] = json!("888");
    bad["asked"] = json!("2026-06-12 11:00:00");
    stage.script.rows(&json!([payment_row("-100.25"), bad]));
    payment_details(&stage, "100.25");
    let ports = connect(&stage, tokens());
    let read = page(&ports.read[&Kind::Payment], None).await;
    assert_eq!(read.records.len(), 1);
    assert_eq!(read.unreadable[0].0, "888".into());
    stage.script.rows(&json!([account("58", "Expense")]));
    assert_eq!(
        page(&ports.read[&Kind::Account], None).await.records.len(),
        1
    );
}

#[tokio::test]
async fn s093_s252_a_payment_is_created_under_its_external_id_and_misspelt_fields_are_refused() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([]));
    stage.script.rows(&json!([]));
    stage.script.answer_with(
        204,
        &[(
            "location",
            "https://h/services/rest/record/v1/vendorpayment/887",
        )],
        "",
    );
    let ports = connect(&stage, tokens());
    let order = order(Action::Create, None, Document::Payment(payment()));
    let answers = ports.write[&Kind::Payment].write(&[order]).await;
    let Answer::Applied(receipt) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!((receipt.id.as_str(), receipt.adopted), ("887", false));
    let asked = stage.script.asked();
    let (method, address, body) = asked.last().unwrap();
    assert_eq!(method, "PUT");
    assert!(address.ends_with("/services/rest/record/v1/vendorPayment/eid:bill_008X_stp1"));
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["apply"]["items"][0]["doc"]["id"], "4001");
    assert_eq!(body["toBePrinted"], false);
    assert_eq!(body["apAcct"]["id"], "111");
    let last = asked.len() - 1;
    assert_eq!(
        stage
            .script
            .header(last, "X-NetSuite-PropertyNameValidation"),
        "Error"
    );
    assert_eq!(
        stage
            .script
            .header(last, "X-NetSuite-PropertyValueValidation"),
        "Error"
    );
    assert_eq!(stage.script.header(2, "Prefer"), "transient");
}

#[tokio::test]
async fn s049_credits_used_are_not_cash() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([]));
    stage.script.rows(&json!([]));
    stage
        .script
        .answer_with(204, &[("location", "/vendorpayment/887")], "");
    let ports = connect(&stage, tokens());
    let mut with_credit = payment();
    with_credit.total = amount("70.25");
    with_credit.applications[0].amount = amount("70.25");
    with_credit.applications[0].credits = vec![CreditUse {
        credit: "5001".into(),
        amount: amount("30"),
    }];
    let order = order(Action::Create, None, Document::Payment(with_credit));
    ports.write[&Kind::Payment].write(&[order]).await;
    let (_, _, body) = stage.script.asked().pop().unwrap();
    assert!(
        body.contains(r#""amount":100.25"#) && body.contains(r#""amount":30"#),
        "{body}"
    );
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["credit"]["items"][0]["doc"]["id"], "5001");
}

#[tokio::test]
async fn s147_a_payment_that_is_already_there_is_adopted_and_not_made_twice() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([payment_row("-100.25")]));
    payment_details(&stage, "100.25");
    let ports = connect(&stage, tokens());
    let order = order(Action::Create, None, Document::Payment(payment()));
    let answers = ports.write[&Kind::Payment].write(&[order]).await;
    assert!(
        matches!(&answers[0], Answer::Applied(receipt) if receipt.adopted),
        "{answers:?}"
    );
    assert!(
        stage
            .script
            .asked()
            .iter()
            .all(|(method, _, _)| method == "POST"),
        "nothing was written"
    );
}

#[tokio::test]
async fn s144_a_payment_that_a_person_edited_is_not_overwritten() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([payment_row("-90")]));
    payment_details(&stage, "90");
    let ports = connect(&stage, tokens());
    let order = order(Action::Create, None, Document::Payment(payment()));
    let answers = ports.write[&Kind::Payment].write(&[order]).await;
    let Answer::Failed(fault) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!(fault.code().as_str(), "edited-there");
    assert!(stage.script.used_up());
}

#[tokio::test]
async fn s145_a_payment_that_a_person_deleted_is_not_made_again() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([]));
    stage.script.rows(
        &json!([{"id": "887", "name": "Bill Payment #P-77", "type": "VendPymt",
        "deleted": "2026-06-12 03:10:00"}]),
    );
    let ports = connect(&stage, tokens());
    let order = order(Action::Create, None, Document::Payment(payment()));
    let answers = ports.write[&Kind::Payment].write(&[order]).await;
    let Answer::Failed(fault) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!(fault.code().as_str(), "deleted-there");
}

#[tokio::test]
async fn an_unanswered_write_is_unknown_and_is_not_sent_again() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([]));
    stage.script.rows(&json!([]));
    stage
        .script
        .lose(Lost::Unknown("the connection was closed".to_owned()));
    let ports = connect(&stage, tokens());
    let order = order(Action::Create, None, Document::Payment(payment()));
    let answers = ports.write[&Kind::Payment].write(&[order]).await;
    assert!(
        matches!(&answers[0], Answer::Failed(Fault::Unknown { .. })),
        "{answers:?}"
    );
    assert_eq!(stage.script.asked().len(), 5);
}

#[tokio::test]
async fn a_missing_location_is_made_good_by_the_external_id() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([]));
    stage.script.rows(&json!([]));
    stage.script.answer(204, "");
    stage.script.rows(&json!([payment_row("-100.25")]));
    payment_details(&stage, "100.25");
    let ports = connect(&stage, tokens());
    let order = order(Action::Create, None, Document::Payment(payment()));
    let answers = ports.write[&Kind::Payment].write(&[order]).await;
    assert!(matches!(&answers[0], Answer::Applied(receipt) if receipt.id == "887".into()));
}

#[tokio::test]
async fn a_reversal_moves_the_application_from_the_bill_to_the_journals_line_in_one_write() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([payment_row("-100.25")]));
    payment_details(&stage, "100.25");
    stage.script.answer(204, "");
    let ports = connect(&stage, tokens());
    let mut wanted = payment();
    wanted.applications[0].document = "9001".into();
    wanted.applications[0].line = Some(2);
    let mut order = order(Action::Amend, Some("887"), Document::Payment(wanted));
    order.expect = Some(Document::Payment(payment()));
    let answers = ports.write[&Kind::Payment].write(&[order]).await;
    assert!(matches!(&answers[0], Answer::Applied(_)), "{answers:?}");
    let (method, address, body) = stage.script.asked().pop().unwrap();
    assert_eq!(method, "PATCH");
    assert!(address.ends_with("/vendorPayment/887"), "{address}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let items = body["apply"]["items"].as_array().unwrap();
    assert_eq!(
        (items[0]["doc"]["id"].as_str(), items[0]["apply"].as_bool()),
        (Some("4001"), Some(false))
    );
    assert_eq!(
        (items[1]["doc"]["id"].as_str(), items[1]["line"].as_i64()),
        (Some("9001"), Some(2))
    );
}

#[tokio::test]
async fn a_change_is_refused_where_a_person_has_changed_the_payment_since() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([payment_row("-90")]));
    payment_details(&stage, "90");
    let ports = connect(&stage, tokens());
    let mut wanted = payment();
    wanted.memo = "other".to_owned();
    let mut order = order(Action::Amend, Some("887"), Document::Payment(wanted));
    order.expect = Some(Document::Payment(payment()));
    let answers = ports.write[&Kind::Payment].write(&[order]).await;
    let Answer::Failed(fault) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!(fault.code().as_str(), "edited-there");
}

#[tokio::test]
async fn a_journal_entry_comes_back_with_the_numbers_of_its_lines() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([]));
    stage
        .script
        .answer_with(204, &[("location", "/journalentry/9001")], "");
    stage.script.rows(
        &json!([{"id": "9001", "tranid": "J-1", "trandate": "2026-06-12",
        "currency": "1", "externalid": "bill_008X_stp1_rev", "modified": "2026-06-12 10:00:00"}]),
    );
    stage.script.rows(&json!([
        {"doc": "9001", "line": "0", "mainline": "T", "amount": "100.25", "account": "1"},
        {"doc": "9001", "line": "1", "mainline": "F", "amount": "-100.25", "account": "111",
         "entity": "12"}]));
    let ports = connect(&stage, tokens());
    let line = |account: &str, debit: &str, credit: &str, vendor: Option<&str>| JournalLine {
        account: account.into(),
        debit: amount(debit),
        credit: amount(credit),
        vendor: vendor.map(Into::into),
        memo: String::new(),
        line: None,
    };
    let journal = Journal {
        number: String::new(),
        date: "2026-06-12".parse().unwrap(),
        currency: Currency::USD,
        funded: None,
        subsidiary: Some("3".into()),
        department: None,
        class: None,
        location: None,
        memo: "reversal".to_owned(),
        lines: vec![
            line("1", "100.25", "0", None),
            line("111", "0", "100.25", Some("12")),
        ],
        external_id: Some(Key::of(["bill", "008X", "stp1", "rev"])),
    };
    let order = order(Action::Create, None, Document::Journal(journal));
    let answers = ports.write[&Kind::Journal].write(&[order]).await;
    let Answer::Applied(receipt) = &answers[0] else {
        panic!("{answers:?}")
    };
    let Document::Journal(made) = &receipt.observed.as_ref().unwrap().document else {
        panic!()
    };
    let payable = made
        .lines
        .iter()
        .find(|line| line.vendor.is_some())
        .unwrap();
    assert_eq!((payable.line, payable.credit), (Some(1), amount("100.25")));
    let put = stage
        .script
        .asked()
        .into_iter()
        .find(|(method, _, _)| method == "PUT")
        .unwrap();
    assert!(
        put.1
            .ends_with("/journalEntry/eid:bill_008X_stp1_rev?replace=line"),
        "{}",
        put.1
    );
    assert!(put.2.contains(r#""entity":{"id":"12"}"#), "{}", put.2);
}

#[tokio::test]
async fn s102_s107_a_reversing_entry_comes_to_what_was_taken_in_base_currency() {
    let stage = Stage::new();
    two_currencies(&stage);
    let mut row = payment_row("-200");
    row["currency"] = json!("2");
    row["exchangerate"] = json!("0.8125");
    stage.script.rows(&json!([row]));
    payment_details(&stage, "200");
    let ports = connect(&stage, tokens());
    let found = ports.read[&Kind::Payment].fetch(&["887".into()]).await;
    let Document::Payment(posting) = &found.unwrap()[0].document else {
        panic!()
    };
    let cad: Currency = "CAD".parse().unwrap();
    assert_eq!((posting.currency, posting.total), (cad, amount("200")));
    assert_eq!(posting.funded, Some(amount("162.5").of(Currency::USD)));

    let line = |account: &str, debit: &str, credit: &str| JournalLine {
        account: account.into(),
        debit: amount(debit),
        credit: amount(credit),
        vendor: None,
        memo: String::new(),
        line: None,
    };
    let journal = |currency, funded| Journal {
        number: String::new(),
        date: "2026-06-12".parse().unwrap(),
        currency,
        funded,
        subsidiary: Some("3".into()),
        department: None,
        class: None,
        location: None,
        memo: "reversal".to_owned(),
        lines: vec![line("1", "200", "0"), line("111", "0", "200")],
        external_id: Some(Key::of(["bill", "008X", "stp1", "rev"])),
    };
    for (document, rate) in [
        (journal(cad, posting.funded), Some("0.8125")),
        (journal(cad, None), None),
        (journal(Currency::USD, posting.funded), None),
    ] {
        stage.script.rows(&json!([]));
        stage
            .script
            .answer_with(204, &[("location", "/journalentry/9001")], "");
        stage.script.rows(&json!([]));
        let order = order(Action::Create, None, Document::Journal(document));
        ports.write[&Kind::Journal].write(&[order]).await;
        let mut asked = stage.script.asked().into_iter().rev();
        let (_, _, body) = asked.find(|(method, _, _)| method == "PUT").unwrap();
        let sent = rate.map_or(!body.contains("exchangeRate"), |rate| {
            body.contains(&format!(r#""exchangeRate":{rate}"#))
        });
        assert!(sent, "{rate:?}: {body}");
    }
}

#[tokio::test]
async fn a_record_in_a_currency_that_the_account_lacks_is_not_made_in_another() {
    let stage = Stage::new();
    profile(&stage);
    let ports = connect(&stage, tokens());
    let cad: Currency = "CAD".parse().unwrap();
    let journal = Journal {
        number: String::new(),
        date: "2026-06-12".parse().unwrap(),
        currency: cad,
        funded: None,
        subsidiary: Some("3".into()),
        department: None,
        class: None,
        location: None,
        memo: "reversal".to_owned(),
        lines: Vec::new(),
        external_id: None,
    };
    let customer = Customer {
        name: "Acme Chairs".to_owned(),
        number: String::new(),
        person: None,
        email: String::new(),
        phone: String::new(),
        address: None,
        currency: Some(cad),
        terms: None,
        parent: None,
        subsidiaries: vec!["3".into()],
        inactive: false,
        automatic_payment: false,
        reminders: false,
        marker: None,
        external_id: None,
    };
    // A customer's name is looked for among what was deleted, too.
    for (document, looks) in [
        (Document::Journal(journal), 1),
        (Document::Customer(customer), 2),
    ] {
        for _ in 0..looks {
            stage.script.rows(&json!([]));
        }
        let kind = document.kind();
        let order = order(Action::Create, None, document);
        let answers = ports.write[&kind].write(&[order]).await;
        let Answer::Failed(fault) = &answers[0] else {
            panic!("{answers:?}")
        };
        assert!(matches!(fault, Fault::Refused { .. }), "{fault:?}");
        assert_eq!(fault.code().as_str(), "bad-reference");
        assert!(fault.to_string().contains("CAD"), "{fault}");
    }
    let asked = stage.script.asked();
    assert!(asked.iter().all(|(method, _, _)| method == "POST"));
    assert!(stage.script.used_up());
}

#[tokio::test]
async fn s205_a_revoked_token_is_not_hammered() {
    let stage = Stage::new();
    stage
        .script
        .answer(401, include_str!("../fixtures/invalid_login.json"));
    let ports = connect(&stage, tokens());
    let fault = ports.whole.ping().await.unwrap_err();
    assert!(matches!(&fault, Fault::Denied { code, .. } if code.as_str() == "invalid-login"));
    assert!(fault.to_string().contains("Login Audit Trail"));
    assert!(
        ports.whole.ping().await.is_err(),
        "and nothing more is sent for a moment"
    );
    assert_eq!(stage.script.asked().len(), 1);
}

#[tokio::test]
async fn s221_a_clock_that_is_off_is_corrected_by_the_services() {
    let stage = Stage::new();
    let refusal = include_str!("../fixtures/invalid_login.json");
    stage
        .script
        .answer_with(401, &[("date", "Fri, 12 Jun 2026 10:20:00 GMT")], refusal);
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    profile(&stage);
    let ports = connect(&stage, tokens());
    ports.whole.ping().await.unwrap();
    let time = |at: usize| -> i64 {
        let header = stage.script.header(at, "authorization");
        let rest = header.split("oauth_timestamp=\"").nth(1).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    assert_eq!(time(1) - time(0), 1200);
    let nonce = |at: usize| {
        stage
            .script
            .header(at, "authorization")
            .split("oauth_nonce=")
            .nth(1)
            .map(|t| t[..20].to_owned())
    };
    assert_ne!(nonce(0), nonce(1), "each attempt has its own nonce");
}

#[tokio::test]
async fn s241_a_token_that_ends_in_the_middle_of_a_read_is_replaced_once() {
    let stage = Stage::new();
    let (credential, public) = certificate();
    let token =
        |text: &str| json!({"access_token": text, "expires_in": "3600", "token_type": "bearer"});
    stage.script.answer(200, &token("first").to_string());
    profile(&stage);
    stage
        .script
        .answer(401, include_str!("../fixtures/invalid_login.json"));
    stage.script.answer(200, &token("second").to_string());
    stage.script.rows(&json!([]));
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    let ports = connect(&stage, credential.clone());
    page(&ports.read[&Kind::Bill], None).await;
    let asked = stage.script.asked();
    let signed_in = asked
        .iter()
        .filter(|(_, address, _)| address.ends_with("/token"))
        .count();
    assert_eq!(signed_in, 2);
    assert_eq!(stage.script.header(5, "authorization"), "Bearer second");
    let assertion = asked[0].2.split("client_assertion=").nth(1).unwrap();
    let key = jsonwebtoken::DecodingKey::from_ec_der(&public);
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.validate_exp = false;
    rules.set_audience(&[
        "https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token",
    ]);
    let claims = jsonwebtoken::decode::<Value>(assertion, &key, &rules).unwrap();
    assert_eq!(claims.header.kid.as_deref(), Some("cert"));
    assert_eq!(claims.claims["iss"], "client");
    assert!(
        claims.claims["exp"].as_i64().unwrap() - claims.claims["iat"].as_i64().unwrap() <= 3600
    );
    // The next process uses the kept token.
    stage.script.rows(&json!([]));
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    page(&connect(&stage, credential).read[&Kind::Bill], None).await;
    assert!(
        stage
            .kept
            .names()
            .iter()
            .any(|name| name.contains("/token/"))
    );
    assert!(stage.script.used_up());
}

#[tokio::test]
async fn s216_a_call_refused_for_concurrency_is_sent_again_later() {
    let stage = Stage::new();
    stage
        .script
        .answer(429, include_str!("../fixtures/concurrency.json"));
    stage
        .script
        .answer(429, include_str!("../fixtures/concurrency.json"));
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    profile(&stage);
    let ports = connect(&stage, tokens());
    assert_eq!(ports.whole.ping().await.unwrap().name, "Acme US");
    assert_eq!(ports.account, "1234567_SB1");
}

#[tokio::test]
async fn a_read_during_maintenance_is_later_and_not_a_failed_record() {
    let stage = Stage::new();
    for _ in 0..4 {
        stage.script.answer(
            503,
            "<html>We are sorry, NetSuite is down for maintenance</html>",
        );
    }
    let ports = connect(&stage, tokens());
    let fault = ports.whole.ping().await.unwrap_err();
    assert!(
        matches!(&fault, Fault::Later { code, .. } if code.as_str() == "maintenance"),
        "{fault:?}"
    );
}

#[test]
fn keys_that_netsuite_refuses_are_refused_at_once() {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    let short = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = short.as_der().unwrap();
    let Err(error) = crate::auth::key::SigningKey::from_pem(&crate::testing::pem(der.as_ref()))
    else {
        panic!("2048 bits are too few")
    };
    assert!(error.cause.contains("3072"), "{}", error.cause);
    let enough = KeyPair::generate(KeySize::Rsa3072).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = enough.as_der().unwrap();
    let key = crate::auth::key::SigningKey::from_pem(&crate::testing::pem(der.as_ref())).unwrap();
    assert_eq!(key.algorithm(), "PS256");
    let signature = key.sign(b"message").unwrap();
    let public = crate::auth::key::public_der(&key);
    aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::RSA_PSS_2048_8192_SHA256,
        public,
    )
    .verify(b"message", &signature)
    .unwrap();
}

#[test]
fn every_curve_signs_with_its_own_algorithm() {
    use aws_lc_rs::signature::{
        ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    };
    for (curve, name, length) in [
        (&ECDSA_P384_SHA384_FIXED_SIGNING, "ES384", 96),
        (&ECDSA_P521_SHA512_FIXED_SIGNING, "ES512", 132),
    ] {
        let pair = EcdsaKeyPair::generate(curve).unwrap();
        let pem = crate::testing::pem(pair.to_pkcs8v1().unwrap().as_ref());
        let key = crate::auth::key::SigningKey::from_pem(&pem).unwrap();
        assert_eq!(key.algorithm(), name);
        assert_eq!(key.sign(b"message").unwrap().len(), length);
    }
}

#[tokio::test]
async fn a_list_that_never_ends_is_told_and_left() {
    let stage = Stage::new();
    profile(&stage);
    let ports = connect(&stage, tokens());
    for _ in 0..2 {
        stage.script.answer(
            200,
            r#"{"items":[{"id":"5","periodname":"Jun 2026","startdate":"2026-06-01",
                "enddate":"2026-06-30"}],"hasMore":true}"#,
        );
    }
    stage
        .script
        .answer(200, r#"{"items":[{"id":"5"}],"hasMore":true}"#);
    let fault = ports.whole.periods().await.unwrap_err();
    assert!(matches!(fault, Fault::Drift { .. }), "{fault}");
    assert!(fault.to_string().contains("goes in circles"), "{fault}");
}

#[tokio::test]
async fn two_creations_answered_with_one_record_are_known_of_neither() {
    let stage = Stage::new();
    profile(&stage);
    let ports = connect(&stage, tokens());
    stage.script.rows(&json!([]));
    stage.script.rows(&json!([]));
    for _ in 0..2 {
        let location = "https://h/services/rest/record/v1/vendorpayment/887";
        stage.script.answer_with(204, &[("location", location)], "");
    }
    let mut other = payment();
    other.external_id = Some(Key::of(["bill", "008X", "stp2"]));
    let orders = [
        order(Action::Create, None, Document::Payment(payment())),
        order(Action::Create, None, Document::Payment(other)),
    ];
    let answers = ports.write[&Kind::Payment].write(&orders).await;
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Answer::Failed(Fault::Unknown { .. }))),
        "{answers:?}"
    );
}

#[test]
fn a_body_without_words_is_no_refusal_of_the_service() {
    assert!(crate::problem::Problem::read(b"{}").is_none());
    let problem = crate::problem::Problem::read(br#"{"o:errorCode":"INVALID_LOGIN"}"#);
    assert!(problem.is_some());
}

#[tokio::test]
async fn a_second_in_which_thousands_were_deleted_is_read_to_its_end() {
    let stage = Stage::new();
    profile(&stage);
    stage.script.rows(&json!([]));
    stage
        .script
        .rows(&json!([{"asked": "2026-06-12 03:00:00"}]));
    let ports = connect(&stage, tokens());
    let first = page(&ports.read[&Kind::Bill], None).await;
    let deleted = |ids: std::ops::Range<u32>, second: &str| -> Vec<serde_json::Value> {
        ids.map(
            |id| json!({"id": id.to_string(), "name": "", "type": "VendBill", "deleted": second}),
        )
        .collect()
    };
    let second = "2026-06-12 03:10:00";
    let more = |rows: Vec<serde_json::Value>| {
        stage
            .script
            .answer(200, &json!({"items": rows, "hasMore": true}).to_string());
    };
    more(deleted(1..1001, second));
    more(deleted(1..1001, second));
    // By their ids within the second, and on from the one after it.
    more(deleted(1..1001, second));
    stage.script.rows(&json!(deleted(1000..1500, second)));
    stage
        .script
        .rows(&json!(deleted(7000..7001, "2026-06-12 03:11:00")));
    stage.script.rows(&json!([]));
    let page = page(&ports.read[&Kind::Bill], first.mark.as_ref()).await;
    assert_eq!(page.gone.len(), 1_500);
    assert!(page.gone.contains(&"1499".into()) && page.gone.contains(&"7000".into()));
    let asked = stage.script.asked();
    assert!(
        asked
            .iter()
            .any(|(_, _, body)| body.contains("d.recordid >= 1000"))
    );
    assert!(
        asked.iter().any(
            |(_, _, body)| body.contains("d.deleteddate >= TO_TIMESTAMP('2026-06-12 03:10:01'")
        )
    );
}
