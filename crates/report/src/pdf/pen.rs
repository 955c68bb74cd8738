//! Draws the marks: the only place that knows the library's own units, and the only one with binary floats, which
//! are places on paper and never amounts.

use jiff::tz::TimeZone;
use krilla::Document;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Paint, Stroke, StrokeDash};
use krilla::surface::Surface;
use tieout_domain::Timestamp;

use super::PdfError;
use super::font::Fonts;
use super::paper::{Ink, Mark, POINT, Paper};

/// The paper as the bytes of a PDF that archives take (PDF/A-2b): fonts inside, nothing outside.
pub(super) fn draw(paper: &Paper, title: &str, made_at: Timestamp) -> Result<Vec<u8>, PdfError> {
    let written = |error: &dyn std::fmt::Debug| PdfError::Write(format!("{error:?}"));
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_B)
        .finish()
        .map_err(|error| written(&error))?;
    let mut document = Document::new_with(SerializeSettings {
        configuration,
        enable_tagging: false,
        ..SerializeSettings::default()
    });
    document.set_metadata(
        Metadata::new()
            .title(title.to_owned())
            .creator("tieout".to_owned())
            .language("en".to_owned())
            .creation_date(moment(made_at)),
    );
    for marks in &paper.pages {
        let settings = PageSettings::from_wh(points(paper.width), points(paper.height));
        let mut page = document.start_page_with(settings.ok_or(PdfError::Font)?);
        let mut surface = page.surface();
        for mark in marks {
            put(&mut surface, &paper.fonts, mark);
        }
        surface.finish();
        page.finish();
    }
    let mut outline = Outline::new();
    for (name, page, y) in &paper.places {
        let place = XyzDestination::new(*page, Point::from_xy(0.0, points(*y)));
        outline.push_child(OutlineNode::new(name.clone(), place));
    }
    document.set_outline(outline);
    document.finish().map_err(|error| written(&error))
}

fn put(surface: &mut Surface<'_>, fonts: &Fonts, mark: &Mark) {
    match mark {
        Mark::Text { x, y, style, text } => {
            let face = fonts.face(style.bold);
            surface.set_stroke(None);
            surface.set_fill(Some(fill(style.ink)));
            surface.draw_glyphs(
                Point::from_xy(points(*x), points(*y)),
                &face.glyphs(text),
                face.font(),
                text,
                points(style.size),
                false,
            );
        }
        Mark::Box {
            x,
            y,
            width,
            height,
            fill: inside,
            dashed,
        } => {
            let corners = [*x, *y, *width, (*height).max(1)].map(points);
            let Some(rect) = Rect::from_xywh(corners[0], corners[1], corners[2], corners[3]) else {
                return;
            };
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            surface.set_fill(inside.map(fill));
            surface.set_stroke(Some(stroke(800, Ink::Black, *dashed)));
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
        Mark::Line {
            from,
            to,
            thick,
            ink,
        } => {
            let mut path = PathBuilder::new();
            path.move_to(points(from.0), points(from.1));
            path.line_to(points(to.0), points(to.1));
            surface.set_fill(None);
            surface.set_stroke(Some(stroke(*thick, *ink, false)));
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

fn points(length: i32) -> f32 {
    length as f32 / POINT as f32
}

fn paint(ink: Ink) -> Paint {
    let (red, green, blue) = match ink {
        Ink::Black => (0x11, 0x11, 0x11),
        Ink::Dark => (0x33, 0x33, 0x33),
        Ink::Grey => (0x55, 0x55, 0x55),
        Ink::Light => (0xbb, 0xbb, 0xbb),
        Ink::White => (0xff, 0xff, 0xff),
        Ink::Blue => (0x5b, 0x7b, 0xa6),
        Ink::Red => (0xff, 0xe2, 0xdd),
    };
    rgb::Color::new(red, green, blue).into()
}

fn fill(ink: Ink) -> Fill {
    Fill {
        paint: paint(ink),
        ..Fill::default()
    }
}

fn stroke(thick: i32, ink: Ink, dashed: bool) -> Stroke {
    Stroke {
        paint: paint(ink),
        width: points(thick),
        dash: dashed.then(|| StrokeDash {
            array: vec![3.0, 2.0],
            offset: 0.0,
        }),
        ..Stroke::default()
    }
}

/// The moment in the library's own type, in UTC. A report's moment lies in the years that it can hold.
fn moment(at: Timestamp) -> DateTime {
    let at = at.to_zoned(TimeZone::UTC);
    let small = |number: i8| u8::try_from(number).unwrap_or(0);
    DateTime::new(u16::try_from(at.year()).unwrap_or(0))
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}
