//! Departments, classes and locations.

use async_trait::async_trait;
use tieout_domain::code::Code;
use tieout_domain::document::Dimension;
use tieout_domain::{Document, Fault, Kind};

use crate::call::Client;
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, column, optional};

macro_rules! columns {
    ($family:literal) => {
        Columns {
            family: $family,
            columns: &[
                column("t.id", "id"),
                column("t.name", "name"),
                column("t.fullname", "fullname"),
                column("t.parent", "parent"),
                column("t.isinactive", "isinactive"),
                optional("t.subsidiary", "subsidiary", "subsidiary"),
                optional("t.includechildren", "includechildren", "includechildren"),
                column(
                    "TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')",
                    "modified",
                ),
                ASKED,
            ],
        }
    };
}

const DEPARTMENTS: Columns = columns!("departments");
const CLASSES: Columns = columns!("classes");
const LOCATIONS: Columns = columns!("locations");

/// One of the three axes.
pub(crate) struct Dimensions(pub(crate) Kind);

impl Dimensions {
    fn table(&self) -> &'static str {
        match self.0 {
            Kind::Class => "classification",
            Kind::Location => "location",
            _ => "department",
        }
    }
}

#[async_trait]
impl Source for Dimensions {
    fn kind(&self) -> Kind {
        self.0
    }

    fn columns(&self) -> Columns {
        match self.0 {
            Kind::Class => CLASSES,
            Kind::Location => LOCATIONS,
            _ => DEPARTMENTS,
        }
    }

    fn from(&self, _client: &Client, _shape: &Shape) -> String {
        format!("FROM {} t WHERE t.id IS NOT NULL", self.table())
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
                if !shape.shared_with(&list, row.flag("includechildren"), subsidiary) {
                    return Ok(None);
                }
                let path = row.text("fullname");
                let name = row.text("name");
                Ok(Some(Document::Dimension(Dimension {
                    axis: self.0,
                    name: name.rsplit(" : ").next().unwrap_or(name).to_owned(),
                    path: if path.is_empty() { name } else { path }.to_owned(),
                    parent: row.id("parent"),
                    inactive: row.flag("isinactive"),
                    subsidiaries: list,
                })))
            })
            .collect())
    }
}

/// An account with a dimension switched off refuses its table: that axis is then empty, and no failure.
/// A missing permission reads the same, so it is told apart by whether transaction lines carry the axis.
pub(crate) async fn switched_off(client: &Client, kind: Kind, fault: &Fault) -> bool {
    let refused = matches!(fault, Fault::Drift { .. } | Fault::Refused { .. })
        || fault.code() == Code::new("permission-missing");
    if !refused {
        return false;
    }
    let column = match kind {
        Kind::Class => "class",
        Kind::Location => "location",
        _ => "department",
    };
    let sql = format!("SELECT l.{column} AS axis FROM transactionline l FETCH FIRST 1 ROWS ONLY");
    match client.query(&sql, &[]).await {
        Err(Fault::Refused { cause, .. }) => crate::problem::unknown_column(&cause).is_some(),
        _ => false,
    }
}
