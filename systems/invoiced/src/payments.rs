//! Customer payments (README §Payments). What the service took itself is read; what came in elsewhere is recorded.
//! Nothing here ever charges anybody.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::document::{
    Charge, ChargeRefund, CustomerPayment, PaymentUse, ReceiptMethod, ReceiptStatus, UseOf,
};
use tieout_domain::port::Order;
use tieout_domain::{Amount, Document, Fault, MoneyError, RemoteId};
use tieout_kit::wire::Exact;

use crate::call::{Client, escaped};
use crate::days::Days;
use crate::documents::{given, marked};
use crate::list::{Room, Shelf};
use crate::wire::{Id, Metadata, currency, id, list, lower, reference, second, switch, text};
use crate::write::{Ending, Writable, by_mark, json, refused, wrong_kind};

/// Payments. Without the word, the service leaves out what they are applied to.
pub(crate) const PAYMENTS: Shelf = Shelf {
    path: "/payments",
    noun: "payment",
    include: "include=applied_to",
    of_customer: true,
};

/// Payments.
#[derive(Debug, Default)]
pub(crate) struct Payments;

/// A payment as Invoiced shows it, without whose card or account it came from.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    #[serde(default, deserialize_with = "reference")]
    customer: Option<RemoteId>,
    #[serde(default, deserialize_with = "second")]
    date: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    currency: String,
    amount: Exact,
    #[serde(default)]
    balance: Option<Exact>,
    #[serde(default, deserialize_with = "switch")]
    voided: bool,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, deserialize_with = "text")]
    method: String,
    #[serde(default, rename = "reference", deserialize_with = "text")]
    number: String,
    #[serde(default, deserialize_with = "text")]
    notes: String,
    #[serde(default)]
    charge: Option<ChargeShown>,
    #[serde(default)]
    applied_to: Option<Vec<Applied>>,
    #[serde(default)]
    metadata: Metadata,
}

/// A part of a payment.
#[derive(Debug, Deserialize)]
struct Applied {
    #[serde(default, rename = "type", deserialize_with = "text")]
    sort: String,
    amount: Exact,
    #[serde(default, deserialize_with = "text")]
    document_type: String,
    #[serde(default, deserialize_with = "reference")]
    invoice: Option<RemoteId>,
    #[serde(default, deserialize_with = "reference")]
    estimate: Option<RemoteId>,
    #[serde(default, deserialize_with = "reference")]
    credit_note: Option<RemoteId>,
}

/// Money that the service took itself.
#[derive(Debug, Deserialize)]
struct ChargeShown {
    #[serde(deserialize_with = "id")]
    id: RemoteId,
    #[serde(default, deserialize_with = "text")]
    gateway: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default)]
    amount_refunded: Option<Exact>,
    #[serde(default, deserialize_with = "list")]
    refunds: Vec<RefundShown>,
    #[serde(default, deserialize_with = "switch")]
    disputed: bool,
    #[serde(default, deserialize_with = "second")]
    updated_at: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct RefundShown {
    #[serde(deserialize_with = "id")]
    id: RemoteId,
    amount: Exact,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, deserialize_with = "second")]
    created_at: Option<i64>,
}

impl Applied {
    /// What this part is used for. A kind that nobody knows keeps the service's own word.
    fn part(&self) -> Result<PaymentUse, String> {
        let missing = |what: &str| format!("a part of the kind `{}` names no {what}", self.sort);
        let invoice = || self.invoice.clone().ok_or_else(|| missing("invoice"));
        let of_estimate = self.document_type == "estimate"
            || (self.document_type.is_empty() && self.invoice.is_none());
        let of = match self.sort.as_str() {
            "invoice" => UseOf::Invoice(invoice()?),
            "estimate" => {
                let estimate = self.estimate.clone();
                UseOf::Estimate(estimate.ok_or_else(|| missing("estimate"))?)
            }
            "credit_note" | "applied_credit" if of_estimate => {
                UseOf::Other(format!("{} on an estimate", self.sort))
            }
            "credit_note" => UseOf::CreditMemo {
                credit: self
                    .credit_note
                    .clone()
                    .ok_or_else(|| missing("credit note"))?,
                invoice: invoice()?,
            },
            "applied_credit" => UseOf::KeptCredit {
                invoice: invoice()?,
            },
            "credit" => UseOf::Credit,
            "convenience_fee" => UseOf::ConvenienceFee,
            other => UseOf::Other(other.to_owned()),
        };
        Ok(PaymentUse {
            of,
            amount: self.amount.0,
        })
    }
}

