//! Whose report is an answer to whom, and what counts as a reading of the whole.

use std::time::Duration;

use tieout_engine::RunOptions;
use tieout_store::RunId;

use crate::stage::{Effect, Stage, bill, here};

#[tokio::test]
async fn an_ordinary_run_is_not_answered_by_one_of_single_records() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.ledger.put(bill("2", "20"));
    stage.platform.next(Effect::Slow(Duration::from_secs(1)));
    let chosen = RunOptions {
        only: vec![here("1").to_string()],
        ..RunOptions::new("chosen", "test")
    };
    let store = &stage.connection.store;
    let ordinary = async {
        while store.runs(1).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tieout_engine::sync(&stage.connection, RunOptions::new("ordinary", "test")).await
    };
    let (chosen, ordinary) = tokio::join!(tieout_engine::sync(&stage.connection, chosen), ordinary);
    assert!(!chosen.unwrap().joined);
    assert!(!ordinary.unwrap().joined);
    assert_eq!(stage.state("2").await, "DONE");
    let runs = store.runs(2).await.unwrap();
    let limited = runs.iter().map(|run| (run.id.as_str(), run.limited));
    assert_eq!(
        limited.collect::<Vec<_>>(),
        [("ordinary", false), ("chosen", true)]
    );
}

/// Between the file's lock and the lease's row, the row is the last holder's.
#[tokio::test]
async fn a_run_that_has_ended_is_not_waited_for() {
    let stage = Stage::new().await;
    stage.sync().await;
    let store = &stage.connection.store;
    let lease = store
        .lease("another", Duration::from_secs(300))
        .await
        .unwrap();
    lease.set_run(&RunId::new("run 0")).await.unwrap();
    let release = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        lease.release().await.unwrap();
    };
    let ordinary = tieout_engine::sync(&stage.connection, RunOptions::new("later", "test"));
    let ((), report) = tokio::join!(release, ordinary);
    assert_eq!(report.unwrap().id, "later");
}

#[tokio::test]
async fn only_what_read_everything_counts_as_a_reading_of_the_whole() {
    let stage = Stage::new().await;
    let whole = async |id: &str, flows: &[&str]| {
        let options = RunOptions {
            whole: true,
            flows: flows.iter().map(|flow| (*flow).to_owned()).collect(),
            ..RunOptions::new(id, "test")
        };
        tieout_engine::sync(&stage.connection, options)
            .await
            .unwrap();
        let store = &stage.connection.store;
        tieout_engine::whole_read_at(store).await.unwrap()
    };
    assert_eq!(whole("one flow", &["notes"]).await, None);
    stage.ledger.break_off(true);
    assert_eq!(whole("broken off", &[]).await, None);
    stage.ledger.break_off(false);
    assert!(whole("all", &[]).await.is_some());
}
