//! What invoices and credit memos have in common (README §Invoices, §Credit memos).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::document::{InvoiceStatus, SalesLine};
use tieout_domain::{Amount, Currency, Date, Fault, Marker, RemoteId};
use tieout_kit::wire::Exact;

use crate::days::Days;
use crate::lines::{
    LineShown, LineWritten, LinesWritten, PartShown, PartWritten, lines, projected,
};
use crate::wire::{Id, Metadata, currency, list, lower, reference, second, switch, text};
use crate::write::{json, refused};

/// An invoice or a credit memo as Invoiced shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    #[serde(default, deserialize_with = "reference")]
    pub(crate) customer: Option<RemoteId>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) number: String,
    #[serde(default, deserialize_with = "text")]
    currency: String,
    #[serde(default, deserialize_with = "switch")]
    draft: bool,
    #[serde(default, deserialize_with = "switch")]
    closed: bool,
    #[serde(default, deserialize_with = "switch")]
    paid: bool,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, deserialize_with = "second")]
    date: Option<i64>,
    #[serde(default, deserialize_with = "second")]
    due_date: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) payment_terms: String,
    #[serde(default, deserialize_with = "text")]
    pub(crate) purchase_order: String,
    #[serde(default, deserialize_with = "list")]
    items: Vec<LineShown>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) notes: String,
    #[serde(default, deserialize_with = "list")]
    discounts: Vec<PartShown>,
    #[serde(default, deserialize_with = "list")]
    taxes: Vec<PartShown>,
    pub(crate) total: Exact,
    pub(crate) balance: Exact,
    #[serde(default)]
    pub(crate) metadata: Metadata,
}

impl Shown {
    pub(crate) fn customer(&self) -> Result<RemoteId, String> {
        let missing = || "`customer` is missing".to_owned();
        self.customer.clone().ok_or_else(missing)
    }

    pub(crate) fn currency(&self) -> Result<Currency, String> {
        currency(&self.currency)?.ok_or_else(|| "`currency` is missing".to_owned())
    }

    pub(crate) fn date(&self, days: &Days) -> Result<Date, String> {
        days.day(self.date.ok_or("`date` is missing")?, "date")
    }

    pub(crate) fn due(&self, days: &Days) -> Result<Option<Date>, String> {
        let due = self.due_date.map(|second| days.day(second, "due_date"));
        due.transpose()
    }

    pub(crate) fn lines(&self) -> Result<Vec<SalesLine>, String> {
        lines(&self.items, &self.discounts, &self.taxes)
    }

    /// Where it stands. The status decides and never the balance, which a voided one keeps; what is closed is never
    /// taken for paid (scenario 199).
    pub(crate) fn status(&self) -> InvoiceStatus {
        match self.status.as_str() {
            "voided" => InvoiceStatus::Voided,
            "draft" => InvoiceStatus::Draft,
            "paid" => InvoiceStatus::Paid,
            _ if self.draft => InvoiceStatus::Draft,
            "" if self.paid => InvoiceStatus::Paid,
            "closed" => InvoiceStatus::WrittenOff,
            _ if self.closed && !self.paid => InvoiceStatus::WrittenOff,
            "pending" => InvoiceStatus::PaymentPending,
            "not_sent" | "sent" | "viewed" | "past_due" | "open" => InvoiceStatus::Open,
            other => InvoiceStatus::Other(other.to_owned()),
        }
    }
}

/// What of an invoice or a credit memo is written, whichever it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) noun: &'static str,
    pub(crate) customer: &'a RemoteId,
    pub(crate) number: &'a str,
    pub(crate) date: Date,
    pub(crate) due: Option<Date>,
    pub(crate) terms: Option<&'a RemoteId>,
    pub(crate) currency: Currency,
    pub(crate) lines: &'a [SalesLine],
    pub(crate) total: Amount,
    pub(crate) memo: &'a str,
    pub(crate) purchase_order: &'a str,
    pub(crate) marker: Option<&'a Marker>,
}

/// The JSON of a creation or of a change; what isn't in it is left as it is.
#[derive(Debug, Default, Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_terms: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase_order: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<LineWritten<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discounts: Option<Vec<PartWritten>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    taxes: Option<Vec<PartWritten>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calculate_taxes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    draft: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    autopay: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
}

/// A text that is worth writing.
pub(crate) fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// The metadata with the mark.
///
/// # Errors
/// [`Fault::Refused`] where others have filled it.
pub(crate) fn marked(
    there: &Metadata,
    marker: Option<&Marker>,
    noun: &str,
) -> Result<Option<Box<RawValue>>, Fault> {
    let Some(marker) = marker else {
        return Ok(None);
    };
    if there.marker().as_ref() == Some(marker) {
        return Ok(None);
    }
    there.marked(marker).map(Some).ok_or_else(|| {
        let cause = format!(
            "Invoiced: the metadata of this {noun} has no room for `netsuite_id` and `netsuite_account`: ten keys are \
             the most"
        );
        refused(Code::new("metadata-full"), "metadata", cause)
    })
}

