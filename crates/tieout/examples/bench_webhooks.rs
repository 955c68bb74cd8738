//! How many signed notifications a second are received, proven and stored beside a running sync, how long each waits for
//! its 200, and whether one is lost when the service is killed: the real program as a process of its own, its real
//! store, the network of this machine, and a sandbox at zero latency to sync with. `cargo xtask bench-webhooks` runs it.

mod bench;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bench::{Process, arguments, open, share};
use futures::future::join_all;
use serde_json::Value;
use tieout::assemble::{self, Shared};
use tieout::commands::{demo, sync};
use tieout::home::{CONFIG, Home};
use tieout::subscriptions::{Keeper, Subscribed, sides};
use tieout_engine::{Quiet, mapping};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

const SIGNING_KEY: &str = "the key of a bench";

/// So many event ids are looked up at once.
const TOGETHER: usize = 500;

/// What one sender saw.
#[derive(Default)]
struct Seen {
    /// How long each waited, from the moment at which it was to be sent: a service that falls behind can't hide it.
    waits: Vec<Duration>,
    /// The events that were answered with 200.
    taken: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let (program, [seconds, senders, rate, bills]) = arguments([10, 256, 5000, 20_000])?;
    let folder = tempfile::tempdir()?;
    let (_sandbox, described) = sandbox(&program, folder.path(), bills)?;
    set_up(folder.path(), &described).await?;
    let (mut serving, address) = serve(&program, folder.path())?;
    // The first notification makes the connection due: from here on it syncs the whole world.
    send_one(address).await?;
    let home = open(folder.path()).await?;
    let (run, on) = under_way(&home).await?;
    let (seen, elapsed) = send_all(address, (senders, rate), seconds).await?;
    let still_on = on && under_way(&home).await?.1;
    report("beside a sync", &seen, elapsed, serving.memory());
    println!(
        "the sync ({run}) was {} all the while",
        if still_on { "on" } else { "not on" }
    );
    // Killed in the middle of the next ones.
    let killed = tokio::spawn(send_all(address, (senders, rate), 4));
    tokio::time::sleep(Duration::from_secs(2)).await;
    serving.kill()?;
    let (last, _) = killed.await??;
    let taken: Vec<_> = seen
        .into_iter()
        .chain(last)
        .flat_map(|one| one.taken)
        .collect();
    // What the killed one had written to its log goes over into the database when the next one begins.
    let (_again, _) = serve(&program, folder.path())?;
    let lost = in_the_end_lost(&home, &taken).await?;
    println!(
        "killed; of {} that were answered with 200, {lost} are lost",
        taken.len()
    );
    ensure!(lost == 0, "notifications are lost");
    Ok(())
}

/// A sandbox in a process of its own, as services are elsewhere: what it takes to answer delays no sender here.
fn sandbox(program: &Path, folder: &Path, bills: u64) -> Result<(Process, Value)> {
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (port, bills, vendors) = (
        free.port().to_string(),
        bills.to_string(),
        (bills / 20 + 1).to_string(),
    );
    let size = ["--port", &port, "--bills", &bills, "--vendors", &vendors];
    Process::start(
        program,
        folder,
        &[&["sandbox", "--json"], &size[..]].concat(),
    )
}

/// A home with one connection, mapped and not yet synced, and a subscription.
async fn set_up(folder: &Path, sandbox: &Value) -> Result<()> {
    let home = demo::set_up(folder, sandbox).await?;
    let path = folder.join(CONFIG);
    let text = std::fs::read_to_string(&path)?;
    let text = text.replacen(
        "pair = \"netsuite-bill\"\n",
        "pair = \"netsuite-bill\"\nschedule = \"never\"\n",
        1,
    );
    std::fs::write(&path, format!("[server]\nlisten = \"127.0.0.1:0\"\n{text}"))?;
    let (vault, shared) = (home.vault().await?, Shared::new()?);
    for (name, config) in &home.config.connections {
        let quiet = std::sync::Arc::new(Quiet);
        let made = assemble::connection(&home, &vault, &shared, name, config, quiet).await?;
        mapping::propose(&made, true, &sync::run_id()).await?;
        let keeper = Keeper {
            home: &home,
            vault: &vault,
            shared: &shared,
        };
        let [_, bill] = sides(name, config);
        let key = SIGNING_KEY.to_owned().into();
        let subscribed = Subscribed::new("bench".to_owned(), String::new(), &key);
        keeper.keep(bill, &subscribed).await?;
    }
    home.store.close().await;
    Ok(())
}

fn serve(program: &Path, folder: &Path) -> Result<(Process, SocketAddr)> {
    let (serving, said) = Process::start(program, folder, &["serve", "--json"])?;
    let address = said["listening"].as_str().context("it says no address")?;
    let address = address.trim_start_matches("http://").parse()?;
    Ok((serving, address))
}

