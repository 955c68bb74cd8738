//! The record service: create or update by external id, change by id (README §Writing).

use std::collections::BTreeMap;

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tieout_domain::{Amount, Fault, RemoteId};

use crate::call::{Call, Client};
use crate::problem::Aim;

/// A record's fields on their way out: amounts are written digit by digit.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Body(BTreeMap<String, Box<RawValue>>);

/// `{"id":"12"}`.
pub(crate) fn reference(id: &RemoteId) -> Value {
    json!({"id": id.as_str()})
}

fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("a serialised value is JSON")
}

impl Body {
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), raw(value.to_string()));
    }

    pub(crate) fn amount(&mut self, name: &str, amount: Amount) {
        self.0.insert(name.to_owned(), raw(amount.to_string()));
    }

    /// A reference, if there is one.
    pub(crate) fn reference(&mut self, name: &str, id: Option<&RemoteId>) {
        if let Some(id) = id {
            self.set(name, reference(id));
        }
    }

    /// A text, if there is one.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.set(name, json!(text));
        }
    }

    /// A sublist: always the object `{"items": […]}`, a bare list is refused.
    pub(crate) fn items(&mut self, name: &str, items: Vec<Self>) {
        let items = BTreeMap::from([("items", items)]);
        let text = serde_json::to_string(&items).expect("raw values in a map serialise");
        self.0.insert(name.to_owned(), raw(text));
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn text_of(&self) -> String {
        serde_json::to_string(self).expect("raw values in a map serialise")
    }
}

impl Client {
    /// Creates or updates the record of this external id. The answer names its id if the service says it.
    pub(crate) async fn put_by_external_id(
        &self,
        record: &str,
        external_id: &str,
        replaces: Option<&'static str>,
        body: &Body,
    ) -> Result<Option<RemoteId>, Fault> {
        let external_id = utf8_percent_encode(external_id, crate::auth::RESERVED);
        let call = Call {
            method: Method::PUT,
            path: format!("/services/rest/record/v1/{record}/eid:{external_id}"),
            query: replaced(replaces),
            body: Some(body.text_of()),
            aim: Aim::Write,
        };
        let reply = self.send(&call).await?;
        let location = reply.headers.get(http::header::LOCATION);
        Ok(location
            .and_then(|value| value.to_str().ok())
            .and_then(id_at_the_end))
    }

    /// Changes a record. Fields that aren't given stay, and so do lines, unless their sublist is replaced.
    pub(crate) async fn patch(
        &self,
        record: &str,
        id: &RemoteId,
        replaces: Option<&'static str>,
        body: &Body,
    ) -> Result<(), Fault> {
        let id = utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC);
        let call = Call {
            method: Method::PATCH,
            path: format!("/services/rest/record/v1/{record}/{id}"),
            query: replaced(replaces),
            body: Some(body.text_of()),
            aim: Aim::Write,
        };
        self.send(&call).await.map(|_| ())
    }
}

fn replaced(sublist: Option<&'static str>) -> Vec<(&'static str, String)> {
    let parameter = sublist.map(|sublist| ("replace", sublist.to_owned()));
    parameter.into_iter().collect()
}

/// Addresses of records differ in case and host; the id is their last part.
fn id_at_the_end(location: &str) -> Option<RemoteId> {
    let path = location.split(['?', '#']).next()?;
    let last = path.trim_end_matches('/').rsplit('/').next()?;
    crate::suiteql::is_whole_number(last).then(|| RemoteId::new(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_exact_and_sublists_are_objects() {
        let mut item = Body::default();
        item.set("doc", reference(&"4001".into()));
        item.amount("amount", "1234567890123456.78".parse().unwrap());
        let mut body = Body::default();
        body.items("apply", vec![item]);
        body.text("memo", "");
        assert_eq!(
            body.text_of(),
            r#"{"apply":{"items":[{"amount":1234567890123456.78,"doc":{"id":"4001"}}]}}"#
        );
    }

    #[test]
    fn an_id_is_the_last_part_of_a_location() {
        let location = "https://h/services/rest/record/v1/vendorpayment/887470";
        assert_eq!(id_at_the_end(location), Some("887470".into()));
        assert_eq!(
            id_at_the_end("https://h/services/rest/record/v1/vendorPayment/eid:x"),
            None
        );
    }
}
