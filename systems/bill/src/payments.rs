//! Payments: those that BILL makes are read, those made elsewhere are recorded (README §Payments).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method as Verb;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::document::{
    Application, CreditUse, Funding, Method, Payment, PaymentStatus, Void, VoidKind,
};
use tieout_domain::port::{Action, Answer, Observed, Order, Receipt, Write};
use tieout_domain::{Amount, Currency, Date, Document, Fault, Key, RemoteId, Timestamp};
use tieout_kit::wire::Exact;

use crate::call::{Client, not_sent, parse};
use crate::currencies::{Valued, evident, valued};
use crate::list::{Room, Shelf, by_id, by_ids, made_since, observe, one};
use crate::problem::Effect;
use crate::text::{DESCRIPTION_MAX, cut, last4, without_card_numbers};
use crate::wire::{self, Head, day, reference};
use crate::write::{cannot, json, refused, shown_of, target, wrong_kind};

const PAYMENTS: Shelf = Shelf {
    path: "/v3/payments",
    noun: "payment",
    wrapped: "payments",
    bulk_max: 1,
    by_change: false,
    archives: false,
    restores: false,
};

/// Payments.
#[derive(Debug, Default)]
pub(crate) struct Payments;

/// A payment as BILL shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    vendor_id: String,
    #[serde(default, deserialize_with = "wire::text")]
    bill_id: String,
    #[serde(default, deserialize_with = "wire::list")]
    bill_payments: Vec<BillPayment>,
    amount: Exact,
    #[serde(default)]
    funding_amount: Option<Exact>,
    #[serde(default)]
    exchange_rate: Option<Exact>,
    #[serde(default, deserialize_with = "clean")]
    description: String,
    #[serde(default, deserialize_with = "wire::text")]
    process_date: String,
    #[serde(default)]
    funding_account: Option<FundingShown>,
    #[serde(default, deserialize_with = "clean")]
    transaction_number: String,
    #[serde(default, deserialize_with = "clean")]
    confirmation_number: String,
    #[serde(default, deserialize_with = "wire::text")]
    status: String,
    #[serde(default, deserialize_with = "wire::text")]
    single_status: String,
    #[serde(default, deserialize_with = "wire::text")]
    disbursement_type: String,
    #[serde(default)]
    online_payment: Option<bool>,
    #[serde(default, deserialize_with = "clean")]
    sync_reference: String,
    #[serde(default, deserialize_with = "wire::list")]
    void_info: Vec<VoidShown>,
    #[serde(default)]
    disbursement_info: Option<Disbursement>,
    #[serde(default)]
    classifications: Option<wire::Classifications>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BillPayment {
    #[serde(default, deserialize_with = "wire::text")]
    bill_id: String,
    #[serde(default)]
    amount: Option<Exact>,
    #[serde(default, deserialize_with = "wire::list")]
    vendor_credits: Vec<CreditShown>,
}

#[derive(Debug, Deserialize)]
struct CreditShown {
    #[serde(default, deserialize_with = "wire::text")]
    id: String,
    amount: Exact,
}

