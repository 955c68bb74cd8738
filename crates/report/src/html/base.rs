//! The base page.

use maud::{Markup, html as page};
use tieout_flows::tie_out::{BasePage, Report};

use crate::base;
use crate::format::{Format, clean};
use crate::words;

/// The page; nothing where the report is in base currency.
pub(super) fn section(report: &Report) -> Markup {
    let Some(base) = &report.base else {
        return page! {};
    };
    let format = Format::of(base.currency);
    page! {
        section.break {
            h2 { (base::heading(base)) }
            p { (base::NOTE) }
            table.figures {
                tbody {
                    @for (text, amount) in base::sums(report, base) {
                        tr { th scope="row" { (text) } td.n { (format.amount(amount)) } }
                    }
                }
            }
            (lines(report, base, format))
            (untold(base))
        }
    }
}

fn lines(report: &Report, base: &BasePage, format: Format) -> Markup {
    if base.lines.is_empty() {
        return page! {};
    }
    page! {
        table {
            thead {
                tr {
                    th { "Category" } th { "Vendor" } th { "Ledger" } th { "Platform" }
                    th { "Date" } th.n { "Difference" }
                }
            }
            tbody {
                @for line in &base.lines {
                    tr {
                        td { span.code { (base::code(line)) } }
                        td { (clean(&line.vendor)) }
                        @for of in [&line.ledger, &line.platform] {
                            td {
                                (clean(&of.label))
                                br;
                                span.light { (base::valued(report, base, of)) }
                            }
                        }
                        td.day { (line.date) }
                        td.n { (format.amount(line.amount)) }
                    }
                }
            }
        }
    }
}

fn untold(base: &BasePage) -> Markup {
    if base.untold.is_empty() {
        return page! {};
    }
    page! {
        h3 { (base::UNTOLD.trim_end_matches(':')) }
        table {
            thead { tr { th { "Ledger" } th { "Platform" } th { "Vendor" } th { "Why" } } }
            tbody {
                @for untold in &base.untold {
                    tr {
                        @for document in [&untold.ledger, &untold.platform] {
                            td { (words::record(document)) br; (clean(&document.label)) }
                        }
                        td { (clean(&untold.vendor)) }
                        td { (clean(&untold.cause)) }
                    }
                }
            }
        }
    }
}
