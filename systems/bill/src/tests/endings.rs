//! Every way in which a call can end, and what it means for a read and for each kind of write: *certainly not
//! carried out* only where that is certain, else unknown.

use tieout_domain::Kind;
use tieout_domain::document::{Application, Funding, Payment, PaymentStatus};
use tieout_domain::port::Depth;

use super::*;

/// What must be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Applied,
    Later,
    Unknown,
    Refused,
    Denied,
    Drift,
}

fn of_fault(fault: &Fault) -> Class {
    match fault {
        Fault::Later { .. } => Class::Later,
        Fault::Unknown { .. } => Class::Unknown,
        Fault::Refused { .. } => Class::Refused,
        Fault::Denied { .. } => Class::Denied,
        Fault::Drift { .. } => Class::Drift,
    }
}

fn of_answer(answer: &Answer) -> Class {
    match answer {
        Answer::Applied(_) => Class::Applied,
        Answer::Failed(fault) => of_fault(fault),
    }
}

/// How a call ended, its class for a read, and its class for a write.
fn endings() -> Vec<(&'static str, Reply, Class, Class)> {
    use Class::{Denied, Drift, Later, Refused, Unknown};
    let never_left = |cause: &str| Err(Lost::NeverLeft(cause.to_owned()));
    let lost = |cause: &str| Err(Lost::Unknown(cause.to_owned()));
    let html = "<html><body>not now</body></html>";
    vec![
        ("refused connection", never_left("refused"), Later, Later),
        ("no such host", never_left("dns error"), Later, Later),
        ("no TLS", never_left("bad certificate"), Later, Later),
        ("the lease has ended", never_left("the lease"), Later, Later),
        ("time-out", lost("operation timed out"), Later, Unknown),
        ("reset", lost("connection reset"), Later, Unknown),
        (
            "half a body",
            lost("unexpected end of file"),
            Later,
            Unknown,
        ),
        ("half of the JSON", ok(r#"{"id":"00n1","#), Later, Unknown),
        ("HTML with 200", ok(html), Later, Unknown),
        (
            "another shape with 200",
            ok(r#"{"status":"SUCCESS"}"#),
            Drift,
            Unknown,
        ),
        (
            "a list of errors with 200",
            ok(r#"[{"code":"BDC_1001"}]"#),
            Drift,
            Unknown,
        ),
        ("a redirect", Ok((302, String::new())), Drift, Drift),
        ("400 of a field", refusal(400, "1119"), Refused, Refused),
        (
            "400 without a code",
            Ok((
                400,
                r#"[{"message":"dueDate: must not be null"}]"#.to_owned(),
            )),
            Refused,
            Refused,
        ),
        ("400 of nothing", Ok((400, "{}".to_owned())), Later, Unknown),
        ("400 in HTML", Ok((400, html.to_owned())), Later, Unknown),
        ("401 of the password", refusal(401, "1101"), Denied, Denied),
        ("401 again and again", refusal(401, "1109"), Denied, Denied),
        ("403", refusal(403, "1114"), Denied, Denied),
        (
            "403 of a firewall",
            Ok((403, html.to_owned())),
            Later,
            Unknown,
        ),
        ("404", refusal(404, "1205"), Refused, Refused),
        ("404 of the path", refusal(404, "1121"), Drift, Drift),
        (
            "404 of a gateway",
            Ok((404, r#"{"message":"Not Found"}"#.to_owned())),
            Later,
            Unknown,
        ),
        ("408", Ok((408, "{}".to_owned())), Later, Unknown),
        ("422 of the number", refusal(422, "1171"), Refused, Refused),
        ("422 of the hour", refusal(422, "1144"), Later, Later),
        ("422 of concurrency", refusal(422, "1322"), Later, Later),
        ("423", refusal(423, "1107"), Denied, Denied),
        ("429", refusal(429, "9999"), Later, Later),
        ("429 of a gateway", Ok((429, html.to_owned())), Later, Later),
        ("499", Ok((499, String::new())), Later, Unknown),
        ("500", refusal(500, "1001"), Later, Unknown),
        (
            "unknown error with 400",
            refusal(400, "1002"),
            Later,
            Unknown,
        ),
        ("502 in HTML", Ok((502, html.to_owned())), Later, Unknown),
        ("503", Ok((503, html.to_owned())), Later, Unknown),
        (
            "504 of a gateway",
            Ok((504, r#"{"message":"timed out"}"#.to_owned())),
            Later,
            Unknown,
        ),
    ]
}

#[tokio::test]
async fn a_read_that_ends_in_any_way_is_never_unknown() {
    for (ending, reply, class, _) in endings() {
        let stage = Stage::new(move |_| reply.clone());
        let read = &stage.ports().read[&Kind::Vendor];
        let fault = read.page(Depth::Changes, None, None).await.unwrap_err();
        assert_eq!(of_fault(&fault), class, "{ending}: {fault}");
    }
}

#[tokio::test]
async fn a_look_before_a_write_that_is_refused_blames_no_record() {
    let wanted = Document::Bill(bill("NEW", vec![line("10", "0ca")]));
    let orders = [
        (Kind::Bill, order(Action::Amend, Some("00n1"), wanted)),
        (
            Kind::Payment,
            order(Action::Void, Some("stp1"), made_outside()),
        ),
    ];
    for (kind, order) in orders {
        let stage = Stage::new(|seen| {
            assert_eq!(seen.method, "GET");
            refusal(400, "1188")
        });
        let answers = stage.ports().write[&kind].write(&[order]).await;
        let Answer::Failed(fault) = &answers[0] else {
            panic!("{answers:?}")
        };
        assert_eq!(of_fault(fault), Class::Later, "{kind}: {fault}");
    }
}

/// A bill with no more to it than what reading needs.
const BILL: &str = r#"{"id":"00n1","archived":false,"vendorId":"009V","amount":10,"dueAmount":10,"exchangeRate":1,
    "dueDate":"2026-07-12","invoice":{"invoiceNumber":"OLD","invoiceDate":"2026-06-12"},"description":"Chairs ns:1234567_SB1:1",
    "billLineItems":[{"id":"bli1","amount":10,"classifications":{"chartOfAccountId":"0ca"}}],"paymentStatus":"UNPAID",
    "approvalStatus":"UNASSIGNED","createdTime":"2026-06-20T10:30:00.000Z","updatedTime":"2026-06-20T10:30:00.000Z"}"#;

const PAYMENT: &str = r#"{"id":"stp1","vendorId":"009V","billPayments":[{"billId":"00n1","amount":10}],"amount":10,
    "exchangeRate":1,"processDate":"2026-06-12","status":"PAID","singleStatus":"","onlinePayment":false,
    "createdTime":"2026-06-20T10:30:00.000Z","updatedTime":"2026-06-20T10:30:00.000Z"}"#;

fn made_outside() -> Document {
    Document::Payment(Payment {
        vendor: "009V".into(),
        number: String::new(),
        date: "2026-06-12".parse().unwrap(),
        currency: Currency::USD,
        total: amount("10"),
        funded: None,
        applications: vec![Application {
            document: "00n1".into(),
            line: None,
            amount: amount("10"),
            discount: Amount::ZERO,
            credits: Vec::new(),
        }],
        method: tieout_domain::document::Method::Offline,
        status: PaymentStatus::Processed,
        outside: true,
        reference: String::new(),
        funding: None::<Funding>,
        check_number: String::new(),
        confirmation: String::new(),
        card_last4: String::new(),
        cleared: None,
        void: None,
        account: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        department: None,
        class: None,
        location: None,
        memo: String::new(),
        posted: true,
        external_id: None,
    })
}

/// Each kind of write: its name, its kind of record, and its orders.
fn writes() -> Vec<(&'static str, Kind, Vec<Order>)> {
    let document = |number: &str| Document::Bill(bill(number, vec![line("10", "0ca")]));
    let many = (1..=4).map(|nth| order(Action::Create, None, document(&"N".repeat(nth))));
    vec![
        (
            "a creation",
            Kind::Bill,
            vec![order(Action::Create, None, document("1"))],
        ),
        ("a bulk creation", Kind::Bill, many.collect()),
        (
            "a change",
            Kind::Bill,
            vec![order(Action::Amend, Some("00n1"), document("NEW"))],
        ),
        (
            "an archiving",
            Kind::Bill,
            vec![order(Action::Archive, Some("00n1"), document("OLD"))],
        ),
        (
            "a recording",
            Kind::Payment,
            vec![order(Action::Create, None, made_outside())],
        ),
        (
            "a void",
            Kind::Payment,
            vec![order(Action::Void, Some("stp1"), made_outside())],
        ),
    ]
}

#[tokio::test]
async fn a_write_that_ends_in_any_way_is_unknown_unless_it_certainly_was_not_carried_out() {
    for (ending, reply, _, class) in endings() {
        for (write, kind, orders) in writes() {
            let said = reply.clone();
            let stage = Stage::new(move |seen| match (&*seen.method, &*seen.path) {
                ("GET", path) if path.starts_with("/v3/payments/") => ok(PAYMENT),
                ("GET", path) if path.starts_with("/v3/bills/") => ok(BILL),
                ("GET", _) => ok(r#"{"results":[]}"#),
                _ => said.clone(),
            });
            let answers = stage.ports().write[&kind].write(&orders).await;
            assert_eq!(answers.len(), orders.len());
            for answer in &answers {
                assert_eq!(of_answer(answer), class, "{write}, {ending}: {answer:?}");
            }
            if matches!(class, Class::Unknown | Class::Drift) {
                let posts = stage
                    .calls()
                    .into_iter()
                    .filter(|call| !call.starts_with("GET"));
                assert_eq!(posts.count(), 1, "{write}, {ending}: sent once");
            }
        }
    }
}

#[tokio::test]
async fn an_empty_success_tells_that_a_change_was_made_and_not_what_a_creation_made() {
    for (status, body) in [(200, ""), (204, ""), (200, "  ")] {
        for (write, kind, orders) in writes() {
            let stage = Stage::new(move |seen| match (&*seen.method, &*seen.path) {
                ("GET", path) if path.starts_with("/v3/payments/") => ok(PAYMENT),
                ("GET", path) if path.starts_with("/v3/bills/") => ok(BILL),
                _ => Ok((status, body.to_owned())),
            });
            let creates = orders[0].action == Action::Create;
            let class = if creates {
                Class::Unknown
            } else {
                Class::Applied
            };
            for answer in stage.ports().write[&kind].write(&orders).await {
                assert_eq!(of_answer(&answer), class, "{write}, {status}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_bulk_answer_in_another_order_for_fewer_or_for_others_is_taken_by_what_it_shows() {
    let (_, kind, orders) = writes().swap_remove(1);
    let shown = |body: &str, keep: fn(usize) -> bool, reverse: bool| {
        let bodies: Vec<serde_json::Value> = serde_json::from_str(body).unwrap();
        let made = bodies.iter().enumerate().filter(|(nth, _)| keep(*nth));
        let mut made: Vec<_> = made
            .map(|(nth, body)| created(body, &format!("id{nth}")))
            .collect();
        if reverse {
            made.reverse();
        }
        ok(serde_json::json!(made).to_string())
    };
    let stage = Stage::new(move |seen| shown(&seen.body, |_| true, true));
    let answers = stage.ports().write[&kind].write(&orders).await;
    for (nth, answer) in answers.iter().enumerate() {
        assert_eq!(applied(answer).id.as_str(), format!("id{nth}"));
    }
    let stage = Stage::new(move |seen| shown(&seen.body, |nth| nth != 2, false));
    let answers = stage.ports().write[&kind].write(&orders).await;
    let classes: Vec<Class> = answers.iter().map(of_answer).collect();
    use Class::{Applied, Unknown};
    assert_eq!(classes, [Applied, Applied, Unknown, Applied]);
    // Somebody else's records tell nothing of ours.
    let stage = Stage::new(|_| ok(format!("[{BILL},{BILL},{BILL},{BILL}]")));
    let answers = stage.ports().write[&kind].write(&orders).await;
    assert!(answers.iter().all(|answer| of_answer(answer) == Unknown));
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_of_a_write_changes_nothing_and_the_write_is_sent_again_once()
 {
    for (write, kind, orders) in writes() {
        let stage = Stage::new(|seen| match (&*seen.method, &*seen.path, &*seen.session) {
            ("GET", path, _) if path.starts_with("/v3/payments/") => ok(PAYMENT),
            ("GET", path, _) if path.starts_with("/v3/bills/") => ok(BILL),
            ("GET", _, _) => ok(r#"{"results":[]}"#),
            (_, _, "s1") => refusal(401, "1109"),
            _ => refusal(400, "1119"),
        });
        let answers = stage.ports().write[&kind].write(&orders[..1]).await;
        assert_eq!(of_answer(&answers[0]), Class::Refused, "{write}");
        let posts = stage
            .calls()
            .into_iter()
            .filter(|call| !call.starts_with("GET"));
        assert_eq!(posts.count(), 2, "{write}");
    }
}
