//! The engine's promise against sides that fail on purpose: never twice, never lost, never stuck.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod initial;
mod joining;
mod lacking;
mod stage;

use std::time::Duration;

use stage::{Effect, Stage, bill, bill_of, credit_on};
use tieout_domain::port::Action;
use tieout_domain::{Kind, RecordRef, Side, State};
use tieout_engine::{RunOptions, RunStatus};
use tieout_store::{Commit, Due, Fact, RunId, StopKind};

const WINDOW: Duration = Duration::from_secs(600);

/// The window, counted from the last moment at which a write that was journaled may have been sent.
const SETTLED: Duration = Duration::from_secs(600 + 150 + 1);

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_taken_over_as_what_was_last_written() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.sync().await;
    stage.ledger.put(bill("1", "20"));
    stage.platform.next(Effect::LostAfter);
    stage.sync().await;
    let link = stage.link("1").await.unwrap();
    assert_eq!(stage::total(&link.applied.unwrap()), "20");
    assert_eq!(stage.platform.calls(Action::Amend), 1);
    assert_eq!(stage.state("1").await, "DONE");
}

#[tokio::test]
async fn what_was_deleted_after_a_first_read_was_broken_off_does_not_stay() {
    let stage = Stage::new().await;
    for id in ["1", "2"] {
        stage.ledger.put(bill(id, "10"));
    }
    stage.ledger.break_off(true);
    stage.try_sync().await;
    assert_eq!(stage.mirrored().await, ["1", "2"]);
    stage.ledger.take_away(Kind::Bill, "1");
    stage.ledger.break_off(false);
    stage.sync().await;
    assert_eq!(stage.mirrored().await, ["2"]);
}

#[tokio::test]
async fn a_change_that_may_still_be_under_way_is_not_overtaken() {
    let stage = Stage::new().await;
    stage.platform.settles_after(WINDOW);
    stage.ledger.put(bill("1", "10"));
    stage.sync().await;
    stage.ledger.put(bill("1", "20"));
    stage.platform.next(Effect::LostBefore);
    stage.sync().await;
    assert_eq!(stage.state("1").await, "HOLD(settling)");
    stage.ledger.put(bill("1", "30"));
    stage.sync().await;
    assert_eq!(stage.platform.calls(Action::Amend), 1);
    stage.clock.pass(SETTLED);
    stage.sync().await;
    assert_eq!(stage.state("1").await, "DONE");
    assert_eq!(stage.platform.totals(), ["30"]);
}

#[tokio::test]
async fn the_settling_time_counts_from_the_call_and_not_from_the_journal() {
    let stage = Stage::new().await;
    stage.platform.settles_after(WINDOW);
    for id in ["1", "2"] {
        stage.ledger.put(bill(id, "10"));
    }
    // One call after the other; the first takes long, and of the second nobody hears.
    stage.platform.next(Effect::Slow(Duration::from_secs(900)));
    stage.platform.next(Effect::LostBefore);
    let begun = stage.clock.now();
    stage.sync().await;
    let open = stage.connection.store.open_writes().await.unwrap();
    let attempted = open[0].attempted_at.unwrap();
    assert!(
        attempted.duration_since(begun).as_secs() >= 900,
        "{attempted}"
    );
    assert_eq!(stage.platform.calls(Action::Create), 2);
}

#[tokio::test]
async fn a_call_that_takes_long_is_said_again_to_be_under_way() {
    let stage = Stage::new().await;
    stage.platform.settles_after(WINDOW);
    stage.ledger.put(bill("1", "10"));
    // It may be many requests, the last of them sent long after the first: a crash in the middle must find an
    // attempt that isn't much older than that.
    stage.platform.next(Effect::Slow(Duration::from_secs(1800)));
    let begun = stage.clock.now();
    stage.sync().await;
    let entries = stage.connection.store.entries_after(0, 1000).await.unwrap();
    let attempts: Vec<i64> = entries
        .iter()
        .filter(|entry| matches!(entry.fact, Fact::Attempted { .. }))
        .map(|entry| entry.at.duration_since(begun).as_secs())
        .collect();
    assert!(attempts.len() > 2, "{attempts:?}");
    assert!(
        attempts.last().is_some_and(|last| *last >= 900),
        "{attempts:?}"
    );
}

