//! Imports of whole lists from NetSuite to Invoiced, over sockets: all of a list, once, told record by record; and nobody
//! is mailed, reminded or charged for it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tieout::commands::sync;
use tieout::sandbox::SandboxOptions;
use tieout_desk::import::{self, Came, Ended, Import, Row};
use tieout_domain::{Kind, Side, State, Timestamp};
use tieout_engine::{RunOptions, RunReport, RunStatus};
use tieout_server::people::Role;

use crate::office::Office;
use crate::stage::{Stage, count, options};

const OLA: (&str, Role) = ("ola", Role::Operator);
const VERA: (&str, Role) = ("vera", Role::Viewer);

fn selling() -> SandboxOptions {
    SandboxOptions {
        vendors: Some(2),
        bills: Some(2),
        customers: Some(20),
        invoices: Some(60),
        ..options()
    }
}

/// Asks for an import, as every face does.
async fn ask(stage: &Stage, list: Import) {
    let flows = stage.connection.flows.iter();
    let flows: Vec<String> = flows.map(|flow| flow.name().to_owned()).collect();
    let store = &stage.connection.store;
    import::ask(store, &flows, list.as_str(), "user:ann", Timestamp::now())
        .await
        .unwrap();
}

/// One run of it.
async fn run(stage: &Stage, list: Import) -> RunReport {
    let options = RunOptions::importing(sync::run_id(), list);
    tieout_engine::sync(&stage.connection, options)
        .await
        .unwrap()
}

async fn imported(stage: &Stage, list: Import) -> (Ended, Vec<Row>) {
    ask(stage, list).await;
    let report = run(stage, list).await;
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    last(stage).await
}

/// The import that ended last.
async fn last(stage: &Stage) -> (Ended, Vec<Row>) {
    let store = &stage.connection.store;
    let ended = import::ended_after(store, 0).await.unwrap().pop().unwrap();
    let rows = import::rows(store, &ended).await.unwrap();
    (ended, rows)
}

/// The records of a service, as it holds them itself.
async fn held(stage: &Stage, service: &str, kind: &str) -> Vec<Value> {
    let records = stage.panel.get("/control/records").await.unwrap();
    records[service][kind].as_array().unwrap().clone()
}

/// The marks that are on Invoiced, one for each record that stands for one of the ledger's.
async fn marks(stage: &Stage, kind: &str) -> Vec<String> {
    let mut marks = Vec::new();
    for record in held(stage, "invoiced", kind).await {
        let mark = &record["metadata"]["netsuite_id"];
        if !mark.is_null() {
            marks.push(mark.to_string());
        }
    }
    marks
}

async fn assert_once(stage: &Stage) {
    for kind in ["customers", "invoices"] {
        let marks = marks(stage, kind).await;
        let unique: BTreeSet<_> = marks.iter().collect();
        assert_eq!(
            unique.len(),
            marks.len(),
            "one of the {kind} is there twice"
        );
    }
}

fn counted(ended: &Ended, came: Came) -> usize {
    usize::try_from(ended.counts[came.as_str()]).unwrap()
}

#[tokio::test]
async fn s172_an_import_of_customers_brings_all_of_them_and_again_none_twice() {
    let stage = Stage::selling(selling()).await;
    let (ended, rows) = imported(&stage, Import::Customers).await;
    let all = stage.records(Side::Ledger, Kind::Customer).await;
    assert_eq!(rows.len(), all.len());
    let made = counted(&ended, Came::Made);
    assert!(made > 0, "{:?}", ended.counts);
    // Also those without an invoice; what stays out says why.
    for row in &rows {
        let there = row.target.is_some();
        let is_there = matches!(row.came, Came::Made | Came::Linked | Came::Present);
        assert_eq!(there, is_there, "{row:?}");
        assert!(there || row.code.is_some(), "{row:?}");
        assert!(!row.label.is_empty(), "{row:?}");
    }
    assert_eq!(ended.asked_by, "user:ann");
    assert_eq!(ended.runs.len(), 1);
    // No invoice came along, and nothing waits to be gone on with.
    assert!(marks(&stage, "invoices").await.is_empty());
    let store = &stage.connection.store;
    assert!(import::pending(store).await.unwrap().is_empty());

    let (again, rows) = imported(&stage, Import::Customers).await;
    assert_eq!(counted(&again, Came::Made), 0, "{:?}", again.counts);
    assert_eq!(rows.len(), all.len());
    assert_eq!(
        counted(&again, Came::Present),
        made + counted(&ended, Came::Linked)
    );
    assert_once(&stage).await;
}

