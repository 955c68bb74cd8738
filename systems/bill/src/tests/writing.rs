//! Writing records.

use std::collections::BTreeMap;
use std::sync::Mutex;

use proptest::prelude::*;
use serde_json::{Value, json};
use tieout_domain::document::{Dimension, Vendor, VendorCredit};
use tieout_domain::{Kind, Timestamp};

use super::*;

fn orders(count: usize) -> Vec<Order> {
    let one = |nth: usize| {
        let mut bill = bill(&format!("INV-{nth}"), vec![line("10.10", "0ca")]);
        bill.marker = Marker::find_in(&format!("ns:1:{nth}"));
        order(Action::Create, None, Document::Bill(bill))
    };
    (0..count).map(one).collect()
}

/// Bills by the service's rules: all or nothing; those with a bad number are refused.
fn all_or_nothing(bad: Vec<usize>, names_index: bool) -> Stage {
    let made = Mutex::new(BTreeMap::<String, usize>::new());
    Stage::new(move |seen| {
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        let bulk = body.is_array();
        let bodies = body
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![body.clone()]);
        assert!(bodies.len() <= 100 && (bulk == seen.path.ends_with("/bulk")));
        let number = |body: &Value| {
            body["invoice"]["invoiceNumber"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let is_bad = |body: &Value| bad.iter().any(|nth| number(body) == format!("INV-{nth}"));
        if let Some(at) = bodies.iter().position(is_bad) {
            let place = if names_index && bulk {
                format!("[{at}].")
            } else {
                String::new()
            };
            return Ok((
                400,
                format!(r#"[{{"message":"{place}dueDate: must not be null"}}]"#),
            ));
        }
        let mut made = made.lock().unwrap();
        let shown: Vec<Value> = bodies
            .iter()
            .map(|body| {
                let times = made.entry(number(body)).or_default();
                *times += 1;
                assert_eq!(*times, 1, "{} was made twice", number(body));
                created(body, &format!("id-{}", number(body)))
            })
            .collect();
        ok(if bulk {
            json!(shown).to_string()
        } else {
            shown[0].to_string()
        })
    })
}

#[tokio::test]
async fn a_bulk_call_makes_a_hundred_bills_exactly() {
    let stage = all_or_nothing(vec![], false);
    let ports = stage.ports();
    let writer = &ports.write[&Kind::Bill];
    assert_eq!(writer.bulk_max(Action::Create), 100);
    assert!(!writer.repeatable(Action::Create));
    let answers = writer.write(&orders(100)).await;
    for (nth, answer) in answers.iter().enumerate() {
        let receipt = applied(answer);
        assert_eq!(receipt.id.as_str(), format!("id-INV-{nth}"));
    }
    assert_eq!(stage.calls(), ["POST /v3/bills/bulk"]);
    let body = &stage.transport.seen()[0].body;
    assert!(body.contains(r#""amount":10.1,"#), "{body}");
    assert!(body.contains(r#""description":"Chairs ns:1:0""#));
}

#[tokio::test]
async fn bulk_of_one_writes_one_by_one() {
    let stage = all_or_nothing(vec![], false);
    let ports = stage.ports_of("008", 1);
    assert_eq!(ports.write[&Kind::Bill].bulk_max(Action::Create), 1);
    ports.write[&Kind::Bill]
        .write(&orders(2))
        .await
        .iter()
        .for_each(|answer| {
            applied(answer);
        });
    assert_eq!(stage.calls(), ["POST /v3/bills", "POST /v3/bills"]);
}

#[tokio::test]
async fn s090_one_bad_bill_that_is_named_costs_three_calls() {
    let stage = all_or_nothing(vec![37], true);
    let answers = stage.ports().write[&Kind::Bill].write(&orders(100)).await;
    for (nth, answer) in answers.iter().enumerate() {
        if nth == 37 {
            let Fault::Refused { field, .. } = fault(answer) else {
                panic!()
            };
            assert_eq!(field.as_deref(), Some("dueDate"));
        } else {
            applied(answer);
        }
    }
    assert_eq!(stage.calls().len(), 3);
}

#[tokio::test]
async fn an_unanswered_bulk_call_is_unknown_for_every_bill_and_sent_once() {
    let stage = Stage::new(|_| dropped());
    let answers = stage.ports().write[&Kind::Bill].write(&orders(100)).await;
    assert!(
        answers
            .iter()
            .all(|answer| matches!(fault(answer), Fault::Unknown { .. }))
    );
    assert_eq!(stage.calls().len(), 1);
}

#[tokio::test]
async fn a_bill_missing_from_the_answer_is_unknown_and_another_order_of_answers_is_no_harm() {
    let stage = Stage::new(|seen| {
        let mut bodies: Vec<Value> = serde_json::from_str(&seen.body).unwrap();
        bodies.reverse();
        bodies.pop();
        let shown: Vec<_> = bodies
            .iter()
            .map(|body| created(body, body["invoice"]["invoiceNumber"].as_str().unwrap()))
            .collect();
        ok(json!({ "bills": shown }).to_string())
    });
    let answers = stage.ports().write[&Kind::Bill].write(&orders(3)).await;
    assert!(matches!(fault(&answers[0]), Fault::Unknown { .. }));
    assert_eq!(applied(&answers[1]).id.as_str(), "INV-1");
    assert_eq!(applied(&answers[2]).id.as_str(), "INV-2");
}

#[tokio::test]
async fn a_bill_whose_lines_dont_add_up_is_never_sent() {
    let stage = all_or_nothing(vec![], false);
    let mut orders = orders(2);
    let Document::Bill(bill) = &mut orders[0].document else {
        panic!()
    };
    bill.total = amount("10.11");
    let answers = stage.ports().write[&Kind::Bill].write(&orders).await;
    assert_eq!(fault(&answers[0]).code().as_str(), "refused-there");
    applied(&answers[1]);
    assert_eq!(stage.calls(), ["POST /v3/bills"]);
}

#[tokio::test]
async fn s074_a_bill_of_156_lines_is_written_whole() {
    let stage = all_or_nothing(vec![], false);
    let mut lines = vec![line("0.10", "0ca"); 155];
    lines.push(line("-3.07", "0cb"));
    let bill = bill("INV-long", lines);
    let total = bill.total;
    let order = order(Action::Create, None, Document::Bill(bill));
    let answers = stage.ports().write[&Kind::Bill].write(&[order]).await;
    applied(&answers[0]);
    let body: Value = serde_json::from_str(&stage.transport.seen()[0].body).unwrap();
    let amounts = body["billLineItems"].as_array().unwrap();
    let sum = Amount::total(amounts.iter().map(|l| amount(&l["amount"].to_string()))).unwrap();
    assert_eq!((amounts.len(), sum), (156, total));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn s090_bad_bills_are_found_and_the_others_made_once(
        bad in proptest::collection::btree_set(0_usize..40, 0..6), count in 1_usize..40,
        names_index: bool,
    ) {
        let stage = all_or_nothing(bad.iter().copied().collect(), names_index);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answers = runtime.block_on(async {
            stage.ports().write[&Kind::Bill].write(&orders(count)).await
        });
        for (nth, answer) in answers.iter().enumerate() {
            let refused = matches!(answer, Answer::Failed(Fault::Refused { .. }));
            prop_assert_eq!(refused, bad.contains(&nth));
            let made = matches!(answer, Answer::Applied(_));
            prop_assert_eq!(made, !bad.contains(&nth));
        }
    }
}

/// A bill at BILL with these lines, and what an amendment of it sends.
async fn amended(wanted: Bill, expect: Option<Bill>) -> (Answer, Option<Seen>) {
    let there = include_str!("../../fixtures/bill.json");
    let stage = Stage::new(move |_| ok(there));
    let mut order = order(
        Action::Amend,
        Some("00nAAAAAAAAAAAAAAA01"),
        Document::Bill(wanted),
    );
    order.expect = expect.map(Document::Bill);
    let answer = stage.ports().write[&Kind::Bill]
        .write(&[order])
        .await
        .pop()
        .unwrap();
    (
        answer,
        stage
            .transport
            .seen()
            .into_iter()
            .find(|seen| seen.method != "GET"),
    )
}

async fn there() -> Bill {
    let json = include_str!("../../fixtures/bill.json");
    let stage = Stage::new(move |_| ok(json));
    let found = stage.ports().read[&Kind::Bill]
        .fetch(&[id_of(json)])
        .await
        .unwrap();
    let Document::Bill(bill) = found[0].document.clone() else {
        panic!()
    };
    bill
}

fn without_ids(bill: &Bill) -> Bill {
    let mut bill = bill.clone();
    bill.lines.iter_mut().for_each(|line| line.id = None);
    bill
}

#[tokio::test]
async fn s058_an_amount_is_patched_under_its_lines_ids() {
    let there = there().await;
    let mut wanted = without_ids(&there);
    wanted.lines[0].amount = amount("1400");
    wanted.total = amount("1334.50");
    let (_, sent) = amended(wanted, Some(there)).await;
    let sent = sent.unwrap();
    assert_eq!(
        (sent.method.as_str(), sent.path.as_str()),
        ("PATCH", "/v3/bills/00nAAAAAAAAAAAAAAA01")
    );
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    let lines = body["billLineItems"].as_array().unwrap();
    // The unchanged line keeps its own id; the changed one takes the other.
    assert_eq!(lines[0]["id"], "bliAAAAAAAAAAAAAAA01");
    assert_eq!(lines[0]["amount"].to_string(), "1400");
    assert_eq!(lines[1]["id"], "bliAAAAAAAAAAAAAAA02");
}

#[tokio::test]
async fn s058_another_number_of_lines_is_put_and_lines_that_stay_keep_their_ids() {
    let there = there().await;
    let mut wanted = without_ids(&there);
    wanted.lines.insert(0, line("1", "0caAAAAAAAAAAAAAAA03"));
    wanted.total = amount("1235.50");
    let (_, sent) = amended(wanted, Some(there.clone())).await;
    let sent = sent.unwrap();
    assert_eq!(sent.method, "PUT");
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    let ids: Vec<_> = body["billLineItems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["id"].clone())
        .collect();
    assert_eq!(
        ids,
        [
            Value::Null,
            json!("bliAAAAAAAAAAAAAAA01"),
            json!("bliAAAAAAAAAAAAAAA02")
        ]
    );
    // A classification taken away needs the whole, too.
    let mut wanted = without_ids(&there);
    wanted.lines[0].department = None;
    let (_, sent) = amended(wanted, Some(there)).await;
    assert_eq!(sent.unwrap().method, "PUT");
}

#[tokio::test]
async fn what_a_person_changed_is_not_written_over_and_what_is_right_is_left() {
    let there = there().await;
    let mut wanted = there.clone();
    wanted.purchase_order = "PO-10".to_owned();
    let mut expect = there.clone();
    expect.due = Some("2026-08-01".parse().unwrap());
    let (answer, sent) = amended(wanted, Some(expect.clone())).await;
    assert_eq!(fault(&answer).code().as_str(), "edited-there");
    assert!(sent.is_none());
    let (answer, sent) = amended(without_ids(&there), Some(expect)).await;
    assert!(applied(&answer).adopted);
    assert!(sent.is_none());
}

#[tokio::test]
async fn s052_a_credit_is_never_archived_and_a_vendor_can_be_restored() {
    let stage = Stage::new(|_| ok(include_str!("../../fixtures/vendor.json")));
    let ports = stage.ports();
    let restore = order(
        Action::Restore,
        Some("009AAAAAAAAAAAAAAA01"),
        Document::Vendor(vendor()),
    );
    let answers = ports.write[&Kind::Vendor].write(&[restore]).await;
    assert!(applied(&answers[0]).observed.is_some());
    assert_eq!(
        stage.calls(),
        ["POST /v3/vendors/009AAAAAAAAAAAAAAA01/restore"]
    );
    let archive = order(
        Action::Archive,
        Some("vcr"),
        Document::VendorCredit(credit()),
    );
    let answers = ports.write[&Kind::VendorCredit].write(&[archive]).await;
    assert_eq!(fault(&answers[0]).code().as_str(), "irreversible");
    assert_eq!(stage.calls().len(), 1);
}

fn vendor() -> Vendor {
    Vendor {
        name: "Birch & Sons".to_owned(),
        number: String::new(),
        person: None,
        payee: None,
        email: "new@birch.example".to_owned(),
        phone: "555-0100".to_owned(),
        address: None,
        account_number: "A-77".to_owned(),
        currency: None,
        tax_id_last4: String::new(),
        form_1099: true,
        subsidiaries: Vec::new(),
        category: String::new(),
        inactive: false,
        login_access: false,
        self_managed: false,
        payable_electronically: false,
    }
}

fn credit() -> VendorCredit {
    VendorCredit {
        vendor: "009V".into(),
        number: "CM-1".to_owned(),
        transaction_number: String::new(),
        date: "2026-06-12".parse().unwrap(),
        currency: Currency::USD,
        exchange_rate: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        lines: vec![line("10", "0ca")],
        total: amount("10"),
        open: amount("10"),
        applications: Vec::new(),
        status: BillStatus::Open,
        approval: Approval::Approved,
        memo: String::new(),
        marker: Marker::find_in("ns:1:77"),
        external_id: None,
    }
}

#[tokio::test]
async fn a_refused_profile_has_its_own_code_and_only_what_differs_was_sent() {
    let stage = Stage::new(|seen| {
        if seen.method == "GET" {
            ok(include_str!("../../fixtures/vendor.json"))
        } else {
            refusal(400, "1172")
        }
    });
    let amend = order(
        Action::Amend,
        Some("009AAAAAAAAAAAAAAA01"),
        Document::Vendor(vendor()),
    );
    let answers = stage.ports().write[&Kind::Vendor].write(&[amend]).await;
    assert_eq!(fault(&answers[0]).code().as_str(), "self-managed");
    assert_eq!(
        stage.transport.seen()[1].body,
        r#"{"email":"new@birch.example"}"#
    );
}

#[tokio::test]
async fn wrapped_answers_of_the_other_bulk_calls_are_understood() {
    let stage = Stage::new(|seen| {
        let bodies: Vec<Value> = serde_json::from_str(&seen.body).unwrap();
        let name = match seen.path.as_str() {
            "/v3/vendors/bulk" => "vendors",
            "/v3/vendor-credits/bulk" => "vendorCredits",
            "/v3/classifications/accounting-classes/bulk" => "accountingClasses",
            other => panic!("{other}"),
        };
        let shown: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(nth, b)| created(b, &format!("id{nth}")))
            .collect();
        ok(json!({ name: shown }).to_string())
    });
    let ports = stage.ports();
    let mut second = vendor();
    second.email = "other@birch.example".to_owned();
    let mut second_credit = credit();
    second_credit.number = "CM-2".to_owned();
    let class = |name: &str| {
        Document::Dimension(Dimension {
            axis: Kind::Class,
            name: name.to_owned(),
            path: name.to_owned(),
            parent: None,
            inactive: false,
            subsidiaries: Vec::new(),
        })
    };
    for (kind, documents, max) in [
        (
            Kind::Vendor,
            [Document::Vendor(vendor()), Document::Vendor(second)],
            20,
        ),
        (
            Kind::VendorCredit,
            [
                Document::VendorCredit(credit()),
                Document::VendorCredit(second_credit),
            ],
            50,
        ),
        (Kind::Class, [class("East"), class("West")], 50),
    ] {
        let writer = &ports.write[&kind];
        assert_eq!(writer.bulk_max(Action::Create), max);
        let orders = documents.map(|document| order(Action::Create, None, document));
        let answers = writer.write(&orders).await;
        assert_eq!(applied(&answers[0]).id.as_str(), "id0");
        assert_eq!(applied(&answers[1]).id.as_str(), "id1");
    }
}

#[tokio::test]
async fn candidates_are_looked_for_by_vendor_and_time() {
    let page = format!(
        r#"{{"results":[{}]}}"#,
        include_str!("../../fixtures/bill.json")
    );
    let stage = Stage::new(move |_| ok(page.clone()));
    let since: Timestamp = "2026-06-20T10:30:00Z".parse().unwrap();
    let found = stage.ports().write[&Kind::Bill]
        .candidates(&orders(2), since)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        stage.calls(),
        [
            "GET /v3/bills?max=100&sort=updatedTime:desc&filters=vendorId:in:\"009V\",\
          createdTime:gte:\"2026-06-20T10:25:00.000Z\""
        ]
    );
}

#[tokio::test]
async fn one_look_shows_what_became_of_a_hundred_bills() {
    let made: Vec<Value> = orders(100)
        .iter()
        .enumerate()
        .map(|(nth, order)| {
            let Document::Bill(bill) = &order.document else {
                panic!()
            };
            let body = json!({"vendorId": "009V", "dueDate": "2026-07-12", "amount": 10.1,
                "invoice": {"invoiceNumber": bill.number, "invoiceDate": "2026-06-12"},
                "description": format!("Chairs ns:1:{nth}"), "billLineItems": [{"id": "bli1", "amount": 10.1}]});
            created(&body, &format!("id-{nth}"))
        })
        .collect();
    let page = json!({"results": made}).to_string();
    let stage = Stage::new(move |_| ok(page.clone()));
    let since: Timestamp = "2026-06-20T10:30:00Z".parse().unwrap();
    let writer = &stage.ports().write[&Kind::Bill];
    let found = writer.candidates(&orders(100), since).await.unwrap();
    assert_eq!(found.len(), 100);
    assert_eq!(stage.calls().len(), 1);
}

#[tokio::test]
async fn candidates_are_found_where_creation_time_is_no_filter() {
    let row = |id: &str, time: &str| {
        format!(r#"{{"id":"{id}","name":"C","createdTime":"{time}","updatedTime":"{time}"}}"#)
    };
    let page = format!(
        r#"{{"results":[{},{}],"nextPage":"more"}}"#,
        row("new", "2026-06-20T10:30:01Z"),
        row("old", "2026-06-20T09:00:00Z")
    );
    let stage = Stage::new(move |seen| {
        if seen.path.contains("filters=") {
            refusal(400, "1130")
        } else {
            ok(page.clone())
        }
    });
    let class = Document::Dimension(Dimension {
        axis: Kind::Class,
        name: "C".to_owned(),
        path: "C".to_owned(),
        parent: None,
        inactive: false,
        subsidiaries: Vec::new(),
    });
    let since: Timestamp = "2026-06-20T10:30:00Z".parse().unwrap();
    let orders = [order(Action::Create, None, class)];
    let found = stage.ports().write[&Kind::Class]
        .candidates(&orders, since)
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(),
        ["new"]
    );
    assert_eq!(stage.calls().len(), 2);
}

#[tokio::test]
async fn who_is_paid_under_its_own_name_is_paid_under_its_new_one() {
    let json = r#"{"id":"009V","name":"Old","email":"new@birch.example","phone":"555-0100","accountNumber":"A-77",
        "paymentInformation":{"payeeName":"Old"},"additionalInfo":{"track1099":true}}"#;
    let stage = Stage::new(move |_| ok(json));
    let amend = order(Action::Amend, Some("009V"), Document::Vendor(vendor()));
    stage.ports().write[&Kind::Vendor].write(&[amend]).await;
    assert_eq!(
        stage.transport.seen()[1].body,
        r#"{"name":"Birch & Sons","paymentInformation":{"payeeName":"Birch & Sons"}}"#
    );
}

#[tokio::test]
async fn an_answer_that_shows_one_record_twice_is_known_of_neither() {
    let stage = Stage::new(|seen| {
        let bodies: Vec<Value> = serde_json::from_str(&seen.body).unwrap();
        let shown: Vec<Value> = bodies.iter().map(|body| created(body, "00n1")).collect();
        ok(json!(shown).to_string())
    });
    let answers = stage.ports().write[&Kind::Bill].write(&orders(2)).await;
    assert!(
        answers
            .iter()
            .all(|answer| matches!(fault(answer), Fault::Unknown { .. })),
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_creation_answered_with_another_bill_is_unknown() {
    let stage = Stage::new(|seen| {
        let mut body: Value = serde_json::from_str(&seen.body).unwrap();
        body["invoice"]["invoiceNumber"] = json!("INV-99");
        ok(created(&body, "00n1").to_string())
    });
    let answers = stage.ports().write[&Kind::Bill].write(&orders(1)).await;
    assert!(matches!(fault(&answers[0]), Fault::Unknown { .. }));
}

#[tokio::test]
async fn a_change_is_never_applied_to_another_record_than_its_own() {
    let shown = |id: &str| {
        let body = json!({"vendorId": "009V", "invoice": {"invoiceNumber": "INV-0", "invoiceDate": "2026-06-12"},
            "dueDate": "2026-07-12", "amount": 10.1, "fundingAmount": 10.1, "dueAmount": 10.1,
            "billLineItems": [{"id": "bli1", "amount": 10.1, "classifications": {"chartOfAccountId": "0ca"}}],
            "description": "Chairs"});
        created(&body, id).to_string()
    };
    // The look beforehand shows another record; then the answer to the change itself does.
    for (looked_at, answered) in [("00n2", "00n1"), ("00n1", "00n2")] {
        let stage = Stage::new(move |seen| {
            ok(shown(if seen.method == "GET" {
                looked_at
            } else {
                answered
            }))
        });
        let wanted = bill("INV-0", vec![line("12.00", "0ca")]);
        let change = order(Action::Amend, Some("00n1"), Document::Bill(wanted));
        let answers = stage.ports().write[&Kind::Bill].write(&[change]).await;
        let cause = fault(&answers[0]).to_string();
        assert!(cause.contains("00n1"), "{cause}");
        assert!(matches!(
            fault(&answers[0]),
            Fault::Drift { .. } | Fault::Unknown { .. }
        ));
    }
}
