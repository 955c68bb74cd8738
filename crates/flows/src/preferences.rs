//! Preferences of a connection, under the headings that users of BILL's own sync know: Lists, Transactions,
//! Miscellaneous. Every one that isn't named keeps its default.
//!
//! [`catalogue`] tells of each key what it does, its default and what it may be: it is what `preferences
//! show`, the documentation and the messages about wrong values are made of.

mod catalogue;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tieout_domain::{Currency, Date};

pub use catalogue::catalogue;

/// All preferences of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    /// Accounts, dimensions and vendors.
    pub lists: Lists,
    /// Bills, credits and payments.
    pub transactions: Transactions,
    /// The rest.
    pub miscellaneous: Miscellaneous,
    /// The receivables pairs.
    pub receivables: Receivables,
}

/// Accounts, dimensions and vendors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lists {
    /// Create accounts and dimensions that the platform lacks (scenario 153).
    pub create_missing: bool,
}

/// Bills, credits and payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transactions {
    /// Bills dated before this day never go to the platform (scenario 92).
    pub bills_from: Option<Date>,
    /// What was partly paid before it was first seen (scenario 54).
    pub partly_paid: PartlyPaid,
    /// Currencies the platform's organization can pay (scenario 19).
    pub currencies: Vec<Currency>,
    /// When a payment of the platform is posted to the books (scenario 93).
    pub post_payments_at: PostAt,
    /// Number or id of the ledger's clearing account (scenario 127).
    pub payment_account: Option<String>,
    /// Record payments that were made in the ledger on the platform (scenario 121).
    pub outside_payments: bool,
    /// Whether a payment that is short by just the discount of a bill's terms has taken it (scenario 85).
    pub discounts: Discounts,
    /// What becomes of a posting that falls into a closed period (scenario 131).
    pub closed_period: ClosedPeriod,
    /// Where tieout's mark is kept on the platform's copy of a bill (scenario 226).
    pub marker: MarkerPlace,
    /// Who approves on the platform (scenario 37).
    pub approvals: Approvals,
    /// Vendors of these ledger categories stay out (scenario 28).
    pub exclude_categories: Vec<String>,
    /// How a payment that came back is taken out of the books (scenarios 107 and 108).
    pub reversals: Reversals,
    /// Send the files that are attached to bills after their bill (scenario 76).
    pub attachments: bool,
}

impl Default for Transactions {
    fn default() -> Self {
        Self {
            bills_from: None,
            partly_paid: PartlyPaid::default(),
            currencies: vec![Currency::USD],
            post_payments_at: PostAt::default(),
            payment_account: None,
            outside_payments: true,
            discounts: Discounts::default(),
            closed_period: ClosedPeriod::default(),
            marker: MarkerPlace::default(),
            approvals: Approvals::default(),
            exclude_categories: vec!["Intercompany".into(), "Employee".into()],
            reversals: Reversals::default(),
            attachments: true,
        }
    }
}

/// What becomes of a bill that was partly paid before it was first seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartlyPaid {
    /// It stays out.
    #[default]
    Skip,
    /// What is left of it goes to the platform as one line.
    Balance,
}

/// When a payment of the platform is posted to the books.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostAt {
    /// As soon as it is scheduled.
    Scheduled,
    /// When the money is on its way.
    #[default]
    Processed,
    /// When the vendor has it.
    Cleared,
}

/// What a payment means that is short by a discount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Discounts {
    /// The discount that the bill's terms offer was taken, if it is exactly that and the day is in time.
    #[default]
    Terms,
    /// It is a partial payment.
    None,
}

/// What becomes of a posting that falls into a closed period. Reversals always go to the first open one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClosedPeriod {
    /// It waits for the controller.
    #[default]
    Hold,
    /// It is dated on the first day of the next open period, and the memo keeps the true date.
    NextOpen,
}

/// Where tieout's mark is kept on the platform's copy of a bill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkerPlace {
    /// In the bill's description.
    #[default]
    Description,
    /// Nowhere: links can't be rebuilt by it.
    None,
}

/// How a payment that came back is taken out of the books.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reversals {
    /// A journal entry in the first open period, to which the payment's application is moved.
    #[default]
    Journal,
    /// A person does it; tieout waits for the bills to be open again.
    Person,
}

