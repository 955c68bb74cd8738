//! The store itself: what is told of it, and how it moves.

use serde_json::json;

use super::{CONNECTION, Machine};

#[test]
fn a_store_is_looked_at_without_being_changed() {
    let machine = Machine::with_home();
    let status = machine.tieout(&["store", "status", "--json"]).went_well();
    let status = status.json();
    let schema = &status["schema"];
    assert_eq!(schema["found"], schema["known"]);
    assert_eq!(schema["missing"], json!([]));
    assert!(status["rows"]["entries"].is_u64(), "{status}");
    let check = ["store", "migrate", "--check"];
    let check = machine.tieout(&check).went_well().out;
    assert!(check.contains("is up to date"), "{check}");
    machine.tieout(&["store", "migrate"]).went_well();
}

#[test]
fn a_store_moves_while_it_is_paused_and_goes_on_where_it_was() {
    let machine = Machine::with_home();
    machine.write_config(CONNECTION);
    let copy = ["store", "copy", "--to", "sqlite:moved.db"];
    machine
        .tieout(&copy)
        .failed(5, &["error[store-in-use]", "tieout pause", "fix:"]);
    let shown = ["store", "copy", "--to", "postgres://t:hush@db/b"];
    let refused = machine.tieout(&shown);
    refused.failed(2, &["error[store-address]", "--password-file"]);
    assert!(!refused.err.contains("hush"), "{}", refused.err);

    machine
        .tieout(&["pause", "--reason", "we move"])
        .went_well();
    let said = machine.tieout(&copy).went_well();
    assert!(
        said.out.contains("`url = \"sqlite:moved.db\"`"),
        "{}",
        said.out
    );
    assert!(machine.home().join("moved.db").exists());
    machine.tieout(&copy).failed(5, &["error[store-not-empty]"]);
    machine.write_config(&format!("[store]\nurl = \"sqlite:moved.db\"\n{CONNECTION}"));
    machine.tieout(&["audit", "verify"]).went_well();
    machine.tieout(&["resume", "--reason", "moved"]).went_well();
    machine.tieout(&["audit", "verify"]).went_well();
}

#[cfg(unix)]
#[test]
fn a_password_that_others_may_read_is_refused_and_shown_nowhere() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::with_home();
    let file = machine.home().join("store.password");
    std::fs::write(&file, "hush-hush\n").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    machine.write_config(
        "[store]\nurl = \"postgres://t@127.0.0.1:1/b\"\npassword_file = \"store.password\"\n",
    );
    let status = ["store", "status", "-vv"];
    machine.tieout(&status).failed(2, &["others may read it"]);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let unreached = machine.tieout(&status);
    unreached.failed(1, &["error[store-unreachable]"]);
    assert!(!unreached.err.contains("hush-hush"), "{}", unreached.err);
}
