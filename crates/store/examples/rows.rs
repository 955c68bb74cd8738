//! How many rows of history the store takes in a second: `cargo run --release --example rows`.
#![allow(
    clippy::unwrap_used,
    reason = "a measurement stops where something is not as it must be"
)]

use std::sync::Arc;
use std::time::Instant;

use tieout_domain::{Clock, Currency, Kind, Outcome, Side, Timestamp};
use tieout_store::{Commit, Fact, RecordRef, Store};

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let url = std::env::args().nth(1);
    let url = url.unwrap_or_else(|| format!("sqlite:{}", folder.path().join("rows.db").display()));
    let store = Store::open(&url, Arc::new(WallClock)).await.unwrap();
    let connection = store.connection(&"rows".parse().unwrap());
    for size in [1_u64, 100, 1000] {
        let rows = if size == 1 { 500 } else { 20_000 };
        let began = Instant::now();
        for from in (0..rows).step_by(usize::try_from(size).unwrap()) {
            let stated = |id: u64| Fact::Stated {
                flow: "bills".to_owned(),
                record: RecordRef::new(
                    Side::Ledger,
                    Kind::Bill,
                    (size * 1_000_000 + id).to_string(),
                ),
                outcome: Outcome::done(),
                label: format!("INV-{id}"),
                amount: Some(
                    "10.10"
                        .parse::<tieout_domain::Amount>()
                        .unwrap()
                        .of(Currency::USD),
                ),
            };
            let facts = (from..from + size).map(stated).collect();
            let commit = Commit {
                actor: "rows".to_owned(),
                facts,
                ..Commit::default()
            };
            connection.commit(commit).await.unwrap();
        }
        let took = began.elapsed();
        println!(
            "{size:5} a commit: {:8.0} rows/s",
            rows as f64 / took.as_secs_f64()
        );
    }
    let began = Instant::now();
    let verification = store.verify().await.unwrap();
    let entries = verification.chains[0].entries;
    println!(
        "verify: {:8.0} rows/s, {}",
        entries as f64 / began.elapsed().as_secs_f64(),
        verification.holds()
    );
}
