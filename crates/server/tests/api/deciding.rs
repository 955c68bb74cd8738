//! What a person may decide, through the API and on the pages: who may, what it takes, and what is refused because it is
//! no longer as it was shown.

use std::sync::atomic::Ordering;

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tieout_desk::approval::{self, By};
use tieout_desk::preferences::proposal;
use tieout_domain::port::Observed;
use tieout_domain::{Kind, RecordRef, Side};
use tieout_flows::Preferences;
use tieout_server::people::Role;
use tieout_server::program::{ConnectionInfo, Program as _};
use tieout_store::{ConnectionStore, Fact, RecordChange};
use tower::ServiceExt as _;

use crate::stage::{Answer, NEW, Played, Stage, bill, commit, request, stated, unmapped};

const DECISIONS: &str = "connections/acme-us/decisions";
const PREFERENCES: &str = "/connections/acme-us/preferences";

fn store(stage: &Stage) -> ConnectionStore {
    stage.store.connection(&"acme-us".parse().unwrap())
}

async fn decide(stage: &Stage, role: Role, body: Value) -> Answer {
    let asked = request(Method::POST, DECISIONS, Some(body));
    stage.ask_as(Some(role), asked).await
}

/// A page or an act of it: its status, where it leads, its text.
async fn page(
    stage: &Stage,
    role: Role,
    path: &str,
    form: Option<&[(&str, &str)]>,
) -> (StatusCode, String, String) {
    let asked = match form {
        None => Request::get(path).body(Body::empty()),
        Some(fields) => {
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            Request::post(path)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body))
        }
    };
    let answer = stage.router(Some(role)).oneshot(asked.unwrap()).await;
    let (parts, body) = answer.unwrap().into_parts();
    let to = parts.headers.get(header::LOCATION);
    let to = to.map_or("", |to| to.to_str().unwrap()).to_owned();
    let body = body.collect().await.unwrap().to_bytes();
    (
        parts.status,
        to,
        String::from_utf8_lossy(&body).into_owned(),
    )
}

#[tokio::test]
async fn what_overrides_a_warning_takes_an_approver() {
    let stage = Stage::new().await;
    for (word, least) in [
        ("retry", Role::Operator),
        ("ignore", Role::Operator),
        ("create", Role::Approver),
        ("accept", Role::Approver),
    ] {
        let body =
            json!({"decision": word, "records": ["ledger/bill/1"], "reason": "seen by both"});
        for role in [Role::Operator, Role::Approver] {
            let answer = decide(&stage, role, body.clone()).await;
            let refused = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(refused, role < least, "{word} by {role}: {answer:?}");
            if refused {
                assert_eq!(answer.body["code"], "role-missing");
            }
        }
    }
}

