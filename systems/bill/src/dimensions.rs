//! Departments, classes and locations (README §Classifications).

use async_trait::async_trait;
use http::Method;
use serde::{Deserialize, Serialize};
use tieout_domain::document::Dimension;
use tieout_domain::{Document, Fault, Kind, RemoteId};

use crate::call::Client;
use crate::list::{Room, Shelf};
use crate::tree::Names;
use crate::wire::{self, Head, reference};
use crate::write::{Writable, json, wrong_kind};

const fn shelf(path: &'static str, noun: &'static str, wrapped: &'static str) -> Shelf {
    Shelf {
        path,
        noun,
        wrapped,
        bulk_max: 50,
        by_change: false,
        archives: true,
        restores: true,
    }
}

const DEPARTMENTS: Shelf = shelf(
    "/v3/classifications/departments",
    "department",
    "departments",
);
const CLASSES: Shelf = shelf(
    "/v3/classifications/accounting-classes",
    "class",
    "accountingClasses",
);
const LOCATIONS: Shelf = shelf("/v3/classifications/locations", "location", "locations");

/// The values of one dimension.
#[derive(Debug)]
pub(crate) struct Dimensions {
    axis: Kind,
    shelf: Shelf,
    names: Names,
}

impl Dimensions {
    pub(crate) fn departments() -> Self {
        Self {
            axis: Kind::Department,
            shelf: DEPARTMENTS,
            names: Names::default(),
        }
    }

    pub(crate) fn classes() -> Self {
        Self {
            axis: Kind::Class,
            shelf: CLASSES,
            names: Names::default(),
        }
    }

    pub(crate) fn locations() -> Self {
        Self {
            axis: Kind::Location,
            shelf: LOCATIONS,
            names: Names::default(),
        }
    }

    fn own<'a>(&self, document: &'a Document) -> Result<&'a Dimension, Fault> {
        match document {
            Document::Dimension(dimension) if dimension.axis == self.axis => Ok(dimension),
            other => Err(wrong_kind(other)),
        }
    }
}

/// A value as BILL shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    #[serde(deserialize_with = "wire::text")]
    name: String,
    #[serde(default, deserialize_with = "wire::text")]
    parent_id: String,
    #[serde(default)]
    archived: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<Option<&'a RemoteId>>,
}

#[async_trait]
impl Room for Dimensions {
    type Shown = Shown;

    fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    async fn documents(
        &self,
        client: &Client,
        shown: &[(Head, Shown)],
    ) -> Result<Vec<Result<Document, String>>, Fault> {
        let seen = |(head, shown): &(Head, Shown)| {
            (
                head.id.as_str().into(),
                shown.name.clone(),
                reference(&shown.parent_id),
            )
        };
        let seen = shown.iter().map(seen).collect();
        let paths = self.names.paths(client, &self.shelf, seen).await?;
        let document = |((_, shown), path): (&(Head, Shown), String)| {
            Ok(Document::Dimension(Dimension {
                axis: self.axis,
                name: shown.name.clone(),
                path,
                parent: reference(&shown.parent_id),
                inactive: shown.archived.unwrap_or(false),
                subsidiaries: Vec::new(),
            }))
        };
        Ok(shown.iter().zip(paths).map(document).collect())
    }
}

impl Writable for Dimensions {
    fn creation(&self, wanted: &Document) -> Result<String, Fault> {
        let wanted = self.own(wanted)?;
        json(&Written {
            name: wanted.name.trim(),
            parent_id: wanted.parent.as_ref().map(Some),
        })
    }

    fn made(&self, wanted: &Document, shown: &Shown) -> bool {
        self.own(wanted).is_ok_and(|wanted| {
            wanted.name.trim() == shown.name && wanted.parent == reference(&shown.parent_id)
        })
    }

    fn amendment(
        &self,
        wanted: &Document,
        there: &Document,
    ) -> Result<Option<(Method, String)>, Fault> {
        let (wanted, there) = (self.own(wanted)?, self.own(there)?);
        let parent_id = (wanted.parent != there.parent).then_some(wanted.parent.as_ref());
        Ok(Some((
            Method::PATCH,
            json(&Written {
                name: wanted.name.trim(),
                parent_id,
            })?,
        )))
    }
}
