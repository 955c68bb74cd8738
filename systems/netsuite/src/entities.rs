//! What vendors and customers have in common: subsidiaries, addresses, names.

use std::collections::BTreeMap;

use tieout_domain::code::Code;
use tieout_domain::document::Address;
use tieout_domain::{Currency, Document, Fault, RemoteId};

use crate::call::Client;
use crate::lines::ids;
use crate::probe::Shape;
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
        let list = id_list(ids);
        let book = format!("{}addressbook", self.table);
        let found = client
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
            .await;
        let rows = match found {
            Ok(rows) => rows,
            // An address is of use and not of need: without it an entity is still the same entity.
            Err(fault)
                if matches!(fault, Fault::Drift { .. })
                    || fault.code() == Code::new("permission-missing") =>
            {
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