#[derive(Debug, Deserialize)]
struct FundingShown {
    #[serde(default, rename = "type", deserialize_with = "wire::text")]
    funding_type: String,
    #[serde(default, deserialize_with = "wire::text")]
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VoidShown {
    #[serde(default, rename = "type", deserialize_with = "wire::text")]
    void_type: String,
    #[serde(default, deserialize_with = "wire::text")]
    status: String,
    #[serde(default, deserialize_with = "wire::text")]
    created_time: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Disbursement {
    #[serde(default)]
    check_disbursement: Option<CheckShown>,
    #[serde(default)]
    ach_disbursement: Option<Trace>,
    #[serde(default)]
    rpps_disbursement: Option<Trace>,
    #[serde(default)]
    vcard_disbursement: Option<Card>,
    #[serde(default)]
    wallet_disbursement: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    international_disbursement: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CheckShown {
    #[serde(default, deserialize_with = "clean")]
    check_number: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    #[serde(default, deserialize_with = "clean")]
    trace_number: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    #[serde(default, deserialize_with = "card_end", rename = "last4CardNumber")]
    last4: String,
}

/// Cut while it is parsed, so that no more than four digits ever exist in a value (scenario 101).
fn card_end<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    wire::text(deserializer).map(|text| last4(&text))
}

/// A text without card numbers.
fn clean<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    wire::text(deserializer).map(|text| without_card_numbers(&text))
}

/// Where a payment stands (README §Payment statuses). A word that isn't known is never taken for paid.
fn status(single: &str, coarse: &str, outside: bool) -> PaymentStatus {
    match (single, coarse) {
        // Approval comes before everything the fine status speaks of.
        ("" | "SCHEDULED" | "UNDEFINED", "APPROVING") => PaymentStatus::Approving,
        ("SCHEDULED", _) => PaymentStatus::Scheduled,
        ("READY_TO_FUND" | "FUNDING_STARTED", _) => PaymentStatus::Funding,
        ("PROCESSED" | "SENT" | "DELIVERED", _) => PaymentStatus::Processed,
        ("CLEARED", _) => PaymentStatus::Cleared,
        ("DISBURSEMENT_ON_HOLD", _) => PaymentStatus::OnHold,
        ("VOID_PENDING" | "CANCELLATION_IN_PROGRESS", _) => PaymentStatus::VoidPending,
        ("CANCELED" | "CANCELLED", _) => PaymentStatus::Canceled,
        ("VOIDED" | "VOID", _) => PaymentStatus::Voided,
        ("FUNDING_FAILED_VOIDED", _) => PaymentStatus::FundingFailedVoided,
        ("FUNDING_FAILED_ACTION_NEEDED", _) => PaymentStatus::FundingFailedOwed,
        ("DISBURSEMENT_FAILED_ACTION_NEEDED" | "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED", _) => {
            PaymentStatus::Returned
        }
        ("EXPIRING", _) => PaymentStatus::Expiring,
        ("FUNDS_ESCHEATED", _) => PaymentStatus::Escheated,
        // A payment made elsewhere has no life of its own at BILL; older ones have the coarse word only.
        ("", coarse) => coarse_status(coarse),
        ("UNDEFINED", coarse) if outside => coarse_status(coarse),
        (other, _) => PaymentStatus::Other(other.to_owned()),
    }
}

fn coarse_status(word: &str) -> PaymentStatus {
    match word {
        "APPROVING" => PaymentStatus::Approving,
        "SCHEDULED" => PaymentStatus::Scheduled,
        "PAID" => PaymentStatus::Processed,
        "VOID" | "VOIDED" => PaymentStatus::Voided,
        "CANCELLED" | "CANCELED" => PaymentStatus::Canceled,
        other => PaymentStatus::Other(other.to_owned()),
    }
}

/// The day in BILL's own time zone, US Pacific, by the rules in force since 2007.
fn pacific_day(moment: Timestamp) -> Date {
    TimeZone::posix("PST8PDT,M3.2.0,M11.1.0")
        .map_or_else(
            |_| moment.to_zoned(TimeZone::UTC),
            |zone| moment.to_zoned(zone),
        )
        .date()
}

impl Shown {
    fn outside(&self) -> bool {
        self.online_payment == Some(false)
    }

    fn method(&self) -> Method {
        let info = self.disbursement_info.as_ref();
        match self.disbursement_type.as_str() {
            "ACH" => Method::Ach,
            "CHECK" => Method::Check,
            "VIRTUAL_CARD" => Method::VirtualCard,
            "INTERNATIONAL_E_PAYMENT" => Method::International,
            "RPPS" => Method::Rpps,
            "WALLET" => Method::Wallet,
            "OFFLINE" => Method::Offline,
            "" | "UNDEFINED" if self.outside() => Method::Offline,
            "" | "UNDEFINED" => match info {
                Some(info) if info.check_disbursement.is_some() => Method::Check,
                Some(info) if info.ach_disbursement.is_some() => Method::Ach,
                Some(info) if info.vcard_disbursement.is_some() => Method::VirtualCard,
                Some(info) if info.rpps_disbursement.is_some() => Method::Rpps,
                Some(info) if info.wallet_disbursement.is_some() => Method::Wallet,
                Some(info) if info.international_disbursement.is_some() => Method::International,
                _ => Method::Other(self.disbursement_type.clone()),
            },
            other => Method::Other(other.to_owned()),
        }
    }

