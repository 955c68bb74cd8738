//! Why what was read is known to be all: for the auditor.

use maud::{Markup, html as page};
use tieout_flows::tie_out::{Check, Extract, Report};

use crate::format::{Format, clean, clean_lines};

/// What was read, how it was checked, and how every record stands.
pub(super) fn section(report: &Report, format: Format) -> Markup {
    let completeness = &report.completeness;
    page! {
        section.break {
            h2 { "Completeness: why this is known to be all" }
            p {
                "Both sides were read within " (completeness.window_seconds) " seconds by tieout "
                (clean(&completeness.version)) ", under the rules " (clean(&completeness.rules)) "."
            }
            @if !completeness.checks.is_empty() { (checks(&completeness.checks)) }
            @for extract in &completeness.extracts { (read(format, extract)) }
            @if !completeness.states.is_empty() { (states(report)) }
        }
    }
}

fn checks(checks: &[Check]) -> Markup {
    page! {
        table {
            thead { tr { th { "Check" } th.n { "Expected" } th.n { "Found" } th { "Result" } } }
            tbody {
                @for check in checks {
                    tr {
                        td { (clean(&check.what)) }
                        td.n { (clean(&check.expected)) }
                        td.n { (clean(&check.found)) }
                        td {
                            @if check.holds { "holds" } @else { strong.open { "!! FAILS" } }
                        }
                    }
                }
            }
        }
    }
}

fn read(format: Format, extract: &Extract) -> Markup {
    page! {
        div.extract {
            h3 { "Read: " (clean(&extract.what)) }
            pre { (clean_lines(&extract.query).join("\n")) }
            table.facts {
                tbody {
                    tr { th scope="row" { "Rows" } td { (extract.rows) } }
                    tr { th scope="row" { "Total" } td { (format.amount(extract.total)) } }
                    tr {
                        th scope="row" { "Read" }
                        td { (extract.started) " to " (extract.ended) }
                    }
                    @if !extract.server_time.is_empty() {
                        tr {
                            th scope="row" { "The service's own time" }
                            td { (clean(&extract.server_time)) }
                        }
                    }
                    tr {
                        th scope="row" { "Last page" }
                        td {
                            @if extract.last_page_seen { "seen" }
                            @else { strong.open { "!! NOT SEEN" } }
                        }
                    }
                    tr { th scope="row" { "SHA-256 of the rows" } td.hash { (clean(&extract.sha256)) } }
                }
            }
        }
    }
}

fn states(report: &Report) -> Markup {
    page! {
        h3 { "How every record stands" }
        table {
            thead { tr { th { "Flow" } th { "State" } th.n { "Records" } } }
            tbody {
                @for (flow, states) in &report.completeness.states {
                    @for (state, count) in states {
                        tr { td { (clean(flow)) } td { (clean(state)) } td.n { (count) } }
                    }
                    tr.sum {
                        td { (clean(flow)) } td { "all" } td.n { (states.values().sum::<u64>()) }
                    }
                }
            }
        }
    }
}
