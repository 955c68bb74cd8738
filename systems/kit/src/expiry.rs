//! When a credential ends, and when that is worth saying (scenario 209). Pure: the day is passed in.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

/// Days before the end at which a warning grows louder.
const STAGES: [i32; 3] = [60, 30, 7];

/// How near the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nearness {
    /// More than sixty days away.
    Far,
    /// Sixty days or fewer.
    Within60Days,
    /// Thirty days or fewer.
    Within30Days,
    /// A week or less.
    Within7Days,
    /// It has come.
    Past,
}

/// The end of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// The day from which it no longer serves.
    pub expires: Date,
    /// Days from today to that day; none or fewer when it has come.
    pub days_left: i32,
}

impl Expiry {
    /// The end that a credential's fields tell, seen from `today`; `None` where they tell none.
    #[must_use]
    pub fn of(fields: &str, today: Date) -> Option<Self> {
        let fields: Value = serde_json::from_str(fields).ok()?;
        let expires: Date = fields.get("expires")?.as_str()?.trim().parse().ok()?;
        Some(Self::seen_from(today, expires))
    }

    /// This end, seen from `today`.
    #[must_use]
    pub fn seen_from(today: Date, expires: Date) -> Self {
        let days_left = today
            .until(expires)
            .map_or(i32::MAX, |span| span.get_days());
        Self { expires, days_left }
    }

    /// How near it is.
    #[must_use]
    pub fn nearness(&self) -> Nearness {
        let [sixty, thirty, seven] = STAGES;
        match self.days_left {
            left if left <= 0 => Nearness::Past,
            left if left <= seven => Nearness::Within7Days,
            left if left <= thirty => Nearness::Within30Days,
            left if left <= sixty => Nearness::Within60Days,
            _ => Nearness::Far,
        }
    }

    /// What to tell a person; `None` while there is nothing to do.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        match self.nearness() {
            Nearness::Far => None,
            Nearness::Past => Some(format!("expired on {}", self.expires)),
            Nearness::Within7Days => Some(format!("expires in {}: renew it now", self.days())),
            _ => Some(format!("expires in {}", self.days())),
        }
    }

    fn days(&self) -> String {
        match self.days_left {
            1 => "1 day".to_owned(),
            many => format!("{many} days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(today: &str) -> Expiry {
        Expiry::of(r#"{"expires":"2026-12-31"}"#, today.parse().unwrap()).unwrap()
    }

    #[test]
    fn s209_a_certificates_end_is_warned_of_at_60_30_and_7_days() {
        for (today, left, nearness) in [
            ("2026-11-01", 60, Nearness::Within60Days),
            ("2026-10-31", 61, Nearness::Far),
            ("2026-12-01", 30, Nearness::Within30Days),
            ("2026-11-30", 31, Nearness::Within60Days),
            ("2026-12-24", 7, Nearness::Within7Days),
            ("2026-12-23", 8, Nearness::Within30Days),
            ("2026-12-31", 0, Nearness::Past),
            ("2027-01-02", -2, Nearness::Past),
        ] {
            let expiry = seen(today);
            assert_eq!(
                (expiry.days_left, expiry.nearness()),
                (left, nearness),
                "{today}"
            );
        }
        assert_eq!(seen("2026-10-01").warning(), None);
        assert_eq!(
            seen("2026-12-30").warning().as_deref(),
            Some("expires in 1 day: renew it now")
        );
    }

    #[test]
    fn a_credential_that_tells_no_day_has_no_end() {
        let today = "2026-11-01".parse().unwrap();
        for fields in [
            "{}",
            r#"{"expires":""}"#,
            r#"{"expires":"soon"}"#,
            "not json",
        ] {
            assert_eq!(Expiry::of(fields, today), None, "{fields}");
        }
    }
}
