//! Match keys: coarse on purpose. Equal keys make two records candidates, never a pair.

use tieout_domain::document::CustomerPayment;
use tieout_domain::{Amount, Document, RemoteId};
use unicode_normalization::UnicodeNormalization;

/// The key under which a mirrored record is found by those that may be the same.
///
/// Vendors by their name (scenario 22), bills and credits by vendor and normalised number (scenario 70),
/// accounts by number, dimensions by their path, payments to vendors by vendor and cash, payments by
/// customers by the invoice that they pay, where it is one, else by customer and cash, customers by their name (scenario
/// 173), invoices and credit memos by their number (which is the platform's own key for them), payouts and deposits by
/// their total, files by the bill that they belong to, the rest by their label. It holds ids of the record's own side.
#[must_use]
pub fn match_key(document: &Document) -> String {
    match document {
        Document::Account(account) => account_number_key(&account.number)
            .unwrap_or_else(|| format!("name:{}", normalised_name(&account.path))),
        Document::Dimension(dimension) => normalised_name(&dimension.path),
        Document::Vendor(vendor) => normalised_name(&vendor.name),
        Document::Bill(bill) => document_number_key(&bill.vendor, &bill.number),
        Document::VendorCredit(credit) => document_number_key(&credit.vendor, &credit.number),
        Document::Payment(payment) => payment_key(&payment.vendor, payment.total),
        Document::Customer(customer) => normalised_name(&customer.name),
        Document::Invoice(invoice) => normalised_number(&invoice.number),
        Document::CreditMemo(memo) => normalised_number(&memo.number),
        Document::CustomerPayment(payment) => match only_invoice(payment) {
            Some(invoice) => invoice_paid_key(invoice),
            None => receipt_key(payment.customer.as_ref(), payment.total),
        },
        Document::CustomerRefund(refund) => receipt_key(Some(&refund.customer), refund.total),
        Document::Payout(payout) => payout.total.to_string(),
        Document::Deposit(deposit) => deposit.total.to_string(),
        Document::InvoicePdf(pdf) => pdf.invoice.to_string(),
        Document::Attachment(file) => file.bill.to_string(),
        Document::FundingAccount(_)
        | Document::Journal(_)
        | Document::Item(_)
        | Document::Terms(_) => normalised_name(&document.label()),
    }
}

/// The key of an account with this number; `None` if the number is blank. Letters, dots and leading zeros
/// count (scenario 161).
#[must_use]
pub fn account_number_key(number: &str) -> Option<String> {
    let number = number.trim();
    (!number.is_empty()).then(|| format!("number:{number}"))
}

/// The key of a bill or credit of this vendor with this number.
#[must_use]
pub fn document_number_key(vendor: &RemoteId, number: &str) -> String {
    format!("{vendor}|{}", normalised_number(number))
}

/// The key of a payment to this vendor of this much cash.
#[must_use]
pub fn payment_key(vendor: &RemoteId, total: Amount) -> String {
    format!("{vendor}|{total}")
}

/// The key of a payment by this customer, or by nobody known, of this much cash.
#[must_use]
pub(super) fn receipt_key(customer: Option<&RemoteId>, total: Amount) -> String {
    format!("{}|{total}", customer.map_or("", RemoteId::as_str))
}

/// The key of a payment by a customer of this invoice alone.
#[must_use]
pub fn invoice_paid_key(invoice: &RemoteId) -> String {
    format!("invoice|{invoice}")
}

fn only_invoice(payment: &CustomerPayment) -> Option<&RemoteId> {
    match payment.uses.as_slice() {
        [part] => part.of.invoice(),
        _ => None,
    }
}

/// A name in compatibility form, without case, with single spaces.
#[must_use]
pub fn normalised_name(name: &str) -> String {
    let folded: String = name.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A document number in upper case, without what is neither letter nor digit, without leading zeros.
#[must_use]
pub fn normalised_number(number: &str) -> String {
    let plain: String = number
        .nfkc()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect();
    match plain.trim_start_matches('0') {
        "" if !plain.is_empty() => "0".into(),
        rest => rest.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s070_near_numbers_share_a_key_and_damaged_ones_stay_text() {
        assert_eq!(normalised_number("10 FF"), normalised_number("10ff"));
        assert_eq!(
            normalised_number("022589801001"),
            normalised_number("22589801001")
        );
        assert_ne!(normalised_number("INV-1"), normalised_number("1"));
        assert_ne!(
            normalised_number("2.86E+11"),
            normalised_number("286000000000")
        );
        assert_eq!(
            (normalised_number("000"), normalised_number("")),
            ("0".into(), String::new())
        );
    }

    #[test]
    fn s022_names_are_compared_in_compatibility_form_without_case() {
        assert_eq!(
            normalised_name("RÖCHLING  Engineering"),
            normalised_name("röchling engineering ")
        );
        assert_eq!(normalised_name("ＥＹ"), normalised_name("ey"));
        assert_ne!(normalised_name("RÃ¶chling"), normalised_name("RÖCHLING"));
        assert_eq!(normalised_name(""), "");
    }

    #[test]
    fn s161_account_numbers_are_text() {
        assert_ne!(account_number_key("0100"), account_number_key("100"));
        assert_ne!(account_number_key("10.1"), account_number_key("10.10"));
        assert_eq!(account_number_key(" "), None);
    }
}
