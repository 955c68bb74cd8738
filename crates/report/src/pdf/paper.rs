//! Pages as lists of marks, filled from top to bottom. Nothing is drawn until all pages are known, because each says
//! how many there are. Lengths are thousandths of a point, downward from the top.

use tieout_domain::Currency;

use super::PdfError;
use super::font::Fonts;

/// A point.
pub(super) const POINT: i32 = 1_000;

/// What is left free at the edges.
pub(super) const MARGIN: i32 = 40 * POINT;

/// Where the body ends, above the foot of the page.
const FOOT: i32 = 56 * POINT;

/// Colours. None says anything that words or signs don't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Black,
    Dark,
    Grey,
    Light,
    White,
    Blue,
    Red,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) size: i32,
    pub(super) bold: bool,
    pub(super) ink: Ink,
}

impl Style {
    pub(super) const fn plain(size: i32) -> Self {
        Self {
            size,
            bold: false,
            ink: Ink::Black,
        }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) const fn grey(self) -> Self {
        Self {
            ink: Ink::Grey,
            ..self
        }
    }

    /// From one line to the next.
    pub(super) fn leading(self) -> i32 {
        self.size * 13 / 10
    }
}

/// Something on a page.
#[derive(Debug, Clone)]
pub(super) enum Mark {
    /// A text, its left end on the line.
    Text {
        x: i32,
        y: i32,
        style: Style,
        text: String,
    },
    /// A rectangle, from its corner to the left and above.
    Box {
        x: i32,
        y: i32,
        width: i32,
        height: i32,
        fill: Option<Ink>,
        dashed: bool,
    },
    /// A line.
    Line {
        from: (i32, i32),
        to: (i32, i32),
        thick: i32,
        ink: Ink,
    },
}

/// The pages so far, and where on the last one the next thing goes.
pub(super) struct Paper {
    pub(super) fonts: Fonts,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) pages: Vec<Vec<Mark>>,
    /// What a reader can jump to: a name, a page, and how far down it is.
    pub(super) places: Vec<(String, usize, i32)>,
    pub(super) y: i32,
    head: String,
    /// The section that goes on where a page ends.
    section: String,
}

impl Paper {
    /// US Letter where the currency says that the company prints on it, otherwise A4.
    pub(super) fn new(currency: Currency, head: String) -> Result<Self, PdfError> {
        let letter = ["USD", "CAD", "MXN"].contains(&currency.code());
        let (width, height) = if letter {
            (612 * POINT, 792 * POINT)
        } else {
            (595_276, 841_890)
        };
        let fonts = Fonts::new()?;
        // It stands beside other words in one line; in full it is on the cover.
        let running = fonts.face(false).wrap(&head, 7 * POINT, width / 2);
        let head = running.into_iter().next().unwrap_or_default();
        let mut paper = Self {
            fonts,
            width,
            height,
            pages: Vec::new(),
            places: Vec::new(),
            y: 0,
            head,
            section: String::new(),
        };
        paper.turn();
        Ok(paper)
    }

    /// How wide the body is.
    pub(super) fn body(&self) -> i32 {
        self.width - 2 * MARGIN
    }

    /// How much is left of the page.
    pub(super) fn left(&self) -> i32 {
        self.height - FOOT - self.y
    }

    /// How much an empty page takes.
    pub(super) fn whole(&self) -> i32 {
        self.height - FOOT - MARGIN - 20 * POINT
    }

