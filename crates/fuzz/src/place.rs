//! Whether an error names the place: which field, line, record or call, so that a person finds it.

/// Whether the text names a line, a column, a quoted field or value, or the status that was answered.
#[must_use]
pub fn is_named(text: &str) -> bool {
    let quoted = text.matches('`').count() >= 2;
    let numbered = ["line ", "column ", "HTTP ", "entry "]
        .iter()
        .any(|word| text.contains(word));
    quoted || numbered
}

/// Demands that an error names the place.
///
/// # Panics
/// If it doesn't.
#[track_caller]
pub fn assert_named(text: &str) {
    assert!(is_named(text), "the error doesn't name the place: {text}");
}

/// Demands that an error has a code with a page, and names the place.
///
/// # Panics
/// If it doesn't.
#[track_caller]
pub fn assert_explained(code: &tieout_domain::code::Code, text: &str) {
    assert!(code.page().is_some(), "`{code}` has no page: {text}");
    assert!(!text.trim().is_empty(), "`{code}` comes without a cause");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_a_place_is_told_from_one_with() {
        assert!(is_named("`amount` is `x`: no amount"));
        assert!(is_named("expected value at line 1 column 2"));
        assert!(!is_named("something went wrong"));
        assert!(!is_named("the 5` nail"));
    }
}
