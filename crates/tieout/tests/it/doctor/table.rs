//! The table: a row for each cause.

use jiff::{ToSpan as _, Zoned};
use serde_json::{Value, json};
use tieout::sandbox::{Sandbox, SandboxOptions};

use super::bench::Bench;
use crate::stage::options;

/// What is done, and how its fix is followed.
pub(super) enum Trouble {
    /// Calls of the panel, and those that follow the fix.
    Panel(Vec<(&'static str, Value)>, Vec<(&'static str, Value)>),
    /// A fault of the sandbox.
    Fault(Value),
    /// A piece of the configuration is replaced.
    Config(String, String),
    /// A field of a credential is another.
    Credential(&'static str, &'static str, String),
    /// A person in NetSuite makes a record.
    Document(&'static str, Value),
}

/// A row.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) connection: &'static str,
    pub(super) trouble: Trouble,
    pub(super) code: &'static str,
    /// Told in the cause or the fix.
    pub(super) word: &'static str,
    pub(super) fails: bool,
}

const M2M: &str = "credentials/netsuite-m2m";
const TBA: &str = "credentials/netsuite-tba";
const BILL: &str = "credentials/bill";

fn row(
    name: &'static str,
    connection: &'static str,
    trouble: Trouble,
    code: &'static str,
    word: &'static str,
) -> Row {
    Row {
        name,
        connection,
        trouble,
        code,
        word,
        fails: true,
    }
}

fn warning(row: Row) -> Row {
    Row {
        fails: false,
        ..row
    }
}

fn act(path: &'static str, action: &str) -> Trouble {
    Trouble::Panel(
        vec![(path, json!({"action": action}))],
        vec![(path, json!({"action": "restore"}))],
    )
}

fn field(credential: &'static str, field: &'static str, value: &str) -> Trouble {
    Trouble::Credential(credential, field, value.to_owned())
}

fn config(from: &str, to: &str) -> Trouble {
    Trouble::Config(from.to_owned(), to.to_owned())
}

fn without(permission: &'static str) -> Row {
    let trouble = Trouble::Panel(
        vec![(
            "netsuite/role",
            json!({"permissions": {permission: "none"}}),
        )],
        vec![("netsuite/role", json!({"restore": true}))],
    );
    row(
        permission,
        "acme-us",
        trouble,
        "permission-missing",
        permission,
    )
}

fn feature(id: &str, connection: &'static str, name: &'static str) -> Row {
    let trouble = Trouble::Panel(
        vec![("netsuite/features", json!({id: false}))],
        vec![("netsuite/features", json!({id: true}))],
    );
    row(name, connection, trouble, "feature-off", name)
}

fn fault(effect: Value) -> Trouble {
    let mut fault = json!({"service": "netsuite"});
    for (name, value) in effect.as_object().unwrap() {
        fault[name] = value.clone();
    }
    Trouble::Fault(fault)
}

pub(super) async fn rows(bench: &Bench) -> Vec<Row> {
    let mut rows = platform();
    rows.extend(network(bench));
    rows.extend(tokens());
    rows.extend(certificates().await);
    rows.extend(rights());
    rows.extend(account(&bench.vendor().await));
    rows
}

fn platform() -> Vec<Row> {
    let organization_locked = Trouble::Panel(
        vec![(BILL, json!({"action": "lock", "what": "organization"}))],
        vec![(BILL, json!({"action": "restore"}))],
    );
    let narrow = Trouble::Panel(
        vec![(BILL, json!({"action": "role", "role": "none"}))],
        vec![(BILL, json!({"action": "restore"}))],
    );
    vec![
        row(
            "s201 BILL: a wrong password",
            "acme-us",
            field("demo-bill", "password", "not-the-password"),
            "wrong-password",
            "BDC_1101",
        ),
        row(
            "s201 BILL: an expired password",
            "acme-us",
            act(BILL, "expire"),
            "wrong-password",
            "BDC_1101",
        ),
        row(
            "BILL: a locked user",
            "acme-us",
            act(BILL, "lock"),
            "locked-user",
            "BDC_1110",
        ),
        row(
            "BILL: a user who has left",
            "acme-us",
            act(BILL, "revoke"),
            "locked-user",
            "BDC_1111",
        ),
        row(
            "BILL: a wrong developer key, or the other environment's",
            "acme-us",
            field("demo-bill", "dev_key", "01notthekey"),
            "wrong-developer-key",
            "other environment",
        ),
        row(
            "BILL: an inactive developer key",
            "acme-us",
            act(BILL, "block"),
            "wrong-developer-key",
            "BDC_1103",
        ),
        row(
            "BILL: a wrong organization",
            "acme-us",
            config("organization = \"008", "organization = \"009"),
            "wrong-organization",
            "BDC_1123",
        ),
        row(
            "BILL: a locked organization",
            "acme-us",
            organization_locked,
            "organization-locked",
            "BDC_1107",
        ),
        row(
            "s203 BILL: a role that may not read",
            "acme-us",
            narrow,
            "permission-missing",
            "vendors",
        ),
        warning(row(
            "s204 BILL: two-factor in the way",
            "acme-us",
            act(BILL, "phone"),
            "two-factor",
            "sync token",
        )),
        row(
            "s220 a sandbox with a production organization",
            "acme-us",
            config("environment = \"sandbox\"", "environment = \"production\""),
            "environments-mixed",
            "production",
        ),
    ]
}

