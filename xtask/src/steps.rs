//! Steps of a longer task: each is announced, timed and counted, and one that fails doesn't hide the next.

use std::time::{Duration, Instant};

/// How a step ended.
pub(crate) enum End {
    /// So many checks or tests passed, and so many were skipped.
    Passed {
        /// How many passed.
        passed: usize,
        /// How many were skipped.
        skipped: usize,
    },
    /// So many failed.
    Failed {
        /// How many passed all the same.
        passed: usize,
        /// How many failed.
        failed: usize,
        /// How many were skipped.
        skipped: usize,
        /// What failed.
        why: String,
    },
    /// Not done, for this reason.
    Skipped(String),
}

impl End {
    /// One check that passed.
    pub(crate) fn ok() -> Self {
        Self::Passed {
            passed: 1,
            skipped: 0,
        }
    }

    /// One check that failed.
    pub(crate) fn failed(why: impl Into<String>) -> Self {
        Self::Failed {
            passed: 0,
            failed: 1,
            skipped: 0,
            why: why.into(),
        }
    }

    /// One check that passed or, for this reason, failed.
    pub(crate) fn of(passed: bool, why: &str) -> Self {
        if passed {
            Self::ok()
        } else {
            Self::failed(why)
        }
    }
}

/// The steps so far.
#[derive(Default)]
pub(crate) struct Steps {
    only: Vec<String>,
    lines: Vec<String>,
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Steps {
    /// Does only the steps of these names; all, if none is named.
    pub(crate) fn only(names: &[String]) -> Self {
        Self {
            only: names.to_owned(),
            ..Self::default()
        }
    }

    /// Whether a step of this name is wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }

    /// Does a step.
    pub(crate) fn step(&mut self, name: &str, body: impl FnOnce() -> anyhow::Result<End>) {
        if !self.wants(name) {
            return;
        }
        println!("\n== {name}");
        let start = Instant::now();
        let end = body().unwrap_or_else(|error| End::failed(format!("{error:#}")));
        self.count(name, &end, start.elapsed());
    }

    fn count(&mut self, name: &str, end: &End, took: Duration) {
        let seconds = took.as_secs();
        let line = match end {
            End::Passed { passed, skipped } => {
                self.passed += passed;
                self.skipped += skipped;
                format!("passed   {name} ({passed}, {seconds} s)")
            }
            End::Failed {
                passed,
                failed,
                skipped,
                why,
            } => {
                self.passed += passed;
                self.skipped += skipped;
                self.failed += failed;
                format!("FAILED   {name} ({failed}, {seconds} s): {why}")
            }
            End::Skipped(why) => {
                self.skipped += 1;
                format!("skipped  {name}: {why}")
            }
        };
        println!("{line}");
        self.lines.push(line);
    }

    /// Prints all steps and the closing line; true if nothing failed.
    pub(crate) fn close(self) -> bool {
        println!("\n== all steps");
        for line in &self.lines {
            println!("{line}");
        }
        println!(
            "\n{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        );
        self.failed == 0
    }
}