impl ChargeShown {
    fn charge(&self, days: &Days) -> Result<Charge, String> {
        if self.refunds.is_empty() && self.amount_refunded.is_some_and(|sum| !sum.0.is_zero()) {
            // Money went back, and nobody could say when.
            return Err(
                "`charge.amount_refunded` is set, and `charge.refunds` is empty".to_owned(),
            );
        }
        let refund = |refund: &RefundShown| {
            // One that doesn't tell its day changed the charge on that day, or before its last change.
            let created = refund.created_at.or(self.updated_at);
            let created = created.ok_or("a refund has no `created_at`")?;
            Ok(ChargeRefund {
                id: refund.id.clone(),
                amount: refund.amount.0,
                date: days.day(created, "charge.refunds.created_at")?,
                succeeded: refund.status == "succeeded",
            })
        };
        Ok(Charge {
            id: self.id.clone(),
            gateway: self.gateway.clone(),
            refunds: self
                .refunds
                .iter()
                .map(refund)
                .collect::<Result<_, String>>()?,
            disputed: self.disputed,
        })
    }
}

/// How the money came.
fn method(word: &str) -> ReceiptMethod {
    match word {
        "ach" => ReceiptMethod::Ach,
        "check" => ReceiptMethod::Check,
        "credit_card" => ReceiptMethod::Card,
        "cash" => ReceiptMethod::Cash,
        "wire_transfer" => ReceiptMethod::Wire,
        "direct_debit" => ReceiptMethod::DirectDebit,
        "paypal" => ReceiptMethod::PayPal,
        "" => ReceiptMethod::Other("other".to_owned()),
        other => ReceiptMethod::Other(other.to_owned()),
    }
}

/// The service's word for how money came. It takes none but its own.
fn method_word(method: &ReceiptMethod) -> &str {
    match method {
        ReceiptMethod::Ach => "ach",
        ReceiptMethod::Check => "check",
        ReceiptMethod::Card => "credit_card",
        ReceiptMethod::Cash => "cash",
        ReceiptMethod::Wire => "wire_transfer",
        ReceiptMethod::DirectDebit => "direct_debit",
        ReceiptMethod::PayPal => "paypal",
        ReceiptMethod::Other(word) if word == "eft" => "eft",
        ReceiptMethod::Other(_) => "other",
    }
}

impl Shown {
    /// Where it stands. A payment that was typed in has no status: it was received. A word that nobody knows is never
    /// taken for that. One whose charge failed is voided by the service, and has failed (scenario 188).
    fn status(&self) -> ReceiptStatus {
        let of_charge = self
            .charge
            .as_ref()
            .map_or("", |charge| charge.status.as_str());
        let word = Some(self.status.as_str()).filter(|word| !word.is_empty());
        match word.unwrap_or(of_charge) {
            _ if self.voided && of_charge == "failed" => ReceiptStatus::Failed,
            _ if self.voided => ReceiptStatus::Voided,
            "" if self.charge.is_none() => ReceiptStatus::Received,
            "succeeded" => ReceiptStatus::Received,
            "pending" => ReceiptStatus::Pending,
            "failed" => ReceiptStatus::Failed,
            "voided" => ReceiptStatus::Voided,
            other => ReceiptStatus::Other(other.to_owned()),
        }
    }

    fn payment(&self, days: &Days) -> Result<CustomerPayment, String> {
        let too_large = |error: MoneyError| format!("`applied_to`: {error}");
        let applied = self.applied_to.as_ref().ok_or("`applied_to` is missing")?;
        let uses: Vec<PaymentUse> = applied
            .iter()
            .map(Applied::part)
            .collect::<Result<_, _>>()?;
        let cash = uses.iter().filter(|part| part.of.is_cash());
        let cash = Amount::total(cash.map(|part| part.amount)).map_err(too_large)?;
        let unapplied = match self.balance {
            Some(balance) => balance.0,
            None => self.amount.0.minus(cash).map_err(too_large)?,
        };
        Ok(CustomerPayment {
            customer: self.customer.clone(),
            number: self.number.clone(),
            date: days.day(self.date.ok_or("`date` is missing")?, "date")?,
            currency: currency(&self.currency)?.ok_or("`currency` is missing")?,
            total: self.amount.0,
            unapplied,
            uses,
            method: method(&self.method),
            status: self.status(),
            charge: self
                .charge
                .as_ref()
                .map(|charge| charge.charge(days))
                .transpose()?,
            kept_in: None,
            receivables_account: None,
            subsidiary: None,
            period: None,
            memo: self.notes.clone(),
            marker: self.metadata.marker(),
            external_id: None,
        })
    }
}

