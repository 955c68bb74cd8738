//! Names from the root: BILL's lists name only the parent's id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use tieout_domain::{Fault, RemoteId};

use crate::call::Client;
use crate::list::{Shelf, by_ids};
use crate::wire;

/// No chart is deeper; a circle of parents would be endless.
const DEPTH_MAX: usize = 20;

/// The names of one list as far as they were seen.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<BTreeMap<RemoteId, (String, Option<RemoteId>)>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: String,
    #[serde(default, deserialize_with = "wire::text")]
    name: String,
    #[serde(default, deserialize_with = "wire::text")]
    parent_id: String,
}

impl Names {
    /// Learns these and makes their paths, asking for ancestors that were never seen.
    ///
    /// # Errors
    /// A [`Fault`] of that reading.
    pub(crate) async fn paths(
        &self,
        client: &Client,
        shelf: &Shelf,
        seen: Vec<(RemoteId, String, Option<RemoteId>)>,
    ) -> Result<Vec<String>, Fault> {
        let ids: Vec<RemoteId> = seen.iter().map(|(id, _, _)| id.clone()).collect();
        self.with(|names| {
            names.extend(
                seen.into_iter()
                    .map(|(id, name, parent)| (id, (name, parent))),
            );
        });
        let mut absent = BTreeSet::new();
        for _ in 0..DEPTH_MAX {
            let missing: Vec<RemoteId> = self.with(|names| {
                let tops = ids.iter().filter_map(|id| climb(names, id).1);
                tops.filter(|id| !absent.contains(id)).collect()
            });
            if missing.is_empty() {
                break;
            }
            let mut found = Vec::new();
            for raw in by_ids(client, shelf, &missing).await? {
                if let Ok(node) = serde_json::from_str::<Node>(raw.get()) {
                    let parent = wire::reference(&node.parent_id);
                    found.push((RemoteId::from(node.id), (node.name, parent)));
                }
            }
            self.with(|names| names.extend(found));
            self.with(|names| {
                absent.extend(missing.into_iter().filter(|id| !names.contains_key(id)));
            });
        }
        Ok(self.with(|names| {
            let path = |id| {
                let mut path = climb(names, id).0;
                path.reverse();
                path.join(" : ")
            };
            ids.iter().map(path).collect()
        }))
    }

    fn with<T>(
        &self,
        f: impl FnOnce(&mut BTreeMap<RemoteId, (String, Option<RemoteId>)>) -> T,
    ) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Names from here upward, and the first ancestor whose name isn't known.
fn climb(
    names: &BTreeMap<RemoteId, (String, Option<RemoteId>)>,
    id: &RemoteId,
) -> (Vec<String>, Option<RemoteId>) {
    let mut path = Vec::new();
    let mut at = id;
    while path.len() < DEPTH_MAX {
        let Some((name, parent)) = names.get(at) else {
            return (path, Some(at.clone()));
        };
        path.push(name.clone());
        match parent {
            Some(parent) => at = parent,
            None => break,
        }
    }
    (path, None)
}
