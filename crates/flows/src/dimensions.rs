//! Departments, classes and locations (scenarios 153–158, 165).

use tieout_domain::code::Code;
use tieout_domain::document::Dimension;
use tieout_domain::{Document, Kind, Side};

use crate::lists::{self, Entry};
use crate::verdict::noop;
use crate::{Books, Flow, Need, Subject, Verdict};

/// The flow's name.
pub const NAME: &str = "dimensions";

/// Carries departments, classes and locations of the ledger to the platform.
#[derive(Debug, Clone, Copy)]
pub struct Dimensions;

fn entry<'a>(dimension: &'a Dimension, books: &Books) -> Entry<'a> {
    let elsewhere = books
        .connection
        .subsidiary
        .as_ref()
        .is_some_and(|subsidiary| {
            !dimension.subsidiaries.is_empty() && !dimension.subsidiaries.contains(subsidiary)
        });
    let out = if elsewhere {
        let cause = format!(
            "{} may not be used in this connection's subsidiary",
            dimension.path
        );
        Some((Code::new("other-subsidiary"), cause))
    } else if dimension.inactive {
        Some((
            Code::new("inactive"),
            format!("{} is inactive", dimension.path),
        ))
    } else {
        None
    };
    Entry {
        flow: NAME,
        kind: dimension.axis,
        unmapped: Code::new("unmapped-dimension"),
        parent: dimension.parent.as_ref(),
        out,
        heading: false,
    }
}

impl Flow for Dimensions {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[
            (Side::Ledger, Kind::Department),
            (Side::Ledger, Kind::Class),
            (Side::Ledger, Kind::Location),
        ]
    }

    fn maps(&self) -> &'static [Kind] {
        &Kind::DIMENSIONS
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[
            (Side::Platform, Kind::Department),
            (Side::Platform, Kind::Class),
            (Side::Platform, Kind::Location),
        ]
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        match &subject.observed.document {
            Document::Dimension(dimension) => {
                lists::needs(&entry(dimension, books), subject, books)
            }
            _ => Vec::new(),
        }
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        let Document::Dimension(dimension) = &subject.observed.document else {
            return noop(Code::new("other-kind"), "not a dimension");
        };
        lists::decide(&entry(dimension, books), subject, books, |parent| {
            Document::Dimension(Dimension {
                parent,
                inactive: false,
                subsidiaries: Vec::new(),
                ..dimension.clone()
            })
        })
    }
}
