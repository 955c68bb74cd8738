//! Items that are sold, those among them that stand for discounts, taxes and freight.

use async_trait::async_trait;
use tieout_domain::document::Item;
use tieout_domain::{Document, Fault, Kind};

use crate::call::Client;
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, column, optional};

const COLUMNS: Columns = Columns {
    family: "items",
    columns: &[
        column("t.id", "id"),
        column("t.itemid", "itemid"),
        optional("t.fullname", "fullname", "fullname"),
        optional("t.displayname", "displayname", "displayname"),
        optional("t.description", "description", "description"),
        column("t.itemtype", "itemtype"),
        optional("t.subsidiary", "subsidiary", "subsidiary"),
        column("t.isinactive", "isinactive"),
        column(
            "TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')",
            "modified",
        ),
        ASKED,
    ],
};

pub(super) struct Items;

#[async_trait]
impl Source for Items {
    fn kind(&self) -> Kind {
        Kind::Item
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    /// What is only bought can't stand on an invoice.
    fn from(&self, _client: &Client, _shape: &Shape) -> String {
        "FROM item t WHERE (t.subtype IS NULL OR t.subtype <> 'Purchase')".to_owned()
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let subsidiary = client.settings.subsidiary.as_ref();
        Ok(rows
            .iter()
            .map(|row| {
                let list = row.ids("subsidiary");
                let shared = shape.shared_with(&list, false, subsidiary);
                Ok(shared.then(|| Document::Item(item(row))))
            })
            .collect())
    }
}

fn item(row: &Row) -> Item {
    let names = [row.text("fullname"), row.text("itemid")];
    let name = names.into_iter().find(|name| !name.is_empty());
    let texts = [row.text("description"), row.text("displayname")];
    let description = texts.into_iter().find(|text| !text.is_empty());
    Item {
        name: name.unwrap_or_default().to_owned(),
        description: description.unwrap_or_default().to_owned(),
        item_type: row.string("itemtype"),
        subsidiaries: row.ids("subsidiary"),
        inactive: row.flag("isinactive"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn an_item_has_its_path_for_a_name() {
        let read = item(&row(&[
            ("itemid", "Hour"),
            ("fullname", "Consulting : Hour"),
            ("itemtype", "Service"),
            ("displayname", "Consulting, by the hour"),
        ]));
        assert_eq!(read.name, "Consulting : Hour");
        assert_eq!(read.description, "Consulting, by the hour");
        assert_eq!(item(&row(&[("itemid", "Hour")])).name, "Hour");
    }
}
