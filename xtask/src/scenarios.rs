//! The scenarios of `docs/scenarios.md`, held against the tests that prove them by number.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use clap::Args;
use regex::Regex;

use crate::workspace::Workspace;

/// The page.
const PAGE: &str = "docs/scenarios.md";

/// How many scenarios there are.
const TOTAL: u16 = 253;

/// At least so many are proven. It only ever grows.
pub(crate) const PROVEN_MIN: usize = 110;

/// What to do with the scenarios.
#[derive(Debug, Args)]
pub(crate) struct ScenariosArguments {
    /// Change nothing; fail if the page names a test that doesn't exist, or leaves one out.
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Bring the last column of the page up to date.
    #[arg(long)]
    write: bool,
    /// List the proven ones too.
    #[arg(long)]
    all: bool,
}

/// A row of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    number: u16,
    when: String,
    then: String,
    part: String,
    proof: String,
}

/// How a scenario stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Proven,
    Decided,
    Open,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let cells: Vec<_> = line
            .strip_prefix("| ")?
            .strip_suffix(" |")?
            .split(" | ")
            .collect();
        let [number, when, then, part, proof] = cells.as_slice() else {
            return None;
        };
        Some(Self {
            number: number.parse().ok()?,
            when: (*when).to_owned(),
            then: (*then).to_owned(),
            part: (*part).to_owned(),
            proof: (*proof).to_owned(),
        })
    }

    fn line(&self) -> String {
        let Self {
            number,
            when,
            then,
            part,
            proof,
        } = self;
        format!("| {number} | {when} | {then} | {part} | {proof} |")
    }

    fn standing(&self) -> Standing {
        if self.proof.starts_with("**decided**") {
            Standing::Decided
        } else if self.proof.starts_with('`') {
            Standing::Proven
        } else {
            Standing::Open
        }
    }

    /// The tests that its last column names.
    fn named(&self) -> BTreeSet<String> {
        let names = self.proof.split('`').skip(1).step_by(2);
        names
            .filter(|name| name.starts_with('s'))
            .map(str::to_owned)
            .collect()
    }

    /// Its last column as it should be, given the tests that carry its number.
    fn proven_by(&self, tests: &BTreeSet<String>) -> String {
        if self.standing() == Standing::Decided {
            self.proof.clone()
        } else if tests.is_empty() {
            format!("open (part {})", self.part)
        } else {
            tests
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        }
    }
}

/// What stands on the page and in the tests.
struct Scenarios {
    rows: Vec<Row>,
    tests: BTreeMap<u16, BTreeSet<String>>,
}

/// Lists, checks or writes.
pub(crate) fn run(workspace: &Workspace, arguments: &ScenariosArguments) -> Result<bool> {
    if arguments.write {
        write(workspace)?;
    }
    let scenarios = Scenarios::read(workspace)?;
    if arguments.check {
        let faults = scenarios.faults();
        for fault in &faults {
            println!("{fault}");
        }
        if !faults.is_empty() {
            return Ok(false);
        }
    } else {
        scenarios.print(arguments.all);
    }
    println!("{}", scenarios.summary());
    Ok(true)
}

/// What is wrong with the page, and how many scenarios are proven.
pub(crate) fn check(workspace: &Workspace) -> Result<(Vec<String>, usize)> {
    let scenarios = Scenarios::read(workspace)?;
    Ok((scenarios.faults(), scenarios.count(&Standing::Proven)))
}

impl Scenarios {
    fn read(workspace: &Workspace) -> Result<Self> {
        let rows: Vec<_> = workspace
            .read(PAGE)?
            .lines()
            .filter_map(Row::read)
            .collect();
        let numbers: Vec<_> = rows.iter().map(|row| row.number).collect();
        if numbers != (1..=TOTAL).collect::<Vec<_>>() {
            bail!("{PAGE} must have one row for each of the {TOTAL} scenarios, in their order");
        }
        let mut tests: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
        for (path, text) in workspace.texts(".rs")? {
            if !path.starts_with("xtask") {
                for (number, name) in numbered_tests(&text)? {
                    tests.entry(number).or_default().insert(name);
                }
            }
        }
        Ok(Self { rows, tests })
    }

    fn faults(&self) -> Vec<String> {
        let none = BTreeSet::new();
        let mut faults = Vec::new();
        for row in &self.rows {
            let tests = self.tests.get(&row.number).unwrap_or(&none);
            for name in row.named().difference(tests) {
                faults.push(format!("{PAGE}: {}: there is no test {name}", row.number));
            }
            if row.standing() == Standing::Decided {
                if row
                    .proof
                    .split_once(": ")
                    .is_none_or(|(_, reason)| reason.trim().is_empty())
                {
                    faults.push(format!(
                        "{PAGE}: {}: decided, but without a reason",
                        row.number
                    ));
                }
            } else if row.proof != row.proven_by(tests) {
                let write = "run `cargo xtask scenarios --write`";
                faults.push(format!(
                    "{PAGE}: {}: its proof is out of date: {write}",
                    row.number
                ));
            }
        }
        for (number, names) in self
            .tests
            .iter()
            .filter(|(number, _)| !(1..=TOTAL).contains(*number))
        {
            for name in names {
                faults.push(format!("{name}: there is no scenario {number}"));
            }
        }
        faults
    }

