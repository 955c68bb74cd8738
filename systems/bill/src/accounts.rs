//! The chart of accounts (README §Classifications).

use async_trait::async_trait;
use http::Method;
use serde::{Deserialize, Serialize};
use tieout_domain::document::{Account, AccountKind};
use tieout_domain::{Document, Fault, RemoteId};

use crate::call::Client;
use crate::list::{Room, Shelf};
use crate::tree::Names;
use crate::wire::{self, Head, reference};
use crate::write::{Writable, json, wrong_kind};

const ACCOUNTS: Shelf = Shelf {
    path: "/v3/classifications/chart-of-accounts",
    noun: "account",
    wrapped: "chartOfAccounts",
    bulk_max: 50,
    by_change: false,
    archives: true,
    restores: true,
};

/// How BILL spells the types that both sides have.
const SPELLINGS: &[(&str, AccountKind)] = &[
    ("BANK", AccountKind::Bank),
    ("ACCOUNTS_RECEIVABLE", AccountKind::AccountsReceivable),
    ("ACCOUNTS_PAYABLE", AccountKind::AccountsPayable),
    ("CREDIT_CARD", AccountKind::CreditCard),
    ("OTHER_CURRENT_ASSET", AccountKind::OtherCurrentAsset),
    ("FIXED_ASSET", AccountKind::FixedAsset),
    ("OTHER_ASSET", AccountKind::OtherAsset),
    (
        "OTHER_CURRENT_LIABILITY",
        AccountKind::OtherCurrentLiability,
    ),
    ("LONG_TERM_LIABILITY", AccountKind::LongTermLiability),
    ("EQUITY", AccountKind::Equity),
    ("INCOME", AccountKind::Income),
    ("OTHER_INCOME", AccountKind::OtherIncome),
    ("COST_OF_GOODS_SOLD", AccountKind::CostOfGoodsSold),
    ("EXPENSE", AccountKind::Expense),
    ("OTHER_EXPENSE", AccountKind::OtherExpense),
    ("NON_POSTING", AccountKind::NonPosting),
];

fn kind_of(word: &str) -> AccountKind {
    SPELLINGS
        .iter()
        .find(|(spelling, _)| *spelling == word)
        .map_or_else(
            || AccountKind::Other(word.to_owned()),
            |(_, kind)| kind.clone(),
        )
}

fn spelling_of(kind: &AccountKind) -> &'static str {
    match kind {
        // BILL has no word of its own for these two.
        AccountKind::DeferredExpense => "OTHER_CURRENT_ASSET",
        AccountKind::DeferredRevenue => "OTHER_CURRENT_LIABILITY",
        kind => SPELLINGS
            .iter()
            .find(|(_, known)| known == kind)
            .map_or("UNSPECIFIED", |(spelling, _)| spelling),
    }
}

/// Accounts.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    names: Names,
}

/// An account as BILL shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    #[serde(deserialize_with = "wire::text")]
    name: String,
    #[serde(default, deserialize_with = "wire::text")]
    description: String,
    #[serde(default, deserialize_with = "wire::text")]
    parent_id: String,
    #[serde(default)]
    account: Option<Detail>,
    #[serde(default)]
    archived: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
struct Detail {
    #[serde(default, rename = "type", deserialize_with = "wire::text")]
    account_type: String,
    #[serde(default, deserialize_with = "wire::text")]
    number: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<Option<&'a RemoteId>>,
    account: DetailWritten<'a>,
}

#[derive(Serialize)]
struct DetailWritten<'a> {
    #[serde(rename = "type")]
    account_type: &'a str,
    number: &'a str,
}

fn account(document: &Document) -> Result<&Account, Fault> {
    if let Document::Account(account) = document {
        Ok(account)
    } else {
        Err(wrong_kind(document))
    }
}

fn written(account: &Account, parent: Option<Option<&RemoteId>>) -> Result<String, Fault> {
    json(&Written {
        name: account.name.trim(),
        description: account.description.trim(),
        parent_id: parent,
        account: DetailWritten {
            account_type: spelling_of(&account.account_kind),
            number: account.number.trim(),
        },
    })
}

#[async_trait]
impl Room for Accounts {
    type Shown = Shown;

    fn shelf(&self) -> &Shelf {
        &ACCOUNTS
    }

    async fn documents(
        &self,
        client: &Client,
        shown: &[(Head, Shown)],
    ) -> Result<Vec<Result<Document, String>>, Fault> {
        let seen = |(head, shown): &(Head, Shown)| {
            (
                head.id.as_str().into(),
                shown.name.clone(),
                reference(&shown.parent_id),
            )
        };
        let paths = self
            .names
            .paths(client, &ACCOUNTS, shown.iter().map(seen).collect())
            .await?;
        let document = |((_, shown), path): (&(Head, Shown), String)| {
            let none = Detail::default();
            let detail = shown.account.as_ref().unwrap_or(&none);
            Ok(Document::Account(Account {
                number: detail.number.clone(),
                name: shown.name.clone(),
                path,
                account_kind: kind_of(&detail.account_type),
                parent: reference(&shown.parent_id),
                summary: false,
                inactive: shown.archived.unwrap_or(false),
                subsidiaries: Vec::new(),
                description: shown.description.clone(),
            }))
        };
        Ok(shown.iter().zip(paths).map(document).collect())
    }
}

impl Writable for Accounts {
    fn creation(&self, wanted: &Document) -> Result<String, Fault> {
        let account = account(wanted)?;
        written(account, account.parent.as_ref().map(Some))
    }

    fn made(&self, wanted: &Document, shown: &Shown) -> bool {
        account(wanted).is_ok_and(|account| {
            let number = shown
                .account
                .as_ref()
                .map_or("", |detail| detail.number.as_str());
            account.name.trim() == shown.name && account.number.trim() == number
        })
    }

    fn amendment(
        &self,
        wanted: &Document,
        there: &Document,
    ) -> Result<Option<(Method, String)>, Fault> {
        let (wanted, there) = (account(wanted)?, account(there)?);
        let parent = (wanted.parent != there.parent).then_some(wanted.parent.as_ref());
        Ok(Some((Method::PATCH, written(wanted, parent)?)))
    }
}
