//! Customers (README §Customers). How they pay is neither read nor written.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::document::{Address, Customer};
use tieout_domain::port::{Action, Order};
use tieout_domain::{Document, Fault, Marker};
use tieout_kit::wire::escaped;

use crate::call::Client;
use crate::capabilities::Capability;
use crate::list::{Again, Room, Shelf};
use crate::wire::{Head, text};
use crate::write::{Writable, differing, given, json, refused, wrong_kind};

/// Customers.
pub(crate) const CUSTOMERS: Shelf = Shelf {
    path: "/customers",
    noun: "customer",
};

/// The status of what was archived.
pub(crate) const ARCHIVED: &str = "archived";

/// Customers.
#[derive(Debug, Default)]
pub(crate) struct Customers;

/// A customer as the service shows it, without what is nobody's business here.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    email: String,
    #[serde(default, deserialize_with = "text")]
    pub(crate) external_id: String,
    #[serde(default, deserialize_with = "text")]
    street_address: String,
    #[serde(default, deserialize_with = "text")]
    sub_premise: String,
    #[serde(default, deserialize_with = "text")]
    city: String,
    #[serde(default, deserialize_with = "text")]
    state: String,
    #[serde(default, deserialize_with = "text")]
    postal_code: String,
    #[serde(default, deserialize_with = "text")]
    country: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, deserialize_with = "text")]
    archived_at: String,
}

/// The JSON of a creation or of a change; what isn't in it is left as it is.
#[derive(Debug, Default, Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    street_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_premise: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
}

impl<'a> Written<'a> {
    /// With the parts of the address that differ. An address that the ledger doesn't know is left alone.
    fn at(self, wanted: Option<&'a Address>, there: Option<&Address>) -> Self {
        let nothing = Address::default();
        let there = there.unwrap_or(&nothing);
        let Some(wanted) = wanted else {
            return self;
        };
        Self {
            street_address: differing(&wanted.line1, &there.line1),
            sub_premise: differing(&wanted.line2, &there.line2),
            city: differing(&wanted.city, &there.city),
            state: differing(&wanted.state, &there.state),
            postal_code: differing(&wanted.zip, &there.zip),
            country: differing(&wanted.country, &there.country),
            ..self
        }
    }
}

impl Shown {
    fn address(&self) -> Option<Address> {
        let address = Address {
            line1: self.street_address.clone(),
            line2: self.sub_premise.clone(),
            city: self.city.clone(),
            state: self.state.clone(),
            zip: self.postal_code.clone(),
            country: self.country.clone(),
        };
        (address != Address::default()).then_some(address)
    }

    fn marker(&self) -> Option<Marker> {
        Marker::find_in(&self.external_id)
    }
}

fn customer(document: &Document) -> Result<&Customer, Fault> {
    match document {
        Document::Customer(customer) => Ok(customer),
        _ => Err(wrong_kind(document)),
    }
}

fn name(customer: &Customer) -> Result<&str, Fault> {
    given(&customer.name).ok_or_else(|| {
        let cause = "Alternative Payments: a customer without a name can't be written".to_owned();
        refused(Code::new("refused-there"), "name", cause)
    })
}

/// What of a customer compares.
pub(crate) fn projected(customer: &Customer) -> serde_json::Value {
    let nothing = Address::default();
    let a = customer.address.as_ref().unwrap_or(&nothing);
    let address = [&a.line1, &a.line2, &a.city, &a.state, &a.zip, &a.country];
    serde_json::json!([
        customer.name.trim(),
        customer.email.trim(),
        address.map(|part| part.trim()),
    ])
}

#[async_trait]
impl Room for Customers {
    type Shown = Shown;
    type Beside = ();

    fn shelf(&self) -> &'static Shelf {
        &CUSTOMERS
    }

    fn again(&self) -> Again {
        Again::InTurn
    }

    async fn beside(&self, _: &Client, _: &[(Head, Shown)]) -> Result<(), Fault> {
        Ok(())
    }

    fn document(&self, _: &Client, _: &Head, shown: &Shown, (): &()) -> Result<Document, String> {
        Ok(Document::Customer(Customer {
            name: shown.name.clone(),
            // The service numbers no customers.
            number: String::new(),
            person: None,
            email: shown.email.clone(),
            phone: String::new(),
            address: shown.address(),
            currency: None,
            terms: None,
            parent: None,
            subsidiaries: Vec::new(),
            inactive: shown.status == ARCHIVED || !shown.archived_at.is_empty(),
            automatic_payment: false,
            reminders: false,
            marker: shown.marker(),
            external_id: None,
        }))
    }
}

#[async_trait]
impl Writable for Customers {
    /// A customer is never archived from here (README §Writing).
    fn takes(&self, client: &Client, action: Action) -> bool {
        match action {
            Action::Create => true,
            Action::Amend => client.settings.has(Capability::AmendCustomers),
            Action::Archive | Action::Restore | Action::Void => false,
        }
    }

    fn creation(&self, _: &Client, wanted: &Document) -> Result<String, Fault> {
        let wanted = customer(wanted)?;
        let written = Written {
            name: Some(name(wanted)?),
            email: given(&wanted.email),
            external_id: wanted.marker.as_ref().map(Marker::to_string),
            ..Written::default()
        };
        json(&written.at(wanted.address.as_ref(), None))
    }

    fn made(&self, _: &Client, wanted: &Document, shown: &Shown) -> bool {
        customer(wanted).is_ok_and(|wanted| {
            wanted.name.trim() == shown.name.trim()
                && (wanted.marker.is_none() || wanted.marker == shown.marker())
        })
    }

    /// Only what differs is sent: everything else is the service's people's own.
    fn amendment(
        &self,
        _: &Client,
        wanted: &Document,
        there: &Document,
        _: &Shown,
    ) -> Result<Option<String>, Fault> {
        let (wanted, there) = (customer(wanted)?, customer(there)?);
        let marked = wanted.marker.is_none() || wanted.marker == there.marker;
        let mut written = Written {
            email: differing(&wanted.email, &there.email),
            external_id: wanted
                .marker
                .as_ref()
                .filter(|_| !marked)
                .map(Marker::to_string),
            ..Written::default()
        }
        .at(wanted.address.as_ref(), there.address.as_ref());
        if differing(&wanted.name, &there.name).is_some() {
            written.name = Some(name(wanted)?);
        }
        let body = json(&written)?;
        Ok((body != "{}").then_some(body))
    }

    /// No filter finds by the external id, so it is looked for among those of the name.
    fn search(&self, _: &Client, order: &Order) -> Vec<String> {
        let named = customer(&order.document).ok();
        let named = named.and_then(|customer| given(&customer.name));
        let filter = named.map(|name| format!("company_name={}", escaped(name)));
        filter.into_iter().collect()
    }
}
