//! Invoices as PDF, by the script that an administrator installs.

use serde_json::json;
use tieout_domain::check::Status;
use tieout_domain::port::Depth;
use tieout_domain::{Fault, Kind, RemoteId};

use crate::receivables::sold;
use crate::stage::Stage;

async fn printing() -> Stage {
    let settings = json!({"receivables": true, "pdf_script": "customscript_tieout_files"});
    Stage::with(&sold(true), settings).await
}

async fn invoice(stage: &Stage) -> RemoteId {
    let sql = "SELECT t.id AS id, t.tranid AS number FROM transaction t WHERE t.type = 'CustInvc' ORDER BY t.id";
    stage.books(sql).await[0]["id"].as_str().into()
}

async fn refused(stage: &Stage, invoice: &RemoteId) -> Fault {
    let files = stage.ports.files.clone().unwrap();
    let fault = files.invoice_pdf(invoice).await.unwrap_err();
    assert!(matches!(fault, Fault::Refused { .. }), "{fault:?}");
    // The PDF's matter alone: whatever else is asked is answered.
    let page = stage.ports.read[&Kind::Customer].page(Depth::Whole, None, None);
    page.await.unwrap();
    fault
}

#[tokio::test]
async fn s196_an_invoice_is_printed_by_the_script() {
    let stage = printing().await;
    let id = invoice(&stage).await;
    let files = stage.ports.files.clone().unwrap();
    let file = files.invoice_pdf(&id).await.unwrap();
    let number = stage
        .value(&format!("SELECT tranid FROM transaction WHERE id = {id}"))
        .await;
    assert!(file.name.contains(&number) && file.name.ends_with(".pdf"));
    assert_eq!(file.media_type, "application/pdf");
    let text = String::from_utf8(file.bytes).unwrap();
    assert!(text.starts_with("%PDF-") && text.trim_end().ends_with("%%EOF"));
    assert!(text.contains(&format!("(Invoice {number}) Tj")), "{text}");
}

#[tokio::test]
async fn s196_without_the_script_there_are_no_files_and_all_else_is_there() {
    let stage = Stage::with(&sold(true), json!({"receivables": true})).await;
    assert!(stage.ports.files.is_none());
    let checks = stage.ports.whole.examine().await;
    assert!(checks.iter().all(|check| check.status != Status::Failed));
}

#[tokio::test]
async fn what_is_wrong_with_the_script_is_told_and_harms_nothing_else() {
    let id = invoice(&printing().await).await;
    let wrongs = [
        ("scripts", json!({"deployed": false}), "script-missing"),
        (
            "scripts",
            json!({"in_audience": false}),
            "permission-missing",
        ),
        (
            "role",
            json!({"permissions": {"Invoice": "none"}}),
            "permission-missing",
        ),
        (
            "features",
            json!({"SERVERSIDESCRIPTING": false}),
            "permission-missing",
        ),
    ];
    for (path, body, code) in wrongs {
        let stage = printing().await;
        stage.person(path, body.clone()).await;
        let fault = refused(&stage, &id).await;
        assert_eq!(fault.code().as_str(), code, "{body}: {fault}");
        let checks = stage.ports.whole.examine().await;
        let told = checks
            .iter()
            .find(|check| check.cause.contains("without their PDF"));
        let told = told.unwrap_or_else(|| panic!("{body}: {checks:#?}"));
        assert_eq!(told.status, Status::Warning);
        assert_eq!(told.code.as_str(), code, "{body}: {told:?}");
        // What is wrong with the script as a whole is asked for once.
        let sent = stage.sent.load(std::sync::atomic::Ordering::Relaxed);
        let files = stage.ports.files.clone().unwrap();
        files.invoice_pdf(&id).await.unwrap_err();
        let after = stage.sent.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(sent, after, "{body}");
    }
}

#[tokio::test]
async fn an_integration_without_the_scope_keeps_everything_but_the_pdfs() {
    let stage = printing().await;
    let id = invoice(&stage).await;
    let off = json!({"action": "restlets", "on": false});
    let told = stage.fake.credential("netsuite-m2m", &off);
    told.unwrap().unwrap();
    let fault = refused(&stage, &id).await;
    assert_eq!(fault.code().as_str(), "scope-missing", "{fault}");
    assert_eq!(stage.ports.whole.refusals().await, 0);
}

#[tokio::test]
async fn an_invoice_that_is_gone_is_one_invoices_matter() {
    let stage = printing().await;
    let id = invoice(&stage).await;
    let fault = refused(&stage, &"999999999".into()).await;
    assert_eq!(fault.code().as_str(), "gone-there");
    let files = stage.ports.files.clone().unwrap();
    files.invoice_pdf(&id).await.unwrap();
}

#[tokio::test]
async fn doctor_says_that_the_script_prints() {
    let stage = printing().await;
    let checks = stage.ports.whole.examine().await;
    assert!(
        checks
            .iter()
            .any(|check| check.status == Status::Ok
                && check.cause.contains("customscript_tieout_files")),
        "{checks:#?}"
    );
}
