//! Tables over pages: the heads are repeated, a row stays together if a page can hold it, and what is too wide for its
//! column goes on in the next line.

use super::paper::{Ink, MARGIN, POINT, Paper, Style};

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) width: Width,
    /// Figures stand to the right.
    pub(super) right: bool,
}

/// How wide a column is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Width {
    /// As wide as its widest line, so that no figure is ever broken.
    Fit,
    /// This part of what the others leave.
    Share(i32),
}

impl Column {
    /// A column of words, with its share of the room.
    pub(super) const fn words(title: &'static str, share: i32) -> Self {
        Self {
            title,
            width: Width::Share(share),
            right: false,
        }
    }

    /// A column of short words that are never broken.
    pub(super) const fn short(title: &'static str) -> Self {
        Self {
            title,
            width: Width::Fit,
            right: false,
        }
    }

    /// A column of figures.
    pub(super) const fn figures(title: &'static str) -> Self {
        Self {
            title,
            width: Width::Fit,
            right: true,
        }
    }
}

/// A cell: texts below each other.
pub(super) type Cell = Vec<(Style, String)>;

/// Between two columns.
const GAP: i32 = 7 * POINT;

/// Above and below a row's text.
const AIR: i32 = 2 * POINT;

/// The narrowest a column of words may be.
const NARROWEST: i32 = 36 * POINT;

struct Line {
    style: Style,
    text: String,
}

/// Puts a table on the paper. Without titles it has no head.
pub(super) fn table(paper: &mut Paper, size: i32, columns: &[Column], rows: &[Vec<Cell>]) {
    captioned(paper, "", size, columns, rows);
}

/// Puts a table with a heading of its own on the paper: heading, head and first row stay together.
pub(super) fn captioned(
    paper: &mut Paper,
    caption: &str,
    size: i32,
    columns: &[Column],
    rows: &[Vec<Cell>],
) {
    let head = Style::plain(size).bold();
    let widths = widths(paper, head, columns, rows);
    let titled = columns.iter().any(|column| !column.title.is_empty());
    let titles: Vec<Cell> = columns
        .iter()
        .map(|column| vec![(head, column.title.to_owned())])
        .collect();
    let titles = lines(paper, &titles, &widths);
    let mut table = Table {
        columns,
        widths: &widths,
        titles: titled.then_some(&titles),
    };
    let first = rows.first().map(|row| height(&lines(paper, row, &widths)));
    paper.need(height(&titles) + first.unwrap_or(0) + 34 * POINT);
    if !caption.is_empty() {
        paper.subheading(caption);
    }
    table.head(paper);
    for row in rows {
        table.row(paper, &lines(paper, row, &widths));
    }
    paper.gap(4 * POINT);
}

struct Table<'a> {
    columns: &'a [Column],
    widths: &'a [i32],
    titles: Option<&'a Vec<Vec<Line>>>,
}

impl Table<'_> {
    fn head(&mut self, paper: &mut Paper) {
        if let Some(titles) = self.titles {
            self.part(paper, titles, 0, usize::MAX);
            paper.rule(700, Ink::Black);
            paper.gap(POINT);
        }
    }

    fn row(&mut self, paper: &mut Paper, cells: &[Vec<Line>]) {
        let height = height(cells);
        let head = self
            .titles
            .map_or(0, |titles| super::table::height(titles) + 6 * POINT);
        if height > paper.left() && height <= paper.whole() - head {
            paper.turn();
            self.head(paper);
        }
        let count = cells.iter().map(Vec::len).max().unwrap_or(0);
        let mut at = 0;
        while at < count {
            let leading = leading(cells, at);
            // A row that no page can hold goes on where it must.
            let fitting = (paper.left() - 2 * AIR) / leading.max(1);
            if fitting < 1 {
                paper.turn();
                self.head(paper);
                continue;
            }
            let until = (at + fitting as usize).min(count);
            self.part(paper, cells, at, until);
            at = until;
        }
        paper.rule(300, Ink::Light);
    }

    /// The lines of a row from one to another, side by side.
    fn part(&self, paper: &mut Paper, cells: &[Vec<Line>], from: usize, until: usize) {
        paper.gap(AIR);
        let top = paper.y;
        let mut bottom = top;
        let mut x = MARGIN;
        for ((cell, column), width) in cells.iter().zip(self.columns).zip(self.widths) {
            paper.y = top;
            for line in cell.iter().skip(from).take(until.saturating_sub(from)) {
                if column.right {
                    paper.line_up_to(x + width, line.style, &line.text);
                } else {
                    paper.line_of(x, line.style, &line.text);
                }
                paper.y += line.style.leading();
            }
            bottom = bottom.max(paper.y);
            x += width + GAP;
        }
        paper.y = bottom;
    }
}

/// The highest line at this place of a row, from which on its lines are counted.
fn leading(cells: &[Vec<Line>], from: usize) -> i32 {
    let lines = cells.iter().flat_map(|cell| cell.iter().skip(from));
    lines.map(|line| line.style.leading()).max().unwrap_or(0)
}

fn height(cells: &[Vec<Line>]) -> i32 {
    let heights = cells
        .iter()
        .map(|cell| cell.iter().map(|line| line.style.leading()).sum::<i32>());
    heights.max().unwrap_or(0) + 2 * AIR + 3 * POINT
}

fn lines(paper: &Paper, cells: &[Cell], widths: &[i32]) -> Vec<Vec<Line>> {
    let of_cell = |(cell, width): (&Cell, &i32)| {
        let broken = cell.iter().filter(|(_, text)| !text.is_empty());
        let broken = broken.flat_map(|(style, text)| {
            let face = paper.fonts.face(style.bold);
            let lines = face.wrap(text, style.size, *width);
            lines.into_iter().map(|text| Line {
                style: *style,
                text,
            })
        });
        broken.collect()
    };
    cells.iter().zip(widths).map(of_cell).collect()
}

/// Fitting columns take what they need, and the columns of words share the rest. If too little is left, the figures
/// give way too, and are broken rather than cut.
fn widths(paper: &Paper, head: Style, columns: &[Column], rows: &[Vec<Cell>]) -> Vec<i32> {
    let measure = |style: &Style, text: &str| {
        let face = paper.fonts.face(style.bold);
        face.width(&face.fit(text), style.size)
    };
    let widest = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).flatten();
        let texts = cells.map(|(style, text)| measure(style, text));
        texts
            .chain([measure(&head, columns[at].title)])
            .max()
            .unwrap_or(0)
    };
    let gaps = GAP * (columns.len() as i32 - 1);
    let all = paper.body() - gaps;
    let shares: i32 = columns
        .iter()
        .map(|column| match column.width {
            Width::Share(share) => share,
            Width::Fit => 0,
        })
        .sum();
    let words = columns
        .iter()
        .filter(|column| matches!(column.width, Width::Share(_)))
        .count() as i32;
    let fitting: Vec<i32> = (0..columns.len())
        .map(|at| match columns[at].width {
            Width::Fit => widest(at),
            Width::Share(_) => 0,
        })
        .collect();
    let needed: i32 = fitting.iter().sum();
    let most = all - words * NARROWEST;
    let rest = (all - needed.min(most)).max(0);
    let widths = columns.iter().zip(fitting).map(|(column, fit)| {
        let width = match column.width {
            Width::Share(share) => i64::from(rest) * i64::from(share) / i64::from(shares.max(1)),
            Width::Fit if needed > most => {
                i64::from(fit) * i64::from(most) / i64::from(needed.max(1))
            }
            Width::Fit => i64::from(fit),
        };
        i32::try_from(width).unwrap_or(0)
    });
    widths.collect()
}
