//! What vendors and customers have in common: subsidiaries, addresses, names.

use std::collections::BTreeMap;

use tieout_domain::code::Code;
use tieout_domain::document::Address;
use tieout_domain::{Currency, Document, Fault, RemoteId};

use crate::call::Client;
use crate::lines::ids;
use crate::probe::Shape;
use crate::problem::not_there;
use crate::reader::Reading;
use crate::suiteql::{Column, Columns, Row, column, id_list, optional};

const SUBSIDIARIES: &[Column] = &[
    column("r.id", "id"),
    column("r.entity", "entity"),
    column("r.subsidiary", "subsidiary"),
    column("r.isprimarysub", "isprimary"),
];

const ADDRESSES: &[Column] = &[
    column("b.entity", "entity"),
    column("a.nkey", "id"),
    column("a.addr1", "addr1"),
    column("a.addr2", "addr2"),
    column("a.city", "city"),
    optional("a.dropdownstate", "dropdownstate", "dropdownstate"),
    optional("a.state", "state", "state"),
    column("a.zip", "zip"),
    column("a.country", "country"),
];

/// Where one sort of entity and what hangs on it are kept.
pub(crate) struct Entities {
    table: &'static str,
    subsidiaries: Columns,
    addresses: Columns,
}

/// What hangs on an entity.
pub(crate) struct Hung {
    pub(crate) currency: Option<Currency>,
    pub(crate) subsidiaries: Vec<RemoteId>,
    pub(crate) address: Option<Address>,
}

/// Vendors.
pub(crate) const VENDORS: Entities = Entities {
    table: "vendor",
    subsidiaries: Columns {
        family: "vendor subsidiaries",
        columns: SUBSIDIARIES,
    },
    addresses: Columns {
        family: "vendor addresses",
        columns: ADDRESSES,
    },
};

/// Customers.
pub(crate) const CUSTOMERS: Entities = Entities {
    table: "customer",
    subsidiaries: Columns {
        family: "customer subsidiaries",
        columns: SUBSIDIARIES,
    },
    addresses: Columns {
        family: "customer addresses",
        columns: ADDRESSES,
    },
};

impl Entities {
    /// `FROM` and `WHERE` of those that the connection's subsidiary may use.
    pub(crate) fn from(&self, client: &Client) -> String {
        let table = self.table;
        let mut from = format!("FROM {table} t WHERE t.id IS NOT NULL");
        if let Some(subsidiary) = &client.settings.subsidiary {
            // `subsidiary` is no column of the table in some accounts, so the relationship says it.
            from.push_str(&format!(
                " AND t.id IN (SELECT r.entity FROM {table}subsidiaryrelationship r \
                 WHERE r.subsidiary = {subsidiary})"
            ));
        }
        from
    }