#[tokio::test]
async fn a_lease_is_kept_however_long_one_call_takes() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.platform.watch_lease(stage.connection.store.clone());
    stage.platform.next(Effect::Slow(Duration::from_secs(1800)));
    stage.sync().await;
    assert_eq!(stage.platform.lease_lost(), 0);
}

#[tokio::test]
async fn what_could_be_one_of_several_waits_for_a_person_and_follows_the_person() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.platform.next(Effect::LostAfterTwice);
    stage.sync().await;
    assert_eq!(stage.state("1").await, "BLOCKED(ambiguous-outcome)");
    let length = stage.history().await;
    stage.sync().await;
    assert_eq!(stage.state("1").await, "BLOCKED(ambiguous-outcome)");
    // A run's beginning and end, and nothing said twice.
    assert_eq!(stage.history().await, length + 2);
    let ids = stage.platform.ids();
    let record = stage::here("1");
    let decided = Fact::Decided {
        flow: "bills".to_owned(),
        record: record.clone(),
        decision: format!("link platform/bill/{}", ids[1]),
        reason: "looked at both".to_owned(),
    };
    let due = vec![Due {
        flow: "bills".to_owned(),
        record,
    }];
    let commit = Commit {
        facts: vec![decided],
        due,
        ..Commit::default()
    };
    stage.connection.store.commit(commit).await.unwrap();
    stage.sync().await;
    assert_eq!(stage.link("1").await.unwrap().target.id, ids[1]);
    assert_eq!(stage.state("1").await, "DONE");
    assert_eq!(stage.platform.calls(Action::Create), 1);
}

#[tokio::test]
async fn what_was_there_long_before_a_write_is_not_taken_for_its_work() {
    let stage = Stage::new().await;
    let there = bill_of("other", "1", "10");
    stage.platform.put_made(there, stage.clock.now());
    stage.clock.pass(Duration::from_secs(3600));
    stage.ledger.put(bill("1", "10"));
    stage.platform.next(Effect::LostBefore);
    stage.sync().await;
    // Not there after the window: made anew, and the other one left alone.
    assert_eq!(stage.state("1").await, "DONE");
    assert_ne!(stage.link("1").await.unwrap().target.id.as_str(), "other");
    assert_eq!(stage.platform.calls(Action::Create), 2);
}

#[tokio::test]
async fn an_upsert_is_repeated_only_as_it_was() {
    let stage = Stage::new().await;
    stage.platform.settles_after(WINDOW);
    stage.platform.upserts();
    stage.ledger.put(bill("1", "10"));
    stage.platform.next(Effect::LostBefore);
    stage.sync().await;
    // The same is wanted: it was sent again at once, under one journaled write.
    assert_eq!(stage.state("1").await, "DONE");
    assert_eq!(stage.platform.calls(Action::Create), 2);
    assert_eq!(stage.intents().await, 1);

    stage.ledger.put(bill("2", "10"));
    stage.platform.next(Effect::LostBefore);
    stage.platform.next(Effect::LostBefore);
    stage.sync().await;
    assert_eq!(stage.platform.calls(Action::Create), 4);
    // By now something else is wanted, while the first may still arrive.
    stage.ledger.put(bill("2", "0"));
    stage.sync().await;
    assert_eq!(stage.state("2").await, "HOLD(settling)");
    assert_eq!(stage.platform.calls(Action::Create), 4);
    // It does arrive, late; it is taken over and put right.
    stage.platform.arrive_late();
    stage.sync().await;
    assert!(stage.link("2").await.is_some());
    assert_eq!(stage.platform.totals(), ["0", "10"]);
}

#[tokio::test]
async fn a_failed_repetition_says_nothing_of_the_first_sending() {
    for effect in [Effect::Refused, Effect::Denied, Effect::Later] {
        let stage = Stage::new().await;
        stage.platform.settles_after(WINDOW);
        stage.platform.upserts();
        stage.ledger.put(bill("1", "10"));
        stage.platform.next(Effect::LostBefore);
        stage.platform.next(effect);
        stage.try_sync().await;
        assert_eq!(stage.state("1").await, "HOLD(settling)");
        stage.platform.arrive_late();
        stage.sync().await;
        assert_eq!(stage.platform.totals(), ["10"]);
        assert_eq!(stage.state("1").await, "DONE");
    }
}

