//! HTML: one page that needs nothing else, to read on a screen and to print. No script, nothing fetched. The
//! template escapes every text that it is given.

mod base;
mod evidence;
mod items;
mod picture;

use maud::{DOCTYPE, Markup, PreEscaped, html as page};
use tieout_domain::Amount;
use tieout_flows::tie_out::{Flow, LegReport, Report};

use crate::format::{Format, clean};
use crate::sums::{self, less};
use crate::{waterfall, words};

/// How it looks. Nothing that is said is said by colour alone.
const STYLE: &str = include_str!("html/style.css");

/// The report as one page of HTML.
#[must_use]
pub fn html(report: &Report) -> String {
    let format = Format::of(report.currency);
    let title = format!(
        "{}: {}, {}",
        words::TITLE,
        clean(&report.connection),
        clean(&report.period.name)
    );
    let markup = page! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (cover(report, format))
                @for leg in &report.legs { (section(report, format, leg)) }
                @for leg in sums::legs_aside(report) {
                    section.break { h2 { (words::leg_aside(leg)) } (items::table(report, format, leg)) }
                }
                (advisories(report, format))
                section.break {
                    (basis(report, format))
                    (aging(report, format))
                }
                (base::section(report))
                (evidence::section(report, format))
            }
        }
    };
    markup.into_string()
}

/// How the difference of a leg is made up, as a picture to stand in another page; `None` if there is nothing to draw.
/// What adds is of the class `adds`, what takes away `takes`, what nothing explains `residual`, the whole `total`.
#[must_use]
pub fn picture_of(report: &Report, leg: &LegReport) -> Option<Markup> {
    let waterfall = waterfall::of(report, leg)?;
    Some(picture::figure(Format::of(report.currency), &waterfall))
}

fn cover(report: &Report, format: Format) -> Markup {
    let rows = [
        ("Ledger", words::party(&report.ledger)),
        ("Platform", words::party(&report.platform)),
        ("Control accounts", words::accounts(&report.accounts)),
        ("Clearing accounts", words::accounts(&report.clearing)),
        ("Period", words::period(report)),
        ("Day reported on", format!("the end of {}", report.day)),
        ("Figures", words::as_of(report)),
        ("Ledger counts", words::basis(report).to_owned()),
        ("Currency of all amounts", report.currency.to_string()),
        ("Made", report.made_at.to_string()),
    ];
    page! {
        header {
            h1 { (words::TITLE) " " span.light { (clean(&report.connection)) } }
            div.status {
                strong { (words::sign(report.status)) (report.status.as_str()) }
                @if !report.reasons.is_empty() {
                    ul { @for reason in &report.reasons { li { (clean(reason)) } } }
                }
            }
            table.facts {
                tbody {
                    @for (name, value) in rows { tr { th scope="row" { (name) } td { (value) } } }
                    @for notice in &report.notices {
                        tr { th scope="row" { "Notice" } td { strong { "! " (clean(notice)) } } }
                    }
                }
            }
            (summary(report, format))
            @if let Some(warning) = words::not_to_be_signed(report.status) {
                p { strong.open { (warning) } }
            }
            div.signatures {
                @for (title, role) in words::ROLES {
                    (signature(title, words::signed(report, role)))
                }
            }
        }
    }
}

fn signature(title: &str, signed: [String; 3]) -> Markup {
    page! {
        div.signature {
            h2 { (title) }
            @for (line, said) in words::SIGNATURE.iter().zip(signed) {
                p { span { (line) } " " (said) }
            }
        }
    }
}

fn summary(report: &Report, format: Format) -> Markup {
    page! {
        table {
            thead {
                tr {
                    th { "Leg" }
                    th.n { "Left" }
                    th.n { "Right" }
                    th.n { "Difference" }
                    th.n { "Explained" }
                    th.n { "Residual" }
                }
            }
            tbody {
                @for leg in &report.legs {
                    tr {
                        td { (words::leg(leg)) }
                        @for amount in [leg.left.amount, leg.right.amount, leg.difference, leg.explained] {
                            (figure(format, amount))
                        }
                        (residual(format, leg))
                    }
                }
            }
        }
    }
}

fn figure(format: Format, amount: Amount) -> Markup {
    page! { td.n { (format.amount(amount)) } }
}

fn residual(format: Format, leg: &LegReport) -> Markup {
    page! {
        @if leg.residual.is_zero() { (figure(format, leg.residual)) }
        @else { td.n.open { strong { (words::NOT_EXPLAINED) " " (format.amount(leg.residual)) } } }
    }
}

