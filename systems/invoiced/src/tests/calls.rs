//! Single calls: limits, errors, outcomes, checks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tieout_domain::document::Customer;
use tieout_domain::port::{Action, Answer, Order};
use tieout_domain::{Document, Fault, Key, Kind, Marker};

use super::{Reply, Seen, Stage, ok, status};

const TOO_MANY: &str = r#"{"type":"rate_limit_error","message":"Too many requests"}"#;
const MADE: &str = r#"{"id":15444,"name":"Acme","number":"C-4","created_at":5,"updated_at":5,
    "metadata":{"netsuite_id":"4","netsuite_account":"1234567"}}"#;

fn creation() -> Order {
    Order {
        file: None,
        key: Key::of(["ns", "1234567", "4"]),
        action: Action::Create,
        target: None,
        document: Document::Customer(Customer {
            name: "Acme".to_owned(),
            number: "C-4".to_owned(),
            person: None,
            email: String::new(),
            phone: String::new(),
            address: None,
            currency: None,
            terms: None,
            parent: None,
            subsidiaries: Vec::new(),
            inactive: false,
            automatic_payment: false,
            reminders: false,
            marker: Marker::find_in("ns:1234567:4"),
            external_id: None,
        }),
        expect: None,
    }
}

async fn create(stage: &Stage) -> Answer {
    stage.ports.write[&Kind::Customer]
        .write(&[creation()])
        .await
        .remove(0)
}

fn fault(answer: Answer) -> Fault {
    match answer {
        Answer::Failed(fault) => fault,
        Answer::Applied(receipt) => panic!("applied: {receipt:?}"),
    }
}

/// The first answers, and then the last of them again and again.
fn in_turn(replies: Vec<Reply>) -> impl Fn(&Seen) -> Reply + Send + Sync {
    let at = AtomicUsize::new(0);
    move |_| replies[at.fetch_add(1, Ordering::SeqCst).min(replies.len() - 1)].clone()
}

#[tokio::test]
async fn a_creation_is_sent_once_under_its_key() {
    let stage = Stage::new(|_| status(201, MADE));
    let Answer::Applied(receipt) = create(&stage).await else {
        panic!()
    };
    assert_eq!(receipt.id.as_str(), "15444");
    let observed = receipt.observed.unwrap();
    assert_eq!(observed.version, "1970-01-01T00:00:05Z");
    let seen = stage.seen();
    assert_eq!(
        (seen.len(), seen[0].key.as_deref()),
        (1, Some("ns_1234567_4"))
    );
}

#[tokio::test]
async fn a_call_that_came_too_soon_is_made_again_when_the_service_says_so() {
    let html = status(429, "<html>slow down</html>").with("retry-after", "20");
    let stage = Stage::new(in_turn(vec![
        status(429, TOO_MANY).with("retry-after", "30"),
        html,
        status(201, MADE),
    ]));
    assert!(matches!(create(&stage).await, Answer::Applied(_)));
    assert_eq!(
        (stage.waited(), stage.seen().len()),
        (Duration::from_secs(50), 3)
    );
    // A long wait is the engine's to plan, and so is one without end.
    let stage = Stage::new(|_| status(429, TOO_MANY).with("retry-after", "600"));
    let Fault::Later { code, after, .. } = fault(create(&stage).await) else {
        panic!()
    };
    assert_eq!(
        (code.as_str(), after),
        ("too-many-calls", Some(Duration::from_secs(600)))
    );
    assert_eq!(stage.seen().len(), 1);
    let stage = Stage::new(|_| status(429, TOO_MANY));
    let Fault::Later { after, .. } = fault(create(&stage).await) else {
        panic!()
    };
    assert_eq!(
        (after, stage.seen().len()),
        (Some(Duration::from_secs(60)), 7)
    );
}