#[tokio::test]
async fn a_run_of_other_flows_leaves_an_open_write_and_its_record_alone() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.platform.settles_after(WINDOW);
    stage.platform.next(Effect::LostAfter);
    stage.platform.hide(true);
    stage.sync().await;
    assert_eq!(stage.state("1").await, "HOLD(settling)");
    stage.clock.pass(SETTLED);
    let options = RunOptions {
        flows: vec!["notes".into()],
        ..RunOptions::new("other flow", "test")
    };
    tieout_engine::sync(&stage.connection, options)
        .await
        .unwrap();
    assert_eq!(stage.state("1").await, "HOLD(settling)");
    assert_eq!(stage.connection.store.open_writes().await.unwrap().len(), 1);
    stage.platform.hide(false);
    stage.sync().await;
    assert_eq!(stage.state("1").await, "DONE");
    assert_eq!(stage.platform.calls(Action::Create), 1);
}

#[tokio::test]
async fn carrying_out_a_plan_writes_nothing_for_a_record_whose_write_is_open() {
    let stage = Stage::new().await;
    stage.platform.settles_after(WINDOW);
    stage.ledger.put(bill("1", "10"));
    stage.platform.next(Effect::LostBefore);
    stage.sync().await;
    stage.ledger.put(bill("2", "10"));
    let plan = tieout_engine::plan(&stage.connection, RunOptions::new("plan", "test")).await;
    let plan = plan.unwrap();
    assert_eq!(plan.steps.len(), 1);
    let options = RunOptions {
        plan: Some(plan),
        ..RunOptions::new("planned", "test")
    };
    let report = tieout_engine::sync(&stage.connection, options)
        .await
        .unwrap();
    assert_eq!(report.written, 1);
    assert_eq!(stage.platform.calls(Action::Create), 2);
    assert_eq!(stage.state("1").await, "HOLD(settling)");
}

#[tokio::test]
async fn what_is_held_for_a_day_is_looked_at_again_when_the_day_has_come() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("not before 2031", "10"));
    stage.sync().await;
    assert_eq!(stage.state("not before 2031").await, "HOLD(closed-period)");
    stage.clock.pass(Duration::from_secs(6 * 366 * 86_400));
    stage.sync().await;
    assert_eq!(stage.state("not before 2031").await, "DONE");
}

#[tokio::test]
async fn what_many_writes_have_made_is_read_back_before_it_is_looked_at_again() {
    let stage = Stage::new().await;
    stage.platform.takes(10);
    for id in 1..=60 {
        stage.ledger.put(bill(&id.to_string(), "10"));
    }
    stage.sync().await;
    assert_eq!(stage.platform.calls(Action::Create), 6);
    for id in 1..=60 {
        assert_eq!(stage.state(&id.to_string()).await, "DONE");
    }
}

#[tokio::test]
async fn a_plan_says_what_doing_it_takes() {
    let stage = Stage::new().await;
    stage.platform.takes(10);
    for id in 1..=25 {
        stage.ledger.put(bill(&id.to_string(), "10"));
    }
    let options = RunOptions::new("plan", "plan");
    let plan = tieout_engine::plan(&stage.connection, options).await;
    let cost = plan.unwrap().cost.unwrap();
    // Two lists of the ledger; of the platform one, three calls for 25 bills, and a page of them read back.
    let calls: Vec<_> = cost.calls.iter().map(|(name, n)| (&**name, *n)).collect();
    assert_eq!(calls, [("here", 2), ("there", 1 + 3 + 1)]);
    assert_eq!(cost.seconds, None, "no run has told how long a call takes");
}

#[tokio::test]
async fn everything_is_looked_at_again_after_the_preferences_have_changed() {
    let mut stage = Stage::new().await;
    stage.ledger.put(bill("marked", "10"));
    stage.sync().await;
    assert_eq!(stage.state("marked").await, "SKIPPED(zero)");
    stage.connection.preferences.transactions.outside_payments = false;
    stage.sync().await;
    assert_eq!(stage.state("marked").await, "DONE");
}

