//! Payment terms.

use async_trait::async_trait;
use tieout_domain::document::Terms;
use tieout_domain::{Document, Fault, Kind};

use crate::call::Client;
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, column};

const COLUMNS: Columns = Columns {
    family: "terms",
    columns: &[
        column("t.id", "id"),
        column("t.name", "name"),
        column("t.daysuntilnetdue", "days"),
        column("t.isinactive", "isinactive"),
        ASKED,
    ],
};

pub(super) struct AllTerms;

#[async_trait]
impl Source for AllTerms {
    fn kind(&self) -> Kind {
        Kind::Terms
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, _client: &Client, _shape: &Shape) -> String {
        "FROM term t WHERE t.id IS NOT NULL".to_owned()
    }

    /// Terms show no time of their last change; there are few, and all of them are read.
    fn changed(&self, _since: &str) -> String {
        "t.id IS NOT NULL".to_owned()
    }

    fn version(&self, row: &Row) -> String {
        let words = ["name", "days", "isinactive"].map(|name| row.text(name));
        words.join("/")
    }

    async fn documents(
        &self,
        _client: &Client,
        _shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let terms = |row: &Row| {
            let days = row.number("days").and_then(|days| u32::try_from(days).ok());
            Ok(Some(Document::Terms(Terms {
                name: row.string("name"),
                days,
                inactive: row.flag("isinactive"),
            })))
        };
        Ok(rows.iter().map(terms).collect())
    }
}
