//! The tie-out against the sandbox: what agrees is TIED, and each difference is named with its cause.

use serde_json::json;
use tieout::commands::sync::run_id;
use tieout_domain::{Amount, Date, Kind, RemoteId, Side};
use tieout_engine::tie_out::{AsOf, TieOutOptions, TiedOut, tie_out};
use tieout_flows::tie_out::{Category, Item, Leg, Method, Report, Signal, Status};
use tieout_store::{Commit, Fact};

use crate::acts::{amount, ledger};
use crate::stage::Stage;

impl Stage {
    pub(crate) async fn today(&self) -> Date {
        let now = self.connection.timer.now();
        now.to_zoned(self.connection.time_zone.clone()).date()
    }

    pub(crate) async fn tie_out(&self) -> Vec<Report> {
        self.tie_out_as_of(AsOf::PeriodEnd(self.today().await))
            .await
    }

    async fn tie_out_as_of(&self, as_of: AsOf) -> Vec<Report> {
        let made = self.tied_out(as_of).await;
        made.into_iter().map(|made| made.report).collect()
    }

    async fn tied_out(&self, as_of: AsOf) -> Vec<TiedOut> {
        let options = TieOutOptions {
            as_of,
            id: run_id(),
            notes: std::collections::BTreeMap::new(),
            notices: Vec::new(),
        };
        tie_out(&self.connection, &options).await.unwrap()
    }

    /// Sets the sandbox's clock.
    async fn set_clock(&self, now: tieout_domain::Timestamp) {
        let body = json!({"now": now.to_string()}).to_string();
        self.panel.post("/control/clock", &body).await.unwrap();
    }

    /// The report in dollars; all legs of all currencies closed.
    pub(crate) async fn closed(&self) -> Report {
        let mut reports = self.tie_out().await;
        for report in &reports {
            assert_closed(report);
        }
        reports.remove(0)
    }
}

pub(crate) fn assert_closed(report: &Report) {
    let failed: Vec<_> = report
        .completeness
        .checks
        .iter()
        .filter(|check| !check.holds)
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for leg in &report.legs {
        assert!(
            leg.residual.is_zero(),
            "{} {:?}: {leg:#?} {:#?}",
            report.currency,
            leg.leg,
            report.items
        );
    }
}

/// The items of leg 2 that are no matter of scope.
fn telling(report: &Report) -> Vec<&Item> {
    report
        .items_of(Leg::Platform)
        .filter(|item| !item.category.code().starts_with("S-"))
        .collect()
}

fn one(report: &Report, category: Category) -> &Item {
    let found: Vec<_> = report
        .items
        .iter()
        .filter(|item| item.category == category)
        .collect();
    assert_eq!(found.len(), 1, "{category}: {:#?}", telling(report));
    found[0]
}

/// The item of a record of the platform.
fn one_of<'a>(report: &'a Report, id: &RemoteId) -> &'a Item {
    let is_meant = |item: &&Item| {
        item.platform
            .as_ref()
            .is_some_and(|one| one.record.id == *id)
    };
    report.items.iter().find(is_meant).unwrap()
}

/// The item of one of the ledger's bills.
fn of_bill<'a>(report: &'a Report, bill: &RemoteId) -> &'a Item {
    let record = ledger(Kind::Bill, bill);
    let is_meant = |item: &&Item| item.ledger.as_ref().is_some_and(|one| one.record == record);
    report.items.iter().find(is_meant).unwrap()
}

/// A bill of the platform by hand, for the counterpart of a ledger's vendor.
async fn typed(stage: &Stage, vendor: &RemoteId, number: &str, total: f64) {
    let vendor = stage
        .target("vendors", &ledger(Kind::Vendor, vendor))
        .await
        .unwrap();
    let body = json!({"vendor": vendor.id, "number": number, "amount": total});
    stage.in_bill("type-in", body).await;
}

/// What is there now and was not there before, by category and amount.
pub(crate) fn news(before: &Report, after: &Report) -> Vec<(Category, Amount)> {
    let names = |report: &Report| -> Vec<(Category, Amount, String)> {
        let items = report.items.iter();
        items
            .map(|item| {
                let records = [&item.ledger, &item.platform].map(|one| {
                    one.as_ref()
                        .map(|one| one.record.to_string())
                        .unwrap_or_default()
                });
                (item.category, item.amount, records.join(" "))
            })
            .collect()
    };
    let known = names(before);
    names(after)
        .into_iter()
        .filter(|item| !known.contains(item))
        .map(|(category, amount, _)| (category, amount))
        .collect()
}

