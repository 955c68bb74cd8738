//! Every way in which a call can end, and what it means for a read and for each kind of write: *certainly not
//! carried out* only where that is certain, else unknown.

use tieout_domain::port::{Action, Answer, Depth, Order};
use tieout_domain::{Document, Fault, Kind, Lost};

use crate::testing::{Stage, tokens};
use crate::tests::{connect, order, payment, payment_details, payment_row, profile};

/// What must be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Later,
    Unknown,
    Refused,
    Denied,
    Drift,
}

fn of(fault: &Fault) -> Class {
    match fault {
        Fault::Later { .. } => Class::Later,
        Fault::Unknown { .. } => Class::Unknown,
        Fault::Refused { .. } => Class::Refused,
        Fault::Denied { .. } => Class::Denied,
        Fault::Drift { .. } => Class::Drift,
    }
}

type Reply = Result<(u16, String), Lost>;

fn problem(status: u16, code: &str, detail: &str) -> Reply {
    let body = format!(
        r#"{{"title":"t","status":{status},"o:errorDetails":[{{"detail":"{detail}","o:errorCode":"{code}"}}]}}"#
    );
    Ok((status, body))
}

/// How a call ended, its class for a read, and its class for a write.
fn endings() -> Vec<(&'static str, Reply, Class, Class)> {
    use Class::{Denied, Drift, Later, Refused, Unknown};
    let never_left = |cause: &str| Err(Lost::NeverLeft(cause.to_owned()));
    let lost = |cause: &str| Err(Lost::Unknown(cause.to_owned()));
    let said = |status: u16, body: &str| Ok((status, body.to_owned()));
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
        (
            "half of the JSON",
            said(200, r#"{"items":[{"id":"#),
            Later,
            Unknown,
        ),
        ("HTML with 200", said(200, html), Later, Unknown),
        ("a redirect", said(302, ""), Drift, Drift),
        ("202", said(202, ""), Later, Unknown),
        (
            "400 of a value",
            problem(400, "INVALID_CONTENT", "Invalid Field Value 9"),
            Drift,
            Refused,
        ),
        (
            "400 of a field",
            problem(400, "NONEXISTENT_FIELD", "Unknown field name"),
            Drift,
            Drift,
        ),
        ("400 of nothing", said(400, "{}"), Later, Unknown),
        ("400 in HTML", said(400, html), Later, Unknown),
        (
            "record changed",
            problem(400, "RCRD_HAS_BEEN_CHANGED", "Record has been changed"),
            Later,
            Later,
        ),
        (
            "401 again and again",
            problem(401, "INVALID_LOGIN", "Invalid login attempt."),
            Denied,
            Denied,
        ),
        (
            "403",
            problem(403, "INSUFFICIENT_PERMISSION", "Permission Violation"),
            Denied,
            Denied,
        ),
        ("403 of a firewall", said(403, html), Later, Unknown),
        (
            "404",
            problem(404, "NONEXISTENT_ID", "no such record"),
            Drift,
            Refused,
        ),
        ("408", said(408, html), Later, Unknown),
        (
            "408 of NetSuite's",
            problem(408, "TIMEOUT", "too long"),
            Later,
            Unknown,
        ),
        (
            "429",
            problem(429, "CONCURRENCY_LIMIT_EXCEEDED", "too many"),
            Later,
            Later,
        ),
        ("429 of a gateway", said(429, html), Later, Later),
        (
            "concurrency with 400",
            problem(400, "SSS_REQUEST_LIMIT_EXCEEDED", "too many"),
            Later,
            Later,
        ),
        ("499", said(499, ""), Later, Unknown),
        (
            "500",
            problem(500, "UNEXPECTED_ERROR", "An unexpected error occurred."),
            Later,
            Unknown,
        ),
        ("502 in HTML", said(502, html), Later, Unknown),
        ("503", said(503, html), Later, Unknown),
        ("504", said(504, ""), Later, Unknown),
    ]
}

/// Prepares an answer as often as it may be asked for.
fn prepare(stage: &Stage, reply: &Reply) {
    for _ in 0..8 {
        match reply {
            Ok((status, body)) => stage.script.answer(*status, body),
            Err(lost) => stage.script.lose(lost.clone()),
        }
    }
}

#[tokio::test]
async fn a_read_that_ends_in_any_way_is_never_unknown() {
    for (ending, reply, class, _) in endings() {
        let stage = Stage::new();
        profile(&stage);
        prepare(&stage, &reply);
        let vendors = &connect(&stage, tokens()).read[&Kind::Vendor];
        let fault = vendors.page(Depth::Changes, None, None).await.unwrap_err();
        assert_eq!(of(&fault), class, "{ending}: {fault}");
    }
}

/// A creation, and a change of what there is.
fn writes() -> [(&'static str, Order); 2] {
    let mut change = payment();
    change.memo = "another".to_owned();
    [
        (
            "a creation",
            order(Action::Create, None, Document::Payment(payment())),
        ),
        (
            "a change",
            order(Action::Amend, Some("887"), Document::Payment(change)),
        ),
    ]
}

/// What is looked at before a write.
fn looked_at(stage: &Stage, write: &Order) {
    profile(stage);
    if write.action == Action::Create {
        stage.script.rows(&serde_json::json!([]));
        stage.script.rows(&serde_json::json!([]));
    } else {
        stage
            .script
            .rows(&serde_json::json!([payment_row("-100.25")]));
        payment_details(stage, "100.25");
    }
}

#[tokio::test]
async fn a_write_that_ends_in_any_way_is_unknown_unless_it_certainly_was_not_carried_out() {
    for (ending, reply, _, class) in endings() {
        for (write, order) in writes() {
            let stage = Stage::new();
            looked_at(&stage, &order);
            let looks = if order.action == Action::Create { 4 } else { 5 };
            prepare(&stage, &reply);
            let writer = &connect(&stage, tokens()).write[&Kind::Payment];
            let answers = writer.write(&[order]).await;
            let Answer::Failed(fault) = &answers[0] else {
                panic!("{write}, {ending}: {answers:?}")
            };
            assert_eq!(of(fault), class, "{write}, {ending}: {fault}");
            if matches!(class, Class::Unknown | Class::Drift) {
                assert_eq!(
                    stage.script.asked().len(),
                    looks + 1,
                    "{write}, {ending}: sent once"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_is_taken_after_all_is_looked_for_and_no_persons_business() {
    let stage = Stage::new();
    let (_, order) = writes()[0].clone();
    looked_at(&stage, &order);
    prepare(
        &stage,
        &problem(400, "USER_ERROR", "This record already exists"),
    );
    let answers = connect(&stage, tokens()).write[&Kind::Payment]
        .write(&[order])
        .await;
    let Answer::Failed(fault) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!(of(fault), Class::Unknown);
}
