//! The base page, in the words that all forms share.

use tieout_domain::Amount;
use tieout_flows::tie_out::{BaseLine, BasePage, Category, Report, Untold, Valued};

use crate::format::{Format, clean};
use crate::words;

/// What the page is, said before its figures.
pub(crate) const NOTE: &str = "What both sides have open, at the rate that each side showed when it was read. It is a matter of valuation: no \
                               status and no leg depends on it.";

/// What stands before the documents that can't be compared.
pub(crate) const UNTOLD: &str = "Not compared:";

/// `In base currency: USD`.
pub(crate) fn heading(page: &BasePage) -> String {
    format!("In base currency: {}", page.currency)
}

/// What the documents come to, figure by figure.
pub(crate) fn sums(report: &Report, page: &BasePage) -> Vec<(String, Amount)> {
    let differing = page.lines.iter().filter(|line| line.category.is_some());
    let count = u64::try_from(differing.count()).unwrap_or(u64::MAX);
    let fx = Category::Exchange;
    vec![
        ("Ledger, at its rates".to_owned(), page.ledger),
        ("Platform, at its rates".to_owned(), page.platform),
        ("Difference".to_owned(), page.difference),
        (
            format!("{}  {}, {}", fx.code(), fx.title(), words::items(count)),
            page.exchange,
        ),
        (
            format!("Differs in {} already: see leg 2", report.currency),
            page.in_currency,
        ),
    ]
}

/// `Acme Paper, INV-7201`.
pub(crate) fn names(line: &BaseLine) -> String {
    let (ledger, platform) = (clean(&line.ledger.label), clean(&line.platform.label));
    let labels = if ledger == platform {
        ledger
    } else {
        format!("{ledger} / {platform}")
    };
    let names = [clean(&line.vendor), labels];
    let names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
    names.join(", ")
}

/// `bill 7201: CAD 200.00 at 0.73 is USD 146.00`.
pub(crate) fn valued(report: &Report, page: &BasePage, of: &Valued) -> String {
    let (own, base) = (Format::of(report.currency), Format::of(page.currency));
    format!(
        "{} {}: {} {} at {} is {} {}",
        of.record.kind,
        clean(of.record.id.as_str()),
        report.currency,
        own.amount(of.open),
        of.rate,
        page.currency,
        base.amount(of.base)
    )
}

/// The documents of one that can't be compared, and why not.
pub(crate) fn untold(untold: &Untold) -> String {
    format!(
        "{} {} and {}, {}: {}",
        words::record(&untold.ledger),
        clean(&untold.ledger.label),
        words::record(&untold.platform),
        clean(&untold.vendor),
        clean(&untold.cause)
    )
}

/// The code of a line's category, if it has one.
pub(crate) fn code(line: &BaseLine) -> &'static str {
    line.category.map_or("", Category::code)
}
