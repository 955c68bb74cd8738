//! A small PDF of one page, by hand: lines of text in a font that every reader has (ISO 32000-1, §7.5 and §9).

use std::fmt::Write as _;

/// The margin, the size of the font and the distance of lines, in points.
const MARGIN: usize = 72;
const FONT: usize = 11;
const LEADING: usize = 15;
/// A letter's page; what has more lines gets a longer one.
const WIDTH: usize = 612;
const HEIGHT_MIN: usize = 792;

/// The PDF of these lines.
pub(super) fn of_lines(lines: &[String]) -> Vec<u8> {
    let height = HEIGHT_MIN.max(2 * MARGIN + LEADING * lines.len());
    let top = height - MARGIN;
    let mut page = format!("BT /F1 {FONT} Tf {LEADING} TL {MARGIN} {top} Td\n");
    for line in lines {
        let _ = writeln!(page, "({}) Tj T*", escaped(line));
    }
    page.push_str("ET\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {height}] \
             /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>"
        ),
        format!("<< /Length {} >>\nstream\n{page}endstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_owned(),
    ];
    let mut text = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(text.len());
        let _ = writeln!(text, "{number} 0 obj\n{object}\nendobj");
    }
    let table = text.len();
    let size = objects.len() + 1;
    let _ = writeln!(text, "xref\n0 {size}\n0000000000 65535 f ");
    for place in places {
        let _ = writeln!(text, "{place:010} 00000 n ");
    }
    let _ = writeln!(
        text,
        "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF"
    );
    text.into_bytes()
}

/// A text within parentheses. What the font lacks becomes a question mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '(' | ')' | '\\' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            ' '..='~' => escaped.push(letter),
            '\u{a0}'..='\u{ff}' => {
                let _ = write!(escaped, "\\{:03o}", u32::from(letter));
            }
            _ => escaped.push('?'),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_where_the_table_says() {
        let lines = ["A (b) \\ c", "Müller € 5"].map(str::to_owned);
        let pdf = String::from_utf8(of_lines(&lines)).unwrap();
        assert!(pdf.is_ascii());
        assert!(pdf.contains("(A \\(b\\) \\\\ c) Tj"), "{pdf}");
        assert!(pdf.contains("(M\\374ller ? 5) Tj"), "{pdf}");
        let table: usize = pdf
            .rsplit("startxref\n")
            .next()
            .and_then(|rest| rest.lines().next()?.parse().ok())
            .unwrap();
        let entries = pdf[table..].lines().skip(3).take(5);
        for (number, entry) in (1..).zip(entries) {
            let place: usize = entry[..10].parse().unwrap();
            assert!(pdf[place..].starts_with(&format!("{number} 0 obj")));
        }
        let length: usize = pdf
            .split("/Length ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next()?.parse().ok())
            .unwrap();
        let (_, stream) = pdf.split_once("stream\n").unwrap();
        assert!(stream[length..].starts_with("endstream"));
    }

    #[test]
    fn a_long_invoice_gets_a_long_page() {
        let lines = vec!["x".to_owned(); 100];
        let pdf = String::from_utf8(of_lines(&lines)).unwrap();
        assert!(pdf.contains("/MediaBox [0 0 612 1644]"), "{pdf}");
    }
}
