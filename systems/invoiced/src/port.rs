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

use crate::call::Client;
use crate::credit_memos::CreditMemos;
use crate::customers::Customers;
use crate::invoices::Invoices;
use crate::items::Items;
use crate::list::{Reader, Room};
use crate::payments::Payments;
use crate::settings::{Settings, api_key};
use crate::terms::TermsReader;
use crate::write::{Writable, Writer};

/// The name in the configuration.
pub(crate) const INVOICED: SystemId = SystemId::new("invoiced");

/// What rules must know of it.
pub(crate) const WAYS: Ways = Ways {
    originates: true,
    credit_notes: true,
    pays_out: false,
    shows_pdfs: false,
    tells_open: true,
};

/// Makes the ports. Sends nothing.
pub(crate) fn connect(
    table: &Map<String, Value>,
    credential: Credential,
    kit: Kit,
) -> Result<Ports, ConnectError> {
    let settings = Settings::read(table)?;
    let key = api_key(&credential)?;
    let (account, in_flight_max) = (settings.account.clone(), settings.concurrency);
    let client = Arc::new(Client::new(settings, key, kit));
    let mut ports = Ports {
        system: INVOICED,
        whole: Arc::new(Account {
            client: Arc::clone(&client),
        }),
        read: BTreeMap::new(),
        write: BTreeMap::new(),
        subledger: None,
        files: None,
        ways: WAYS,
        in_flight_max,
        key_prefix: "invoiced",
        account,
        subsidiary: None,
    };
    let mut kinds = Kinds {
        ports: &mut ports,
        client: &client,
    };
    kinds.written(Kind::Customer, Customers);
    kinds.written(Kind::Invoice, Invoices);
    kinds.written(Kind::CreditMemo, CreditMemos);
    kinds.written(Kind::CustomerPayment, Payments);
    kinds.read(Kind::Item, Arc::new(Items));
    ports
        .read
        .insert(Kind::Terms, Arc::new(TermsReader { client }));
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
        self.client.forget_past();
    }

    /// No call that is documented tells whose account it is: it can be reached, and that is all.
    async fn ping(&self) -> Result<Identity, Fault> {
        let settings = &self.client.settings;
        let customers = self.client.count_customers().await?;
        let environment = settings.environment.as_str();
        let mut details = vec![("environment".to_owned(), environment.to_owned())];
        if let Some(customers) = customers {
            details.push(("customers".to_owned(), customers.to_string()));
        }
        Ok(Identity {
            name: format!("Invoiced account ({environment})"),
            id: settings.account.clone(),
            details,
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
