//! Customers (README §Customers). How they pay is neither read nor written.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::document::{Address, Customer};
use tieout_domain::port::Order;
use tieout_domain::{Document, Fault, RemoteId};

use crate::call::Client;
use crate::documents::{given, marked};
use crate::list::{Room, Shelf};
use crate::wire::{Id, Metadata, currency, lower, reference, switch, text};
use crate::write::{Ending, Writable, by_number, json, refused, wrong_kind};

/// Customers.
pub(crate) const CUSTOMERS: Shelf = Shelf {
    path: "/customers",
    noun: "customer",
    include: "",
    of_customer: false,
};

/// The word for a customer who is a person.
const PERSON: &str = "person";

/// Customers.
#[derive(Debug, Default)]
pub(crate) struct Customers;

/// A customer as Invoiced shows it, without what is nobody's business here.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    number: String,
    #[serde(default, rename = "type", deserialize_with = "text")]
    sort: String,
    #[serde(default, deserialize_with = "text")]
    email: String,
    #[serde(default, deserialize_with = "text")]
    phone: String,
    #[serde(default, deserialize_with = "text")]
    address1: String,
    #[serde(default, deserialize_with = "text")]
    address2: String,
    #[serde(default, deserialize_with = "text")]
    city: String,
    #[serde(default, deserialize_with = "text")]
    state: String,
    #[serde(default, deserialize_with = "text")]
    postal_code: String,
    #[serde(default, deserialize_with = "text")]
    country: String,
    #[serde(default, deserialize_with = "text")]
    currency: String,
    #[serde(default, deserialize_with = "text")]
    payment_terms: String,
    #[serde(default, deserialize_with = "reference")]
    parent_customer: Option<RemoteId>,
    #[serde(default, deserialize_with = "switch")]
    autopay: bool,
    #[serde(default, deserialize_with = "switch")]
    chase: bool,
    #[serde(default)]
    metadata: Metadata,
}

/// The JSON of a creation or of a change; what isn't in it is left as it is.
#[derive(Debug, Default, Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    sort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(flatten)]
    address: AddressWritten<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_terms: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_customer: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    autopay: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chase: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Serialize)]
struct AddressWritten<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address1: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
}

/// A text that differs, where it does.
fn differing<'a>(wanted: &'a str, there: &str) -> Option<&'a str> {
    let wanted = wanted.trim();
    (wanted != there.trim()).then_some(wanted)
}

impl<'a> AddressWritten<'a> {
    /// The parts that differ from what is there. An address that the ledger doesn't know is left alone.
    fn new(wanted: Option<&'a Address>, there: Option<&Address>) -> Self {
        let nothing = Address::default();
        let there = there.unwrap_or(&nothing);
        let Some(wanted) = wanted else {
            return Self::default();
        };
        Self {
            address1: differing(&wanted.line1, &there.line1),
            address2: differing(&wanted.line2, &there.line2),
            city: differing(&wanted.city, &there.city),
            state: differing(&wanted.state, &there.state),
            postal_code: differing(&wanted.zip, &there.zip),
            country: differing(&wanted.country, &there.country),
        }
    }
}

impl Shown {
    fn address(&self) -> Option<Address> {
        let address = Address {
            line1: self.address1.clone(),
            line2: self.address2.clone(),
            city: self.city.clone(),
            state: self.state.clone(),
            zip: self.postal_code.clone(),
            country: self.country.clone(),
        };
        (address != Address::default()).then_some(address)
    }

    /// First and last name of a person: Invoiced keeps them as one.
    fn person(&self) -> Option<(String, String)> {
        if self.sort != PERSON {
            return None;
        }
        let name = self.name.trim();
        let (first, last) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
        Some((first.to_owned(), last.trim().to_owned()))
    }
}

fn customer(document: &Document) -> Result<&Customer, Fault> {
    if let Document::Customer(customer) = document {
        Ok(customer)
    } else {
        Err(wrong_kind(document))
    }
}

