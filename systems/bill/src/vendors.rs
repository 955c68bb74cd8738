//! Vendors (README §Vendors). Bank details are neither read nor written.

use async_trait::async_trait;
use http::Method;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::document::{Address, Vendor};
use tieout_domain::{Currency, Document, Fault, RemoteId};

use crate::call::Client;
use crate::list::{Room, Shelf};
use crate::text::{NAME_MAX, last4, length};
use crate::wire::{self, Head};
use crate::write::{Writable, json, refused, wrong_kind};

/// Vendors.
pub(crate) const VENDORS: Shelf = Shelf {
    path: "/v3/vendors",
    noun: "vendor",
    wrapped: "vendors",
    bulk_max: 20,
    by_change: true,
    archives: true,
    restores: true,
};

/// Vendors.
#[derive(Debug, Default)]
pub(crate) struct Vendors;

/// A vendor as BILL shows it, without what is nobody's business here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    #[serde(deserialize_with = "wire::text")]
    name: String,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default, deserialize_with = "wire::text")]
    email: String,
    #[serde(default, deserialize_with = "wire::text")]
    phone: String,
    #[serde(default, deserialize_with = "wire::text")]
    account_number: String,
    #[serde(default)]
    address: Option<AddressShown>,
    #[serde(default)]
    payment_information: Option<PaymentInformation>,
    #[serde(default)]
    additional_info: Option<AdditionalInfo>,
    #[serde(default, deserialize_with = "wire::text")]
    bill_currency: String,
    #[serde(default, deserialize_with = "wire::text")]
    network_status: String,
    #[serde(default, deserialize_with = "wire::text")]
    bank_account_status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddressShown {
    #[serde(default, deserialize_with = "wire::text")]
    line1: String,
    #[serde(default, deserialize_with = "wire::text")]
    line2: String,
    #[serde(default, deserialize_with = "wire::text")]
    city: String,
    #[serde(default, deserialize_with = "wire::text")]
    state_or_province: String,
    #[serde(default, deserialize_with = "wire::text")]
    zip_or_postal_code: String,
    #[serde(default, deserialize_with = "wire::text")]
    country: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PaymentInformation {
    #[serde(default, deserialize_with = "wire::text")]
    payee_name: String,
    // That there is one is all that is taken in.
    #[serde(default)]
    bank_account: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdditionalInfo {
    #[serde(default, deserialize_with = "tax_id")]
    tax_id: String,
    #[serde(default)]
    track1099: Option<bool>,
}

/// The last four characters of a tax id; the rest never gets further than this (scenario 26).
fn tax_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    wire::text(deserializer).map(|text| last4(&text))
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<AddressWritten<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_information: Option<PayeeWritten<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_info: Option<TaxFormWritten>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bill_currency: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AddressWritten<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    line1: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_or_province: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zip_or_postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PayeeWritten<'a> {
    payee_name: &'a str,
}

#[derive(Debug, Serialize)]
struct TaxFormWritten {
    track1099: bool,
}

impl<'a> AddressWritten<'a> {
    /// What is known of an address; what is there and shall be empty is said, too. Of a vendor without an
    /// address that is the country alone: BILL answers `address: must not be null` to none at all
    /// (scenario 27).
    fn new(address: &'a Address, there: Option<&Address>) -> Self {
        let nothing = Address::default();
        let there = there.unwrap_or(&nothing);
        let field = |wanted: &'a str, there: &str| {
            let wanted = wanted.trim();
            (!wanted.is_empty() || !there.trim().is_empty()).then_some(wanted)
        };
        Self {
            line1: field(&address.line1, &there.line1),
            line2: field(&address.line2, &there.line2),
            city: field(&address.city, &there.city),
            state_or_province: field(&address.state, &there.state),
            zip_or_postal_code: field(&address.zip, &there.zip),
            country: field(&address.country, &there.country),
        }
    }
}

impl Shown {
    fn vendor(&self) -> Result<Vendor, String> {
        let currency = match self.bill_currency.trim() {
            "" => None,
            code => Some(
                code.parse::<Currency>()
                    .map_err(|error| error.to_string())?,
            ),
        };
        let payment = self.payment_information.as_ref();
        let payee = payment
            .map(|payment| payment.payee_name.trim())
            .unwrap_or_default();
        let more = self.additional_info.as_ref();
        let address = self.address.as_ref().map(|address| Address {
            line1: address.line1.clone(),
            line2: address.line2.clone(),
            city: address.city.clone(),
            state: address.state_or_province.clone(),
            zip: address.zip_or_postal_code.clone(),
            country: address.country.clone(),
        });
        Ok(Vendor {
            name: self.name.clone(),
            number: String::new(),
            person: None,
            payee: (!payee.is_empty() && payee != self.name).then(|| payee.to_owned()),
            email: self.email.clone(),
            phone: self.phone.clone(),
            address: address.filter(|address| *address != Address::default()),
            account_number: self.account_number.clone(),
            currency,
            tax_id_last4: more.map(|more| more.tax_id.clone()).unwrap_or_default(),
            form_1099: more.and_then(|more| more.track1099).unwrap_or(false),
            subsidiaries: Vec::new(),
            category: String::new(),
            inactive: self.archived.unwrap_or(false),
            login_access: false,
            self_managed: self.network_status == "CONNECTED",
            payable_electronically: self.bank_account_status == "NET_LINKED_ACCOUNT"
                || payment.is_some_and(|payment| payment.bank_account.is_some()),
        })
    }
}

