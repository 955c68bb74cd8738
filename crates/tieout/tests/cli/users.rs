//! `users`: the first one is made here, and a password is never an argument nor in an output.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use super::Machine;
use super::serve::Serving;

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

/// What the service answers to a request, head and body.
fn asked(serving: &Serving, request: &str, cookie: &str, form: &str) -> String {
    let host = serving.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let length = form.len();
    write!(
        stream,
        "{request} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn who_was_made_here_signs_in_to_the_service_and_is_signed_out_from_here() {
    let machine = Machine::with_home();
    machine.write_config("[server]\nlisten = \"127.0.0.1:0\"\ntwo_people = false\n");
    let args = ["users", "add", "ada", "--role", "admin"];
    machine.tieout_reading(&args, PASSWORD).went_well();
    let serving = Serving::begin(&machine);
    let shut = asked(&serving, "GET /users", "", "");
    assert!(shut.starts_with("HTTP/1.1 303"), "{shut}");
    let wrong = asked(&serving, "POST /sign-in", "", "name=ada&password=wrong");
    assert!(wrong.starts_with("HTTP/1.1 401"), "{wrong}");
    let form = "name=ada&password=correct+horse+battery";
    let answer = asked(&serving, "POST /sign-in", "", form);
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    let cookie = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .and_then(|line| line.split(';').next())
        .unwrap();
    let page = asked(&serving, "GET /users", cookie, "");
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains("/users/ada"),
        "{page}"
    );
    let account = asked(&serving, "GET /account", cookie, "");
    assert!(
        account.contains("127.0.0.1"),
        "where the session began: {account}"
    );

    let args = ["users", "change", "ada", "--sign-out"];
    machine.tieout(&args).went_well();
    let shut = asked(&serving, "GET /users", cookie, "");
    assert!(shut.starts_with("HTTP/1.1 303"), "{shut}");
}