fn network(bench: &Bench) -> Vec<Row> {
    let address = bench.address("netsuite");
    let (_, port) = address.rsplit_once(':').unwrap();
    let at = |other: &str| {
        config(
            &format!("base_url = \"{address}\""),
            &format!("base_url = \"{other}\""),
        )
    };
    vec![
        row(
            "nobody answers at the address",
            "acme-us",
            at("http://127.0.0.1:1"),
            "unreachable",
            "127.0.0.1:1",
        ),
        row(
            "what answers speaks no TLS",
            "acme-us",
            at(&format!("https://127.0.0.1:{port}")),
            "tls-not-spoken",
            "base_url",
        ),
        row(
            "a proxy's page in the place of the service",
            "acme-us",
            fault(json!({"effect": "html"})),
            "proxy",
            "proxy",
        ),
        row(
            "s218 maintenance",
            "acme-us",
            fault(json!({"effect": "status", "status": 503, "body": "down"})),
            "maintenance",
            "503",
        ),
    ]
}

fn tokens() -> Vec<Row> {
    let rows = [
        (
            "s205 a blocked consumer key",
            act(TBA, "block"),
            "consumer-key-blocked",
            "consumer_key_refused",
        ),
        (
            "an unknown consumer key",
            field("demo-tba", "consumer_key", "not-the-key"),
            "consumer-key-unknown",
            "consumer_key_unknown",
        ),
        (
            "s205 a revoked token",
            act(TBA, "revoke"),
            "token-revoked",
            "token_rejected",
        ),
        (
            "a locked token",
            act(TBA, "lock"),
            "token-locked",
            "temporary_locked",
        ),
        (
            "s206 a consumer secret that was reset",
            field("demo-tba", "consumer_secret", "not-the-secret"),
            "signature-wrong",
            "InvalidSignature",
        ),
        (
            "a wrong token secret",
            field("demo-tba", "token_secret", "not-the-secret"),
            "signature-wrong",
            "InvalidSignature",
        ),
        (
            "s203 a role that may not sign in with tokens",
            Trouble::Panel(
                vec![(TBA, json!({"action": "role", "role": "no-sign-in"}))],
                vec![(TBA, json!({"action": "restore"}))],
            ),
            "permission-missing",
            "Log in using Access Tokens",
        ),
    ];
    rows.into_iter()
        .map(|(name, trouble, code, word)| row(name, "tba", trouble, code, word))
        .collect()
}

