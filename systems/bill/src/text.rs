//! Texts on their way to BILL and back: cut to what fits, marked, and without card numbers.

use tieout_domain::Marker;

/// The longest description of a bill, a credit or one of their lines (README §Bills).
pub(crate) const DESCRIPTION_MAX: usize = 4000;
/// The longest name of a vendor (README §Vendors).
pub(crate) const NAME_MAX: usize = 100;

/// How long BILL counts a text to be: UTF-16 units, the cautious reading of "characters".
pub(crate) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The text, or as much of it as fits with `…` at its end; never half a character (scenario 75).
pub(crate) fn cut(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    let mut left = max.saturating_sub(1);
    let mut short = String::new();
    for c in text.chars() {
        let Some(rest) = left.checked_sub(c.len_utf16()) else {
            break;
        };
        left = rest;
        short.push(c);
    }
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// A description that ends in the marker; the memo gives way where both don't fit.
pub(crate) fn description(memo: &str, marker: Option<&Marker>) -> String {
    let memo = memo.trim();
    let Some(marker) = marker else {
        return cut(memo, DESCRIPTION_MAX);
    };
    let marker = marker.to_string();
    if memo.is_empty() {
        return marker;
    }
    let memo = cut(memo, DESCRIPTION_MAX.saturating_sub(length(&marker) + 1));
    format!("{memo} {marker}")
}

/// The memo and the marker of a description that people may have added to.
pub(crate) fn memo_and_marker(description: &str) -> (String, Option<Marker>) {
    let Some(marker) = Marker::find_in(description) else {
        return (description.trim().to_owned(), None);
    };
    let word = marker.to_string();
    let at = description.find(&word).unwrap_or(description.len());
    let (before, after) = (
        &description[..at],
        description.get(at + word.len()..).unwrap_or(""),
    );
    let memo = match (before.trim(), after.trim()) {
        (before, "") => before.to_owned(),
        ("", after) => after.to_owned(),
        (before, after) => format!("{before} {after}"),
    };
    (memo, Some(marker))
}

/// At most the last four digits of whatever stands in a field for the end of a card number
/// (scenario 101).
pub(crate) fn last4(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(4)..].iter().collect()
}

/// The text with every card number in it cut to its last four digits. A card number is a run of 13 to 19
/// digits, spaces or hyphens among them, that begins as the card networks' numbers do and whose check
/// digit is right: a bank's trace number is not one.
pub(crate) fn without_card_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        if !chars[at].is_ascii_digit() {
            clean.push(chars[at]);
            at += 1;
            continue;
        }
        let mut end = at;
        let mut digits = String::new();
        while end < chars.len() {
            let gap = matches!(chars[end], ' ' | '-')
                && chars.get(end + 1).is_some_and(char::is_ascii_digit);
            if chars[end].is_ascii_digit() {
                digits.push(chars[end]);
            } else if !gap {
                break;
            }
            end += 1;
        }
        if issued_by_a_card_network(&digits) && check_digit_fits(&digits) {
            clean.push('…');
            clean.push_str(&last4(&digits));
        } else {
            clean.extend(&chars[at..end]);
        }
        at = end;
    }
    clean
}

/// Whether a number's length and first digits are those of a card network.
fn issued_by_a_card_network(digits: &str) -> bool {
    let first = |count: usize| {
        digits
            .get(..count)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0_u32)
    };
    match digits.len() {
        13 | 19 => matches!(first(1), 4 | 6),
        14 => matches!(first(2), 30 | 36 | 38 | 39),
        15 => matches!(first(2), 34 | 37),
        16 => {
            first(1) == 4
                || matches!(first(2), 35 | 51..=55 | 60 | 62 | 64 | 65)
                || (2221..=2720).contains(&first(4))
        }
        17 | 18 => first(2) == 62,
        _ => false,
    }
}

/// The check of ISO/IEC 7812 (Luhn).
fn check_digit_fits(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 0 {
                digit
            } else {
                digit * 2 / 10 + digit * 2 % 10
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marker() -> Marker {
        Marker::find_in("ns:1234567_SB1:4711").unwrap()
    }

    #[test]
    fn s075_a_long_memo_is_cut_on_a_character_and_keeps_its_marker() {
        let memo = "Zürich 🏔 ".repeat(1000);
        let text = description(&memo, Some(&marker()));
        assert!(length(&text) <= DESCRIPTION_MAX);
        assert!(text.ends_with("… ns:1234567_SB1:4711"));
        let (read, found) = memo_and_marker(&text);
        assert_eq!(found, Some(marker()));
        assert!(read.ends_with('…') && memo.starts_with(read.trim_end_matches('…')));
    }

    #[test]
    fn s101_no_more_than_four_digits_of_a_card_are_kept() {
        assert_eq!(last4("4111 1111 1111 1111"), "1111");
        assert_eq!(last4("77"), "77");
        assert_eq!(
            without_card_numbers("card 4111-1111-1111-1111, order 20261112"),
            "card …1111, order 20261112"
        );
        // A wrong check digit, and a trace number of a bank with a right one.
        for other in ["trace 4111111111111112", "trace 071000010000007"] {
            assert_eq!(without_card_numbers(other), other);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(memo in "[a-zA-Z0-9 .,é…-]{0,60}", marked: bool) {
            let marker = marked.then(marker);
            let (read, found) = memo_and_marker(&description(&memo, marker.as_ref()));
            prop_assert_eq!(read, memo.trim());
            prop_assert_eq!(found, marker);
        }

        #[test]
        fn nothing_is_ever_too_long(text in "\\PC{0,300}", max in 1_usize..200) {
            prop_assert!(length(&cut(&text, max)) <= max.max(1));
        }
    }
}
