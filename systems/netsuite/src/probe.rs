//! What an account is like: OneWorld or not, its subsidiaries and currencies, the columns it lacks.
//!
//! Found out once and kept, sealed, for a day, so that a run with nothing to do pays nothing for it
//! (README §Columns).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::port::Choice;
use tieout_domain::{Currency, Fault, RemoteId, Timestamp};

use crate::call::Client;
use crate::problem::{not_there, unknown_column, unknown_table};
use crate::settings::Settings;
use crate::suiteql::Row;

const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// An account's shape.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) one_world: bool,
    /// Empty without OneWorld, or where the role may not list them.
    pub(crate) subsidiaries: Vec<Subsidiary>,
    pub(crate) currencies: Vec<LedgerCurrency>,
}

/// A subsidiary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subsidiary {
    pub(crate) id: RemoteId,
    pub(crate) name: String,
    pub(crate) parent: Option<RemoteId>,
    pub(crate) inactive: bool,
    pub(crate) elimination: bool,
    pub(crate) currency: Option<RemoteId>,
}

/// A currency of the account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LedgerCurrency {
    pub(crate) id: RemoteId,
    pub(crate) symbol: String,
    pub(crate) base: bool,
}

impl Shape {
    /// The ISO currency of an id; of the subsidiary's own currency where the account has only one and
    /// shows none.
    pub(crate) fn currency(
        &self,
        id: Option<&RemoteId>,
        subsidiary: Option<&RemoteId>,
    ) -> Option<Currency> {
        let id = id.or_else(|| self.base_currency(subsidiary))?;
        self.currencies
            .iter()
            .find(|currency| currency.id == *id)?
            .symbol
            .parse()
            .ok()
    }

    /// The id of an ISO currency that a record is to be in: without it the record would be made in another one.
    pub(crate) fn need_currency(&self, currency: Currency) -> Result<&RemoteId, Fault> {
        self.currencies
            .iter()
            .find(|known| known.symbol.eq_ignore_ascii_case(currency.code()))
            .map(|known| &known.id)
            .ok_or_else(|| Fault::Refused {
                code: Code::new("bad-reference"),
                field: Some("currency".to_owned()),
                cause: format!("the account has no currency {currency}"),
            })
    }

    fn base_currency(&self, subsidiary: Option<&RemoteId>) -> Option<&RemoteId> {
        let own = self
            .subsidiaries
            .iter()
            .find(|known| Some(&known.id) == subsidiary);
        let only = match self.currencies.as_slice() {
            [only] => Some(&only.id),
            _ => None,
        };
        // The account's base may be another subsidiary's.
        if self.one_world && subsidiary.is_some() && own.is_none() {
            return only;
        }
        let base = self
            .currencies
            .iter()
            .find(|known| known.base)
            .map(|known| &known.id);
        own.and_then(|known| known.currency.as_ref())
            .or(base)
            .or(only)
    }

    /// Whether a record shared with these subsidiaries may be used in this one. An empty list means all.
    pub(crate) fn shared_with(
        &self,
        list: &[RemoteId],
        include_children: bool,
        subsidiary: Option<&RemoteId>,
    ) -> bool {
        let Some(subsidiary) = subsidiary else {
            return true;
        };
        if list.is_empty() || list.contains(subsidiary) {
            return true;
        }
        let mut at = subsidiary;
        // Bounded, so that a circle in the data can't hang us.
        for _ in 0..self.subsidiaries.len() {
            let parent = self
                .subsidiaries
                .iter()
                .find(|s| s.id == *at)
                .and_then(|s| s.parent.as_ref());
            let Some(parent) = parent else { return false };
            if include_children && list.contains(parent) {
                return true;
            }
            at = parent;
        }
        false
    }

    /// The subsidiaries that a connection can be of.
    fn usable(&self) -> impl Iterator<Item = &Subsidiary> {
        self.subsidiaries
            .iter()
            .filter(|subsidiary| !subsidiary.inactive && !subsidiary.elimination)
    }

