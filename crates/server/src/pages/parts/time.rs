//! Moments, as the company's people read their clocks; the zone is always named.

use jiff::tz::TimeZone;
use maud::{Markup, html};
use tieout_domain::Timestamp;

/// `12 Jun 2026, 14:03 PDT`.
pub fn moment(at: Timestamp, zone: &TimeZone) -> Markup {
    let local = at.to_zoned(zone.clone());
    html! {
        time datetime=(format!("{at:.0}")) title=(format!("{at:.0}")) {
            (local.strftime("%-d %b %Y, %H:%M").to_string()) " "
            span.zone { (local.strftime("%Z").to_string()) }
        }
    }
}

/// The same with seconds: for what happens one after the other.
pub fn precise(at: Timestamp, zone: &TimeZone) -> Markup {
    let local = at.to_zoned(zone.clone());
    html! {
        time datetime=(format!("{at:.0}")) {
            (local.strftime("%-d %b %Y, %H:%M:%S").to_string()) " "
            span.zone { (local.strftime("%Z").to_string()) }
        }
    }
}

/// The moment for a table of a program: in the zone, with its offset.
#[must_use]
pub fn plain(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `3 minutes ago`, `in 2 hours`.
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs();
    let span = span(seconds.unsigned_abs());
    match seconds {
        0..=59 => "just now".to_owned(),
        60.. => format!("{span} ago"),
        _ => format!("in {span}"),
    }
}

/// `45 seconds`, `3 minutes`, `2 hours`, `5 days`: in the largest unit that fits once.
#[must_use]
pub fn span(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    super::amount::count(number, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_is_named_and_differs_with_the_season() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let shown = |text: &str| moment(text.parse().unwrap(), &zone).into_string();
        assert!(
            shown("2026-06-12T18:03:00Z").contains("12 Jun 2026, 14:03 <span class=\"zone\">EDT")
        );
        assert!(
            shown("2026-12-12T18:03:00Z").contains("12 Dec 2026, 13:03 <span class=\"zone\">EST")
        );
        assert_eq!(
            plain("2026-12-12T18:03:09Z".parse().unwrap(), &zone),
            "2026-12-12T13:03:09-05:00"
        );
    }

    #[test]
    fn how_long_ago_is_said_in_one_unit() {
        let now: Timestamp = "2026-06-12T12:00:00Z".parse().unwrap();
        for (at, said) in [
            ("2026-06-12T11:59:30Z", "just now"),
            ("2026-06-12T11:58:59Z", "1 minute ago"),
            ("2026-06-12T09:00:00Z", "3 hours ago"),
            ("2026-06-01T12:00:00Z", "11 days ago"),
            ("2026-06-12T12:14:00Z", "in 14 minutes"),
        ] {
            assert_eq!(ago(at.parse().unwrap(), now), said, "{at}");
        }
    }
}
