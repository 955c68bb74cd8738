//! What people do on the pages: who may, what it does, and what the history says of it.

use http::StatusCode;
use serde_json::json;
use tieout_desk::approval;
use tieout_desk::mapping::{self, Said};
use tieout_desk::tie_out::sign_off;
use tieout_domain::{Kind, RecordRef, Side, State, WaitsFor};
use tieout_engine::scheduler::{Cause, Job, Runs as _};
use tieout_flows::tie_out::Status;
use tieout_server::people::Role;
use tieout_store::{ConnectionStore, Fact, Item, ItemFilter, MapStatus, NewUser};

use crate::office::Office;
use crate::stage::Stage;

const VERA: (&str, Role) = ("vera", Role::Viewer);
const OLE: (&str, Role) = ("ole", Role::Operator);
const PAT: (&str, Role) = ("pat", Role::Approver);
const QUINN: (&str, Role) = ("quinn", Role::Approver);
const ADA: (&str, Role) = ("ada", Role::Admin);

/// Fields and what is filled in.
type Form = &'static [(&'static str, &'static str)];

/// Every act, the least role that may, and enough fields to get as far as the role.
const ACTS: [(&str, Form, Role); 29] = [
    (
        "/exceptions/acme-us/decide",
        &[("ruling", "retry")],
        Role::Operator,
    ),
    (
        "/exceptions/acme-us/decide",
        &[("ruling", "ignore")],
        Role::Operator,
    ),
    (
        "/exceptions/acme-us/decide",
        &[("ruling", "create")],
        Role::Approver,
    ),
    (
        "/exceptions/acme-us/decide",
        &[("ruling", "accept")],
        Role::Approver,
    ),
    (
        "/mappings/acme-us/propose",
        &[("kind", "account")],
        Role::Operator,
    ),
    (
        "/mappings/acme-us/confirm",
        &[("kind", "account")],
        Role::Approver,
    ),
    (
        "/mappings/acme-us/set",
        &[("kind", "account")],
        Role::Approver,
    ),
    ("/tie-out/acme-us/make", &[("period", "x")], Role::Operator),
    ("/tie-out/acme-us/own", &[], Role::Operator),
    (
        "/tie-out/acme-us/sign",
        &[("role", "reviewer"), ("period", "2020-01")],
        Role::Approver,
    ),
    (
        "/tie-out/acme-us/sign",
        &[("role", "preparer"), ("period", "x")],
        Role::Approver,
    ),
    (
        "/tie-out/acme-us/drift",
        &[("period", "2020-01")],
        Role::Operator,
    ),
    (
        "/replay/acme-us",
        &[("what", "nothing"), ("reason", "x")],
        Role::Approver,
    ),
    ("/connections/acme-us/preferences", &[], Role::Admin),
    (
        "/connections/acme-us/preferences/back",
        &[("version", "x")],
        Role::Admin,
    ),
    ("/connections/acme-us/checks", &[], Role::Operator),
    ("/credentials/set", &[("kind", "bill")], Role::Admin),
    ("/credentials/renewals/x", &[("to", "bill")], Role::Admin),
    (
        "/credentials/renewals/x/step",
        &[("step", "x")],
        Role::Admin,
    ),
    ("/credentials/renewals/x/abandon", &[], Role::Admin),
    ("/connect", &[("name", "Not A Name")], Role::Admin),
    (
        "/connect/x/settings",
        &[("system", "netsuite")],
        Role::Admin,
    ),
    (
        "/connect/x/credential",
        &[("system", "netsuite")],
        Role::Admin,
    ),
    (
        "/connect/x/enter",
        &[("system", "bill"), ("kind", "bill")],
        Role::Admin,
    ),
    (
        "/connect/x/key",
        &[("system", "netsuite"), ("kind", "netsuite-m2m")],
        Role::Admin,
    ),
    (
        "/connect/x/choose",
        &[("system", "netsuite"), ("value", "1")],
        Role::Admin,
    ),
    ("/connect/x/store", &[], Role::Admin),
    ("/connect/x/abandon", &[], Role::Admin),
    ("/connect/x/live", &[], Role::Admin),
];

/// Every page that only some may see.
const PAGES: [(&str, Role); 12] = [
    (
        "/mappings/acme-us/preview?kind=account&all=yes",
        Role::Approver,
    ),
    ("/credentials", Role::Admin),
    ("/credentials/set?kind=bill", Role::Admin),
    ("/credentials/guides/netsuite-m2m", Role::Admin),
    ("/exceptions", Role::Viewer),
    ("/connect", Role::Admin),
    ("/connect/acme-us", Role::Admin),
    ("/connect/x/certificate/netsuite", Role::Admin),
    ("/credentials/renewals/demo-bill", Role::Admin),
    ("/credentials/renewals/x/certificate", Role::Admin),
    ("/connections/acme-us/preferences", Role::Viewer),
    ("/connections/acme-us/plan", Role::Operator),
];

