//! The evidence pack as an auditor meets it: whole or not at all, for its owner's eyes, and to be checked without
//! tieout.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

mod life;
mod machine;
mod registers;

use std::path::Path;

use serde_json::{Value, json};
use tieout_store::testing::write_out;

use crate::machine::{
    CONNECTION, Machine, check_chains, check_sums, edit, files, has, month, rows,
    typed_from_the_index,
};

/// A machine on which people paused and went on, with one reason that a spreadsheet would reckon.
fn paused_machine() -> Machine {
    let machine = Machine::with(CONNECTION);
    let reason = "=HYPERLINK(\"x\"), she said";
    machine
        .tieout(&["pause", "acme", "--reason", reason])
        .went_well();
    machine
        .tieout(&["resume", "acme", "--reason", "looked at the ledger"])
        .went_well();
    machine.tieout(&["pause"]).went_well();
    machine
}

#[test]
fn a_pack_is_checked_without_tieout_and_one_changed_byte_is_found() {
    let machine = paused_machine();
    let told = machine.export(&month(0), "now").went_well();
    assert!(told.out.contains("README.txt"), "{}", told.out);
    let pack = machine.pack("now");
    assert_eq!(
        std::fs::read_to_string(pack.join("verify.py")).unwrap(),
        typed_from_the_index(&pack).trim().to_owned() + "\n",
        "the index shows the very lines of the file"
    );
    let chain = pack.join("chain").join("acme.jsonl");
    let untouched = std::fs::read_to_string(&chain).unwrap();
    assert!(
        !untouched.contains("HYPERLINK") && untouched.contains("$private"),
        "reasons are in a chain as they are hashed: {untouched}"
    );
    if has("python3") {
        let held = check_chains(&pack).went_well();
        assert!(held.out.contains("acme: 2 entries"), "{}", held.out);
        assert!(held.out.contains("the chains hold"), "{}", held.out);
        for (word, other) in [("user:tester", "user:texter"), ("paused", "baused")] {
            edit(&chain, |text| text.replacen(word, other, 1));
            check_chains(&pack).failed(1, &["acme: entry 1", "broken"]);
            std::fs::write(&chain, &untouched).unwrap();
        }
        // An entry taken out of the middle, and one off the end.
        edit(&chain, |text| text.lines().skip(1).collect());
        check_chains(&pack).failed(1, &["acme: entry 1 is not in its place"]);
        edit(&chain, |_| untouched.lines().take(1).collect());
        check_chains(&pack).failed(1, &["acme: it ends with entry 1"]);
        std::fs::write(&chain, &untouched).unwrap();
        check_chains(&pack).went_well();
    }
    if has("sha256sum") {
        check_sums(&pack).went_well();
        let sums = std::fs::read_to_string(pack.join("manifest.sha256")).unwrap();
        assert_eq!(sums.lines().count(), files(&pack).len() - 1, "{sums}");
        edit(&pack.join("stops.csv"), |text| {
            text.replacen("acme", "acne", 1)
        });
        check_sums(&pack).failed(1, &["stops.csv: FAILED"]);
    }
}

#[test]
fn the_registers_tell_who_when_and_why_and_nothing_in_them_is_reckoned() {
    let machine = paused_machine();
    machine
        .tieout(&[
            "preferences",
            "set",
            "acme",
            "transactions.reversals",
            "person",
        ])
        .went_well();
    machine.export(&month(0), "now").went_well();
    let pack = machine.pack("now");
    let stops = rows(&pack, "stops");
    let events: Vec<_> = stops
        .iter()
        .map(|row| row["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["paused", "resumed", "paused"]);
    assert_eq!(stops[0]["connection"], "acme");
    assert_eq!(stops[0]["actor"], "user:tester");
    assert_eq!(stops[0]["reason"], "=HYPERLINK(\"x\"), she said");
    assert_eq!(stops[2]["connection"], "(installation)");
    let table = std::fs::read_to_string(pack.join("stops.csv")).unwrap();
    assert!(
        table.contains(",paused,\"'=HYPERLINK(\"\"x\"\"), she said\"\r\n"),
        "{table}"
    );
    let changes = rows(&pack, "preferences");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0]["name"], "transactions.reversals");
    assert_eq!(
        (&changes[0]["before"], &changes[0]["after"]),
        (&json!("journal"), &json!("person"))
    );
    let entries = rows(&pack, "entries");
    assert_eq!(entries.len(), 4);
    let manifest = std::fs::read_to_string(pack.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["over"], false);
    assert_eq!(manifest["registers"]["stops"], 3);
    let acme = &manifest["chains"][0];
    assert_eq!((&acme["chain"], &acme["seq"]), (&json!("acme"), &json!(2)));
    assert_eq!(
        acme["hash"], entries[1]["hash"],
        "the head is the last entry's"
    );
    let verified = machine.tieout(&["audit", "verify"]).went_well().out;
    assert!(
        verified.contains(acme["hash"].as_str().unwrap()),
        "what verify prints is what the pack ends with: {verified}"
    );
}

#[test]
fn a_pack_goes_up_to_the_end_of_its_month_and_holds_only_its_own() {
    let machine = paused_machine();
    machine.export(&month(-1), "before").went_well();
    let pack = machine.pack("before");
    assert!(rows(&pack, "entries").is_empty() && rows(&pack, "stops").is_empty());
    let chain = std::fs::read_to_string(pack.join("chain").join("acme.jsonl")).unwrap();
    assert_eq!(chain, "", "nothing had happened by then");
    if has("python3") {
        check_chains(&pack).went_well();
    }
    let none = machine.export(&month(1), "after");
    none.failed(2, &["error[usage]", "has not begun"]);
    machine
        .export("June", "june")
        .failed(2, &["`June` is no month"]);
    assert_eq!(
        files(&machine.folder.path().join("packs")).len(),
        files(&pack).len()
    );
}

#[test]
fn a_pack_overwrites_nothing_and_leaves_nothing_half_done() {
    let machine = paused_machine();
    let packs = machine.folder.path().join("packs");
    std::fs::create_dir_all(machine.pack("empty")).unwrap();
    machine.export(&month(0), "empty").went_well();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&machine.pack("empty")), 0o700);
        assert_eq!(mode(&machine.pack("empty").join("chain")), 0o700);
        for file in files(&machine.pack("empty")) {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }
    let before = std::fs::read(machine.pack("empty").join("README.txt")).unwrap();
    let again = machine.export(&month(0), "empty");
    again.failed(2, &["error[backup-exists]", "fix:"]);
    assert_eq!(
        std::fs::read(machine.pack("empty").join("README.txt")).unwrap(),
        before
    );
    std::fs::write(machine.pack("file"), "mine").unwrap();
    let file = machine.export(&month(0), "file");
    file.failed(2, &["error[backup-exists]"]);
    assert_eq!(
        std::fs::read_to_string(machine.pack("file")).unwrap(),
        "mine"
    );
    // A history that doesn't hold is no evidence.
    let store = machine.home().join("tieout.db");
    write_out(&store);
    let mut bytes = std::fs::read(&store).unwrap();
    let was = b"looked at the ledger";
    let windows = bytes.windows(was.len()).enumerate();
    let places = windows.filter(|(_, window)| window == was);
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    assert!(!places.is_empty());
    // The state beside the history has it, too.
    for place in places {
        bytes[place] ^= 1;
    }
    std::fs::write(&store, bytes).unwrap();
    let broken = machine.export(&month(0), "broken");
    broken.failed(1, &["error[store-corrupt]", "acme entry 2"]);
    let mut left: Vec<_> = std::fs::read_dir(&packs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["empty", "file"]);
}
