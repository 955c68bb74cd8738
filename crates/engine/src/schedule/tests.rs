//! Schedules by example on the nights when clocks are set, and over years against a clock on a wall.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn schedule(text: &str) -> Schedule {
    text.parse().unwrap()
}

fn table(text: &str, zone_name: &str) -> Timetable {
    Timetable::new(schedule(text), zone(zone_name), None, "acme")
}

/// The starts after a moment, until another, by the clock on the wall with its offset.
fn starts(table: &Timetable, zone_name: &str, (from, until): (&str, &str)) -> Vec<String> {
    let (mut at, until): (Timestamp, Timestamp) = (from.parse().unwrap(), until.parse().unwrap());
    let mut shown = Vec::new();
    while let Some(next) = table.after(at).filter(|next| *next < until) {
        shown.push(
            next.to_zoned(zone(zone_name))
                .strftime("%d %H:%M %Z")
                .to_string(),
        );
        at = next;
    }
    shown
}

const NEW_YORK: &str = "America/New_York";
/// Clocks were set forward from 2 to 3 on 8 March 2026, and back from 2 to 1 on 1 November.
const SPRING: (&str, &str) = ("2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z");
const AUTUMN: (&str, &str) = ("2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z");

#[test]
fn a_time_that_the_clock_skips_is_kept_right_after_and_once() {
    let half_past_two = table("30 2 * * *", NEW_YORK);
    assert_eq!(
        starts(&half_past_two, NEW_YORK, SPRING),
        ["08 03:00 EDT", "09 02:30 EDT"]
    );
    let four_times = table("*/15 2 * * *", NEW_YORK);
    assert_eq!(
        starts(&four_times, NEW_YORK, SPRING),
        [
            "08 03:00 EDT",
            "09 02:00 EDT",
            "09 02:15 EDT",
            "09 02:30 EDT",
            "09 02:45 EDT"
        ]
    );
}

#[test]
fn a_time_that_comes_twice_is_kept_the_first_time() {
    let half_past_one = table("30 1 * * *", NEW_YORK);
    assert_eq!(
        starts(&half_past_one, NEW_YORK, AUTUMN),
        ["01 01:30 EDT", "02 01:30 EST"]
    );
}

#[test]
fn every_hour_is_a_pace_that_no_setting_of_clocks_breaks() {
    let hourly = table("0 * * * *", NEW_YORK);
    assert_eq!(
        starts(
            &hourly,
            NEW_YORK,
            ("2026-11-01T03:30:00Z", "2026-11-01T08:30:00Z")
        ),
        [
            "01 00:00 EDT",
            "01 01:00 EDT",
            "01 01:00 EST",
            "01 02:00 EST",
            "01 03:00 EST"
        ]
    );
    assert_eq!(
        starts(
            &hourly,
            NEW_YORK,
            ("2026-03-08T05:30:00Z", "2026-03-08T08:30:00Z")
        ),
        ["08 01:00 EST", "08 03:00 EDT", "08 04:00 EDT"]
    );
}

#[test]
fn a_whole_day_that_the_calendar_skips_is_made_up_for() {
    // Samoa had no 30 December 2011.
    let noon = table("0 12 30 * *", "Pacific/Apia");
    let window = ("2011-12-29T00:00:00Z", "2012-01-02T00:00:00Z");
    assert_eq!(starts(&noon, "Pacific/Apia", window), ["31 00:00 +14"]);
}

#[test]
fn either_of_two_named_days_will_do() {
    let table = table("0 9 13 * fri", "Etc/UTC");
    assert_eq!(
        starts(
            &table,
            "Etc/UTC",
            ("2026-03-10T00:00:00Z", "2026-04-14T00:00:00Z")
        ),
        [
            "13 09:00 UTC",
            "20 09:00 UTC",
            "27 09:00 UTC",
            "03 09:00 UTC",
            "10 09:00 UTC",
            "13 09:00 UTC"
        ]
    );
}

#[test]
fn the_rarest_day_is_found() {
    let after: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let leap = table("0 0 29 feb *", "Etc/UTC").after(after).unwrap();
    assert_eq!(leap, "2028-02-29T00:00:00Z".parse().unwrap());
    assert_eq!(table("never", "Etc/UTC").after(after), None);
}

