//! A small history, as the large one is synced: in stages, across processes that die, and nothing twice.

use serde_json::{Value, json};
use tieout_domain::{Kind, Outcome, Side};
use tieout_sim::history::{History, Synced, Told, sync};
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

const SMALL: History = History {
    invoices: 3,
    kills: 1,
};

fn at(day: &str) -> String {
    format!("{day} 12:00:00")
}

/// Two invoices of the last twelve months and an older one went over, in this order.
fn sound() -> (Synced, Told) {
    let invoice = |id: &str, day: &str| json!({"id": id, "date": at(day)});
    let copy = |of: &str, minute: u32| {
        json!({"id": format!("inv_{of}"), "external_id": format!("ns:1_SB1:{of}"),
            "created_at": format!("2026-06-17T14:{minute:02}:00Z")})
    };
    let ours = ["1", "2", "3"].map(|id| ("invoices", Side::Ledger, Kind::Invoice, id));
    let synced = Synced {
        pending: false,
        recent: "2025-06-17".parse().unwrap(),
        items: crate::items(ours, &Outcome::done()),
        ledger: json!({"transactions": [
            invoice("1", "2026-03-02"), invoice("2", "2025-09-30"), invoice("3", "2024-11-05"),
        ]}),
        platform: json!({"invoices": [copy("1", 1), copy("2", 2), copy("3", 3)]}),
    };
    let told = Told {
        deaths: 1,
        most_a_second: 5,
        ..Told::default()
    };
    (synced, told)
}

/// The checks that complain once it is broken so.
fn broken(how: impl FnOnce(&mut Synced, &mut Told)) -> Vec<&'static str> {
    let (mut synced, mut told) = sound();
    how(&mut synced, &mut told);
    synced.judge(SMALL, &mut told);
    crate::names(told.violations)
}

fn copies(synced: &mut Synced) -> &mut Vec<Value> {
    synced.platform["invoices"].as_array_mut().unwrap()
}

#[test]
fn a_history_that_is_sound_is_not_complained_of_and_counted() {
    let (synced, mut told) = sound();
    synced.judge(SMALL, &mut told);
    assert_eq!(told.violations, []);
    assert_eq!((told.made, told.recent), (3, 2));
}

#[test]
fn a_history_that_is_broken_in_one_place_is_complained_of() {
    assert_eq!(broken(|synced, _| synced.pending = true), ["stages"]);
    assert_eq!(broken(|_, told| told.deaths = 0), ["kills"]);
    assert_eq!(broken(|_, told| told.most_a_second = 6), ["pace"]);
    let twice = broken(|synced, _| {
        let mut again = copies(synced)[0].clone();
        again["id"] = json!("inv_9");
        copies(synced).push(again);
    });
    assert_eq!(twice, ["once"]);
    assert_eq!(broken(|synced, _| drop(copies(synced).remove(0))), ["lost"]);
    // One in flight at each death may come late; more may not.
    let late = broken(|synced, told| {
        told.deaths = 0;
        copies(synced)[1]["created_at"] = json!("2026-06-17T14:30:00Z");
    });
    assert_eq!(late, ["kills", "stages"]);
    let one_stage = broken(|synced, _| synced.recent = "2024-01-01".parse().unwrap());
    assert_eq!(one_stage, ["stages"]);
}