/// Who approves on the platform.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Approvals {
    /// The platform's own policies decide.
    #[default]
    Leave,
    /// These approvers, by their ids on the platform.
    Named(Vec<String>),
}

impl TryFrom<Value> for Approvals {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let wrong = || "write \"leave\" or a list of approvers' ids".to_owned();
        match value {
            Value::String(word) if word == "leave" => Ok(Self::Leave),
            Value::String(_) => Err(wrong()),
            other => serde_json::from_value(other)
                .map(Self::Named)
                .map_err(|_| wrong()),
        }
    }
}

impl From<Approvals> for Value {
    fn from(approvals: Approvals) -> Self {
        match approvals {
            Approvals::Leave => Self::from("leave"),
            Approvals::Named(ids) => Self::from(ids),
        }
    }
}

/// The rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Miscellaneous {
    /// Department of what is written to a ledger that demands one (scenario 163). Empty: none.
    pub default_department: String,
    /// Class of what is written to a ledger that demands one. Empty: none.
    pub default_class: String,
    /// Location of what is written to a ledger that demands one. Empty: none.
    pub default_location: String,
    /// Who is told when something waits for a person.
    pub notify: Vec<String>,
}

/// The receivables pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receivables {
    /// Write to the ledger, on a schedule too. While it is off the platform is kept up to date, and nothing is
    /// written to the ledger.
    pub reconcile: bool,
    /// How much of what began on the platform the first sync takes to the ledger.
    pub first_sync: FirstSync,
    /// Invoices dated before this day stay out.
    pub go_live: Option<Date>,
    /// Which customers go to the platform (scenario 172).
    pub customers: CustomerScope,
    /// Id of the ledger's item for invoice lines of the platform whose own item isn't mapped. Empty: none.
    pub default_item: String,
    /// Id of the ledger's item that stands for taxes of the platform, to the cent. Empty: none.
    pub tax_item: String,
    /// Id of the ledger's item that stands for discounts of the platform. Empty: none.
    pub discount_item: String,
    /// Id of the ledger's item that surcharges paid on the platform are billed as (scenario 183). Empty: none.
    pub fee_item: String,
    /// Number or id of the receivables account of what is written to the ledger. Empty: the customer's own.
    pub receivables_account: String,
    /// Where customers' payments are kept in the ledger, chosen before the first one is written: the account's
    /// number or id, or `undeposited`; for one method or currency by `check=…`, `ach:USD=…`, `*:CAD=…`.
    pub deposit_accounts: Vec<String>,
    /// Number or id of the account that payouts arrive in and refunds are paid from. Empty: none.
    pub bank_account: String,
    /// Number or id of the account that a platform's fees are booked to. Empty: none.
    pub fee_account: String,
    /// Number or id of the account through which refunds, chargebacks and what else a platform nets off a payout
    /// pass, until each is booked. Empty: none.
    pub clearing_account: String,
    /// Number or id of the account that is credited by the deposit of a payment whose invoice is on the platform only
    /// (scenario 185). Empty: none.
    pub standalone_account: String,
    /// Archive on the platform what was voided or deleted in the ledger (scenario 193).
    pub archive: bool,
    /// What becomes of a payment that failed after it had succeeded (scenario 188).
    pub failed_payments: FailedPayments,
    /// Send invoices' PDFs to the platform (scenario 196).
    pub documents: bool,
    /// How much of the pair is in use.
    pub mode: Mode,
    /// The company's time zone, such as `America/New_York`. Empty: the ledger's.
    pub time_zone: String,
}

impl Default for Receivables {
    fn default() -> Self {
        Self {
            reconcile: false,
            first_sync: FirstSync::default(),
            go_live: None,
            customers: CustomerScope::default(),
            default_item: String::new(),
            tax_item: String::new(),
            discount_item: String::new(),
            fee_item: String::new(),
            receivables_account: String::new(),
            deposit_accounts: Vec::new(),
            bank_account: String::new(),
            fee_account: String::new(),
            clearing_account: String::new(),
            standalone_account: String::new(),
            archive: true,
            failed_payments: FailedPayments::default(),
            documents: true,
            mode: Mode::default(),
            time_zone: String::new(),
        }
    }
}

