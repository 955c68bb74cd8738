//! An Alternative Payments sandbox on a free port, and the real client's ports.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
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
use tieout_kit::{Credential, Kept, KeptError, Kit, Transport};
use tieout_systems::find;
use tokio::net::TcpListener;

/// The service's name.
pub(crate) const SERVICE: &str = "alternative-payments";
/// Monday, 2 March 2026.
const NOW: &str = "2026-03-02T15:00:00Z";

/// A running sandbox and a connection to it.
pub(crate) struct Stage {
    pub(crate) ports: Ports,
    pub(crate) told: Arc<Told>,
    pub(crate) kit: Kit,
    pub(crate) table: Map<String, Value>,
    pub(crate) chassis: Chassis,
    fake: Arc<dyn Fake>,
    credential: (String, String),
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

impl Stage {
    /// An account that has been given all that is missing in the documented API.
    pub(crate) async fn new() -> Self {
        Self::with(true).await
    }

    /// An account that has what is documented, and nothing else.
    pub(crate) async fn documented() -> Self {
        Self::with(false).await
    }

    async fn with(all: bool) -> Self {
        let told = Arc::new(Told::default());
        let mut chassis = Chassis::new(FakeClock::at(NOW.parse().unwrap()), 1);
        chassis.outgoing = Some(Arc::clone(&told) as Arc<dyn Transport>);
        let world = World::empty(jiff::civil::date(2026, 3, 2), true, "America/New_York");
        let entry = find(SERVICE).unwrap();
        let fake = (entry.fake)(chassis.clone(), &world, 1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = dress(&chassis, SERVICE, Arc::clone(&fake).router());
        tokio::spawn(serve(listener, router, std::future::pending()));
        let described = fake.describe(&base);
        let kit = Kit {
            transport: Arc::new(Network::new().unwrap()),
            timer: Arc::new(Hurried(Arc::clone(&chassis.clock))),
            entropy: Arc::new(SystemEntropy),
            kept: Arc::new(Nothing),
            governors: Arc::new(Governors::default()),
            far_clock: Arc::default(),
        };
        let mut table = json!({"environment": described["environment"], "credential": "a",
            "base_url": described["base_url"]});
        if all {
            table["capabilities"] = json!("all");
        }
        let table = table.as_object().unwrap().clone();
        let credential = (SERVICE.to_owned(), described[SERVICE].to_string());
        let ports = (entry.system.connect)(&table, credential_of(&credential), kit.clone());
        let stage = Self {
            ports: ports.unwrap(),
            told,
            kit,
            table,
            chassis,
            fake,
            credential,
        };
        if !all {
            for name in described["capabilities"].as_array().unwrap() {
                stage.switch(name.as_str().unwrap(), false).await;
            }
        }
        stage
    }

    /// The credential, once more.
    pub(crate) fn credential(&self) -> Credential {
        credential_of(&self.credential)
    }

    /// What a customer does, or a person on the dashboard.
    pub(crate) async fn person(&self, path: &str, body: Value) -> Value {
        let path: Vec<&str> = path.split('/').collect();
        self.fake.control(&path, body).await.unwrap()
    }

    pub(crate) async fn switch(&self, name: &str, value: impl Into<Value>) {
        let value: Value = value.into();
        self.person("switches", json!({name: value})).await;
    }

    /// What happens to the key.
    pub(crate) fn key(&self, body: &Value) {
        self.fake.credential(SERVICE, body).unwrap().unwrap();
    }

    pub(crate) fn fault(&self, rule: Value) {
        let rule: FaultRule = serde_json::from_value(rule).unwrap();
        self.chassis.faults.add(rule);
    }

    /// Cuts the answer to one call that was carried out.
    pub(crate) fn cut(&self, method: &str, path: &str) {
        self.fault(
            json!({"service": SERVICE, "method": method, "path": path, "times": 1,
            "effect": "drop-after-commit"}),
        );
    }

    pub(crate) fn advance(&self, hours: i64) {
        let by = jiff::SignedDuration::from_hours(hours);
        self.chassis.clock.advance(by);
        self.fake.clock_moved();
    }

    pub(crate) fn records(&self) -> Value {
        self.fake.records()
    }

    /// All pages of a read, and what it leaves. A run begins with it.
    pub(crate) async fn read(&self, kind: Kind, mark: Option<&Mark>) -> Page {
        self.ports.whole.run_begins();
        let depth = mark.map_or(Depth::Whole, |_| Depth::Changes);
        let (mut all, mut token): (Page, Option<PageToken>) = (Page::default(), None);
        loop {
            let page = self.ports.read[&kind].page(depth, mark, token.as_ref());
            let page = page.await.unwrap();
            all.records.extend(page.records);
            all.gone.extend(page.gone);
            all.unreadable.extend(page.unreadable);
            all.mark = page.mark.or(all.mark);
            token = page.next;
            if token.is_none() {
                return all;
            }
        }
    }

    pub(crate) async fn fetch(&self, kind: Kind, id: &RemoteId) -> Option<Observed> {
        let ids = std::slice::from_ref(id);
        self.ports.read[&kind].fetch(ids).await.unwrap().pop()
    }

    pub(crate) async fn write(&self, order: Order) -> Result<Receipt, Fault> {
        let kind = order.document.kind();
        match self.ports.write[&kind].write(&[order]).await.remove(0) {
            Answer::Applied(receipt) => Ok(receipt),
            Answer::Failed(fault) => Err(fault),
        }
    }

    /// Makes a record and gives it as a look at it shows it.
    pub(crate) async fn create(&self, document: Document) -> Observed {
        let kind = document.kind();
        let receipt = self.write(creation(document)).await.unwrap();
        assert!(!receipt.adopted);
        self.fetch(kind, &receipt.id).await.unwrap()
    }

    /// A customer with one invoice of that amount.
    pub(crate) async fn billed(&self, id: &str, total: &str) -> (RemoteId, Observed) {
        let of = self.create(Document::Customer(customer(id))).await.id;
        let made = self
            .create(Document::Invoice(invoice(&of, id, total)))
            .await;
        (of, made)
    }

    /// A customer pays an invoice; gives the payment's id.
    pub(crate) async fn pays(&self, invoice: &RemoteId, more: &Value) -> RemoteId {
        let mut body = json!({"invoice": invoice.as_str()});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        id(&self.person("pay", body).await)
    }
}

/// The id of what the panel shows.
pub(crate) fn id(shown: &Value) -> RemoteId {
    shown["id"].as_str().unwrap().into()
}

fn credential_of((kind, fields): &(String, String)) -> Credential {
    Credential {
        kind: kind.clone(),
        fields: fields.clone().into(),
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
        file: None,
        key: Key::of(["ns", "1234567-SB1", &document.label()]),
        action,
        target: Some(there.id.clone()),
        document,
        expect: Some(there.document.clone()),
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
        number: String::new(),
        person: None,
        email: "ap@example.com".to_owned(),
        phone: String::new(),
        address: None,
        currency: None,
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

pub(crate) fn line(line_kind: SalesLineKind, words: &str, total: &str) -> SalesLine {
    SalesLine {
        id: None,
        line_kind,
        item: None,
        name: String::new(),
        description: words.to_owned(),
        quantity: Amount::ONE,
        rate: amount(total),
        amount: amount(total),
        department: None,
        class: None,
        location: None,
    }
}

/// An invoice of one line.
pub(crate) fn invoice(of: &RemoteId, id: &str, total: &str) -> Invoice {
    Invoice {
        customer: of.clone(),
        number: format!("INV-{id}"),
        date: jiff::civil::date(2026, 3, 2),
        due: Some(jiff::civil::date(2026, 4, 1)),
        terms: None,
        currency: Currency::USD,
        receivables_account: None,
        subsidiary: None,
        period: None,
        total: amount(total),
        open: amount(total),
        lines: vec![line(SalesLineKind::Item, "Work", total)],
        status: InvoiceStatus::Open,
        memo: "Thank you".to_owned(),
        purchase_order: String::new(),
        marker: marker(id),
        external_id: None,
    }
}

/// What the ledger received for an invoice, as the service is told of it.
pub(crate) fn external(of: &RemoteId, invoice: &RemoteId, key: &str, total: &str) -> Document {
    Document::CustomerPayment(CustomerPayment {
        customer: Some(of.clone()),
        number: String::new(),
        date: jiff::civil::date(2026, 2, 27),
        currency: Currency::USD,
        total: amount(total),
        unapplied: amount("0"),
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
    })
}

/// The sandbox's clock, which whoever waits moves on.
struct Hurried(Arc<FakeClock>);

impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

#[async_trait]
impl Timer for Hurried {
    async fn sleep(&self, duration: Duration) {
        self.0.advance(duration);
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
