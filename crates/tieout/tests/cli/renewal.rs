//! Renewing, sharing and giving up credentials, through the real program and against the sandbox.

use super::*;

/// The renewal's steps from token to token, in order.
const NINE_AND_THE_SYNC: [&str; 10] = [
    "note-preferences",
    "block-consumer-key",
    "revoke-token",
    "uninstall-bundle",
    "create-integration",
    "create-token",
    "reinstall-bundle",
    "switch",
    "restore-preferences",
    "sync",
];

/// A world whose connection `acme-us` signs in to NetSuite by a token, mapped and synced once.
struct Synced {
    world: Connectable,
    panel: Panel,
}

impl Synced {
    async fn by_token() -> Self {
        let mut world = connectable().await;
        let environment = &mut world.machine.environment;
        for field in ["CLIENT_ID", "CERTIFICATE_ID", "PRIVATE_KEY_PEM"] {
            environment.remove(&format!("TIEOUT_NETSUITE_{field}"));
        }
        let token = &world.sandbox.description["netsuite"]["netsuite-tba"];
        for (field, value) in token.as_object().unwrap() {
            let variable = format!("TIEOUT_NETSUITE_{}", field.to_uppercase());
            environment.insert(variable, value.as_str().unwrap().to_owned());
        }
        Self::of(world).await
    }

    async fn by_certificate() -> Self {
        Self::of(connectable().await).await
    }

    async fn of(world: Connectable) -> Self {
        let panel = Panel::new(&world.sandbox.description).unwrap();
        let synced = Self { world, panel };
        synced.tieout(&["connect", "acme-us"]).await.went_well();
        synced
            .tieout(&["map", "suggest", "acme-us", "--confirm-exact"])
            .await
            .went_well();
        synced.settled_sync().await;
        synced
    }

    async fn tieout(&self, args: &[&str]) -> Done {
        self.world.tieout(args).await
    }

    async fn tieout_reading(&self, args: &[&str], input: &Value) -> Done {
        let input = input.to_string();
        tokio::task::block_in_place(|| self.world.machine.tieout_reading(args, &input))
    }

    async fn settled_sync(&self) {
        let done = self.tieout(&["sync", "acme-us", "--json"]).await;
        assert!([0, 3].contains(&done.status), "{}{}", done.out, done.err);
    }

    async fn panel(&self, path: &str, body: Value) -> Value {
        let path = format!("/control/netsuite/{path}");
        self.panel.post(&path, &body.to_string()).await.unwrap()
    }

    /// What a duplicate would show in: how much of everything there is on both sides.
    async fn figures(&self) -> Value {
        self.panel.get("/control/state").await.unwrap()
    }

    /// The links, as the history knows them.
    async fn facts(&self) -> String {
        let done = self
            .tieout(&["plan", "acme-us", "--json"])
            .await
            .went_well();
        let plan = &done.json()["plans"][0];
        json!([plan["steps"], plan["states"]]).to_string()
    }

    /// The step that waits, out of an answer with exit status 3.
    async fn waits(&self, args: &[&str], input: &Value) -> String {
        let done = self.tieout_reading(args, input).await;
        assert_eq!(done.status, 3, "{}{}", done.out, done.err);
        done.json()["waiting"]["step"].as_str().unwrap().to_owned()
    }

    /// Goes on with the renewal, and kills the program as soon as it has told that this step is done.
    async fn killed_after(&self, step: &str, input: &Value) -> String {
        use std::io::{BufRead, BufReader};
        tokio::task::block_in_place(|| {
            let mut child = Command::new(env!("CARGO_BIN_EXE_tieout"))
                .args(["reconnect", "acme-us"])
                .env_clear()
                .env("TIEOUT_HOME", self.world.machine.home())
                .env("USER", "tester")
                .envs(self.world.machine.store_environment())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut stdin = child.stdin.take().unwrap();
            // Left open where nothing is entered: then the program waits, and can be killed waiting.
            let stdin = match input {
                Value::Null => Some(stdin),
                entered => {
                    stdin.write_all(entered.to_string().as_bytes()).unwrap();
                    drop(stdin);
                    None
                }
            };
            let mut said = String::new();
            for line in BufReader::new(child.stdout.take().unwrap()).lines() {
                let line = line.unwrap();
                said.push_str(&line);
                if line.starts_with(&format!("{step}:")) {
                    break;
                }
            }
            child.kill().unwrap();
            child.wait().unwrap();
            drop(stdin);
            said
        })
    }

