//! A file of payables lines of any size, for the sandbox's `--dataset`: all of it is open and approved, so that each bill
//! has to go over.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

/// The columns, of which the sandbox needs all.
const HEADER: &str =
    "payment_date,vendor,amount,fund,fund_name,center,center_name,account,account_name";

/// Writes so many bills of so many vendors: one line each, and a vendor's on as many days as it has bills.
pub(crate) fn write(path: &Path, bills: u32, vendors: u32) -> Result<()> {
    let mut text = format!("{HEADER}\n");
    let first = jiff::civil::date(2025, 1, 6);
    for bill in 0..bills {
        let (day, vendor) = (bill / vendors, bill % vendors + 1);
        let date = first.checked_add(jiff::Span::new().days(i64::from(day)))?;
        let (dollars, cents, account) = (10 + bill % 997, bill % 100, 5000 + bill % 8);
        writeln!(
            text,
            "{date},Vendor {vendor:05},{dollars}.{cents:02},,,,,{account},Expense {account}"
        )?;
    }
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_bill_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bills.csv");
        write(&path, 100, 20).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let bills: std::collections::BTreeSet<_> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').take(2).collect::<Vec<_>>())
            .collect();
        assert_eq!(bills.len(), 100);
    }
}
