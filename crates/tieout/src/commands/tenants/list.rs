//! `tieout tenants list`.

use std::collections::BTreeMap;

use serde_json::json;
use tieout_domain::{ConnectionName, TenantName};
use tieout_store::{Size, User};

use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What people call the connections that belong to no tenant.
const OWN: &str = "(the installation's own)";

#[derive(Default)]
struct Row {
    connections: Vec<ConnectionName>,
    users: Vec<String>,
    size: Size,
}

/// Lists them.
pub(super) async fn list(global: &Global, home: &Home) -> Result<Exit, Failure> {
    let mut rows: BTreeMap<Option<TenantName>, Row> = BTreeMap::new();
    for (name, config) in &home.config.connections {
        let row = rows.entry(config.tenant.clone()).or_default();
        let size = home.store.connection(name).size().await?;
        row.connections.push(name.clone());
        row.size.entries += size.entries;
        row.size.records += size.records;
        row.size.bytes += size.bytes;
    }
    for user in home.store.people().users().await? {
        for tenant in reached(&user) {
            rows.entry(tenant)
                .or_default()
                .users
                .push(user.name.clone());
        }
    }
    if global.json {
        let all: Vec<_> = rows
            .iter()
            .map(|(tenant, row)| {
                json!({"tenant": tenant, "connections": row.connections, "users": row.users, "size": row.size})
            })
            .collect();
        output::json(&json!({ "tenants": all }));
        return Ok(Exit::Done);
    }
    let table = rows.into_iter().map(|(tenant, row)| {
        let names: Vec<_> = row.connections.iter().map(ToString::to_string).collect();
        vec![
            tenant.map_or_else(|| OWN.to_owned(), |it| it.to_string()),
            names.join(", "),
            row.users.join(", "),
            row.size.entries.to_string(),
            row.size.records.to_string(),
            mebibytes(row.size.bytes),
        ]
    });
    let heads = [
        "tenant",
        "connections",
        "users",
        "entries",
        "records",
        "MiB",
    ];
    output::line(&output::table(&heads, table.collect(), &[3, 4, 5]));
    Ok(Exit::Done)
}

/// The tenants that a user is limited to; the installation itself for who is limited to none.
fn reached(user: &User) -> Vec<Option<TenantName>> {
    match user.tenants.as_slice() {
        [] => vec![None],
        some => some.iter().cloned().map(Some).collect(),
    }
}

/// Rounded up, with one digit after the point.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1024 * 1024);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_never_shown_as_nothing() {
        assert_eq!(mebibytes(0), "0.0");
        assert_eq!(mebibytes(1), "0.1");
        assert_eq!(mebibytes(3 * 1024 * 1024), "3.0");
    }
}