/// The JSON of a creation or of a change; what isn't in it is left as it is.
#[derive(Debug, Default, Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Exact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_to: Option<Vec<PartWritten<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize)]
struct PartWritten<'a> {
    #[serde(rename = "type")]
    sort: &'static str,
    amount: Exact,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_note: Option<Id<'a>>,
}

impl<'a> PartWritten<'a> {
    fn new(part: &'a PaymentUse) -> Result<Self, Fault> {
        let mut written = Self {
            sort: "invoice",
            amount: Exact(part.amount),
            document_type: None,
            invoice: part.of.invoice().map(Id),
            estimate: None,
            credit_note: None,
        };
        match &part.of {
            UseOf::Invoice(_) => {}
            UseOf::CreditMemo { credit, .. } => {
                written.sort = "credit_note";
                written.document_type = Some("invoice");
                written.credit_note = Some(Id(credit));
            }
            UseOf::KeptCredit { .. } => {
                written.sort = "applied_credit";
                written.document_type = Some("invoice");
            }
            UseOf::Credit => written.sort = "credit",
            UseOf::ConvenienceFee => written.sort = "convenience_fee",
            UseOf::Estimate(estimate) => {
                written.sort = "estimate";
                written.estimate = Some(Id(estimate));
            }
            UseOf::JournalEntry { .. } => return Err(unfit_use("journal entry")),
            UseOf::Other(word) => return Err(unfit_use(word)),
        }
        Ok(written)
    }
}

fn unfit_use(word: &str) -> Fault {
    let cause = format!("Invoiced: a payment can't be used for `{word}` from here");
    refused(Code::new("refused-there"), "applied_to", cause)
}

fn payment(document: &Document) -> Result<&CustomerPayment, Fault> {
    if let Document::CustomerPayment(payment) = document {
        Ok(payment)
    } else {
        Err(wrong_kind(document))
    }
}

/// What it is used for, as it is written: parts of nothing are left out.
fn parts(payment: &CustomerPayment) -> Result<Vec<PartWritten<'_>>, Fault> {
    let cash = payment.uses.iter().filter(|part| part.of.is_cash());
    let cash = Amount::total(cash.map(|part| part.amount));
    if cash.and_then(|cash| cash.plus(payment.unapplied)) != Ok(payment.total) {
        let cause = format!(
            "Invoiced: payment {} of {} can't be recorded: what it is used for and what is left don't add up to it",
            payment.label(),
            payment.total.of(payment.currency)
        );
        return Err(refused(Code::new("refused-there"), "applied_to", cause));
    }
    let used = payment.uses.iter().filter(|part| !part.amount.is_zero());
    used.map(PartWritten::new).collect()
}

/// Uses in a form that compares.
pub(crate) fn used(payment: &CustomerPayment) -> Vec<&PaymentUse> {
    let mut used: Vec<_> = payment
        .uses
        .iter()
        .filter(|part| !part.amount.is_zero())
        .collect();
    used.sort();
    used
}

impl Room for Payments {
    type Shown = Shown;

    fn shelf(&self) -> &'static Shelf {
        &PAYMENTS
    }

    fn document(&self, client: &Client, shown: &Shown) -> Result<Document, String> {
        let payment = shown.payment(&client.settings.days)?;
        Ok(Document::CustomerPayment(payment))
    }
}

impl Writable for Payments {
    fn creation(&self, client: &Client, wanted: &Document) -> Result<String, Fault> {
        let wanted = payment(wanted)?;
        let cash = Some(wanted.total).filter(|total| !total.is_zero());
        json(&Written {
            customer: wanted.customer.as_ref().map(Id),
            // Where only credits are used, there is no cash.
            amount: cash.map(Exact),
            currency: Some(lower(wanted.currency)),
            date: Some(client.settings.days.second(wanted.date)),
            method: Some(method_word(&wanted.method)),
            reference: given(&wanted.number),
            notes: given(&wanted.memo),
            applied_to: Some(parts(wanted)?),
            metadata: marked(&Metadata::default(), wanted.marker.as_ref(), PAYMENTS.noun)?,
        })
    }