/// A synced world with an open bill; its ids here and there, its vendor, and its total.
struct Scene {
    stage: Stage,
    here: RemoteId,
    there: RemoteId,
    vendor: RemoteId,
    total: Amount,
    before: Report,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::new().await;
        stage.sync().await;
        let (here, there, vendor) = stage.an_open_bill().await;
        let total = stage.ledger_bill(&here).await.total;
        let before = stage.closed().await;
        Self {
            stage,
            here,
            there,
            vendor,
            total,
            before,
        }
    }

    async fn news(&self) -> Vec<(Category, Amount)> {
        news(&self.before, &self.stage.closed().await)
    }

    /// The ids of the accounts with these numbers.
    async fn accounts<const N: usize>(&self, numbers: [&str; N]) -> [RemoteId; N] {
        let accounts = self.stage.records(Side::Ledger, Kind::Account).await;
        numbers.map(|number| {
            let found = accounts.iter().find(|record| {
                let label = record.observed.document.label();
                label.starts_with(&format!("{number} "))
            });
            found.unwrap().observed.id.clone()
        })
    }

    async fn paid(&self, status: &str) -> String {
        let bills = [self.there.clone()];
        self.stage.pay(&bills, None, status).await.remove(0)
    }

    async fn paid_by_check(&self) -> RemoteId {
        let body = json!({"bills": [self.here], "number": "CHK-77"});
        self.stage.enter("vendorpayment", body).await
    }
}

#[tokio::test]
async fn what_was_synced_paid_and_posted_differs_in_nothing() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let pairs = stage.open_pairs().await;
    for (_, there) in pairs.iter().take(8) {
        stage
            .pay(std::slice::from_ref(there), None, "PROCESSED")
            .await;
    }
    stage.sync_twice().await;
    let news = scene.news().await;
    // The money of the day is under way; nothing else is to be told.
    assert_eq!(news.len(), 1, "{news:?}");
    assert_eq!(news[0].0, Category::Transit);
}

#[tokio::test]
async fn a_bill_that_is_not_sent_yet_and_one_that_was_typed_there_are_told_apart() {
    let scene = Scene::new().await;
    let fields = json!({"entity": scene.vendor, "tranId": "NEW-1", "amount": 41.5});
    scene.stage.enter("vendorbill", fields).await;
    assert_eq!(scene.news().await, [(Category::Queue, amount("41.5"))]);
    scene.stage.sync().await;
    assert_eq!(scene.news().await, []);
    typed(&scene.stage, &scene.vendor, "TYPED-1", 12.25).await;
    assert_eq!(scene.news().await, [(Category::BillOnly, amount("-12.25"))]);
    scene.stage.sync().await;
    assert_eq!(scene.news().await, [(Category::BillOnly, amount("-12.25"))]);
}

#[tokio::test]
async fn s093_s121_a_payment_of_one_side_alone_is_in_flight_or_paid_outside() {
    let scene = Scene::new().await;
    let payment = scene.paid("PROCESSED").await;
    assert_eq!(scene.news().await, [(Category::InFlight, scene.total)]);
    scene.stage.sync().await;
    let transit = (Category::Transit, scene.total);
    assert_eq!(scene.news().await, [transit]);
    // Undone over there, and not yet here.
    scene
        .stage
        .move_payment(&payment, json!({"status": "VOIDED"}))
        .await;
    let revived = (Category::Revived, -scene.total);
    assert_eq!(scene.news().await, [revived, transit]);
    scene.stage.sync().await;
    assert_eq!(scene.news().await, []);
    scene.paid_by_check().await;
    assert_eq!(scene.news().await, [(Category::PaidOut, -scene.total)]);
    scene.stage.sync().await;
    assert_eq!(scene.news().await, [], "it is recorded on the platform");
}

#[tokio::test]
async fn s104_what_is_only_scheduled_is_open_on_both_sides() {
    let scene = Scene::new().await;
    scene.paid("SCHEDULED").await;
    assert_eq!(scene.news().await, []);
    scene.stage.sync().await;
    assert_eq!(scene.news().await, []);
}

#[tokio::test]
async fn s120_a_bill_that_was_paid_twice_is_critical() {
    let scene = Scene::new().await;
    scene.paid("PROCESSED").await;
    scene.paid_by_check().await;
    scene.stage.sync().await;
    let report = scene.stage.closed().await;
    assert_eq!(
        news(&scene.before, &report),
        [(Category::Double, Amount::ZERO)]
    );
    let item = one(&report, Category::Double);
    assert!(item.cause.contains("CHK-77"), "{}", item.cause);
    assert_eq!(report.status, Status::NotTied);
}

