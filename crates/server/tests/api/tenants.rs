//! Tenants kept apart: somebody who is limited to one walks along every page and every operation there is, and finds
//! nothing of another, nor that it is there at all.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tieout_desk::approval::{self, By, Proposal};
use tieout_domain::port::Observed;
use tieout_domain::{
    Amount, Currency, Document, Kind, Outcome, Reach, RecordRef, Side, TenantName,
};
use tieout_server::app::{App, Outside};
use tieout_server::hooks::Hook;
use tieout_server::notices::{Looked, look};
use tieout_server::people::{Person, Role};
use tieout_store::{
    Commit, Fact, MapStatus, NewToken, NewUser, RecordChange, RunId, Scope, Store, frozen_name,
};
use tower::ServiceExt as _;

use crate::stage::{Played, Stage, a_run, bill, commit, unmapped};

/// What every word of the other tenant's has in it, its connection's name to begin with.
const OTHER: &str = "bravo";
const CONNECTION: &str = "bravo-us";
/// What its bill is worth.
const MONEY: &str = "7731.13";
/// As long as the other's name, and nobody's.
const NOBODY: &str = "zzzzz";
/// How many entries the walk may ask for as CSV, by the names of the pages' tables.
const TABLES: &str = "audit checks choices counts differs exceptions fields found mappings pays plan \
                      preferences records runs sessions signed states tokens unpayable users waiting";

fn tenant(name: &str) -> TenantName {
    name.parse().unwrap()
}

/// Two tenants, each with a connection of much the same kind.
async fn two_houses() -> Stage {
    let other = Played::default();
    let mut played = Played::default();
    let mut info = tieout_server::Program::connections(&other).remove(0);
    info.name = CONNECTION.parse().unwrap();
    info.tenant = Some(tenant(OTHER));
    played.tenant = Some(tenant("acme"));
    played.more = vec![info];
    let stage = Stage::of(played).await;
    fill(&stage.store).await;
    stage
}

/// The other tenant's house: a little of everything, each of it with its name in it.
async fn fill(store: &Store) {
    let connection = store.connection(&CONNECTION.parse().unwrap());
    let [started, ended] = a_run("failed", "bravo's key is refused");
    connection
        .commit(commit(Some("bravo-run"), vec![started, ended]))
        .await
        .unwrap();
    let Document::Bill(mut document) = bill("BRAVO-INV-1") else {
        panic!("a bill is a bill");
    };
    document.total = MONEY.parse().unwrap();
    document.open = document.total;
    document.memo = "bravo's rent".to_owned();
    let record = RecordRef::new(Side::Ledger, Kind::Bill, "bravo-1");
    let seen = RecordChange::Seen {
        side: Side::Ledger,
        observed: Observed {
            id: "bravo-1".into(),
            version: "1".to_owned(),
            created: None,
            document: Document::Bill(document),
        },
        match_key: String::new(),
    };
    let mut outcome: Outcome = unmapped();
    outcome.cause = "account Bravo Rent has no counterpart".to_owned();
    let stated = Fact::Stated {
        flow: "bills".to_owned(),
        record,
        outcome,
        label: "BRAVO-INV-1".to_owned(),
        amount: Some(MONEY.parse::<Amount>().unwrap().of(Currency::USD)),
    };
    let mapped = Fact::Mapped {
        kind: "account".to_owned(),
        from: "58".into(),
        to: Some("bravo-0ac1".into()),
        status: MapStatus::Suggested,
        label_from: "6000 Bravo Rent".to_owned(),
        label_to: "Bravo Rent".to_owned(),
        why: "the name alone".to_owned(),
    };
    let body =
        json!({"status": "TIED", "period": {"name": "Jun 2026"}, "currency": "USD", "of": OTHER});
    let body = body.to_string();
    let signed = Fact::Signed {
        report: "tie-out".to_owned(),
        period: "2026-06".to_owned(),
        currency: "USD".to_owned(),
        role: "preparer".to_owned(),
        status: "TIED".to_owned(),
        sha256: frozen_name(&body),
        extract: frozen_name("[]"),
        comment: "bravo".to_owned(),
    };
    let paused = Fact::Paused {
        reason: "bravo's month end".to_owned(),
    };
    let everything = Commit {
        records: vec![seen],
        frozen: vec![body, "[]".to_owned()],
        ..commit(None, vec![stated, mapped, signed, paused])
    };
    connection.commit(everything).await.unwrap();
    let by = By {
        user: "bravo-bob",
        actor: "user:bravo-bob",
    };
    let asked = Proposal {
        text: "bravo's clearing account".to_owned(),
        ..Proposal::default()
    };
    approval::request(&connection, ("mapping", "bravo"), &asked, "bravo", by)
        .await
        .unwrap();
    let fact = Fact::Preference {
        connection: CONNECTION.to_owned(),
        name: "transactions.partly_paid".to_owned(),
        before: "skip".to_owned(),
        after: "balance".to_owned(),
    };
    let installation = store.installation();
    installation
        .commit("user:bravo-bob", vec![fact])
        .await
        .unwrap();
    user(store, "bravo-bob", Role::Admin, &["bravo"]).await;
    token(store, "bravo-ci", "bravo-bob", &[]).await;
}