impl<'a> Wanted<'a> {
    /// The JSON that makes it. `invoice` tells whether it is one: what keeps the service from charging or mailing by
    /// itself is an invoice's alone (scenario 200).
    ///
    /// # Errors
    /// [`Fault::Refused`] for a document that Invoiced can't hold.
    pub(crate) fn creation(&self, days: &Days, invoice: bool) -> Result<String, Fault> {
        let quiet = invoice.then_some(());
        let lines = self.lines(&[])?;
        json(&Written {
            customer: Some(Id(self.customer)),
            number: given(self.number),
            currency: Some(lower(self.currency)),
            date: Some(days.second(self.date)),
            due_date: self.due.map(|due| days.second(due)),
            payment_terms: self.terms.map(RemoteId::as_str),
            purchase_order: given(self.purchase_order),
            notes: given(self.memo),
            items: Some(lines.items),
            discounts: Some(lines.discounts),
            taxes: Some(lines.taxes),
            calculate_taxes: Some(false),
            draft: Some(false),
            autopay: quiet.map(|()| false),
            sent: quiet.map(|()| true),
            metadata: marked(&Metadata::default(), self.marker, self.noun)?,
        })
    }

    /// The JSON that changes what is there into what is wanted; `None` if nothing is left to write.
    ///
    /// # Errors
    /// As [`creation`](Self::creation).
    pub(crate) fn amendment(
        &self,
        days: &Days,
        there: &Wanted<'a>,
        shown: &Shown,
    ) -> Result<Option<String>, Fault> {
        if (self.customer, self.currency) != (there.customer, there.currency) {
            let cause = format!(
                "Invoiced: {} {} can't be given to another customer or another currency",
                self.noun, self.number
            );
            return Err(refused(Code::new("refused-there"), "customer", cause));
        }
        let differs = |wanted: &'a str, there: &str| {
            let wanted = wanted.trim();
            (wanted != there.trim()).then_some(wanted)
        };
        let mut written = Written {
            number: differs(self.number, there.number).filter(|number| !number.is_empty()),
            date: (self.date != there.date).then(|| days.second(self.date)),
            due_date: self
                .due
                .filter(|due| Some(*due) != there.due)
                .map(|due| days.second(due)),
            payment_terms: self
                .terms
                .filter(|terms| Some(*terms) != there.terms)
                .map(RemoteId::as_str),
            purchase_order: differs(self.purchase_order, there.purchase_order),
            notes: differs(self.memo, there.memo),
            metadata: marked(&shown.metadata, self.marker, self.noun)?,
            ..Written::default()
        };
        if projected(self.lines) != projected(there.lines) {
            let lines = self.lines(there.lines)?;
            written.items = Some(lines.items);
            written.discounts = Some(lines.discounts);
            written.taxes = Some(lines.taxes);
            written.calculate_taxes = Some(false);
        }
        let body = json(&written)?;
        Ok((body != "{}").then_some(body))
    }

    /// Whether this is what its creation made.
    pub(crate) fn is(&self, shown: &Shown) -> bool {
        shown.customer.as_ref() == Some(self.customer)
            && (self.number.trim().is_empty() || self.number.trim() == shown.number.trim())
            && shown.currency() == Ok(self.currency)
            && (self.marker.is_none() || shown.metadata.marker().as_ref() == self.marker)
    }

    fn lines(&self, there: &'a [SalesLine]) -> Result<LinesWritten<'a>, Fault> {
        let sum = Amount::total(self.lines.iter().map(|line| line.amount));
        if sum == Ok(self.total) {
            return Ok(LinesWritten::new(self.lines, there));
        }
        // Invoiced would take the sum of the lines for the total.
        let cause = format!(
            "Invoiced: {} {} has lines whose sum is not its total of {}",
            self.noun,
            self.number,
            self.total.of(self.currency)
        );
        Err(refused(Code::new("refused-there"), "items", cause))
    }

    /// What of it compares.
    pub(crate) fn projected(&self) -> serde_json::Value {
        serde_json::json!([
            self.customer,
            self.number.trim(),
            self.date,
            self.due,
            self.terms,
            self.currency,
            self.memo.trim(),
            self.purchase_order.trim(),
            projected(self.lines),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(fields: &str) -> InvoiceStatus {
        let json = format!(r#"{{"customer":1,"total":51.15,"balance":51.15,{fields}}}"#);
        serde_json::from_str::<Shown>(&json).unwrap().status()
    }

    #[test]
    fn s199_what_is_closed_or_voided_is_never_taken_for_paid() {
        let other = |word: &str| InvoiceStatus::Other(word.to_owned());
        for (fields, wanted) in [
            (
                r#""status":"voided","paid":false,"closed":false"#,
                InvoiceStatus::Voided,
            ),
            (
                r#""status":"past_due","closed":true"#,
                InvoiceStatus::WrittenOff,
            ),
            (
                r#""status":"closed","closed":true"#,
                InvoiceStatus::WrittenOff,
            ),
            (
                r#""status":"paid","paid":true,"closed":true"#,
                InvoiceStatus::Paid,
            ),
            (r#""status":"not_sent","draft":false"#, InvoiceStatus::Open),
            (r#""status":"open""#, InvoiceStatus::Open),
            (r#""status":"pending""#, InvoiceStatus::PaymentPending),
            (r#""status":"not_sent","draft":true"#, InvoiceStatus::Draft),
            (r#""status":"disputed""#, other("disputed")),
            (r#""paid":true"#, InvoiceStatus::Paid),
            (r#""paid":false"#, other("")),
        ] {
            assert_eq!(status(fields), wanted, "{fields}");
        }
    }
}
