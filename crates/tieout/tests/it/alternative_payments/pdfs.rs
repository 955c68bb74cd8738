//! Invoices as PDF, printed by NetSuite's script and put beside their copies.

use serde_json::{Value, json};
use tieout_domain::{RecordRef, RemoteId, State};

use super::{copy_of, invoice, open_pairs, small};
use crate::stage::{Stage, count};

async fn printing() -> Stage {
    let mut stage = Stage::paid_there(small(), "all").await;
    let script = "pdf_script = \"customscript_tieout_files\"\n";
    stage.add_to(".netsuite]\n", script).await;
    stage
}

/// The PDF that was put beside a copy.
async fn put(stage: &Stage, copy: &RemoteId) -> Option<Value> {
    let records = stage.panel.get("/control/records").await.unwrap();
    let pdfs = records["alternative-payments"]["pdfs"].as_array().unwrap();
    let mut found = pdfs.iter().filter(|one| one["invoice_id"] == copy.as_str());
    found.next().cloned()
}

async fn shows(stage: &Stage, record: &RecordRef) -> Value {
    let copy = copy_of(stage, record).await;
    let pdf = put(stage, &copy.id).await.unwrap();
    let here = stage.record(record).await;
    let it = invoice(&here.observed.document);
    let text = pdf["text"].as_str().unwrap();
    assert!(text.contains(&format!("(Invoice {})", it.number)), "{text}");
    let total = it.total.decimal().normalize();
    assert!(text.contains(&format!("(Total: {total} ")), "{text}");
    pdf
}

#[tokio::test]
async fn s196_without_the_script_invoices_go_and_their_pdfs_follow_once_it_is_there() {
    let stage = printing().await;
    let off = json!({"deployed": false}).to_string();
    let scripts = "/control/netsuite/scripts";
    stage.panel.post(scripts, &off).await.unwrap();
    let report = stage.sync().await;
    assert!(count(&report, "invoices", State::Done) > 0);
    assert_eq!(count(&report, "documents", State::Done), 0);
    let (record, copy) = open_pairs(&stage).await.remove(0);
    assert!(put(&stage, &copy.id).await.is_none());
    let on = json!({"deployed": true}).to_string();
    stage.panel.post(scripts, &on).await.unwrap();
    stage
        .connection
        .store
        .mark_all_due("documents")
        .await
        .unwrap();
    // The script is asked again by a new process, or after five minutes.
    let again = stage.restarted().await;
    let options = tieout_engine::RunOptions::new(tieout::commands::sync::run_id(), "test");
    tieout_engine::sync(&again, options).await.unwrap();
    shows(&stage, &record).await;
}
