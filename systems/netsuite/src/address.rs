//! Where people find a record in NetSuite's own pages (README §Accounts and hosts).

use serde_json::{Map, Value};
use tieout_domain::{Kind, RemoteId};

use crate::settings::AccountId;

/// The record's page. None where `base_url` puts a stand-in in the place of the account's hosts: it has no pages.
pub(crate) fn address(settings: &Map<String, Value>, kind: Kind, id: &RemoteId) -> Option<String> {
    if settings.contains_key("base_url") {
        return None;
    }
    let account = AccountId::parse(settings.get("account")?.as_str()?).ok()?;
    // The id becomes part of an address: NetSuite's are numbers.
    if id.as_str().is_empty() || !id.as_str().bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let page = match kind {
        // Leads on to the page of the transaction's own kind.
        Kind::Bill
        | Kind::VendorCredit
        | Kind::Payment
        | Kind::Journal
        | Kind::Invoice
        | Kind::CreditMemo
        | Kind::CustomerPayment
        | Kind::CustomerRefund
        | Kind::Deposit => "accounting/transactions/transaction.nl",
        Kind::Vendor => "common/entity/vendor.nl",
        Kind::Customer => "common/entity/custjob.nl",
        Kind::Item => "common/item/item.nl",
        Kind::Account => "accounting/account/account.nl",
        Kind::Department => "common/otherlists/departmenttype.nl",
        Kind::Class => "common/otherlists/classtype.nl",
        Kind::Location => "common/otherlists/locationtype.nl",
        Kind::FundingAccount | Kind::Terms | Kind::Payout | Kind::InvoicePdf | Kind::Attachment => {
            return None;
        }
    };
    Some(format!("{}/app/{page}?id={id}", account.pages_host()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_found_in_the_account_s_own_pages() {
        let table = |value: Value| value.as_object().cloned().unwrap_or_default();
        let account = table(json!({"account": "1234567_SB1"}));
        let found = |kind, id: &str| address(&account, kind, &RemoteId::from(id));
        assert_eq!(
            found(Kind::Bill, "4711").as_deref(),
            Some(
                "https://1234567-sb1.app.netsuite.com/app/accounting/transactions/transaction.nl?id=4711"
            )
        );
        assert_eq!(
            found(Kind::Vendor, "12").as_deref(),
            Some("https://1234567-sb1.app.netsuite.com/app/common/entity/vendor.nl?id=12")
        );
        assert_eq!(found(Kind::Vendor, "12&x=1"), None);
        let stand_in = table(json!({"account": "1234567", "base_url": "http://127.0.0.1:1"}));
        assert_eq!(address(&stand_in, Kind::Bill, &RemoteId::from("1")), None);
    }
}
