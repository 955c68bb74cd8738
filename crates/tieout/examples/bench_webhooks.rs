//! How many signed notifications a second are received, proven and stored, and how long each waits for its 200: the
//! real service, its real store and the real network of this machine. `cargo xtask bench-webhooks` runs it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tieout::assemble::Shared;
use tieout::commands::init;
use tieout::home::{CONFIG, Home, KEY, Place};
use tieout::serve::Service;
use tieout::subscriptions::{Keeper, Subscribed, sides};
use tieout_store::KeySource;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SIGNING_KEY: &str = "the key of a bench";
const CONFIGURATION: &str = r#"
[connections.bench]
pair = "netsuite-bill"
schedule = "never"
netsuite = { account = "1234567", credential = "n" }
bill = { organization = "00801", environment = "sandbox", credential = "b" }
"#;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let seconds = arguments.next().transpose()?.unwrap_or(10);
    let senders = arguments.next().transpose()?.unwrap_or(64);
    let folder = tempfile::tempdir()?;
    let address = serve(folder.path()).await?;
    let until = Instant::now() + Duration::from_secs(seconds);
    let begun = Instant::now();
    let senders = (0..senders).map(|sender| tokio::spawn(send(address, sender, until)));
    let mut waits = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        waits.extend(sender.await??);
    }
    let taken = begun.elapsed();
    waits.sort_unstable();
    let share = |per_mille: usize| waits.get(waits.len() * per_mille / 1000).copied();
    println!(
        "{} notifications in {taken:.1?}: {:.0} a second; p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        waits.len(),
        waits.len() as f64 / taken.as_secs_f64(),
        share(500).unwrap_or_default(),
        share(990).unwrap_or_default(),
        waits.last().copied().unwrap_or_default(),
    );
    Ok(())
}

/// A service with one subscription, on a port of its own.
async fn serve(folder: &std::path::Path) -> Result<SocketAddr> {
    std::fs::write(folder.join(CONFIG), CONFIGURATION)?;
    let key = folder.join(KEY);
    init::create(folder, &KeySource::File(key.clone())).await?;
    let place = Place {
        home: Some(folder.to_owned()),
        key_file: Some(key),
    };
    let home = Home::open(&place).await?;
    let (vault, shared) = (home.vault().await?, Shared::new()?);
    let keeper = Keeper {
        home: &home,
        vault: &vault,
        shared: &shared,
    };
    for (name, config) in &home.config.connections {
        let [_, bill] = sides(name, config);
        let made = Subscribed::new(
            "bench".to_owned(),
            String::new(),
            &SIGNING_KEY.to_owned().into(),
        );
        keeper.keep(bill, &made).await?;
    }
    let service = Service::new(home).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = service
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(address)
}

/// Sends one after the other over one connection, and gives how long each took.
async fn send(address: SocketAddr, sender: u64, until: Instant) -> Result<Vec<Duration>> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SIGNING_KEY.as_bytes());
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut waits = Vec::new();
    let mut answer = [0; 1024];
    while Instant::now() < until {
        let event = format!("{sender}-{}", waits.len());
        let body = format!(
            r#"{{"metadata":{{"eventId":"{event}","subscriptionId":"bench","organizationId":"00801","eventType":"bill.updated","version":"1"}},"bill":{{"id":"00n1","amount":12.5}}}}"#
        );
        let signature = STANDARD.encode(hmac::sign(&key, body.as_bytes()));
        let request = format!(
            "POST /webhooks/bill/bench HTTP/1.1\r\nhost: bench\r\nx-bill-sha-signature: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let read = stream.read(&mut answer).await?;
        let answer = std::str::from_utf8(&answer[..read]).context("an answer is no text")?;
        ensure!(
            answer.starts_with("HTTP/1.1 200"),
            "it was answered: {answer}"
        );
        waits.push(sent.elapsed());
    }
    Ok(waits)
}