#[tokio::test]
async fn s113_money_that_came_back_waits_for_a_decision() {
    let scene = Scene::new().await;
    let status = "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED";
    let payment = scene.paid("PROCESSED").await;
    scene
        .stage
        .move_payment(&payment, json!({"status": status}))
        .await;
    scene.stage.sync().await;
    // It was never posted: neither side counts it.
    assert_eq!(scene.news().await, []);
}

#[tokio::test]
async fn a_bill_that_was_edited_or_deleted_on_one_side_is_named() {
    let scene = Scene::new().await;
    let more: Amount = [scene.total, amount("5")].into_iter().sum();
    let fields = json!({"amount": more.decimal().to_string().parse::<f64>().unwrap()});
    scene.stage.edit("vendorbill", &scene.here, fields).await;
    assert_eq!(scene.news().await, [(Category::Amount, amount("5"))]);
    scene.stage.sync().await;
    assert_eq!(scene.news().await, []);
    scene
        .stage
        .in_netsuite("vendorbill", &scene.here, json!({"action": "delete"}))
        .await;
    assert_eq!(scene.news().await, [(Category::Ghost, -more)]);
}

#[tokio::test]
async fn s131_a_payment_that_waits_for_its_period_is_a_matter_of_cut_off() {
    let scene = Scene::new().await;
    let payment = RemoteId::from(scene.paid("PROCESSED").await.as_str());
    let day = scene.stage.payment_day(&payment).await;
    scene.stage.close_period(day).await;
    scene.stage.sync().await;
    assert_eq!(scene.news().await, [(Category::CutOff, scene.total)]);
}

#[tokio::test]
async fn a_vendor_credit_is_a_credit_until_it_is_sent() {
    let scene = Scene::new().await;
    scene.stage.credit(&scene.vendor, "CM-77", 7.5).await;
    assert_eq!(scene.news().await, [(Category::Credit, amount("-7.5"))]);
    scene.stage.sync().await;
    assert_eq!(scene.news().await, []);
}

#[tokio::test]
async fn what_is_on_the_control_or_the_clearing_account_by_hand_is_listed() {
    let scene = Scene::new().await;
    let [bank, payables, clearing] = scene.accounts(["1000", "2000", "1090"]).await;
    let journal = json!({"lines": [
        {"account": bank, "debit": 3000}, {"account": payables, "credit": 3000},
    ]});
    scene.stage.enter("journalentry", journal).await;
    assert_eq!(scene.news().await, [(Category::Journal, amount("3000"))]);
    let fee = json!({"lines": [
        {"account": bank, "debit": 1.25}, {"account": clearing, "credit": 1.25},
    ]});
    scene.stage.enter("journalentry", fee).await;
    let check = json!({"bills": [scene.here], "number": "CHK-1", "account": clearing});
    scene.stage.enter("vendorpayment", check).await;
    scene.stage.sync().await;
    assert_eq!(
        scene.news().await,
        [
            (Category::Journal, amount("3000")),
            (Category::Fee, amount("-1.25")),
            (Category::Offline, -scene.total),
        ]
    );
}

#[tokio::test]
async fn revaluations_and_checks_on_the_control_or_the_clearing_account_are_told_from_journals() {
    let scene = Scene::new().await;
    let [bank, payables, clearing] = scene.accounts(["1000", "2000", "1090"]).await;
    let of = |debit: &RemoteId, credit: &RemoteId, amount: f64| {
        json!({"lines": [
            {"account": debit, "debit": amount}, {"account": credit, "credit": amount},
        ]})
    };
    let enter = |record, fields| scene.stage.enter(record, fields);
    let revalued = enter("fxreval", of(&bank, &payables, 12.5)).await;
    let check = enter("check", of(&payables, &bank, 40.0)).await;
    let exchange = enter("fxreval", of(&clearing, &bank, 0.75)).await;
    let report = scene.stage.closed().await;
    for (category, id, signed) in [
        (Category::Revaluation, revalued, "12.5"),
        (Category::OtherType, check, "-40"),
        (Category::ClearingExchange, exchange, "0.75"),
    ] {
        let item = one(&report, category);
        assert_eq!(item.amount, amount(signed), "{category}");
        assert_eq!(item.ledger.as_ref().unwrap().record.id, id, "{category}");
    }
    assert_eq!(news(&scene.before, &report).len(), 3);
}

