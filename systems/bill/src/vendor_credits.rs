//! Vendor credits (README §Vendor credits). An archived one can never be restored, so none is archived
//! here (scenario 52).

use async_trait::async_trait;
use http::Method;
use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::document::{Application, BillStatus, VendorCredit};
use tieout_domain::{Amount, Currency, Date, Document, Fault, RemoteId};
use tieout_kit::wire::Exact;

use crate::call::Client;
use crate::currencies::{Valued, evident, rate_told, valued};
use crate::list::{Room, Shelf};
use crate::text::{description, memo_and_marker};
use crate::wire::{self, Head, LineShown, LineWritten, day, reference, under_their_ids};
use crate::write::{Writable, json, refused, wrong_kind};

const VENDOR_CREDITS: Shelf = Shelf {
    path: "/v3/vendor-credits",
    noun: "vendor credit",
    wrapped: "vendorCredits",
    bulk_max: 50,
    by_change: false,
    archives: true,
    restores: false,
};

/// Vendor credits.
#[derive(Debug, Default)]
pub(crate) struct VendorCredits;

/// A vendor credit as BILL shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    vendor_id: String,
    #[serde(default, deserialize_with = "wire::text")]
    reference_number: String,
    credit_date: String,
    #[serde(default, deserialize_with = "wire::text")]
    description: String,
    #[serde(default, deserialize_with = "wire::list")]
    vendor_credit_line_items: Vec<LineShown>,
    #[serde(default, deserialize_with = "wire::text")]
    apply_to_chart_of_account_id: String,
    #[serde(default)]
    amount: Option<Exact>,
    #[serde(default)]
    applied_amount: Option<Exact>,
    #[serde(default)]
    funding_amount: Option<Exact>,
    #[serde(default)]
    exchange_rate: Option<Exact>,
    #[serde(default, deserialize_with = "wire::text")]
    status: String,
    #[serde(default, deserialize_with = "wire::text")]
    approval_status: String,
    #[serde(default, deserialize_with = "wire::list")]
    usage: Vec<Usage>,
    #[serde(default)]
    archived: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(default, deserialize_with = "wire::text")]
    bill_id: String,
    amount: Exact,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    vendor_id: &'a RemoteId,
    reference_number: &'a str,
    credit_date: Date,
    description: String,
    vendor_credit_line_items: Vec<LineWritten>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apply_to_chart_of_account_id: Option<&'a RemoteId>,
}

fn credit(document: &Document) -> Result<&VendorCredit, Fault> {
    if let Document::VendorCredit(credit) = document {
        Ok(credit)
    } else {
        Err(wrong_kind(document))
    }
}

fn written(credit: &VendorCredit, lines: Vec<LineWritten>) -> Result<String, Fault> {
    if Amount::total(credit.lines.iter().map(|line| line.amount)) != Ok(credit.total) {
        let cause = format!(
            "BILL: vendor credit `{}` has lines whose sum is not its total",
            credit.number
        );
        return Err(refused(
            Code::new("refused-there"),
            "vendorCreditLineItems",
            cause,
        ));
    }
    json(&Written {
        vendor_id: &credit.vendor,
        reference_number: &credit.number,
        credit_date: credit.date,
        description: description(&credit.memo, credit.marker.as_ref()),
        vendor_credit_line_items: lines,
        apply_to_chart_of_account_id: credit.payables_account.as_ref(),
    })
}

impl Shown {
    fn credit(&self, currency: Currency) -> Result<VendorCredit, String> {
        let lines = wire::lines(&self.vendor_credit_line_items)?;
        let total = wire::total(self.amount, &lines)?;
        let applied = match self.applied_amount {
            Some(applied) => applied.0,
            None => Amount::total(self.usage.iter().map(|usage| usage.amount.0))
                .map_err(|error| error.to_string())?,
        };
        let mut applications: Vec<Application> = Vec::new();
        for usage in &self.usage {
            let Some(document) = reference(&usage.bill_id) else {
                continue;
            };
            let place = applications
                .iter()
                .position(|known| known.document == document);
            if let Some(place) = place {
                let sum = applications[place].amount.plus(usage.amount.0);
                applications[place].amount = sum.map_err(|error| error.to_string())?;
            } else {
                let amount = usage.amount.0;
                applications.push(Application {
                    document,
                    line: None,
                    amount,
                    discount: Amount::ZERO,
                    credits: Vec::new(),
                });
            }
        }
        let (memo, marker) = memo_and_marker(&self.description);
        Ok(VendorCredit {
            vendor: reference(&self.vendor_id).ok_or("`vendorId` is empty")?,
            number: self.reference_number.clone(),
            transaction_number: String::new(),
            date: day(&self.credit_date, "creditDate")?,
            currency,
            exchange_rate: rate_told(currency, self.exchange_rate),
            payables_account: reference(&self.apply_to_chart_of_account_id),
            subsidiary: None,
            period: None,
            lines,
            total,
            open: total.minus(applied).map_err(|error| error.to_string())?,
            applications,
            status: match self.status.as_str() {
                _ if self.archived == Some(true) => BillStatus::Archived,
                "FULLY_APPLIED" => BillStatus::Paid,
                "NOT_APPLIED" | "PARTIALLY_APPLIED" | "IN_PROCESS" => BillStatus::Open,
                other => BillStatus::Other(other.to_owned()),
            },
            approval: wire::approval(&self.approval_status),
            memo,
            marker,
            external_id: None,
        })
    }
}

impl Valued for Shown {
    fn evident_currency(&self) -> Option<Currency> {
        evident(self.amount, self.funding_amount, self.exchange_rate)
    }

    fn vendor_id(&self) -> &str {
        &self.vendor_id
    }

    fn document(&self, _head: &Head, currency: Currency) -> Result<Document, String> {
        self.credit(currency).map(Document::VendorCredit)
    }
}

#[async_trait]
impl Room for VendorCredits {
    type Shown = Shown;

    fn shelf(&self) -> &Shelf {
        &VENDOR_CREDITS
    }

    async fn documents(
        &self,
        client: &Client,
        shown: &[(Head, Shown)],
    ) -> Result<Vec<Result<Document, String>>, Fault> {
        valued(client, shown).await
    }
}

impl Writable for VendorCredits {
    fn creation(&self, wanted: &Document) -> Result<String, Fault> {
        let wanted = credit(wanted)?;
        written(
            wanted,
            wanted
                .lines
                .iter()
                .map(|line| LineWritten::new(line, None))
                .collect(),
        )
    }

    fn made(&self, wanted: &Document, shown: &Shown) -> bool {
        let Ok(wanted) = credit(wanted) else {
            return false;
        };
        let (_, marker) = memo_and_marker(&shown.description);
        wanted.vendor.as_str() == shown.vendor_id
            && wanted.number == shown.reference_number
            && wire::may_total(shown.amount, &shown.vendor_credit_line_items, wanted.total)
            && wanted.marker == marker
    }

    fn amendment(
        &self,
        wanted: &Document,
        there: &Document,
    ) -> Result<Option<(Method, String)>, Fault> {
        let (wanted, there) = (credit(wanted)?, credit(there)?);
        let (lines, patch) = under_their_ids(&wanted.lines, &there.lines);
        let method = if patch { Method::PATCH } else { Method::PUT };
        Ok(Some((method, written(wanted, lines)?)))
    }
}
