//! Words that all forms share, so that a report reads the same on every paper.

use tieout_domain::Amount;
use tieout_flows::tie_out::{
    AccountName, Advisory, Document, Figure, Gravity, Item, Leg, LegReport, Method, Party, Report,
    Status,
};

use crate::format::{Format, clean};

/// What the report is called: `Payables tie-out`.
pub(crate) fn title(report: &Report) -> String {
    format!("{} tie-out", report.book.title())
}

/// What stands where a residual is not zero: it must be seen without colour.
pub(crate) const NOT_EXPLAINED: &str = "!! NOT EXPLAINED";

/// What stands where nobody looks after an item.
pub(crate) const NOBODY: &str = "nobody";

/// `as of 2026-06-15, rolled back from 2026-07-01T06:01:12Z`: the day, and how its figures were had.
pub(crate) fn as_of(report: &Report) -> String {
    let (day, made_at) = (report.day, report.made_at);
    match report.method {
        Method::AsOfNow => format!("as of {day}, which had not ended: what was there at {made_at}"),
        Method::RollBack => format!("as of {day}, rolled back from {made_at}"),
    }
}

/// By what the ledger's figures go.
pub(crate) fn basis(report: &Report) -> &'static str {
    if report.is_by_day() {
        "by the day of each transaction"
    } else {
        "by posting period, as the general ledger does"
    }
}

/// What stands above the memo.
pub(crate) fn memo(report: &Report) -> String {
    if report.is_by_day() {
        return "The sub-ledger of this report goes by the day of each transaction, as an aging report does: there \
                is nothing to list."
            .to_owned();
    }
    format!(
        "Documents whose day and posting period lie on different sides of {}. The sub-ledger of this report goes \
         by posting period, as the general ledger does.",
        report.day
    )
}

/// What stands before a status that must be seen without colour; nothing before the others.
pub(crate) fn sign(status: Status) -> &'static str {
    match status {
        Status::Tied | Status::TiedWithExceptions => "",
        Status::NotTied => "!! ",
        Status::Incomplete => "?? ",
    }
}

/// What stands above the lines for signatures of a report that must not have any.
pub(crate) fn not_to_be_signed(status: Status) -> Option<&'static str> {
    (status == Status::Incomplete)
        .then_some("!! NOT TO BE SIGNED: what was read is not known to be all.")
}

/// The heading over items of a leg that is not in the report.
pub(crate) fn leg_aside(leg: Leg) -> String {
    format!("Leg {}: {}, not compared", leg.number(), leg.title())
}

/// `netsuite 1234567, subsidiary 3`.
pub(crate) fn party(party: &Party) -> String {
    let mut text = format!("{} {}", clean(&party.system), clean(&party.account));
    if !party.part.is_empty() {
        text.push_str(", ");
        text.push_str(&clean(&party.part));
    }
    text
}

/// `2000 Accounts Payable, 2010 …`, or `none`.
pub(crate) fn accounts(accounts: &[AccountName]) -> String {
    if accounts.is_empty() {
        return "none".to_owned();
    }
    let names = accounts.iter().map(|account| {
        format!(
            "{} (id {})",
            clean(&account.label),
            clean(account.id.as_str())
        )
    });
    names.collect::<Vec<_>>().join("; ")
}

/// `Jun 2026, 2026-06-01 to 2026-06-30, locked for payables`.
pub(crate) fn period(report: &Report) -> String {
    let period = &report.period;
    format!(
        "{}, {} to {}, {} for {}",
        clean(&period.name),
        period.start,
        period.end,
        clean(&period.state),
        report.book.as_str()
    )
}

/// `Leg 2: Sub-ledger and platform`.
pub(crate) fn leg(leg: &LegReport) -> String {
    let title = clean(&leg.title);
    let title = if title.is_empty() {
        leg.leg.title().to_owned()
    } else {
        title
    };
    format!("Leg {}: {title}", leg.leg.number())
}

/// `A  sub-ledger, open items`.
pub(crate) fn figure(figure: &Figure) -> String {
    format!("{}  {}", clean(&figure.symbol), clean(&figure.label))
}

/// `bill 7201`: the record by its id.
pub(crate) fn record(document: &Document) -> String {
    format!(
        "{} {}",
        document.record.kind,
        clean(document.record.id.as_str())
    )
}

/// What people call the documents of an item: one name where both sides agree on it, otherwise both.
pub(crate) fn documents(item: &Item) -> String {
    let label = |document: &Option<Document>| {
        let label = document.as_ref().map(|document| clean(&document.label));
        label.filter(|label| !label.is_empty())
    };
    match (label(&item.ledger), label(&item.platform)) {
        (Some(a), Some(b)) if a == b => a,
        (Some(a), Some(b)) => format!("{a} / {b}"),
        (a, b) => a.or(b).unwrap_or_default(),
    }
}