    /// Begins a page.
    pub(super) fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = MARGIN;
        if self.pages.len() > 1 {
            let head = self.head.clone();
            let style = Style::plain(7 * POINT).grey();
            self.line_of(MARGIN, style, &head);
            if !self.section.is_empty() {
                let goes_on = format!("{}, continued", self.section);
                self.line_up_to(self.width - MARGIN, style, &goes_on);
            }
            self.y = MARGIN + 20 * POINT;
        }
    }

    /// Begins a page if less than this is left of it.
    pub(super) fn need(&mut self, height: i32) {
        if self.left() < height.min(self.whole()) {
            self.turn();
        }
    }

    pub(super) fn gap(&mut self, height: i32) {
        self.y += height;
    }

    pub(super) fn put(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Begins a page with another section.
    pub(super) fn next_section(&mut self, title: &str) {
        self.section.clear();
        self.turn();
        self.heading(title);
    }

    /// A heading that a reader can jump to; a little of what follows stays with it.
    pub(super) fn heading(&mut self, title: &str) {
        if self.left() < 80 * POINT {
            self.section.clear();
            self.turn();
        }
        title.clone_into(&mut self.section);
        let place = (title.to_owned(), self.pages.len() - 1, self.y);
        self.places.push(place);
        self.paragraph(Style::plain(13 * POINT).bold(), title);
        self.rule(POINT, Ink::Black);
        self.gap(8 * POINT);
    }

    pub(super) fn subheading(&mut self, text: &str) {
        self.need(60 * POINT);
        self.gap(10 * POINT);
        self.paragraph(Style::plain(9 * POINT).bold(), text);
        self.gap(3 * POINT);
    }

    /// A text over the whole width.
    pub(super) fn paragraph(&mut self, style: Style, text: &str) {
        self.block(MARGIN, self.body(), style, text);
    }

    /// A text in a column of this page and, where it doesn't fit, of the next ones.
    pub(super) fn block(&mut self, x: i32, width: i32, style: Style, text: &str) {
        for line in self.fonts.face(style.bold).wrap(text, style.size, width) {
            self.need(style.leading());
            self.line_of(x, style, &line);
            self.y += style.leading();
        }
    }

    /// A line of text at the place that has been reached, which stays as it is.
    pub(super) fn line_of(&mut self, x: i32, style: Style, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let text = self.fonts.face(style.bold).fit(text);
        self.put(Mark::Text {
            x,
            y: self.y + style.size,
            style,
            text,
        });
    }

    /// As [`line_of`](Self::line_of), with its right end at `right`.
    pub(super) fn line_up_to(&mut self, right: i32, style: Style, text: &str) {
        let face = self.fonts.face(style.bold);
        let width = face.width(&face.fit(text), style.size);
        self.line_of(right - width, style, text);
    }

    /// A line over the whole width.
    pub(super) fn rule(&mut self, thick: i32, ink: Ink) {
        let y = self.y + 2 * POINT;
        self.put(Mark::Line {
            from: (MARGIN, y),
            to: (self.width - MARGIN, y),
            thick,
            ink,
        });
        self.y = y + thick;
    }

    /// Puts the foot on every page, now that their number is known.
    pub(super) fn finish(&mut self, foot: &str) {
        let style = Style::plain(7 * POINT).grey();
        let count = self.pages.len();
        let y = self.height - 36 * POINT;
        let room = self.body() - 80 * POINT;
        let foot = self.fonts.face(false).wrap(foot, style.size, room);
        let foot = foot.into_iter().next().unwrap_or_default();
        for at in 0..count {
            let number = format!("page {} of {count}", at + 1);
            let face = self.fonts.face(false);
            let width = face.width(&number, style.size);
            let texts = [
                (MARGIN, foot.clone()),
                (self.width - MARGIN - width, number),
            ];
            for (x, text) in texts {
                self.pages[at].push(Mark::Text { x, y, style, text });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_is_that_of_the_country_and_a_page_is_begun_when_one_is_full() {
        let paper = |currency: &str| Paper::new(currency.parse().unwrap(), "head".repeat(200));
        let mut letter = paper("USD").unwrap();
        assert_eq!((letter.width, letter.height), (612 * POINT, 792 * POINT));
        assert_eq!(paper("EUR").unwrap().height, 841_890);

        let style = Style::plain(10 * POINT);
        letter.paragraph(style, &"word ".repeat(5_000));
        assert!(letter.pages.len() > 3);
        letter.finish("foot");
        for mark in letter.pages.iter().flatten() {
            let Mark::Text { x, y, style, text } = mark else {
                continue;
            };
            let width = letter.fonts.face(style.bold).width(text, style.size);
            assert!(*x >= MARGIN && x + width <= letter.width - MARGIN, "{text}");
            assert!(*y >= MARGIN && *y <= letter.height - 20 * POINT, "{text}");
        }
    }
}
