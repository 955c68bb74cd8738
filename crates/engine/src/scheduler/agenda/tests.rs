//! The agenda by example, and by chance.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::schedule::Schedule;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

fn name(text: &str) -> ConnectionName {
    text.parse().unwrap()
}

fn table(schedule: &str, quiet: Option<&str>, name: &str) -> Timetable {
    let quiet = quiet.map(|quiet| quiet.parse().unwrap());
    Timetable::new(
        schedule.parse::<Schedule>().unwrap(),
        TimeZone::UTC,
        quiet,
        name,
    )
}

fn entry(connection: &str, schedule: &str) -> Entry {
    let times = table(schedule, None, connection);
    Entry {
        connection: name(connection),
        tenant: connection.to_owned(),
        lines: vec![Line {
            work: Work::Everything,
            times: times.clone(),
            last: None,
        }],
        urgent: vec!["bill-payments".to_owned()],
        quiet: times,
    }
}

fn agenda(entries: Vec<Entry>) -> Agenda {
    let mut agenda = Agenda::default();
    agenda.set(entries, at(0));
    agenda
}

fn hook(flows: &[&str]) -> Mark {
    Mark {
        flows: flows.iter().map(|flow| (*flow).to_owned()).collect(),
        trigger: "webhook".to_owned(),
        ..Mark::default()
    }
}

fn person() -> Mark {
    Mark {
        trigger: "asked".to_owned(),
        by: Some("user:ann".to_owned()),
        ..Mark::default()
    }
}

/// The connections that can start now, in their order.
fn order(agenda: &mut Agenda, now: Timestamp) -> Vec<String> {
    std::iter::from_fn(|| agenda.take(now))
        .map(|job| job.connection.to_string())
        .collect()
}

#[test]
fn a_start_that_was_missed_is_made_up_for_once() {
    let mut entry = entry("acme", "every 15 minutes");
    entry.lines[0].last = Some(at(-10 * 3600));
    let mut agenda = agenda(vec![entry]);
    assert_eq!(agenda.take(at(1)).unwrap().trigger, "schedule");
    agenda.ended(&name("acme"), Ended::Made, at(2), 0.0);
    assert_eq!(agenda.take(at(3)), None);
    // And while it sleeps for ten hours, once too.
    assert!(agenda.take(at(36_000)).is_some());
    agenda.ended(&name("acme"), Ended::Made, at(36_001), 0.0);
    assert_eq!(agenda.take(at(36_001)), None);
}

#[test]
fn s245_what_becomes_due_during_a_run_is_done_once_right_after() {
    let mut agenda = agenda(vec![entry("acme", "never")]);
    assert!(agenda.mark(&name("acme"), person(), at(0)));
    assert!(agenda.take(at(0)).is_some());
    for second in 1..50 {
        agenda.mark(&name("acme"), hook(&["bills"]), at(second));
        assert_eq!(agenda.take(at(second)), None);
    }
    agenda.mark(&name("acme"), hook(&["vendors"]), at(51));
    agenda.ended(&name("acme"), Ended::Made, at(52), 0.0);
    assert_eq!(agenda.take(at(52)).unwrap().flows, ["bills", "vendors"]);
    agenda.ended(&name("acme"), Ended::Made, at(53), 0.0);
    assert_eq!(agenda.take(at(54)), None);
    assert_eq!(agenda.wakes_at(), None);
}

#[test]
fn who_has_waited_longest_comes_first_and_who_has_had_a_turn_last() {
    let mut agenda = agenda(vec![
        entry("a", "never"),
        entry("b", "never"),
        entry("c", "never"),
    ]);
    for (second, connection) in [(1, "c"), (2, "a")] {
        agenda.mark(&name(connection), hook(&[]), at(second));
    }
    assert_eq!(agenda.take(at(3)).unwrap().connection, name("c"));
    // It is marked again at once and all the time; that gains it nothing.
    agenda.mark(&name("c"), hook(&[]), at(3));
    agenda.mark(&name("b"), hook(&[]), at(4));
    agenda.ended(&name("c"), Ended::Made, at(5), 0.0);
    assert_eq!(order(&mut agenda, at(5)), ["a", "b", "c"]);
}

