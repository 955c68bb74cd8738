//! The index of a pack: what is in it, and how it is checked without tieout.

use std::collections::BTreeMap;

use serde::Serialize;
use tieout_domain::{TenantName, Timestamp};

use super::catalogue::REGISTERS;

/// The index's file.
pub const README: &str = "README.txt";

/// What the pack says of itself, for programs.
pub const MANIFEST: &str = "manifest.json";

/// The lines that check the chains, as a file.
pub const VERIFY: &str = "verify.py";

/// The lines themselves.
pub const VERIFY_LINES: &str = include_str!("verify.py");

/// What a pack says of itself.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// Which tieout made it.
    pub tieout: &'static str,
    /// When.
    pub made: Timestamp,
    /// Which month, as 2026-06; `all` for all that there is.
    pub period: String,
    /// Whether the month was over when it was made.
    pub over: bool,
    /// Whose it is, where it is all of a tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantName>,
    /// Each chain's end.
    pub chains: Vec<Head>,
    /// How many rows each register has.
    pub registers: BTreeMap<&'static str, u64>,
}

/// The end of a chain in a pack.
#[derive(Debug, Clone, Serialize)]
pub struct Head {
    /// The chain's name, as it is hashed.
    pub chain: String,
    /// Its file.
    pub file: String,
    /// The first moment of the period, by the company's time zone.
    pub from: Timestamp,
    /// The first moment after it; the moment of making where the period was not over.
    pub until: Timestamp,
    /// The number of its last entry.
    pub seq: u64,
    /// The hash of that entry.
    pub hash: String,
}

/// The text of the index.
#[must_use]
pub fn readme(manifest: &Manifest) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        text.push_str(words);
        text.push('\n');
    };
    let title = match &manifest.tenant {
        Some(tenant) => format!("All that tieout keeps of {tenant}"),
        None => format!("Evidence of tieout for {}", manifest.period),
    };
    line(&title);
    line(&"=".repeat(title.len()));
    line("");
    line(&format!(
        "Made {:.0} by tieout {}. Times are in UTC.",
        manifest.made, manifest.tieout
    ));
    if !manifest.over && manifest.tenant.is_none() {
        line("The period was not over then: this pack ends at that moment.");
    }
    line(
        "Names, causes and reasons are in it as people wrote them: keep it as confidential as the books.",
    );
    line("");
    line("What is here");
    line("------------");
    line("");
    for head in &manifest.chains {
        let entries = match head.seq {
            0 => "no entry by then".to_owned(),
            last => format!("entries 1 to {last} of the history"),
        };
        line(&format!(
            "{}: {entries}. The period is from {} until before {}.",
            head.file, head.from, head.until
        ));
        if head.seq > 0 {
            line(&format!("  hash of the last entry: {}", head.hash));
        }
    }
    for words in CHAINS {
        line(words);
    }
    let last = match manifest.tenant {
        Some(_) => &OF_A_TENANT[..],
        None => &OF_THE_INSTALLATION[..],
    };
    for words in last {
        line(words);
    }
    line("");
    line(
        "Registers, each as CSV for a spreadsheet and as JSON for a program. In CSV a cell that a",
    );
    line("spreadsheet would take for a formula begins with an apostrophe.");
    line("");
    for register in REGISTERS {
        let rows = manifest.registers.get(register.name).unwrap_or(&0);
        line(&format!(
            "{}.csv, .json: {}.",
            register.name, register.about
        ));
        line(&format!("  rows: {rows}; control: {}.", register.control));
    }
    for words in CHECKING {
        line(words);
    }
    line("");
    for code in VERIFY_LINES.lines() {
        line(format!("    {code}").trim_end());
    }
    text.push_str(LIMITS);
    text
}

const CHAINS: [&str; 4] = [
    "",
    "A chain goes from its first entry, not from the period's: only so can it be checked. One line is one",
    "entry, with what its hash is made of. Personal values (names, addresses, reasons) are in it as salted",
    "digests, for that is how they are hashed; the registers show them in clear, where they were not erased.",
];

const OF_THE_INSTALLATION: [&str; 2] = [
    "The chain (installation) holds what belongs to no connection: credentials, preferences, pauses of all.",
    "manifest.json: the end of each chain, for a program. manifest.sha256: the sum of every other file.",
];

const OF_A_TENANT: [&str; 5] = [
    "tieout.toml: its connections and the templates they rest on, as they are configured; no secret is in it.",
    "users.json: the users and tokens that are limited to it, without what proves who they are.",
    "signed/: what people signed, word for word, and what it was made of, each under its SHA-256.",
    "manifest.json: the end of each chain, for a program. manifest.sha256: the sum of every other file.",
    "What the services themselves keep is not in it, nor what belongs to the whole installation.",
];

const CHECKING: [&str; 25] = [
    "",
    "How to check it without tieout",
    "------------------------------",
    "",
    "1. No file was changed since the pack was made. In this folder:",
    "",
    "    sha256sum -c manifest.sha256",
    "",
    "   (on a Mac: shasum -a 256 -c manifest.sha256). Every line must end with OK.",
    "",
    "2. The chains hold: each entry's hash is SHA-256 over its parts and the hash before it, so that no entry",
    "   can be changed, taken out or put in without changing every hash after it. In this folder, with Python 3",
    "   and nothing else:",
    "",
    "    python3 verify.py",
    "",
    "   It must end with: the chains hold.",
    "",
    "3. The hash of each chain's last entry, above, is the one that was noted elsewhere: in the manifest of a",
    "   backup, as `tieout audit verify` printed it, or in an earlier pack: a later chain begins with all of an",
    "   earlier one, so that the earlier hash is found in it. This is what nobody can make up afterwards.",
    "",
    "    grep -c HASH-OF-THE-EARLIER-PACK 'chain/CONNECTION.jsonl'",
    "",
    "verify.py is these lines, to be read before they are run, or typed anew:",
];

const LIMITS: &str = "
What this can't show
--------------------

Whoever can write every file of this pack can make one that agrees with itself: step 3 is what rules that out.
That the words of a register belong to the digests of the chain can only be checked beside the store, which
keeps the salts: `tieout audit verify` does, and did when this pack was made.
";
