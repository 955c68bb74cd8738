//! Filling the domain's ports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};
use tieout_domain::check::{Check, RefusedSignIn};
use tieout_domain::other_sync::OtherSync;
use tieout_domain::port::{
    Choice, Depth, Identity, Mark, Observed, Page, PageToken, Ports, Read, Ways, Whole, Write,
};
use tieout_domain::{Fault, Kind, Period, RemoteId, SystemId, Timestamp};
use tieout_kit::{ConnectError, Credential, Kit};

use crate::accounts::Accounts;
use crate::attachments::Attachments;
use crate::bills::Bills;
use crate::call::Client;
use crate::credit_applications::VendorCreditForm;
use crate::dimensions::{Dimensions, switched_off};
use crate::files::Printer;
use crate::form::Writer;
use crate::journals::JournalForm;
use crate::payments::Payments;
use crate::reader::{Reader, Source};
use crate::receivables;
use crate::settings::Settings;
use crate::subledger::ControlAccounts;
use crate::vendor_credits::VendorCredits;
use crate::vendor_payments::PaymentForm;
use crate::vendors::Vendors;

/// Makes the ports of one account. Sends nothing: the first call signs in.
pub(crate) fn connect(
    table: &Map<String, Value>,
    credential: Credential,
    kit: Kit,
) -> Result<Ports, ConnectError> {
    let settings = Settings::from_table(table)?;
    debug_assert!(!credential.fields.expose_secret().is_empty());
    let in_flight_max = settings.concurrency;
    let account = settings.account.as_str().to_owned();
    let subsidiary = settings.subsidiary.clone();
    let client = Arc::new(Client::new(settings, &credential, kit)?);
    let mut read: BTreeMap<Kind, Arc<dyn Read>> = BTreeMap::new();
    read.insert(Kind::Account, reader(&client, Accounts));
    for kind in Kind::DIMENSIONS {
        let reader = Reader::new(&client, Dimensions(kind));
        read.insert(kind, Arc::new(Axis(reader)));
    }
    read.insert(Kind::Vendor, reader(&client, Vendors));
    read.insert(Kind::Bill, reader(&client, Bills));
    read.insert(Kind::VendorCredit, reader(&client, VendorCredits));
    read.insert(Kind::Payment, reader(&client, Payments));
    read.extend(Attachments::of(&client).map(|files| (Kind::Attachment, files)));
    let mut write: BTreeMap<Kind, Arc<dyn Write>> = BTreeMap::new();
    write.extend([
        Writer::<PaymentForm>::port(&client),
        Writer::<JournalForm>::port(&client),
        Writer::<VendorCreditForm>::port(&client),
    ]);
    receivables::fill(&client, &mut read, &mut write);
    Ok(Ports {
        system: SystemId::new("netsuite"),
        whole: Arc::new(Account(Arc::clone(&client))),
        read,
        write,
        files: Printer::of(&client),
        subledger: Some(Arc::new(ControlAccounts::new(client))),
        ways: Ways::NONE,
        in_flight_max,
        key_prefix: "ns",
        account,
        subsidiary,
    })
}

pub(crate) fn reader<S: Source>(client: &Arc<Client>, source: S) -> Arc<dyn Read> {
    Arc::new(Reader::new(client, source))
}

/// A dimension that the account may have switched off.
struct Axis(Reader<Dimensions>);

#[async_trait]
impl Read for Axis {
    async fn page(
        &self,
        depth: Depth,
        mark: Option<&Mark>,
        token: Option<&PageToken>,
    ) -> Result<Page, Fault> {
        match self.0.page(depth, mark, token).await {
            Err(fault) if switched_off(&self.0.client, self.0.source.0, &fault).await => Ok(Page {
                mark: mark.cloned(),
                ..Page::default()
            }),
            other => other,
        }
    }

    async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Observed>, Fault> {
        self.0.fetch(ids).await
    }
}

/// The account as a whole.
struct Account(Arc<Client>);

#[async_trait]
impl Whole for Account {
    fn time_at(&self, uptime: Duration) -> Option<Timestamp> {
        self.0.wire.kit.far_clock.at(uptime)
    }

    async fn refusals(&self) -> usize {
        self.0.refusals.count(&self.0.wire.kit).await
    }

    /// Always asks: what was kept proves no sign-in.
    async fn ping(&self) -> Result<Identity, Fault> {
        let client = &self.0;
        let now = client.clock().await?;
        let shape = client.shape().await?;
        let settings = &client.settings;
        let mut details = vec![
            (
                "environment".to_owned(),
                settings.account.environment().to_owned(),
            ),
            ("sign-in".to_owned(), client.auth.title().to_owned()),
        ];
        let own = shape
            .subsidiaries
            .iter()
            .find(|s| Some(&s.id) == settings.subsidiary.as_ref());
        let name = own.map_or_else(|| settings.account.as_str().to_owned(), |s| s.name.clone());
        if let Some(id) = &settings.subsidiary {
            let label = own.map_or_else(|| id.to_string(), |own| format!("{id} {}", own.name));
            details.push(("subsidiary".to_owned(), label));
        }
        if !now.is_empty() {
            details.push(("account time".to_owned(), now));
        }
        Ok(Identity {
            name,
            id: settings.account.as_str().to_owned(),
            details,
        })
    }

    /// The subsidiaries that the role may see and that can have bills of their own.
    async fn choices(&self) -> Result<Vec<Choice>, Fault> {
        self.0.subsidiaries().await
    }

    async fn other_syncs(&self) -> Result<Vec<OtherSync>, Fault> {
        self.0.bundle_preferences().await
    }

    async fn examine(&self) -> Vec<Check> {
        self.0.examine().await
    }

    fn environment(&self) -> Option<&'static str> {
        Some(self.0.settings.account.environment())
    }

    async fn refused_sign_ins(&self) -> Result<Vec<RefusedSignIn>, Fault> {
        self.0.refused_sign_ins().await
    }

    fn explain_refusal(&self, seen: &[RefusedSignIn]) -> Option<Check> {
        self.0.explain_refusal(seen)
    }

    async fn other_sync(&self, since: Option<Timestamp>) -> Result<Option<String>, Fault> {
        self.0.other_sync(since).await
    }

    async fn periods(&self) -> Result<Vec<Period>, Fault> {
        self.0.periods().await
    }

    fn run_begins(&self) {
        self.0.forget_deletions();
    }
}