fn section(report: &Report, format: Format, leg: &LegReport) -> Markup {
    page! {
        section.break {
            h2 { (words::leg(leg)) }
            table.figures {
                tbody {
                    @for side in [&leg.left, &leg.right] {
                        tr { th scope="row" { (words::figure(side)) } (figure(format, side.amount)) }
                    }
                    tr.sum { th scope="row" { (words::difference(leg)) } (figure(format, leg.difference)) }
                    @for sum in sums::by_category(report, leg.leg) {
                        tr.part {
                            th scope="row" {
                                span.code { (sum.category.code()) } " "
                                (sum.category.title()) ", " (words::items(sum.count))
                            }
                            (figure(format, sum.amount))
                        }
                    }
                    tr { th scope="row" { (words::explained(leg.leg)) } (figure(format, leg.explained)) }
                    tr.sum { th scope="row" { "Residual" } (residual(format, leg)) }
                }
            }
            @if let Some(note) = sums::beside_the_difference(report, leg) { p { (note) } }
            @if !leg.flows.is_empty() { (flows(format, &leg.flows)) }
            @if leg.leg == tieout_flows::tie_out::Leg::Platform {
                @if let Some(waterfall) = waterfall::of(report, leg) {
                    (picture::figure(format, &waterfall))
                }
            }
            (items::table(report, format, leg.leg))
        }
    }
}

fn flows(format: Format, flows: &[Flow]) -> Markup {
    page! {
        h3 { "What happened in the period" }
        table {
            thead {
                tr {
                    th { "Flow" }
                    th.n { "Ledger, number" }
                    th.n { "Ledger, amount" }
                    th.n { "Platform, number" }
                    th.n { "Platform, amount" }
                }
            }
            tbody {
                @for flow in flows {
                    tr {
                        td { (clean(&flow.label)) }
                        td.n { (flow.ledger_count) }
                        (figure(format, flow.ledger_amount))
                        td.n { (flow.platform_count) }
                        (figure(format, flow.platform_amount))
                    }
                }
            }
        }
    }
}

fn advisories(report: &Report, format: Format) -> Markup {
    if report.advisories.is_empty() {
        return page! {};
    }
    page! {
        section.break {
            h2 { (words::ADVISORIES) }
            p { (words::ADVISORY) }
            table {
                thead {
                    tr {
                        th { "Advisory" } th { "Vendor" } th { "Paid" }
                        th { "Why, and which payment" } th.n { "Amount" }
                    }
                }
                tbody {
                    @for advisory in &report.advisories {
                        tr {
                            td { span.code { (advisory.signal.code()) } }
                            td { (clean(&advisory.vendor)) }
                            td.day { (advisory.date) }
                            td {
                                (clean(&advisory.words))
                                br;
                                span.light { (words::payment(advisory)) }
                            }
                            (figure(format, words::went(advisory)))
                        }
                    }
                }
            }
        }
    }
}

fn basis(report: &Report, format: Format) -> Markup {
    page! {
        h2 { "Memo: what an aging report by transaction date shows" }
        p { (words::memo(report)) }
        table {
            thead {
                tr {
                    th { "Record" } th { "Document" } th { "Vendor" }
                    th { "Dated" } th { "Period to" } th.n { "Amount" }
                }
            }
            tbody {
                @for line in &report.basis {
                    tr {
                        td { (words::record(&line.document)) }
                        td { (clean(&line.document.label)) }
                        td { (clean(&line.vendor)) }
                        td.day { (line.date) }
                        td.day { (line.posted) }
                        (figure(format, line.amount))
                    }
                }
                tr.sum {
                    td colspan="5" { "Aging by transaction date, less sub-ledger by period" }
                    (figure(format, report.basis_difference))
                }
            }
        }
    }
}

fn aging(report: &Report, format: Format) -> Markup {
    let ledger: Amount = report.aging.iter().map(|aging| aging.ledger).sum();
    let platform: Amount = report.aging.iter().map(|aging| aging.platform).sum();
    page! {
        h2 { "Open by age at the end of " (report.day) }
        table {
            thead {
                tr {
                    th { "Due" } th.n { "Ledger" } th.n { "Platform" } th.n { "Difference" }
                }
            }
            tbody {
                @for aging in &report.aging {
                    tr {
                        td { (clean(&aging.bucket)) }
                        (figure(format, aging.ledger))
                        (figure(format, aging.platform))
                        (figure(format, less(aging.ledger, aging.platform)))
                    }
                }
                tr.sum {
                    td { "Total" }
                    (figure(format, ledger))
                    (figure(format, platform))
                    (figure(format, less(ledger, platform)))
                }
            }
        }
    }
}