#[tokio::test]
async fn what_has_an_owner_and_a_comment_is_tied_with_exceptions() {
    let stage = Stage::new().await;
    stage.sync().await;
    let mut reports = stage.tie_out().await;
    let report = reports.remove(0);
    assert_eq!(report.status, Status::NotTied, "the world has open items");
    let mut owned = report.clone();
    for item in &mut owned.items {
        item.owner = "robin".to_owned();
        item.comment = "asked the vendor".to_owned();
    }
    tieout_flows::tie_out::judge(&mut owned);
    assert_eq!(owned.status, Status::TiedWithExceptions);
}

#[tokio::test]
async fn months_that_have_ended_are_rolled_back_and_close_too() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let pairs = stage.open_pairs().await;
    let mut payments = Vec::new();
    for (_, there) in pairs.iter().take(6) {
        payments.extend(
            stage
                .pay(std::slice::from_ref(there), None, "PROCESSED")
                .await,
        );
    }
    stage.sync().await;
    for payment in payments.iter().take(2) {
        stage
            .move_payment(payment, json!({"status": "VOIDED"}))
            .await;
    }
    stage.sync().await;
    let mut month = stage.today().await.first_of_month();
    let mut rolled_back = 0;
    for _ in 0..12 {
        for report in stage.tie_out_as_of(AsOf::PeriodEnd(month)).await {
            assert_closed(&report);
            rolled_back += u32::from(report.method == Method::RollBack);
            let opening = &report.legs[3];
            assert!(opening.residual.is_zero());
        }
        month = month.yesterday().unwrap().first_of_month();
    }
    assert!(rolled_back > 10, "{rolled_back}");
}

/// What of these two records is open, here and there.
fn open(made: &TiedOut, here: &RemoteId, there: &RemoteId) -> [Amount; 2] {
    [(Side::Ledger, here), (Side::Platform, there)].map(|(side, id)| {
        let documents = made.documents.iter();
        let found = documents.filter(|one| one.record.side == side && one.record.id == *id);
        found.map(|one| one.open).sum()
    })
}

#[tokio::test]
async fn a_day_within_a_month_is_rolled_back_to_its_end() {
    let stage = Stage::new().await;
    let now = stage.connection.timer.now();
    let day = stage.today().await.yesterday().unwrap();
    stage
        .set_clock(now - jiff::SignedDuration::from_hours(72))
        .await;
    stage.sync().await;
    let mut paid = None;
    for (here, there) in stage.open_pairs().await {
        let bill = stage.ledger_bill(&here).await;
        if bill.date <= day && bill.currency == tieout_domain::Currency::USD {
            paid = Some((here, there, bill.total));
        }
    }
    let (here, there, total) = paid.expect("an open bill of an earlier day");
    stage.set_clock(now).await;
    stage
        .pay(std::slice::from_ref(&there), None, "PROCESSED")
        .await;
    stage.sync_twice().await;

    let today = &stage.tied_out(AsOf::Day(day.tomorrow().unwrap())).await[0];
    assert_eq!(today.report.method, Method::AsOfNow);
    assert_eq!(open(today, &here, &there), [Amount::ZERO; 2]);

    let made = stage.tied_out(AsOf::Day(day)).await;
    let report = &made[0].report;
    assert_eq!((report.day, report.method), (day, Method::RollBack));
    assert_eq!(report.is_by_day(), day < report.period.end);
    assert_eq!(open(&made[0], &here, &there), [total; 2]);
    let aged: Amount = report.aging.iter().map(|bucket| bucket.ledger).sum();
    assert_eq!(aged, report.legs[1].left.amount, "the aging is of that day");
    for made in &made {
        assert_closed(&made.report);
    }
    let named = report.items.iter().any(|item| {
        let sides = [&item.ledger, &item.platform].into_iter().flatten();
        sides
            .into_iter()
            .any(|one| [&here, &there].contains(&&one.record.id))
    });
    assert!(!named, "it is open on both sides: {:#?}", telling(report));
}

#[tokio::test]
async fn every_day_of_the_last_weeks_closes() {
    let stage = Stage::new().await;
    stage.sync().await;
    for (_, there) in stage.open_pairs().await.iter().take(4) {
        stage
            .pay(std::slice::from_ref(there), None, "PROCESSED")
            .await;
    }
    stage.sync().await;
    let today = stage.today().await;
    let mut by_day = 0;
    for back in (1..40).step_by(6) {
        let day = today.checked_sub(jiff::Span::new().days(back)).unwrap();
        for report in stage.tie_out_as_of(AsOf::Day(day)).await {
            assert_closed(&report);
            by_day += u32::from(report.is_by_day());
        }
    }
    assert!(by_day > 4, "{by_day}");
}