#[tokio::test]
async fn an_import_of_invoices_brings_them_with_their_customers_and_writes_nothing_to_netsuite() {
    let mut stage = Stage::selling(selling()).await;
    let (ended, rows) = imported(&stage, Import::Invoices).await;
    let made = marks(&stage, "invoices").await.len();
    assert!(made >= 25, "{:?}", ended.counts);
    let there = counted(&ended, Came::Made) + counted(&ended, Came::Linked);
    assert_eq!(there, made, "{:?}", ended.counts);
    assert!(ended.counts["customers"] > 0, "{:?}", ended.counts);
    // Each with the way to both sides, and each that stayed out with its reason.
    let invoices = rows.iter().filter(|row| row.record.kind == Kind::Invoice);
    let (there, out): (Vec<_>, Vec<_>) = invoices.partition(|row| row.target.is_some());
    assert!(there.iter().all(|row| row.amount.is_some()));
    assert!(
        !out.is_empty() && out.iter().all(|row| row.code.is_some()),
        "{out:?}"
    );

    // What began on Invoiced is none of its business, also when writing to the ledger is switched on.
    let booked = |transactions: Vec<Value>| {
        let invoices = transactions.iter().filter(|it| it["type"] == "CustInvc");
        invoices.count()
    };
    let before = booked(held(&stage, "netsuite", "transactions").await);
    stage.sync().await;
    stage.reconcile().await;
    let (again, _) = imported(&stage, Import::Invoices).await;
    assert_eq!(counted(&again, Came::Made), 0, "{:?}", again.counts);
    assert_eq!(
        booked(held(&stage, "netsuite", "transactions").await),
        before
    );
    // A sync after it has that left to do.
    let report = stage.sync().await;
    assert!(report.written > 0, "{:?}", report.flows);
    assert_once(&stage).await;
}

#[tokio::test]
async fn s200_nobody_is_mailed_reminded_or_charged_for_what_was_imported() {
    let stage = Stage::selling(selling()).await;
    imported(&stage, Import::Customers).await;
    imported(&stage, Import::Invoices).await;
    stage.advance("40d").await;
    stage.sync().await;
    // Ids of different kinds may coincide over there: it is invoices that are mailed and charged.
    let invoices = held(&stage, "invoiced", "invoices").await;
    let ours = invoices
        .iter()
        .filter(|it| !it["metadata"]["netsuite_id"].is_null());
    let ours: BTreeSet<String> = ours
        .map(|it| it["id"].to_string().replace('"', ""))
        .collect();
    assert!(ours.len() > 20);
    for what in ["messages", "charges"] {
        for sent in held(&stage, "invoiced", what).await {
            let about = sent["about_id"].as_str().unwrap_or_default();
            assert!(!ours.contains(about), "{sent}");
        }
    }
}

