//! A platform like Alternative Payments: nothing that begins there goes to the ledger, it has no credit notes, it pays out
//! and shows PDFs. Both with all that its service may be given, and as its service is documented.

mod customers;
mod deposits;
mod documents;
mod invoices;
mod payments;
mod payments_only;
mod properties;
mod settlements;

use tieout_domain::document::*;
use tieout_domain::port::{Action, Ways};
use tieout_domain::{Amount, Document, Kind, RecordRef, Side};
use tieout_flows::preferences::FirstSync;
use tieout_flows::receivables;

use super::books::*;
use crate::world::*;

/// A platform like Alternative Payments.
const ALTERNATIVE: Ways = Ways {
    pays_out: true,
    shows_pdfs: true,
    ..Ways::NONE
};

impl World {
    /// A customer 7 in the ledger, all accounts chosen, and a platform that takes whatever it is told.
    fn alternative() -> Self {
        let mut world = Self::empty(receivables(ALTERNATIVE), "ap", "demo");
        world.connection.ways = ALTERNATIVE;
        let preferences = &mut world.preferences.receivables;
        preferences.reconcile = true;
        preferences.first_sync = FirstSync::All;
        preferences.deposit_accounts = vec!["undeposited".into()];
        preferences.bank_account = "10".into();
        preferences.fee_account = "11".into();
        preferences.clearing_account = "12".into();
        preferences.standalone_account = "13".into();
        world.put(ledger(Kind::Customer, "7"), customer("Acme Ltd", "C-7"));
        world
    }

    /// The same world with a platform as its service is documented: it changes no invoices and no customers, is told of
    /// no payments from elsewhere, takes no PDFs, and tells no balances.
    fn documented() -> Self {
        let mut world = Self::alternative();
        world.tells_balances = false;
        world.connection.lacks = [
            (Kind::Invoice, Action::Amend),
            (Kind::Customer, Action::Amend),
            (Kind::CustomerPayment, Action::Create),
            (Kind::CustomerPayment, Action::Void),
            (Kind::InvoicePdf, Action::Create),
            (Kind::InvoicePdf, Action::Amend),
        ]
        .into();
        world
    }

    /// Whoever is billed on the platform.
    fn payer(&self, copy: &RecordRef) -> RecordRef {
        platform(Kind::Customer, self.invoice_at(copy).customer.as_str())
    }

    /// A customer pays an invoice of the platform.
    fn pays_there(&mut self, id: &str, copy: &RecordRef, amount: &str) -> RecordRef {
        let payer = self.payer(copy);
        self.receives(id, receipt(&payer, &[(pays(copy), amount)]))
    }

    /// A check in the ledger.
    fn pays_here(&mut self, id: &str, invoice: &RecordRef, amount: &str) -> RecordRef {
        let check = ledger(Kind::CustomerPayment, id);
        let mut paid = receipt(&ledger(Kind::Customer, "7"), &[(pays(invoice), amount)]);
        paid.method = ReceiptMethod::Check;
        self.put(check.clone(), Document::CustomerPayment(paid));
        self.settle_receivables();
        self.sync();
        check
    }

    /// The payments from elsewhere that stand on the platform, by amount.
    fn told(&self) -> Vec<Amount> {
        let payments = self.of(Side::Platform, Kind::CustomerPayment);
        let live = payments.iter().filter(|record| !self.records[record].gone);
        live.map(|record| self.receipt_at(record))
            .filter(|payment| payment.external_id.is_some())
            .map(|payment| payment.total)
            .collect()
    }

    /// What the invoice's copy is now.
    fn copy_of(&self, invoice: &RecordRef) -> RecordRef {
        let links = self.links.iter();
        let mut links = links.filter(|link| link.flow == "invoices" && link.role.is_empty());
        let link = links.find(|link| link.record == *invoice);
        link.unwrap_or_else(|| panic!("{:#?}", self.outcomes))
            .target
            .clone()
    }

    fn payout(&mut self, id: &str, parts: &[(PartOf, &str)]) -> RecordRef {
        let record = platform(Kind::Payout, id);
        self.put(record.clone(), Document::Payout(payout(parts)));
        self.sync();
        record
    }

    fn change_payout(&mut self, record: &RecordRef, change: impl FnOnce(&mut Payout)) {
        let Document::Payout(it) = &mut self.records.get_mut(record).unwrap().document else {
            panic!("{record} is no payout")
        };
        change(it);
    }

    fn deposit_of(&self, payout: &RecordRef) -> &Deposit {
        let target = self.target("deposits", payout);
        let target = target.unwrap_or_else(|| panic!("{:#?}", self.outcomes));
        let Document::Deposit(it) = self.at(&target) else {
            panic!("{target} is no deposit")
        };
        it
    }
}

/// A payout that has arrived, of as much as its parts come to.
fn payout(parts: &[(PartOf, &str)]) -> Payout {
    let parts: Vec<_> = parts
        .iter()
        .map(|(of, text)| PayoutPart {
            of: of.clone(),
            amount: amount(text),
            memo: String::new(),
        })
        .collect();
    Payout {
        number: String::new(),
        date: day("2026-06-12"),
        currency: tieout_domain::Currency::USD,
        total: parts.iter().map(|part| part.amount).sum(),
        parts,
        status: PayoutStatus::Paid,
    }
}

fn of(payment: &RecordRef) -> PartOf {
    PartOf::Payment(payment.id.clone())
}