/// How much the first sync of a receivables pair takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstSync {
    /// Show count and amount, then wait for a yes (scenario 171).
    #[default]
    Ask,
    /// All at once.
    All,
}

/// Which customers go to the platform.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CustomerScope {
    /// Those with invoices in scope.
    #[default]
    WithInvoices,
    /// All.
    All,
}

/// What becomes of a payment that failed after it had succeeded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailedPayments {
    /// A person decides.
    #[default]
    Task,
    /// It is reversed at once.
    Reverse,
}

/// How much of a receivables pair is in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Everything.
    #[default]
    Full,
    /// Payments only.
    PaymentsOnly,
}

/// Of what shape a preference's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Yes or no.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text; empty means none.
    Text,
    /// A day, such as `2026-01-01`; empty means none.
    Day,
    /// A text that may be left out.
    OptionalText,
    /// A list of texts.
    List,
    /// One word, or a list of texts.
    WordOrList(&'static str),
}

/// What is known about one preference.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The dotted key: `transactions.bills_from`.
    pub key: &'static str,
    /// The heading it stands under.
    pub heading: &'static str,
    /// Of what shape its value is.
    pub shape: Shape,
    /// Its default.
    pub default: Value,
    /// What it does, in one line.
    pub about: &'static str,
}

impl Entry {
    /// What its value may be, in words.
    #[must_use]
    pub fn allowed(&self) -> String {
        match self.shape {
            Shape::Switch => "true or false".into(),
            Shape::Choice(words) => words.join(", "),
            Shape::Text | Shape::OptionalText => "a text; empty means none".into(),
            Shape::Day => "a day such as 2026-01-01; empty means none".into(),
            Shape::List => "a list, separated by commas".into(),
            Shape::WordOrList(word) => format!("{word}, or a list, separated by commas"),
        }
    }

    /// Reads a value as typed by a person: JSON, or bare text.
    ///
    /// # Errors
    /// If it can't have this value.
    pub fn read(&self, text: &str) -> Result<Value, PreferenceError> {
        let text = text.trim();
        let wrong = || PreferenceError::Value {
            key: self.key.to_owned(),
            value: text.to_owned(),
            allowed: self.allowed(),
        };
        let list = || match serde_json::from_str::<Vec<String>>(text) {
            Ok(items) => Value::from(items),
            Err(_) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .collect(),
        };
        let bare = || serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned());
        match self.shape {
            Shape::Switch => text.parse::<bool>().map(Value::from).map_err(|_| wrong()),
            Shape::Choice(words) if !words.contains(&bare().as_str()) => Err(wrong()),
            Shape::Choice(_) | Shape::Text => Ok(bare().into()),
            Shape::Day | Shape::OptionalText if bare().is_empty() || text == "null" => {
                Ok(Value::Null)
            }
            Shape::Day | Shape::OptionalText => Ok(bare().into()),
            Shape::List => Ok(list()),
            Shape::WordOrList(word) if bare() == word => Ok(word.into()),
            Shape::WordOrList(_) => Ok(list()),
        }
    }
}

/// Why a preference can't be read or set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreferenceError {
    /// No such key.
    #[error("there is no preference `{key}`; did you mean `{nearest}`?")]
    Unknown {
        /// The key.
        key: String,
        /// The nearest there is.
        nearest: &'static str,
    },
    /// Not a value it may have.
    #[error("`{key}` can't be `{value}`: it may be {allowed}")]
    Value {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What it may be.
        allowed: String,
    },
}

impl Preferences {
    /// The value under a dotted key.
    ///
    /// # Errors
    /// If there is no such key.
    pub fn get(&self, key: &str) -> Result<Value, PreferenceError> {
        let entry = entry(key)?;
        Ok(self
            .tree()
            .pointer(&pointer(entry.key))
            .cloned()
            .unwrap_or(Value::Null))
    }