async fn user(store: &Store, name: &str, role: Role, tenants: &[&str]) {
    let new = NewUser {
        name: name.to_owned(),
        display: name.to_owned(),
        mail: format!("{name}@example.com"),
        role,
        subject: Some(format!("idp {name}")),
        until: None,
        tenants: tenants.iter().map(|it| tenant(it)).collect(),
    };
    store.people().add(&new, None, "user:root").await.unwrap();
}

async fn token(store: &Store, name: &str, user: &str, tenants: &[&str]) -> SecretString {
    let new = NewToken {
        name: name.to_owned(),
        user: user.to_owned(),
        scope: Scope::Admin,
        expires: None,
        tenants: tenants.iter().map(|it| tenant(it)).collect(),
    };
    store.people().make_token(&new, "user:root").await.unwrap()
}

/// The pages as an admin sees them who is limited to the first tenant.
fn limited(stage: &Stage) -> Router {
    tieout_server::router(stage.app()).layer(Extension(Person {
        name: "ann".to_owned(),
        role: Role::Admin,
        form_token: String::new(),
        token: None,
        reach: Reach::of(&[tenant("acme")]),
    }))
}

/// All that was answered: status, headers, body.
async fn answer(router: &Router, request: Request<Body>) -> (StatusCode, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body);
    (parts.status, format!("{:?}\n{text}", parts.headers))
}

fn request(method: &Method, path: &str, body: &str, json: bool) -> Request<Body> {
    let kind = match json {
        true => "application/json",
        false => "application/x-www-form-urlencoded",
    };
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(body.to_owned()))
        .unwrap()
}

/// The same words of somebody who isn't there.
fn nobody(text: &str) -> String {
    let [lower, capital, upper] = ["bravo", "Bravo", "BRAVO"];
    text.replace(lower, NOBODY)
        .replace(capital, "Zzzzz")
        .replace(upper, "ZZZZZ")
}

/// What names the other tenant is answered word for word as what names nobody, and what names neither has nothing of it.
async fn finds_nothing(
    router: &Router,
    method: &Method,
    path: &str,
    body: &str,
    json: bool,
) -> StatusCode {
    let (status, told) = answer(router, request(method, path, body, json)).await;
    let what = format!("{method} {path}: {status}\n{told}");
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{what}");
    assert!(
        !told.contains(MONEY) && !told.contains("7,731.13"),
        "{what}"
    );
    if nobody(path) == path && nobody(body) == body {
        assert!(!told.to_lowercase().contains(OTHER), "{what}");
        return status;
    }
    let asked = request(method, &nobody(path), &nobody(body), json);
    let (as_nobody, told_nobody) = answer(router, asked).await;
    assert_eq!(status, as_nobody, "{what}");
    assert_eq!(nobody(&told), told_nobody, "{what}");
    status
}

/// Every address that a page of people's is at, out of the sources: none can be forgotten here.
fn addresses(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            addresses(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for rest in text.split(".route(").skip(1) {
            if let Some(address) = rest.trim_start().strip_prefix('"') {
                found.insert(address.split('"').next().unwrap().to_owned());
            }
        }
    }
}

