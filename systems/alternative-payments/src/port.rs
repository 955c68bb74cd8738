//! Fills the domain's ports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tieout_domain::check::Check;
use tieout_domain::port::{Identity, Ports, Read, Ways, Whole, Write};
use tieout_domain::{Fault, Kind, Period, SystemId, Timestamp};
use tieout_kit::{ConnectError, Credential, Kit};

use crate::call::{Client, IN_FLIGHT_MAX};
use crate::capabilities::Capability;
use crate::customers::Customers;
use crate::external::ExternalPayments;
use crate::invoices::Invoices;
use crate::list::{Reader, Room};
use crate::payments::Payments;
use crate::payouts::Payouts;
use crate::pdf::Pdfs;
use crate::settings::{Keys, NAME, Settings};
use crate::write::{Writable, Writer};

/// The name in the configuration.
pub(crate) const ALTERNATIVE_PAYMENTS: SystemId = SystemId::new(NAME);

/// What rules must know of it.
pub(crate) const WAYS: Ways = Ways {
    originates: false,
    credit_notes: false,
    pays_out: true,
    shows_pdfs: true,
    tells_open: false,
};

/// Makes the ports. Sends nothing.
pub(crate) fn connect(
    table: &Map<String, Value>,
    credential: Credential,
    kit: Kit,
) -> Result<Ports, ConnectError> {
    let settings = Settings::read(table)?;
    let keys = Keys::read(&credential)?;
    let account = settings.account.clone();
    let ways = Ways {
        tells_open: settings.has(Capability::Balances),
        ..WAYS
    };
    let client = Arc::new(Client::new(settings, keys, kit));
    let mut ports = Ports {
        system: ALTERNATIVE_PAYMENTS,
        whole: Arc::new(Account {
            client: Arc::clone(&client),
        }),
        read: BTreeMap::new(),
        write: BTreeMap::new(),
        subledger: None,
        files: None,
        ways,
        in_flight_max: IN_FLIGHT_MAX,
        key_prefix: "ap",
        account,
        subsidiary: None,
    };
    let mut kinds = Kinds {
        ports: &mut ports,
        client: &client,
    };
    kinds.written(Kind::Customer, Customers);
    kinds.written(Kind::Invoice, Invoices);
    kinds.payments();
    kinds.read(Kind::Payout, Arc::new(Payouts::default()));
    kinds.pdfs();
    Ok(ports)
}

struct Kinds<'a> {
    ports: &'a mut Ports,
    client: &'a Arc<Client>,
}

impl Kinds<'_> {
    fn read<R: Room>(&mut self, kind: Kind, room: Arc<R>) {
        let reader: Arc<dyn Read> = Arc::new(Reader {
            client: Arc::clone(self.client),
            room,
        });
        self.ports.read.insert(kind, reader);
    }

    fn written<R: Writable>(&mut self, kind: Kind, room: R) {
        let room = Arc::new(room);
        self.read(kind, Arc::clone(&room));
        let writer: Arc<dyn Write> = Arc::new(Writer {
            client: Arc::clone(self.client),
            room,
        });
        self.ports.write.insert(kind, writer);
    }

    fn payments(&mut self) {
        let room = Arc::new(Payments::default());
        self.read(Kind::CustomerPayment, Arc::clone(&room));
        if self.client.settings.has(Capability::ExternalPayments) {
            let writer: Arc<dyn Write> = Arc::new(ExternalPayments {
                client: Arc::clone(self.client),
                room,
            });
            self.ports.write.insert(Kind::CustomerPayment, writer);
        }
    }

    fn pdfs(&mut self) {
        if self.client.settings.has(Capability::InvoicePdf) {
            let writer: Arc<dyn Write> = Arc::new(Pdfs {
                client: Arc::clone(self.client),
            });
            self.ports.write.insert(Kind::InvoicePdf, writer);
        }
    }
}

/// The account as a whole.
struct Account {
    client: Arc<Client>,
}

#[async_trait]
impl Whole for Account {
    fn time_at(&self, uptime: Duration) -> Option<Timestamp> {
        self.client.kit.far_clock.at(uptime)
    }

    fn run_begins(&self) {
        self.client.forget_refunds();
    }

    /// No call that is documented tells whose account it is: it can be reached, and that is all.
    async fn ping(&self) -> Result<Identity, Fault> {
        let settings = &self.client.settings;
        self.client.first("/customers", "customers").await?;
        let environment = settings.environment.as_str();
        Ok(Identity {
            name: format!("Alternative Payments account ({environment})"),
            id: settings.account.clone(),
            details: vec![("environment".to_owned(), environment.to_owned())],
        })
    }

    async fn examine(&self) -> Vec<Check> {
        self.client.examine().await
    }

    fn environment(&self) -> Option<&'static str> {
        Some(self.client.settings.environment.as_str())
    }

    async fn periods(&self) -> Result<Vec<Period>, Fault> {
        Ok(Vec::new())
    }
}