    /// Sets the value under a dotted key from a text: `"2026-01-01"`, `USD, EUR`, `true`.
    ///
    /// # Errors
    /// If there is no such key or it can't have this value; nothing is changed then.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), PreferenceError> {
        let entry = entry(key)?;
        let value = entry.read(text)?;
        let mut tree = self.tree();
        if let Some(place) = tree.pointer_mut(&pointer(entry.key)) {
            *place = value;
        }
        *self = serde_json::from_value(tree).map_err(|_| PreferenceError::Value {
            key: key.to_owned(),
            value: text.to_owned(),
            allowed: entry.allowed(),
        })?;
        Ok(())
    }

    /// Sets the value under a dotted key from JSON, as a configuration file has it.
    ///
    /// # Errors
    /// As for [`set`](Self::set).
    pub fn set_value(&mut self, key: &str, value: Value) -> Result<(), PreferenceError> {
        let entry = entry(key)?;
        let mut tree = self.tree();
        let text = value.to_string();
        if let Some(place) = tree.pointer_mut(&pointer(entry.key)) {
            *place = value;
        }
        *self = serde_json::from_value(tree).map_err(|_| PreferenceError::Value {
            key: key.to_owned(),
            value: text,
            allowed: entry.allowed(),
        })?;
        Ok(())
    }

    fn tree(&self) -> Value {
        serde_json::to_value(self).expect("preferences serialise to JSON")
    }
}

fn pointer(key: &str) -> String {
    format!("/{}", key.replace('.', "/"))
}

fn entry(key: &str) -> Result<Entry, PreferenceError> {
    let mut entries = catalogue();
    let wanted = key.trim();
    if let Some(at) = entries.iter().position(|entry| entry.key == wanted) {
        return Ok(entries.swap_remove(at));
    }
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let nearest = entries
        .iter()
        .min_by_key(|entry| {
            distance(entry.key, wanted).min(distance(&last(entry.key), &last(wanted)))
        })
        .map_or("", |entry| entry.key);
    Err(PreferenceError::Unknown {
        key: key.to_owned(),
        nearest,
    })
}

/// How many letters must be changed to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (corner + usize::from(x != *y))
                .min(row[j] + 1)
                .min(row[j + 1] + 1);
            corner = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_names_every_preference_and_nothing_else() {
        let tree = Preferences::default().tree();
        let mut there: Vec<String> = Vec::new();
        for (heading, keys) in tree.as_object().unwrap() {
            there.extend(
                keys.as_object()
                    .unwrap()
                    .keys()
                    .map(|key| format!("{heading}.{key}")),
            );
        }
        let mut told: Vec<_> = catalogue()
            .iter()
            .map(|entry| entry.key.to_owned())
            .collect();
        there.sort();
        told.sort();
        assert_eq!(there, told);
    }

    #[test]
    fn every_default_and_every_choice_can_be_set() {
        let mut preferences = Preferences::default();
        for entry in catalogue() {
            preferences
                .set(entry.key, &entry.default.to_string())
                .unwrap();
            if let Shape::Choice(words) = entry.shape {
                for word in words {
                    preferences.set(entry.key, word).unwrap();
                    assert_eq!(preferences.get(entry.key).unwrap(), *word);
                }
            }
            preferences
                .set(entry.key, &entry.default.to_string())
                .unwrap();
        }
        assert_eq!(preferences, Preferences::default());
    }

    #[test]
    fn wrong_keys_and_values_are_refused_with_what_would_be_right() {
        let mut preferences = Preferences::default();
        let told = |error: PreferenceError| error.to_string();
        assert!(
            told(preferences.set("transactions.bill_from", "x").unwrap_err())
                .contains("bills_from")
        );
        assert!(
            told(preferences.set("bills_from", "x").unwrap_err())
                .contains("transactions.bills_from")
        );
        assert!(
            told(
                preferences
                    .set("transactions.bills_from", "June")
                    .unwrap_err()
            )
            .contains("2026-01-01")
        );
        assert!(
            told(
                preferences
                    .set("transactions.currencies", "Dollars")
                    .unwrap_err()
            )
            .contains("list")
        );
        assert!(
            told(
                preferences
                    .set("transactions.partly_paid", "half")
                    .unwrap_err()
            )
            .contains("balance")
        );
        assert_eq!(preferences, Preferences::default());
        preferences
            .set("transactions.bills_from", "2026-01-01")
            .unwrap();
        preferences
            .set("transactions.currencies", "USD, EUR")
            .unwrap();
        assert_eq!(preferences.transactions.currencies.len(), 2);
        assert!(serde_json::from_str::<Preferences>(r#"{"lists":{"creat":true}}"#).is_err());
    }
}
