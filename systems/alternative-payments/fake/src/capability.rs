//! Layer B: what a partner's account may have been given beyond what is documented (README §Two layers).

/// One thing that the documented API lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Capability {
    AmendInvoices,
    Balances,
    ExternalPayments,
    InvoicePdf,
    InvoiceExternalId,
    Allocations,
    ChangedSince,
    WebhookBodies,
    AmendCustomers,
}

impl Capability {
    /// All of them, in the README's order.
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

    /// Its name.
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

    /// The one of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Which of them there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capabilities([bool; Capability::ALL.len()]);

impl Capabilities {
    /// All of them.
    pub(crate) const ALL: Self = Self([true; Capability::ALL.len()]);

    /// Whether this one is among them.
    pub(crate) fn has(self, capability: Capability) -> bool {
        self.0[capability as usize]
    }

    /// Gives it, or takes it away.
    pub(crate) fn set(&mut self, capability: Capability, on: bool) {
        self.0[capability as usize] = on;
    }
}