#[tokio::test]
async fn an_empty_pair_of_books_is_tied() {
    let stage = Stage::bare().await;
    stage.sync().await;
    let report = stage.closed().await;
    assert_eq!(report.status, Status::Tied, "{:?}", report.reasons);
    assert!(report.items.is_empty());
}

/// A year of payables of fifteen vendors, as a city would publish them.
fn published() -> String {
    let header =
        "payment_date,vendor,amount,fund,fund_name,center,center_name,account,account_name";
    let mut lines = vec![header.to_owned()];
    for at in 0_u32..300 {
        let (month, day) = (1 + at % 12, 1 + (at * 7) % 28);
        let vendor = [
            "Birch & Sons",
            "Acme, Inc.",
            "Calder Water",
            "Dunmore Paving",
        ];
        let vendor = format!("{} {}", vendor[at as usize % 4], at % 15);
        let cents = 100 + (u64::from(at) * 7_919) % 2_000_000;
        let account = 6100 + at % 5;
        lines.push(format!(
            "2026-{month:02}-{day:02},\"{vendor}\",{}.{:02},101,General,2010,Library,{account},Account {account}",
            cents / 100,
            cents % 100
        ));
    }
    lines.join("\n")
}

#[tokio::test]
async fn a_full_cycle_of_bills_payments_and_voids_is_tied() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("published.csv");
    std::fs::write(&file, published()).unwrap();
    let stage = Stage::with(tieout::sandbox::SandboxOptions {
        dataset: Some(file),
        ..crate::stage::options()
    })
    .await;
    stage.sync().await;
    let mut payments = Vec::new();
    for (at, (_, there)) in stage.open_pairs().await.into_iter().enumerate() {
        let amount = (at % 5 == 0).then_some("0.50");
        payments.extend(stage.pay(&[there], amount, "PROCESSED").await);
    }
    assert!(payments.len() > 50, "{}", payments.len());
    stage.sync().await;
    for payment in payments.iter().step_by(9) {
        stage
            .move_payment(payment, json!({"status": "VOIDED"}))
            .await;
    }
    stage.sync_twice().await;
    let report = stage.closed().await;
    assert_eq!(
        report.status,
        Status::Tied,
        "{:?} {:#?}",
        report.reasons,
        telling(&report)
    );
    assert!(telling(&report).is_empty(), "{:#?}", telling(&report));
    let [_, platform, clearing, _] = &report.legs[..] else {
        panic!("four legs");
    };
    assert!(platform.left.amount.is_positive() && clearing.left.amount.is_negative());
}

#[tokio::test]
async fn twins_and_links_that_cannot_be_told_are_named() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let enter = |number: &str, total: f64| {
        let fields = json!({"entity": scene.vendor, "tranId": number, "amount": total});
        stage.enter("vendorbill", fields)
    };
    enter("TWIN-1", 81.5).await;
    stage.sync().await;
    enter("TWIN 1", 81.5).await;
    stage.sync().await;
    assert_eq!(scene.news().await, [(Category::Duplicate, amount("81.5"))]);
    for _ in 0..2 {
        typed(stage, &scene.vendor, "MANY-1", 33.25).await;
    }
    enter("MANY-1", 33.25).await;
    stage.sync().await;
    let news = scene.news().await;
    let of = |category: Category| -> Vec<Amount> {
        let found = news.iter().filter(|(one, _)| *one == category);
        found.map(|(_, amount)| *amount).collect()
    };
    assert_eq!(of(Category::Link), [amount("33.25")], "{news:?}");
    assert_eq!(of(Category::BillOnly), [amount("-33.25"); 2], "{news:?}");
}

#[tokio::test]
async fn s116_money_that_is_owed_to_the_platform_is_expected_on_the_clearing_account() {
    let scene = Scene::new().await;
    let payment = scene.paid("PROCESSED").await;
    scene.stage.sync().await;
    assert_eq!(scene.news().await, [(Category::Transit, scene.total)]);
    let body = json!({"status": "FUNDING_FAILED_ACTION_NEEDED"});
    scene.stage.move_payment(&payment, body).await;
    scene.stage.sync().await;
    assert_eq!(scene.news().await, [(Category::FundingFailed, scene.total)]);
}