#[tokio::test]
async fn what_waits_for_a_record_is_looked_at_again_when_that_record_changes() {
    let stage = Stage::new().await;
    stage.ledger.put(credit_on("c1", "1", "3"));
    stage.ledger.put(bill("after c1", "10"));
    stage.sync().await;
    assert_eq!(stage.state("after c1").await, "BLOCKED(vendor-archived)");
    stage.ledger.put(credit_on("c1", "1", "4"));
    stage.sync().await;
    assert_eq!(stage.state("after c1").await, "DONE");
}

#[tokio::test]
async fn a_paid_bill_that_could_not_be_read_again_is_read_by_the_next_run() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.sync().await;
    // Paid, and its own list doesn't show it.
    stage.ledger.put(credit_on("c1", "1", "3"));
    stage.ledger.put_silently(bill("1", "7"));
    stage.ledger.refuse_fetches(1);
    assert_eq!(stage.try_sync().await.status, RunStatus::Failed);
    stage.sync().await;
    assert_eq!(stage.platform.totals(), ["7"]);
}

#[tokio::test]
async fn a_record_that_could_not_be_read_is_read_as_soon_as_it_can_be() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.ledger.unreadable("2");
    for _ in 0..2 {
        assert_eq!(stage.try_sync().await.status, RunStatus::Failed);
    }
    // No change of its own shows it: it is remembered by name.
    stage.ledger.put_silently(bill("2", "20"));
    stage.sync().await;
    assert_eq!(stage.state("2").await, "DONE");
    assert_eq!(
        stage
            .connection
            .store
            .remembered("unreadable ledger/bill")
            .await
            .unwrap()
            .unwrap(),
        "[]"
    );
}

#[tokio::test]
async fn what_a_list_shows_oddly_is_asked_for_before_anything_is_decided() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.ledger.put(bill("2", "20"));
    stage.ledger.odd_in_lists("2");
    stage.sync().await;
    assert_eq!(stage.state("2").await, "DONE");
    let remembered = stage.connection.store.remembered("unreadable ledger/bill");
    assert_eq!(remembered.await.unwrap(), None);
}

#[tokio::test]
async fn a_whole_page_that_a_list_shows_oddly_is_asked_for_at_once() {
    let stage = Stage::new().await;
    for id in (1..=30).map(|id: u32| id.to_string()) {
        stage.ledger.put(bill(&id, "10"));
        stage.ledger.odd_in_lists(&id);
    }
    stage.sync().await;
    assert_eq!(stage.ledger.fetches(), 1);
    assert_eq!(stage.platform.totals().len(), 30);
}

#[tokio::test]
async fn what_a_list_shows_oddly_and_a_look_misses_is_asked_for_by_the_next_run() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.ledger.odd_in_lists("2");
    assert_eq!(stage.try_sync().await.status, RunStatus::Failed);
    stage.ledger.put_silently(bill("2", "20"));
    stage.sync().await;
    assert_eq!(stage.state("2").await, "DONE");
}

#[tokio::test]
async fn many_records_that_cannot_be_read_hide_no_change() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    for id in 100..130 {
        stage.ledger.unreadable(&id.to_string());
    }
    for id in ["2", "3"] {
        stage.ledger.put(bill(id, "10"));
        assert_eq!(stage.try_sync().await.status, RunStatus::Failed);
        assert_eq!(stage.state(id).await, "DONE");
    }
    // A change of its own shows that it can be read again.
    for id in 100..130 {
        stage.ledger.put(bill(&id.to_string(), "10"));
    }
    stage.sync().await;
    assert_eq!(stage.platform.totals().len(), 33);
}

#[tokio::test]
async fn where_too_many_cannot_be_read_nothing_is_decided_on_their_kind() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    for id in 1000..1101 {
        stage.ledger.unreadable(&id.to_string());
    }
    assert_eq!(stage.try_sync().await.status, RunStatus::Failed);
    assert_eq!(stage.platform.totals().len(), 0);
}

