//! Money, to the last digit that there is.

use maud::{Markup, html};
use tieout_domain::Money;
use tieout_report::Format;

/// `1,234.50 USD`.
pub fn money(money: Money) -> Markup {
    let amount = Format::of(money.currency).amount(money.amount);
    html! { span.amount { (amount) " " abbr { (money.currency) } } }
}

/// Sums by currency, one under the other; a dash where there is none.
pub fn sums(sums: &[Money]) -> Markup {
    html! {
        @match sums {
            [] => { span.soft { "–" } },
            [one] => { (money(*one)) },
            more => { ul.amounts { @for one in more { li { (money(*one)) } } } },
        }
    }
}

/// A count with its noun: `1 record`, `12 records`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

pub use tieout_desk::cost::grouped;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_people_write_them() {
        assert_eq!(count(1, "record"), "1 record");
        assert_eq!(count(0, "record"), "0 records");
        assert_eq!(count(1_234_567, "bill"), "1,234,567 bills");
    }
}