#[test]
fn a_schedule_that_is_none_is_refused_with_what_to_write() {
    for (text, says) in [
        ("", "every 15 minutes"),
        ("hourly", "is no schedule"),
        ("every fortnight", "every 15 minutes"),
        ("every 15 parsecs", "seconds, minutes, hours or days"),
        ("every -5 minutes", "is no pace"),
        ("every 0 minutes", "out of bounds"),
        ("every 99999999999999999999 days", "is no pace"),
        ("every 8 days", "seven days"),
        ("60 * * * *", "`60` is no minute"),
        ("* 24 * * *", "`24` is no hour"),
        ("* * 0 * *", "from 1 to 31"),
        ("* * * 13 *", "a name from jan to dec"),
        ("* * * * 8", "`8` is no day of the week"),
        ("5/10 * * * *", "write 5-59/…"),
        ("*/0 * * * *", "a step is a number"),
        ("* 22-6 * * *", "write 22-23,0-6"),
        ("* * * * fri-mon", "a range goes upwards"),
        ("1,,2 * * * *", "is no minute"),
        ("+1 * * * *", "is no minute"),
        ("0 0 30 2 *", "no year has a day 30 in month 2"),
        ("0 0 31 4,6,9,11 *", "no year has a day 31"),
    ] {
        let error = text.parse::<Schedule>().unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    for text in [
        "22:00",
        "22-06",
        "25:00-06:00",
        "22:0-6:00",
        "06:00-06:00",
        "a:00-b:00",
    ] {
        assert!(text.parse::<Quiet>().is_err(), "{text}");
    }
}

#[test]
fn what_was_written_is_shown() {
    for text in ["never", "every 15 minutes", "every hour", "0 6 * * mon-fri"] {
        assert_eq!(schedule(text).to_string(), text);
    }
    assert_eq!(
        "6:00-22:00".parse::<Quiet>().unwrap().to_string(),
        "06:00-22:00"
    );
}

#[test]
fn what_falls_into_quiet_hours_runs_once_when_they_end() {
    let quiet = "22:00-06:00".parse().ok();
    let table = Timetable::new(schedule("30 * * * *"), zone(NEW_YORK), quiet, "acme");
    assert_eq!(
        starts(
            &table,
            NEW_YORK,
            ("2026-06-10T00:00:00Z", "2026-06-10T12:00:00Z")
        ),
        [
            "09 20:30 EDT",
            "09 21:30 EDT",
            "10 06:00 EDT",
            "10 06:30 EDT",
            "10 07:30 EDT"
        ]
    );
}

#[test]
fn a_hundred_of_the_same_pace_are_spread_over_it() {
    let from: Timestamp = "2026-06-10T12:00:00Z".parse().unwrap();
    let first = |name: &str| {
        let pace = schedule("every 15 minutes");
        Timetable::new(pace, TimeZone::UTC, None, name)
            .after(from)
            .unwrap()
    };
    let mut a_minute = [0_usize; 15];
    for number in 0..100 {
        let name = format!("entity-{number}");
        assert_eq!(first(&name), first(&name));
        let into = first(&name).duration_since(from).as_secs().rem_euclid(900);
        a_minute[usize::try_from(into / 60).unwrap()] += 1;
    }
    assert!(
        a_minute.iter().all(|starts| (1..=16).contains(starts)),
        "{a_minute:?}"
    );
}

#[test]
fn the_nightly_one_is_at_night_and_spread() {
    let nights: std::collections::BTreeSet<_> = (0..50)
        .map(|number| {
            Schedule::nightly(&format!("entity-{number}"))
                .unwrap()
                .to_string()
        })
        .collect();
    assert!(nights.len() > 30, "{nights:?}");
    for night in nights {
        let hour: i8 = night.split(' ').nth(1).unwrap().parse().unwrap();
        assert!((1..5).contains(&hour), "{night}");
    }
}

/// A clock on a wall, looked at every minute: what a person would keep by it.
fn kept_by_the_wall(
    cron: &str,
    zone_name: &str,
    (from, until): (Timestamp, Timestamp),
) -> Vec<Timestamp> {
    let fields: Vec<_> = cron.split(' ').collect();
    let within = |field: &str, value: i8| match field.split_once('-') {
        _ if field == "*" => true,
        Some((low, high)) => (low.parse().unwrap()..=high.parse().unwrap()).contains(&value),
        None => field.split(',').any(|one| one.parse() == Ok(value)),
    };
    let fits = |shown: DateTime| {
        within(fields[0], shown.minute())
            && within(fields[1], shown.hour())
            && within(fields[2], shown.day())
            && within(fields[4], shown.weekday().to_sunday_zero_offset())
    };
    let zone = zone(zone_name);
    let shown_at = |at: Timestamp| at.to_zoned(zone.clone()).datetime();
    let paced = fields[1] == "*";
    // Three days before, so that what was shown earlier is known.
    let mut at = from - SignedDuration::from_hours(72);
    let mut seen = shown_at(at);
    let mut kept = Vec::new();
    while at < until {
        at += SignedDuration::from_mins(1);
        let shown = shown_at(at);
        let mut due = paced && fits(shown);
        while !paced && seen < shown {
            seen += 1.minute();
            due |= fits(seen);
        }
        if due && at > from && at <= until {
            kept.push(at);
        }
    }
    kept
}

const ZONES: [&str; 7] = [
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Europe/London",
    "Asia/Kolkata",
    "America/Havana",
    "Etc/UTC",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    /// No start is lost and none doubled, whatever the clocks do.
    #[test]
    fn cron_keeps_what_a_person_would_keep_by_the_wall(
        start in 1_767_225_600_i64..1_893_456_000,
        zone_name in prop::sample::select(ZONES.to_vec()),
        minute in prop::sample::select(vec!["0", "30", "0,15,30,45", "59"]),
        hour in prop::sample::select(vec!["*", "0", "1", "2", "0-3", "23", "1,2,12"]),
        days in prop::sample::select(vec!["* * *", "1-15 * *", "* * 0", "* * 1-5"]),
    ) {
        let text = format!("{minute} {hour} {days}");
        let from = Timestamp::from_second(start - start % 60).unwrap();
        let until = from + SignedDuration::from_hours(24 * 30);
        let table = table(&text, zone_name);
        let (mut at, mut told) = (from, Vec::new());
        while let Some(next) = table.after(at).filter(|next| *next <= until) {
            prop_assert!(next > at);
            told.push(next);
            at = next;
        }
        prop_assert_eq!(told, kept_by_the_wall(&text, zone_name, (from, until)), "{} {}", text, zone_name);
    }

    /// Starts of a pace lie one pace apart, whatever moment is asked from.
    #[test]
    fn a_pace_loses_and_doubles_nothing(
        micros in 0_i64..2_000_000_000_000_000,
        pace in 1_u64..1_000,
        name in "[a-z]{1,8}",
    ) {
        let at = Timestamp::from_microsecond(micros).unwrap();
        let table = Timetable::new(schedule(&format!("every {pace} seconds")), TimeZone::UTC, None, &name);
        let next = table.after(at).unwrap();
        let pace = SignedDuration::from_secs(i64::try_from(pace).unwrap());
        prop_assert!(next > at && next.duration_since(at) <= pace);
        prop_assert_eq!(table.after(next).unwrap().duration_since(next), pace);
        let before = next - SignedDuration::from_micros(1);
        prop_assert_eq!(table.after(before).unwrap(), next);
    }

    /// Nothing starts in quiet hours, and every start that falls into them is made up for by their end.
    #[test]
    fn nothing_starts_in_quiet_hours(
        start in 1_767_225_600_i64..1_893_456_000,
        zone_name in prop::sample::select(ZONES.to_vec()),
        (from, until) in (0_i8..24, 0_i8..24).prop_filter("hours", |(from, until)| from != until),
    ) {
        let quiet: Quiet = format!("{from}:00-{until}:30").parse().unwrap();
        let zone = zone(zone_name);
        let table = Timetable::new(schedule("every 20 minutes"), zone.clone(), Some(quiet), "acme");
        let mut at = Timestamp::from_second(start).unwrap();
        for _ in 0..200 {
            let next = table.after(at).unwrap();
            prop_assert!(next > at);
            prop_assert!(!quiet.holds(next, &zone), "{} in {quiet} {zone_name}", next);
            let latest = quiet.release(at + SignedDuration::from_mins(20), &zone);
            prop_assert!(next <= latest, "{next} later than {latest}");
            at = next;
        }
    }
}

/// A whole year of every day's appointment in every zone: 365 of them, on 365 days.
#[test]
fn a_daily_appointment_is_kept_every_day_of_the_year() {
    for zone_name in ZONES {
        for hour in 0..4 {
            let table = table(&format!("30 {hour} * * *"), zone_name);
            let mut at: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
            let mut days = std::collections::BTreeSet::new();
            for _ in 0..365 {
                at = table.after(at).unwrap();
                days.insert(at.to_zoned(zone(zone_name)).date());
            }
            assert_eq!(days.len(), 365, "{zone_name} at {hour}");
        }
    }
}

/// The half hour that is not quiet is one that the clock skips: that night nothing starts.
#[test]
fn quiet_hours_whose_end_is_skipped_last_until_the_next_night() {
    let quiet: Quiet = "01:00-00:30".parse().unwrap();
    let zone = zone("America/Santiago");
    let evening: Timestamp = "2026-09-05T22:00:00Z".parse().unwrap();
    let next: Timestamp = "2026-09-07T03:30:00Z".parse().unwrap();
    assert_eq!(quiet.release(evening, &zone), next);
}