    fn applications(&self) -> Result<Vec<Application>, String> {
        if self.bill_payments.is_empty() {
            let single = reference(&self.bill_id).map(|document| Application {
                document,
                line: None,
                amount: self.amount.0,
                discount: Amount::ZERO,
                credits: Vec::new(),
            });
            return Ok(single.into_iter().collect());
        }
        let application = |part: &BillPayment| {
            let credits = part
                .vendor_credits
                .iter()
                .map(|credit| {
                    let id = reference(&credit.id).ok_or("a credit used in it has no `id`")?;
                    Ok(CreditUse {
                        credit: id,
                        amount: credit.amount.0,
                    })
                })
                .collect::<Result<Vec<_>, String>>()?;
            let amount = match part.amount {
                Some(amount) => amount.0,
                None if !credits.is_empty() => Amount::ZERO,
                None => return Err("a part of it has no `amount`".to_owned()),
            };
            let document = reference(&part.bill_id).ok_or("a part of it has no `billId`")?;
            Ok(Application {
                document,
                line: None,
                amount,
                discount: Amount::ZERO,
                credits,
            })
        };
        self.bill_payments.iter().map(application).collect()
    }

    fn void(&self) -> Option<Void> {
        let last = self
            .void_info
            .iter()
            .max_by(|a, b| a.created_time.cmp(&b.created_time))?;
        Some(Void {
            void_kind: match last.void_type.as_str() {
                "VOID_ONLY" | "VOID_AND_CREDIT" => VoidKind::Credit,
                "VOID_AND_REISSUE" | "VOID_AND_REISSUE_VCARD" => VoidKind::Reissue,
                other => VoidKind::Other(other.to_owned()),
            },
            accepted: last.status == "ACCEPTED",
            rejected: last.status == "REJECTED",
        })
    }

    fn payment(&self, head: &Head, currency: Currency) -> Result<Payment, String> {
        let info = self.disbursement_info.as_ref();
        let check = info.and_then(|info| info.check_disbursement.as_ref());
        let traces = info.map(|info| [&info.rpps_disbursement, &info.ach_disbursement]);
        let trace = traces
            .into_iter()
            .flatten()
            .filter_map(|trace| trace.as_ref().map(|trace| trace.trace_number.as_str()))
            .find(|number| !number.is_empty());
        let card = info.and_then(|info| info.vcard_disbursement.as_ref());
        let status = status(&self.single_status, &self.status, self.outside());
        // BILL tells no day of clearing. The day of the change that shows it cleared is the best there is.
        let cleared = (status == PaymentStatus::Cleared).then(|| head.updated().map(pacific_day));
        Ok(Payment {
            vendor: reference(&self.vendor_id).ok_or("`vendorId` is empty")?,
            number: self.transaction_number.clone(),
            date: day(&self.process_date, "processDate")?,
            currency,
            total: self.amount.0,
            funded: self
                .funding_amount
                .filter(|_| currency != Currency::USD)
                .map(|dollars| dollars.0.of(Currency::USD)),
            applications: self.applications()?,
            method: self.method(),
            status,
            outside: self.outside(),
            reference: self.sync_reference.clone(),
            funding: self.funding_account.as_ref().and_then(|account| {
                let id = reference(&account.id)?;
                Some(Funding {
                    funding_kind: account.funding_type.clone(),
                    id,
                })
            }),
            check_number: check
                .map(|check| check.check_number.clone())
                .unwrap_or_default(),
            confirmation: trace.unwrap_or(&self.confirmation_number).to_owned(),
            card_last4: card.map(|card| card.last4.clone()).unwrap_or_default(),
            cleared: cleared.flatten(),
            void: self.void(),
            account: self
                .classifications
                .as_ref()
                .and_then(|parts| reference(&parts.chart_of_account_id)),
            payables_account: None,
            subsidiary: None,
            period: None,
            department: None,
            class: None,
            location: None,
            memo: self.description.clone(),
            posted: true,
            external_id: None,
        })
    }
}

impl Shown {
    /// Whether it may be what was recorded under this key: an answer need not repeat the key.
    fn is_marked(&self, key: &Key) -> bool {
        self.sync_reference.is_empty() || self.sync_reference == key.as_str()
    }
}

impl Valued for Shown {
    fn evident_currency(&self) -> Option<Currency> {
        evident(Some(self.amount), self.funding_amount, self.exchange_rate)
    }

