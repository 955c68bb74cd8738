//! Days of documents: the service keeps them as seconds since 1970, and doesn't say whose day a second is in
//! (README §Dates).

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tieout_domain::Timestamp;

/// Days in a stated time zone.
#[derive(Debug, Clone)]
pub(crate) struct Days(TimeZone);

impl Days {
    /// The days of this time zone.
    pub(crate) fn of(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// The day that a second is in.
    ///
    /// # Errors
    /// What is wrong with the second, by its field.
    pub(crate) fn day(&self, second: i64, field: &str) -> Result<Date, String> {
        let moment = Timestamp::from_second(second)
            .map_err(|_| format!("`{field}` is {second}, which is no date"))?;
        Ok(moment.to_zoned(self.0.clone()).date())
    }

    /// The second that stands for a day: the middle of the hours that are this day both in the time zone and in UTC,
    /// so that neither whoever looks at it here nor whoever takes it for UTC sees another day.
    pub(crate) fn second(&self, day: Date) -> i64 {
        let begin = |day: Date, zone: &TimeZone| {
            let begin = day.to_zoned(zone.clone()).ok()?;
            Some(begin.timestamp().as_second())
        };
        let span = |zone: &TimeZone| Some((begin(day, zone)?, begin(day.tomorrow().ok()?, zone)?));
        let (here, there) = (span(&self.0), span(&TimeZone::UTC));
        let in_both = here.zip(there).and_then(|(here, there)| {
            let (from, to) = (here.0.max(there.0), here.1.min(there.1));
            (from < to).then(|| from + (to - from) / 2)
        });
        // A day that a time zone left out, or one at the end of time.
        in_both
            .or_else(|| begin(day, &TimeZone::UTC))
            .unwrap_or_default()
    }
}

/// The moment of a second; what is before 1970 is taken for 1970, since such values have been met (README §Dates).
pub(crate) fn moment(second: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_second(second?.max(0)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zones() -> Vec<TimeZone> {
        let zones: Vec<_> = jiff::tz::db()
            .available()
            .filter_map(|name| TimeZone::get(name.as_str()).ok())
            .collect();
        assert!(zones.len() > 300, "{} time zones", zones.len());
        zones
    }

    /// Whether the zone had this day at all: some have skipped one when they changed sides of the date line.
    fn had(zone: &TimeZone, day: Date) -> bool {
        let begin = day.to_zoned(zone.clone()).unwrap();
        begin.date() == day
    }

    #[test]
    fn s135_no_zone_shows_another_day_all_year() {
        let mut day = Date::constant(2026, 1, 1);
        let zones = zones();
        while day.year() == 2026 {
            for zone in &zones {
                let second = Days::of(zone.clone()).second(day);
                assert_eq!(
                    Days::of(zone.clone()).day(second, "date"),
                    Ok(day),
                    "{zone:?}"
                );
                assert_eq!(
                    Days::of(TimeZone::UTC).day(second, "date"),
                    Ok(day),
                    "{zone:?}"
                );
            }
            day = day.saturating_add(jiff::Span::new().days(9));
        }
    }

    proptest! {
        #[test]
        fn s135_a_day_comes_back_from_any_zone_and_from_utc(
            zone in proptest::sample::select(zones()),
            days in 0_i32..60_000,
        ) {
            let day = Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(days));
            prop_assume!(had(&zone, day));
            let days = Days::of(zone);
            let second = days.second(day);
            prop_assert_eq!(days.day(second, "date"), Ok(day));
            prop_assert_eq!(Days::of(TimeZone::UTC).day(second, "date"), Ok(day));
        }

        #[test]
        fn any_second_is_a_day_or_is_refused_with_its_field(second: i64) {
            if let Err(why) = Days::of(TimeZone::UTC).day(second, "due_date") {
                prop_assert!(why.contains("due_date"));
            }
            let _ = moment(Some(second));
        }
    }

    #[test]
    fn a_day_that_a_zone_left_out_is_that_day_in_utc_at_least() {
        // Samoa crossed the date line at the end of 2011.
        let days = Days::of(TimeZone::get("Pacific/Apia").unwrap());
        let day = Date::constant(2011, 12, 30);
        assert_eq!(
            Days::of(TimeZone::UTC).day(days.second(day), "date"),
            Ok(day)
        );
    }
}