#[test]
fn a_side_that_cannot_be_reached_is_asked_less_and_less_and_others_go_on() {
    let mut agenda = agenda(vec![
        entry("down", "every 1 minute"),
        entry("up", "every 1 minute"),
    ]);
    let mut tries = Vec::new();
    let mut good = 0;
    for second in 0..7200 {
        while let Some(job) = agenda.take(at(second)) {
            let down = job.connection == name("down");
            let ended = if down { Ended::Failed } else { Ended::Made };
            if down {
                tries.push(second);
            } else {
                good += 1;
            }
            agenda.ended(&job.connection, ended, at(second), 1.0);
        }
    }
    assert_eq!(good, 120);
    let waits: Vec<_> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920]);
    // It answers again: what was due is done, and the failures are forgotten.
    agenda.forgive(&name("down"), at(7200));
    assert!(agenda.take(at(7200)).is_some());
    agenda.ended(&name("down"), Ended::Made, at(7200), 0.0);
    assert_eq!(agenda.standing(&name("down")).unwrap().failures, 0);
}

#[test]
fn s205_who_is_not_let_in_tries_so_seldom_that_nothing_is_locked() {
    let mut agenda = agenda(vec![entry("acme", "every 1 minute")]);
    let mut tries = Vec::new();
    for second in 0..6 * 3600 {
        if let Some(job) = agenda.take(at(second)) {
            tries.push(second);
            agenda.ended(&job.connection, Ended::Denied, at(second), 0.0);
        }
        if second % 60 == 0 {
            agenda.mark(&name("acme"), hook(&[]), at(second));
        }
    }
    assert!(
        tries.windows(2).all(|pair| pair[1] - pair[0] > 1800),
        "{tries:?}"
    );
    assert!(tries.len() > 5, "it resumes by itself: {tries:?}");
}

#[test]
fn s201_a_new_credential_is_tried_at_once() {
    let mut agenda = agenda(vec![entry("acme", "every 1 minute")]);
    let job = agenda.take(at(60)).unwrap();
    agenda.ended(&job.connection, Ended::Denied, at(61), 0.0);
    assert_eq!(agenda.take(at(300)), None);
    agenda.forgive(&name("acme"), at(301));
    assert!(agenda.take(at(301)).is_some());
}