    /// Checks the connection's subsidiary (scenario 202): needed on OneWorld, unknown elsewhere.
    fn check(&self, settings: &Settings) -> Result<(), Fault> {
        let listed: Vec<String> = self
            .usable()
            .map(|subsidiary| format!("{} = {}", subsidiary.id, subsidiary.name))
            .collect();
        let listed = if listed.is_empty() {
            "Setup > Company > Subsidiaries shows their internal ids".to_owned()
        } else {
            format!("pick one of: {}", listed.join(", "))
        };
        match (&settings.subsidiary, self.one_world) {
            (None, true) => Err(Fault::Denied {
                code: Code::new("subsidiary-missing"),
                cause: format!("this is a OneWorld account and `subsidiary` isn't set; {listed}"),
            }),
            (Some(id), false) => Err(Fault::Denied {
                code: Code::new("subsidiary-not-allowed"),
                cause: format!(
                    "`subsidiary` is {id}, and this account has no subsidiaries: leave it out"
                ),
            }),
            (Some(id), true) if !self.subsidiaries.is_empty() => {
                match self.subsidiaries.iter().find(|known| known.id == *id) {
                    Some(known) if known.elimination || known.inactive => Err(Fault::Denied {
                        code: Code::new("subsidiary-wrong"),
                        cause: format!(
                            "subsidiary {id} ({}) is inactive or an elimination subsidiary; {listed}",
                            known.name
                        ),
                    }),
                    Some(_) => Ok(()),
                    None => Err(Fault::Denied {
                        code: Code::new("subsidiary-wrong"),
                        cause: format!(
                            "there is no subsidiary {id} that this role may see; {listed}"
                        ),
                    }),
                }
            }
            _ => Ok(()),
        }
    }
}

/// What is kept from run to run.
#[derive(Serialize, Deserialize)]
struct KeptProfile {
    shape: Shape,
    hidden: BTreeSet<String>,
}

/// The profile of a client: found out at first use.
pub(crate) struct ProfileCell {
    kept_as: String,
    loading: tokio::sync::Mutex<()>,
    shape: Mutex<Option<(Timestamp, Arc<Shape>)>>,
    hidden: Mutex<BTreeSet<String>>,
}

impl ProfileCell {
    pub(crate) fn new(settings: &Settings, fingerprint: &str) -> Self {
        Self {
            // What a role can see decides which columns there are: a profile belongs to a credential.
            kept_as: format!(
                "netsuite/{}/profile/{fingerprint}",
                settings.account.as_str()
            ),
            loading: tokio::sync::Mutex::new(()),
            shape: Mutex::new(None),
            hidden: Mutex::new(BTreeSet::new()),
        }
    }

    /// Columns that the account lacks, as `family.column`.
    pub(crate) fn hidden(&self) -> BTreeSet<String> {
        self.hidden
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn loaded(&self, now: Timestamp) -> Option<Arc<Shape>> {
        let shape = self.shape.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, shape) = shape.as_ref()?;
        (now.as_second() - since.as_second() < KEPT_SECONDS).then(|| Arc::clone(shape))
    }

    fn set(&self, now: Timestamp, shape: Shape) -> Arc<Shape> {
        let shape = Arc::new(shape);
        *self.shape.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((now, Arc::clone(&shape)));
        shape
    }
}

impl Client {
    /// The account's shape, checked against the connection's settings.
    pub(crate) async fn shape(&self) -> Result<Arc<Shape>, Fault> {
        let now = self.wire.kit.timer.now();
        if let Some(shape) = self.profile.loaded(now) {
            return Ok(shape);
        }
        let _loading = self.profile.loading.lock().await;
        if let Some(shape) = self.profile.loaded(now) {
            return Ok(shape);
        }
        if let Some(kept) = self.kept_profile().await
            && kept.shape.check(&self.settings).is_ok()
        {
            *self
                .profile
                .hidden
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = kept.hidden;
            return Ok(self.profile.set(now, kept.shape));
        }
        let shape = self.find_out().await?;
        shape.check(&self.settings)?;
        let shape = self.profile.set(now, shape);
        self.keep_profile().await;
        Ok(shape)
    }

