//! The service through the real program and against the sandbox: how it begins, runs by itself, and ends.

use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::time::{Duration, Instant};

use tieout_kit::transport::{Network, Transport as _};

use super::*;

/// Nothing here takes as long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(90);

/// A `tieout serve` that is at work. Killed when it is dropped.
pub(super) struct Serving {
    child: Child,
    pub(super) address: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    pub(super) fn begin(machine: &Machine) -> Self {
        let log = std::fs::File::create(machine.folder.path().join("serve.log")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tieout"))
            .args(["serve", "--json", "-v"])
            .env_clear()
            .env("HOME", machine.folder.path())
            .env("TIEOUT_HOME", machine.home())
            .env("USER", "tester")
            .envs(&machine.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error}: {line}{}", serve_log(machine)));
        let address = told["listening"].as_str().unwrap().to_owned();
        Self { child, address }
    }

    /// What a path answers: its JSON, or what was said instead.
    async fn get(&self, path: &str) -> Result<Value, String> {
        let panel = Panel::new(&json!({"control": self.address})).unwrap();
        panel.get(path).await.map_err(|failure| failure.cause)
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// The exit status, once it has ended.
    async fn ended(&mut self) -> Option<i32> {
        eventually("it ends", async || self.child.try_wait().unwrap())
            .await
            .code()
    }
}

fn serve_log(machine: &Machine) -> String {
    std::fs::read_to_string(machine.folder.path().join("serve.log")).unwrap_or_default()
}

/// Waits until this gives something.
async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A connection `acme-us`, mapped, that `serve` is to run.
async fn served(keys: &str) -> Connectable {
    let world = connectable().await;
    world.tieout(&["connect", "acme-us"]).await.went_well();
    world
        .tieout(&["map", "suggest", "acme-us", "--confirm-exact"])
        .await
        .went_well();
    rewrite(&world, keys);
    world
}

/// A service that listens where there is room.
const ANYWHERE: &str = "[server]\nlisten = \"127.0.0.1:0\"";

/// Puts these keys at the head of the connection's table.
fn rewrite(world: &Connectable, keys: &str) {
    rewrite_with(world, ANYWHERE, keys);
}

fn rewrite_with(world: &Connectable, server: &str, keys: &str) {
    let path = world.machine.folder.path().join("as-connected.toml");
    if !path.exists() {
        std::fs::write(&path, world.config()).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let head = "\n[connections.acme-us]\n";
    assert!(text.contains(head), "{text}");
    let text = text.replacen(head, &format!("{head}{keys}\n"), 1);
    // Notifications are kept by another service of the sandbox.
    let events = world.sandbox.description["bill"]["events_url"]
        .as_str()
        .unwrap();
    let bill = "\n[connections.acme-us.bill]\n";
    assert!(text.contains(bill), "{text}");
    let text = text.replacen(bill, &format!("{bill}events_url = \"{events}\"\n"), 1);
    let text = format!("{server}\n{text}");
    // In one step, as editors do.
    let next = path.with_extension("next");
    std::fs::write(&next, text).unwrap();
    std::fs::rename(next, world.machine.config()).unwrap();
}

impl Connectable {
    async fn runs(&self) -> Vec<Value> {
        let done = self
            .tieout(&["runs", "acme-us", "--json"])
            .await
            .went_well();
        let rows = done.json()["runs"].as_array().unwrap().clone();
        rows.into_iter().map(|mut row| row["run"].take()).collect()
    }

    async fn runs_by(&self, trigger: &str) -> usize {
        let runs = self.runs().await;
        let ended = runs
            .iter()
            .filter(|run| run["trigger"] == trigger && !run["ended"].is_null());
        ended.count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_runs_by_its_schedule_and_drains_when_told_to_stop() {
    let world = served("schedule = \"every 1 second\"").await;
    let mut serving = Serving::begin(&world.machine);
    assert_eq!(serving.get("/health").await.unwrap()["status"], "alive");
    assert_eq!(serving.get("/ready").await.unwrap()["status"], "ready");
    eventually("two runs by schedule", async || {
        (world.runs_by("schedule").await >= 2).then_some(())
    })
    .await;
    let run = &world.runs().await[0];
    assert_eq!(
        (&run["actor"], &run["trigger"]),
        (&json!("service"), &json!("schedule"))
    );
    serving.signal("-TERM");
    assert_eq!(serving.ended().await, Some(0));
    // Nothing was left half done, and nothing holds the connection.
    let runs = world.runs().await;
    assert!(runs.iter().all(|run| !run["ended"].is_null()), "{runs:?}");
    let report = world.tieout(&["sync", "acme-us", "--json"]).await;
    assert_eq!(report.json()["runs"][0]["joined"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_holds_at_once_and_a_wrong_one_never() {
    let world = served("schedule = \"never\"").await;
    let serving = Serving::begin(&world.machine);
    rewrite(&world, "schedule = \"every 1 secnod\"");
    eventually("the wrong one is told of", async || {
        serve_log(&world.machine)
            .contains("what was read before still holds")
            .then_some(())
    })
    .await;
    assert!(serve_log(&world.machine).contains("is no pace"));
    assert_eq!(serving.get("/ready").await.unwrap()["status"], "ready");
    assert_eq!(world_runs(&world), 0);
    rewrite(&world, "schedule = \"every 1 second\"");
    eventually("a run by the new schedule", async || {
        (world_runs(&world) > 0).then_some(())
    })
    .await;
}

/// How many runs the store knows, looked at with a command that reads the configuration that `rewrite` left: it may
/// be wrong.
fn world_runs(world: &Connectable) -> usize {
    serve_log(&world.machine).matches("a run has ended").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn s201_what_is_not_let_in_waits_and_resumes_by_itself() {
    let world = served("schedule = \"every 1 second\"").await;
    let panel = Panel::new(&world.sandbox.description).unwrap();
    let act = async |action: &str| {
        let body = json!({"action": action}).to_string();
        panel
            .post("/control/credentials/bill", &body)
            .await
            .unwrap();
    };
    act("revoke").await;
    let serving = Serving::begin(&world.machine);
    eventually("a run that wasn't let in", async || {
        (world.runs_by("schedule").await >= 1).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(
        world.runs_by("schedule").await,
        1,
        "{}",
        serve_log(&world.machine)
    );
    assert_eq!(serving.get("/ready").await.unwrap()["status"], "ready");
    act("restore").await;
    // The same values, sealed again: somebody has mended it.
    let fields = world.sandbox.description["bill"]["bill"].to_string();
    let name = world
        .credentials()
        .into_iter()
        .find(|name| name.contains("bill"))
        .unwrap();
    let set = ["credentials", "set", &name, "--kind", "bill", "--no-check"];
    tokio::task::block_in_place(|| world.machine.tieout_reading(&set, &fields)).went_well();
    eventually("it goes on", async || {
        (world.runs_by("schedule").await >= 2).then_some(())
    })
    .await;
}

/// A service that others reach at its own address, on a port that was free a moment ago.
fn reachable() -> (String, String) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    let url = format!("http://{address}");
    (
        format!("[server]\nlisten = \"{address}\"\npublic_url = \"{url}\""),
        url,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_alone_are_enough_and_are_given_up_with_the_connection() {
    let world = served("").await;
    let (server, url) = reachable();
    rewrite_with(&world, &server, "schedule = \"never\"");
    let serving = Serving::begin(&world.machine);
    assert_eq!(serving.address, url);
    let panel = Panel::new(&world.sandbox.description).unwrap();
    let subscriptions = async || {
        let state = panel.get("/control/state").await.unwrap();
        state["bill"]["webhooks"]["subscriptions"].as_u64().unwrap()
    };
    eventually("it subscribes", async || {
        serve_log(&world.machine)
            .contains("subscribed to notifications")
            .then_some(())
    })
    .await;
    assert_eq!(subscriptions().await, 1);
    // A person archives a vendor in BILL; BILL tells of it, and the service looks.
    eventually("the test event has come and is heeded", async || {
        let seen = world
            .tieout(&["webhooks", "--json"])
            .await
            .went_well()
            .json();
        let bill = &seen["webhooks"][1];
        let heeded = !bill["last_heard"].is_null() && bill["waiting_since"].is_null();
        heeded.then_some(())
    })
    .await;
    let before = world.runs_by("webhook").await;
    let records = panel.get("/control/records").await.unwrap();
    let vendor = records["bill"]["vendors"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/control/bill/vendors/{vendor}");
    panel.post(&path, "{\"action\":\"archive\"}").await.unwrap();
    eventually("a run because BILL told", async || {
        (world.runs_by("webhook").await > before).then_some(())
    })
    .await;
    let told = world
        .tieout(&["webhooks", "--json"])
        .await
        .went_well()
        .json();
    let bill = &told["webhooks"][1];
    assert_eq!(bill["address"], format!("{url}/webhooks/bill/acme-us"));
    assert!(!bill["last_heard"].is_null(), "{bill}");
    // Nobody else can set one off, whatever he sends.
    let stranger = Panel::new(&json!({"control": url})).unwrap();
    for (path, body, status) in [
        ("/webhooks/bill/acme-us", "{}".to_owned(), "401"),
        ("/webhooks/netsuite/acme-us/guess", "{}".to_owned(), "401"),
        (
            "/webhooks/bill/acme-us",
            "x".repeat(10 * 1024 * 1024),
            "413",
        ),
    ] {
        let failure = stranger.post(path, &body).await.unwrap_err();
        // Whoever sends too much may be hung up on before he has read why.
        let hung_up = status == "413" && failure.cause.contains("no answer came");
        let cause = failure.cause;
        assert!(cause.contains(status) || hung_up, "{path}: {cause}");
    }
    drop(serving);
    let done = world
        .tieout(&["disconnect", "acme-us", "--yes"])
        .await
        .went_well();
    assert!(!done.err.contains("may still be sent"), "{}", done.err);
    assert_eq!(subscriptions().await, 0);
    let again = world
        .tieout(&["webhooks", "--json"])
        .await
        .went_well()
        .json();
    assert!(again["webhooks"][1]["proof"]["subscription"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn s242_a_push_has_a_run_look_and_nothing_in_it_is_believed() {
    let world = served("").await;
    let (server, url) = reachable();
    rewrite_with(&world, &server, "schedule = \"never\"");
    let _serving = Serving::begin(&world.machine);
    let netsuite = Panel::new(&json!({"control": url})).unwrap();
    let shown = ["webhooks", "--show-secret", "--json"];
    let shown = world.tieout(&shown).await.went_well().json();
    let address = shown["webhooks"][0]["address"].as_str().unwrap();
    let path = address.strip_prefix(&url).unwrap();
    let guess = format!("{}x", &path[..path.len() - 1]);
    let failure = netsuite.post(&guess, "{}").await.unwrap_err();
    assert!(failure.cause.contains("401"), "{}", failure.cause);
    assert!(
        !serve_log(&world.machine).contains(path),
        "the secret is in the log"
    );
    netsuite
        .post(path, "neither JSON nor anything else")
        .await
        .unwrap();
    eventually("a run because NetSuite pushed", async || {
        let seen = world
            .tieout(&["webhooks", "--json"])
            .await
            .went_well()
            .json();
        let netsuite = &seen["webhooks"][0];
        let heeded = !netsuite["last_heard"].is_null() && netsuite["waiting_since"].is_null();
        heeded.then_some(())
    })
    .await;
    assert!(world.runs_by("webhook").await >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn s244_a_subscription_that_was_switched_off_is_found_and_what_it_missed_looked_after() {
    let world = served("").await;
    let (server, _) = reachable();
    rewrite_with(&world, &server, "schedule = \"never\"");
    let panel = Panel::new(&world.sandbox.description).unwrap();
    let serving = Serving::begin(&world.machine);
    eventually("it has subscribed, and has been tested", async || {
        let seen = world
            .tieout(&["webhooks", "--json"])
            .await
            .went_well()
            .json();
        (!seen["webhooks"][1]["last_heard"].is_null()).then_some(())
    })
    .await;
    // A moment for the check to be written down.
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(serving);
    let records = panel.get("/control/records").await.unwrap();
    let vendor = records["bill"]["vendors"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/control/bill/vendors/{vendor}");
    panel.post(&path, "{\"action\":\"archive\"}").await.unwrap();
    eventually("BILL gives up on us", async || {
        let state = panel.get("/control/state").await.unwrap();
        (state["bill"]["webhooks"]["enabled"] == 0).then_some(())
    })
    .await;
    let _serving = Serving::begin(&world.machine);
    eventually("both are found", async || {
        let log = serve_log(&world.machine);
        let found = log.contains("they are on again") && log.contains("never arrived");
        found.then_some(())
    })
    .await;
    let state = panel.get("/control/state").await.unwrap();
    assert_eq!(state["bill"]["webhooks"]["enabled"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_takes_the_place_of_the_old_one_and_nothing_is_refused_meanwhile() {
    let world = served("").await;
    let (server, _) = reachable();
    rewrite_with(&world, &server, "schedule = \"never\"");
    let none = world.tieout(&["webhooks", "acme-us", "--renew-key"]).await;
    assert!(none.err.contains("not-subscribed"), "{}", none.err);
    let panel = Panel::new(&world.sandbox.description).unwrap();
    let _serving = Serving::begin(&world.machine);
    let heard = async || {
        let seen = world
            .tieout(&["webhooks", "--json"])
            .await
            .went_well()
            .json();
        seen["webhooks"][1]["last_heard"]
            .as_str()
            .map(str::to_owned)
    };
    let before = eventually("the first test event has come", heard).await;
    let done = world
        .tieout(&["webhooks", "acme-us", "--renew-key"])
        .await
        .went_well();
    assert!(done.out.contains("the new key is in use"), "{}", done.out);
    assert!(
        !serve_log(&world.machine).contains("fits none"),
        "an event was refused"
    );
    // What BILL tells from now on is signed with the new key, and heard.
    let records = panel.get("/control/records").await.unwrap();
    let vendor = records["bill"]["vendors"][0]["id"].as_str().unwrap();
    let path = format!("/control/bill/vendors/{vendor}");
    let runs = world.runs_by("webhook").await;
    panel.post(&path, "{\"action\":\"archive\"}").await.unwrap();
    eventually("a run because BILL told", async || {
        (world.runs_by("webhook").await > runs).then_some(())
    })
    .await;
    assert!(heard().await.unwrap() > before);
    // The old key is gone.
    let home = home_of(&world).await;
    let kept = home.store.kept(&home.vault().await.unwrap());
    let kept = kept.get("webhooks/bill/acme-us").await.unwrap().unwrap();
    let kept: Value = serde_json::from_str(secrecy::ExposeSecret::expose_secret(&kept)).unwrap();
    assert!(kept["previous"].is_null() && kept["current"].is_string());
}

/// What the script signs with: HMAC-SHA256 of the body, hexadecimal.
fn signed(key: &str, body: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.as_bytes());
    let signature = aws_lc_rs::hmac::sign(&key, body.as_bytes());
    let bytes = signature.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn s242_once_a_key_was_made_only_what_is_signed_with_it_is_taken() {
    let world = served("").await;
    let (server, url) = reachable();
    rewrite_with(&world, &server, "schedule = \"never\"");
    let _serving = Serving::begin(&world.machine);
    let webhooks = async |more: &str| {
        let asked = ["webhooks", "acme-us", "--show-secret", "--json", more];
        let told = world.tieout(&asked).await.went_well().json();
        told["webhooks"][0].clone()
    };
    let first = webhooks("--push-key").await;
    let key = first["push_key"].as_str().unwrap().to_owned();
    let address = first["address"].as_str().unwrap().to_owned();
    assert_eq!(first["proof"]["signed"], true);
    let client = Network::new().unwrap();
    let push = async |key: Option<&str>, body: &str| {
        let mut request = http::Request::post(&address);
        if let Some(key) = key {
            request = request.header("X-Tieout-Signature", signed(key, body));
        }
        let request = request.body(bytes::Bytes::from(body.to_owned())).unwrap();
        let answer = client.send(request, PATIENCE).await.unwrap();
        answer.status().as_u16()
    };
    assert!(address.starts_with(&url));
    eventually("the key is known", async || {
        (push(None, "{}").await == 401).then_some(())
    })
    .await;
    assert_eq!(push(Some(&key), "{\"id\":\"1\"}").await, 200);
    assert_eq!(push(Some("another"), "{\"id\":\"2\"}").await, 401);
    // A new one takes its place, and what is still signed with the old one is taken for a while.
    let second = webhooks("--push-key").await;
    let new = second["push_key"].as_str().unwrap().to_owned();
    assert!(new != key && webhooks("--quiet").await["push_key"].is_null());
    eventually("the new key is known", async || {
        (push(Some(&new), "{\"id\":\"3\"}").await == 200).then_some(())
    })
    .await;
    assert_eq!(push(Some(&key), "{\"id\":\"4\"}").await, 200);
    webhooks("--no-push-key").await;
    eventually("it is taken unsigned", async || {
        (push(None, "{\"id\":\"5\"}").await == 200).then_some(())
    })
    .await;
}

/// Whatever was answered with 200 before the process was killed is there when it begins again.
#[tokio::test(flavor = "multi_thread")]
async fn no_webhook_that_was_taken_is_lost_when_the_process_is_killed() {
    let world = served("").await;
    let (server, url) = reachable();
    rewrite_with(&world, &server, "schedule = \"never\"");
    let serving = Serving::begin(&world.machine);
    let shown = world
        .tieout(&["webhooks", "--show-secret", "--json"])
        .await
        .went_well()
        .json();
    let address = shown["webhooks"][0]["address"].as_str().unwrap().to_owned();
    let path = address.strip_prefix(&url).unwrap().to_owned();
    let senders = (0..8).map(|sender| {
        let (path, url) = (path.clone(), url.clone());
        tokio::spawn(async move {
            let panel = Panel::new(&json!({"control": url})).unwrap();
            let mut taken = Vec::new();
            for number in 0.. {
                let body = format!("{{\"push\":\"{sender}-{number}\"}}");
                if panel.post(&path, &body).await.is_err() {
                    break;
                }
                taken.push(body);
            }
            taken
        })
    });
    let senders: Vec<_> = senders.collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    drop(serving);
    let mut taken = Vec::new();
    for sender in senders {
        taken.extend(sender.await.unwrap());
    }
    assert!(taken.len() > 20, "{} were taken", taken.len());
    let home = home_of(&world).await;
    let store = home.store.connection(&"acme-us".parse().unwrap());
    let minute = jiff::Timestamp::now().as_second().div_euclid(60);
    let _again = Serving::begin(&world.machine);
    for body in &taken {
        let ids: Vec<_> = (minute - 3..=minute)
            .map(|minute| event_id(minute, body))
            .collect();
        eventually("what was answered with 200 is known, once", async || {
            let known = store.hints_known("netsuite", &ids).await.unwrap();
            (known.len() == 1).then_some(())
        })
        .await;
    }
    eventually("what was told is heeded", async || {
        let seen = store.hints_seen("netsuite").await.unwrap();
        seen.waiting_since.is_none().then_some(())
    })
    .await;
}

async fn home_of(world: &Connectable) -> tieout::home::Home {
    let place = tieout::home::Place {
        home: Some(world.machine.home()),
        key_file: Some(world.machine.home().join(tieout::home::KEY)),
    };
    tieout::home::Home::open(&place).await.unwrap()
}

/// How an unsigned push is told from another: by its body and its minute.
fn event_id(minute: i64, body: &str) -> String {
    use sha2::Digest as _;
    let mut digest = sha2::Sha256::new();
    digest.update(minute.to_be_bytes());
    digest.update(body);
    digest
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
