//! Customers, with their subsidiaries and billing addresses.

use async_trait::async_trait;
use tieout_domain::document::Customer;
use tieout_domain::{Document, Fault, Kind};

use crate::bills::external_id;
use crate::call::Client;
use crate::entities::{self, CUSTOMERS, Hung};
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, column, optional};

const COLUMNS: Columns = Columns {
    family: "customers",
    columns: &[
        column("t.id", "id"),
        column("t.entityid", "entityid"),
        column("t.companyname", "companyname"),
        optional("t.firstname", "firstname", "firstname"),
        optional("t.lastname", "lastname", "lastname"),
        optional("t.isperson", "isperson", "isperson"),
        optional("t.email", "email", "email"),
        optional("t.phone", "phone", "phone"),
        optional("t.currency", "currency", "currency"),
        optional("t.terms", "terms", "terms"),
        optional("t.parent", "parent", "parent"),
        optional("t.externalid", "externalid", "externalid"),
        column("t.isinactive", "isinactive"),
        column(
            "TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')",
            "modified",
        ),
        ASKED,
    ],
};

#[derive(Clone, Copy)]
pub(crate) struct Customers;

#[async_trait]
impl Source for Customers {
    fn kind(&self) -> Kind {
        Kind::Customer
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, client: &Client, _shape: &Shape) -> String {
        CUSTOMERS.from(client)
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let document = |row: &Row, hung: Hung| {
            Document::Customer(Customer {
                currency: hung.currency,
                subsidiaries: hung.subsidiaries,
                address: hung.address,
                ..customer(row)
            })
        };
        CUSTOMERS.documents(client, shape, rows, document).await
    }
}

fn customer(row: &Row) -> Customer {
    Customer {
        name: entities::name(row),
        number: row.string("entityid"),
        person: entities::person(row),
        email: row.string("email"),
        phone: row.string("phone"),
        address: None,
        currency: None,
        terms: row.id("terms"),
        parent: row.id("parent"),
        subsidiaries: Vec::new(),
        inactive: row.flag("isinactive"),
        automatic_payment: false,
        reminders: false,
        marker: None,
        external_id: external_id(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn a_customer_keeps_its_number_and_its_parent_beside_its_name() {
        let read = customer(&row(&[
            ("entityid", "C00004"),
            ("isperson", "T"),
            ("firstname", "John"),
            ("lastname", "Smith"),
            ("parent", "1007"),
            ("terms", "2"),
            ("externalid", "inv_77"),
        ]));
        assert_eq!(
            (read.name.as_str(), read.number.as_str()),
            ("John Smith", "C00004")
        );
        assert_eq!(read.parent, Some("1007".into()));
        assert_eq!(read.terms, Some("2".into()));
        assert_eq!(read.external_id.unwrap().as_str(), "inv_77");
    }
}
