//! Payment terms: the service documents no list of them, so they are those that customers and invoices name
//! (README §Items and terms).

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;
use tieout_domain::document::Terms;
use tieout_domain::port::{Depth, Mark, Observed, Page, PageToken, Read};
use tieout_domain::{Document, Fault, RemoteId};

use crate::call::Client;
use crate::customers::CUSTOMERS;
use crate::list::all;
use crate::wire::text;

impl Client {
    /// The terms that a document names, by their own words; they are remembered as there.
    pub(crate) fn named_terms(&self, words: &str) -> Option<RemoteId> {
        let words = words.trim();
        if words.is_empty() {
            return None;
        }
        let mut known = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(words) {
            known.insert(words.to_owned());
        }
        Some(words.into())
    }
}

/// Reads the terms that have been named. None is ever told to be gone.
pub(crate) struct TermsReader {
    pub(crate) client: Arc<Client>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "text")]
    payment_terms: String,
}

impl TermsReader {
    fn known(&self) -> Vec<Observed> {
        let known = self
            .client
            .terms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|words| observed(words)).collect()
    }
}

fn observed(words: &str) -> Observed {
    Observed {
        id: words.into(),
        version: words.to_owned(),
        created: None,
        document: Document::Terms(Terms {
            name: words.to_owned(),
            days: days(words),
            inactive: false,
        }),
    }
}

/// `NET 30` leaves thirty days.
fn days(words: &str) -> Option<u32> {
    let (net, days) = words.trim().split_once(char::is_whitespace)?;
    if net.eq_ignore_ascii_case("net") {
        days.trim().parse().ok()
    } else {
        None
    }
}

#[async_trait]
impl Read for TermsReader {
    async fn page(
        &self,
        depth: Depth,
        _: Option<&Mark>,
        _: Option<&PageToken>,
    ) -> Result<Page, Fault> {
        if depth == Depth::Whole && self.known().is_empty() {
            // Nothing was read yet in this process: customers name nearly all of them.
            for raw in all(&self.client, &CUSTOMERS, "").await? {
                if let Ok(named) = serde_json::from_str::<Named>(raw.get()) {
                    self.client.named_terms(&named.payment_terms);
                }
            }
        }
        Ok(Page {
            records: self.known(),
            mark: Some(Mark("named".to_owned())),
            ..Page::default()
        })
    }

    /// Terms are their words: those that are asked for are there.
    async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Observed>, Fault> {
        let given = ids.iter().filter(|id| !id.as_str().trim().is_empty());
        Ok(given.map(|id| observed(id.as_str())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_terms_tell_their_days() {
        assert_eq!(days("NET 30"), Some(30));
        assert_eq!(days("net  7"), Some(7));
        for words in ["Due on receipt", "NET", "2% 10 NET 30", "NET thirty"] {
            assert_eq!(days(words), None, "{words}");
        }
    }
}