#[tokio::test]
async fn what_may_have_been_made_is_unknown_and_not_sent_again() {
    for (reply, part) in [
        (status(500, r#"{"type":"api","message":"oops"}"#), "oops"),
        (status(502, "<html>"), "HTTP 502"),
        (ok(""), "no whole JSON"),
        (ok("<html>"), "no whole JSON"),
        (ok("{}"), "not as documented"),
        (ok("[]"), "not as documented"),
        // Another record: an answer to an earlier call with the same key, say.
        (ok(MADE.replace("C-4", "C-5")), "shows another customer"),
        (ok(MADE.replace("\"4\"", "\"5\"")), "shows another customer"),
    ] {
        let body = reply.body.clone();
        let stage = Stage::new(move |_| reply.clone());
        let fault = fault(create(&stage).await);
        assert!(matches!(fault, Fault::Unknown { .. }), "{body}: {fault:?}");
        assert!(fault.to_string().contains(part), "{body}: {fault}");
        assert_eq!(stage.seen().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn a_read_is_repeated_when_a_failure_passes_by_itself() {
    let stage = Stage::new(in_turn(vec![
        status(503, ""),
        status(500, r#"{"message":"oops"}"#),
        ok("[]"),
    ]));
    assert!(stage.ports.whole.ping().await.is_ok());
    assert_eq!(stage.seen().len(), 3);
    let stage = Stage::new(|_| status(404, r#"{"message":"no such route"}"#));
    assert!(matches!(
        stage.ports.whole.ping().await,
        Err(Fault::Refused { .. })
    ));
    assert_eq!(stage.seen().len(), 1);
}

#[tokio::test]
async fn every_cause_of_a_failed_check_has_its_code() {
    async fn codes(stage: &Stage) -> Vec<String> {
        let checks = stage.ports.whole.examine().await;
        checks
            .iter()
            .map(|check| {
                assert!(check.code.page().is_some(), "{check:?}");
                check.code.as_str().to_owned()
            })
            .collect()
    }
    let no_key = || status(401, r#"{"type":"invalid_request","message":"no such key"}"#);
    let unknown = Stage::new(move |_| no_key());
    assert_eq!(codes(&unknown).await, ["api-key-refused"]);
    let hosts: Vec<String> = unknown.seen().into_iter().map(|seen| seen.host).collect();
    assert_eq!(hosts, ["api.sandbox.invoiced.com", "api.invoiced.com"]);
    let other = Stage::new(move |seen| match seen.host.as_str() {
        "api.invoiced.com" => ok("[]"),
        _ => no_key(),
    });
    assert_eq!(codes(&other).await, ["wrong-environment"]);
    // A stand-in's key is shown to nobody else.
    let table = json!({"environment": "sandbox", "time_zone": "UTC", "credential": "a",
        "base_url": "http://127.0.0.1:9103"});
    let stand_in = Stage::of(&table, move |_| no_key());
    assert_eq!(codes(&stand_in).await, ["api-key-refused"]);
    assert_eq!(stand_in.seen().len(), 1);
    for (reply, code) in [
        (status(404, r#"{"message":"no such route"}"#), "wrong-host"),
        (ok(r#"{"hello":"world"}"#), "wrong-host"),
        (status(301, ""), "wrong-host"),
        (status(200, "<html>"), "proxy"),
        (
            status(403, r#"{"message":"no permission"}"#),
            "permission-missing",
        ),
        (
            status(429, TOO_MANY).with("retry-after", "600"),
            "too-many-calls",
        ),
        (status(503, ""), "maintenance"),
    ] {
        let stage = Stage::new(move |_| reply.clone());
        assert_eq!(codes(&stage).await, [code]);
    }
    let narrow = Stage::new(|seen| match seen.path.starts_with("/payments") {
        true => status(
            403,
            r#"{"message":"You do not have permission to do that"}"#,
        ),
        false => ok("[]"),
    });
    assert_eq!(codes(&narrow).await, ["sign-in", "permission-missing"]);
    let whole = Stage::new(|_| ok("[]").with("x-total-count", "12"));
    assert_eq!(codes(&whole).await, ["sign-in", "checked"]);
}
