//! Many connections from one file: the `[connections.NAME]` of a TOML or JSON file, or the rows of a CSV file.
//!
//! A CSV file has a column `name`; every other column is a key of the connection's table, dotted as for `--set`
//! (`netsuite.subsidiary`, `preferences.transactions.bills_from`), or a side's setting by its own name where only one
//! system has it (`subsidiary`, `organization`). An empty cell says nothing.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use tieout_domain::code::Code;

use super::{Values, given};
use crate::failure::Failure;

/// What a file holds.
pub(super) struct Rows {
    /// Each connection's name and table, in the file's order.
    pub(super) connections: Vec<(String, Values)>,
    /// The templates that it brings along.
    pub(super) templates: Values,
}

/// Keys of a connection that are no side's.
const OWN: [&str; 6] = [
    "pair",
    "tenant",
    "template",
    "schedule",
    "time_zone",
    "enabled",
];

/// Reads the file.
///
/// # Errors
/// `config-syntax` and `connect-incomplete`, with the place.
pub(super) fn read(file: &Path) -> Result<Rows, Failure> {
    let is_csv = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let rows = if is_csv { table(file)? } else { tables(file)? };
    if rows.connections.is_empty() {
        let cause = format!("{}: it holds no connection", file.display());
        return Err(Failure::usage(Code::new("connect-incomplete"), cause));
    }
    Ok(rows)
}

fn tables(file: &Path) -> Result<Rows, Failure> {
    let mut document = given::document(file)?;
    let connections = match document.remove("connections") {
        Some(Value::Object(all)) => all
            .into_iter()
            .filter_map(|(name, table)| match table {
                Value::Object(table) => Some((name, table)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let templates = match document.remove("templates") {
        Some(Value::Object(templates)) => templates,
        _ => Values::new(),
    };
    Ok(Rows {
        connections,
        templates,
    })
}

fn table(file: &Path) -> Result<Rows, Failure> {
    let wrong = |line: u64, cause: &str| {
        let cause = format!("{}:{line}: {cause}", file.display());
        Failure::usage(Code::new("config-syntax"), cause)
    };
    let text =
        std::fs::read_to_string(file).map_err(|error| Failure::file("can't read", file, &error))?;
    // Spreadsheets put a mark before the first column's name.
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|error| wrong(1, &error.to_string()))?;
    let keys: Vec<String> = header
        .iter()
        .map(|column| key(column).map_err(|cause| wrong(1, &cause)))
        .collect::<Result<_, _>>()?;
    let Some(name_at) = keys.iter().position(|key| key == "name") else {
        return Err(wrong(1, "there is no column `name`"));
    };
    let mut seen = BTreeSet::new();
    let mut connections = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            wrong(line, &error.to_string())
        })?;
        let line = row.position().map_or(1, csv::Position::line);
        let name = row.get(name_at).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(wrong(line, "the row has no name"));
        }
        if !seen.insert(name.clone()) {
            return Err(wrong(line, &format!("`{name}` is there twice")));
        }
        let mut values = Values::new();
        for (key, value) in keys.iter().zip(&row) {
            if key != "name" && !value.is_empty() {
                given::set(&mut values, &format!("{key}={value}"))
                    .map_err(|failure| wrong(line, &failure.cause))?;
            }
        }
        connections.push((name, values));
    }
    Ok(Rows {
        connections,
        templates: Values::new(),
    })
}

/// The key of the connection's table that a column stands for.
fn key(column: &str) -> Result<String, String> {
    if column == "name" || column.contains('.') || OWN.contains(&column) {
        return Ok(column.to_owned());
    }
    let systems = tieout_systems::ALL.iter().map(|entry| entry.system);
    let with: Vec<_> = systems
        .filter(|system| system.settings.iter().any(|setting| setting.name == column))
        .map(|system| system.id.as_str())
        .collect();
    match with.as_slice() {
        [one] => Ok(format!("{one}.{column}")),
        [] => Err(format!("`{column}` is no column that is known")),
        several => Err(format!(
            "`{column}` may be any of {}: name the system, as in `{}.{column}`",
            several.join(", "),
            several[0]
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_text(text: &str) -> Result<Rows, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("entities.csv");
        std::fs::write(&file, text).unwrap();
        read(&file)
    }

    #[test]
    fn s229_a_row_is_a_connection_and_an_empty_cell_says_nothing() {
        let rows = read_text(
            "\u{feff}name,template,subsidiary,organization,bill.bulk:,preferences.transactions.currencies\n\
             acme-us,entity,3,0081,50,\n\
             acme-uk,entity,4, 0082 ,,\"GBP, EUR\"\n",
        )
        .unwrap();
        let (names, tables): (Vec<_>, Vec<_>) = rows.connections.into_iter().unzip();
        assert_eq!(names, ["acme-us", "acme-uk"]);
        assert_eq!(
            Value::Object(tables[0].clone()),
            json!({"template": "entity", "netsuite": {"subsidiary": "3"},
                "bill": {"organization": "0081", "bulk": 50}})
        );
        assert_eq!(
            Value::Object(tables[1].clone()),
            json!({"template": "entity", "netsuite": {"subsidiary": "4"}, "bill": {"organization": "0082"},
                "preferences": {"transactions": {"currencies": ["GBP", "EUR"]}}})
        );
    }

    #[test]
    fn what_is_wrong_in_a_row_is_told_with_its_line() {
        for (text, told) in [
            (
                "subsidiary\n3\n",
                "entities.csv:1: there is no column `name`",
            ),
            ("name,colour\na,red\n", "`colour` is no column"),
            ("name,credential\na,x\n", "netsuite.credential"),
            (
                "name,subsidiary\na,3\na,4\n",
                "entities.csv:3: `a` is there twice",
            ),
            (
                "name,subsidiary\n,3\n",
                "entities.csv:2: the row has no name",
            ),
            (
                "name,preferences.transactions.partly_paid\na,perhaps\n",
                "entities.csv:2:",
            ),
            ("name,subsidiary\na,3,5\n", "entities.csv:2:"),
        ] {
            let failure = read_text(text).err().unwrap();
            assert!(failure.cause.contains(told), "{told}: {}", failure.cause);
        }
        assert_eq!(
            read_text("name\n").err().unwrap().code,
            Code::new("connect-incomplete")
        );
    }
}
