//! Amounts as people and machines read them, and foreign text made fit to be shown.

use tieout_domain::{Amount, Currency};

/// How the amounts of one report are written.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    digits: u32,
}

impl Format {
    /// With the digits of this currency: two for USD, none for JPY.
    #[must_use]
    pub fn of(currency: Currency) -> Self {
        Self {
            digits: currency.digits(),
        }
    }

    /// For people: `-1,234.50`. Never fewer digits than the currency has, and never fewer than the amount has:
    /// what is printed is not rounded.
    #[must_use]
    pub fn amount(self, amount: Amount) -> String {
        let plain = self.plain(amount.abs());
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let mut shown = String::new();
        if amount.is_negative() {
            shown.push('-');
        }
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                shown.push(',');
            }
            shown.push(digit);
        }
        if !fraction.is_empty() {
            shown.push('.');
            shown.push_str(fraction);
        }
        shown
    }

    /// For machines: `-1234.50`.
    #[must_use]
    pub fn plain(self, amount: Amount) -> String {
        let decimal = amount.decimal();
        let digits = self.digits.max(decimal.normalize().scale()) as usize;
        // A zero may carry a sign, which nobody wants to read.
        let sign = if amount.is_negative() { "-" } else { "" };
        format!("{sign}{:.*}", digits, decimal.abs())
    }
}

/// A foreign text in one line, without what could command a terminal or turn the reading direction: control
/// characters, and Unicode's marks for bidirectional text.
pub(crate) fn clean(text: &str) -> String {
    let kept = text.chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if is_harmful(c) => None,
        c => Some(c),
    });
    kept.collect::<String>().trim().to_owned()
}

/// As [`clean`], with its line breaks kept: for what is shown word by word.
pub(crate) fn clean_lines(text: &str) -> Vec<String> {
    text.lines().map(clean_line).collect()
}

/// Without harm, but with the spaces that it begins with.
fn clean_line(line: &str) -> String {
    let line = line.replace('\t', "    ");
    line.chars().filter(|c| !is_harmful(*c)).collect()
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_and_never_rounded() {
        let usd = Format::of(Currency::USD);
        let shown = |text: &str| usd.amount(text.parse().unwrap());
        assert_eq!(shown("0"), "0.00");
        assert_eq!(shown("-0.0"), "0.00");
        assert_eq!(shown("999"), "999.00");
        assert_eq!(shown("-1000"), "-1,000.00");
        assert_eq!(shown("1234567.5"), "1,234,567.50");
        assert_eq!(shown("-0.005"), "-0.005");
        assert_eq!(
            shown("79228162514264337593543950335"),
            "79,228,162,514,264,337,593,543,950,335.00"
        );
        assert_eq!(usd.plain("-1234567.5".parse().unwrap()), "-1234567.50");
        let yen = Format::of("JPY".parse().unwrap());
        assert_eq!(yen.amount("1234567".parse().unwrap()), "1,234,567");
        let dinar = Format::of("KWD".parse().unwrap());
        assert_eq!(dinar.amount("1.5".parse().unwrap()), "1.500");
    }

    #[test]
    fn nothing_that_commands_a_terminal_is_left() {
        assert_eq!(
            clean("a\u{1b}[31mred\u{7}\nb\u{202e}c\u{9b}2J"),
            "a[31mred bc2J"
        );
        assert_eq!(clean("  Müller & Söhne\t "), "Müller & Söhne");
        assert_eq!(
            clean_lines("SELECT 1\n  FROM\u{1b}c x"),
            ["SELECT 1", "  FROMc x"]
        );
    }
}
