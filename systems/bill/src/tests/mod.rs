//! The client against scripted answers: fixtures and the README's shapes, no fake.

mod documents;
mod endings;
mod lists;
mod payments;
mod sessions;
mod shapes;
mod writing;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::SecretString;
use tieout_domain::document::{Approval, Bill, BillStatus, Line, LineKind};
use tieout_domain::port::{Action, Answer, Order, Ports};
use tieout_domain::{
    Amount, Clock, Currency, Document, Fault, Key, Lost, Marker, RemoteId, Timer, Timestamp,
};
use tieout_kit::governor::Governors;
use tieout_kit::{Credential, Entropy, Kept, KeptError, Kit, Transport};

/// A request as the service would see it.
#[derive(Debug, Clone)]
struct Seen {
    method: String,
    /// Path and query, unescaped.
    path: String,
    body: String,
    session: String,
}

/// An answer, or none.
type Reply = Result<(u16, String), Lost>;

/// The id of the record that this JSON shows.
fn id_of(json: &str) -> RemoteId {
    let shown: serde_json::Value = serde_json::from_str(json).unwrap();
    shown["id"].as_str().unwrap().into()
}

fn ok(body: impl Into<String>) -> Reply {
    Ok((200, body.into()))
}

fn refusal(status: u16, code: &str) -> Reply {
    Ok((
        status,
        format!(r#"[{{"code":"BDC_{code}","message":"said BILL"}}]"#),
    ))
}

fn dropped() -> Reply {
    Err(Lost::Unknown("closed without an answer".to_owned()))
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

/// Answers by a script, and signs in by itself: sessions are `s1`, `s2`, …
struct Scripted {
    script: Box<Script>,
    seen: Mutex<Vec<Seen>>,
    logins: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        self.now.fetch_sub(1, Ordering::SeqCst);
        let path = request.uri().path_and_query().unwrap().as_str();
        let path = percent_encoding::percent_decode_str(path.strip_prefix("/connect").unwrap());
        let header = |name| {
            request
                .headers()
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        let seen = Seen {
            method: request.method().to_string(),
            path: path.decode_utf8().unwrap().into_owned(),
            body: String::from_utf8(request.body().to_vec()).unwrap(),
            session: header("sessionid").to_owned(),
        };
        if seen.path != "/v3/login" {
            assert_eq!(header("devkey"), "key");
        }
        self.seen.lock().unwrap().push(seen.clone());
        let mut reply = (self.script)(&seen);
        if seen.path == "/v3/login" && reply == ok("") {
            let nth = self.logins.fetch_add(1, Ordering::SeqCst) + 1;
            reply = ok(format!(
                r#"{{"sessionId":"s{nth}","organizationId":"008","userId":"006"}}"#
            ));
        }
        let (status, body) = reply?;
        Ok(http::Response::builder()
            .status(status)
            .body(Bytes::from(body))
            .unwrap())
    }
}

impl Scripted {
    fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|seen| seen.path != "/v3/login")
            .cloned()
            .collect()
    }

    fn sign_ins(&self) -> usize {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| seen.path == "/v3/login")
            .count()
    }
}

/// A clock that sleeping moves.
struct Still(AtomicI64);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

#[async_trait]
impl Timer for Still {
    async fn sleep(&self, duration: Duration) {
        self.0.fetch_add(
            i64::try_from(duration.as_millis()).unwrap(),
            Ordering::SeqCst,
        );
        tokio::task::yield_now().await;
    }
}

struct Half;

impl Entropy for Half {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x7f);
    }
}

#[derive(Default)]
struct Memory(
    Mutex<BTreeMap<String, (SecretString, Timestamp)>>,
    Mutex<BTreeMap<(String, i64), u32>>,
);

#[async_trait]
impl Kept for Memory {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, KeptError> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .get(name)
            .map(|(value, _)| value.clone()))
    }

    async fn put(
        &self,
        name: &str,
        value: &SecretString,
        expires: Timestamp,
    ) -> Result<(), KeptError> {
        self.0
            .lock()
            .unwrap()
            .insert(name.to_owned(), (value.clone(), expires));
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), KeptError> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }

    async fn take(&self, name: &str, now: Timestamp, most: u32) -> Result<bool, KeptError> {
        let mut counts = self.1.lock().unwrap();
        let used = counts
            .entry((name.to_owned(), now.as_second() / 3600))
            .or_default();
        *used += 1;
        Ok(*used <= most)
    }
}

/// A stand-in for everything outside, and what was sent to it.
struct Stage {
    transport: Arc<Scripted>,
    timer: Arc<Still>,
    kept: Arc<Memory>,
    kit: Kit,
}

