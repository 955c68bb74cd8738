//! The paper: what a report looks like as text, CSV, HTML and PDF.
//!
//! Pure: a report goes in, text or bytes come out, and the same report gives the same bytes. What a report holds
//! of names, causes and memos was written by others; each form renders it harmless in its own way.

mod base;
mod csv;
mod format;
mod html;
mod pdf;
mod sums;
mod text;
mod waterfall;
mod words;
mod wrap;

pub use crate::csv::{csv, harmless};
pub use format::Format;
pub use html::{html, picture_of};
pub use pdf::{PdfError, pdf};
pub use text::text;