/// The newest run, once there is one, and whether it is on.
async fn under_way(home: &Home) -> Result<(String, bool)> {
    let name = home.config.connections.keys().next();
    let store = home
        .store
        .connection(name.context("there is no connection")?);
    loop {
        if let Some(run) = store.runs(1).await?.pop() {
            return Ok((run.id.to_string(), run.ended.is_none()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn send_all(
    address: SocketAddr,
    (senders, rate): (u64, u64),
    seconds: u64,
) -> Result<(Vec<Seen>, Duration)> {
    // A service keeps its connections: how long it takes to make them all at once is no part of it.
    let streams = join_all((0..senders).map(|_| TcpStream::connect(address))).await;
    let streams = streams.into_iter().collect::<Result<Vec<_>, _>>()?;
    let begun = Instant::now();
    let until = begun + Duration::from_secs(seconds);
    let pace = Duration::from_secs(senders) / u32::try_from(rate.max(1))?;
    let batch = uuid::Uuid::new_v4();
    let senders = (0_u32..).zip(streams).map(|(sender, stream)| {
        // Each begins a little after the one before.
        let first = begun + pace * sender / u32::try_from(senders.max(1)).unwrap_or(1);
        tokio::spawn(send(
            stream,
            format!("{batch}-{sender}"),
            (first, pace),
            until,
        ))
    });
    let mut seen = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        seen.push(sender.await??);
    }
    Ok((seen, begun.elapsed()))
}

async fn send_one(address: SocketAddr) -> Result<()> {
    let until = Instant::now() + Duration::from_millis(1);
    let times = (Instant::now(), Duration::from_secs(1));
    let stream = TcpStream::connect(address).await?;
    send(stream, "first".to_owned(), times, until).await?;
    Ok(())
}

/// Sends one after the other over one connection, each at its time, until the service is gone or it is over.
async fn send(
    mut stream: TcpStream,
    name: String,
    (mut at, pace): (Instant, Duration),
    until: Instant,
) -> Result<Seen> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SIGNING_KEY.as_bytes());
    stream.set_nodelay(true)?;
    let mut seen = Seen::default();
    let mut answer = [0; 1024];
    while at < until {
        tokio::time::sleep_until(at).await;
        let event = format!("{name}-{}", seen.taken.len());
        let body = format!(
            r#"{{"metadata":{{"eventId":"{event}","subscriptionId":"bench","organizationId":"00801","eventType":"bill.updated","version":"1"}},"bill":{{"id":"00n1","amount":12.5}}}}"#
        );
        let signature = STANDARD.encode(hmac::sign(&key, body.as_bytes()));
        let request = format!(
            "POST /webhooks/bill/acme-us HTTP/1.1\r\nhost: bench\r\nx-bill-sha-signature: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let read = match stream.write_all(request.as_bytes()).await {
            Ok(()) => stream.read(&mut answer).await.unwrap_or(0),
            Err(_) => 0,
        };
        if read == 0 {
            // It was killed.
            break;
        }
        let answer = std::str::from_utf8(&answer[..read]).context("an answer is no text")?;
        ensure!(
            answer.starts_with("HTTP/1.1 200"),
            "it was answered: {answer}"
        );
        seen.waits.push(at.elapsed());
        seen.taken.push(event);
        at += pace;
    }
    Ok(seen)
}

fn report(what: &str, seen: &[Seen], elapsed: Duration, memory: Option<u64>) {
    let mut waits: Vec<_> = seen
        .iter()
        .flat_map(|one| one.waits.iter().copied())
        .collect();
    waits.sort_unstable();
    println!(
        "{what}: {} notifications in {elapsed:.1?}: {:.0} a second; p50 {:.1?}, p99 {:.1?}, longest {:.1?}; {} MB",
        waits.len(),
        waits.len() as f64 / elapsed.as_secs_f64(),
        share(&waits, 500),
        share(&waits, 990),
        waits.last().copied().unwrap_or_default(),
        memory.map_or("?".to_owned(), |memory| memory.to_string()),
    );
}

/// How many of these events the store doesn't know, once it has had time to take over what was left in the log.
async fn in_the_end_lost(home: &Home, taken: &[String]) -> Result<usize> {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let lost = lost(home, taken).await?;
        if lost == 0 || Instant::now() > patience {
            return Ok(lost);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// How many of these events the store doesn't know.
async fn lost(home: &Home, taken: &[String]) -> Result<usize> {
    let name = home.config.connections.keys().next();
    let store = home
        .store
        .connection(name.context("there is no connection")?);
    let mut lost = 0;
    for events in taken.chunks(TOGETHER) {
        let known = store.hints_known("bill", events).await?;
        lost += events.len() - known.len();
    }
    Ok(lost)
}