#[tokio::test]
async fn a_payment_that_is_posted_too_late_is_an_error() {
    let scene = Scene::new().await;
    let week_ago = scene.stage.today().await - jiff::Span::new().days(7);
    let body = json!({
        "bills": [scene.there], "method": "ACH", "status": "PROCESSED", "process_date": week_ago,
    });
    let payment = scene.stage.pay_with(body).await;
    let report = scene.stage.closed().await;
    let item = one(&report, Category::Unposted);
    assert_eq!(item.amount, scene.total);
    assert_eq!(item.platform.as_ref().unwrap().record.id, payment);
    scene.stage.sync().await;
    let after = scene.stage.closed().await;
    let left = after.items.iter().map(|item| item.category);
    assert!(!left.into_iter().any(|left| left == Category::Unposted));
}

impl Scene {
    /// A credit of the vendor, on both sides: its ids.
    async fn credit(&self, number: &str, total: f64) -> (RemoteId, RemoteId) {
        let here = self.stage.credit(&self.vendor, number, total).await;
        self.stage.sync().await;
        let record = ledger(Kind::VendorCredit, &here);
        let there = self.stage.target("vendor-credits", &record).await;
        (here, there.unwrap().id)
    }

    /// Somebody uses so much of a credit on the bill in BILL.
    async fn uses(&self, credit: &RemoteId, used: f64, more: serde_json::Value) -> RemoteId {
        let mut body = json!({"bills": [self.there], "credits": [{"id": credit, "amount": used}]});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.stage.pay_with(body).await
    }
}

#[tokio::test]
async fn s050_a_payment_without_cash_is_posted_for_every_later_tie_out() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let (here, there) = scene.credit("CM-50", 20.0).await;
    let week_ago = stage.today().await - jiff::Span::new().days(7);
    let how = json!({"amount": 0, "status": "PROCESSED", "process_date": week_ago});
    let payment = scene.uses(&there, 20.0, how).await;
    assert_eq!(scene.news().await, [(Category::Unposted, Amount::ZERO)]);
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "DONE");
    assert_eq!(scene.news().await, []);
    // Somebody takes the credit off the bill in NetSuite.
    let off = json!({"apply": [{"doc": scene.here, "apply": false}]});
    stage.edit("vendorcredit", &here, off).await;
    assert_eq!(scene.news().await, [(Category::Unposted, Amount::ZERO)]);
    let on = json!({"apply": [{"doc": scene.here, "apply": true, "amount": 20}]});
    stage.edit("vendorcredit", &here, on).await;
    assert_eq!(scene.news().await, []);
    stage
        .move_payment(payment.as_str(), json!({"status": "VOIDED"}))
        .await;
    stage.sync_twice().await;
    assert_eq!(stage.payment_state(&payment).await, "REVERSED(reversed)");
    assert_eq!(scene.news().await, []);
}

#[tokio::test]
async fn s049_s104_the_credit_of_a_payment_that_is_only_scheduled_is_open_on_both_sides() {
    let scene = Scene::new().await;
    let (_, there) = scene.credit("CM-49", 20.0).await;
    let how = json!({"status": "SCHEDULED", "process_date": scene.stage.today().await});
    let payment = scene.uses(&there, 15.0, how).await;
    assert_eq!(scene.news().await, []);
    scene.stage.sync().await;
    assert_eq!(scene.news().await, []);
    let processed = json!({"status": "PROCESSED"});
    scene.stage.move_payment(payment.as_str(), processed).await;
    let cash = scene.total.minus(amount("15")).unwrap();
    assert_eq!(scene.news().await, [(Category::InFlight, cash)]);
    scene.stage.sync_twice().await;
    assert_eq!(scene.news().await, [(Category::Transit, cash)]);
}

#[tokio::test]
async fn s050_a_credit_that_was_used_after_the_day_is_a_matter_of_cut_off() {
    let stage = Stage::new().await;
    let now = stage.connection.timer.now();
    let yesterday = stage.today().await.yesterday().unwrap();
    let before = now - jiff::SignedDuration::from_hours(72);
    stage.set_clock(before).await;
    stage.sync().await;
    let (here, there, vendor) = stage.an_open_bill().await;
    let credit = json!({"entity": vendor, "tranId": "CM-51", "amount": 20,
        "tranDate": yesterday.yesterday().unwrap()});
    let credit = stage.enter("vendorcredit", credit).await;
    stage.sync().await;
    let record = ledger(Kind::VendorCredit, &credit);
    let to = stage.target("vendor-credits", &record).await.unwrap();
    stage.set_clock(now).await;
    let body = json!({"bills": [there], "amount": 0, "status": "PROCESSED",
        "credits": [{"id": to.id, "amount": 20}]});
    let payment = stage.pay_with(body).await;
    for posted in [false, true] {
        if posted {
            stage.sync_twice().await;
            assert_eq!(stage.payment_state(&payment).await, "DONE");
        }
        let made = stage.tied_out(AsOf::Day(yesterday)).await;
        let report = &made[0].report;
        assert_closed(report);
        let total = stage.ledger_bill(&here).await.total;
        assert_eq!(open(&made[0], &here, &there)[1], total, "{posted}");
        assert_eq!(
            open(&made[0], &credit, &to.id)[1],
            amount("-20"),
            "{posted}"
        );
        let of_credit = report.items.iter().find(|item| {
            let named = item.ledger.as_ref();
            named.is_some_and(|one| one.record == record)
        });
        // The application has no day of its own in NetSuite.
        let told = of_credit.map(|item| (item.category, item.amount));
        assert_eq!(told, posted.then_some((Category::CutOff, Amount::ZERO)));
    }
}

