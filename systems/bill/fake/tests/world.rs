//! A generated company is loaded as its platform says.

mod support;

use support::Client;
use tieout_bill_fake::Options;
use tieout_kit::fake::world::generate::{Shape, generate};
use tieout_kit::fake::{Effect, Fake, FaultRule};

#[tokio::test]
async fn a_generated_world_is_loaded_with_its_lists_vendors_and_bills() {
    let world = generate(&Shape::new("2026-03-02".parse().unwrap()));
    let mut bill = Client::of(&world, Options::default());
    bill.login().await;
    let vendors = bill.get("/v3/vendors?max=100").await;
    assert_eq!(
        vendors.results().len(),
        world.platform.vendors.len().min(100)
    );
    let positive = |index: &&usize| {
        let lines = &world.bills[**index].lines;
        lines
            .iter()
            .map(|line| line.amount)
            .sum::<rust_decimal::Decimal>()
            >= 0.into()
    };
    let expected =
        world.platform.bills.iter().filter(positive).count() + world.platform.own_bills.len();
    let state = bill.fake.state();
    let count = usize::try_from(state["bills"]["count"].as_u64().unwrap()).unwrap();
    assert_eq!(count, expected);
    let accounts = bill
        .get("/v3/classifications/chart-of-accounts?max=100")
        .await;
    let own = world.platform.accounts.len() + world.platform.own_accounts.len();
    assert_eq!(accounts.results().len(), own.min(100));
    let bank = &bill.get("/v3/funding-accounts/banks").await;
    assert_eq!(bank.results()[0]["status"], "VERIFIED");
    assert_eq!(bank.results()[0]["chartOfAccountId"].is_string(), {
        let tied = world.platform.bank_account;
        tied.is_some_and(|index| world.platform.accounts.contains(&index))
    });
    let again = Client::of(&world, Options::default());
    assert_eq!(
        again.fake.describe("http://x"),
        bill.fake.describe("http://x")
    );
}

#[tokio::test]
async fn a_session_can_be_expired_by_a_fault() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    bill.faults
        .add(FaultRule::new("bill", Effect::ExpireSession).times(1));
    assert_eq!(bill.dressed("/v3/vendors").await.code(), (401, "BDC_1109"));
    assert_eq!(bill.get("/v3/vendors").await.code(), (401, "BDC_1109"));
    bill.login().await;
    assert_eq!(bill.dressed("/v3/vendors").await.status, 200);
}
