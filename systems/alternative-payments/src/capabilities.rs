//! What the service can do beyond what is documented of it, as a connection names it (README §Two layers).

use std::collections::BTreeSet;

use serde_json::Value;

/// Something that isn't documented, and that an account may have been given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Capability {
    /// An invoice can be changed.
    AmendInvoices,
    /// An invoice tells what is open of it.
    Balances,
    /// What was paid another way can be told.
    ExternalPayments,
    /// An invoice takes a PDF.
    InvoicePdf,
    /// An invoice has an external id.
    InvoiceExternalId,
    /// A payment tells its invoices, a refund its payment.
    Allocations,
    /// Lists tell what changed.
    ChangedSince,
    /// Notifications tell what they are about.
    WebhookBodies,
    /// A customer can be changed.
    AmendCustomers,
}

impl Capability {
    /// All there are.
    pub(crate) const ALL: [Self; 9] = [
        Self::AmendInvoices,
        Self::Balances,
        Self::ExternalPayments,
        Self::InvoicePdf,
        Self::InvoiceExternalId,
        Self::Allocations,
        Self::ChangedSince,
        Self::WebhookBodies,
        Self::AmendCustomers,
    ];

    /// Its name in the connection's table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AmendInvoices => "amend-invoices",
            Self::Balances => "balances",
            Self::ExternalPayments => "external-payments",
            Self::InvoicePdf => "invoice-pdf",
            Self::InvoiceExternalId => "invoice-external-id",
            Self::Allocations => "allocations",
            Self::ChangedSince => "changed-since",
            Self::WebhookBodies => "webhook-bodies",
            Self::AmendCustomers => "amend-customers",
        }
    }

    /// What is done without it.
    pub(crate) fn fallback(self) -> &'static str {
        match self {
            Self::AmendInvoices => {
                "an unpaid invoice that changes in NetSuite is archived there and made anew"
            }
            Self::Balances => {
                "an invoice is taken for wholly open until its status says that it is paid"
            }
            Self::ExternalPayments => {
                "an invoice that is paid in NetSuite is archived there; one that is paid in part is archived and made \
                 anew over what is left"
            }
            Self::InvoicePdf => "no PDF is sent",
            Self::InvoiceExternalId => "tieout's mark stands in the invoice's memo",
            Self::Allocations => {
                "which invoice a payment pays is asked for, invoice by invoice; a refund's payment is found by customer \
                 and amount"
            }
            Self::ChangedSince => {
                "new customers and invoices are read with each run and the others in turn; payments and payouts of the \
                 last 90 days are read again each time"
            }
            Self::WebhookBodies => "a notification tells that something happened, and not what",
            Self::AmendCustomers => {
                "a customer that changes in NetSuite stays as it was first written"
            }
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// The capabilities that a connection names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Capabilities(BTreeSet<Capability>);

impl Capabilities {
    /// Whether this one is named.
    pub(crate) fn has(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }

    /// Those that are not named.
    pub(crate) fn missing(&self) -> impl Iterator<Item = Capability> {
        let missing = Capability::ALL.into_iter();
        missing.filter(|one| !self.has(*one))
    }

    /// Reads names separated by commas, a list of names, or `all`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn read(given: Option<&Value>) -> Result<Self, String> {
        let names: Vec<String> = match given {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => text.split(',').map(str::to_owned).collect(),
            Some(Value::Array(list)) => list
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or("it lists something that is no name")?,
            Some(_) => return Err("it is neither a text nor a list".to_owned()),
        };
        let names = names.iter().map(|name| name.trim());
        let mut all = BTreeSet::new();
        for name in names.filter(|name| !name.is_empty()) {
            match (name, Capability::of(name)) {
                ("all", _) => all.extend(Capability::ALL),
                (_, Some(capability)) => {
                    all.insert(capability);
                }
                _ => return Err(format!("`{name}` is none")),
            }
        }
        Ok(Self(all))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn capabilities_are_a_list_a_text_or_all() {
        let read = |value: Value| Capabilities::read(Some(&value));
        let two = read(json!("balances, invoice-pdf")).unwrap();
        assert_eq!(read(json!(["invoice-pdf", "balances"])), Ok(two.clone()));
        assert!(two.has(Capability::Balances) && !two.has(Capability::Allocations));
        assert_eq!(two.missing().count(), 7);
        assert_eq!(read(json!("all")).unwrap().missing().count(), 0);
        for nothing in [json!(""), json!([]), Value::Null] {
            assert_eq!(read(nothing), Ok(Capabilities::default()));
        }
        assert_eq!(Capabilities::read(None), Ok(Capabilities::default()));
        for wrong in [json!("balance"), json!(7), json!([7])] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