    async fn next_step(&self) -> Value {
        let done = self
            .tieout(&["reconnect", "acme-us", "--status", "--json"])
            .await;
        done.went_well().json()["renewal"]["next"].clone()
    }
}

const RENEW: [&str; 3] = ["reconnect", "acme-us", "--json"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RENEW, more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn s211_the_steps_of_a_renewal_are_verified_resumed_and_never_out_of_order() {
    let synced = Synced::by_token().await;
    let (figures, facts) = (synced.figures().await, synced.facts().await);
    let token = synced.world.sandbox.description["netsuite"]["netsuite-tba"].clone();
    let nothing = json!({});

    // Out of order before anything is begun: refused, and nothing is paused.
    let early = synced.tieout(&with(&["--step", "revoke-token"])).await;
    early.failed(5, &["error[step-out-of-order]", "note-preferences", "fix:"]);
    assert_eq!(synced.next_step().await, Value::Null);

    let step = synced.waits(&RENEW, &Value::Null).await;
    assert_eq!(step, "block-consumer-key");
    let plan = synced.tieout(&["plan", "--json"]).await.json();
    assert_eq!(
        plan["plans"][0]["stops"][0]["kind"], "paused",
        "writes rest meanwhile"
    );

    // A person's word isn't believed where it can be seen.
    let word = with(&["--confirm", "block-consumer-key"]);
    synced
        .tieout(&word)
        .await
        .failed(5, &["error[still-signs-in]"]);
    let early = synced.tieout(&with(&["--confirm", "create-token"])).await;
    early.failed(5, &["error[step-out-of-order]"]);

    let key = json!({"action": "block", "consumer_key": token["consumer_key"]});
    synced.panel("integrations", key).await;
    assert_eq!(synced.waits(&word, &nothing).await, "revoke-token");
    let revoked = json!({"action": "revoke", "token_id": token["token_id"]});
    synced.panel("tokens", revoked).await;
    let alone = with(&["--step", "revoke-token", "--confirm", "revoke-token"]);
    synced.tieout(&alone).await.went_well();

    // Killed while it waits for the new key, it stands where it stood.
    synced.killed_after("uninstall-bundle", &Value::Null).await;
    assert_eq!(synced.next_step().await, "create-integration");

    let integration = synced.panel("integrations", json!({"action": "new"})).await;
    let entered = json!({
        "consumer_key": integration["consumer_key"],
        "consumer_secret": integration["consumer_secret"],
    });
    assert_eq!(synced.waits(&RENEW, &entered).await, "create-token");
    let made = json!({"action": "new", "consumer_key": integration["consumer_key"]});
    let fresh = synced.panel("tokens", made).await;
    let wrong = json!({"token_id": fresh["token_id"], "token_secret": "not this one"});
    let refused = synced.tieout_reading(&RENEW, &wrong).await;
    refused.failed(4, &["error[credential-not-accepted]", "acme-us"]);
    assert_eq!(synced.next_step().await, "create-token");

    // Killed after every step from here on, it goes on from there each time.
    let place = |step: &Value| NINE_AND_THE_SYNC.iter().position(|it| step == it).unwrap();
    let mut next = synced.next_step().await;
    while next != "sync" {
        let step = NINE_AND_THE_SYNC[place(&next)];
        let input = if step == "create-token" {
            &fresh
        } else {
            &Value::Null
        };
        let said = synced.killed_after(step, input).await;
        for secret in [&fresh["token_secret"], &entered["consumer_secret"]] {
            assert!(!said.contains(secret.as_str().unwrap()), "{said}");
        }
        let reached = synced.next_step().await;
        assert!(place(&reached) > place(&next), "{reached} after {next}");
        next = reached;
    }
    // A step that is done is not done again.
    synced
        .tieout(&with(&["--step", "switch"]))
        .await
        .went_well();
    // The plan is shown, and waits for a yes.
    let shown = synced.tieout(&RENEW).await;
    assert_eq!(shown.status, 3, "{}", shown.err);
    assert_eq!(shown.json()["shown"]["plans"].as_array().unwrap().len(), 1);
    let ended = synced.tieout(&with(&["--yes"])).await;
    assert!([0, 3].contains(&ended.status), "{}{}", ended.out, ended.err);
    let ended = ended.json();
    let steps: Vec<_> = ended["renewal"]["steps"].as_array().unwrap().clone();
    let ids: Vec<_> = steps
        .iter()
        .map(|step| step["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, NINE_AND_THE_SYNC);
    assert!(
        steps
            .iter()
            .all(|step| step["state"] == "done" && step["by"] == "user:tester")
    );

    assert_eq!(synced.next_step().await, Value::Null);
    assert_eq!(
        synced.world.credentials(),
        ["acme-us-bill", "acme-us-netsuite"]
    );
    synced.tieout(&["ping"]).await.went_well();
    assert_eq!(synced.figures().await, figures, "nothing was made twice");
    assert_eq!(
        synced.facts().await,
        facts,
        "links and states are as they were"
    );
    synced.tieout(&["audit", "verify"]).await.went_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn s210_a_bundles_lost_preferences_are_shown_until_they_are_back() {
    let synced = Synced::by_token().await;
    let subsidiary = synced.world.sandbox.description["netsuite"]["subsidiary"].clone();
    let bundle = |action: &str, only_approved: bool| {
        json!({
            "action": action, "subsidiary": subsidiary,
            "fields": {"custrecord_billcom_only_approved": only_approved},
        })
    };
    synced.panel("bundle", bundle("install", true)).await;
    synced.panel("bundle", bundle("set", false)).await;
    let token = synced.world.sandbox.description["netsuite"]["netsuite-tba"].clone();
    let nothing = json!({});
    assert_eq!(synced.waits(&RENEW, &nothing).await, "block-consumer-key");
    // Somebody changes one of ours meanwhile.
    let ours = "transactions.payment_account";
    synced
        .tieout(&["preferences", "set", "acme-us", ours, "1090"])
        .await
        .went_well();

    let key = json!({"action": "block", "consumer_key": token["consumer_key"]});
    synced.panel("integrations", key).await;
    let revoked = json!({"action": "revoke", "token_id": token["token_id"]});
    synced.panel("tokens", revoked).await;
    let words = with(&[
        "--confirm",
        "block-consumer-key",
        "--confirm",
        "revoke-token",
    ]);
    assert_eq!(synced.waits(&words, &nothing).await, "uninstall-bundle");
    synced.panel("bundle", bundle("uninstall", true)).await;
    let integration = synced.panel("integrations", json!({"action": "new"})).await;
    let made = json!({"action": "new", "consumer_key": integration["consumer_key"]});
    let fresh = synced.panel("tokens", made).await;
    let whole = json!({
        "consumer_key": integration["consumer_key"],
        "consumer_secret": integration["consumer_secret"],
        "token_id": fresh["token_id"], "token_secret": fresh["token_secret"],
    });
    // All at once is as good as one by one.
    let word = with(&["--confirm", "uninstall-bundle"]);
    assert_eq!(synced.waits(&word, &whole).await, "reinstall-bundle");
    let word = with(&["--confirm", "reinstall-bundle"]);
    synced
        .tieout(&word)
        .await
        .failed(5, &["error[bundle-not-as-expected]", "fix:"]);
    synced.panel("bundle", bundle("install", true)).await;

    // Ours wait for a yes, theirs for a person.
    assert_eq!(synced.waits(&word, &nothing).await, "restore-preferences");
    let shown = synced.tieout(&with(&["--yes"])).await;
    assert_eq!(shown.status, 3, "{}", shown.err);
    let differences = &shown.json()["shown"]["preferences"];
    assert_eq!(differences["ours"][0]["preference"], ours, "{differences}");
    let field = differences["other"][0][1].as_str().unwrap();
    assert!(
        field.starts_with("custrecord_billcom_only_approved"),
        "{differences}"
    );
    assert_eq!(differences["other"].as_array().unwrap().len(), 1);
    let config = synced.world.config();
    let named = config
        .lines()
        .any(|line| line.starts_with("payment_account"));
    assert!(!named, "put back: {config}");

    synced.panel("bundle", bundle("set", false)).await;
    assert_eq!(synced.waits(&RENEW, &nothing).await, "sync");
}

#[tokio::test(flavor = "multi_thread")]
async fn s208_from_token_to_certificate_both_live_until_the_new_one_is_proven() {
    let synced = Synced::by_token().await;
    let (figures, facts) = (synced.figures().await, synced.facts().await);
    let token = synced.world.sandbox.description["netsuite"]["netsuite-tba"].clone();
    let to = |more: &[&'static str]| with(&[&["--to", "netsuite-m2m"], more].concat());

    let integration = synced.panel("integrations", json!({"action": "new"})).await;
    let entered = json!({"client_id": integration["client_id"]});
    let made = to(&["--algorithm", "p256"]);
    assert_eq!(synced.waits(&made, &entered).await, "upload-certificate");
    // The old one still serves.
    synced.tieout(&["ping"]).await.went_well();
    let pem =
        std::fs::read_to_string(synced.world.machine.home().join("acme-us-netsuite.pem")).unwrap();
    assert!(
        pem.contains("BEGIN CERTIFICATE") && !pem.contains("PRIVATE"),
        "{pem}"
    );
    let upload = json!({
        "action": "upload", "client_id": integration["client_id"], "certificate": pem,
    });
    let mapped = synced.panel("certificates", upload).await;
    assert_eq!(synced.waits(&to(&[]), &mapped).await, "revoke-token");
    let listed = synced
        .tieout(&["credentials", "list", "--json"])
        .await
        .json();
    let row = |name: &str| {
        let rows = listed["credentials"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap().clone()
    };
    assert_eq!(row("acme-us-netsuite")["kind"], "netsuite-m2m");
    assert_eq!(
        row("acme-us-netsuite")["days_left"],
        729,
        "the certificate's own end"
    );
    // Another goal is another renewal.
    let other = synced.tieout(&with(&["--to", "netsuite-tba"])).await;
    other.failed(5, &["error[renewal-under-way]"]);

    let revoked = json!({"action": "revoke", "token_id": token["token_id"]});
    synced.panel("tokens", revoked).await;
    let done = synced
        .tieout(&to(&["--confirm", "revoke-token", "--yes"]))
        .await;
    assert!([0, 3].contains(&done.status), "{}{}", done.out, done.err);
    synced.tieout(&["ping"]).await.went_well();
    assert_eq!(synced.figures().await, figures, "nothing was written");
    assert_eq!(synced.facts().await, facts);
    assert_eq!(
        synced.world.credentials(),
        ["acme-us-bill", "acme-us-netsuite"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s209_a_certificate_is_rotated_while_both_are_active() {
    let synced = Synced::by_certificate().await;
    let old = synced.world.sandbox.description["netsuite"]["netsuite-m2m"].clone();
    let step = synced
        .waits(&with(&["--algorithm", "p384", "--days", "50"]), &json!({}))
        .await;
    assert_eq!(step, "upload-certificate");
    let pem =
        std::fs::read_to_string(synced.world.machine.home().join("acme-us-netsuite.pem")).unwrap();
    let upload = json!({"action": "upload", "client_id": old["client_id"], "certificate": pem});
    let mapped = synced.panel("certificates", upload).await;
    assert_eq!(synced.waits(&RENEW, &mapped).await, "revoke-certificate");
    let word = with(&["--confirm", "revoke-certificate", "--yes"]);
    synced
        .tieout(&word)
        .await
        .failed(5, &["error[still-signs-in]"]);
    let revoked = json!({"action": "revoke", "certificate_id": old["certificate_id"]});
    synced.panel("certificates", revoked).await;
    let done = synced.tieout(&word).await;
    assert!([0, 3].contains(&done.status), "{}{}", done.out, done.err);
    let listed = synced.tieout(&["credentials", "list"]).await;
    assert!(listed.out.contains("expires in 50 days"), "{}", listed.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_credential_is_renewed_by_the_same_rules() {
    let synced = Synced::by_certificate().await;
    let whole = synced.world.sandbox.description["bill"]["bill"].clone();
    let renew = |more: &[&'static str]| with(&[&["--system", "bill"], more].concat());
    assert_eq!(synced.waits(&renew(&[]), &json!({})).await, "developer-key");
    let mut wrong = whole.clone();
    wrong["password"] = json!("not this one");
    let refused = synced.tieout_reading(&renew(&[]), &wrong).await;
    refused.failed(4, &["error[credential-not-accepted]"]);
    assert_eq!(synced.waits(&renew(&[]), &whole).await, "retire-token");
    // The same value again is no new one: the old can't be gone.
    let word = renew(&["--confirm", "retire-token"]);
    synced
        .tieout(&word)
        .await
        .failed(5, &["error[still-signs-in]"]);
    synced.tieout(&renew(&["--abandon"])).await.went_well();
    assert_eq!(
        synced.world.credentials(),
        ["acme-us-bill", "acme-us-netsuite"]
    );
    synced.tieout(&["ping"]).await.went_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn s206_a_renewal_warns_that_a_reset_breaks_other_integrations() {
    let synced = Synced::by_token().await;
    let begun = synced
        .tieout(&["credentials", "rotate", "acme-us-netsuite"])
        .await;
    assert_eq!(begun.status, 3, "{}", begun.err);
    assert!(
        begun.out.contains("for acme-us"),
        "whom it touches: {}",
        begun.out
    );
    assert!(begun.out.contains("other integrations"), "{}", begun.out);
    // Before the page, not after it.
    let (warning, page) = (
        begun.err.find("Never reset"),
        begun.err.find("State: Blocked"),
    );
    assert!(warning.is_some() && warning < page, "{}", begun.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_given_up_leaves_everything_as_it_was() {
    let synced = Synced::by_token().await;
    assert_eq!(synced.waits(&RENEW, &json!({})).await, "block-consumer-key");
    synced
        .tieout(&["reconnect", "acme-us", "--abandon"])
        .await
        .went_well();
    assert_eq!(synced.next_step().await, Value::Null);
    let plan = synced.tieout(&["plan", "--json"]).await.json();
    assert_eq!(plan["plans"][0]["stops"], Value::Null, "writes go on");
    synced.tieout(&["ping"]).await.went_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn s207_one_secret_for_many_connections_is_renewed_for_all_or_for_none() {
    let synced = Synced::by_token().await;
    let shared = [
        "--ledger-credential",
        "acme-us-netsuite",
        "--platform-credential",
        "acme-us-bill",
    ];
    let elsewhere = [
        "connect",
        "acme-far",
        "--no-check",
        "--set",
        "netsuite.account=7654321",
    ];
    synced
        .tieout(&[&elsewhere[..], &shared].concat())
        .await
        .went_well();
    let integration = synced.panel("integrations", json!({"action": "new"})).await;
    let made = json!({"action": "new", "consumer_key": integration["consumer_key"]});
    let fresh = synced.panel("tokens", made).await;
    let value = json!({
        "consumer_key": integration["consumer_key"],
        "consumer_secret": integration["consumer_secret"],
        "token_id": fresh["token_id"], "token_secret": fresh["token_secret"],
    });
    let set = [
        "credentials",
        "set",
        "acme-us-netsuite",
        "--kind",
        "netsuite-tba",
        "--no-sync",
        "--json",
    ];
    let refused = synced.tieout_reading(&set, &value).await;
    refused.failed(
        4,
        &[
            "error[credential-not-accepted]",
            "acme-far",
            "the old one stays",
        ],
    );
    let listed = synced
        .tieout(&["credentials", "list", "--json"])
        .await
        .json();
    assert_eq!(listed["credentials"][1]["version"], 1, "{listed}");

    // The old one goes, and with it a run; the new one is proven for both and lets both go on.
    let account = synced.world.machine.environment["TIEOUT_NETSUITE_ACCOUNT"].clone();
    let account = format!("netsuite.account={account}");
    let right = ["connect", "acme-far", "--replace", "--set", &account];
    synced.tieout(&right).await.went_well();
    let token = &synced.world.sandbox.description["netsuite"]["netsuite-tba"];
    let revoked = json!({"action": "revoke", "token_id": token["token_id"]});
    synced.panel("tokens", revoked).await;
    assert_eq!(synced.tieout(&["sync", "acme-us"]).await.status, 4);
    let done = synced.tieout_reading(&set, &value).await.went_well().json();
    assert_eq!(done["version"], 2);
    assert_eq!(done["released"], json!(["acme-us"]));
    assert_eq!(done["runs"], Value::Null);
    let proven: Vec<_> = done["proven"].as_array().unwrap().clone();
    let names: Vec<_> = proven
        .iter()
        .map(|it| it["connection"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["acme-far", "acme-us"]);
    synced.tieout(&["ping"]).await.went_well();
    synced.settled_sync().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_entered_anew_is_tested_and_starts_what_it_had_stopped() {
    let synced = Synced::by_token().await;
    let token = synced.world.sandbox.description["netsuite"]["netsuite-tba"].clone();
    let revoked = json!({"action": "revoke", "token_id": token["token_id"]});
    synced.panel("tokens", revoked).await;
    assert_eq!(synced.tieout(&["sync", "acme-us"]).await.status, 4);
    let made = json!({"action": "new", "consumer_key": token["consumer_key"]});
    let fresh = synced.panel("tokens", made).await;
    let value = json!({
        "consumer_key": token["consumer_key"], "consumer_secret": token["consumer_secret"],
        "token_id": fresh["token_id"], "token_secret": fresh["token_secret"],
    });
    let set = [
        "credentials",
        "set",
        "acme-us-netsuite",
        "--kind",
        "netsuite-tba",
        "--json",
    ];
    let done = synced.tieout_reading(&set, &value).await.went_well().json();
    assert_eq!(done["released"], json!(["acme-us"]));
    assert_eq!(done["runs"][0]["connection"], "acme-us", "{done}");
    assert_ne!(done["runs"][0]["status"], "failed", "{done}");
    // What a person has paused stays as it is.
    synced.tieout(&["pause", "acme-us"]).await.went_well();
    let done = synced.tieout_reading(&set, &value).await.went_well().json();
    assert_eq!(done["runs"], Value::Null, "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s205_a_fifth_refused_sign_in_is_never_risked() {
    let synced = Synced::by_token().await;
    let token = &synced.world.sandbox.description["netsuite"]["netsuite-tba"];
    let revoked = json!({"action": "revoke", "token_id": token["token_id"]});
    synced.panel("tokens", revoked).await;
    let check = ["credentials", "check", "acme-us-netsuite", "--json"];
    for _ in 0..4 {
        let done = synced.tieout(&check).await;
        assert_eq!(done.status, 4);
        let row = &done.json()["credentials"][0];
        assert_eq!(row["connections"][0]["code"], "invalid-login", "{row}");
    }
    let fifth = synced.tieout(&check).await;
    assert_eq!(fifth.status, 5);
    assert_eq!(fifth.json()["credentials"][0]["code"], "too-many-refusals");
    let trail = json!({"q": "SELECT COUNT(*) AS n FROM loginaudit WHERE status = 'Failure'"});
    let rows = synced.panel("query", trail).await;
    assert_eq!(rows["items"][0]["n"], "4", "{rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s212_disconnecting_and_connecting_again_makes_nothing_new() {
    let synced = Synced::by_certificate().await;
    let (figures, facts) = (synced.figures().await, synced.facts().await);
    let unasked = synced.tieout(&["disconnect", "acme-us"]).await;
    unasked.failed(2, &["error[not-confirmed]", "--yes"]);
    let done = synced
        .tieout(&["disconnect", "acme-us", "--yes", "--json"])
        .await;
    let forgotten = done.went_well().json()["forgotten"].clone();
    assert_eq!(forgotten, json!(["acme-us-netsuite", "acme-us-bill"]));
    assert!(synced.world.credentials().is_empty());
    synced
        .tieout(&["sync", "acme-us"])
        .await
        .failed(5, &["error[disconnected]", "fix:"]);
    let all = synced.tieout(&["sync", "--json"]).await.went_well().json();
    assert_eq!(all["runs"], json!([]), "without a name it is left out");
    let runs = synced
        .tieout(&["runs", "acme-us", "--json"])
        .await
        .went_well()
        .json();
    assert_ne!(runs["runs"], json!([]), "its history can be read");

    synced.tieout(&["connect", "acme-us"]).await.went_well();
    assert!(
        !synced.world.config().contains("enabled"),
        "{}",
        synced.world.config()
    );
    synced.settled_sync().await;
    assert_eq!(synced.figures().await, figures, "nothing was made twice");
    assert_eq!(synced.facts().await, facts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_made_for_a_credential_keeps_its_key_out_of_every_file() {
    let synced = Synced::by_certificate().await;
    let client_id = synced.world.machine.environment["TIEOUT_NETSUITE_CLIENT_ID"].clone();
    let make = [
        "credentials",
        "certificate",
        "acme-us-netsuite",
        "--algorithm",
        "p256",
        "--json",
    ];
    let made = synced.tieout(&make).await.went_well().json();
    let path = made["certificate"].as_str().unwrap();
    for entry in std::fs::read_dir(synced.world.machine.home()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let found = bytes.windows(11).any(|window| window == b"PRIVATE KEY");
        assert!(!found, "a private key lies in the home");
    }
    let upload = json!({
        "action": "upload", "client_id": client_id, "certificate": std::fs::read_to_string(path).unwrap(),
    });
    let mapped = synced.panel("certificates", upload).await;
    let complete = ["credentials", "certificate", "acme-us-netsuite", "--id"];
    // A wrong id is found out before anything is replaced.
    let wrong = synced
        .tieout(&[&complete[..], &["nobody-knows-it"]].concat())
        .await;
    wrong.failed(4, &["error[credential-not-accepted]"]);
    synced.tieout(&["ping"]).await.went_well();
    let id = mapped["certificate_id"].as_str().unwrap();
    synced
        .tieout(&[&complete[..], &[id]].concat())
        .await
        .went_well();
    assert_eq!(
        synced.world.credentials(),
        ["acme-us-bill", "acme-us-netsuite"]
    );
    synced.tieout(&["ping"]).await.went_well();
}

#[test]
fn s209_the_end_of_a_credential_is_listed_and_a_wrong_day_refused() {
    let machine = Machine::with_home();
    let mut fields = token_credential();
    fields["expires"] = json!("2020-01-31");
    seal(&machine, "old", "netsuite-tba", &fields);
    let listed = machine.tieout(&["credentials", "list"]).went_well();
    assert!(
        listed.out.contains("expired on 2020-01-31"),
        "{}",
        listed.out
    );
    let row = machine
        .tieout(&["credentials", "list", "--json"])
        .went_well()
        .json();
    let row = row["credentials"][0].clone();
    assert_eq!(row["expires"], "2020-01-31");
    assert!(row["days_left"].as_i64().unwrap() < 0);
    fields["expires"] = json!("soon");
    let set = ["credentials", "set", "old", "--kind", "netsuite-tba"];
    machine
        .tieout_reading(&set, &fields.to_string())
        .failed(2, &["error[credential-malformed]", "`expires`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s239_what_a_person_pauses_during_a_renewal_stays_paused_after_it() {
    let synced = Synced::by_token().await;
    let stops = async || {
        let plan = synced.tieout(&["plan", "acme-us", "--json"]).await;
        plan.json()["plans"][0]["stops"].clone()
    };
    for pauses in [false, true] {
        assert_eq!(synced.waits(&RENEW, &json!({})).await, "block-consumer-key");
        if pauses {
            let pause = ["pause", "acme-us", "--reason", "a forged invoice"];
            synced.tieout(&pause).await.went_well();
        }
        synced.tieout(&with(&["--abandon"])).await.went_well();
        assert_eq!(stops().await.is_array(), pauses, "{}", stops().await);
    }
}