#[tokio::test]
async fn a_credit_that_the_ledger_alone_applies_is_told_with_what_the_flow_says_of_it() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let (here, _) = scene.credit("CM-52", 20.0).await;
    let on = json!({"apply": [{"doc": scene.here, "apply": true, "amount": 12}]});
    stage.edit("vendorcredit", &here, on).await;
    for synced in [false, true] {
        if synced {
            stage.sync().await;
        }
        let report = stage.closed().await;
        let item = one(&report, Category::Credit);
        assert_eq!(item.amount, Amount::ZERO);
        let grace = jiff::Span::new().days(5);
        let clears = stage.today().await.checked_add(grace).unwrap();
        assert_eq!(item.clears_by, Some(clears));
        let code = item.code.as_ref().map(tieout_domain::code::Code::as_str);
        assert_eq!(code, synced.then_some("credit-applied-in-ledger"));
    }
}

#[tokio::test]
async fn s125_an_offline_payment_that_is_not_posted_yet_is_in_flight() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let offline = json!({"bills": [scene.there], "method": "OFFLINE", "status": "PAID"});
    let payment = stage.pay_with(offline).await;
    assert_eq!(scene.news().await, [(Category::InFlight, scene.total)]);
    // Its account is not mapped: that is for a person.
    stage.sync().await;
    let report = stage.closed().await;
    assert_eq!(
        news(&scene.before, &report),
        [(Category::Blocked, scene.total)]
    );
    let item = one_of(&report, &payment);
    assert!(item.cause.contains("offline"), "{}", item.cause);
}

#[tokio::test]
async fn s126_what_only_records_a_payment_of_the_ledger_is_known_by_its_reference_too() {
    let scene = Scene::new().await;
    let check = scene.paid_by_check().await;
    scene.stage.sync().await;
    assert_eq!(scene.news().await, []);
    let unlinked = Fact::Unlinked {
        flow: "bill-payments".to_owned(),
        record: ledger(Kind::Payment, &check),
        role: String::new(),
        cause: "a test's".to_owned(),
    };
    let commit = Commit {
        actor: "test".to_owned(),
        facts: vec![unlinked],
        ..Commit::default()
    };
    scene.stage.connection.store.commit(commit).await.unwrap();
    assert_eq!(scene.news().await, []);
}

#[tokio::test]
async fn a_linked_bill_that_is_back_in_approval_is_no_residual() {
    let scene = Scene::new().await;
    let stage = &scene.stage;
    let back = json!({"approvalStatus": "1"});
    stage.edit("vendorbill", &scene.here, back).await;
    for _ in 0..2 {
        assert_eq!(scene.news().await, [(Category::CutOff, -scene.total)]);
        stage.sync().await;
    }
    let record = ledger(Kind::Bill, &scene.here);
    assert_eq!(
        stage.state_of("bills", &record).await,
        "HOLD(back-to-pending)"
    );
    stage
        .in_netsuite("vendorbill", &scene.here, json!({"action": "approve"}))
        .await;
    assert_eq!(scene.news().await, []);
}

#[tokio::test]
async fn a_void_that_was_decided_and_not_seen_yet_is_told_from_one_that_came_unasked() {
    let scene = Scene::new().await;
    let payment = scene.paid("PROCESSED").await;
    scene.stage.sync().await;
    let asked = json!({"status": "VOID_PENDING", "type": "VOID_ONLY"});
    scene.stage.move_payment(&payment, asked).await;
    scene.stage.sync().await;
    let voided = json!({"status": "VOIDED"});
    scene.stage.move_payment(&payment, voided).await;
    let report = scene.stage.closed().await;
    let item = one(&report, Category::Void);
    assert_eq!(item.amount, -scene.total);
    assert_eq!(item.platform.as_ref().unwrap().record.id.as_str(), payment);
    scene.stage.sync().await;
    assert_eq!(scene.news().await, []);
}

