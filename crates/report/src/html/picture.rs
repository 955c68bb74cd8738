//! The waterfall as SVG in the page.

use maud::{Markup, html as page};

use crate::format::Format;
use crate::waterfall::{Bar, Part, WIDTH, Waterfall};

/// Heights and widths in the picture's own units.
const ROW: i32 = 24;
const LABEL: i32 = 170;
const PLOT: i32 = 420;
/// What a digit takes at most.
const DIGIT: i32 = 8;

/// The picture, with each amount beside its bar, and signs that need no colour: what adds is filled, what takes away
/// is outlined, what nothing explains is dashed.
pub(super) fn figure(format: Format, waterfall: &Waterfall) -> Markup {
    let rows = i32::try_from(waterfall.bars.len()).unwrap_or(i32::MAX / ROW);
    let amounts = waterfall
        .bars
        .iter()
        .map(|bar| format.amount(bar.amount).len());
    let figures = i32::try_from(amounts.max().unwrap_or(0)).unwrap_or(0) * DIGIT + 20;
    let (width, height) = (LABEL + PLOT + figures, rows * ROW + 8);
    let zero = x(waterfall.zero);
    page! {
        figure {
            figcaption { "How the difference is made up (filled adds, outlined takes away)" }
            svg viewBox=(format!("0 0 {width} {height}")) role="img"
                aria-label="Waterfall of the difference by category" {
                line.axis x1=(zero) x2=(zero) y1="0" y2=(height) {}
                @for (at, bar) in (0..).zip(&waterfall.bars) {
                    (row(bar, &format.amount(bar.amount), (at * ROW + 4, width - 2), at + 1 < rows))
                }
            }
        }
    }
}

fn row(bar: &Bar, amount: &str, (top, right): (i32, i32), goes_on: bool) -> Markup {
    let class = match bar.part {
        Part::Total => "total",
        Part::Residual => "residual",
        Part::Step if bar.amount.is_negative() => "takes",
        Part::Step => "adds",
    };
    let (left, end) = (x(bar.from), x(bar.end));
    let width = (x(bar.until) - left).max(1);
    page! {
        text x=(LABEL - 10) y=(top + 14) text-anchor="end" { (bar.label) }
        rect class=(class) x=(left) y=(top) width=(width) height=(ROW - 6) {}
        @if goes_on {
            line.link x1=(end) x2=(end) y1=(top + ROW - 6) y2=(top + ROW) {}
        }
        text x=(right) y=(top + 14) text-anchor="end" { (amount) }
    }
}

/// A place of the waterfall in the picture.
fn x(place: i32) -> i32 {
    LABEL + place * PLOT / WIDTH
}
