//! Who is told of what, and how often.

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Outcome, State};
use tieout_server::app::{App, Outside};
use tieout_server::hooks::Hook;
use tieout_server::mail::{Said, one_line};
use tieout_server::notices::{Courier, Looked, NAMES, Undelivered, deliver, look};
use tieout_store::Fact;

use crate::stage::{Stage, a_run, commit, stated, unmapped};

/// Keeps what it is given, or loses it.
#[derive(Default)]
struct Played {
    sent: Mutex<Vec<(String, String)>>,
    broken: Mutex<Option<Undelivered>>,
}

impl Played {
    fn take(&self, to: &str, what: String) -> Result<(), Undelivered> {
        if let Some(broken) = self.broken.lock().unwrap().clone() {
            return Err(broken);
        }
        self.sent.lock().unwrap().push((to.to_owned(), what));
        Ok(())
    }

    fn all(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }
}

#[async_trait]
impl Courier for Played {
    async fn mail(&self, _: &str, to: &str, said: &Said) -> Result<(), Undelivered> {
        self.take(to, said.subject.clone())
    }

    async fn hook(&self, hook: &str, _: &str, body: &str) -> Result<(), Undelivered> {
        let body: Value = serde_json::from_str(body).unwrap();
        self.take(hook, body["event"].as_str().unwrap().to_owned())
    }
}

/// A stage whose people are told; what was so before is told to nobody.
async fn listening() -> (Stage, App, Looked) {
    let stage = Stage::new().await;
    let change = json!({"values": {"miscellaneous.notify": ["ap@example.com"]}});
    let asked = crate::stage::request(
        http::Method::PATCH,
        "connections/acme-us/preferences",
        Some(change),
    );
    let changed = stage.ask(asked).await;
    assert!(changed.status.is_success(), "{changed:?}");
    let outside = Outside {
        public_url: Some("https://tieout.example.com".to_owned()),
        hooks: vec![Hook {
            reach: tieout_domain::Reach::All,
            name: "chat".to_owned(),
            events: NAMES.map(str::to_owned).to_vec(),
        }],
    };
    let app = App {
        outside: std::sync::Arc::new(outside),
        ..stage.app()
    };
    let mut looked = Looked::default();
    look(&app, &mut looked).await.unwrap();
    deliver(&app, &Played::default()).await.unwrap();
    (stage, app, looked)
}

/// What others are told now.
async fn told(app: &App, looked: &mut Looked) -> Vec<(String, String)> {
    look(app, looked).await.unwrap();
    let courier = Played::default();
    while deliver(app, &courier).await.unwrap() > 0 {}
    courier.all()
}

/// A run that ends so, and what it states.
async fn run(stage: &Stage, id: &str, status: &str, facts: Vec<Fact>) {
    let store = stage.store.connection(&"acme-us".parse().unwrap());
    let [started, ended] = a_run(status, "NetSuite gives no answer");
    let all = [vec![started], facts, vec![ended]].concat();
    store.commit(commit(Some(id), all)).await.unwrap();
}

fn pair(to: &str, what: &str) -> (String, String) {
    (to.to_owned(), what.to_owned())
}

#[tokio::test]
async fn a_cause_is_told_once_however_many_records_wait_for_it() {
    let (stage, app, mut looked) = listening().await;
    assert_eq!(told(&app, &mut looked).await, []);
    let code = Code::new("closed-period");
    let closed = Outcome::because(State::Blocked, code, "June is closed").grouped("period:2026-06");
    let both = || vec![stated("1", closed.clone()), stated("2", closed.clone())];
    run(&stage, "run-4", "exceptions", both()).await;
    let news = told(&app, &mut looked).await;
    assert_eq!(
        news,
        [
            pair("chat", "exception.opened"),
            pair("ap@example.com", "acme-us: the posting period is closed"),
        ]
    );
    run(&stage, "run-5", "exceptions", both()).await;
    assert_eq!(told(&app, &mut looked).await, []);
    // Another process knows as much.
    assert_eq!(told(&app, &mut Looked::default()).await.len(), 0);
    let open = vec![stated("1", unmapped()), stated("2", unmapped())];
    run(&stage, "run-6", "exceptions", open).await;
    assert_eq!(
        told(&app, &mut looked).await,
        [pair("chat", "exception.closed")]
    );
    run(&stage, "run-7", "exceptions", both()).await;
    assert_eq!(told(&app, &mut looked).await.len(), 2, "it is open again");
}

