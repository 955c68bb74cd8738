//! What must be true of the records of the ledger and of a platform that customers pay on and that pays out.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;
use tieout_domain::{Kind, RecordRef, RemoteId, Side, State};

use super::records::{
    Told, alone, copies, external, is_edited, is_external, is_ours, is_told, key, mark, outcome,
    share, stands, there, told_of, transactions,
};
use super::{Manner, deposits, money, pdfs};
use crate::check::{
    Seen, Snapshot, Violation, amount, balanced, list, same_twice, tables, text, untouched,
    violation,
};
use crate::receivables::check::names_once;

/// How many requests the service takes of one key in any second.
const CALLS_A_SECOND: usize = 5;

/// What is read of the ledger's records.
const HERE: [&str; 4] = ["transactions", "applications", "balances", "customers"];

/// What is read of the platform's records.
const THERE: [&str; 6] = [
    "customers",
    "invoices",
    "payments",
    "refunds",
    "payouts",
    "pdfs",
];

/// All checks of the services' records.
#[must_use]
pub fn servers(manner: &Manner, writes_ledger: bool, seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let mut found = tables("the ledger", &after.ledger, &HERE);
    found.extend(tables("the platform", &after.platform, &THERE));
    found.extend(once(seen));
    found.extend(echoes(after));
    found.extend(balanced(after));
    found.extend(nothing_lost(seen));
    found.extend(money::posted_right(seen));
    found.extend(money::conserved(seen.before, after));
    found.extend(money::conserved_there(after));
    found.extend(deposits::made_right(writes_ledger, seen));
    found.extend(deposits::taken_once(seen));
    found.extend(pdfs::newest(manner, seen));
    if !manner.payments_only {
        found.extend(never_owed_twice(seen));
        if manner.takes_payments() {
            found.extend(told_right(seen));
        }
    }
    if !writes_ledger {
        found.extend(untouched(after, |one| is_ours(after, one)));
    }
    if after.most_a_second > CALLS_A_SECOND {
        let what = format!("{} requests left in one second", after.most_a_second);
        found.push(violation("pace", what));
    }
    found
}

/// One creation per source record, on both sides.
fn once(seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let mut found = names_once(seen.before, after);
    found.extend(same_twice(
        list(&after.platform, "customers"),
        "external_id",
        "customer of the platform",
    ));
    found.extend(same_twice(
        list(&after.platform, "payments"),
        "external_id",
        "payment of the platform",
    ));
    for table in ["transactions", "customers"] {
        let ours = list(&after.ledger, table).filter(|one| is_ours(after, one));
        found.extend(same_twice(ours, "external_id", "record of the ledger"));
    }
    found.extend(invoices_once(seen));
    found
}

/// An invoice is on the platform once, and as often again as tieout put a copy away to make it anew: each of those it
/// keeps in mind.
fn invoices_once(seen: &Seen<'_>) -> Vec<Violation> {
    let links = seen.links.iter();
    let known: BTreeSet<&str> = links
        .filter(|((flow, record, _), _)| flow == "invoices" && record.side == Side::Ledger)
        .map(|(_, target)| target.id.as_str())
        .collect();
    let mut copies: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for copy in list(&seen.after.platform, "invoices") {
        if let Some(of) = mark(copy) {
            copies.entry(of).or_default().push(text(copy, "id"));
        }
    }
    copies.retain(|_, ids| ids.len() > 1);
    let unknown = |ids: &[&str]| ids.iter().any(|id| !known.contains(id));
    let twice = copies.into_iter().filter(|(_, ids)| unknown(ids));
    twice
        .map(|(of, ids)| {
            violation(
                "once",
                format!("invoice {of} is on the platform as {ids:?}"),
            )
        })
        .collect()
}

