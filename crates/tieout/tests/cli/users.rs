//! `users`: the first one is made here, and a password is never an argument nor in an output.

use serde_json::json;

use super::Machine;

const PASSWORD: &str = "correct horse battery\n";

#[test]
fn the_first_user_is_made_here_and_listed() {
    let machine = Machine::with_home();
    let args = [
        "users",
        "add",
        "ada",
        "--role",
        "admin",
        "--display",
        "Ada L.",
        "--json",
    ];
    let added = machine.tieout_reading(&args, PASSWORD).went_well().json();
    assert_eq!(added["name"], "ada");
    assert_eq!(
        (&added["role"], &added["disabled"]),
        (&json!("admin"), &json!(false))
    );
    let again = machine.tieout_reading(&args, PASSWORD);
    again.failed(2, &["user-exists"]);

    let args = ["users", "add", "jo", "--role", "viewer"];
    machine.tieout_reading(&args, PASSWORD).went_well();
    let args = [
        "users",
        "change",
        "jo",
        "--role",
        "operator",
        "--password",
        "--disable",
    ];
    machine
        .tieout_reading(&args, "another long password\n")
        .went_well();
    let users = machine
        .tieout(&["users", "list", "--json"])
        .went_well()
        .json();
    let jo = &users["users"][1];
    assert_eq!(
        (&jo["role"], &jo["disabled"]),
        (&json!("operator"), &json!(true))
    );
    let shown = machine.tieout(&["users", "list"]).went_well().out;
    assert!(
        shown.contains("Ada L.") && shown.contains("disabled"),
        "{shown}"
    );

    machine.tieout(&["users", "remove", "jo"]).went_well();
    machine
        .tieout(&["users", "remove", "jo"])
        .failed(2, &["user-missing"]);
    machine.tieout(&["audit", "verify"]).went_well();
    for file in ["tieout.db", "tieout.db-wal"] {
        let bytes = std::fs::read(machine.home().join(file)).unwrap_or_default();
        for password in ["correct horse", "another long password"] {
            let found = bytes
                .windows(password.len())
                .any(|part| part == password.as_bytes());
            assert!(!found, "{file} holds a password");
        }
    }
}

#[test]
fn what_would_leave_nobody_or_is_no_password_is_refused() {
    let machine = Machine::with_home();
    let args = ["users", "add", "ada", "--role", "admin"];
    machine
        .tieout_reading(&args, "short\n")
        .failed(2, &["password-unfit", "12 characters"]);
    machine
        .tieout_reading(&args, "")
        .failed(2, &["password-unfit"]);
    machine.tieout_reading(&args, PASSWORD).went_well();
    machine
        .tieout(&["users", "change", "ada", "--role", "viewer"])
        .failed(5, &["last-admin"]);
    machine
        .tieout(&["users", "change", "ada", "--disable"])
        .failed(5, &["last-admin"]);
    machine
        .tieout(&["users", "remove", "ada"])
        .failed(5, &["last-admin"]);
    machine
        .tieout(&["users", "change", "ada"])
        .failed(2, &["--role"]);
    let args = ["users", "add", "Jo Doe", "--role", "viewer"];
    machine
        .tieout_reading(&args, PASSWORD)
        .failed(2, &["name-unfit"]);
    let args = ["users", "add", "jo", "--role", "root"];
    machine
        .tieout_reading(&args, PASSWORD)
        .failed(2, &["no role"]);
}