#[tokio::test]
async fn a_connection_that_fails_again_and_again_is_told_of_once() {
    let (stage, app, mut looked) = listening().await;
    for id in ["run-4", "run-5", "run-6"] {
        run(&stage, id, "failed", Vec::new()).await;
    }
    let news = told(&app, &mut looked).await;
    assert_eq!(news.len(), 2, "{news:?}");
    assert!(news.contains(&pair("chat", "run.failed")));
    run(&stage, "run-7", "failed", Vec::new()).await;
    assert_eq!(told(&app, &mut looked).await, []);
    run(&stage, "run-8", "exceptions", Vec::new()).await;
    let news = told(&app, &mut looked).await;
    assert!(news.contains(&pair("chat", "run.recovered")), "{news:?}");
    assert!(news.contains(&pair("ap@example.com", "acme-us: runs get through again")));
}

#[tokio::test]
async fn what_could_not_be_delivered_is_tried_again_and_given_up_in_the_end() {
    let (stage, app, mut looked) = listening().await;
    run(&stage, "run-4", "failed", Vec::new()).await;
    look(&app, &mut looked).await.unwrap();
    let courier = Played::default();
    *courier.broken.lock().unwrap() = Some(Undelivered {
        cause: "connection refused".to_owned(),
        for_good: false,
    });
    assert_eq!(deliver(&app, &courier).await.unwrap(), 2);
    assert_eq!(deliver(&app, &courier).await.unwrap(), 0, "not at once");
    stage.advance(61);
    *courier.broken.lock().unwrap() = None;
    assert_eq!(deliver(&app, &courier).await.unwrap(), 2);
    assert_eq!(courier.all().len(), 2);
    run(&stage, "run-5", "done", Vec::new()).await;
    look(&app, &mut looked).await.unwrap();
    *courier.broken.lock().unwrap() = Some(Undelivered {
        cause: "no such mailbox".to_owned(),
        for_good: true,
    });
    deliver(&app, &courier).await.unwrap();
    let letters = stage.store.letters().await.unwrap();
    assert!(letters.given_up >= 2, "{letters:?}");
    assert_eq!(letters.waiting, 0);
}

#[tokio::test]
async fn words_from_outside_reach_no_header_and_no_markup() {
    let (stage, app, mut looked) = listening().await;
    let code = Code::new("closed-period");
    let cause = "<script>alert(1)</script>\r\nBcc: thief@example.com";
    let evil = Outcome::because(State::Blocked, code, cause).grouped("g");
    run(&stage, "run-4", "exceptions", vec![stated("1", evil)]).await;
    look(&app, &mut looked).await.unwrap();
    let until = app.clock.now() + std::time::Duration::from_secs(60);
    let letters = app.store.take_letters(9, until).await.unwrap();
    let mail = letters.iter().find(|one| one.letter.way == "mail").unwrap();
    let said = Said::of_body(&mail.letter.body).unwrap();
    assert!(!said.html.contains("<script>"), "{}", said.html);
    assert!(said.html.contains("&lt;script&gt;"));
    assert!(
        said.text
            .contains("https://tieout.example.com/exceptions/acme-us/cause?code=closed-period")
    );
    assert!(!said.subject.contains(['\r', '\n']));
    assert_eq!(one_line("a\r\nBcc: b\u{2028}c\0d"), "a Bcc: b c d");
}

#[tokio::test]
async fn a_credential_that_ends_is_told_of_at_each_step_once() {
    let (stage, app, _) = listening().await;
    *stage.program.days_left.lock().unwrap() = 13;
    let news = told(&app, &mut Looked::default()).await;
    let subject = "credential acme-bill expires in 13 days";
    assert!(news.contains(&pair("ap@example.com", subject)), "{news:?}");
    *stage.program.days_left.lock().unwrap() = 9;
    assert_eq!(told(&app, &mut Looked::default()).await, []);
    *stage.program.days_left.lock().unwrap() = 7;
    assert_eq!(told(&app, &mut Looked::default()).await.len(), 2);
}

#[tokio::test]
async fn an_import_is_told_once_to_those_named_and_to_whoever_asked_for_it() {
    let (stage, app, mut looked) = listening().await;
    let ola = tieout_store::NewUser {
        name: "ola".to_owned(),
        display: "Ola".to_owned(),
        mail: "ola@example.com".to_owned(),
        role: tieout_server::people::Role::Operator,
        subject: None,
        until: None,
        tenants: Vec::new(),
    };
    let people = stage.store.people();
    people.add(&ola, None, "user:ann").await.unwrap();
    let imported = Fact::Imported {
        list: "customers".to_owned(),
        asked_by: "user:ola".to_owned(),
        runs: vec![tieout_store::RunId::new("run-4")],
        counts: [("made".to_owned(), 12), ("waiting".to_owned(), 1)].into(),
    };
    run(&stage, "run-4", "done", vec![imported]).await;
    let news = told(&app, &mut looked).await;
    let subject = "acme-us: the import of customers has ended";
    assert_eq!(
        news,
        [
            pair("chat", "import.ended"),
            pair("ap@example.com", subject),
            pair("ola@example.com", subject),
        ]
    );
    assert_eq!(told(&app, &mut Looked::default()).await, []);
}
