//! A column of text of a given width, in the cells of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text in lines of at most a given width. Only a figure may go beyond it: a number that is cut is another number.
pub(super) struct Column {
    pub(super) width: usize,
    out: String,
}

impl Column {
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            out: String::new(),
        }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// A line as it is; what stands at its end for nothing is left away.
    pub(super) fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    pub(super) fn rule(&mut self, c: char) {
        self.line(&c.to_string().repeat(self.width));
    }

    /// A text at an indent, in as many lines as it needs; the first begins with `lead`.
    pub(super) fn wrapped(&mut self, lead: &str, indent: usize, text: &str) {
        let room = self.width.saturating_sub(indent).max(1);
        let mut lead = pad(lead, indent);
        for line in wrap(text, room) {
            self.line(&format!("{lead}{line}"));
            lead = " ".repeat(indent);
        }
    }

    /// A text at an indent with a figure at the right edge of its first line.
    pub(super) fn figure(&mut self, indent: usize, text: &str, figure: &str) {
        let taken = indent + figure.width() + 2;
        let room = self.width.saturating_sub(taken).max(12);
        for (at, line) in wrap(text, room).iter().enumerate() {
            if at > 0 {
                self.line(&format!("{}  {line}", " ".repeat(indent)));
                continue;
            }
            let left = format!("{}{}", " ".repeat(indent), pad(line, room));
            let gap = self.width.saturating_sub(left.width() + figure.width());
            self.line(&format!("{left}{}{figure}", " ".repeat(gap.max(2))));
        }
    }

    /// Rows of cells in aligned columns: the first column to the left, the others to the right.
    pub(super) fn table(&mut self, indent: usize, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut widths: Vec<usize> = (0..columns)
            .map(|at| {
                let cells = rows.iter().filter_map(|row| row.get(at));
                cells.map(|cell| cell.width()).max().unwrap_or(0)
            })
            .collect();
        // The words give way to the figures.
        let figures: usize = widths.iter().skip(1).map(|width| width + 2).sum();
        let room = self.width.saturating_sub(indent + figures).max(10);
        if let Some(first) = widths.first_mut() {
            *first = room.min(*first).max(room.min(24));
        }
        for row in rows {
            let label = wrap(row.first().map_or("", String::as_str), widths[0]);
            for (at, part) in label.iter().enumerate() {
                let mut line = format!("{}{}", " ".repeat(indent), pad(part, widths[0]));
                for (cell, width) in row.iter().zip(&widths).skip(1).filter(|_| at == 0) {
                    line.push_str("  ");
                    line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
                    line.push_str(cell);
                }
                self.line(&line);
            }
        }
    }
}

/// Filled up with spaces to a width.
pub(super) fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// Broken into lines of at most this width.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let cells = |c: char| i64::try_from(c.width().unwrap_or(0)).unwrap_or(0);
    crate::wrap::wrap(text, i64::try_from(width).unwrap_or(i64::MAX), cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_cells() {
        assert_eq!(wrap("株式会社 東京", 8), ["株式会社", "東京"]);
        assert_eq!(pad("東京", 5), "東京 ");
    }

    #[test]
    fn figures_stand_at_the_right_edge_or_beyond_and_are_never_cut() {
        let mut column = Column::new(30);
        column.figure(2, "short", "1.00");
        column.figure(2, "a label that is longer than one line", "123,456.00");
        assert_eq!(
            column.finish(),
            "  short                   1.00\n  a label that is   123,456.00\n    longer than one\n    line\n"
        );
    }
}
