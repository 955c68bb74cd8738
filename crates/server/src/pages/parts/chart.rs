//! Bars over days, as SVG without a script or a style of its own. What a chart shows is in a table nearby, too:
//! it is read aloud as one sentence.

use maud::{Markup, html};

/// A bar: what it stands for, and its parts from the bottom up.
pub struct Bar {
    /// The day or another name, as it is read aloud and shown when pointed at.
    pub name: String,
    /// What is written under it; empty where there is no room.
    pub label: String,
    /// The parts, one for each key.
    pub parts: Vec<u64>,
}

const WIDTH: u64 = 900;
const HEIGHT: u64 = 190;
const LEFT: u64 = 56;
const TOP: u64 = 12;
const BOTTOM: u64 = 30;
const PLOT: u64 = HEIGHT - TOP - BOTTOM;

/// How parts look, in the order of the keys: filled, hatched by an outline, hollow. Three are enough.
const CLASSES: [&str; 3] = ["one", "two", "three"];

/// The chart. `said` tells in a sentence what there is to see.
pub fn bars(title: &str, said: &str, keys: &[&str], bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.parts.iter().sum()).max();
    let top = round_up(most.unwrap_or_default());
    let count = u64::try_from(bars.len()).unwrap_or(1).max(1);
    let step = (WIDTH - LEFT) / count;
    html! {
        figure.chart {
            figcaption { (title) }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(said) {
                @for share in [0, 1, 2] {
                    @let y = TOP + PLOT - PLOT * share / 2;
                    line.axis[share == 0].grid[share > 0] x1=(LEFT) x2=(WIDTH) y1=(y) y2=(y) {}
                    text x=(LEFT - 6) y=(y + 4) text-anchor="end" { (super::amount::grouped(top * share / 2)) }
                }
                @for (at, bar) in (0..).zip(bars) { (column(bar, LEFT + step * at, step, top)) }
            }
            @if keys.len() > 1 {
                ul.keys {
                    @for (key, class) in keys.iter().zip(CLASSES) {
                        li {
                            svg viewBox="0 0 14 14" aria-hidden="true" { rect class=(class) x="1" y="1" width="12" height="12" {} }
                            (key)
                        }
                    }
                }
            }
        }
    }
}

fn column(bar: &Bar, x: u64, step: u64, top: u64) -> Markup {
    let gap = (step / 5).max(1);
    let mut below = 0;
    let mut boxes = Vec::new();
    for (part, class) in bar.parts.iter().zip(CLASSES) {
        // What there is, is seen: never thinner than a line.
        let height = if *part == 0 {
            0
        } else {
            (PLOT * part / top).max(2)
        };
        below += height;
        if height > 0 {
            boxes.push((class, (TOP + PLOT).saturating_sub(below), height));
        }
    }
    html! {
        g {
            title { (bar.name) }
            @for (class, y, height) in boxes {
                rect class=(class) x=(x + gap) y=(y) width=(step.saturating_sub(gap * 2).max(1)) height=(height) {}
            }
            @if !bar.label.is_empty() {
                text x=(x + step / 2) y=(HEIGHT - 7) text-anchor="middle" { (bar.label) }
            }
        }
    }
}

/// A top for the scale whose half is whole: 2, 4, 10, 20, 40, 100, …
fn round_up(most: u64) -> u64 {
    let mut decade = 1;
    loop {
        for step in [2, 4, 10] {
            if most <= decade * step {
                return decade * step;
            }
        }
        decade *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_above_the_highest_bar() {
        for (most, top) in [(0, 2), (2, 2), (3, 4), (5, 10), (11, 20), (250, 400)] {
            assert_eq!(round_up(most), top, "{most}");
        }
    }

    #[test]
    fn the_smallest_part_is_seen() {
        let bar = |parts| Bar {
            name: "day".to_owned(),
            label: String::new(),
            parts,
        };
        let chart = bars("Runs", "said", &["good", "bad"], &[bar(vec![9999, 1])]).into_string();
        let part = chart
            .split("<rect ")
            .find(|part| part.starts_with("class=\"two\" x=\"2"));
        assert!(
            part.is_some_and(|part| part.contains("height=\"2\"")),
            "{chart}"
        );
    }
}
