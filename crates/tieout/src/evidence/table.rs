//! A table of a pack: the same rows as CSV for a spreadsheet and as JSON for a program.

use std::path::PathBuf;

use csv::{Terminator, Writer, WriterBuilder};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use tieout_report::harmless;

use super::files::{Pack, PackFile};
use crate::failure::Failure;

/// A table in the making.
pub struct Table {
    columns: &'static [&'static str],
    csv: Writer<PackFile>,
    csv_path: PathBuf,
    json: PackFile,
    rows: u64,
}

impl Table {
    /// Begins `NAME.csv` and `NAME.json`.
    pub fn begin(
        pack: &Pack,
        name: &str,
        columns: &'static [&'static str],
    ) -> Result<Self, Failure> {
        let file = pack.file(&format!("{name}.csv"))?;
        let mut table = Self {
            columns,
            csv_path: file.path().to_owned(),
            csv: WriterBuilder::new()
                .terminator(Terminator::CRLF)
                .from_writer(file),
            json: pack.file(&format!("{name}.json"))?,
            rows: 0,
        };
        table.record(columns.iter().map(|column| (*column).to_owned()))?;
        table.json.put(b"[")?;
        Ok(table)
    }

    /// Adds a row: a value for each column.
    pub fn row(&mut self, values: &[Value]) -> Result<(), Failure> {
        assert_eq!(values.len(), self.columns.len(), "{:?}", self.columns);
        self.record(values.iter().map(cell))?;
        let row = Row(self.columns, values);
        let text = serde_json::to_string(&row).unwrap_or_default();
        let separator = if self.rows == 0 { "\n" } else { ",\n" };
        self.rows += 1;
        self.json.put(format!("{separator}{text}").as_bytes())
    }

    /// How many rows it has so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends both files.
    pub fn end(mut self, pack: &mut Pack) -> Result<(), Failure> {
        self.json.put(b"\n]\n")?;
        pack.end(self.json)?;
        let csv = self
            .csv
            .into_inner()
            .map_err(|error| Failure::file("can't write", &self.csv_path, &error.into_error()))?;
        pack.end(csv)
    }

    fn record(&mut self, cells: impl Iterator<Item = String>) -> Result<(), Failure> {
        self.csv
            .write_record(cells)
            .map_err(|error| Failure::file("can't write", &self.csv_path, &error.into()))
    }
}

/// A value as a spreadsheet takes it: nothing that somebody wrote is reckoned.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text),
        other => other.to_string(),
    }
}

/// A row as a JSON object, in the order of the columns.
struct Row<'a>(&'static [&'static str], &'a [Value]);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.1.len()))?;
        for (column, value) in self.0.iter().zip(self.1) {
            map.serialize_entry(column, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_quoted_made_harmless_and_the_same_in_both_forms() {
        let folder = tempfile::tempdir().unwrap();
        let goal = folder.path().join("pack");
        let mut pack = Pack::begin(&goal).unwrap();
        let mut table = Table::begin(&pack, "t", &["b", "a", "n", "none"]).unwrap();
        let rows = [
            vec![
                json!("=1+1"),
                json!("a \"b\", c\r\nd"),
                json!(7),
                Value::Null,
            ],
            vec![json!("@x"), json!("\tx"), json!(-7), json!("-7")],
        ];
        for row in &rows {
            table.row(row).unwrap();
        }
        assert_eq!(table.rows(), 2);
        table.end(&mut pack).unwrap();
        pack.finish().unwrap();
        assert_eq!(
            std::fs::read_to_string(goal.join("t.csv")).unwrap(),
            "b,a,n,none\r\n'=1+1,\"a \"\"b\"\", c\r\nd\",7,\r\n'@x,'\tx,-7,-7\r\n"
        );
        assert_eq!(
            std::fs::read_to_string(goal.join("t.json")).unwrap(),
            "[\n{\"b\":\"=1+1\",\"a\":\"a \\\"b\\\", c\\r\\nd\",\"n\":7,\"none\":null},\n\
             {\"b\":\"@x\",\"a\":\"\\tx\",\"n\":-7,\"none\":\"-7\"}\n]\n"
        );
        let sums = std::fs::read_to_string(goal.join("manifest.sha256")).unwrap();
        let names: Vec<_> = sums.lines().map(|line| &line[66..]).collect();
        assert_eq!(names, ["t.csv", "t.json"]);
    }

    #[test]
    fn a_pack_that_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let goal = folder.path().join("deep").join("pack");
        let mut pack = Pack::begin(&goal).unwrap();
        pack.text("a.txt", "a").unwrap();
        drop(pack);
        let left = std::fs::read_dir(goal.parent().unwrap()).unwrap();
        assert_eq!(left.count(), 0);
    }
}
