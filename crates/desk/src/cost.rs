//! What runs cost, in words: calls, of those that a service allows in an hour, and time.

use std::collections::BTreeMap;

use tieout_engine::Cost;

/// `486 of bill's 20,000 an hour, 93 to netsuite`.
#[must_use]
pub fn calls(calls: &BTreeMap<String, u64>, allowances: &BTreeMap<String, u64>) -> String {
    let of_system = |(system, count): (&String, &u64)| match allowances.get(system) {
        Some(allowed) => format!(
            "{} of {system}'s {} an hour",
            grouped(*count),
            grouped(*allowed)
        ),
        None => format!("{} to {system}", grouped(*count)),
    };
    calls.iter().map(of_system).collect::<Vec<_>>().join(", ")
}

/// What a sync of a plan takes: `at least 148 of bill's 20,000 an hour, 15 to netsuite; at least 9 s`.
#[must_use]
pub fn words(cost: &Cost) -> String {
    let calls = calls(&cost.calls, &cost.allowances);
    match cost.seconds {
        Some(seconds) => format!(
            "calls, at least: {calls}; time, at least: {}",
            duration(seconds)
        ),
        None => format!("calls, at least: {calls}; no run has told yet how long they take"),
    }
}

/// `9 s`, `12 min`, `5 h 3 min`.
fn duration(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60);
    match seconds {
        0..120 => format!("{} s", seconds.max(1)),
        120..7200 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// `12,345`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_system(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        let own = |(system, count): &(&str, u64)| ((*system).to_owned(), *count);
        counts.iter().map(own).collect()
    }

    #[test]
    fn calls_are_held_against_what_is_allowed() {
        let made = by_system(&[("bill", 1486), ("netsuite", 93)]);
        let allowed = by_system(&[("bill", 20_000)]);
        assert_eq!(
            calls(&made, &allowed),
            "1,486 of bill's 20,000 an hour, 93 to netsuite"
        );
    }

    #[test]
    fn a_time_that_nobody_knows_is_not_told() {
        let cost = Cost {
            calls: by_system(&[("bill", 3)]),
            ..Cost::default()
        };
        assert_eq!(
            words(&cost),
            "calls, at least: 3 to bill; no run has told yet how long they take"
        );
        let told = |seconds| {
            let seconds = Some(seconds);
            words(&Cost {
                seconds,
                ..Cost::default()
            })
        };
        assert!(told(0).ends_with("time, at least: 1 s"));
        assert!(told(150).ends_with("time, at least: 3 min"));
        assert!(told(18_180).ends_with("time, at least: 5 h 3 min"));
    }
}