#[tokio::test]
async fn a_bulk_answer_that_is_too_short_leaves_the_rest_unknown() {
    let stage = Stage::new().await;
    stage.platform.takes(10);
    for id in ["1", "2", "3"] {
        stage.ledger.put(bill(id, "10"));
    }
    stage.platform.next(Effect::Short);
    stage.sync().await;
    assert_eq!(stage.platform.totals().len(), 3);
    assert_eq!(stage.platform.calls(Action::Create), 1);
    for id in ["1", "2", "3"] {
        assert_eq!(stage.state(id).await, "DONE");
    }
}

#[tokio::test]
async fn of_two_that_are_alike_neither_takes_the_others_record() {
    for effect in [Effect::LostAfter, Effect::LostAfterLast] {
        let stage = Stage::new().await;
        stage.platform.takes(10);
        for id in ["1", "2"] {
            stage.ledger.put(bill_of(id, "the same number", "10"));
        }
        stage.platform.next(effect);
        stage.sync().await;
        for id in ["1", "2"] {
            let link = stage.link(id).await.unwrap();
            assert_eq!(stage.platform.memo(&link.target.id), format!("for {id}"));
        }
        assert_eq!(stage.platform.totals(), ["10", "10"]);
    }
}

#[tokio::test]
async fn a_run_of_chosen_records_is_not_answered_by_another_run() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.platform.next(Effect::Slow(Duration::from_secs(1)));
    let ordinary = RunOptions::new("ordinary", "test");
    let chosen = RunOptions {
        only: vec![stage::here("1").to_string()],
        ..RunOptions::new("chosen", "test")
    };
    let (ordinary, chosen) = tokio::join!(
        tieout_engine::sync(&stage.connection, ordinary),
        tieout_engine::sync(&stage.connection, chosen),
    );
    assert!(!ordinary.unwrap().joined);
    assert!(!chosen.unwrap().joined);
    assert_eq!(stage.platform.calls(Action::Create), 1);
}

#[tokio::test]
async fn a_run_whose_lease_was_taken_stops_before_it_sends() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    stage.ledger.put(bill("2", "10"));
    // While the first call is under way the row of the lease passes to another holder.
    stage
        .platform
        .steal_lease(stage.lock.clone(), stage.connection.store.clone());
    stage.platform.next(Effect::Slow(Duration::from_secs(1)));
    let options = RunOptions::new("robbed", "test");
    let error = tieout_engine::sync(&stage.connection, options)
        .await
        .unwrap_err();
    assert_eq!(error.code().as_str(), "fenced");
    assert_eq!(stage.platform.calls(Action::Create), 1);
    // The call under way was cut off before it was carried out. The next run finds that out, and makes both.
    assert_eq!(stage.platform.totals(), [""; 0]);
    stage.sync().await;
    assert_eq!(stage.platform.totals(), ["10", "10"]);
    assert_eq!(stage.platform.calls(Action::Create), 3);
    assert_eq!(
        stage
            .item(&RecordRef::new(Side::Ledger, Kind::Bill, "2"))
            .await
            .outcome
            .state,
        State::Done
    );
}

#[tokio::test]
async fn two_records_never_take_the_same_counterpart_though_both_are_looked_at_together() {
    let stage = Stage::new().await;
    stage.platform.put(bill("typed in", "10"));
    for id in ["alike 1", "alike 2"] {
        stage.ledger.put(bill(id, "10"));
    }
    stage.sync().await;
    let one = stage.link("alike 1").await.unwrap().target;
    let other = stage.link("alike 2").await.unwrap().target;
    assert_eq!(one, stage::typed_in());
    assert_ne!(one, other);
    assert_eq!(stage.platform.calls(Action::Create), 1);
}

