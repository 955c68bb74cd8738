//! Fills the domain's ports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value};
use tieout_domain::check::Check;
use tieout_domain::port::{Choice, Identity, Ports, Read, Ways, Whole, Write};
use tieout_domain::{Fault, Kind, Period, SystemId, Timestamp};
use tieout_kit::{ConnectError, Credential, Kit};

use crate::accounts::Accounts;
use crate::bills::Bills;
use crate::call::{Client, IN_FLIGHT_MAX};
use crate::dimensions::Dimensions;
use crate::documents::Documents;
use crate::funding_accounts::FundingReader;
use crate::list::{Reader, Room};
use crate::payments::{PaymentWriter, Payments};
use crate::settings::{Login, Settings};
use crate::vendor_credits::VendorCredits;
use crate::vendors::{VENDORS, Vendors};
use crate::wire;
use crate::write::{Writable, Writer};

/// The name in the configuration.
pub(crate) const BILL: SystemId = SystemId::new("bill");

/// Makes the ports. Sends nothing.
pub(crate) fn connect(
    table: &Map<String, Value>,
    credential: Credential,
    kit: Kit,
) -> Result<Ports, ConnectError> {
    let settings = Settings::read(table)?;
    let login = Login::read(&credential)?;
    let account = settings.organization.clone();
    let client = Arc::new(Client::new(settings, login, kit));
    let mut ports = Ports {
        system: BILL,
        whole: Arc::new(Organization {
            client: Arc::clone(&client),
        }),
        read: BTreeMap::new(),
        write: BTreeMap::new(),
        subledger: None,
        files: None,
        ways: Ways::NONE,
        in_flight_max: IN_FLIGHT_MAX,
        key_prefix: "bill",
        account,
        subsidiary: None,
    };
    let mut kinds = Kinds {
        ports: &mut ports,
        client: &client,
    };
    kinds.written(Kind::Account, Accounts::default());
    kinds.written(Kind::Department, Dimensions::departments());
    kinds.written(Kind::Class, Dimensions::classes());
    kinds.written(Kind::Location, Dimensions::locations());
    kinds.written(Kind::Vendor, Vendors);
    kinds.written(Kind::Bill, Bills);
    kinds.written(Kind::VendorCredit, VendorCredits);
    kinds.read(Kind::Payment, Arc::new(Payments));
    let payments = PaymentWriter {
        client: Arc::clone(&client),
    };
    ports.write.insert(Kind::Payment, Arc::new(payments));
    let documents = Documents {
        client: Arc::clone(&client),
    };
    ports.write.insert(Kind::Attachment, Arc::new(documents));
    ports
        .read
        .insert(Kind::FundingAccount, Arc::new(FundingReader { client }));
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

/// The organization as a whole.
struct Organization {
    client: Arc<Client>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionInfo {
    pub(crate) organization_id: String,
    #[serde(default, deserialize_with = "wire::text")]
    pub(crate) mfa_status: String,
}

#[derive(Deserialize)]
struct Names {
    #[serde(default, deserialize_with = "wire::list")]
    results: Vec<OrganizationName>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrganizationName {
    #[serde(default, alias = "organizationId", deserialize_with = "wire::text")]
    id: String,
    #[serde(default, alias = "organizationName", deserialize_with = "wire::text")]
    name: String,
}

#[async_trait]
impl Whole for Organization {
    fn time_at(&self, uptime: Duration) -> Option<Timestamp> {
        self.client.kit.far_clock.at(uptime)
    }

    async fn ping(&self) -> Result<Identity, Fault> {
        let client = &self.client;
        let session: SessionInfo = client
            .read("/v3/login/session", "asking who is signed in")
            .await?;
        let path = format!("{}?max=1", VENDORS.path);
        let _: serde::de::IgnoredAny = client.read(&path, "reading one vendor").await?;
        let id = session.organization_id;
        // The name is a courtesy: without it the id will do.
        let names: Option<Names> = client
            .read(
                "/v3/login/organizations?max=100",
                "asking for the organization's name",
            )
            .await
            .ok();
        let name = names
            .and_then(|names| names.results.into_iter().find(|known| known.id == id))
            .map(|known| known.name)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| format!("BILL organization {id}"));
        let environment = client.settings.environment.as_str().to_owned();
        let user = if client.login.sync_token() {
            "sync token"
        } else {
            "user"
        };
        let mut details = vec![
            ("environment".to_owned(), environment),
            (user.to_owned(), client.login.username.clone()),
        ];
        if !session.mfa_status.is_empty() {
            details.push(("two-step sign-in".to_owned(), session.mfa_status));
        }
        Ok(Identity { name, id, details })
    }

    async fn refusals(&self) -> usize {
        self.client.refusals.count(&self.client.kit).await
    }

    async fn examine(&self) -> Vec<Check> {
        self.client.examine().await
    }

    fn environment(&self) -> Option<&'static str> {
        Some(self.client.settings.environment.as_str())
    }

    /// The organizations that this user reaches.
    async fn choices(&self) -> Result<Vec<Choice>, Fault> {
        let names: Names = self
            .client
            .read(
                "/v3/login/organizations?max=100",
                "asking which organizations there are",
            )
            .await?;
        let choice = |known: OrganizationName| Choice {
            setting: "organization",
            value: known.id,
            name: known.name,
        };
        Ok(names.results.into_iter().map(choice).collect())
    }

    async fn periods(&self) -> Result<Vec<Period>, Fault> {
        Ok(Vec::new())
    }
}
