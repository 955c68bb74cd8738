//! Several nodes beside one store: each tick has one run, each key one sign-in, and no service more calls than it takes.

use std::sync::Arc;

use futures::future::join_all;
use tieout::serve::Service;
use tieout_domain::{Kind, RecordRef, Side, Timestamp};
use tieout_engine::scheduler::{Cause, Ended, Job, Runs as _};
use tieout_store::NewHint;

use crate::stage::Stage;

fn job(cause: Cause) -> Job {
    Job {
        connection: "acme-us".parse().unwrap(),
        flows: Vec::new(),
        only: Vec::new(),
        whole: false,
        import: None,
        trigger: "schedule".to_owned(),
        by: None,
        cause,
    }
}

async fn node(stage: &Stage, name: &str) -> Arc<Service> {
    let home = stage.restarted_home().await;
    Service::named(home, name.to_owned()).await.unwrap()
}

#[tokio::test]
async fn of_several_nodes_one_makes_the_run_of_a_tick() {
    let stage = Stage::new().await;
    let (one, two) = (node(&stage, "one").await, node(&stage, "two").await);
    let living = [&one, &two].map(|node| tokio::spawn(Arc::clone(node).live()));
    stage
        .until("both are there", async |stage| {
            stage.home.store.nodes().await.unwrap().len() == 2
        })
        .await;
    let tick = job(Cause::Tick(Timestamp::now()));
    let (first, second) = futures::join!(one.run(tick.clone()), two.run(tick.clone()));
    let ended = [first, second];
    assert!(ended.contains(&Ended::Made), "{ended:?}");
    // Who found the other at it looks again.
    for node in [&one, &two] {
        assert_eq!(node.run(tick.clone()).await, Ended::Made);
    }
    let store = &stage.connection.store;
    assert_eq!(store.runs(10).await.unwrap().len(), 1);
    // Nothing that anybody was told of is left to heed.
    assert_eq!(two.run(job(Cause::Told)).await, Ended::Made);
    assert_eq!(store.runs(10).await.unwrap().len(), 1);
    // What somebody asks for is done.
    assert_eq!(two.run(job(Cause::Asked)).await, Ended::Made);
    assert_eq!(store.runs(10).await.unwrap().len(), 2);
    for living in living {
        living.abort();
    }
}

#[tokio::test]
async fn the_tick_of_the_whole_read_is_not_kept_by_an_ordinary_run() {
    let stage = Stage::new().await;
    let one = node(&stage, "one").await;
    let tick = Timestamp::now();
    assert_eq!(one.run(job(Cause::Tick(tick))).await, Ended::Made);
    let whole = Job {
        whole: true,
        ..job(Cause::Tick(tick))
    };
    for _ in 0..2 {
        assert_eq!(one.run(whole.clone()).await, Ended::Made);
        assert_eq!(one.run(job(Cause::Tick(tick))).await, Ended::Made);
    }
    assert_eq!(stage.connection.store.runs(10).await.unwrap().len(), 2);
    let read = tieout_engine::whole_read_at(&stage.connection.store).await;
    assert!(read.unwrap().is_some());
}

#[tokio::test]
async fn what_was_told_is_heeded_only_by_a_run_that_decides_on_everything() {
    let stage = Stage::new().await;
    stage.sync().await;
    let one = node(&stage, "one").await;
    let hint = NewHint {
        connection: "acme-us".parse().unwrap(),
        system: "bill".to_owned(),
        event: "1".to_owned(),
        record: String::new(),
        at: Timestamp::now(),
    };
    stage.home.store.keep_hints(&[hint]).await.unwrap();
    let (bill, _) = stage.open_pairs().await.remove(0);
    let single = Job {
        only: vec![RecordRef::new(Side::Ledger, Kind::Bill, bill).to_string()],
        ..job(Cause::Asked)
    };
    let of_a_flow = Job {
        flows: vec!["vendors".to_owned()],
        ..job(Cause::Asked)
    };
    let store = &stage.connection.store;
    for limited in [single, of_a_flow] {
        assert_eq!(one.run(limited).await, Ended::Made);
        assert!(store.hints_waiting_since().await.unwrap().is_some());
    }
    assert_eq!(one.run(job(Cause::Told)).await, Ended::Made);
    assert_eq!(store.hints_waiting_since().await.unwrap(), None);
}

#[tokio::test]
async fn s215_several_nodes_together_never_have_more_calls_under_way_than_one_may() {
    let stage = Stage::new().await;
    // What session there was has ended, and all begin at once.
    stage.advance("48 hours").await;
    stage.panel.delete("/control/calls").await.unwrap();
    let mut connections = Vec::new();
    for _ in 0..5 {
        connections.push(stage.restarted().await);
    }
    let pings = connections.iter().map(async |connection| {
        for _ in 0..5 {
            connection.sides.platform.whole.ping().await.unwrap();
        }
        (connection.at_rest)().await;
    });
    join_all(pings).await;
    let calls = stage.panel.get("/control/calls").await.unwrap();
    let bill = &calls["bill"];
    assert!(bill["max_in_flight"].as_u64().unwrap() <= 3, "{calls}");
    assert_eq!(bill["refused"].as_u64(), Some(0), "{calls}");
    assert_eq!(
        bill["by_path"]["POST /v3/login"].as_u64(),
        Some(1),
        "{calls}"
    );
    stage.sync().await;
    stage.assert_quiet().await;
}