    fn made(&self, wanted: &Document, shown: &Shown) -> bool {
        payment(wanted).is_ok_and(|wanted| {
            let customer = wanted.customer.is_none() || wanted.customer == shown.customer;
            customer
                && wanted.total == shown.amount.0
                && wanted.number.trim() == shown.number.trim()
                && (wanted.marker.is_none() || wanted.marker == shown.metadata.marker())
        })
    }

    fn amendment(
        &self,
        client: &Client,
        wanted: &Document,
        there: &Document,
        shown: &Shown,
    ) -> Result<Option<String>, Fault> {
        let (wanted, there) = (payment(wanted)?, payment(there)?);
        if there.charge.is_some()
            && (wanted.total, wanted.currency) != (there.total, there.currency)
        {
            let cause = format!(
                "Invoiced: payment {} was taken by Invoiced itself: its amount can't be changed",
                there.label()
            );
            return Err(refused(Code::new("irreversible"), "amount", cause));
        }
        let text = |wanted: &'_ str, there: &str| wanted.trim() != there.trim();
        let moves = used(wanted) != used(there) || wanted.total != there.total;
        let written = Written {
            customer: wanted
                .customer
                .as_ref()
                .filter(|customer| Some(*customer) != there.customer.as_ref())
                .map(Id),
            amount: (wanted.total != there.total).then_some(Exact(wanted.total)),
            date: (wanted.date != there.date).then(|| client.settings.days.second(wanted.date)),
            method: Some(method_word(&wanted.method))
                .filter(|word| *word != method_word(&there.method)),
            reference: text(&wanted.number, &there.number).then(|| wanted.number.trim()),
            notes: text(&wanted.memo, &there.memo).then(|| wanted.memo.trim()),
            applied_to: moves.then(|| parts(wanted)).transpose()?,
            metadata: marked(&shown.metadata, wanted.marker.as_ref(), PAYMENTS.noun)?,
            ..Written::default()
        };
        let body = json(&written)?;
        Ok((body != "{}").then_some(body))
    }

    /// Deleting a payment voids it.
    fn ending(&self) -> Option<Ending> {
        Some(Ending::Delete)
    }

    fn may_end(&self, there: &Document) -> Result<(), Fault> {
        let there = payment(there)?;
        if there.charge.is_none() {
            return Ok(());
        }
        // Real money has moved: giving it back is a person's decision, made at Invoiced.
        let cause = format!(
            "Invoiced: payment {} was taken by Invoiced itself and is not voided from here",
            there.label()
        );
        Err(refused(Code::new("irreversible"), "", cause))
    }