/// What is found while one page is written was decided on with the next page before: it is not made again.
#[tokio::test]
async fn what_is_decided_ahead_does_not_make_again_what_is_found_meanwhile() {
    let stage = Stage::new().await;
    stage.platform.settles_after(WINDOW);
    stage.platform.hide(true);
    stage.ledger.put(bill("9", "10"));
    stage.platform.next(Effect::LostAfter);
    stage.sync().await;
    assert_eq!(stage.state("9").await, "HOLD(settling)");
    for id in ["1", "2"] {
        stage.ledger.put(bill(id, "10"));
    }
    stage.platform.next(Effect::LostAfterAndShown);
    let report = stage.try_sync_in_pages(2).await;
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    for id in ["1", "2", "9"] {
        assert_eq!(stage.state(id).await, "DONE");
    }
    assert_eq!(stage.platform.calls(Action::Create), 3);
    assert_eq!(stage.platform.totals().len(), 3);
}

#[tokio::test]
async fn s239_a_run_under_way_makes_no_call_after_a_pause_and_ends_orderly() {
    let stage = Stage::new().await;
    for id in ["1", "2", "3"] {
        stage.ledger.put(bill(id, "10"));
    }
    stage
        .platform
        .pause_meanwhile(stage.connection.store.clone());
    let report = stage.try_sync().await;
    // The call that was under way was answered, and its answer kept.
    assert_eq!(stage.platform.calls(Action::Create), 1);
    assert_eq!(stage.platform.totals(), ["10"]);
    assert_eq!(stage.state("1").await, "DONE");
    for id in ["2", "3"] {
        assert_eq!(stage.state(id).await, "HOLD(paused)");
    }
    let cause = stage.item(&stage::here("2")).await.outcome.cause;
    assert!(
        cause.contains("user:ann") && cause.contains("the bank called"),
        "{cause}"
    );
    assert!(
        stage
            .connection
            .store
            .open_writes()
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(report.status, RunStatus::Done);
    assert_eq!(report.stopped.unwrap().kind, StopKind::Paused);
    // Reading and deciding go on.
    stage.ledger.put(bill("4", "10"));
    stage.try_sync().await;
    assert_eq!(stage.state("4").await, "HOLD(paused)");
    assert_eq!(stage.platform.calls(Action::Create), 1);
    let resume = Commit {
        actor: "user:ann".to_owned(),
        facts: vec![Fact::Resumed {
            reason: "a mistake".to_owned(),
        }],
        ..Commit::default()
    };
    stage.connection.store.commit(resume).await.unwrap();
    stage.sync().await;
    assert_eq!(stage.platform.calls(Action::Create), 4);
    assert_eq!(stage.state("4").await, "DONE");
}

#[tokio::test]
async fn s239_an_unanswered_write_stays_unknown_through_a_pause() {
    let stage = Stage::new().await;
    stage.platform.settles_after(WINDOW);
    stage.platform.upserts();
    stage.ledger.put(bill("1", "10"));
    stage.platform.next(Effect::LostBefore);
    stage
        .platform
        .pause_meanwhile(stage.connection.store.clone());
    stage.try_sync().await;
    assert_eq!(stage.platform.calls(Action::Create), 1);
    let open = stage.connection.store.open_writes().await.unwrap();
    assert_eq!(
        open.len(),
        1,
        "what may have been carried out is not given back"
    );
    // It is looked for all the same, and found once it has arrived.
    stage.platform.arrive_late();
    stage.try_sync().await;
    assert_eq!(stage.platform.calls(Action::Create), 1);
    assert_eq!(stage.state("1").await, "DONE");
}

#[tokio::test]
async fn what_is_sent_once_more_shares_no_call_with_what_is_new() {
    let stage = Stage::new().await;
    stage.platform.takes(10);
    stage.platform.settles_after(WINDOW);
    for id in ["1", "2"] {
        stage.ledger.put(bill(id, "10"));
    }
    stage.platform.next(Effect::LostBefore);
    stage.sync().await;
    assert_eq!(stage.platform.calls(Action::Create), 1);
    stage.ledger.put(bill("3", "10"));
    stage.clock.pass(SETTLED);
    stage.sync().await;
    assert_eq!(stage.platform.calls(Action::Create), 3);
    assert_eq!(stage.platform.totals(), ["10", "10", "10"]);
}

#[tokio::test]
async fn s233_a_record_that_cannot_be_read_stops_itself_and_the_rest_flows() {
    let stage = Stage::new().await;
    let ids: Vec<String> = (10..74).map(|id| id.to_string()).collect();
    for id in &ids {
        stage.ledger.put(bill(id, "10"));
    }
    stage.sync().await;
    // All of them are credited, and their own lists don't tell; one has become unreadable.
    for id in &ids {
        stage.ledger.put(credit_on(&format!("c{id}"), id, "3"));
        stage.ledger.put_silently(bill(id, "7"));
    }
    stage.ledger.unreadable("33");
    let before = stage.ledger.fetches();
    let report = stage.try_sync().await;
    // By halves: the whole, and two calls for each of six halvings.
    assert_eq!(stage.ledger.fetches() - before, 13);
    assert_eq!(report.problems.len(), 1);
    assert!(
        report.problems[0].cause.contains("bill 33"),
        "{:?}",
        report.problems
    );
    let mut expected = vec!["10".to_owned()];
    expected.resize(ids.len(), "7".to_owned());
    assert_eq!(stage.platform.totals(), expected);
    // As soon as it can be read it follows.
    stage.ledger.put_silently(bill("33", "7"));
    stage.sync().await;
    assert!(stage.platform.totals().iter().all(|total| total == "7"));
}

#[tokio::test]
async fn an_unknown_change_of_a_record_that_cannot_be_read_keeps_no_other_from_settling() {
    let stage = Stage::new().await;
    for id in ["1", "2", "3"] {
        stage.ledger.put(bill(id, "10"));
    }
    stage.sync().await;
    for id in ["1", "2", "3"] {
        stage.ledger.put(bill(id, "20"));
        stage.platform.next(Effect::LostAfter);
    }
    let strange = stage.link("2").await.unwrap().target.id;
    stage.platform.unreadable(strange.as_str());
    stage.try_sync().await;
    assert_eq!(stage.state("1").await, "DONE");
    assert_eq!(stage.state("2").await, "HOLD(settling)");
    assert_eq!(stage.state("3").await, "DONE");
}

#[tokio::test]
async fn a_side_that_answers_no_write_is_not_asked_again_and_again_in_one_run() {
    let stage = Stage::new().await;
    stage.ledger.put(bill("1", "10"));
    for _ in 0..9 {
        stage.platform.next(Effect::LostBefore);
    }
    stage.sync().await;
    assert_eq!(stage.platform.calls(Action::Create), 2);
    assert_eq!(stage.state("1").await, "HOLD(settling)");
    stage.sync().await;
    assert_eq!(stage.platform.calls(Action::Create), 4);
}

#[tokio::test]
async fn an_unknown_creation_whose_record_cannot_be_read_keeps_no_other_from_settling() {
    let stage = Stage::new().await;
    stage.platform.upserts();
    stage.platform.takes(10);
    stage.platform.settles_after(WINDOW);
    for id in ["1", "2", "3"] {
        stage.ledger.put(bill(id, "10"));
    }
    stage.platform.next(Effect::LostAfter);
    // The records are made in the order of the bills.
    stage.platform.unreadable("p2");
    stage.try_sync().await;
    let report = stage.try_sync().await;
    assert_eq!(stage.state("1").await, "DONE");
    assert_eq!(stage.state("2").await, "HOLD(settling)");
    assert_eq!(stage.state("3").await, "DONE");
    assert!(!report.problems.is_empty());
}

#[tokio::test]
async fn a_run_whose_process_was_killed_is_ended_by_the_next_one() {
    let stage = Stage::new().await;
    let killed = RunId::new("00-killed");
    let started = Commit {
        actor: "user:ann".to_owned(),
        run: Some(killed.clone()),
        facts: vec![Fact::RunStarted {
            trigger: "schedule".to_owned(),
            flows: vec!["bills".to_owned()],
            limited: false,
        }],
        ..Commit::default()
    };
    let store = &stage.connection.store;
    store.commit(started).await.unwrap();
    assert_eq!(store.run(&killed).await.unwrap().unwrap().status, "running");
    stage.sync().await;
    let row = store.run(&killed).await.unwrap().unwrap();
    assert_eq!(row.status, tieout_engine::KILLED);
    assert!(row.ended.is_some());
    let open = store.runs(10).await.unwrap();
    assert!(open.iter().all(|run| run.ended.is_some()), "{open:?}");
}
