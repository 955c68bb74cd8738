//! How a difference is made up, as a picture: each category begins where the one before it ended. Places are whole
//! ten-thousandths of the picture's width, reckoned from exact amounts.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use tieout_domain::Amount;
use tieout_flows::tie_out::{LegReport, Report};

use crate::format::clean;
use crate::sums;
use crate::words::NOT_EXPLAINED;

/// The width of the picture.
pub(crate) const WIDTH: i32 = 10_000;

/// What a bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A category, that adds to the difference or takes from it.
    Step,
    /// What nothing explains.
    Residual,
    /// The whole.
    Total,
}

/// One bar, from the left end to the right end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) part: Part,
    pub(crate) label: String,
    pub(crate) amount: Amount,
    pub(crate) from: i32,
    pub(crate) until: i32,
    /// Where the running sum stands after it: the next bar begins there.
    pub(crate) end: i32,
}

/// The bars of a leg, and where zero is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waterfall {
    pub(crate) bars: Vec<Bar>,
    pub(crate) zero: i32,
}

/// The picture of a leg; `None` if there is nothing to draw.
pub(crate) fn of(report: &Report, leg: &LegReport) -> Option<Waterfall> {
    let mut parts: Vec<(Part, String, Amount)> = sums::by_category(report, leg.leg)
        .into_iter()
        .map(|sum| {
            let label = format!("{} ({})", sum.category.code(), sum.count);
            (Part::Step, label, sum.amount)
        })
        .collect();
    if parts.is_empty() && leg.residual.is_zero() {
        return None;
    }
    if !leg.residual.is_zero() {
        parts.push((Part::Residual, NOT_EXPLAINED.to_owned(), leg.residual));
    }
    let total = format!(
        "{} less {}",
        clean(&leg.left.symbol),
        clean(&leg.right.symbol)
    );
    parts.push((Part::Total, total, leg.difference));

    let mut reached = Amount::ZERO;
    let mut spans = Vec::new();
    for (part, _, amount) in &parts {
        let (from, until) = match part {
            Part::Total => (Amount::ZERO, *amount),
            _ => (reached, [reached, *amount].into_iter().sum()),
        };
        spans.push((from, until));
        reached = until;
    }
    let ends = || spans.iter().flat_map(|(from, until)| [*from, *until]);
    let low = ends().min().unwrap_or_default();
    let high = ends().max().unwrap_or_default();
    let place = |amount: Amount| place(amount, low, high);
    let bars = parts
        .into_iter()
        .zip(&spans)
        .map(|((part, label, amount), (from, until))| Bar {
            part,
            label,
            amount,
            from: place(*from).min(place(*until)),
            until: place(*from).max(place(*until)),
            end: place(*until),
        });
    Some(Waterfall {
        bars: bars.collect(),
        zero: place(Amount::ZERO),
    })
}

/// Where an amount lies between the lowest and the highest.
fn place(amount: Amount, low: Amount, high: Amount) -> i32 {
    let width = sums::less(high, low).decimal();
    let above = sums::less(amount, low).decimal();
    let share = above.checked_div(width).unwrap_or(Decimal::ZERO);
    let place = (share * Decimal::from(WIDTH)).round().to_i32();
    place.unwrap_or(0).clamp(0, WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lie_between_the_lowest_and_the_highest() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let (low, high) = (amount("-7190"), amount("38715.75"));
        assert_eq!(place(low, low, high), 0);
        assert_eq!(place(high, low, high), WIDTH);
        assert_eq!(place(Amount::ZERO, low, high), 1_566);
        assert_eq!(place(Amount::ZERO, Amount::ZERO, Amount::ZERO), 0);
        let huge = amount("79228162514264337593543950335");
        assert_eq!(place(huge, -huge, huge), WIDTH, "beyond what can be added");
    }
}