#[tokio::test]
async fn an_import_that_was_broken_off_goes_on_and_is_told_as_one() {
    let mut stage = Stage::selling(selling()).await;
    ask(&stage, Import::Invoices).await;
    // Cut as soon as some of it is there.
    let options = RunOptions::importing(sync::run_id(), Import::Invoices);
    let connection = &stage.connection;
    let cutting = async {
        loop {
            let standing = import::pending(&connection.store).await.unwrap();
            if standing.first().is_some_and(|it| it.done >= 3) {
                return connection.holding.cut();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let (broken, ()) = tokio::join!(tieout_engine::sync(connection, options), cutting);
    drop(broken);
    let begun = marks(&stage, "invoices").await.len();
    let pending = import::pending(&connection.store).await.unwrap();
    let [standing] = pending.as_slice() else {
        panic!("{pending:?}")
    };
    assert_eq!(standing.runs.len(), 1);

    stage.connection = stage.restarted().await;
    for _ in 0..5 {
        run(&stage, Import::Invoices).await;
        let store = &stage.connection.store;
        if import::pending(store).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    let (ended, _) = last(&stage).await;
    assert!(ended.runs.len() > 1, "{:?}", ended.runs);
    let there = marks(&stage, "invoices").await.len();
    assert!(there > begun, "{begun} of {there}");
    let told = counted(&ended, Came::Made) + counted(&ended, Came::Linked);
    assert_eq!(told, there, "{:?}", ended.counts);
    assert_once(&stage).await;
    // It told one result, and stands nowhere any more.
    let store = &stage.connection.store;
    assert_eq!(import::ended_after(store, 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_import_that_a_side_holds_up_waits_to_be_gone_on_with() {
    let stage = Stage::selling(selling()).await;
    ask(&stage, Import::Customers).await;
    stage
        .fault(json!({
            "service": "invoiced", "method": "POST", "path": "/customers", "share": 1.0, "times": 1000,
            "effect": "status", "status": 503, "body": "",
        }))
        .await;
    run(&stage, Import::Customers).await;
    let store = &stage.connection.store;
    assert_eq!(import::pending(store).await.unwrap().len(), 1);
    assert!(import::ended_after(store, 0).await.unwrap().is_empty());
    stage.no_faults().await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        run(&stage, Import::Customers).await;
        if import::pending(store).await.unwrap().is_empty() {
            break;
        }
    }
    let (ended, _) = last(&stage).await;
    assert!(counted(&ended, Came::Made) > 0, "{:?}", ended.counts);
    assert_once(&stage).await;
}

#[tokio::test]
async fn whoever_waited_for_an_import_that_has_ended_makes_no_second_one() {
    let stage = Stage::selling(selling()).await;
    imported(&stage, Import::Customers).await;
    let report = run(&stage, Import::Customers).await;
    assert!(report.joined);
    assert_eq!(report.status, RunStatus::Done);
    let store = &stage.connection.store;
    assert_eq!(import::ended_after(store, 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_service_imports_in_the_background_and_tells_of_it_on_its_pages() {
    let office = Office::over(Stage::selling(selling()).await).await;
    let name = office.stage.connection.store.name().to_string();
    let here = format!("/connections/{name}");
    let imports = format!("{here}/imports");
    let page = office.get(OLA, &here).await.page();
    assert!(page.contains("Import: all customers"), "{page}");
    let page = office.get(VERA, &here).await.page();
    assert!(!page.contains("Import: all customers"), "{page}");
    let fields = [("list", "customers")];
    let refused = office.post(VERA, &imports, &fields).await;
    assert!(refused.status.is_client_error());
    let back = office.post(OLA, &imports, &fields).await.done();
    assert!(back.starts_with(&imports), "{back}");
    let page = office.get(OLA, &here).await.page();
    assert!(page.contains("begins in a moment"), "{page}");

    let runs = Arc::clone(&office.service);
    let runs = async move {
        let patience = Duration::from_secs(1);
        runs.scheduler.work(runs.clone(), patience).await;
    };
    let watching = tokio::spawn(Arc::clone(&office.service).watch());
    let working = tokio::spawn(runs);
    let store = &office.stage.connection.store;
    for _ in 0..1200 {
        if import::pending(store).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    watching.abort();
    office.service.scheduler.drain();
    working.await.unwrap();
    let (ended, rows) = last(&office.stage).await;
    assert_eq!(ended.asked_by, "user:ola");
    let run = store.run(&ended.runs[0]).await.unwrap().unwrap();
    assert_eq!(
        (run.trigger.as_str(), run.actor.as_str()),
        ("import customers", "user:ola")
    );

    let result = format!("{imports}/{}", ended.seq);
    let page = office.get(VERA, &imports).await.page();
    assert!(page.contains(&result), "{page}");
    let page = office.get(VERA, &result).await.page();
    let made = rows.iter().find(|row| row.came == Came::Made).unwrap();
    assert!(page.contains(&made.label), "{page}");
    assert!(
        page.contains(made.target.as_ref().unwrap().id.as_str()),
        "{page}"
    );
    let csv = office.get(VERA, &format!("{result}?csv=records")).await;
    assert!(csv.kind.starts_with("text/csv"), "{}", csv.kind);
    // A heading, and a line for each.
    assert_eq!(csv.text.lines().count(), rows.len() + 1);
}

#[tokio::test]
async fn s171_how_much_the_first_sync_takes_is_shown_and_it_waits_for_a_yes() {
    let mut stage = Stage::selling(selling()).await;
    stage.sync().await;
    let extent = {
        let connection = stage.restarted().await;
        let asking = tieout_engine::Connection {
            preferences: tieout_desk::first_sync::looked_at(&connection.preferences),
            ..connection
        };
        let options = RunOptions::new(sync::run_id(), "plan");
        let plan = tieout_engine::plan(&asking, options).await.unwrap();
        plan.first_sync
    };
    let invoices = extent.iter().find(|it| it.flow == "invoices").unwrap();
    assert!(invoices.count > 0);
    assert!(!invoices.amounts.is_empty());

    // Nobody was asked: the run holds, and says so as one exception with count and amount.
    stage.reconcile().await;
    stage.connection.preferences.receivables.first_sync = tieout_flows::preferences::FirstSync::Ask;
    let report = stage.sync().await;
    assert_eq!(report.status, RunStatus::Exceptions);
    assert!(count(&report, "invoices", State::Blocked) >= invoices.count);
    let causes = tieout_desk::exceptions::causes(&stage.connection.store, false);
    let causes = causes.await.unwrap();
    let waits = |it: &&tieout_desk::exceptions::Cause| it.group == "first-sync";
    let cause = causes.iter().find(waits).unwrap();
    let of_invoices = cause
        .groups
        .iter()
        .find(|it| it.flow == "invoices")
        .unwrap();
    assert_eq!(of_invoices.count, invoices.count);
    assert_eq!(of_invoices.amounts, invoices.amounts);
    // Said yes to, it is taken.
    stage.reconcile().await;
    stage.connection.preferences.receivables.first_sync = tieout_flows::preferences::FirstSync::All;
    let report = stage.sync().await;
    assert!(report.written > 0);
}

#[tokio::test]
async fn what_is_mapped_follows_from_the_pair() {
    let stage = Stage::selling(selling()).await;
    let suggested = tieout_engine::mapping::propose(&stage.connection, true, &sync::run_id());
    let suggested = suggested.await.unwrap();
    let kinds: BTreeSet<Kind> = suggested.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, BTreeSet::from([Kind::Item, Kind::Terms]));
    let maps = stage.connection.store.maps().await.unwrap();
    assert!(
        maps.iter()
            .all(|map| ["item", "terms"].contains(&map.kind.as_str()))
    );
    assert!(!maps.is_empty(), "{suggested:?}");
    let office = Office::over(stage).await;
    let name = office.stage.connection.store.name().to_string();
    let page = office.get(VERA, &format!("/mappings/{name}")).await.page();
    assert!(
        page.contains("Items") && page.contains("Payment terms"),
        "{page}"
    );
    assert!(
        !page.contains("Departments") && !page.contains("Funding accounts"),
        "{page}"
    );
}