/// What tieout wrote to one side never comes back to the other, and what began on the platform stays there.
fn echoes(after: &Snapshot) -> Vec<Violation> {
    let sorts = ["CustInvc", "CustCred"];
    let customers = list(&after.ledger, "customers");
    let invoices = sorts.iter().flat_map(|sort| transactions(after, sort));
    let mut found: Vec<Violation> = customers
        .chain(invoices)
        .filter(|one| is_ours(after, one))
        .map(|one| {
            let what = format!("{} of the platform is in the ledger", external(one));
            violation("echo", what)
        })
        .collect();
    let ours: BTreeSet<&str> = transactions(after, "CustPymt")
        .filter(|one| is_ours(after, one))
        .map(|one| text(one, "id"))
        .collect();
    let booked: BTreeSet<String> = list(&after.ledger, "transactions").map(external).collect();
    for payment in list(&after.platform, "payments") {
        let id = text(payment, "id");
        let told = told_of(payment).filter(|told| told.record.kind == Kind::CustomerPayment);
        if told.is_some_and(|told| ours.contains(told.record.id.as_str())) {
            let what = format!("a posting was told to the platform, as {id}");
            found.push(violation("echo", what));
        }
        if is_external(payment) && booked.contains(&key(after, Kind::CustomerPayment, id)) {
            let what = format!("{id}, which came from elsewhere, was posted");
            found.push(violation("echo", what));
        }
    }
    found
}

/// An invoice is never open on both sides for more than is owed, and can't be paid on the platform once nothing is owed
/// in the ledger, unless a person was told or money is on its way.
fn never_owed_twice(seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let mut found = Vec::new();
    for (of, copy) in copies(seen, "invoices") {
        let Some(there) = there(after, "invoices", copy) else {
            continue;
        };
        let here = transactions(after, "CustInvc").find(|one| text(one, "id") == of);
        let owed = here.filter(|one| stands(one));
        let owed = owed.map_or(Decimal::ZERO, |one| amount(one, "unpaid"));
        let open = collectable(after, there);
        if open <= owed || invoice_is_told(seen, of, copy) {
            continue;
        }
        let check = if owed.is_zero() { "payable" } else { "owed" };
        let what = format!("invoice {of} is owed {owed}, and {open} can be paid on {copy}");
        found.push(violation(check, what));
    }
    found
}

/// What customers can still pay of an invoice of the platform.
fn collectable(after: &Snapshot, invoice: &Value) -> Decimal {
    if invoice["status"] == "archived" {
        return Decimal::ZERO;
    }
    let id = text(invoice, "id");
    let payments = list(&after.platform, "payments");
    let under_way: Decimal = payments
        .filter(|one| one["status"] == "processing")
        .map(|one| share(one, id))
        .sum();
    amount(invoice, "balance") - under_way
}

/// Whether a person was told of an invoice, or of a payment of it on either side.
fn invoice_is_told(seen: &Seen<'_>, of: &str, copy: &str) -> bool {
    let told = |flow: &str, record: &RecordRef| {
        let said = outcome(seen, flow, record);
        said.is_some_and(|said| is_told(said) || is_edited(said))
    };
    let platform = list(&seen.after.platform, "payments");
    let mut through = platform
        .filter(|one| !share(one, copy).is_zero())
        .map(|one| {
            let id = RemoteId::from(text(one, "id"));
            RecordRef::new(Side::Platform, Kind::CustomerPayment, id)
        });
    let mut settling = settling(seen.after, of);
    let invoice = RecordRef::new(Side::Ledger, Kind::Invoice, RemoteId::from(of));
    told("invoices", &invoice)
        || through.any(|record| told("payments", &record))
        || settling.any(|record| told("payments", &record))
}

/// What of the ledger is applied to an invoice.
fn settling<'a>(after: &'a Snapshot, invoice: &'a str) -> impl Iterator<Item = RecordRef> + 'a {
    let applied = list(&after.ledger, "applications");
    let applied = applied.filter(move |one| text(one, "to") == invoice);
    applied.filter_map(|one| ledger_record(after, text(one, "from")))
}

