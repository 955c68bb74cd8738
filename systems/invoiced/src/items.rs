//! Items that are sold (README §Items and terms).

use serde::Deserialize;
use tieout_domain::Document;
use tieout_domain::document::Item;

use crate::call::Client;
use crate::list::{Room, Shelf};
use crate::wire::{switch, text};

/// Items. Their ids are texts.
const ITEMS: Shelf = Shelf {
    path: "/items",
    noun: "item",
    include: "",
    of_customer: false,
};

/// Items.
#[derive(Debug, Default)]
pub(crate) struct Items;

/// An item as Invoiced shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    #[serde(default, deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default, rename = "type", deserialize_with = "text")]
    sort: String,
    #[serde(default, deserialize_with = "switch")]
    archived: bool,
}

impl Room for Items {
    type Shown = Shown;

    fn shelf(&self) -> &'static Shelf {
        &ITEMS
    }

    fn document(&self, _: &Client, shown: &Shown) -> Result<Document, String> {
        Ok(Document::Item(Item {
            name: shown.name.clone(),
            description: shown.description.clone(),
            item_type: shown.sort.clone(),
            subsidiaries: Vec::new(),
            inactive: shown.archived,
        }))
    }
}
