//! Cutting text to what the platform takes, always between characters and always the same way.

use tieout_domain::Fingerprint;

/// The longest vendor name the platform takes, in characters (fact F12).
pub(crate) const NAME_MAX: usize = 100;
/// The longest invoice number (fact F12).
pub(crate) const NUMBER_MAX: usize = 100;
/// The longest purchase order number (fact F12).
pub(crate) const ORDER_MAX: usize = 40;
/// The longest memo that is sent, in UTF-16 units: what the platform takes of a description, less room for the
/// mark, so that it never cuts again what was cut here.
pub(crate) const MEMO_MAX: usize = 3900;
/// The longest memo of a ledger transaction.
pub(crate) const LEDGER_MEMO_MAX: usize = 999;
/// The longest document number of a ledger transaction.
pub(crate) const LEDGER_NUMBER_MAX: usize = 45;

/// How long a text is in UTF-16 units: the cautious reading of a limit in "characters".
fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Cuts free text to so many UTF-16 units, ending in `…` where something was cut (scenario 75). Control characters other than line
/// breaks become spaces.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let clean = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    if length(text) <= max {
        return text.chars().map(clean).collect();
    }
    let mut left = max.saturating_sub(1);
    let fits = |c: &char| {
        let rest = left.checked_sub(c.len_utf16());
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    let kept: String = text.chars().take_while(fits).map(clean).collect();
    format!("{}…", kept.trim_end())
}

/// Shortens a name or number that must stay different from others: its end becomes a short hash of the
/// whole (scenario 21).
pub(crate) fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let hash = Fingerprint::of(text);
    let kept: String = text.chars().take(max.saturating_sub(9)).collect();
    format!("{kept}~{}", &hash.as_str()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s021_long_names_are_cut_between_characters_and_stay_different() {
        let long = "é".repeat(150);
        let other = format!("{}x", "é".repeat(149));
        let (a, b) = (shorten(&long, NAME_MAX), shorten(&other, NAME_MAX));
        assert_eq!((a.chars().count(), b.chars().count()), (100, 100));
        assert_ne!(a, b);
        assert_eq!(a, shorten(&long, NAME_MAX));
        assert_eq!(shorten("Röchling", NAME_MAX), "Röchling");
    }

    #[test]
    fn s075_long_memos_are_cut_between_characters() {
        let memo = cut(&"ü".repeat(5000), MEMO_MAX);
        assert_eq!(memo.chars().count(), MEMO_MAX);
        assert!(memo.ends_with('…'));
        // What takes two units is never halved, nor counted once.
        let memo = cut(&"x🏔".repeat(2000), MEMO_MAX);
        assert!(
            (MEMO_MAX - 2..=MEMO_MAX).contains(&length(&memo)),
            "{}",
            length(&memo)
        );
        assert_eq!(cut(&memo, MEMO_MAX), memo);
        assert_eq!(cut("two\nlines\u{0}", MEMO_MAX), "two\nlines ");
    }
}