/// The customer payment or credit memo of this id.
fn ledger_record(after: &Snapshot, id: &str) -> Option<RecordRef> {
    let one = list(&after.ledger, "transactions").find(|one| text(one, "id") == id)?;
    let kind = match text(one, "type") {
        "CustPymt" => Kind::CustomerPayment,
        "CustCred" => Kind::CreditMemo,
        _ => return None,
    };
    Some(RecordRef::new(Side::Ledger, kind, RemoteId::from(id)))
}

/// What a payment or a credit memo of the ledger settles on an invoice is told for its copy, to the cent, and nothing
/// that it no longer settles.
fn told_right(seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let copies = copies(seen, "invoices");
    let mut told: BTreeMap<Told, Decimal> = BTreeMap::new();
    for payment in list(&after.platform, "payments") {
        if let Some(of) = told_of(payment) {
            *told.entry(of).or_default() += amount(payment, "sub_total");
        }
    }
    let mut found = Vec::new();
    let mut check = |of: &Told, told: Decimal, settled: Decimal| {
        let outcome = outcome(seen, "payments", &of.record);
        if told == settled || outcome.is_none_or(is_told) {
            return;
        }
        let (record, invoice) = (&of.record, &of.invoice);
        let what = format!("{record} settles {settled} of invoice {invoice}, {told} was told");
        found.push(violation("told", what));
    };
    let mut settled = settled(after, &copies);
    let is_archived = |of: &Told| {
        let copy = copies.get(of.invoice.as_str());
        let copy = copy.and_then(|copy| there(after, "invoices", copy));
        copy.is_some_and(|copy| copy["status"] == "archived")
    };
    for (of, amount) in told {
        let settled = settled.remove(&of).unwrap_or_default();
        // Nobody pays an archived invoice, whatever was told of it before.
        if !is_archived(&of) {
            check(&of, amount, settled);
        }
    }
    for (of, amount) in settled {
        check(&of, Decimal::ZERO, amount);
    }
    found
}

/// What people's payments and credit memos of the ledger settle on invoices whose copies stand.
fn settled(after: &Snapshot, copies: &BTreeMap<&str, &str>) -> BTreeMap<Told, Decimal> {
    let mut settled: BTreeMap<Told, Decimal> = BTreeMap::new();
    let standing = |one: &Value| {
        let copy = copies.get(text(one, "id"));
        let copy = copy.and_then(|copy| there(after, "invoices", copy));
        stands(one) && copy.is_some_and(|copy| copy["status"] != "archived")
    };
    let invoices: BTreeSet<&str> = transactions(after, "CustInvc")
        .filter(|one| standing(one))
        .map(|one| text(one, "id"))
        .collect();
    let payers: BTreeSet<&str> = list(&after.ledger, "transactions")
        .filter(|one| stands(one) && !is_ours(after, one))
        .map(|one| text(one, "id"))
        .collect();
    for applied in list(&after.ledger, "applications") {
        let (from, to) = (text(applied, "from"), text(applied, "to"));
        let record = ledger_record(after, from);
        let counts = payers.contains(from) && invoices.contains(to);
        let Some(record) = record.filter(|_| counts) else {
            continue;
        };
        let of = Told {
            record,
            invoice: to.to_owned(),
        };
        *settled.entry(of).or_default() += amount(applied, "amount").abs();
    }
    settled
}

/// Everything that began on either side is looked after: it has a state, and where it is done, its counterpart is there.
fn nothing_lost(seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let copies: BTreeSet<(&str, &RecordRef)> = seen
        .links
        .iter()
        .map(|((flow, _, _), target)| (flow.as_str(), target))
        .collect();
    let mut found = Vec::new();
    for (flow, record) in began(after) {
        if !copies.contains(&(flow, &record)) {
            found.extend(looked_after(seen, flow, &record));
        }
    }
    found
}

