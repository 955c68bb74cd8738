//! Vendors, with their subsidiaries and addresses. Bank details are not read.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tieout_domain::code::Code;
use tieout_domain::document::{Address, Vendor};
use tieout_domain::{Document, Fault, Kind, RemoteId};

use crate::call::Client;
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, column, id_list, optional};

const COLUMNS: Columns = Columns {
    family: "vendors",
    columns: &[
        column("t.id", "id"),
        column("t.entityid", "entityid"),
        column("t.companyname", "companyname"),
        optional("t.firstname", "firstname", "firstname"),
        optional("t.lastname", "lastname", "lastname"),
        optional("t.isperson", "isperson", "isperson"),
        optional("t.printoncheckas", "payee", "printoncheckas"),
        optional("t.email", "email", "email"),
        optional("t.phone", "phone", "phone"),
        optional("t.accountnumber", "accountnumber", "accountnumber"),
        optional("t.currency", "currency", "currency"),
        optional("BUILTIN.DF(t.category)", "category", "category"),
        // The rest of a tax id never leaves the service (scenario 26).
        optional("SUBSTR(t.taxidnum, -4)", "taxid", "taxidnum"),
        optional("t.is1099eligible", "is1099", "is1099eligible"),
        optional("t.giveaccess", "giveaccess", "giveaccess"),
        column("t.isinactive", "isinactive"),
        column(
            "TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')",
            "modified",
        ),
        ASKED,
    ],
};

const SUBSIDIARIES: Columns = Columns {
    family: "vendor subsidiaries",
    columns: &[
        column("r.id", "id"),
        column("r.entity", "entity"),
        column("r.subsidiary", "subsidiary"),
        column("r.isprimarysub", "isprimary"),
    ],
};

const ADDRESSES: Columns = Columns {
    family: "vendor addresses",
    columns: &[
        column("b.entity", "entity"),
        column("a.nkey", "id"),
        column("a.addr1", "addr1"),
        column("a.addr2", "addr2"),
        column("a.city", "city"),
        optional("a.dropdownstate", "dropdownstate", "dropdownstate"),
        optional("a.state", "state", "state"),
        column("a.zip", "zip"),
        column("a.country", "country"),
    ],
};

pub(crate) struct Vendors;

#[async_trait]
impl Source for Vendors {
    fn kind(&self) -> Kind {
        Kind::Vendor
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, client: &Client, _shape: &Shape) -> String {
        let mut from = "FROM vendor t WHERE t.id IS NOT NULL".to_owned();
        if let Some(subsidiary) = &client.settings.subsidiary {
            // `vendor.subsidiary` is no column in some accounts, so the relationship says it.
            from.push_str(&format!(
                " AND t.id IN (SELECT r.entity FROM vendorsubsidiaryrelationship r \
                 WHERE r.subsidiary = {subsidiary})"
            ));
        }
        from
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let ids: Vec<RemoteId> = rows.iter().filter_map(|row| row.id("id")).collect();
        let mut subsidiaries = if shape.one_world {
            subsidiaries(client, &ids).await?
        } else {
            BTreeMap::new()
        };
        let mut addresses = addresses(client, &ids).await?;
        Ok(rows
            .iter()
            .map(|row| {
                let id = row.need_id("id")?;
                let currency = row
                    .id("currency")
                    .and_then(|id| shape.currency(Some(&id), None));
                let mut vendor = vendor(row);
                vendor.currency = currency;
                vendor.subsidiaries = subsidiaries.remove(&id).unwrap_or_default();
                vendor.address = addresses.remove(&id);
                Ok(Some(Document::Vendor(vendor)))
            })
            .collect())
    }
}

fn vendor(row: &Row) -> Vendor {
    let person = row
        .flag("isperson")
        .then(|| (row.string("firstname"), row.string("lastname")))
        .filter(|(first, last)| !first.is_empty() || !last.is_empty());
    let full = person
        .as_ref()
        .map(|(first, last)| format!("{first} {last}").trim().to_owned());
    let name = [
        row.text("companyname"),
        full.as_deref().unwrap_or_default(),
        row.text("entityid"),
    ]
    .into_iter()
    .find(|name| !name.is_empty())
    .unwrap_or_default()
    .to_owned();
    let payee = row.string("payee");
    Vendor {
        payee: (!payee.is_empty() && payee != name).then_some(payee),
        name,
        number: row.string("entityid"),
        person,
        email: row.string("email"),
        phone: row.string("phone"),
        address: None,
        account_number: row.string("accountnumber"),
        currency: None,
        tax_id_last4: row.string("taxid"),
        form_1099: row.flag("is1099"),
        subsidiaries: Vec::new(),
        category: row.string("category"),
        inactive: row.flag("isinactive"),
        login_access: row.flag("giveaccess"),
        self_managed: false,
        payable_electronically: false,
    }
}

/// Every subsidiary of these vendors, the primary one first.
async fn subsidiaries(
    client: &Client,
    ids: &[RemoteId],
) -> Result<BTreeMap<RemoteId, Vec<RemoteId>>, Fault> {
    let mut all: BTreeMap<RemoteId, Vec<RemoteId>> = BTreeMap::new();
    let list = id_list(ids);
    let rows = client
        .select_all(SUBSIDIARIES, |last| {
            let after = last
                .map(|row| format!(" AND r.id > {}", row.text("id")))
                .unwrap_or_default();
            format!(
                "FROM vendorsubsidiaryrelationship r WHERE r.entity IN ({list}){after} \
                 ORDER BY r.id FETCH FIRST 1000 ROWS ONLY"
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

/// The billing address of these vendors: joins of addresses are what times out over there, so they are
/// asked for the vendors that changed alone.
async fn addresses(
    client: &Client,
    ids: &[RemoteId],
) -> Result<BTreeMap<RemoteId, Address>, Fault> {
    let list = id_list(ids);
    let found = client
        .select_all(ADDRESSES, |last| {
            let after = last
                .map(|row| format!(" AND a.nkey > {}", row.text("id")))
                .unwrap_or_default();
            format!(
                "FROM vendoraddressbook b JOIN vendoraddressbookentityaddress a \
                 ON a.nkey = b.addressbookaddress \
                 WHERE b.defaultbilling = 'T' AND b.entity IN ({list}){after} \
                 ORDER BY a.nkey FETCH FIRST 1000 ROWS ONLY"
            )
        })
        .await;
    let rows = match found {
        Ok(rows) => rows,
        // An address is of use and not of need: without it a vendor is still the same vendor.
        Err(fault)
            if matches!(fault, Fault::Drift { .. })
                || fault.code() == Code::new("permission-missing") =>
        {
            tracing::warn!(%fault, "vendors are read without their addresses");
            Vec::new()
        }
        Err(fault) => return Err(fault),
    };
    Ok(rows
        .iter()
        .filter_map(|row| Some((row.id("entity")?, address(row))))
        .collect())
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
    use super::*;
    use crate::testing::row;

    #[test]
    fn a_company_and_a_person_get_their_names() {
        let company = vendor(&row(&[
            ("companyname", "Acme Chairs"),
            ("entityid", "V100"),
        ]));
        assert_eq!(
            (company.name.as_str(), company.number.as_str()),
            ("Acme Chairs", "V100")
        );
        let person = vendor(&row(&[
            ("isperson", "T"),
            ("firstname", "Ada"),
            ("lastname", "Byron"),
            ("payee", "A. Byron"),
        ]));
        assert_eq!(person.name, "Ada Byron");
        assert_eq!(person.payee.as_deref(), Some("A. Byron"));
    }
}