fn vendor(document: &Document) -> Result<&Vendor, Fault> {
    if let Document::Vendor(vendor) = document {
        Ok(vendor)
    } else {
        Err(wrong_kind(document))
    }
}

fn fitting_name(vendor: &Vendor) -> Result<&str, Fault> {
    let name = vendor.name.trim();
    if name.is_empty() || length(name) > NAME_MAX {
        // Cutting it here could make two vendors one: the one who decides cuts.
        let cause = format!("BILL: a vendor's name has 1 to {NAME_MAX} characters: `{name}`");
        return Err(refused(Code::new("refused-there"), "name", cause));
    }
    Ok(name)
}

fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

#[async_trait]
impl Room for Vendors {
    type Shown = Shown;

    fn shelf(&self) -> &Shelf {
        &VENDORS
    }

    async fn documents(
        &self,
        client: &Client,
        shown: &[(Head, Shown)],
    ) -> Result<Vec<Result<Document, String>>, Fault> {
        let document = |(head, shown): &(Head, Shown)| {
            let vendor = shown.vendor()?;
            if let Some(currency) = vendor.currency {
                client.learn_currency(RemoteId::from(head.id.as_str()), currency);
            }
            Ok(Document::Vendor(vendor))
        };
        Ok(shown.iter().map(document).collect())
    }
}

impl Writable for Vendors {
    fn creation(&self, wanted: &Document) -> Result<String, Fault> {
        let wanted = vendor(wanted)?;
        let payee = wanted
            .payee
            .as_deref()
            .and_then(given)
            .unwrap_or(wanted.name.trim());
        json(&Written {
            name: Some(fitting_name(wanted)?),
            account_type: Some(if wanted.person.is_some() {
                "PERSON"
            } else {
                "BUSINESS"
            }),
            email: given(&wanted.email),
            phone: given(&wanted.phone),
            account_number: given(&wanted.account_number),
            address: wanted
                .address
                .as_ref()
                .map(|address| AddressWritten::new(address, None)),
            payment_information: Some(PayeeWritten { payee_name: payee }),
            additional_info: wanted
                .form_1099
                .then_some(TaxFormWritten { track1099: true }),
            bill_currency: wanted.currency.map(Currency::code),
        })
    }

    fn made(&self, wanted: &Document, shown: &Shown) -> bool {
        vendor(wanted).is_ok_and(|wanted| {
            wanted.name.trim() == shown.name.trim()
                && wanted.email.trim() == shown.email.trim()
                && wanted.account_number.trim() == shown.account_number.trim()
        })
    }

    fn amendment(
        &self,
        wanted: &Document,
        there: &Document,
    ) -> Result<Option<(Method, String)>, Fault> {
        let (wanted, there) = (vendor(wanted)?, vendor(there)?);
        // Only what differs is sent: a field that the vendor owns itself makes BILL refuse the whole.
        let differs = |a: &'_ str, b: &str| a.trim() != b.trim();
        let mut written = Written::default();
        if differs(&wanted.name, &there.name) {
            written.name = Some(fitting_name(wanted)?);
        }
        if differs(&wanted.email, &there.email) {
            written.email = Some(wanted.email.trim());
        }
        if differs(&wanted.phone, &there.phone) {
            written.phone = Some(wanted.phone.trim());
        }
        if differs(&wanted.account_number, &there.account_number) {
            written.account_number = Some(wanted.account_number.trim());
        }
        if wanted.address != there.address {
            let there = there.address.as_ref();
            let address = wanted.address.as_ref();
            written.address = address.map(|address| AddressWritten::new(address, there));
        }
        // Who is paid under its own name is paid under its new name.
        let renamed = written.name.filter(|_| there.payee.is_none());
        let payee = wanted.payee.as_deref().and_then(given).or(renamed);
        if payee.is_some() && payee != there.payee.as_deref() {
            written.payment_information = payee.map(|payee_name| PayeeWritten { payee_name });
        }
        if wanted.form_1099 != there.form_1099 {
            written.additional_info = Some(TaxFormWritten {
                track1099: wanted.form_1099,
            });
        }
        let body = json(&written)?;
        Ok((body != "{}").then_some((Method::PATCH, body)))
    }
}