    fn search(&self, order: &Order) -> Vec<String> {
        let customer = order.document.customer();
        let of_customer =
            customer.map(|id| format!("filter%5Bcustomer%5D={}", escaped(id.as_str())));
        // By its mark, wherever it is; by its customer among what was made lately.
        by_mark(order).or(of_customer).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn read(fields: &str) -> Result<CustomerPayment, String> {
        let json = format!(
            r#"{{"customer":15444,"date":1415228628,"currency":"usd","amount":800,"balance":50,"voided":false,
                "method":"check","reference":"1001","charge":null,"metadata":[]{fields}}}"#
        );
        let shown: Shown = serde_json::from_str(&json).map_err(|error| error.to_string())?;
        shown.payment(&Days::of(TimeZone::UTC))
    }

    #[test]
    fn s181_every_part_of_a_payment_is_told_apart() {
        let payment = read(
            r#","applied_to":[{"type":"invoice","invoice":44648,"amount":700},
               {"type":"credit_note","credit_note":5,"document_type":"invoice","invoice":{"id":44649},"amount":10},
               {"type":"applied_credit","document_type":"invoice","invoice":44650,"amount":20},
               {"type":"credit","amount":30},{"type":"convenience_fee","amount":"20.00"},
               {"type":"estimate","estimate":9,"amount":0},
               {"type":"applied_credit","document_type":"estimate","estimate":9,"amount":1},
               {"type":"gift","amount":1}]"#,
        )
        .unwrap();
        let uses: Vec<UseOf> = payment.uses.iter().map(|part| part.of.clone()).collect();
        assert_eq!(
            uses,
            [
                UseOf::Invoice("44648".into()),
                UseOf::CreditMemo {
                    credit: "5".into(),
                    invoice: "44649".into()
                },
                UseOf::KeptCredit {
                    invoice: "44650".into()
                },
                UseOf::Credit,
                UseOf::ConvenienceFee,
                UseOf::Estimate("9".into()),
                UseOf::Other("applied_credit on an estimate".to_owned()),
                UseOf::Other("gift".to_owned()),
            ]
        );
        assert_eq!(payment.unapplied.to_string(), "50");
        assert_eq!(payment.number, "1001");
        // Nobody may take "not asked for" for "not applied".
        assert!(read("").unwrap_err().contains("applied_to"));
        assert!(read(r#","applied_to":[{"type":"invoice","amount":7}]"#).is_err());
    }

    #[test]
    fn where_a_payment_stands_is_never_guessed() {
        let of = |fields: &str| read(&format!(",\"applied_to\":[]{fields}")).unwrap().status;
        assert_eq!(of(""), ReceiptStatus::Received);
        assert_eq!(of(r#","status":"pending""#), ReceiptStatus::Pending);
        assert_eq!(of(r#","status":"failed""#), ReceiptStatus::Failed);
        assert_eq!(
            of(r#","status":"held""#),
            ReceiptStatus::Other("held".to_owned())
        );
        let charged = |fields: &str| {
            let json = format!(
                r#"{{"date":1,"currency":"usd","amount":8,"applied_to":[],"charge":{{"id":7,"gateway":"stripe"{fields}}}}}"#
            );
            let shown: Shown = serde_json::from_str(&json).unwrap();
            shown.payment(&Days::of(TimeZone::UTC))
        };
        let of = |fields: &str| charged(fields).unwrap().status;
        assert_eq!(of(r#","status":"succeeded""#), ReceiptStatus::Received);
        assert_eq!(of(r#","status":"pending""#), ReceiptStatus::Pending);
        assert_eq!(of(""), ReceiptStatus::Other(String::new()));
        // Refunds and disputes (scenarios 189 and 190).
        let refunded = charged(
            r#","status":"succeeded","disputed":true,"amount_refunded":3,
               "refunds":[{"id":1,"amount":3,"status":"succeeded","created_at":86400},
                          {"id":2,"amount":1,"status":"failed","created_at":86400}]"#,
        )
        .unwrap()
        .charge
        .unwrap();
        assert!(
            refunded.disputed && refunded.refunds[0].succeeded && !refunded.refunds[1].succeeded
        );
        assert_eq!(refunded.refunds[0].date.to_string(), "1970-01-02");
        assert!(charged(r#","status":"succeeded","amount_refunded":3,"refunds":[]"#).is_err());
    }

    #[test]
    fn s188_a_payment_whose_charge_failed_has_failed_though_the_service_voids_it() {
        let json = r#"{"customer":1,"date":1,"currency":"usd","amount":8,"voided":true,"applied_to":[],
            "charge":{"id":7,"gateway":"stripe","status":"failed"}}"#;
        let shown: Shown = serde_json::from_str(json).unwrap();
        let payment = shown.payment(&Days::of(TimeZone::UTC)).unwrap();
        assert_eq!(payment.status, ReceiptStatus::Failed);
    }

    #[test]
    fn s192_a_voided_payment_is_voided_whatever_else_it_says() {
        let json = r#"{"customer":1,"date":1,"currency":"usd","amount":8,"balance":0,"voided":true,
            "status":"succeeded","applied_to":[]}"#;
        let shown: Shown = serde_json::from_str(json).unwrap();
        assert_eq!(shown.status(), ReceiptStatus::Voided);
    }

    #[test]
    fn methods_come_back_as_they_were_sent() {
        for word in [
            "ach",
            "cash",
            "check",
            "credit_card",
            "eft",
            "direct_debit",
            "other",
            "paypal",
            "wire_transfer",
        ] {
            assert_eq!(method_word(&method(word)), word);
        }
        assert_eq!(method("cheque").as_str(), "cheque");
        assert_eq!(method_word(&method("cheque")), "other");
    }
}
