//! The waterfall on paper.

use super::paper::{Ink, MARGIN, Mark, POINT, Paper, Style};
use crate::format::Format;
use crate::waterfall::{Bar, Part, WIDTH, Waterfall};

const ROW: i32 = 16 * POINT;
const BAR: i32 = 11 * POINT;
const SIZE: i32 = 8 * POINT;
const LABEL: i32 = 110 * POINT;

/// The picture, kept on one page.
pub(super) fn picture(paper: &mut Paper, format: Format, waterfall: &Waterfall) {
    let rows = waterfall.bars.len() as i32;
    paper.need(rows * ROW + 40 * POINT);
    paper.subheading("How the difference is made up (filled adds, outlined takes away)");
    let bold = paper.fonts.face(true);
    let figures = waterfall
        .bars
        .iter()
        .map(|bar| bold.width(&format.amount(bar.amount), SIZE));
    let figures = figures.max().unwrap_or(0) + 12 * POINT;
    let plot = (paper.body() - LABEL - figures).max(0);
    let place = |at: i32| {
        let along = i64::from(at) * i64::from(plot) / i64::from(WIDTH);
        MARGIN + LABEL + i32::try_from(along).unwrap_or(plot)
    };
    let zero = place(waterfall.zero);
    paper.put(Mark::Line {
        from: (zero, paper.y),
        to: (zero, paper.y + rows * ROW),
        thick: 600,
        ink: Ink::Black,
    });
    for (at, bar) in waterfall.bars.iter().enumerate() {
        let last = at + 1 == waterfall.bars.len();
        row(paper, format, bar, (place(bar.from), place(bar.until)));
        if !last {
            let x = place(bar.end);
            paper.put(Mark::Line {
                from: (x, paper.y + BAR),
                to: (x, paper.y + ROW),
                thick: 500,
                ink: Ink::Grey,
            });
        }
        paper.gap(ROW);
    }
    paper.gap(4 * POINT);
}

fn row(paper: &mut Paper, format: Format, bar: &Bar, (from, until): (i32, i32)) {
    let style = Style::plain(SIZE);
    let style = if bar.part == Part::Step {
        style
    } else {
        style.bold()
    };
    let (fill, dashed) = match bar.part {
        Part::Total => (Ink::Dark, false),
        Part::Residual => (Ink::Red, true),
        Part::Step if bar.amount.is_negative() => (Ink::White, false),
        Part::Step => (Ink::Blue, false),
    };
    paper.line_up_to(MARGIN + LABEL - 8 * POINT, style, &bar.label);
    paper.put(Mark::Box {
        x: from,
        y: paper.y,
        width: (until - from).max(POINT),
        height: BAR,
        fill: Some(fill),
        dashed,
    });
    let right = paper.width - MARGIN;
    paper.line_up_to(right, style, &format.amount(bar.amount));
}