    fn count(&self, standing: &Standing) -> usize {
        self.rows
            .iter()
            .filter(|row| row.standing() == *standing)
            .count()
    }

    fn print(&self, all: bool) {
        let none = BTreeSet::new();
        for row in &self.rows {
            let proof = row.proven_by(self.tests.get(&row.number).unwrap_or(&none));
            let proven = proof.starts_with('`');
            if all || !proven {
                println!(
                    "{:>3}  {}\n     {}",
                    row.number,
                    row.when,
                    proof.replace('`', "")
                );
            }
        }
    }

    fn summary(&self) -> String {
        format!(
            "{} scenarios: {} proven, {} decided otherwise, {} open",
            self.rows.len(),
            self.count(&Standing::Proven),
            self.count(&Standing::Decided),
            self.count(&Standing::Open)
        )
    }
}

/// Brings the last column up to date.
fn write(workspace: &Workspace) -> Result<()> {
    let scenarios = Scenarios::read(workspace)?;
    let none = BTreeSet::new();
    let mut text = String::new();
    for line in workspace.read(PAGE)?.lines() {
        match Row::read(line) {
            Some(mut row) => {
                let tests = scenarios.tests.get(&row.number).unwrap_or(&none);
                row.proof = row.proven_by(tests);
                text.push_str(&row.line());
            }
            None => text.push_str(line),
        }
        text.push('\n');
    }
    workspace.write(PAGE, &text)
}

/// The tests in a file that carry scenario numbers: `s033_…`, or `s057_s058_…` for several.
fn numbered_tests(text: &str) -> Result<Vec<(u16, String)>> {
    let function = Regex::new(r"^\s*(?:async )?fn ((?:s\d{3}_)+[a-z0-9_]*)\s*\(")?;
    let number = Regex::new(r"s(\d{3})_")?;
    let mut found = Vec::new();
    let lines: Vec<_> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function
            .captures(line)
            .map(|captures| captures[1].to_owned())
        else {
            continue;
        };
        if !is_test(&lines[..at]) {
            continue;
        }
        let numbers = name
            .split_inclusive('_')
            .map_while(|part| number.captures(part));
        for captures in numbers {
            let scenario = captures[1].parse().context("three digits are a number")?;
            found.push((scenario, name.clone()));
        }
    }
    Ok(found)
}

/// Whether what stands above a function makes it a test: its attributes and comments.
fn is_test(above: &[&str]) -> bool {
    above
        .iter()
        .rev()
        .map(|line| line.trim())
        .take_while(|line| line.starts_with('#') || line.starts_with("//") || line.ends_with(")]"))
        .any(|line| line.starts_with("#[") && line.contains("test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_prove() {
        let text = "#[test]\nfn s033_once() {}\n\nfn s034_helper() {}\n\n\
                    /// Why.\n#[tokio::test]\nasync fn s057_s058_edits() {}\n";
        let found = numbered_tests(text).unwrap();
        let numbers: Vec<_> = found.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [33, 57, 58]);
    }

    #[test]
    fn a_row_goes_from_open_to_proven_and_back() {
        let mut row =
            Row::read("| 33 | An approved bill | Created once | 1 | open (part 1) |").unwrap();
        assert_eq!(row.standing(), Standing::Open);
        row.proof = row.proven_by(&["s033_once".to_owned()].into());
        assert_eq!(
            row.line(),
            "| 33 | An approved bill | Created once | 1 | `s033_once` |"
        );
        assert_eq!(row.standing(), Standing::Proven);
        assert_eq!(row.proven_by(&BTreeSet::new()), "open (part 1)");
    }

    #[test]
    fn a_claim_without_a_test_is_a_fault() {
        let row = Row::read("| 1 | a | b | 1 | `s001_gone` |").unwrap();
        let scenarios = Scenarios {
            rows: vec![row],
            tests: BTreeMap::new(),
        };
        assert_eq!(scenarios.faults().len(), 2);
    }

    #[test]
    fn a_decision_stays() {
        let row = Row::read("| 1 | a | b | 1 | **decided**: because of x |").unwrap();
        assert_eq!(
            row.proven_by(&["s001_a".to_owned()].into()),
            "**decided**: because of x"
        );
    }
}
