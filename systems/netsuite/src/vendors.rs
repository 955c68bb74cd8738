//! Vendors, with their subsidiaries and addresses. Bank details are not read.

use async_trait::async_trait;
use tieout_domain::document::Vendor;
use tieout_domain::{Document, Fault, Kind};

use crate::call::Client;
use crate::entities::{self, Hung, VENDORS};
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, column, optional};

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
        VENDORS.from(client)
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let document = |row: &Row, hung: Hung| {
            Document::Vendor(Vendor {
                currency: hung.currency,
                subsidiaries: hung.subsidiaries,
                address: hung.address,
                ..vendor(row)
            })
        };
        VENDORS.documents(client, shape, rows, document).await
    }
}

fn vendor(row: &Row) -> Vendor {
    let name = entities::name(row);
    let payee = row.string("payee");
    Vendor {
        payee: (!payee.is_empty() && payee != name).then_some(payee),
        name,
        number: row.string("entityid"),
        person: entities::person(row),
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