#[tokio::test]
async fn what_is_linked_must_be_there_alike_and_free() {
    let stage = Stage::new().await;
    let seen = ["00n4", "00n5"].map(|id| RecordChange::Seen {
        side: Side::Platform,
        observed: Observed {
            id: id.into(),
            version: "1".to_owned(),
            created: None,
            document: bill("INV-4"),
        },
        match_key: String::new(),
    });
    let mut seen_there = commit(None, Vec::new());
    seen_there.records = seen.into();
    store(&stage).commit(seen_there).await.unwrap();
    let link = |target: &str, records: &[&str]| json!({"decision": "link", "link": target, "records": records, "reason": "it is this one"});
    let (one, two) = (["ledger/bill/1"], ["ledger/bill/1", "ledger/bill/2"]);
    let (one, two) = (one.as_slice(), two.as_slice());
    for (target, records, status, code) in [
        ("platform/bill/none", one, 422, "unknown-record"),
        ("platform/vendor/00n5", one, 422, "unknown-record"),
        ("ledger/bill/2", one, 422, "unknown-record"),
        // It is another bill's already, and one is never two.
        ("platform/bill/00n4", one, 409, "link-refused"),
        ("platform/bill/00n5", two, 409, "link-refused"),
    ] {
        let answer = decide(&stage, Role::Operator, link(target, records)).await;
        assert_eq!(answer.status.as_u16(), status, "{target}: {answer:?}");
        assert_eq!(answer.body["code"], code, "{target}");
        let fields = [
            ("ruling", "link"),
            ("record", records[0]),
            ("target", target),
            ("reason", "it is this one"),
        ];
        if records.len() == 1 {
            let path = "/exceptions/acme-us/decide";
            let (shown, ..) = page(&stage, Role::Operator, path, Some(&fields)).await;
            assert_eq!(shown.as_u16(), status, "{target} on the page");
        }
    }
    let decided = store(&stage).entries_of("decided", 0, 10).await.unwrap();
    assert!(decided.is_empty(), "{decided:?}");
    let answer = decide(
        &stage,
        Role::Operator,
        link("platform/bill/00n5", &["ledger/bill/1"]),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn what_has_never_gone_live_goes_on_by_an_administrator() {
    let stage = Stage::new().await;
    let store = store(&stage);
    let said = |fact| commit(None, vec![fact]);
    let resumed = Fact::Resumed {
        reason: "test".to_owned(),
    };
    let paused = Fact::Paused {
        reason: NEW.to_owned(),
    };
    store.commit(said(resumed)).await.unwrap();
    store.commit(said(paused)).await.unwrap();
    let asked = |role| {
        let body = json!({"reason": "go"});
        let asked = request(Method::POST, "connections/acme-us/resume", Some(body));
        stage.ask_as(Some(role), asked)
    };
    let fields = [("reason", "go")];
    let path = "/connections/acme-us/resume";
    for role in [Role::Operator, Role::Approver] {
        assert_eq!(asked(role).await.status, StatusCode::FORBIDDEN, "{role}");
        let (status, ..) = page(&stage, role, path, Some(&fields)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{role}");
        for shown in ["/", "/connections/acme-us"] {
            let (_, _, text) = page(&stage, role, shown, None).await;
            assert!(!text.contains(path), "{shown} offers it to the {role}");
        }
    }
    // To pause it once more doesn't make it an old one.
    let body = json!({"reason": "month end"});
    let again = request(Method::POST, "connections/acme-us/pause", Some(body));
    stage.ask_as(Some(Role::Operator), again).await;
    assert_eq!(asked(Role::Operator).await.status, StatusCode::FORBIDDEN);
    let (_, _, text) = page(&stage, Role::Admin, "/connections/acme-us", None).await;
    assert!(text.contains(path));
    assert_eq!(asked(Role::Admin).await.status, StatusCode::OK);
    assert!(store.stops().await.unwrap().is_empty());
}

fn of(value: &Value, key: &str, stage: &Stage) -> bool {
    stage.program.preferences.lock().unwrap().get(key).unwrap() == *value
}

#[tokio::test]
async fn what_was_approved_and_can_t_be_written_is_still_to_be_approved() {
    let stage = Stage::new().await;
    let store = store(&stage);
    let key = "transactions.payment_account";
    let values = [(key.to_owned(), json!("1000"))].into();
    let by = By {
        user: "ann",
        actor: "user:ann",
    };
    let id = approval::request(&store, ("preference", key), &proposal(values), "", by)
        .await
        .unwrap();
    let path = format!("/approvals/acme-us/{id}/approve");
    let approve = || page(&stage, Role::Approver, &path, Some(&[("reason", "seen")]));
    stage.program.read_only.store(true, Ordering::Relaxed);
    let (status, ..) = approve().await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(approval::open(&store).await.unwrap().len(), 1);
    stage.program.read_only.store(false, Ordering::Relaxed);
    let (status, ..) = approve().await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(of(&json!("1000"), key, &stage));
    assert!(approval::open(&store).await.unwrap().is_empty());
    // Who asked changes nothing by approving it himself, nor anybody what is decided.
    let id = approval::request(
        &store,
        ("preference", key),
        &proposal([(key.to_owned(), json!("2000"))].into()),
        "",
        By {
            user: "approver",
            actor: "user:approver",
        },
    )
    .await
    .unwrap();
    for id in [id, 1, 99] {
        let path = format!("/approvals/acme-us/{id}/approve");
        let (status, ..) = page(&stage, Role::Approver, &path, Some(&[])).await;
        assert_eq!(status, StatusCode::CONFLICT, "{id}");
    }
    assert!(of(&json!("1000"), key, &stage));
}

#[tokio::test]
async fn a_page_that_was_open_for_long_undoes_nothing() {
    let stage = Stage::new().await;
    let (paid, currencies) = ("transactions.partly_paid", "transactions.currencies");
    let set = |key: &str, value: &str| {
        let mut preferences = stage.program.preferences.lock().unwrap();
        preferences.set(key, value).unwrap();
    };
    let (_, _, text) = page(&stage, Role::Admin, PREFERENCES, None).await;
    let hidden = format!("name=\"shown.{paid}\" value=\"skip\"");
    assert!(text.contains(&hidden), "{text}");
    // Somebody else changes what this person leaves alone.
    set(paid, "balance");
    let fields = [
        ("preference.transactions.partly_paid", "skip"),
        ("shown.transactions.partly_paid", "skip"),
        ("preference.transactions.currencies", "USD, EUR"),
        ("shown.transactions.currencies", "USD"),
    ];
    let (status, to, _) = page(&stage, Role::Admin, PREFERENCES, Some(&fields)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(to.ends_with("done=changed&n=1"), "{to}");
    assert!(of(&json!("balance"), paid, &stage));
    assert!(of(&json!(["USD", "EUR"]), currencies, &stage));
    // Somebody else changes the same: nothing is done, and what was typed stays on the page.
    set(currencies, "USD, CAD");
    let fields = [
        ("preference.transactions.partly_paid", "skip"),
        ("shown.transactions.partly_paid", "balance"),
        ("preference.transactions.currencies", "USD, GBP"),
        ("shown.transactions.currencies", "USD, EUR"),
    ];
    let (status, _, text) = page(&stage, Role::Admin, PREFERENCES, Some(&fields)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(of(&json!("balance"), paid, &stage));
    assert!(of(&json!(["USD", "CAD"]), currencies, &stage));
    for said in [
        "value=\"USD, GBP\"",
        "name=\"shown.transactions.currencies\" value=\"USD, CAD\"",
        "name=\"shown.transactions.partly_paid\" value=\"balance\"",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    // Who has seen it may still want it.
    let fields = [
        ("preference.transactions.currencies", "USD, GBP"),
        ("shown.transactions.currencies", "USD, CAD"),
    ];
    let (status, ..) = page(&stage, Role::Admin, PREFERENCES, Some(&fields)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(of(&json!(["USD", "GBP"]), currencies, &stage));
}

/// A stage with a connection of receivables beside the other.
async fn with_receivables() -> Stage {
    let own: ConnectionInfo = Played::default().connections().remove(0);
    let more = ConnectionInfo {
        name: "acme-eu".parse().unwrap(),
        pair: "netsuite-invoiced".to_owned(),
        platform: "Invoiced".to_owned(),
        flows: vec!["customers".to_owned(), "invoices".to_owned()],
        ..own
    };
    Stage::of(Played {
        more: vec![more],
        ..Played::default()
    })
    .await
}

#[tokio::test]
async fn going_back_asks_about_the_first_sync_as_any_change_does() {
    let stage = with_receivables().await;
    let fact = |name: &str, before: &str, after: &str| Fact::Preference {
        connection: "acme-eu".to_owned(),
        name: name.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    };
    let (switch, yes) = ("receivables.reconcile", "receivables.first_sync");
    let installation = stage.store.installation();
    for facts in [
        vec![fact(switch, "false", "true"), fact(yes, "ask", "all")],
        vec![fact(switch, "true", "false"), fact(yes, "all", "ask")],
    ] {
        installation.commit("user:ann", facts).await.unwrap();
    }
    let path = "/connections/acme-eu/preferences/back";
    let (status, _, text) = page(&stage, Role::Admin, path, Some(&[("version", "1")])).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert!(text.contains("Switch it on and let it wait"), "{text}");
    let standing = stage.program.preferences.lock().unwrap().clone();
    assert_eq!(standing, Preferences::default());
    // What is let wait is not said yes to.
    let fields = [
        ("preference.receivables.reconcile", "true"),
        ("first-sync", "later"),
    ];
    let path = "/connections/acme-eu/preferences";
    let (status, ..) = page(&stage, Role::Admin, path, Some(&fields)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(of(&json!(true), switch, &stage));
    assert!(of(&json!("ask"), yes, &stage));
}

#[tokio::test]
async fn what_leads_elsewhere_by_now_is_not_confirmed() {
    let stage = Stage::new().await;
    let path = "connections/acme-us/mappings/confirmations";
    let one = |to: &str| json!({"mappings": [{"kind": "account", "from": "58", "to": to}]});
    let other = stage.post(path, one("another")).await;
    assert_eq!(other.body, json!({"confirmed": 0}));
    let shown = stage.post(path, one("0ac1")).await;
    assert_eq!(shown.body, json!({"confirmed": 1}));
}

#[tokio::test]
async fn the_inbox_is_narrowed_to_the_connection_that_a_link_names() {
    let stage = with_receivables().await;
    let mine = stage.store.connection(&"acme-eu".parse().unwrap());
    let of_mine = match stated("9", unmapped()) {
        Fact::Stated {
            outcome,
            label,
            amount,
            ..
        } => Fact::Stated {
            flow: "invoices".to_owned(),
            record: RecordRef::new(Side::Ledger, Kind::Invoice, "9"),
            outcome,
            label,
            amount,
        },
        other => other,
    };
    mine.commit(commit(None, vec![of_mine])).await.unwrap();
    let cause = |name: &str| format!("/exceptions/{name}/cause");
    let (_, _, all) = page(&stage, Role::Viewer, "/exceptions", None).await;
    assert!(all.contains(&cause("acme-us")) && all.contains(&cause("acme-eu")));
    let narrow = "/exceptions?connection=acme-eu";
    let (_, _, text) = page(&stage, Role::Viewer, narrow, None).await;
    assert!(text.contains(&cause("acme-eu")), "{text}");
    assert!(!text.contains(&cause("acme-us")), "{text}");
    for said in [
        "/exceptions?tab=hold&amp;connection=acme-eu",
        "connection=acme-eu&amp;csv=exceptions",
        "Exceptions of all connections",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    let (_, _, csv) = page(
        &stage,
        Role::Viewer,
        "/exceptions?connection=acme-eu&csv=exceptions",
        None,
    )
    .await;
    assert!(csv.contains("acme-eu") && !csv.contains("acme-us"), "{csv}");
    let (status, ..) = page(&stage, Role::Viewer, "/exceptions?connection=none", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
