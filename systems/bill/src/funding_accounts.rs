//! Bank accounts that BILL takes money from (README §Funding accounts). One call reads them all; of each
//! only what identifies it to a person is kept.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::value::RawValue;
use tieout_domain::document::FundingAccount;
use tieout_domain::port::{Depth, Mark, Observed, Page, PageToken, Read};
use tieout_domain::{Document, Fault, RemoteId};

use crate::call::{Client, escaped};
use crate::list::{Room, Shelf, observe};
use crate::text::last4;
use crate::wire::{self, Head, reference};

const BANKS: Shelf = Shelf {
    path: "/v3/funding-accounts/banks",
    noun: "bank account",
    wrapped: "banks",
    bulk_max: 1,
    by_change: false,
    archives: false,
    restores: false,
};

/// Bank accounts.
#[derive(Debug, Default)]
struct Banks;

/// A bank account, without what is nobody's business here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(default, deserialize_with = "wire::text")]
    bank_name: String,
    #[serde(default, deserialize_with = "wire::text")]
    name_on_account: String,
    #[serde(default, deserialize_with = "account_end")]
    account_number: String,
    #[serde(default, deserialize_with = "wire::text")]
    status: String,
    #[serde(default, deserialize_with = "wire::text")]
    chart_of_account_id: String,
    #[serde(default)]
    archived: Option<bool>,
}

/// Masked or not, no more than four digits get further than this.
fn account_end<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    wire::text(deserializer).map(|text| last4(&text))
}

#[async_trait]
impl Room for Banks {
    type Shown = Shown;

    fn shelf(&self) -> &Shelf {
        &BANKS
    }

    async fn documents(
        &self,
        _client: &Client,
        shown: &[(Head, Shown)],
    ) -> Result<Vec<Result<Document, String>>, Fault> {
        let document = |(_, shown): &(Head, Shown)| {
            let name = match (shown.bank_name.trim(), shown.name_on_account.trim()) {
                ("", "") => "bank account",
                ("", name) | (name, _) => name,
            };
            let end = match shown.account_number.as_str() {
                "" => String::new(),
                end => format!(" …{end}"),
            };
            Ok(Document::FundingAccount(FundingAccount {
                name: format!("{name}{end}"),
                funding_kind: "BANK_ACCOUNT".to_owned(),
                account: reference(&shown.chart_of_account_id),
                usable: shown.status == "VERIFIED" && !shown.archived.unwrap_or(false),
            }))
        };
        Ok(shown.iter().map(document).collect())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    results: Vec<Box<RawValue>>,
    #[serde(default)]
    next_page: Option<String>,
}

/// Reads funding accounts: always all of them, which is one call.
pub(crate) struct FundingReader {
    pub(crate) client: Arc<Client>,
}

#[async_trait]
impl Read for FundingReader {
    async fn page(
        &self,
        _depth: Depth,
        _mark: Option<&Mark>,
        token: Option<&PageToken>,
    ) -> Result<Page, Fault> {
        let mut path = format!("{}?max=100", BANKS.path);
        if let Some(token) = token {
            path.push_str("&page=");
            path.push_str(&escaped(&token.0));
        }
        let listing: Listing = self.client.read(&path, "listing bank accounts").await?;
        let sight = observe(&self.client, &Banks, &listing.results).await?;
        // Few organizations have more than one page of bank accounts: none goes in circles for long.
        let next = listing
            .next_page
            .filter(|next| !next.is_empty() && token.is_none_or(|token| token.0 != *next));
        Ok(Page {
            records: sight.observed,
            unreadable: sight.unreadable,
            next: next.map(PageToken),
            ..Page::default()
        })
    }

    async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Observed>, Fault> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let page = self.page(Depth::Whole, None, token.as_ref()).await?;
            found.extend(
                page.records
                    .into_iter()
                    .filter(|observed| ids.contains(&observed.id)),
            );
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(found),
            }
        }
    }
}
