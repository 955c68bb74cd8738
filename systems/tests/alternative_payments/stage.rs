//! A sandbox of Alternative Payments on a free port, and the real client's ports.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::SecretString;
use serde_json::{Value, json};
use tieout_domain::document::{
    Customer, CustomerPayment, Invoice, InvoiceStatus, PaymentUse, ReceiptMethod, ReceiptStatus,
    SalesLine, SalesLineKind, UseOf,
};
use tieout_domain::port::{
    Action, Answer, Depth, Mark, Observed, Order, Page, PageToken, Ports, Receipt,
};
use tieout_domain::{
    Amount, Clock, Currency, Document, Fault, Key, Kind, Lost, Marker, RemoteId, Timer, Timestamp,
};
use tieout_kit::fake::world::World;
use tieout_kit::fake::{Chassis, Fake, FakeClock, FaultRule, dress, serve};
use tieout_kit::governor::Governors;
use tieout_kit::seams::SystemEntropy;
use tieout_kit::transport::Network;
use tieout_kit::webhooks::{Subscriptions, Webhooks};
use tieout_kit::{Credential, Kept, KeptError, Kit, Transport};
use tieout_systems::find;
use tokio::net::TcpListener;

const NAME: &str = "alternative-payments";
/// Monday, 2 March 2026, 15:00 UTC.
const NOW: &str = "2026-03-02T15:00:00Z";

/// A running sandbox and a connection to it.
pub(crate) struct Stage {
    pub(crate) ports: Ports,
    pub(crate) fake: Arc<dyn Fake>,
    pub(crate) told: Arc<Told>,
    pub(crate) sent: Arc<Sent>,
    table: Value,
    credential: Credential,
    kit: Kit,
    chassis: Chassis,
}

/// What the sandbox sends to others.
#[derive(Default)]
pub(crate) struct Told(pub(crate) Mutex<Vec<http::Request<Bytes>>>);

#[async_trait]
impl Transport for Told {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        self.0.lock().unwrap().push(request);
        Ok(http::Response::new(Bytes::new()))
    }
}

/// What the client sends, and how it was answered.
pub(crate) struct Sent {
    network: Network,
    pub(crate) calls: Mutex<Vec<(String, u16)>>,
}

#[async_trait]
impl Transport for Sent {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        let call = format!("{} {}", request.method(), request.uri().path());
        let answer = self.network.send(request, deadline).await;
        let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
        self.calls.lock().unwrap().push((call, status));
        answer
    }
}

