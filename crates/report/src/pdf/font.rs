//! The font that is embedded: DejaVu Sans Condensed, which has the letters of most of Europe.
//!
//! Each character is set by itself, without ligatures, so that the text can be searched and copied as it stands.
//! Lengths are whole thousandths of a point, so that lines break alike on every machine.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use unicode_normalization::UnicodeNormalization;

use super::PdfError;

/// One cut of the font.
pub(super) struct Face {
    font: Font,
    read: FontRef<'static>,
    units: i64,
}

/// Regular and bold.
pub(super) struct Fonts {
    regular: Face,
    bold: Face,
}

impl Fonts {
    pub(super) fn new() -> Result<Self, PdfError> {
        Ok(Self {
            regular: Face::new(dejavu::sans_condensed::regular())?,
            bold: Face::new(dejavu::sans_condensed::bold())?,
        })
    }

    pub(super) fn face(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.regular }
    }
}

impl Face {
    fn new(bytes: &'static [u8]) -> Result<Self, PdfError> {
        let read = FontRef::new(bytes).map_err(|_| PdfError::Font)?;
        let units = read.metrics(Size::unscaled(), LocationRef::default());
        Ok(Self {
            font: Font::new(bytes.into(), 0).ok_or(PdfError::Font)?,
            units: i64::from(units.units_per_em.max(1)),
            read,
        })
    }

    pub(super) fn font(&self) -> Font {
        self.font.clone()
    }

    /// The text as the font can set it: composed letters, and `?` for each character that it lacks.
    pub(super) fn fit(&self, text: &str) -> String {
        let glyphs = self.read.charmap();
        let fit = |c: char| match glyphs.map(c) {
            Some(glyph) if glyph.to_u32() != 0 => c,
            _ => '?',
        };
        text.nfc().map(fit).collect()
    }

    /// How wide a text is in this size.
    pub(super) fn width(&self, text: &str, size: i32) -> i32 {
        let width = self.advances(text).map(|(_, advance)| advance).sum::<i64>();
        let width = (width * i64::from(size) + self.units - 1) / self.units;
        i32::try_from(width).unwrap_or(i32::MAX)
    }

    /// Breaks a text into lines of at most this width.
    pub(super) fn wrap(&self, text: &str, size: i32, width: i32) -> Vec<String> {
        let (glyphs, metrics) = (self.read.charmap(), self.metrics());
        let advance = |c: char| {
            let glyph = glyphs.map(c).unwrap_or_default();
            i64::from(metrics.advance_width(glyph).unwrap_or_default() as i32)
        };
        let room = i64::from(width) * self.units / i64::from(size.max(1));
        crate::wrap::wrap(&self.fit(text), room, advance)
    }

    /// The text as glyphs.
    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let map = self.read.charmap();
        let units = self.units as f32;
        let placed = text.char_indices().zip(self.advances(text));
        let glyphs = placed.map(|((at, c), (_, advance))| {
            let glyph = map.map(c).unwrap_or_default().to_u32();
            let range = at..at + c.len_utf8();
            let advance = advance as f32 / units;
            KrillaGlyph::new(GlyphId::new(glyph), advance, 0.0, 0.0, 0.0, range, None)
        });
        glyphs.collect()
    }

    /// Each character and its width in the font's own units, which are whole.
    fn advances(&self, text: &str) -> impl Iterator<Item = (char, i64)> {
        let (glyphs, metrics) = (self.read.charmap(), self.metrics());
        text.chars().map(move |c| {
            let glyph = glyphs.map(c).unwrap_or_default();
            let advance = metrics.advance_width(glyph).unwrap_or_default();
            (c, i64::from(advance as i32))
        })
    }

    fn metrics(&self) -> skrifa::metrics::GlyphMetrics<'static> {
        self.read
            .glyph_metrics(Size::unscaled(), LocationRef::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_font_lacks_becomes_a_question_mark() {
        let fonts = Fonts::new().unwrap();
        for bold in [false, true] {
            let face = fonts.face(bold);
            let european = "Müller, Łódź, Škoda, Señor, Þór, Çelik, €";
            assert_eq!(face.fit(european), european);
            assert_eq!(face.fit("Mu\u{308}ller 東京"), "Müller ??");
            assert!(face.width("WWW", 8_000) > face.width("iii", 8_000));
        }
    }
}