#[tokio::test]
async fn each_role_may_do_what_it_may_and_no_more() {
    let office = Office::over(Stage::bare().await).await;
    for who in [VERA, OLE, PAT, ADA] {
        for (path, fields, least) in ACTS {
            let status = office.post(who, path, fields).await.status;
            let refused = status == StatusCode::FORBIDDEN;
            assert_eq!(
                refused,
                who.1 < least,
                "{path} {fields:?} by {}: {status}",
                who.0
            );
            assert!(
                !status.is_server_error(),
                "{path} {fields:?} by {}: {status}",
                who.0
            );
        }
        for (path, least) in PAGES {
            let status = office.get(who, path).await.status;
            assert_eq!(
                status == StatusCode::FORBIDDEN,
                who.1 < least,
                "{path} by {}",
                who.0
            );
        }
    }
    // None of it was anything to be done.
    assert!(
        office
            .stage
            .connection
            .store
            .signatures()
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn without_a_sign_in_there_is_no_page_and_no_act() {
    use axum::body::Body;
    use http::Request;
    use tower::ServiceExt as _;

    let office = Office::over(Stage::bare().await).await;
    let pages = PAGES.map(|(path, _)| Request::get(path));
    let acts = ACTS.map(|(path, ..)| Request::post(path));
    for request in pages.into_iter().chain(acts) {
        let request = request.body(Body::empty()).unwrap();
        let path = request.uri().clone();
        let status = office
            .router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .status();
        assert!(
            status.is_redirection() || status.is_client_error(),
            "{path}: {status}"
        );
        assert_ne!(status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// A world in which bills wait for the mapping of an account that BILL lacks; and that account.
async fn unmapped() -> (Office, String) {
    let mut stage = Stage::new().await;
    stage.connection.preferences.lists.create_missing = false;
    let maps = stage.connection.store.maps().await.unwrap();
    for entry in maps.iter().filter(|entry| entry.to.is_none()) {
        let said = Said {
            kind: entry.kind.parse().unwrap(),
            from: entry.from.as_str(),
            to: None,
            why: "not to be created",
        };
        let store = &stage.connection.store;
        mapping::set(store, &said, "user:ole").await.unwrap();
    }
    stage.try_sync().await;
    let blocked = with_code(&stage, "unmapped-account").await;
    let bill = blocked.iter().find(|item| item.flow == "bills").unwrap();
    let Some(WaitsFor::Map(_, account)) = &bill.outcome.waits_for else {
        panic!("{bill:?}")
    };
    let account = account.to_string();
    (Office::over(stage).await, account)
}

/// The items with this code.
async fn with_code(stage: &Stage, code: &'static str) -> Vec<Item> {
    let filter = ItemFilter {
        code: Some(tieout_domain::code::Code::new(code)),
        ..ItemFilter::default()
    };
    let store = &stage.connection.store;
    store.items_page(&filter, None, 1000).await.unwrap()
}

#[tokio::test]
async fn a_cause_is_put_right_once_and_everything_that_waited_goes_on() {
    let (office, account) = unmapped().await;
    let stage = &office.stage;
    let blocked = with_code(stage, "unmapped-account").await;
    assert!(
        blocked.iter().any(|item| item.flow == "bills"),
        "{blocked:#?}"
    );
    // The inbox names the cause, what to do, the money, and leads to the mapping.
    let inbox = office.get(OLE, "/exceptions").await.page();
    let row = format!("/mappings/acme-us/account/{account}");
    for said in [
        "unmapped-account",
        "What to do",
        "at stake",
        " USD",
        row.as_str(),
    ] {
        assert!(inbox.contains(said), "{said} is not in {inbox}");
    }
    let csv = office.get(OLE, "/exceptions?csv=exceptions").await;
    assert!(csv.kind.starts_with("text/csv") && csv.text.contains("unmapped-account"));
    let group = format!("unmapped-account:{account}");
    let cause = format!("/exceptions/acme-us/cause?code=unmapped-account&group={group}");
    let page = office.get(OLE, &cause).await.page();
    let bill = blocked.iter().find(|item| item.flow == "bills").unwrap();
    assert!(
        page.contains(&bill.label) && page.contains("Leave alone"),
        "{page}"
    );
    // The mapping says what rests on it; a preview comes before the act.
    let mapped = office.get(PAT, &row).await.page();
    assert!(mapped.contains(&bill.label), "{mapped}");
    let store = &stage.connection.store;
    let (_, targets) = mapping::table(store, Kind::Account).await.unwrap();
    let to = targets[0].id.clone();
    let preview = format!("/mappings/acme-us/preview?kind=account&from={account}&to={to}");
    let preview = office.get(PAT, &preview).await.page();
    assert!(
        preview.contains(&bill.label) && preview.contains("Set the mapping"),
        "{preview}"
    );
    let fields = [
        ("kind", "account"),
        ("from", account.as_str()),
        ("to", to.as_str()),
        ("reason", "it was open after all"),
    ];
    let done = office
        .post(PAT, "/mappings/acme-us/set", &fields)
        .await
        .done();
    assert!(
        office
            .get(PAT, &done)
            .await
            .page()
            .contains("The mapping is set")
    );
    stage.try_sync().await;
    let left = with_code(stage, "unmapped-account").await;
    assert!(
        left.iter().all(|item| item.outcome.group != group),
        "{left:#?}"
    );
    let told = office.get(VERA, &row).await.page();
    assert!(
        told.contains("user:pat") && told.contains("it was open after all"),
        "{told}"
    );
    let page = office.get(OLE, &cause).await.page();
    assert!(
        page.contains("Nothing waits for this cause any more"),
        "{page}"
    );
}

#[tokio::test]
async fn what_is_left_alone_says_who_and_why_and_can_be_taken_back() {
    let (office, account) = unmapped().await;
    let stage = &office.stage;
    let group = format!("unmapped-account:{account}");
    let mut bills = with_code(stage, "unmapped-account").await;
    bills.retain(|item| item.outcome.group == group);
    let bill = bills.iter().find(|item| item.flow == "bills").unwrap();
    let record = bill.record.to_string();
    let cause = [("code", "unmapped-account"), ("group", group.as_str())];
    let path = "/exceptions/acme-us/decide";
    // All of the cause is looked at again in one go.
    let all = [
        cause[0],
        cause[1],
        ("all", "yes"),
        ("ruling", "retry"),
        ("reason", "look again"),
    ];
    let left = bills.len();
    let done = office.post(OLE, path, &all).await.done();
    assert!(done.ends_with(&format!("done=retry&n={left}")), "{done}");
    let one = [
        cause[0],
        cause[1],
        ("record", record.as_str()),
        ("ruling", "ignore"),
    ];
    // A reason is asked for.
    let refused = office.post(OLE, path, &one).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("No reason") || refused.text.contains("no reason"),
        "{}",
        refused.text
    );
    let with_reason = [one.as_slice(), &[("reason", "paid <b>in cash</b>")]].concat();
    let done = office.post(OLE, path, &with_reason).await.done();
    let page = office.get(OLE, &done).await.page();
    assert!(page.contains("1 are left alone"), "{page}");
    stage.try_sync().await;
    let item = stage.item("bills", &bill.record).await;
    assert_eq!(item.outcome.state, State::Skipped);
    let life = stage.connection.store.history(&bill.record).await.unwrap();
    let said = life
        .iter()
        .rev()
        .find(|entry| matches!(entry.fact, Fact::Decided { .. }))
        .unwrap();
    assert_eq!(said.actor, "user:ole");
    // Nobody can be made to read what others want by a link.
    let page = office
        .get(OLE, "/exceptions?done=%3Cscript%3E&n=3")
        .await
        .page();
    assert!(!page.contains("<script>"), "{page}");
}

#[tokio::test]
async fn a_counterpart_is_named_among_those_that_are_free() {
    let (office, account) = unmapped().await;
    let stage = &office.stage;
    let bills = with_code(stage, "unmapped-account").await;
    let linked: Vec<_> = stage
        .connection
        .store
        .links_page("bills", None, 1000)
        .await
        .unwrap();
    let free =
        |item: &&Item| item.flow == "bills" && linked.iter().all(|link| link.record != item.record);
    let bill = bills
        .iter()
        .find(free)
        .map_or_else(|| bills[0].clone(), Clone::clone);
    let record = bill.record.to_string();
    let path = format!(
        "/exceptions/acme-us/link?flow={}&record={record}",
        bill.flow
    );
    let page = office.get(OLE, &path).await.page();
    assert!(
        page.contains("that is free is called") || page.contains("It is this one"),
        "{page}"
    );
    let group = format!("unmapped-account:{account}");
    let decide = "/exceptions/acme-us/decide";
    let common = [
        ("ruling", "link"),
        ("record", record.as_str()),
        ("reason", "x"),
        ("group", group.as_str()),
    ];
    // What isn't there, or is of another kind, is refused.
    for target in [
        "platform/bill/none",
        "ledger/bill/1",
        "platform/vendor/1",
        "rubbish",
    ] {
        let fields = [common.as_slice(), &[("target", target)]].concat();
        let answer = office.post(OLE, decide, &fields).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{target}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn suggestions_are_confirmed_after_what_they_touch_was_seen() {
    let office = Office::over(Stage::unmapped().await).await;
    let stage = &office.stage;
    let store = &stage.connection.store;
    let done = office
        .post(OLE, "/mappings/acme-us/propose", &[("kind", "account")])
        .await
        .done();
    let page = office.get(PAT, &done).await.page();
    assert!(
        page.contains("suggested") && page.contains("See what confirming touches"),
        "{page}"
    );
    assert!(
        !office
            .get(OLE, &done)
            .await
            .page()
            .contains("See what confirming touches")
    );
    let suggested = |status: MapStatus| async move {
        let maps = store.maps().await.unwrap();
        let accounts = maps.into_iter().filter(|entry| entry.kind == "account");
        accounts
            .filter(|entry| entry.status == status)
            .collect::<Vec<_>>()
    };
    let open = suggested(MapStatus::Suggested).await;
    let first = open[0].from.as_str();
    let path = format!("/mappings/acme-us/preview?kind=account&from={first}");
    assert!(
        office
            .get(PAT, &path)
            .await
            .page()
            .contains(&open[0].label_to)
    );
    let to = open[0].to.as_ref().unwrap().as_str();
    // What was shown leads elsewhere by now: it is not confirmed, and the page says so.
    let fields = [("kind", "account"), ("from", first), ("shown", "another")];
    let done = office
        .post(PAT, "/mappings/acme-us/confirm", &fields)
        .await
        .done();
    assert!(done.ends_with("done=confirmed&n=0&left=1"), "{done}");
    let page = office.get(PAT, &done).await.page();
    assert!(page.contains("1 left out"), "{page}");
    let fields = [("kind", "account"), ("from", first), ("shown", to)];
    let done = office
        .post(PAT, "/mappings/acme-us/confirm", &fields)
        .await
        .done();
    assert!(done.ends_with("done=confirmed&n=1"), "{done}");
    let confirmed = suggested(MapStatus::Confirmed).await;
    assert_eq!(confirmed.len(), 1);
    assert_eq!(confirmed[0].actor, "user:pat");
    let csv = office
        .get(PAT, "/mappings/acme-us?kind=account&csv=mappings")
        .await;
    assert!(
        csv.text.contains("confirmed") && csv.text.contains("user:pat"),
        "{}",
        csv.text
    );
}

/// Makes this month's report, and takes all of its errors on.
async fn made_and_owned(office: &Office, month: &str) {
    let fields = [("period", month), ("currency", "USD")];
    let done = office
        .post(OLE, "/tie-out/acme-us/make", &fields)
        .await
        .done();
    office.get(OLE, &done).await.page();
    let store = &office.stage.connection.store;
    let kept = tieout_desk::tie_out::kept(store, month, Some("USD"))
        .await
        .unwrap()
        .unwrap();
    let records: Vec<String> = kept
        .report
        .items
        .iter()
        .filter_map(|item| item.ledger.as_ref().or(item.platform.as_ref()))
        .map(|document| document.record.to_string())
        .collect();
    if records.is_empty() {
        return;
    }
    let mut own = vec![
        ("period", month),
        ("currency", "USD"),
        ("owner", "Ole"),
        ("comment", "asked the vendor"),
    ];
    own.extend(records.iter().map(|record| ("record", record.as_str())));
    office.post(OLE, "/tie-out/acme-us/own", &own).await.done();
    office
        .post(OLE, "/tie-out/acme-us/make", &fields)
        .await
        .done();
}

#[tokio::test]
async fn a_month_is_signed_by_two_people_and_watched_afterwards() {
    let office = Office::new().await;
    let stage = &office.stage;
    let store = &stage.connection.store;
    let month = stage.today().await.strftime("%Y-%m").to_string();
    let path = format!("/tie-out/acme-us?period={month}");
    assert!(
        office
            .get(VERA, &path)
            .await
            .page()
            .contains("has been made yet")
    );
    made_and_owned(&office, &month).await;
    let page = office.get(PAT, &path).await.page();
    for said in [
        "Legs",
        "Differences, item by item",
        "Open by age",
        "asked the vendor",
        "Sign as preparer",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
    let kept = tieout_desk::tie_out::kept(store, &month, None)
        .await
        .unwrap()
        .unwrap();
    assert!(
        matches!(
            kept.report.status,
            Status::Tied | Status::TiedWithExceptions
        ),
        "{:?}",
        kept.report.reasons
    );
    let made = kept.report.made_at.to_string();
    let scope = [("period", month.as_str()), ("currency", "USD")];
    let prepare = [
        scope.as_slice(),
        &[
            ("role", "preparer"),
            ("made", made.as_str()),
            ("comment", "June is done"),
        ],
    ]
    .concat();
    let done = office
        .post(PAT, "/tie-out/acme-us/sign", &prepare)
        .await
        .done();
    assert!(done.ends_with("done=prepared"), "{done}");
    // Who prepared it doesn't review it.
    let review = [scope.as_slice(), &[("role", "reviewer"), ("comment", "")]].concat();
    let same = office.post(PAT, "/tie-out/acme-us/sign", &review).await;
    assert_eq!(same.status, StatusCode::CONFLICT, "{}", same.text);
    assert!(
        office
            .get(PAT, &path)
            .await
            .page()
            .contains("somebody else reviews it")
    );
    // Nor is another report reviewed than the one that was read.
    let read = |sha256| [review.as_slice(), &[("sha256", sha256)]].concat();
    for other in ["", "0f0f"] {
        let done = office
            .post(QUINN, "/tie-out/acme-us/sign", &read(other))
            .await
            .done();
        assert!(done.ends_with("done=prepared-anew"), "{done}");
    }
    let prepared = sign_off::signatures(store).await.unwrap();
    assert_eq!(prepared.len(), 1);
    let page = office.get(QUINN, &path).await.page();
    let field = format!("name=\"sha256\" value=\"{}\"", prepared[0].signature.sha256);
    assert!(page.contains(&field), "{page}");
    let done = office
        .post(
            QUINN,
            "/tie-out/acme-us/sign",
            &read(&prepared[0].signature.sha256),
        )
        .await
        .done();
    assert!(done.ends_with("done=reviewed"), "{done}");
    let signed = sign_off::signatures(store).await.unwrap();
    let who: Vec<_> = signed
        .iter()
        .map(|one| one.signature.who.as_str())
        .collect();
    assert_eq!(who, ["user:pat", "user:quinn"]);
    assert_eq!(signed[0].signature.sha256, signed[1].signature.sha256);
    let frozen = office
        .get(VERA, &format!("{path}&currency=USD&signed=yes"))
        .await
        .page();
    assert!(
        frozen.contains("as it was signed") && frozen.contains("user:quinn"),
        "{frozen}"
    );
    // Every form of it can be taken along.
    for (format, kind) in [
        ("csv", "text/csv"),
        ("pdf", "application/pdf"),
        ("json", "application/json"),
        ("html", "text/html"),
    ] {
        let file =
            format!("/tie-out/acme-us/file?period={month}&currency=USD&signed=yes&format={format}");
        let file = office.get(VERA, &file).await;
        assert!(file.kind.starts_with(kind), "{format}: {}", file.kind);
    }
    // Somebody pays a bill by hand: what was signed has drifted.
    let done = office
        .post(OLE, "/tie-out/acme-us/drift", &scope)
        .await
        .done();
    assert!(
        office
            .get(VERA, &done)
            .await
            .page()
            .contains("Nothing has changed")
    );
    let (ledger, _) = stage.open_pairs().await.pop().unwrap();
    stage
        .in_netsuite(
            "vendorBill",
            &ledger,
            json!({"action": "edit", "fields": {"memo": "x"}}),
        )
        .await;
    stage
        .in_netsuite("vendorBill", &ledger, json!({"action": "delete"}))
        .await;
    // Nobody needs to ask: it is looked for once a night, after everything was read again.
    let night = Job {
        import: None,
        connection: "acme-us".parse().unwrap(),
        flows: Vec::new(),
        only: Vec::new(),
        whole: true,
        trigger: "schedule".to_owned(),
        by: None,
        cause: Cause::Asked,
    };
    office.service.run(night).await;
    let page = office.get(VERA, &path).await.page();
    assert!(page.contains("Changed since sign-off"), "{page}");
}

#[tokio::test]
async fn nobody_signs_what_they_have_not_seen() {
    let office = Office::new().await;
    let stage = &office.stage;
    let month = stage.today().await.strftime("%Y-%m").to_string();
    made_and_owned(&office, &month).await;
    let store = &stage.connection.store;
    let kept = tieout_desk::tie_out::kept(store, &month, None)
        .await
        .unwrap()
        .unwrap();
    let made = kept.report.made_at.to_string();
    let (_, platform) = stage.open_pairs().await.pop().unwrap();
    stage.pay(&[platform], None, "PROCESSED").await;
    let prepare = [
        ("period", month.as_str()),
        ("currency", "USD"),
        ("role", "preparer"),
        ("made", made.as_str()),
    ];
    let done = office
        .post(PAT, "/tie-out/acme-us/sign", &prepare)
        .await
        .done();
    assert!(done.ends_with("done=changed"), "{done}");
    assert!(
        office
            .get(PAT, &done)
            .await
            .page()
            .contains("the books have changed")
    );
    assert!(sign_off::signatures(store).await.unwrap().is_empty());
}

#[tokio::test]
async fn s143_a_refused_write_is_done_again_once_with_a_reason() {
    let stage = Stage::new().await;
    stage
        .fault(json!({"service": "bill", "method": "POST", "path": "/v3/bills", "effect": "status", "status": 400,
            "body": [{"code": "BDC_1999", "severity": "ERROR", "message": "not today"}]}))
        .await;
    stage.try_sync().await;
    stage.no_faults().await;
    let office = Office::over(stage).await;
    let stage = &office.stage;
    let store = &stage.connection.store;
    let entries = store.entries_of("refused", 0, 1000).await.unwrap();
    let record: &RecordRef = entries[0].record.as_ref().unwrap();
    let path = format!("/replay/acme-us?what={record}");
    let page = office.get(PAT, &path).await.page();
    assert!(
        page.contains("refused") && page.contains("under the same key"),
        "{page}"
    );
    let what = record.to_string();
    let act = [("what", what.as_str()), ("reason", "BILL was in a mood")];
    assert_eq!(
        office.post(OLE, "/replay/acme-us", &act).await.status,
        StatusCode::FORBIDDEN
    );
    let done = office.post(PAT, "/replay/acme-us", &act).await.done();
    assert!(
        office
            .get(PAT, &done)
            .await
            .page()
            .contains("1 will be done again")
    );
    stage.try_sync().await;
    assert_eq!(stage.item("bills", record).await.outcome.state, State::Done);
    stage.assert_no_duplicates().await;
    let life = store.history(record).await.unwrap();
    let said = life.iter().find_map(|entry| match &entry.fact {
        Fact::Decided { reason, .. } => Some((entry.actor.as_str(), reason.as_str())),
        _ => None,
    });
    let (actor, reason) = said.unwrap();
    assert_eq!(actor, "user:pat");
    assert!(
        reason.starts_with("replay (write ") && reason.ends_with("BILL was in a mood"),
        "{reason}"
    );
}

/// As soon as two could approve, it takes two: one asks, another approves, and only then it is so.
#[tokio::test]
async fn a_replay_and_a_mapping_of_money_take_two_people() {
    let stage = Stage::new().await;
    stage
        .fault(json!({"service": "bill", "method": "POST", "path": "/v3/bills", "effect": "status", "status": 400,
            "body": [{"code": "BDC_1999", "severity": "ERROR", "message": "not today"}]}))
        .await;
    stage.try_sync().await;
    stage.no_faults().await;
    for (name, role) in [PAT, QUINN] {
        let new = NewUser {
            name: name.to_owned(),
            display: String::new(),
            mail: String::new(),
            role,
            subject: None,
            until: None,
            tenants: Vec::new(),
        };
        let people = stage.home.store.people();
        people.add(&new, None, "user:test").await.unwrap();
    }
    let office = Office::over(stage).await;
    let store = &office.stage.connection.store;
    let refused = store.entries_of("refused", 0, 1000).await.unwrap();
    let record = refused[0].record.clone().unwrap();
    let what = record.to_string();
    let replay = [("what", what.as_str()), ("reason", "BILL was in a mood")];
    // To look again at what was refused sends it again, whoever calls it so; what was not is looked at as before.
    let again = [
        ("ruling", "retry"),
        ("record", what.as_str()),
        ("reason", "try it"),
    ];
    let decided = |ruling| {
        [
            ("ruling", ruling),
            ("record", what.as_str()),
            ("reason", "try it"),
        ]
    };
    let (create, accept) = (decided("create"), decided("accept"));
    // The account that money is posted through: also where it is a preference.
    let clearing = [("preference.transactions.payment_account", "1000")];
    let account = store
        .records_page(Side::Platform, Kind::FundingAccount, None, 1)
        .await
        .unwrap();
    let account = account[0].observed.id.to_string();
    let map = [
        ("kind", "funding"),
        ("from", account.as_str()),
        ("to", "none"),
        ("reason", "the account is closed"),
    ];
    for (who, path, fields, does) in [
        (PAT, "/replay/acme-us", replay.as_slice(), 2),
        (PAT, "/mappings/acme-us/set", map.as_slice(), 2),
        (PAT, "/exceptions/acme-us/decide", create.as_slice(), 2),
        (PAT, "/exceptions/acme-us/decide", accept.as_slice(), 2),
        (OLE, "/exceptions/acme-us/decide", again.as_slice(), 2),
        (
            ADA,
            "/connections/acme-us/preferences",
            clearing.as_slice(),
            1,
        ),
    ] {
        let before = done_by(store, "user:quinn").await;
        let done = office.post(who, path, fields).await.done();
        assert_eq!(done, "/approvals?done=asked", "{path}");
        let asked = approval::open(store).await.unwrap();
        let [request] = asked.as_slice() else {
            panic!("{path}: {asked:?}");
        };
        // It is what was decided that is approved, and no other thing.
        let said: Vec<_> = fields
            .iter()
            .filter(|(name, _)| *name == "ruling")
            .collect();
        if let [(_, ruling)] = said.as_slice() {
            let decision = request.proposal.facts.iter().find_map(|fact| match fact {
                Fact::Decided { decision, .. } => Some(decision.as_str()),
                _ => None,
            });
            let wanted = if *ruling == "retry" { "" } else { *ruling };
            assert!(decision.unwrap().starts_with(wanted), "{request:?}");
            assert_eq!(decision.unwrap().is_empty(), wanted.is_empty());
        }
        let approve = format!("/approvals/acme-us/{}/approve", request.approval.id);
        let asker = (who.0, Role::Admin);
        let own = office.post(asker, &approve, &[("reason", "")]).await;
        assert_eq!(own.status, StatusCode::CONFLICT, "{path}: {}", own.text);
        assert_eq!(done_by(store, "user:quinn").await, before, "{path}");
        office
            .post(QUINN, &approve, &[("reason", "seen")])
            .await
            .done();
        assert_eq!(done_by(store, "user:quinn").await, before + does, "{path}");
    }
    let file = std::fs::read_to_string(office.stage.folder.path().join("tieout.toml")).unwrap();
    assert!(file.contains("payment_account = \"1000\""), "{file}");
    // Also where an earlier version is put back.
    let back = office
        .post(
            ADA,
            "/connections/acme-us/preferences/back",
            &[("version", "0")],
        )
        .await
        .done();
    assert_eq!(back, "/approvals?done=asked");
    let now = std::fs::read_to_string(office.stage.folder.path().join("tieout.toml")).unwrap();
    assert_eq!(now, file);
    office.stage.try_sync().await;
    let item = office.stage.item("bills", &record).await;
    assert_eq!(item.outcome.state, State::Done);
    office.stage.assert_no_duplicates().await;
}

/// How many entries of the history are this actor's.
async fn done_by(store: &ConnectionStore, actor: &str) -> usize {
    let entries = store.entries_after(0, 100_000).await.unwrap();
    entries.iter().filter(|entry| entry.actor == actor).count()
}

#[tokio::test]
async fn preferences_are_changed_in_the_file_and_told_by_version() {
    let office = Office::over(Stage::bare().await).await;
    let path = "/connections/acme-us/preferences";
    let page = office.get(VERA, path).await.page();
    assert!(
        page.contains("transactions.partly_paid") && !page.contains("receivables."),
        "{page}"
    );
    let page = office.get(ADA, path).await.page();
    for heading in [
        "Lists",
        "Transactions",
        "Miscellaneous",
        "Save what is changed",
    ] {
        assert!(page.contains(heading), "{heading} is not in {page}");
    }
    let wrong = [("preference.transactions.partly_paid", "sometimes")];
    let refused = office.post(ADA, path, &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("skip, balance"), "{}", refused.text);
    let same = office
        .post(
            ADA,
            path,
            &[("preference.transactions.partly_paid", "skip")],
        )
        .await
        .done();
    assert!(same.ends_with("done=nothing"), "{same}");
    let change = [
        ("preference.transactions.partly_paid", "balance"),
        ("preference.transactions.currencies", "USD, EUR"),
    ];
    let done = office.post(ADA, path, &change).await.done();
    assert!(done.ends_with("done=changed&n=2"), "{done}");
    let page = office.get(ADA, path).await.page();
    assert!(
        page.contains("user:ada") && page.contains("balance"),
        "{page}"
    );
    let file = std::fs::read_to_string(office.stage.folder.path().join("tieout.toml")).unwrap();
    assert!(file.contains("partly_paid = \"balance\""), "{file}");
}

#[tokio::test]
async fn s207_a_new_value_takes_effect_only_after_it_has_signed_in_and_never_comes_back() {
    let office = Office::over(Stage::bare().await).await;
    let store = &office.stage.home.store;
    let page = office.get(ADA, "/credentials").await.page();
    assert!(
        page.contains("acme-us") && page.contains("New value"),
        "{page}"
    );
    let rows = store.credentials().list().await.unwrap();
    let bill = rows.iter().find(|row| row.kind == "bill").unwrap();
    let vault = office.stage.home.vault().await.unwrap();
    let (_, fields) = store.credentials().get(&vault, &bill.name).await.unwrap();
    let fields: serde_json::Value =
        serde_json::from_str(secrecy::ExposeSecret::expose_secret(&fields)).unwrap();
    let text = |name: &str| fields[name].as_str().unwrap().to_owned();
    let (key, user, password) = (text("dev_key"), text("username"), text("password"));
    let form = [
        ("kind", "bill"),
        ("name", bill.name.as_str()),
        ("field.dev_key", key.as_str()),
        ("field.username", user.as_str()),
        ("field.password", "another-password"),
    ];
    let refused = office.post(ADA, "/credentials/set", &form).await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY, "{}", refused.text);
    assert!(
        !refused.text.contains("another-password"),
        "{}",
        refused.text
    );
    let version = |rows: Vec<tieout_store::CredentialRow>| {
        rows.into_iter().find(|row| row.kind == "bill").unwrap()
    };
    assert_eq!(
        version(store.credentials().list().await.unwrap()).version,
        bill.version
    );
    let mut right = form;
    right[4].1 = password.as_str();
    let done = office.post(ADA, "/credentials/set", &right).await.done();
    assert!(done.ends_with("done=set&n=1"), "{done}");
    let now = version(store.credentials().list().await.unwrap());
    assert_eq!(
        (now.version, now.set_by.as_str()),
        (bill.version + 1, "user:ada")
    );
    for path in [
        "/credentials",
        "/credentials/set?kind=bill",
        "/credentials?csv=credentials",
    ] {
        let page = office.get(ADA, path).await.text;
        for secret in [&key, &password] {
            assert!(!page.contains(secret.as_str()), "{path} shows a secret");
        }
    }
    let guide = office
        .get(ADA, "/credentials/guides/netsuite-m2m")
        .await
        .page();
    assert!(guide.contains("Mind before you go there"), "{guide}");
}

#[tokio::test]
async fn a_connection_is_checked_on_a_button_and_the_fix_is_told() {
    let office = Office::over(Stage::bare().await).await;
    let path = "/connections/acme-us/checks";
    assert!(
        office
            .get(VERA, path)
            .await
            .page()
            .contains("Nobody has checked it here yet")
    );
    let body = json!({"action": "lock"}).to_string();
    office
        .stage
        .panel
        .post("/control/credentials/bill", &body)
        .await
        .unwrap();
    let done = office.post(OLE, path, &[]).await.done();
    let page = office.get(VERA, &done).await.page();
    assert!(
        page.contains("failed") && page.contains("by user:ole"),
        "{page}"
    );
    let kept = tieout_desk::checks::kept(&office.stage.connection.store)
        .await
        .unwrap()
        .unwrap();
    assert!(
        kept.checks
            .iter()
            .any(|(system, check)| system == "bill" && !check.fix.is_empty())
    );
}

/// Two changes that read the file at once would undo one of them.
#[tokio::test]
async fn the_configuration_is_changed_by_one_at_a_time() {
    let office = Office::over(Stage::bare().await).await;
    let folder = office.stage.folder.path();
    let (config, lock) = (folder.join("tieout.toml"), folder.join(".tieout.toml.lock"));
    // Another process has read it, and is about to put its own in the place.
    let other = std::fs::File::create(lock).unwrap();
    other.lock().unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let path = "/connections/acme-us/preferences";
    let fields = [("preference.transactions.partly_paid", "balance")];
    let mut change = std::pin::pin!(office.post(ADA, path, &fields));
    let soon = std::time::Duration::from_millis(400);
    let early = tokio::time::timeout(soon, &mut change).await;
    assert!(early.is_err(), "{early:?}");
    std::fs::write(&config, format!("# by another process\n{text}")).unwrap();
    other.unlock().unwrap();
    change.await.done();
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("# by another process"), "{text}");
    assert!(text.contains("partly_paid = \"balance\""), "{text}");
}
