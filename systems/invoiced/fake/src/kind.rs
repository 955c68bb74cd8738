//! The kinds of objects, and what is particular about each.

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Customer,
    Contact,
    Invoice,
    Payment,
    CreditNote,
    Estimate,
    Subscription,
    Adjustment,
    Item,
    TaxRate,
    Plan,
    Coupon,
    File,
    Note,
    Event,
    WebhookAttempt,
}

impl Kind {
    /// All of them, in the order of their declaration.
    pub(crate) const ALL: [Self; 16] = [
        Self::Customer,
        Self::Contact,
        Self::Invoice,
        Self::Payment,
        Self::CreditNote,
        Self::Estimate,
        Self::Subscription,
        Self::Adjustment,
        Self::Item,
        Self::TaxRate,
        Self::Plan,
        Self::Coupon,
        Self::File,
        Self::Note,
        Self::Event,
        Self::WebhookAttempt,
    ];

    /// The first segment of its path.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Customer => "customers",
            Self::Contact => "contacts",
            Self::Invoice => "invoices",
            Self::Payment => "payments",
            Self::CreditNote => "credit_notes",
            Self::Estimate => "estimates",
            Self::Subscription => "subscriptions",
            Self::Adjustment => "credit_balance_adjustments",
            Self::Item => "items",
            Self::TaxRate => "tax_rates",
            Self::Plan => "plans",
            Self::Coupon => "coupons",
            Self::File => "files",
            Self::Note => "notes",
            Self::Event => "events",
            Self::WebhookAttempt => "webhook_attempts",
        }
    }

    /// The kind that a path's first segment names. Contacts lie below their customer only.
    pub(crate) fn of_path(segment: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter().filter(|kind| *kind != Self::Contact);
        all.find(|kind| kind.path() == segment)
    }

    /// What its objects say of themselves under `object`.
    pub(crate) fn object(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Contact => "contact",
            Self::Invoice => "invoice",
            Self::Payment => "payment",
            Self::CreditNote => "credit_note",
            Self::Estimate => "estimate",
            Self::Subscription => "subscription",
            Self::Adjustment => "credit_balance_adjustment",
            Self::Item => "item",
            Self::TaxRate => "tax_rate",
            Self::Plan => "plan",
            Self::Coupon => "coupon",
            Self::File => "file",
            Self::Note => "note",
            Self::Event => "event",
            Self::WebhookAttempt => "webhook_attempt",
        }
    }

    /// Its name in messages.
    pub(crate) fn title(self) -> String {
        let mut words = self.object().replace('_', " ");
        if let Some(first) = words.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        words
    }

    /// Whether its identifiers are texts that the caller chooses.
    pub(crate) fn is_named(self) -> bool {
        matches!(self, Self::Item | Self::TaxRate | Self::Plan | Self::Coupon)
    }

    /// Whether events tell of it.
    pub(crate) fn has_events(self) -> bool {
        matches!(
            self,
            Self::Customer
                | Self::Contact
                | Self::Invoice
                | Self::Payment
                | Self::CreditNote
                | Self::Estimate
                | Self::Subscription
                | Self::Note
        )
    }

    /// The field that `start_date` and `end_date` look at.
    pub(crate) fn dated(self) -> Option<&'static str> {
        match self {
            Self::Invoice | Self::Payment | Self::CreditNote | Self::Estimate => Some("date"),
            Self::Event => Some("timestamp"),
            _ => None,
        }
    }

    /// What numbers that nobody gave start with.
    pub(crate) fn number_prefix(self) -> Option<&'static str> {
        match self {
            Self::Customer => Some("CUST"),
            Self::Invoice => Some("INV"),
            Self::CreditNote => Some("CN"),
            Self::Estimate => Some("EST"),
            _ => None,
        }
    }

    /// Whether its lists begin with what came last.
    pub(crate) fn is_newest_first(self) -> bool {
        matches!(self, Self::Event | Self::WebhookAttempt)
    }
}