    /// The subsidiaries to choose from, whether one is chosen or not.
    pub(crate) async fn subsidiaries(&self) -> Result<Vec<Choice>, Fault> {
        let shape = self.find_out().await?;
        let choice = |subsidiary: &Subsidiary| Choice {
            setting: "subsidiary",
            value: subsidiary.id.to_string(),
            name: subsidiary.name.clone(),
        };
        Ok(shape.usable().map(choice).collect())
    }

    /// The shape, found out anew: a currency or a subsidiary that isn't known may be new.
    pub(crate) async fn shape_anew(&self) -> Result<Arc<Shape>, Fault> {
        let shape = self.find_out().await?;
        shape.check(&self.settings)?;
        let shape = self.profile.set(self.wire.kit.timer.now(), shape);
        self.keep_profile().await;
        Ok(shape)
    }

    /// Remembers that a column is missing; `false` if that was already known.
    pub(crate) async fn hide(&self, name: String) -> bool {
        tracing::info!(
            column = name,
            "this account lacks a column; going on without it"
        );
        let new = self
            .profile
            .hidden
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name);
        if new {
            self.keep_profile().await;
        }
        new
    }

    async fn kept_profile(&self) -> Option<KeptProfile> {
        let value = self
            .wire
            .kit
            .kept
            .get(&self.profile.kept_as)
            .await
            .ok()
            .flatten()?;
        serde_json::from_str(value.expose_secret()).ok()
    }

    /// Whether the account is known to have no more than one currency.
    pub(crate) fn has_one_currency(&self) -> bool {
        let shape = self.profile.loaded(self.wire.kit.timer.now());
        shape.is_some_and(|shape| shape.currencies.len() <= 1)
    }

    async fn keep_profile(&self) {
        let now = self.wire.kit.timer.now();
        let Some(shape) = self.profile.loaded(now) else {
            return;
        };
        // A list that is withheld may be shown to the next process.
        if shape.one_world && shape.subsidiaries.is_empty() {
            return;
        }
        let kept = KeptProfile {
            shape: (*shape).clone(),
            hidden: self.profile.hidden(),
        };
        let Ok(text) = serde_json::to_string(&kept) else {
            return;
        };
        let expires = Timestamp::from_second(now.as_second() + KEPT_SECONDS).unwrap_or(now);
        let text: SecretString = text.into();
        if let Err(error) = self
            .wire
            .kit
            .kept
            .put(&self.profile.kept_as, &text, expires)
            .await
        {
            tracing::debug!(%error, "the account's shape could not be kept");
        }
    }

    async fn find_out(&self) -> Result<Shape, Fault> {
        let (one_world, subsidiaries) = self.find_subsidiaries().await?;
        let sql = "SELECT c.id AS id, c.symbol AS symbol, c.isbasecurrency AS base \
                   FROM currency c ORDER BY c.id";
        let rows = self.query(sql, &[]).await?.rows;
        let currencies: Vec<LedgerCurrency> = rows
            .iter()
            .filter_map(|row| {
                Some(LedgerCurrency {
                    id: row.id("id")?,
                    symbol: row.string("symbol"),
                    base: row.flag("base"),
                })
            })
            .collect();
        // Every account has one. Without it no amount of a whole day could be read.
        if currencies.iter().all(|known| known.symbol.is_empty()) {
            return Err(Fault::Drift {
                code: Code::new("drift"),
                cause: "the account shows no currency: no row of `currency` has a `symbol`"
                    .to_owned(),
            });
        }
        Ok(Shape {
            one_world,
            subsidiaries,
            currencies,
        })
    }

    /// Whether there are subsidiaries, and which. A role that may not list them gets the same words as an
    /// account without them, so a column that only OneWorld has is asked for, too.
    async fn find_subsidiaries(&self) -> Result<(bool, Vec<Subsidiary>), Fault> {
        if let Some(listed) = self.listed_subsidiaries().await? {
            return Ok((true, listed));
        }
        for sql in [
            "SELECT l.subsidiary AS subsidiary FROM transactionline l FETCH FIRST 1 ROWS ONLY",
            "SELECT t.subsidiary AS subsidiary FROM transaction t FETCH FIRST 1 ROWS ONLY",
        ] {
            match self.query(sql, &[]).await {
                // There are some. What was withheld once may have passed: only twice is it the role's.
                Ok(_) => {
                    let listed = self.listed_subsidiaries().await?;
                    return Ok((true, listed.unwrap_or_default()));
                }
                Err(Fault::Refused { cause, .. })
                    if unknown_column(&cause).is_some() || unknown_table(&cause) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok((false, Vec::new()))
    }

    /// The subsidiaries; `None` where none are listed.
    async fn listed_subsidiaries(&self) -> Result<Option<Vec<Subsidiary>>, Fault> {
        let sql = "SELECT s.id AS id, s.name AS name, s.parent AS parent, s.currency AS currency, \
                   s.isinactive AS inactive, s.iselimination AS elimination \
                   FROM subsidiary s ORDER BY s.id";
        match self.query(sql, &[]).await {
            Ok(found) if found.rows.is_empty() => Ok(None),
            Ok(found) => Ok(Some(found.rows.iter().filter_map(subsidiary).collect())),
            Err(fault) if about_the_query(&fault) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

fn subsidiary(row: &Row) -> Option<Subsidiary> {
    Some(Subsidiary {
        id: row.id("id")?,
        name: row.string("name"),
        parent: row.id("parent"),
        inactive: row.flag("inactive"),
        elimination: row.flag("elimination"),
        currency: row.id("currency"),
    })
}

/// A refusal of the table itself, as opposed to a failed sign-in or to a refusal that may pass.
fn about_the_query(fault: &Fault) -> bool {
    match fault {
        Fault::Refused { cause, .. } => not_there(cause),
        other => other.code() == Code::new("permission-missing"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Stage, client, refusal};

    fn shape() -> Shape {
        let subsidiary = |id: &str, name: &str, parent: Option<&str>| Subsidiary {
            id: id.into(),
            name: name.to_owned(),
            parent: parent.map(RemoteId::from),
            inactive: false,
            elimination: false,
            currency: Some("1".into()),
        };
        Shape {
            one_world: true,
            subsidiaries: vec![
                subsidiary("1", "Acme Holding", None),
                subsidiary("3", "Acme US", Some("1")),
            ],
            currencies: vec![LedgerCurrency {
                id: "1".into(),
                symbol: "USD".to_owned(),
                base: true,
            }],
        }
    }

    fn settings(subsidiary: Option<&str>) -> Settings {
        let mut table = serde_json::Map::new();
        table.insert("account".to_owned(), "1234567".into());
        if let Some(id) = subsidiary {
            table.insert("subsidiary".to_owned(), id.into());
        }
        Settings::from_table(&table).unwrap()
    }

    #[test]
    fn s202_a_oneworld_account_without_a_subsidiary_is_refused_with_the_list() {
        let fault = shape().check(&settings(None)).unwrap_err();
        assert_eq!(fault.code().as_str(), "subsidiary-missing");
        assert!(fault.to_string().contains("3 = Acme US"), "{fault}");
        assert!(
            shape()
                .check(&settings(Some("9")))
                .unwrap_err()
                .to_string()
                .contains("3 = Acme US")
        );
        assert!(shape().check(&settings(Some("3"))).is_ok());
        let single = Shape::default();
        assert!(single.check(&settings(None)).is_ok());
        let fault = single.check(&settings(Some("3"))).unwrap_err();
        assert_eq!(fault.code().as_str(), "subsidiary-not-allowed");
    }

    #[test]
    fn records_are_shared_by_list_or_through_a_parent() {
        let shape = shape();
        let three = RemoteId::new("3");
        assert!(shape.shared_with(&[], false, Some(&three)));
        assert!(shape.shared_with(&["3".into()], false, Some(&three)));
        assert!(!shape.shared_with(&["1".into()], false, Some(&three)));
        assert!(shape.shared_with(&["1".into()], true, Some(&three)));
        assert!(shape.shared_with(&["1".into()], false, None));
    }

    #[test]
    fn the_accounts_base_is_no_unlisted_subsidiarys_currency() {
        let mut shape = shape();
        let three = RemoteId::new("3");
        shape.currencies.push(LedgerCurrency {
            id: "2".into(),
            symbol: "CAD".to_owned(),
            base: false,
        });
        assert_eq!(shape.currency(None, Some(&three)), Some(Currency::USD));
        shape.subsidiaries.clear();
        assert_eq!(shape.currency(None, Some(&three)), None);
        shape.currencies.pop();
        assert_eq!(shape.currency(None, Some(&three)), Some(Currency::USD));
    }

    fn of_three(stage: &Stage) -> Client {
        client(stage, &json!({"account": "1234567", "subsidiary": "3"}))
    }

    fn listed() -> Value {
        json!([{"id": "1", "name": "Acme Holding", "currency": "1"},
            {"id": "3", "name": "Acme US", "parent": "1", "currency": "1"}])
    }

    fn dollars(stage: &Stage) {
        let rows = json!([{"id": "1", "symbol": "USD", "base": "T"}]);
        stage.script.rows(&rows);
    }

    #[tokio::test]
    async fn s202_a_list_that_was_withheld_for_once_is_asked_for_again() {
        let empty = json!({"items": [], "hasMore": false}).to_string();
        let closed = refusal("Search error occurred: Record 'subsidiary' was not found.");
        for (status, body) in [
            (200, empty),
            (403, refusal("Permission Violation")),
            (400, closed),
            (400, refusal("Invalid or unsupported search")),
        ] {
            let stage = Stage::new();
            stage.script.answer(status, &body);
            stage.script.rows(&json!([{"subsidiary": "3"}]));
            stage.script.rows(&listed());
            dollars(&stage);
            let shape = of_three(&stage).shape().await.unwrap();
            assert!(shape.one_world, "{body}");
            assert_eq!(shape.subsidiaries.len(), 2, "{body}");
            assert_eq!(stage.kept.names().len(), 1, "{body}");
        }
    }

    #[tokio::test]
    async fn s202_a_list_that_stays_withheld_is_asked_for_by_the_next_process() {
        let stage = Stage::new();
        let withheld = refusal("Search error occurred: Record 'subsidiary' was not found.");
        stage.script.answer(400, &withheld);
        stage.script.rows(&json!([{"subsidiary": "3"}]));
        stage.script.answer(400, &withheld);
        dollars(&stage);
        let shape = of_three(&stage).shape().await.unwrap();
        assert!(shape.one_world && shape.subsidiaries.is_empty());
        assert!(stage.kept.names().is_empty());
        stage.script.rows(&listed());
        dollars(&stage);
        let shape = of_three(&stage).shape().await.unwrap();
        assert_eq!(shape.subsidiaries.len(), 2);
        assert_eq!(stage.kept.names().len(), 1);
        assert!(stage.script.used_up());
    }

    #[tokio::test]
    async fn an_account_that_shows_no_currency_has_no_shape() {
        for rows in [json!([]), json!([{"id": "1", "base": "T"}])] {
            let stage = Stage::new();
            stage.script.rows(&listed());
            stage.script.rows(&rows);
            let fault = of_three(&stage).shape().await.unwrap_err();
            assert!(matches!(fault, Fault::Drift { .. }), "{fault:?}");
            assert!(stage.kept.names().is_empty(), "{rows}");
        }
    }
}