async fn certificates() -> Vec<Row> {
    let other = Sandbox::start(&SandboxOptions {
        empty: true,
        ..options()
    })
    .await
    .unwrap();
    let other_key = &other.description["netsuite"]["netsuite-m2m"]["private_key_pem"];
    let other_key = other_key.as_str().unwrap();
    let day = |days: i32| (Zoned::now().date() + days.days()).to_string();
    let rows = [
        (
            "s205 a blocked integration record",
            act(M2M, "block"),
            "consumer-key-blocked",
            "consumer_key_refused",
        ),
        (
            "an unknown client id",
            field("demo-netsuite", "client_id", "not-the-client"),
            "consumer-key-unknown",
            "consumer_key_unknown",
        ),
        (
            "a revoked certificate",
            act(M2M, "revoke"),
            "certificate-revoked",
            "certificate_revoked",
        ),
        (
            "s209 an expired certificate",
            act(M2M, "expire"),
            "certificate-expired",
            "certificate_expired",
        ),
        (
            "s209 a certificate whose end the credential tells",
            field("demo-netsuite", "expires", &day(-1)),
            "certificate-expired",
            "expired on",
        ),
        (
            "a certificate that isn't mapped",
            field("demo-netsuite", "certificate_id", "not-mapped"),
            "certificate-not-mapped",
            "certificate_unknown",
        ),
        (
            "s219 mappings wiped by a refresh of the sandbox",
            act(M2M, "unmap"),
            "mapping-wiped",
            "refresh",
        ),
        (
            "another certificate's private key",
            field("demo-netsuite", "private_key_pem", other_key),
            "signature-wrong",
            "private key",
        ),
        (
            "a private key that can't sign",
            field("demo-netsuite", "private_key_pem", "no key"),
            "private-key-unfit",
            "private_key_pem",
        ),
    ];
    let mut rows: Vec<_> = rows
        .into_iter()
        .map(|(name, trouble, code, word)| row(name, "acme-us", trouble, code, word))
        .collect();
    rows.push(warning(row(
        "s209 a certificate that ends within a month",
        "acme-us",
        field("demo-netsuite", "expires", &day(20)),
        "certificate-expiring",
        "in 20 days",
    )));
    rows
}

fn rights() -> Vec<Row> {
    let mut rows: Vec<_> = [
        "REST Web Services",
        "SuiteAnalytics Workbook",
        "Log in using OAuth 2.0 Access Tokens",
        "Deleted Records",
        "Manage Accounting Periods",
        "Find Transaction",
        "Bills",
        "Pay Bills",
        "Enter Vendor Credits",
        "Make Journal Entry",
        "Vendors",
        "Accounts",
        "Subsidiaries",
        "Departments",
        "Classes",
        "Locations",
        "Currency",
    ]
    .into_iter()
    .map(without)
    .collect();
    rows.extend([
        feature("RESTWEBSERVICES", "acme-us", "REST Web Services"),
        feature("OAUTH2", "acme-us", "OAuth 2.0"),
        feature("TBA", "tba", "Token-based Authentication"),
        warning(feature("CUSTOMCODE", "acme-us", "Client SuiteScript")),
        warning(feature(
            "SERVERSIDESCRIPTING",
            "acme-us",
            "Server SuiteScript",
        )),
        warning(feature("WEBSERVICESEXTERNAL", "acme-us", "SuiteTalk")),
    ]);
    rows
}

fn account(vendor: &str) -> Vec<Row> {
    let crowded = |disguised: bool| {
        Trouble::Panel(
            vec![
                ("netsuite/switches", json!({"overload_as_401": disguised})),
                ("netsuite/limits", json!({"concurrency": 0})),
            ],
            vec![
                ("netsuite/switches", json!({"overload_as_401": false})),
                ("netsuite/limits", json!({"concurrency": 5})),
            ],
        )
    };
    vec![
        row(
            "s202 no subsidiary",
            "acme-us",
            config("subsidiary = \"3\"\n", "subsidiary = \"\"\n"),
            "subsidiary-missing",
            "3 = ",
        ),
        row(
            "s202 a subsidiary that isn't there",
            "acme-us",
            config("subsidiary = \"3\"\n", "subsidiary = \"99\"\n"),
            "subsidiary-wrong",
            "3 = ",
        ),
        row(
            "s228 another account, or a wrong form of it",
            "acme-us",
            config("account = \"1234567_SB1\"", "account = \"1234567_SB2\""),
            "account-unknown",
            "1234567_SB2",
        ),
        row(
            "s216 the account's calls are used up",
            "acme-us",
            crowded(false),
            "concurrency-limit",
            "Integration Governance",
        ),
        row(
            "s216 the same, looking like a wrong sign-in",
            "acme-us",
            crowded(true),
            "concurrency-limit",
            "The credential is right",
        ),
        row(
            "s249 BILL's own sync is at work",
            "acme-us",
            Trouble::Document(
                "vendorBill",
                json!({"vendor": vendor, "number": "B-1", "amount": "10.00", "memo": "Created by Bill.com"}),
            ),
            "other-sync-active",
            "Bill.com",
        ),
        row(
            "a credential that isn't there",
            "acme-us",
            config("credential = \"demo-bill\"", "credential = \"no-such\""),
            "credential-missing",
            "no-such",
        ),
    ]
}
