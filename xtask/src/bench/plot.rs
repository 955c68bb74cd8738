//! Plots as pictures of their own: bars beside each other, readable on light and on dark ground.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const LABELS: f64 = 200.0;
const VALUES: f64 = 90.0;
const ROW: f64 = 26.0;
const TOP: f64 = 34.0;

/// What the colors are, on light ground and on dark.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}\
    .bar{fill:#8c959f}.own{fill:#0969da}\
    @media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.own{fill:#4493f8}}";

/// A bar.
pub(crate) struct Bar {
    /// What it is of.
    pub(crate) label: String,
    /// How long it is.
    pub(crate) value: f64,
    /// What is written at its end.
    pub(crate) shown: String,
    /// Whether it is this project's own.
    pub(crate) own: bool,
}

/// A plot with this title.
pub(crate) fn bars(title: &str, bars: &[Bar]) -> String {
    let most = bars
        .iter()
        .map(|bar| bar.value)
        .fold(f64::MIN_POSITIVE, f64::max);
    let rows: f64 = bars.iter().map(|_| ROW).sum();
    let height = TOP + rows + 6.0;
    let title = escaped(title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"0\" y=\"18\">{title}</text>\n"
    );
    let mut top = TOP;
    for bar in bars {
        let length = ((WIDTH - LABELS - VALUES) * bar.value / most).max(1.0);
        let (class, middle) = (if bar.own { "own" } else { "bar" }, top + 16.0);
        // Writing to a text can't fail.
        let _ = writeln!(
            svg,
            "<text x=\"0\" y=\"{middle}\">{}</text>\
             <rect class=\"{class}\" x=\"{LABELS}\" y=\"{}\" width=\"{length:.1}\" height=\"18\" rx=\"2\"/>\
             <text x=\"{:.1}\" y=\"{middle}\">{}</text>",
            escaped(&bar.label),
            top + 2.0,
            LABELS + length + 6.0,
            escaped(&bar.shown),
        );
        top += ROW;
    }
    svg.push_str("</svg>\n");
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values() {
        let bar = |label: &str, value, own| Bar {
            label: label.to_owned(),
            value,
            shown: format!("{value}"),
            own,
        };
        let svg = bars("a < b", &[bar("x", 2.0, true), bar("y & z", 1.0, false)]);
        assert!(
            svg.contains("a &lt; b") && svg.contains("y &amp; z"),
            "{svg}"
        );
        assert!(
            svg.contains("width=\"350.0\"") && svg.contains("width=\"175.0\""),
            "{svg}"
        );
        assert!(svg.contains("prefers-color-scheme:dark"));
    }
}
