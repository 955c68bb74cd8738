//! The differences of a leg.

use maud::{Markup, html as page};
use tieout_flows::tie_out::{Document, Item, Leg, Report};

use crate::format::{Format, clean};
use crate::words;

/// All items of the leg; nothing if it has none.
pub(super) fn table(report: &Report, format: Format, leg: Leg) -> Markup {
    let mut items = report.items_of(leg).peekable();
    if items.peek().is_none() {
        return page! {};
    }
    // The columns are fixed, so that ids break and not the words; the figures get what the longest of them takes.
    let figures = report
        .items_of(leg)
        .map(|item| format.amount(item.amount).len());
    let figures = figures.max().unwrap_or(0).max("Difference".len()) + 3;
    page! {
        h3 { "Item by item" }
        table.items {
            colgroup {
                col.when; col.wide; col.side; col.wide; col.when; col;
                col style=(format!("width: {figures}ch"));
            }
            thead {
                tr {
                    th { "Category" }
                    th { (report.book.party_title()) }
                    th { "Ledger" }
                    th { "Platform" }
                    th { "Date, age" }
                    th { "Cause and owner" }
                    th.n { "Difference" }
                }
            }
            tbody { @for item in items { (row(format, item)) } }
        }
    }
}

fn row(format: Format, item: &Item) -> Markup {
    page! {
        tr {
            td {
                span.code { (item.category.code()) }
                br;
                span.light { (words::gravity(item.category.gravity())) }
            }
            td { (clean(&item.vendor)) }
            td { (document(format, item.ledger.as_ref())) }
            td { (document(format, item.platform.as_ref())) }
            td.day { (item.date) br; (words::days(item.age_days)) }
            td {
                (clean(&item.cause))
                @if let Some(code) = &item.code { " [" (clean(code.as_str())) "]" }
                @if let Some(day) = item.clears_by { " Expected to clear by " span.day { (day) } "." }
                br;
                @if item.is_owned() { em { (words::owner(item)) } }
                @else { span.light { (words::owner(item)) } }
            }
            td.n { (format.amount(item.amount)) }
        }
    }
}

fn document(format: Format, document: Option<&Document>) -> Markup {
    page! {
        @if let Some(document) = document {
            (words::record(document))
            br;
            (clean(&document.label))
            br;
            span.light { (format.amount(document.amount)) }
        } @else {
            span.light { "none" }
        }
    }
}