impl Stage {
    /// With these capabilities, on both sides.
    pub(crate) async fn new(capabilities: &[&str]) -> Self {
        let told = Arc::new(Told::default());
        let mut chassis = Chassis::new(FakeClock::at(NOW.parse().unwrap()), 1);
        chassis.outgoing = Some(Arc::clone(&told) as Arc<dyn Transport>);
        let world = World::empty(jiff::civil::date(2026, 3, 2), true, "America/New_York");
        let entry = find(NAME).unwrap();
        let fake = (entry.fake)(chassis.clone(), &world, 1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = dress(&chassis, NAME, Arc::clone(&fake).router());
        tokio::spawn(serve(listener, router, std::future::pending()));
        let described = fake.describe(&base);
        let sent = Arc::new(Sent {
            network: Network::new().unwrap(),
            calls: Mutex::default(),
        });
        let kit = Kit {
            transport: Arc::clone(&sent) as Arc<dyn Transport>,
            timer: Arc::new(Leaping(Arc::clone(&chassis.clock))),
            entropy: Arc::new(SystemEntropy),
            kept: Arc::new(Nothing),
            governors: Arc::new(Governors::default()),
            far_clock: Arc::default(),
        };
        let table = json!({"environment": "demo", "credential": "a", "capabilities": capabilities,
            "base_url": described["base_url"]});
        let credential = Credential {
            kind: NAME.to_owned(),
            fields: described[NAME].to_string().into(),
        };
        let settings = table.as_object().unwrap();
        let connect = entry.system.connect;
        let ports = connect(settings, credential.clone(), kit.clone()).unwrap();
        let stage = Self {
            ports,
            fake,
            told,
            sent,
            table,
            credential,
            kit,
            chassis,
        };
        for capability in described["capabilities"].as_array().unwrap() {
            let name = capability.as_str().unwrap();
            if !capabilities.contains(&name) && capabilities != ["all"] {
                stage.switch(name, false).await;
            }
        }
        stage
    }

    pub(crate) fn subscriptions(&self) -> Arc<dyn Subscriptions> {
        let Some(Webhooks::Signed(signed)) = find(NAME).unwrap().system.webhooks else {
            panic!()
        };
        let table = self.table.as_object().unwrap();
        (signed.subscriptions)(table, self.credential.clone(), self.kit.clone()).unwrap()
    }

    /// The same account, as the next run reaches it.
    pub(crate) fn next_run(&mut self) {
        let connect = find(NAME).unwrap().system.connect;
        let table = self.table.as_object().unwrap();
        self.ports = connect(table, self.credential.clone(), self.kit.clone()).unwrap();
    }

    /// What a person does on the dashboard, or a customer.
    pub(crate) async fn person(&self, path: &str, body: Value) -> Value {
        let path: Vec<&str> = path.split('/').collect();
        self.fake.control(&path, body).await.unwrap()
    }

    pub(crate) async fn switch(&self, name: &str, value: impl Into<Value>) {
        let value: Value = value.into();
        self.person("switches", json!({name: value})).await;
    }

    pub(crate) fn fault(&self, rule: Value) {
        let rule: FaultRule = serde_json::from_value(rule).unwrap();
        self.chassis.faults.add(rule);
    }

    pub(crate) fn calm(&self) {
        self.chassis.faults.clear();
    }

    pub(crate) fn advance(&self, days: i64) {
        let span = jiff::SignedDuration::from_hours(24 * days);
        self.chassis.clock.advance(span);
        self.fake.clock_moved();
    }

    /// How often a call of this method and path was sent.
    pub(crate) fn calls(&self, call: &str) -> usize {
        let calls = self.sent.calls.lock().unwrap();
        calls.iter().filter(|(sent, _)| sent == call).count()
    }

    /// All pages of a read, and what it leaves. A run begins with it.
    pub(crate) async fn read(&self, kind: Kind, depth: Depth, mark: Option<&Mark>) -> Page {
        self.ports.whole.run_begins();
        let (mut all, mut token): (Page, Option<PageToken>) = (Page::default(), None);
        loop {
            let page = self.ports.read[&kind].page(depth, mark, token.as_ref());
            let page = page.await.unwrap();
            all.records.extend(page.records);
            all.unreadable.extend(page.unreadable);
            all.mark = page.mark.or(all.mark);
            token = page.next;
            if token.is_none() {
                return all;
            }
        }
    }

    pub(crate) async fn whole(&self, kind: Kind) -> Page {
        let page = self.read(kind, Depth::Whole, None).await;
        assert!(page.unreadable.is_empty(), "{:?}", page.unreadable);
        page
    }

    /// The only payment there is.
    pub(crate) async fn payment(&self) -> CustomerPayment {
        let page = self.whole(Kind::CustomerPayment).await;
        match &page.records[..] {
            [one] => match &one.document {
                Document::CustomerPayment(payment) => payment.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn invoice(&self, id: &RemoteId) -> Invoice {
        let ids = std::slice::from_ref(id);
        let there = self.ports.read[&Kind::Invoice].fetch(ids).await.unwrap();
        match there.into_iter().next().unwrap().document {
            Document::Invoice(invoice) => invoice,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn write(&self, order: Order) -> Result<Receipt, Fault> {
        let kind = order.document.kind();
        match self.ports.write[&kind].write(&[order]).await.remove(0) {
            Answer::Applied(receipt) => Ok(receipt),
            Answer::Failed(fault) => Err(fault),
        }
    }

    pub(crate) async fn create(&self, document: Document) -> Observed {
        let receipt = self.write(creation(document)).await.unwrap();
        assert!(!receipt.adopted);
        receipt.observed.unwrap()
    }

    /// A customer without anything special.
    pub(crate) async fn customer(&self) -> RemoteId {
        self.create(Document::Customer(customer("4"))).await.id
    }

    /// An invoice of a customer over one line.
    pub(crate) async fn invoiced(&self, of: &RemoteId, number: &str, total: &str) -> Observed {
        let invoice = invoice(of, number, total);
        self.create(Document::Invoice(invoice)).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.chassis.clock.now()
    }
}

pub(crate) fn creation(document: Document) -> Order {
    Order {
        file: None,
        key: Key::of(["ns", "1234567-SB1", &document.label()]),
        action: Action::Create,
        target: None,
        document,
        expect: None,
    }
}

pub(crate) fn change(action: Action, there: &Observed, document: Document) -> Order {
    Order {
        action,
        target: Some(there.id.clone()),
        expect: Some(there.document.clone()),
        ..creation(document)
    }
}

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

pub(crate) fn marker(id: &str) -> Option<Marker> {
    Marker::find_in(&format!("ns:1234567_SB1:{id}"))
}

pub(crate) fn customer(id: &str) -> Customer {
    Customer {
        name: format!("Birch & Sons {id}"),
        number: format!("C-{id}"),
        person: None,
        email: "ap@example.com".to_owned(),
        phone: String::new(),
        address: None,
        currency: Some(Currency::USD),
        terms: None,
        parent: None,
        subsidiaries: Vec::new(),
        inactive: false,
        automatic_payment: false,
        reminders: false,
        marker: marker(id),
        external_id: None,
    }
}

pub(crate) fn line(line_kind: SalesLineKind, quantity: &str, total: &str) -> SalesLine {
    SalesLine {
        id: None,
        line_kind,
        item: None,
        name: "Work".to_owned(),
        description: String::new(),
        quantity: amount(quantity),
        rate: amount(total),
        amount: amount(total),
        department: None,
        class: None,
        location: None,
    }
}

pub(crate) fn invoice(of: &RemoteId, number: &str, total: &str) -> Invoice {
    Invoice {
        customer: of.clone(),
        number: number.to_owned(),
        date: jiff::civil::date(2026, 2, 1),
        due: Some(jiff::civil::date(2026, 3, 9)),
        terms: None,
        currency: Currency::USD,
        receivables_account: None,
        subsidiary: None,
        period: None,
        total: amount(total),
        open: amount(total),
        lines: vec![line(SalesLineKind::Item, "1", total)],
        status: InvoiceStatus::Open,
        memo: "Thank you".to_owned(),
        purchase_order: "PO-7".to_owned(),
        marker: marker(number.trim_start_matches("INV-")),
        external_id: None,
    }
}

/// A settlement of the ledger's, as this platform is told it.
pub(crate) fn told(of: &RemoteId, invoice: &RemoteId, total: &str, key: &str) -> CustomerPayment {
    CustomerPayment {
        customer: Some(of.clone()),
        number: String::new(),
        date: jiff::civil::date(2026, 2, 20),
        currency: Currency::USD,
        total: amount(total),
        unapplied: Amount::ZERO,
        uses: vec![PaymentUse {
            of: UseOf::Invoice(invoice.clone()),
            amount: amount(total),
        }],
        method: ReceiptMethod::Other("external".to_owned()),
        status: ReceiptStatus::Received,
        charge: None,
        kept_in: None,
        receivables_account: None,
        subsidiary: None,
        period: None,
        memo: String::new(),
        marker: None,
        external_id: Some(Key::of(["ns", "1234567-SB1", key])),
    }
}

/// The sandbox's clock, which leaps when somebody waits for it.
struct Leaping(Arc<FakeClock>);

impl Clock for Leaping {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

#[async_trait]
impl Timer for Leaping {
    async fn sleep(&self, duration: Duration) {
        let span = jiff::SignedDuration::try_from(duration).unwrap();
        self.0.advance(span);
        tokio::task::yield_now().await;
    }
}

struct Nothing;

#[async_trait]
impl Kept for Nothing {
    async fn get(&self, _name: &str) -> Result<Option<SecretString>, KeptError> {
        Ok(None)
    }

    async fn put(
        &self,
        _name: &str,
        _value: &SecretString,
        _expires: Timestamp,
    ) -> Result<(), KeptError> {
        Ok(())
    }

    async fn remove(&self, _name: &str) -> Result<(), KeptError> {
        Ok(())
    }
}
