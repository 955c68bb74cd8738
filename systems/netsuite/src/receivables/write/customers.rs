//! Customers on their way out: made under their external id, and changed field by field.

use serde_json::json;
use tieout_domain::document::{Address, Customer};
use tieout_domain::port::Action;
use tieout_domain::{Document, Fault};

use super::super::customers::Customers;
use super::{changed_reference, changed_text, fits};
use crate::call::Client;
use crate::form::Form;
use crate::probe::Shape;
use crate::records::{Body, reference};

/// Customers, as they are written.
pub(crate) struct CustomerForm;

impl Form for CustomerForm {
    type Document = Customer;
    type Source = Customers;

    const SOURCE: Customers = Customers;
    const RECORD: &'static str = "customer";
    const ACTIONS: &'static [Action] = &[Action::Create, Action::Amend];
    const REPLACES: Option<&'static str> = Some("addressBook");
    /// Entities share one list of names.
    const UNIQUE_NAME: bool = true;

    fn of(document: &Document) -> Option<&Customer> {
        match document {
            Document::Customer(found) => Some(found),
            _ => None,
        }
    }

    fn body(client: &Client, shape: &Shape, customer: &Customer) -> Result<Body, Fault> {
        let mut body = Body::default();
        body.text("entityId", &customer.number);
        match &customer.person {
            Some((first, last)) => {
                body.set("isPerson", json!(true));
                body.text("firstName", first);
                body.text("lastName", last);
            }
            None => {
                body.set("isPerson", json!(false));
                body.text("companyName", &customer.name);
            }
        }
        body.text("email", &customer.email);
        body.text("phone", &customer.phone);
        let subsidiary = customer
            .subsidiaries
            .first()
            .or(client.settings.subsidiary.as_ref());
        body.reference("subsidiary", subsidiary);
        if let Some(currency) = customer.currency {
            body.set("currency", reference(shape.need_currency(currency)?));
        }
        body.reference("terms", customer.terms.as_ref());
        body.reference("parent", customer.parent.as_ref());
        if let Some(address) = &customer.address {
            body.items("addressBook", vec![entry(address)]);
        }
        Ok(body)
    }

    fn same(there: &Customer, wanted: &Customer) -> bool {
        let text = |there: &str, wanted: &str| wanted.is_empty() || there == wanted;
        there.name == wanted.name
            && text(&there.number, &wanted.number)
            && text(&there.email, &wanted.email)
            && text(&there.phone, &wanted.phone)
            && fits(there.terms.as_ref(), wanted.terms.as_ref())
            && fits(there.parent.as_ref(), wanted.parent.as_ref())
            && fits(there.address.as_ref(), wanted.address.as_ref())
            && there.inactive == wanted.inactive
    }

    fn names(customer: &Customer) -> Vec<String> {
        [&customer.number, &customer.name]
            .into_iter()
            .filter(|name| !name.is_empty())
            .cloned()
            .collect()
    }

    /// What a person may edit beside is not looked at: only what would be overwritten counts.
    fn unchanged(there: &Customer, expected: &Customer) -> bool {
        let of = |customer: &Customer| {
            (
                customer.name.clone(),
                customer.email.clone(),
                customer.phone.clone(),
                customer.terms.clone(),
                customer.parent.clone(),
                customer.address.clone(),
                customer.inactive,
            )
        };
        of(there) == of(expected)
    }

    fn difference(
        there: &Customer,
        _expected: Option<&Customer>,
        wanted: &Customer,
    ) -> Result<Body, Fault> {
        let mut body = Body::default();
        if there.person != wanted.person || there.name != wanted.name {
            match &wanted.person {
                Some((first, last)) => {
                    body.set("firstName", json!(first));
                    body.set("lastName", json!(last));
                }
                None => body.set("companyName", json!(wanted.name)),
            }
        }
        if there.person.is_some() != wanted.person.is_some() {
            body.set("isPerson", json!(wanted.person.is_some()));
        }
        if !wanted.number.is_empty() {
            changed_text(&mut body, "entityId", &there.number, &wanted.number);
        }
        changed_text(&mut body, "email", &there.email, &wanted.email);
        changed_text(&mut body, "phone", &there.phone, &wanted.phone);
        let (old, new) = (there.terms.as_ref(), wanted.terms.as_ref());
        changed_reference(&mut body, "terms", old, new);
        let (old, new) = (there.parent.as_ref(), wanted.parent.as_ref());
        changed_reference(&mut body, "parent", old, new);
        if there.inactive != wanted.inactive {
            body.set("isInactive", json!(wanted.inactive));
        }
        // Addresses that are there stay: the new one becomes the one for bills.
        if let Some(address) = &wanted.address
            && there.address.as_ref() != Some(address)
        {
            body.items("addressBook", vec![entry(address)]);
        }
        Ok(body)
    }
}

/// The entry of an address book that bills go to.
fn entry(address: &Address) -> Body {
    let lines = [
        ("addr1", &address.line1),
        ("addr2", &address.line2),
        ("city", &address.city),
        ("state", &address.state),
        ("zip", &address.zip),
    ];
    let mut fields = serde_json::Map::new();
    for (name, text) in lines {
        if !text.is_empty() {
            fields.insert(name.to_owned(), json!(text));
        }
    }
    if !address.country.is_empty() {
        let country = tieout_domain::RemoteId::new(&address.country);
        fields.insert("country".to_owned(), reference(&country));
    }
    let mut entry = Body::default();
    entry.set("defaultBilling", json!(true));
    entry.set("addressBookAddress", json!(fields));
    entry
}