#[test]
fn s214_where_calls_are_scarce_what_moves_money_comes_first() {
    let mut agenda = agenda(vec![entry("a", "never"), entry("b", "never")]);
    for connection in ["a", "b"] {
        agenda.mark(&name(connection), hook(&[]), at(0));
        assert!(agenda.take(at(0)).is_some());
        agenda.ended(
            &name(connection),
            Ended::Scarce(Duration::from_secs(600)),
            at(1),
            0.0,
        );
    }
    assert_eq!(agenda.take(at(600)), None);
    // The payments of both go before the rest of either.
    let mut seen = Vec::new();
    while let Some(job) = agenda.take(at(601)) {
        seen.push((job.connection.to_string(), job.flows.join(",")));
        agenda.ended(&job.connection, Ended::Made, at(601), 0.0);
    }
    let expected = [
        ("a", "bill-payments"),
        ("b", "bill-payments"),
        ("a", ""),
        ("b", ""),
    ];
    assert_eq!(seen, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn a_webhook_waits_for_the_end_of_quiet_hours_and_a_person_does_not() {
    let mut quiet = entry("acme", "never");
    // 1,780,000,000 is 20:26:40.
    quiet.quiet = table("never", Some("20:00-21:00"), "acme");
    let mut agenda = agenda(vec![quiet]);
    agenda.mark(&name("acme"), hook(&[]), at(0));
    assert_eq!(agenda.take(at(1)), None);
    assert_eq!(agenda.wakes_at(), Some(at(2000)));
    assert_eq!(agenda.take(at(2000)).unwrap().trigger, "webhook");
    agenda.ended(&name("acme"), Ended::Made, at(2000), 0.0);
    agenda.mark(&name("acme"), hook(&[]), at(0));
    agenda.mark(&name("acme"), person(), at(1));
    let job = agenda.take(at(1)).unwrap();
    assert_eq!(
        (job.trigger.as_str(), job.by.as_deref()),
        ("asked", Some("user:ann"))
    );
}

#[test]
fn a_flow_has_a_schedule_of_its_own() {
    let mut entry = entry("acme", "0 * * * *");
    entry.lines.push(Line {
        work: Work::Flow("bill-payments".to_owned()),
        times: table("*/10 * * * *", None, "acme/bill-payments"),
        last: None,
    });
    let mut agenda = agenda(vec![entry]);
    let mut whole = 0;
    let mut payments = 0;
    for second in 1..=7200 {
        while let Some(job) = agenda.take(at(second)) {
            if job.flows.is_empty() {
                whole += 1;
            } else {
                payments += 1;
            }
            agenda.ended(&job.connection, Ended::Made, at(second), 0.0);
        }
    }
    // On the hour, one run does both.
    assert_eq!((whole, payments), (2, 10));
}

#[test]
fn a_change_of_the_configuration_loses_nothing_that_is_due() {
    let mut agenda = agenda(vec![entry("a", "never"), entry("b", "never")]);
    agenda.mark(&name("a"), hook(&["bills"]), at(0));
    agenda.mark(&name("b"), hook(&[]), at(0));
    let running = agenda.take(at(0)).unwrap();
    assert_eq!(running.connection, name("a"));
    agenda.mark(&name("a"), hook(&["vendors"]), at(1));
    // `a` is removed while it runs, `b` gets a schedule.
    agenda.set(vec![entry("b", "every 1 hour")], at(2));
    assert!(!agenda.mark(&name("a"), hook(&[]), at(3)));
    assert_eq!(agenda.take(at(3)).unwrap().connection, name("b"));
    agenda.ended(&name("a"), Ended::Failed, at(4), 0.0);
    assert_eq!(agenda.standing(&name("a")), None);
    assert_eq!(agenda.take(at(60)), None);
    assert!(agenda.standing(&name("b")).unwrap().next.is_some());
}

#[test]
fn runs_of_single_records_wait_in_a_row_that_ends() {
    let mut agenda = agenda(vec![entry("acme", "never")]);
    let only = |record: usize| Mark {
        only: vec![record.to_string()],
        ..person()
    };
    for record in 0..ASKED_MAX {
        assert!(agenda.mark(&name("acme"), only(record), at(0)));
        assert!(
            agenda.mark(&name("acme"), only(record), at(0)),
            "asked twice is asked once"
        );
    }
    assert!(!agenda.mark(&name("acme"), only(ASKED_MAX), at(0)));
    let job = agenda.take(at(0)).unwrap();
    assert_eq!(job.only, ["0"]);
}

#[derive(Debug, Clone)]
enum Step {
    Pass(i64),
    Mark(usize, bool),
    Start,
    End(usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1_i64..2000).prop_map(Step::Pass),
        (0_usize..4, any::<bool>()).prop_map(|(which, person)| Step::Mark(which, person)),
        Just(Step::Start),
        (0_usize..4, 0_u8..4).prop_map(|(which, how)| Step::End(which, how)),
    ]
}

proptest! {
    /// Whatever happens: never two runs of a connection, and nothing that is due is forgotten.
    #[test]
    fn nothing_runs_twice_and_nothing_is_forgotten(steps in prop::collection::vec(step(), 0..200)) {
        const NAMES: [&str; 4] = ["a", "b", "c", "d"];
        let mut agenda = agenda(NAMES.map(|name| entry(name, "never")).to_vec());
        let mut now = at(0);
        let mut running = BTreeSet::new();
        let mut owed = BTreeSet::new();
        for step in steps {
            match step {
                Step::Pass(seconds) => now += SignedDuration::from_secs(seconds),
                Step::Mark(which, by_person) => {
                    let mark = if by_person { person() } else { hook(&[]) };
                    prop_assert!(agenda.mark(&name(NAMES[which]), mark, now));
                    owed.insert(NAMES[which].to_owned());
                }
                Step::Start => {
                    if let Some(job) = agenda.take(now) {
                        let started = job.connection.to_string();
                        prop_assert!(running.insert(started.clone()), "{started} runs twice");
                        if job.flows.is_empty() {
                            owed.remove(&started);
                        }
                    }
                }
                Step::End(which, how) if running.remove(NAMES[which]) => {
                    let ended = match how {
                        0 => Ended::Made,
                        1 => Ended::Failed,
                        2 => Ended::Denied,
                        _ => Ended::Scarce(Duration::from_secs(60)),
                    };
                    agenda.ended(&name(NAMES[which]), ended, now, 0.5);
                }
                Step::End(..) => {}
            }
        }
        for name in std::mem::take(&mut running) {
            agenda.ended(&name.parse().unwrap(), Ended::Made, now, 0.5);
        }
        // Everything that is owed is done in the end, at alarms alone.
        for _ in 0..100 {
            while let Some(job) = agenda.take(now) {
                if job.flows.is_empty() {
                    owed.remove(job.connection.as_str());
                }
                agenda.ended(&job.connection, Ended::Made, now, 0.5);
            }
            match agenda.wakes_at() {
                Some(next) => now = now.max(next),
                None => break,
            }
        }
        prop_assert!(owed.is_empty(), "{owed:?} was forgotten");
        prop_assert_eq!((agenda.running(), agenda.waiting()), (0, 0));
    }
}

fn of_client(connection: &str, tenant: &str) -> Entry {
    Entry {
        tenant: tenant.to_owned(),
        ..entry(connection, "never")
    }
}

fn shared_by(workers: usize, entries: Vec<Entry>) -> Agenda {
    let mut agenda = Agenda::for_workers(workers);
    agenda.set(entries, at(0));
    agenda
}

#[test]
fn a_huge_client_has_its_share_of_the_workers_and_no_more_while_others_wait() {
    let mut entries: Vec<Entry> = (0..50)
        .map(|number| of_client(&format!("huge-{number:02}"), "huge"))
        .collect();
    entries.push(of_client("small", "small"));
    let mut agenda = shared_by(4, entries);
    for number in 0..50 {
        agenda.mark(&name(&format!("huge-{number:02}")), person(), at(number));
    }
    // Alone it gets all but one: whoever comes next doesn't wait for the end of a run.
    assert_eq!(
        order(&mut agenda, at(60)),
        ["huge-00", "huge-01", "huge-02"]
    );
    agenda.mark(&name("small"), person(), at(61));
    assert_eq!(order(&mut agenda, at(61)), ["small"]);
    agenda.ended(&name("huge-00"), Ended::Made, at(70), 0.5);
    // Two share four: the huge one has its two still.
    assert_eq!(order(&mut agenda, at(70)), Vec::<String>::new());
    agenda.ended(&name("small"), Ended::Made, at(71), 0.5);
    assert_eq!(order(&mut agenda, at(71)), ["huge-03"]);
}

#[test]
fn a_client_that_is_the_only_one_has_all_workers() {
    let entries = ["a", "b", "c"].map(|one| of_client(one, "only"));
    let mut agenda = shared_by(2, entries.into());
    for one in ["a", "b", "c"] {
        agenda.mark(&name(one), person(), at(0));
    }
    assert_eq!(order(&mut agenda, at(1)), ["a", "b"]);
}

#[test]
fn what_another_node_is_at_is_looked_at_again_soon_and_is_no_failure() {
    let mut agenda = agenda(vec![entry("acme", "every 15 minutes")]);
    let first = agenda.take(at(900 + 900)).unwrap();
    let Cause::Tick(tick) = first.cause else {
        panic!("{first:?}")
    };
    agenda.ended(&name("acme"), Ended::Elsewhere, at(1801), 0.5);
    assert_eq!(agenda.standing(&name("acme")).unwrap().failures, 0);
    assert_eq!(agenda.take(at(1801)), None);
    let again = agenda.take(at(1803)).unwrap();
    assert_eq!(
        (again.cause, again.trigger),
        (Cause::Tick(tick), first.trigger)
    );
}

#[test]
fn a_run_says_whether_another_node_may_have_made_it_already() {
    let mut agenda = agenda(vec![entry("acme", "never")]);
    let mut cause_of = |marks: &[Mark]| {
        for mark in marks {
            agenda.mark(&name("acme"), mark.clone(), at(5));
        }
        let job = agenda.take(at(6)).unwrap();
        agenda.ended(&job.connection, Ended::Made, at(7), 0.5);
        job.cause
    };
    assert_eq!(cause_of(&[hook(&[]), hook(&[])]), Cause::Told);
    assert_eq!(cause_of(&[hook(&[]), person()]), Cause::Asked);
    assert_eq!(cause_of(&[person()]), Cause::Asked);
}

#[test]
fn a_person_who_joins_in_takes_nothing_of_what_is_tried_again() {
    let mut acme = entry("acme", "every 1 hour");
    acme.lines[0].work = Work::Whole;
    let mut agenda = agenda(vec![acme]);
    let job = agenda.take(at(3600)).unwrap();
    assert!(job.whole);
    agenda.ended(&name("acme"), Ended::Failed, at(3600), 1.0);
    let click = Mark {
        flows: vec!["bills".to_owned()],
        ..person()
    };
    agenda.mark(&name("acme"), click, at(3601));
    let job = agenda.take(at(3601)).unwrap();
    assert_eq!((job.whole, job.by.as_deref()), (true, Some("user:ann")));
    agenda.ended(&name("acme"), Ended::Failed, at(3602), 1.0);
    // What the timetable wanted is tried again, for nobody.
    let job = agenda.take(at(3662)).unwrap();
    assert_eq!(
        (job.whole, job.by, job.trigger.as_str()),
        (true, None, "schedule")
    );
    agenda.ended(&name("acme"), Ended::Made, at(3663), 1.0);
    // What a person alone asked for is not.
    agenda.mark(&name("acme"), person(), at(3664));
    assert!(agenda.take(at(3664)).is_some());
    agenda.ended(&name("acme"), Ended::Failed, at(3665), 1.0);
    assert_eq!(agenda.take(at(3665 + 120)), None);
}

#[test]
fn what_is_left_over_where_calls_are_scarce_waits_no_longer_than_an_hour_for_its_turn() {
    let mut agenda = agenda(vec![entry("left", "never"), entry("busy", "never")]);
    agenda.mark(&name("left"), hook(&[]), at(0));
    let scarce = Ended::Scarce(Duration::from_secs(60));
    assert!(agenda.take(at(0)).is_some());
    agenda.ended(&name("left"), scarce, at(0), 0.0);
    assert_eq!(agenda.take(at(60)).unwrap().flows, ["bill-payments"]);
    agenda.ended(&name("left"), Ended::Made, at(60), 0.0);
    // One that always has something to do comes first for an hour, and no longer.
    let mut second = 60;
    let turn = loop {
        agenda.mark(&name("busy"), hook(&[]), at(second));
        let job = agenda.take(at(second)).unwrap();
        agenda.ended(&job.connection, Ended::Made, at(second), 0.0);
        if job.connection == name("left") || second > 7200 {
            break second;
        }
        second += 60;
    };
    assert_eq!(turn, 60 + 3600);
}