    /// Makes each row's document of the row and what hangs on it.
    pub(crate) async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
        make: impl Fn(&Row, Hung) -> Document + Send,
    ) -> Result<Vec<Reading>, Fault> {
        let ids = ids(rows);
        let mut subsidiaries = if shape.one_world {
            self.subsidiaries(client, &ids).await?
        } else {
            BTreeMap::new()
        };
        let mut addresses = self.addresses(client, &ids).await?;
        let made = rows.iter().map(|row| {
            let id = row.need_id("id")?;
            let currency = row.id("currency");
            let hung = Hung {
                currency: currency.and_then(|id| shape.currency(Some(&id), None)),
                subsidiaries: subsidiaries.remove(&id).unwrap_or_default(),
                address: addresses.remove(&id),
            };
            Ok(Some(make(row, hung)))
        });
        Ok(made.collect())
    }

    /// Every subsidiary of these entities, the primary one first.
    async fn subsidiaries(
        &self,
        client: &Client,
        ids: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Vec<RemoteId>>, Fault> {
        let mut all: BTreeMap<RemoteId, Vec<RemoteId>> = BTreeMap::new();
        let list = id_list(ids);
        let rows = client
            .select_all(self.subsidiaries, |last| {
                let after = last
                    .map(|row| format!(" AND r.id > {}", row.text("id")))
                    .unwrap_or_default();
                format!(
                    "FROM {}subsidiaryrelationship r WHERE r.entity IN ({list}){after} \
                     ORDER BY r.id FETCH FIRST 1000 ROWS ONLY",
                    self.table
                )
            })
            .await?;
        for row in &rows {
            if let (Some(entity), Some(subsidiary)) = (row.id("entity"), row.id("subsidiary")) {
                let of = all.entry(entity).or_default();
                let at = if row.flag("isprimary") { 0 } else { of.len() };
                of.insert(at, subsidiary);
            }
        }
        Ok(all)
    }

    /// The billing address of these entities: joins of addresses are what times out over there, so they are
    /// asked for the entities that changed alone.
    async fn addresses(
        &self,
        client: &Client,
        ids: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Address>, Fault> {
        let mut found = self.address_rows(client, ids).await;
        // What is said once may pass; and an entity without its address is one that somebody has edited.
        if found.as_ref().is_err_and(not_listed) {
            found = self.address_rows(client, ids).await;
        }
        let rows = match found {
            Ok(rows) => rows,
            // An address is of use and not of need: without it an entity is still the same entity.
            Err(fault) if not_listed(&fault) => {
                tracing::warn!(%fault, table = self.table, "read without addresses");
                Vec::new()
            }
            Err(fault) => return Err(fault),
        };
        Ok(rows
            .iter()
            .filter_map(|row| Some((row.id("entity")?, address(row))))
            .collect())
    }

    async fn address_rows(&self, client: &Client, ids: &[RemoteId]) -> Result<Vec<Row>, Fault> {
        let list = id_list(ids);
        let book = format!("{}addressbook", self.table);
        client
            .select_all(self.addresses, |last| {
                let after = last
                    .map(|row| format!(" AND a.nkey > {}", row.text("id")))
                    .unwrap_or_default();
                format!(
                    "FROM {book} b JOIN {book}entityaddress a ON a.nkey = b.addressbookaddress \
                     WHERE b.defaultbilling = 'T' AND b.entity IN ({list}){after} \
                     ORDER BY a.nkey FETCH FIRST 1000 ROWS ONLY"
                )
            })
            .await
    }
}

/// Whether the role may not list addresses, or the account hasn't got what they are read from.
fn not_listed(fault: &Fault) -> bool {
    match fault {
        Fault::Drift { cause, .. } => not_there(cause),
        other => other.code() == Code::new("permission-missing"),
    }
}

/// A person's first and last name, where it is one.
pub(crate) fn person(row: &Row) -> Option<(String, String)> {
    row.flag("isperson")
        .then(|| (row.string("firstname"), row.string("lastname")))
        .filter(|(first, last)| !first.is_empty() || !last.is_empty())
}

/// What an entity is called: the company's name, the person's, or else its number.
pub(crate) fn name(row: &Row) -> String {
    let full = person(row).map(|(first, last)| format!("{first} {last}").trim().to_owned());
    [
        row.text("companyname"),
        full.as_deref().unwrap_or_default(),
        row.text("entityid"),
    ]
    .into_iter()
    .find(|name| !name.is_empty())
    .unwrap_or_default()
    .to_owned()
}

fn address(row: &Row) -> Address {
    let state = [row.text("dropdownstate"), row.text("state")];
    Address {
        line1: row.string("addr1"),
        line2: row.string("addr2"),
        city: row.string("city"),
        state: state
            .into_iter()
            .find(|state| !state.is_empty())
            .unwrap_or_default()
            .to_owned(),
        zip: row.string("zip"),
        country: row.string("country"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Stage, client, refusal};

    #[tokio::test]
    async fn an_entity_is_without_an_address_only_where_none_can_be_listed() {
        let stage = Stage::new();
        let client = client(&stage, &json!({"account": "1234567"}));
        let ids = [RemoteId::new("12")];
        let asked = async || VENDORS.addresses(&client, &ids).await;
        let closed = include_str!("../fixtures/record_not_found.json");
        let lacking = refusal("Unknown identifier 'zip'.");
        for said in [closed, lacking.as_str()] {
            stage.script.answer(400, said);
            stage.script.answer(400, said);
            assert!(asked().await.unwrap().is_empty(), "{said}");
        }
        // What was said once has passed.
        stage.script.answer(400, closed);
        let row = json!([{"id": "7", "entity": "12", "addr1": "1 Main St"}]);
        stage.script.rows(&row);
        assert_eq!(asked().await.unwrap()[&ids[0]].line1, "1 Main St");
        // Refused, and then without what an account may lack.
        stage.script.answer(400, &refusal("Declined."));
        stage.script.answer(400, &refusal("Declined."));
        let fault = asked().await.unwrap_err();
        assert!(fault.to_string().contains("Declined"), "{fault}");
        assert!(stage.script.used_up());
    }
}