/// The heading over the advisories.
pub(crate) const ADVISORIES: &str = "Advisories: payments that are worth a look";

/// What an advisory is, said before the first one.
pub(crate) const ADVISORY: &str =
    "No difference is among them, and no status or residual depends on them.";

/// What people call the payment of an advisory, with its record on each side that has it.
pub(crate) fn payment(advisory: &Advisory) -> String {
    let documents = [
        ("platform", &advisory.platform),
        ("ledger", &advisory.ledger),
    ];
    let named = documents.into_iter().filter_map(|(side, document)| {
        let document = document.as_ref()?;
        let label = clean(&document.label);
        Some(
            format!("{side}: {} {label}", record(document))
                .trim_end()
                .to_owned(),
        )
    });
    named.collect::<Vec<_>>().join("; ")
}

/// What went, by the advisory's payment.
pub(crate) fn went(advisory: &Advisory) -> Amount {
    let document = advisory.platform.as_ref().or(advisory.ledger.as_ref());
    document.map(|document| document.amount).unwrap_or_default()
}

/// `12 days`.
pub(crate) fn days(days: i64) -> String {
    counted(days, "day", "days")
}

/// `1 item`, `2 items`.
pub(crate) fn items(count: u64) -> String {
    counted(i64::try_from(count).unwrap_or(i64::MAX), "item", "items")
}

/// `1 row`, `2 rows`.
pub(crate) fn rows(count: u64) -> String {
    counted(i64::try_from(count).unwrap_or(i64::MAX), "row", "rows")
}

fn counted(number: i64, one: &str, many: &str) -> String {
    let word = if number.abs() == 1 { one } else { many };
    format!("{number} {word}")
}

/// The gravity, marked where somebody must act.
pub(crate) fn gravity(gravity: Gravity) -> &'static str {
    match gravity {
        Gravity::Critical => "!! critical",
        Gravity::Error => "! error",
        other => other.as_str(),
    }
}

/// Who looks after an item, and what was said of it; marked where somebody must and nobody does.
pub(crate) fn owner(item: &Item) -> String {
    let grave = matches!(item.category.gravity(), Gravity::Critical | Gravity::Error);
    let mut text = if grave && !item.is_owned() {
        "!! owner: ".to_owned()
    } else {
        "owner: ".to_owned()
    };
    let (owner, comment) = (clean(&item.owner), clean(&item.comment));
    text.push_str(if owner.is_empty() { NOBODY } else { &owner });
    if !comment.is_empty() {
        text.push_str(": ");
        text.push_str(&comment);
    }
    text
}

/// The cause in words, with the code to ask about and the day by which it should be gone.
pub(crate) fn cause(item: &Item) -> String {
    let mut text = clean(&item.cause);
    if let Some(code) = &item.code {
        text.push_str(&format!(" [{}]", clean(code.as_str())));
    }
    if let Some(day) = item.clears_by {
        text.push_str(&format!(" Expected to clear by {day}."));
    }
    text.trim().to_owned()
}

/// A residual with its mark, if it has one.
pub(crate) fn residual(format: Format, leg: &LegReport) -> String {
    let amount = format.amount(leg.residual);
    if leg.residual.is_zero() {
        amount
    } else {
        format!("{NOT_EXPLAINED}  {amount}")
    }
}

/// What the two amounts of a leg are, taken from each other.
pub(crate) fn difference(leg: &LegReport) -> String {
    format!(
        "Difference {} less {}",
        clean(&leg.left.symbol),
        clean(&leg.right.symbol)
    )
}

/// What the items of this leg are called.
pub(crate) fn explained(leg: Leg) -> &'static str {
    match leg {
        Leg::RollForward => "Explained",
        _ => "Explained by the items",
    }
}

/// The two who sign: as the paper calls them, and as the report does.
pub(crate) const ROLES: [(&str, &str); 2] =
    [("Prepared by", "preparer"), ("Reviewed by", "reviewer")];

/// What a signature consists of.
pub(crate) const SIGNATURE: [&str; 3] = ["Name", "Signature", "Date"];

/// How much of a hash identifies it to the eye.
const HASH_SHOWN: usize = 24;

/// A signature in this role, line by line; blank lines to be filled in by hand where there is none.
pub(crate) fn signed(report: &Report, role: &str) -> [String; 3] {
    let found = report.signatures.iter().find(|one| one.role == role);
    found.map_or_else(Default::default, |one| {
        let hash: String = one.sha256.chars().take(HASH_SHOWN).collect();
        [
            one.who.clone(),
            format!("sha256 {hash}…"),
            one.at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        ]
    })
}
