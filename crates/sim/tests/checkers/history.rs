//! A small history, as the large one is synced: in stages, across processes that die, and nothing twice.

use tieout_sim::history::{History, sync};
use tieout_sim::run;
use tieout_systems::ALL;

/// The futures of a whole world lie in one another on a thread's stack.
const STACK_BYTES: usize = 64 << 20;

#[test]
fn s170_a_history_goes_over_in_stages_across_three_deaths_and_nothing_twice() {
    let history = History {
        invoices: 300,
        kills: 3,
    };
    let live = move || run::world(|host| async move { sync(ALL, history, &host).await });
    let thread = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(live);
    let told = thread.unwrap().join().unwrap().unwrap();
    assert!(told.violations.is_empty(), "{told:#?}");
    assert_eq!(told.deaths, 3);
    assert!(told.ended.starts_with("connected"), "{told:#?}");
    assert!(0 < told.recent && told.recent < told.made, "{told:#?}");
    assert!(told.most_a_second <= 5);
}
