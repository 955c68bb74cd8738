//! The nodes that serve from the same store, where there is more than one.

use jiff::tz::TimeZone;
use tieout_store::Node;

use super::parts::{Cell, Column, Table};

/// Who serves, and who is to begin nothing new; `None` for one that is alone and not drained.
pub(super) fn table(nodes: &[Node]) -> Option<Table> {
    let is_alone = nodes.len() < 2 && nodes.iter().all(|node| node.drain.is_none());
    if is_alone {
        return None;
    }
    let columns = [
        Column::text("Node"),
        Column::text("Stands"),
        Column::number("Runs"),
        Column::text("Version"),
        Column::text("Since"),
        Column::text("Last heard of"),
    ];
    let mut table = Table::new("nodes", "Nodes that serve from this store", columns);
    for node in nodes {
        let name = match node.this {
            true => format!("{} (this one)", node.name),
            false => node.name.clone(),
        };
        table.row(vec![
            Cell::text(name),
            Cell::text(stands(node)),
            Cell::number(if node.alive { node.runs } else { 0 }),
            Cell::text(node.version.as_str()),
            Cell::moment(node.since, &TimeZone::UTC),
            Cell::moment(node.beat, &TimeZone::UTC),
        ]);
    }
    Some(table)
}

fn stands(node: &Node) -> String {
    match (&node.drain, node.alive) {
        (Some(drain), true) => format!("drained by {}", drain.by),
        (None, true) => "serves".to_owned(),
        (_, false) => "gone".to_owned(),
    }
}