    fn vendor_id(&self) -> &str {
        &self.vendor_id
    }

    fn document(&self, head: &Head, currency: Currency) -> Result<Document, String> {
        self.payment(head, currency).map(Document::Payment)
    }
}

#[async_trait]
impl Room for Payments {
    type Shown = Shown;

    fn shelf(&self) -> &Shelf {
        &PAYMENTS
    }

    async fn documents(
        &self,
        client: &Client,
        shown: &[(Head, Shown)],
    ) -> Result<Vec<Result<Document, String>>, Fault> {
        valued(client, shown).await
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    vendor_id: &'a RemoteId,
    process_date: Date,
    to_print_check: bool,
    payments: Vec<PartWritten<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classifications: Option<AccountWritten<'a>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    sync_reference: &'a str,
    allow_export: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartWritten<'a> {
    bill_id: &'a RemoteId,
    amount: Exact,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vendor_credits: Vec<CreditWritten<'a>>,
}

#[derive(Serialize)]
struct CreditWritten<'a> {
    id: &'a RemoteId,
    amount: Exact,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountWritten<'a> {
    chart_of_account_id: &'a RemoteId,
}

#[derive(Serialize)]
struct VoidWritten<'a> {
    #[serde(rename = "type")]
    void_type: &'a str,
    reason: String,
}

/// The JSON that records a payment made elsewhere, under its key.
fn record(payment: &Payment, key: &Key) -> Result<String, Fault> {
    let cash = Amount::total(payment.applications.iter().map(|part| part.amount));
    if cash != Ok(payment.total) || payment.applications.is_empty() {
        let cause = format!(
            "BILL: payment {} of {} can't be recorded: what it pays doesn't add up to it",
            payment.label(),
            payment.total.of(payment.currency)
        );
        return Err(refused(Code::new("refused-there"), "payments", cause));
    }
    json(&Record {
        vendor_id: &payment.vendor,
        process_date: payment.date,
        to_print_check: false,
        payments: payment.applications.iter().map(part_written).collect(),
        classifications: payment
            .account
            .as_ref()
            .map(|chart_of_account_id| AccountWritten {
                chart_of_account_id,
            }),
        description: cut(payment.memo.trim(), DESCRIPTION_MAX),
        sync_reference: key.as_str(),
        // BILL's own sync must not send it back to where it came from.
        allow_export: false,
    })
}

fn part_written(part: &Application) -> PartWritten<'_> {
    PartWritten {
        bill_id: &part.document,
        amount: Exact(part.amount),
        vendor_credits: part
            .credits
            .iter()
            .map(|used| CreditWritten {
                id: &used.credit,
                amount: Exact(used.amount),
            })
            .collect(),
    }
}

/// Records payments made elsewhere, and voids what was recorded. Never moves money.
pub(crate) struct PaymentWriter {
    pub(crate) client: Arc<Client>,
}

impl PaymentWriter {
    async fn record(&self, order: &Order) -> Result<Receipt, Fault> {
        let Document::Payment(payment) = &order.document else {
            return Err(wrong_kind(&order.document));
        };
        let body = record(payment, &order.key)?;
        let what = format!("recording payment {}", payment.label());
        let path = "/v3/bills/record-payment";
        let bytes = self
            .client
            .write(&Verb::POST, path, Some(&body), &what)
            .await?;
        let raw: Box<RawValue> = parse(&bytes, Effect::Write, &what)?;
        let head: Head = parse(raw.get().as_bytes(), Effect::Write, &what)?;
        let shown: Shown = parse(raw.get().as_bytes(), Effect::Write, &what)?;
        if reference(&shown.vendor_id).as_ref() != Some(&payment.vendor)
            || shown.amount.0 != payment.total
            || !shown.is_marked(&order.key)
        {
            return Err(Fault::Unknown {
                cause: format!(
                    "BILL: {what}: the answer holds another payment, `{}`",
                    head.id
                ),
            });
        }
        Ok(self.receipt(RemoteId::from(head.id), raw).await)
    }