/// What began on either side, by the flow that looks after it.
fn began(after: &Snapshot) -> Vec<(&'static str, RecordRef)> {
    let of = |side, kind, one: &Value| RecordRef::new(side, kind, RemoteId::from(text(one, "id")));
    let here = |kind| move |one: &Value| of(Side::Ledger, kind, one);
    let there = |kind| move |one: &Value| of(Side::Platform, kind, one);
    let theirs = |one: &&Value| {
        let subsidiary = after.subsidiary.as_deref();
        let ours = subsidiary.is_none_or(|it| text(one, "subsidiary") == it);
        ours && stands(one) && !is_ours(after, one)
    };
    let owed = |one: &&Value| !amount(one, "unpaid").is_zero();
    let customers = list(&after.ledger, "customers").map(here(Kind::Customer));
    let invoices = transactions(after, "CustInvc").filter(theirs).filter(owed);
    let payments = transactions(after, "CustPymt").filter(theirs);
    let credits = transactions(after, "CustCred").filter(theirs);
    let unmarked = |table| list(&after.platform, table).filter(|one| mark(one).is_none());
    let through = list(&after.platform, "payments").filter(|one| !is_external(one));
    let payouts = list(&after.platform, "payouts");
    let all = [
        ("customers", customers.collect::<Vec<_>>()),
        ("invoices", invoices.map(here(Kind::Invoice)).collect()),
        (
            "payments",
            payments.map(here(Kind::CustomerPayment)).collect(),
        ),
        ("payments", credits.map(here(Kind::CreditMemo)).collect()),
        (
            "customers",
            unmarked("customers").map(there(Kind::Customer)).collect(),
        ),
        (
            "invoices",
            unmarked("invoices").map(there(Kind::Invoice)).collect(),
        ),
        (
            "payments",
            through.map(there(Kind::CustomerPayment)).collect(),
        ),
        ("deposits", payouts.map(there(Kind::Payout)).collect()),
    ];
    let named = all.into_iter();
    named
        .flat_map(|(flow, records)| records.into_iter().map(move |record| (flow, record)))
        .collect()
}

fn looked_after(seen: &Seen<'_>, flow: &str, record: &RecordRef) -> Option<Violation> {
    let Some(outcome) = outcome(seen, flow, record) else {
        return Some(violation("lost", format!("{record} has no state")));
    };
    let done = outcome.state == State::Done && outcome.code.is_none();
    let is_copied = match (record.side, record.kind) {
        (Side::Ledger, Kind::Customer) => is_there(seen, flow, record, "customers"),
        (Side::Ledger, Kind::Invoice) => is_there(seen, flow, record, "invoices"),
        // What a payment or a credit memo settles, and what a payout comes to, is reckoned with the money.
        (Side::Platform, Kind::CustomerPayment) => {
            alone(seen.after, record.id.as_str()).is_some() || is_posted(seen, flow, record)
        }
        _ => true,
    };
    (done && !is_copied).then(|| {
        let what = format!("{record} is done and not on the other side");
        violation("lost", what)
    })
}

fn is_there(seen: &Seen<'_>, flow: &str, record: &RecordRef, table: &str) -> bool {
    let target = seen
        .links
        .get(&(flow.to_owned(), record.clone(), String::new()));
    let copy = target.and_then(|target| there(seen.after, table, target.id.as_str()));
    copy.is_some_and(|copy| copy["status"] != "archived" || settled_here(seen.after, record))
}

/// A copy may be put away once nothing is owed.
fn settled_here(after: &Snapshot, record: &RecordRef) -> bool {
    let id = record.id.as_str();
    let mut invoices = transactions(after, "CustInvc");
    let invoice = invoices.find(|one| text(one, "id") == id);
    invoice.is_some_and(|one| amount(one, "unpaid").is_zero())
}

fn is_posted(seen: &Seen<'_>, flow: &str, record: &RecordRef) -> bool {
    let target = seen
        .links
        .get(&(flow.to_owned(), record.clone(), String::new()));
    let target = target.map(|target| target.id.as_str());
    let mut posted = transactions(seen.after, "CustPymt").filter(|one| stands(one));
    posted.any(|one| Some(text(one, "id")) == target)
}