#[tokio::test]
async fn a_bill_that_is_paid_on_the_day_it_comes_is_worth_a_look_and_changes_no_figure() {
    let scene = Scene::new().await;
    let payment = scene.paid("PROCESSED").await;
    scene.stage.sync().await;
    let report = scene.stage.closed().await;
    let advisory = report.advisories.iter().find(|advisory| {
        let platform = advisory.platform.as_ref().unwrap();
        advisory.signal == Signal::SameDay && platform.record.id.as_str() == payment
    });
    let advisory = advisory.unwrap();
    let (posting, _) = scene.stage.only_posting().await;
    assert_eq!(advisory.ledger.as_ref().unwrap().record.id, posting);
    assert_eq!(scene.news().await, [(Category::Transit, scene.total)]);
}

#[tokio::test]
async fn what_waits_for_a_person_before_it_goes_over_is_blocked() {
    let mut scene = Scene::new().await;
    let transactions = &mut scene.stage.connection.preferences.transactions;
    let account = transactions.payment_account.take();
    let payment = scene.paid("PROCESSED").await;
    scene.stage.sync().await;
    // The report needs the account; the payment's state is still that of the last run.
    scene
        .stage
        .connection
        .preferences
        .transactions
        .payment_account = account;
    let report = scene.stage.closed().await;
    let of_payment = |item: &&Item| {
        item.platform
            .as_ref()
            .is_some_and(|one| one.record.id.as_str() == payment)
    };
    let item = report.items.iter().find(of_payment).unwrap();
    assert_eq!(
        (item.category, item.amount),
        (Category::Blocked, scene.total)
    );
    assert_eq!(
        item.code.as_ref().unwrap().as_str(),
        "payment-account-missing"
    );
}

#[tokio::test]
async fn a_bill_from_before_the_cut_over_is_left_out_by_its_day() {
    let mut scene = Scene::new().await;
    let today = scene.stage.today().await;
    scene.stage.connection.preferences.transactions.bills_from = Some(today.tomorrow().unwrap());
    let fields = json!({"entity": scene.vendor, "tranId": "OLD-1", "amount": 41.5});
    let bill = scene.stage.enter("vendorbill", fields).await;
    scene.stage.sync().await;
    // So are the world's own bills that were never sent.
    let news = scene.news().await;
    let all_by_rule = news.iter().all(|(what, _)| *what == Category::CutOver);
    assert!(all_by_rule, "{news:?}");
    let report = scene.stage.closed().await;
    let item = of_bill(&report, &bill);
    assert_eq!(
        (item.category, item.amount),
        (Category::CutOver, amount("41.5"))
    );
}

#[tokio::test]
async fn a_bill_of_a_sister_company_is_left_out_by_its_vendors_category() {
    let mut scene = Scene::new().await;
    let query = json!({"q": "SELECT v.id AS id, v.name AS name FROM vendorcategory v"});
    let found = scene
        .stage
        .panel
        .post("/control/netsuite/query", &query.to_string())
        .await
        .unwrap();
    let category = &found["items"][0];
    let name = category["name"].as_str().unwrap().to_owned();
    scene
        .stage
        .connection
        .preferences
        .transactions
        .exclude_categories = vec![name];
    let fields = json!({"companyName": "Larkmere Sister Works", "category": category["id"]});
    let vendor = scene.stage.enter("vendor", fields).await;
    let fields = json!({"entity": vendor, "tranId": "SISTER-1", "amount": 77.25});
    let bill = scene.stage.enter("vendorbill", fields).await;
    scene.stage.sync().await;
    let report = scene.stage.closed().await;
    let item = of_bill(&report, &bill);
    assert_eq!(
        (item.category, item.amount),
        (Category::Excluded, amount("77.25"))
    );
}

#[tokio::test]
async fn a_bill_in_a_currency_that_is_not_paid_is_left_out_in_its_own_report() {
    let scene = Scene::new().await;
    let fields = json!({
        "entity": scene.vendor, "tranId": "CAD-1", "amount": 88.5, "currency": "2",
    });
    let bill = scene.stage.enter("vendorbill", fields).await;
    scene.stage.sync().await;
    assert_eq!(scene.news().await, []);
    let reports = scene.stage.tie_out().await;
    let cad = reports.iter().find(|one| one.currency.code() == "CAD");
    let cad = cad.unwrap();
    assert_closed(cad);
    let item = of_bill(cad, &bill);
    assert_eq!(
        (item.category, item.amount),
        (Category::Currency, amount("88.5"))
    );
}