    async fn void(&self, order: &Order) -> Result<Receipt, Fault> {
        let id = target(order, PAYMENTS.noun)?;
        let raw = by_id(&self.client, &PAYMENTS, id.as_str()).await;
        let raw = raw.map_err(not_sent)?;
        let mut sight = observe(&self.client, &Payments, &[raw]).await?;
        let Some(there) = sight.observed.pop() else {
            let why = sight
                .unreadable
                .pop()
                .map(|(_, why)| why)
                .unwrap_or_default();
            let cause = format!("BILL: payment {id} can't be read: {why}");
            return Err(Fault::Drift {
                code: Code::new("drift"),
                cause,
            });
        };
        let Document::Payment(payment) = &there.document else {
            return Err(wrong_kind(&there.document));
        };
        let pending = payment.void.as_ref().is_some_and(|void| !void.rejected);
        let ended = matches!(
            payment.status,
            PaymentStatus::Voided | PaymentStatus::VoidPending | PaymentStatus::Canceled
        );
        if pending || ended {
            return Ok(Receipt {
                id: id.clone(),
                observed: Some(there),
                adopted: true,
            });
        }
        if !payment.outside {
            // Real money is on its way: stopping it is a person's decision, made in BILL.
            let cause = format!(
                "BILL: payment {} ({id}) was made by BILL itself and is not voided from here",
                payment.label()
            );
            return Err(refused(Code::new("irreversible"), "", cause));
        }
        let body = json(&VoidWritten {
            void_type: "VOID_ONLY",
            reason: format!("Voided in the ledger ({})", order.key),
        })?;
        let what = format!("voiding payment {}", payment.label());
        let path = format!("{}/void", one(&PAYMENTS, id.as_str()));
        let bytes = self
            .client
            .write(&Verb::POST, &path, Some(&body), &what)
            .await?;
        if bytes.is_empty() {
            return Ok(Receipt {
                id: id.clone(),
                observed: None,
                adopted: false,
            });
        }
        let raw = shown_of(&bytes, id, PAYMENTS.noun)?;
        Ok(self.receipt(id.clone(), raw).await)
    }

    /// The receipt of what was done, with what the service showed if it can be read as a payment.
    async fn receipt(&self, id: RemoteId, raw: Box<RawValue>) -> Receipt {
        let sight = observe(&self.client, &Payments, &[raw])
            .await
            .unwrap_or_default();
        let observed = sight
            .observed
            .into_iter()
            .find(|observed| observed.id == id);
        Receipt {
            id,
            observed,
            adopted: false,
        }
    }
}

#[async_trait]
impl Write for PaymentWriter {
    fn bulk_max(&self, _action: Action) -> usize {
        1
    }

    fn repeatable(&self, _action: Action) -> bool {
        false
    }

    fn settle(&self) -> Duration {
        self.client.settings.settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(orders.len());
        for order in orders {
            let done = match order.action {
                Action::Create => self.record(order).await,
                Action::Void => self.void(order).await,
                Action::Amend | Action::Archive | Action::Restore => {
                    Err(cannot(PAYMENTS.noun, order.action))
                }
            };
            answers.push(done.map_or_else(Answer::Failed, Answer::Applied));
        }
        answers
    }

    async fn candidates(&self, orders: &[Order], since: Timestamp) -> Result<Vec<Observed>, Fault> {
        let targets: Vec<RemoteId> = orders.iter().filter_map(|o| o.target.clone()).collect();
        let mut raws = by_ids(&self.client, &PAYMENTS, &targets).await?;
        if orders.iter().any(|order| order.target.is_none()) {
            raws.extend(made_since(&self.client, &PAYMENTS, Vec::new(), since).await?);
        }
        let sight = observe(&self.client, &Payments, &raws).await?;
        match sight.unreadable.into_iter().next() {
            None => Ok(sight.observed),
            Some((id, why)) => Err(Fault::Drift {
                code: Code::new("drift"),
                cause: format!("BILL: payment {id} can't be read: {why}"),
            }),
        }
    }
}