/// An address with the other tenant's things in the places of its names, and with our own connection in that of a
/// connection if asked so.
fn filled(address: &str, connection: &str) -> String {
    let places = address.split('/').collect::<Vec<_>>();
    let first = places.get(1).copied().unwrap_or_default();
    let parts = places.iter().map(|part| match *part {
        "{connection}" => connection,
        "{name}" if ["connections", "connect"].contains(&first) => connection,
        "{name}" if first == "users" => "bravo-bob",
        "{name}" if first == "credentials" => "bravo-us-bill",
        "{name}" | "{token}" => "bravo-ci",
        "{user}" => "bravo-bob",
        "{run}" => "bravo-run",
        "{side}" => "ledger",
        "{kind}" if first == "credentials" => "bill",
        "{kind}" if first == "records" => "bill",
        "{kind}" => "account",
        "{from}" => "58",
        "{system}" => "bill",
        "{code}" => "paused",
        "{import}" => "1",
        "{id}" if first == "runs" => "bravo-run",
        "{id}" if first == "approvals" => "7",
        "{id}" => "bravo-1",
        "{sha256}" => "bravo",
        other => other,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// A form that has something for every field of every page.
const FORM: &str = "reason=x&flow=bills&record=ledger%2Fbill%2Fbravo-1&code=unmapped-account&group=account%3A58&\
                    act=retry&kind=account&from=58&to=0ac1&month=2026-06&currency=USD&sha256=bravo&role=preparer&\
                    comment=x&name=bravo-us-bill&version=0&scope=read&days=1&password=correct+horse+battery&\
                    current=x&list=customers&target=platform%2Fbill%2Fbravo-9&display=x&mail=x&decision=ignore";

#[tokio::test]
async fn whoever_is_limited_to_a_tenant_finds_nothing_of_another_on_any_page() {
    let stage = two_houses().await;
    let router = limited(&stage);
    let before = stage.store.verify().await.unwrap();
    let mut all = BTreeSet::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages");
    addresses(&sources, &mut all);
    assert!(all.len() > 60, "{}", all.len());
    let (mut pages, mut missing) = (0, 0);
    for address in &all {
        let names_one = address.contains("{connection}")
            || address.starts_with("/connections/")
            || address.starts_with("/connect/");
        for connection in [CONNECTION, "acme-us"] {
            let path = filled(address, connection);
            for method in [Method::GET, Method::POST] {
                // What it makes is secret, and another one each time.
                if method == Method::POST && path == "/account/tokens" {
                    continue;
                }
                // An act on one's own is done, and done once: what it names is nobody's.
                let form = match connection {
                    CONNECTION => FORM.to_owned(),
                    _ => nobody(FORM),
                };
                let status = finds_nothing(&router, &method, &path, &form, false).await;
                if connection == CONNECTION && names_one {
                    assert!(
                        !status.is_success() && !status.is_redirection(),
                        "{path}: {status}"
                    );
                    missing += u32::from(status == StatusCode::NOT_FOUND && method == Method::POST);
                }
                pages += u32::from(status == StatusCode::OK);
            }
            for query in [
                "connection=bravo-us",
                "q=BRAVO-INV-1",
                "q=bravo",
                "actor=user:bravo-bob",
            ] {
                let path = format!("{path}?{query}");
                finds_nothing(&router, &Method::GET, &path, "", false).await;
            }
            for table in TABLES.split_whitespace() {
                let path = format!("{path}?csv={table}");
                finds_nothing(&router, &Method::GET, &path, "", false).await;
            }
        }
    }
    assert!(pages > 25 && missing > 15, "{pages} pages, {missing} acts");
    untouched(&stage, &before).await;
}

/// Nothing was done to the other's connection, nor asked of a system on its account.
async fn untouched(stage: &Stage, before: &tieout_store::Verification) {
    let after = stage.store.verify().await.unwrap();
    let head = |verification: &tieout_store::Verification| {
        let mut chains = verification.chains.iter();
        chains
            .find(|head| head.chain == CONNECTION)
            .cloned()
            .unwrap()
    };
    assert_eq!(head(&after), head(before));
    let touched = stage.program.touched.lock().unwrap();
    assert!(!touched.iter().any(|it| it == CONNECTION), "{touched:?}");
}

#[tokio::test]
async fn whoever_is_limited_to_a_tenant_finds_nothing_of_another_by_any_operation() {
    let stage = two_houses().await;
    let router = limited(&stage);
    let before = stage.store.verify().await.unwrap();
    let document = tieout_server::api::document();
    let paths = document["paths"].as_object().unwrap();
    let (mut done, mut missing) = (0, 0);
    for (path, item) in paths {
        for (name, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(name.to_uppercase().as_bytes()).unwrap();
            let schema = operation.pointer("/requestBody/content/application~1json/schema");
            let example = schema.map_or(Value::Null, |schema| {
                crate::schema::resolved(&document, schema)["example"].clone()
            });
            for connection in [CONNECTION, "acme-us"] {
                // Addresses begin below the API's; what stands first there says what a name is of.
                let below = path.strip_prefix("/api/v1").unwrap();
                let path = format!("/api/v1{}", filled(below, connection));
                let path = match path.ends_with("/records") {
                    true => format!("{path}?q=BRAVO-INV-1"),
                    false => path,
                };
                let body = example.to_string();
                let status = finds_nothing(&router, &method, &path, &body, true).await;
                if connection == CONNECTION && below.contains("{connection}") {
                    assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}");
                    missing += 1;
                }
                done += u32::from(status.is_success());
            }
        }
    }
    assert!(done > 15 && missing > 20, "{done} done, {missing} missing");
    untouched(&stage, &before).await;
}

/// With a token and no vouching: who the token is of, and what it is good for, is read from the store.
async fn by_token(stage: &Stage, token: &SecretString, path: &str) -> (StatusCode, String) {
    let router = tieout_server::router(stage.app());
    let bearer = format!("Bearer {}", token.expose_secret());
    let mut asked = Request::get(path)
        .header(header::AUTHORIZATION, bearer)
        .body(Body::empty())
        .unwrap();
    let peer = SocketAddr::from(([203, 0, 113, 7], 50_000));
    asked.extensions_mut().insert(ConnectInfo(peer));
    answer(&router, asked).await
}

#[tokio::test]
async fn a_token_reaches_no_more_than_its_owner_and_no_more_than_it_is_good_for() {
    let stage = two_houses().await;
    let store = &stage.store;
    user(store, "root", Role::Admin, &[]).await;
    user(store, "al", Role::Admin, &["acme"]).await;
    let whole = token(store, "whole", "root", &[]).await;
    let narrowed = token(store, "narrowed", "root", &["acme"]).await;
    let owner_s = token(store, "owners", "al", &[]).await;
    let neither = token(store, "neither", "al", &["bravo"]).await;
    for (token, ours, theirs) in [
        (&whole, true, true),
        (&narrowed, true, false),
        (&owner_s, true, false),
        (&neither, false, false),
    ] {
        for path in ["/api/v1/connections", "/metrics"] {
            let (status, told) = by_token(&stage, token, path).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(told.contains("acme-us"), ours, "{path}: {told}");
            assert_eq!(told.contains(OTHER), theirs, "{path}: {told}");
        }
        for path in ["/api/v1/entries", "/api/v1/users", "/api/v1/verification"] {
            let (status, told) = by_token(&stage, token, path).await;
            assert_eq!(status == StatusCode::OK, theirs, "{path}: {told}");
            assert!(
                theirs || told.contains("limited-to-tenants"),
                "{path}: {told}"
            );
        }
    }
}

#[tokio::test]
async fn a_hook_of_a_tenant_is_told_of_its_connections_alone() {
    let stage = two_houses().await;
    let hook = |name: &str, reach| Hook {
        name: name.to_owned(),
        events: vec!["run.failed".to_owned(), "credential.expiring".to_owned()],
        reach,
    };
    let outside = Outside {
        hooks: vec![
            hook("ours", Reach::of(&[tenant("acme")])),
            hook("whole", Reach::All),
        ],
        ..Outside::default()
    };
    let app = App {
        outside: outside.into(),
        ..stage.app()
    };
    let mut looked = Looked::default();
    *stage.program.days_left.lock().unwrap() = 5;
    look(&app, &mut looked).await.unwrap();
    for connection in [CONNECTION, "acme-us"] {
        let [started, mut ended] = a_run("failed", connection);
        if let Fact::RunEnded { codes, .. } = &mut ended {
            codes.push(tieout_domain::code::Code::new("unreachable"));
        }
        let run = Some(RunId::new(format!("{connection}-run-9")));
        let told = Commit {
            run,
            ..commit(None, vec![started, ended])
        };
        let store = stage.store.connection(&connection.parse().unwrap());
        store.commit(told).await.unwrap();
    }
    look(&app, &mut looked).await.unwrap();
    let until = "2100-01-01T00:00:00Z".parse().unwrap();
    let letters = stage.store.take_letters(100, until).await.unwrap();
    let of = |hook: &str| -> Vec<String> {
        let ours = letters.iter().filter(|it| it.letter.target == hook);
        ours.map(|it| it.letter.body.clone()).collect()
    };
    let (ours, whole) = (of("ours"), of("whole"));
    assert!(ours.iter().any(|body| body.contains("acme-us")), "{ours:?}");
    assert!(!ours.iter().any(|body| body.contains(OTHER)), "{ours:?}");
    assert!(
        whole.iter().any(|body| body.contains(CONNECTION)),
        "{whole:?}"
    );
    assert!(
        whole.iter().any(|body| body.contains("bravo-us-bill")),
        "{whole:?}"
    );
}
