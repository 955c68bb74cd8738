//! Text in lines, for whatever measures a character.

/// Breaks a text at spaces into lines of at most `room`, as `measure` measures; a longer word is broken where it must
/// be, so that nothing is cut off. Spaces at the beginning are kept, those at a break are not. At least one line.
pub(crate) fn wrap(text: &str, room: i64, measure: impl Fn(char) -> i64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    // After a break, what was between the words is not wanted.
    let mut fresh = true;
    for (at, word) in text.split(' ').enumerate() {
        let width: i64 = word.chars().map(&measure).sum();
        let gap = measure(' ');
        if at > 0 && !line.is_empty() && used + gap + width > room {
            lines.push(std::mem::take(&mut line));
            (used, fresh) = (0, true);
        } else if at > 0 && (!fresh || lines.is_empty()) {
            line.push(' ');
            used += gap;
        }
        for c in word.chars() {
            let width = measure(c);
            if used > 0 && used + width > room {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += width;
            fresh = false;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole_where_they_fit_and_nothing_is_lost() {
        let wrap = |text, room| wrap(text, room, |_| 1);
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("a bcdefgh", 4), ["a", "bcde", "fgh"]);
        assert_eq!(wrap("  a  b", 9), ["  a  b"]);
        assert_eq!(wrap("aaa   bbb", 4), ["aaa ", "bbb"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("abc", 0), ["a", "b", "c"]);
    }
}