impl Stage {
    fn new(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let transport = Arc::new(Scripted {
            script: Box::new(move |seen| {
                if seen.path == "/v3/login" {
                    ok("")
                } else {
                    script(seen)
                }
            }),
            seen: Mutex::default(),
            logins: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        Self::with(transport)
    }

    /// A script that also answers sign-ins.
    fn bare(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(Arc::new(Scripted {
            script: Box::new(script),
            seen: Mutex::default(),
            logins: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }))
    }

    fn with(transport: Arc<Scripted>) -> Self {
        let start: Timestamp = "2026-06-20T10:30:00Z".parse().unwrap();
        let timer = Arc::new(Still(AtomicI64::new(start.as_millisecond())));
        let kept = Arc::new(Memory::default());
        let kit = Kit {
            transport: Arc::clone(&transport) as Arc<dyn Transport>,
            timer: Arc::clone(&timer) as Arc<dyn Timer>,
            entropy: Arc::new(Half),
            kept: Arc::clone(&kept) as Arc<dyn Kept>,
            far_clock: Arc::default(),
            governors: Arc::new(Governors::default()),
        };
        Self {
            transport,
            timer,
            kept,
            kit,
        }
    }

    /// The next process: it has what was kept, and counts from nothing.
    fn restart(&mut self) {
        self.kit.governors = Arc::new(Governors::default());
    }

    /// The next process after one that was killed before it kept anything.
    fn crash(&mut self) {
        self.kept.0.lock().unwrap().clear();
        self.restart();
    }

    /// A connection; each call makes another of the same key and organization.
    fn ports(&self) -> Ports {
        self.ports_of("008", 100)
    }

    fn ports_of(&self, organization: &str, bulk: u32) -> Ports {
        let table = format!(
            r#"{{"organization":"{organization}","environment":"sandbox","credential":"acme-bill",
                "base_url":"http://127.0.0.1:9102/connect","bulk":{bulk}}}"#
        );
        let credential = Credential {
            kind: "bill".to_owned(),
            fields: r#"{"dev_key":"key","username":"ap@acme.example","password":"secret"}"#
                .to_owned()
                .into(),
        };
        (crate::SYSTEM.connect)(
            &serde_json::from_str(&table).unwrap(),
            credential,
            self.kit.clone(),
        )
        .unwrap()
    }

    /// Methods and paths of what was sent, sign-ins left out.
    fn calls(&self) -> Vec<String> {
        let seen = self.transport.seen();
        seen.into_iter()
            .map(|seen| format!("{} {}", seen.method, seen.path))
            .collect()
    }
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn line(text: &str, account: &str) -> Line {
    Line {
        id: None,
        line_kind: LineKind::Expense,
        account: Some(account.into()),
        amount: amount(text),
        memo: String::new(),
        department: None,
        class: None,
        location: None,
    }
}

fn bill(number: &str, lines: Vec<Line>) -> Bill {
    Bill {
        vendor: "009V".into(),
        number: number.to_owned(),
        transaction_number: String::new(),
        date: "2026-06-12".parse().unwrap(),
        due: Some("2026-07-12".parse().unwrap()),
        discount: None,
        currency: Currency::USD,
        exchange_rate: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        total: Amount::total(lines.iter().map(|line| line.amount)).unwrap(),
        open: Amount::ZERO,
        scheduled: Amount::ZERO,
        lines,
        status: BillStatus::Open,
        approval: Approval::Approved,
        memo: "Chairs".to_owned(),
        purchase_order: String::new(),
        payment_hold: false,
        marker: Marker::find_in(&format!("ns:1234567_SB1:{}", number.len())),
        external_id: None,
    }
}

fn order(action: Action, target: Option<&str>, document: Document) -> Order {
    Order {
        key: Key::of(["ns", "1234567-SB1", "1"]),
        action,
        target: target.map(RemoteId::from),
        document,
        expect: None,
        file: None,
    }
}

/// The bill as BILL would show it after a creation with this body.
fn created(body: &serde_json::Value, id: &str) -> serde_json::Value {
    let mut bill = body.clone();
    let map = bill.as_object_mut().unwrap();
    for (name, value) in [
        ("id", id),
        ("paymentStatus", "UNPAID"),
        ("approvalStatus", "UNASSIGNED"),
        ("createdTime", "2026-06-20T10:30:00.000+00:00"),
        ("updatedTime", "2026-06-20T10:30:00.000+00:00"),
    ] {
        map.insert(name.to_owned(), value.into());
    }
    map.insert("exchangeRate".to_owned(), 1.into());
    bill
}

fn fault(answer: &Answer) -> &Fault {
    match answer {
        Answer::Failed(fault) => fault,
        Answer::Applied(receipt) => panic!("applied: {receipt:?}"),
    }
}

fn applied(answer: &Answer) -> &tieout_domain::port::Receipt {
    match answer {
        Answer::Applied(receipt) => receipt,
        Answer::Failed(fault) => panic!("failed: {fault:?}"),
    }
}