fn name(customer: &Customer) -> Result<&str, Fault> {
    given(&customer.name).ok_or_else(|| {
        let cause = "Invoiced: a customer without a name can't be written".to_owned();
        refused(Code::new("refused-there"), "name", cause)
    })
}

impl Room for Customers {
    type Shown = Shown;

    fn shelf(&self) -> &'static Shelf {
        &CUSTOMERS
    }

    fn document(&self, client: &Client, shown: &Shown) -> Result<Document, String> {
        Ok(Document::Customer(Customer {
            name: shown.name.clone(),
            number: shown.number.clone(),
            person: shown.person(),
            email: shown.email.clone(),
            phone: shown.phone.clone(),
            address: shown.address(),
            currency: currency(&shown.currency)?,
            terms: client.named_terms(&shown.payment_terms),
            parent: shown.parent_customer.clone(),
            subsidiaries: Vec::new(),
            // The service documents no archive of customers.
            inactive: false,
            automatic_payment: shown.autopay,
            reminders: shown.chase,
            marker: shown.metadata.marker(),
            external_id: None,
        }))
    }
}

impl Writable for Customers {
    /// Neither charged nor reminded by itself until somebody at Invoiced says so (scenario 200).
    fn creation(&self, _: &Client, wanted: &Document) -> Result<String, Fault> {
        let wanted = customer(wanted)?;
        let address = AddressWritten::new(wanted.address.as_ref(), None);
        json(&Written {
            name: Some(name(wanted)?),
            number: given(&wanted.number),
            sort: Some(wanted.person.as_ref().map_or("company", |_| PERSON)),
            email: given(&wanted.email),
            phone: given(&wanted.phone),
            address,
            currency: wanted.currency.map(lower),
            payment_terms: wanted.terms.as_ref().map(RemoteId::as_str),
            parent_customer: wanted.parent.as_ref().map(Id),
            autopay: Some(false),
            chase: Some(false),
            metadata: marked(&Metadata::default(), wanted.marker.as_ref(), CUSTOMERS.noun)?,
        })
    }

    fn made(&self, wanted: &Document, shown: &Shown) -> bool {
        customer(wanted).is_ok_and(|wanted| {
            let number = wanted.number.trim();
            wanted.name.trim() == shown.name.trim()
                && (number.is_empty() || number == shown.number.trim())
                && (wanted.marker.is_none() || wanted.marker == shown.metadata.marker())
        })
    }

    /// Only what differs is sent: everything else is the service's people's own.
    fn amendment(
        &self,
        _: &Client,
        wanted: &Document,
        there: &Document,
        shown: &Shown,
    ) -> Result<Option<String>, Fault> {
        let (wanted, there) = (customer(wanted)?, customer(there)?);
        let mut written = Written {
            number: differing(&wanted.number, &there.number).filter(|number| !number.is_empty()),
            email: differing(&wanted.email, &there.email),
            phone: differing(&wanted.phone, &there.phone),
            address: AddressWritten::new(wanted.address.as_ref(), there.address.as_ref()),
            currency: wanted
                .currency
                .filter(|currency| Some(*currency) != there.currency)
                .map(lower),
            payment_terms: wanted
                .terms
                .as_ref()
                .filter(|terms| Some(*terms) != there.terms.as_ref())
                .map(RemoteId::as_str),
            parent_customer: wanted
                .parent
                .as_ref()
                .filter(|parent| Some(*parent) != there.parent.as_ref())
                .map(Id),
            metadata: marked(&shown.metadata, wanted.marker.as_ref(), CUSTOMERS.noun)?,
            ..Written::default()
        };
        if differing(&wanted.name, &there.name).is_some() {
            written.name = Some(name(wanted)?);
        }
        let body = json(&written)?;
        Ok((body != "{}").then_some(body))
    }

    /// A customer is never deleted from here.
    fn ending(&self) -> Option<Ending> {
        None
    }

    fn search(&self, order: &Order) -> Vec<String> {
        by_number(order)
    }
}
