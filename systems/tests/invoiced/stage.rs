//! An Invoiced sandbox on a free port, and the real client's ports.

use std::collections::BTreeMap;
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
use tieout_kit::transport::{Meter, Metered, Network};
use tieout_kit::{Credential, Kept, KeptError, Kit, Transport};
use tieout_systems::find;
use tokio::net::TcpListener;

/// Monday, 2 March 2026, 10 in the morning in New York.
const NOW: &str = "2026-03-02T15:00:00Z";

/// A running sandbox and a connection to it.
pub(crate) struct Stage {
    pub(crate) ports: Ports,
    pub(crate) fake: Arc<dyn Fake>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) told: Arc<Told>,
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

impl Stage {
    pub(crate) async fn new() -> Self {
        let told = Arc::new(Told::default());
        let mut chassis = Chassis::new(FakeClock::at(NOW.parse().unwrap()), 1);
        chassis.outgoing = Some(Arc::clone(&told) as Arc<dyn Transport>);
        let world = World::empty(jiff::civil::date(2026, 3, 2), true, "America/New_York");
        let entry = find("invoiced").unwrap();
        let fake = (entry.fake)(chassis.clone(), &world, 1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = dress(&chassis, "invoiced", Arc::clone(&fake).router());
        tokio::spawn(serve(listener, router, std::future::pending()));
        let described = fake.describe(&base);
        let meter = Arc::new(Meter::default());
        let network: Arc<dyn Transport> = Arc::new(Network::new().unwrap());
        let kit = Kit {
            transport: Arc::new(Metered::new(
                network,
                Arc::clone(&meter),
                Arc::new(Hurried(Arc::clone(&chassis.clock))),
            )),
            timer: Arc::new(Hurried(Arc::clone(&chassis.clock))),
            entropy: Arc::new(SystemEntropy),
            kept: Arc::new(Nothing),
            governors: Arc::new(Governors::default()),
            far_clock: Arc::default(),
        };
        let table = json!({"environment": "sandbox", "time_zone": "America/New_York", "credential": "a",
            "base_url": described["base_url"]});
        let credential = Credential {
            kind: "invoiced".to_owned(),
            fields: described["invoiced"].to_string().into(),
        };
        let ports = (entry.system.connect)(table.as_object().unwrap(), credential, kit).unwrap();
        Self {
            ports,
            fake,
            meter,
            told,
            chassis,
        }
    }

    /// What a person does in Invoiced's own pages.
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
        self.chassis
            .clock
            .advance(jiff::SignedDuration::from_hours(24 * days));
        self.fake.clock_moved();
    }

    /// All pages of a read, and what it leaves. A run begins with it.
    pub(crate) async fn read(&self, kind: Kind, mark: Option<&Mark>) -> (Page, usize) {
        self.ports.whole.run_begins();
        let depth = mark.map_or(Depth::Whole, |_| Depth::Changes);
        let (mut all, mut token, mut pages): (Page, Option<PageToken>, usize) =
            (Page::default(), None, 0);
        loop {
            let page = self.ports.read[&kind]
                .page(depth, mark, token.as_ref())
                .await
                .unwrap();
            pages += 1;
            all.records.extend(page.records);
            all.gone.extend(page.gone);
            all.unreadable.extend(page.unreadable);
            all.mark = page.mark.or(all.mark);
            token = page.next;
            if token.is_none() {
                return (all, pages);
            }
        }
    }

    pub(crate) async fn fetch(&self, kind: Kind, id: &RemoteId) -> Observed {
        let ids = std::slice::from_ref(id);
        self.ports.read[&kind].fetch(ids).await.unwrap().remove(0)
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
        number: format!("C-{id}"),
        person: None,
        email: "ap@example.com".to_owned(),
        phone: String::new(),
        address: None,
        currency: Some(Currency::USD),
        terms: Some("NET 30".into()),
        parent: None,
        subsidiaries: Vec::new(),
        inactive: false,
        automatic_payment: false,
        reminders: false,
        marker: marker(id),
        external_id: None,
    }
}

pub(crate) fn line(line_kind: SalesLineKind, quantity: &str, rate: &str, total: &str) -> SalesLine {
    SalesLine {
        id: None,
        line_kind,
        item: None,
        name: "Work".to_owned(),
        description: String::new(),
        quantity: amount(quantity),
        rate: amount(rate),
        amount: amount(total),
        department: None,
        class: None,
        location: None,
    }
}

/// 3 × 12.345 rounded to 37.04, a discount of 1.04, taxes of 0.5 and 3.85: 40.35 in all.
pub(crate) fn invoice(of: &RemoteId, number: &str) -> Invoice {
    let lines = vec![
        line(SalesLineKind::Item, "3", "12.345", "37.04"),
        line(SalesLineKind::Discount, "1", "-1.04", "-1.04"),
        line(SalesLineKind::Tax, "1", "0.5", "0.5"),
        line(SalesLineKind::Tax, "1", "3.85", "3.85"),
    ];
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
        total: amount("40.35"),
        open: amount("40.35"),
        lines,
        status: InvoiceStatus::Open,
        memo: "Thank you".to_owned(),
        purchase_order: "PO-7".to_owned(),
        marker: marker(number.trim_start_matches("INV-")),
        external_id: None,
    }
}

pub(crate) fn payment(
    of: &RemoteId,
    parts: Vec<(UseOf, &str)>,
    unapplied: &str,
) -> CustomerPayment {
    let uses: Vec<PaymentUse> = parts
        .into_iter()
        .map(|(of, text)| PaymentUse {
            of,
            amount: amount(text),
        })
        .collect();
    let cash = uses
        .iter()
        .filter(|part| part.of.is_cash())
        .map(|part| part.amount);
    CustomerPayment {
        customer: Some(of.clone()),
        number: "1001".to_owned(),
        date: jiff::civil::date(2026, 2, 20),
        currency: Currency::USD,
        total: Amount::total(cash.chain([amount(unapplied)])).unwrap(),
        unapplied: amount(unapplied),
        uses,
        method: ReceiptMethod::Check,
        status: ReceiptStatus::Received,
        charge: None,
        kept_in: None,
        receivables_account: None,
        subsidiary: None,
        period: None,
        memo: String::new(),
        marker: marker("77"),
        external_id: None,
    }
}

/// The sandbox's clock; nobody waits for it.
struct Hurried(Arc<FakeClock>);

impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

#[async_trait]
impl Timer for Hurried {
    async fn sleep(&self, _duration: Duration) {
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

/// What the sandbox would have sent or charged by itself.
pub(crate) fn started(fake: &dyn Fake) -> BTreeMap<&'static str, usize> {
    let records = fake.records();
    ["messages", "charges"]
        .into_iter()
        .map(|name| (name, records[name].as_array().map_or(0, Vec::len)))
        .collect()
}
