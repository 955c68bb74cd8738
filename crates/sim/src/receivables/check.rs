//! What must be true of the records of the ledger and of the platform that collects what is owed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tieout_domain::{Key, Kind, RecordRef, RemoteId, Side, State};

use super::money;
use crate::check::{
    Links, Seen, Snapshot, Violation, amount, balanced, list, same_twice, tables, text, untouched,
    violation,
};

/// A kind that goes both ways by origin.
struct Traded {
    flow: &'static str,
    kind: Kind,
    /// The ledger's type of it; customers have a table of their own.
    sort: &'static str,
    /// The platform's table.
    table: &'static str,
}

const CUSTOMERS: Traded = Traded {
    flow: "customers",
    kind: Kind::Customer,
    sort: "",
    table: "customers",
};

const INVOICES: Traded = Traded {
    flow: "invoices",
    kind: Kind::Invoice,
    sort: "CustInvc",
    table: "invoices",
};

const CREDITS: Traded = Traded {
    flow: "credit-memos",
    kind: Kind::CreditMemo,
    sort: "CustCred",
    table: "credit_notes",
};

const PAYMENTS: Traded = Traded {
    flow: "payments",
    kind: Kind::CustomerPayment,
    sort: "CustPymt",
    table: "payments",
};

const TRADED: [&Traded; 4] = [&CUSTOMERS, &INVOICES, &CREDITS, &PAYMENTS];

impl Traded {
    fn of_ledger<'a>(&'a self, after: &'a Snapshot) -> impl Iterator<Item = &'a Value> {
        let table = if self.sort.is_empty() {
            "customers"
        } else {
            "transactions"
        };
        list(&after.ledger, table)
            .filter(move |one| self.sort.is_empty() || one["type"] == self.sort)
    }

    fn of_platform<'a>(&'a self, after: &'a Snapshot) -> impl Iterator<Item = &'a Value> {
        list(&after.platform, self.table)
    }
}

/// What is read of the ledger's records.
const HERE: [&str; 4] = ["transactions", "applications", "balances", "customers"];

/// What is read of the platform's records.
const THERE: [&str; 6] = [
    "customers",
    "invoices",
    "credit_notes",
    "payments",
    "messages",
    "charges",
];

/// All checks of the services' records.
#[must_use]
pub fn servers(writes_ledger: bool, seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let mut found = tables("the ledger", &after.ledger, &HERE);
    found.extend(tables("the platform", &after.platform, &THERE));
    found.extend(once(seen.before, after));
    found.extend(money::posted_right(seen));
    found.extend(money::recorded_right(seen));
    found.extend(money::conserved(seen.before, after));
    found.extend(echoes(after));
    found.extend(balanced(after));
    found.extend(pairs_equal(seen));
    found.extend(nothing_lost(seen));
    found.extend(nothing_started(after));
    if !writes_ledger {
        found.extend(untouched(after, |one| is_ours(after, one)));
    }
    found
}

/// The ledger's record that a platform's was made for, by its mark.
pub(super) fn mark(record: &Value) -> Option<&str> {
    record["metadata"]["netsuite_id"].as_str()
}

/// What every key begins with that comes from a record of the platform.
fn prefix(after: &Snapshot) -> Key {
    Key::of(["invoiced", after.account.as_str(), ""])
}

/// The key of what stands in the ledger for a record of the platform.
pub(super) fn key(after: &Snapshot, kind: Kind, id: &str) -> String {
    let key = Key::of(["invoiced", after.account.as_str(), kind.as_str(), id]);
    key.as_str().to_lowercase()
}

/// Whether a record of the ledger was made by tieout.
pub(super) fn is_ours(after: &Snapshot, record: &Value) -> bool {
    let external = text(record, "external_id").to_lowercase();
    external.starts_with(&prefix(after).as_str().to_lowercase())
}

pub(super) fn is_voided(record: &Value) -> bool {
    record["voided"] == true || record["voided"] == "T" || record["status"] == "voided"
}

/// One creation per source record, on both sides.
#[must_use]
pub fn once(before: &Snapshot, after: &Snapshot) -> Vec<Violation> {
    let mut found = Vec::new();
    for traded in TRADED {
        let mut ever: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for record in traded.of_platform(after) {
            if let Some(of) = mark(record) {
                ever.entry(of).or_default().push(text(record, "id"));
            }
        }
        let twice = ever.into_iter().filter(|(_, ids)| ids.len() > 1);
        found.extend(twice.map(|(of, ids)| {
            let what = format!("{}: {of} is on the platform as {ids:?}", traded.table);
            violation("once", what)
        }));
    }
    for table in ["transactions", "customers"] {
        let ours = list(&after.ledger, table).filter(|one| is_ours(after, one));
        found.extend(same_twice(ours, "external_id", "record of the ledger"));
    }
    found.extend(names_once(before, after));
    found
}

/// No more customers of a name than there were before and have been asked for since: as many as the other side has or
/// had, for there people may have merged or renamed some.
pub(crate) fn names_once(before: &Snapshot, after: &Snapshot) -> Vec<Violation> {
    let names = |records: &Value| -> BTreeMap<String, usize> {
        let mut names = BTreeMap::new();
        let named = list(records, "customers").filter(|one| !text(one, "name").is_empty());
        for customer in named {
            *names
                .entry(text(customer, "name").trim().to_lowercase())
                .or_default() += 1;
        }
        names
    };
    let ledger = [before, after].map(|moment| names(&moment.ledger));
    let platform = [before, after].map(|moment| names(&moment.platform));
    let mut found = Vec::new();
    for (side, [had, has], wanted) in [
        ("ledger", &ledger, &platform),
        ("platform", &platform, &ledger),
    ] {
        let count = |of: &BTreeMap<String, usize>, name: &str| of.get(name).copied().unwrap_or(0);
        for (name, there_are) in has {
            let asked_for = wanted.iter().map(|of| count(of, name)).max().unwrap_or(0);
            let may = count(had, name) + asked_for.max(1);
            if *there_are > may {
                let what =
                    format!("{there_are} customers of the {side} are called {name}, not {may}");
                found.push(violation("once", what));
            }
        }
    }
    found
}

/// What tieout wrote to one side never comes back to the other as something new.
#[must_use]
pub fn echoes(after: &Snapshot) -> Vec<Violation> {
    let mut found = Vec::new();
    for traded in TRADED {
        let ours: BTreeMap<&str, String> = traded
            .of_ledger(after)
            .filter(|one| is_ours(after, one))
            .map(|one| (text(one, "id"), text(one, "external_id").to_lowercase()))
            .collect();
        for copy in traded.of_platform(after) {
            let Some(of) = mark(copy) else { continue };
            let id = text(copy, "id");
            if let Some(external) = ours.get(of) {
                let what = format!("{external} of the ledger went to the platform again, as {id}");
                found.push(violation("echo", what));
            }
            let back = key(after, traded.kind, id);
            if ours.values().any(|external| *external == back) {
                let what = format!("{}: the copy {id} went back to the ledger", traded.table);
                found.push(violation("echo", what));
            }
        }
    }
    found
}

/// A record that a link names, as its side holds it.
fn held<'a>(after: &'a Snapshot, traded: &'a Traded, record: &RecordRef) -> Option<&'a Value> {
    let id = record.id.as_str();
    match record.side {
        Side::Ledger => traded.of_ledger(after).find(|one| text(one, "id") == id),
        Side::Platform => traded.of_platform(after).find(|one| text(one, "id") == id),
    }
}

/// What is said to be done is the same on both sides, to the cent.
#[must_use]
pub fn pairs_equal(seen: &Seen<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for traded in [&INVOICES, &CREDITS] {
        let links = seen.links.iter();
        let links = links.filter(|((flow, _, role), _)| flow == traded.flow && role.is_empty());
        for ((flow, record, _), target) in links {
            let item = seen.items.get(&(flow.clone(), record.clone()));
            let done =
                item.is_some_and(|it| it.outcome.state == State::Done && it.outcome.code.is_none());
            let here = held(seen.after, traded, record);
            let there = held(seen.after, traded, target);
            let (Some(here), Some(there), true) = (here, there, done) else {
                continue;
            };
            let (here, there) = (amount(here, "total").abs(), amount(there, "total").abs());
            if here != there {
                let what = format!("{record} is {here}, and {target} is {there}");
                found.push(violation("equal", what));
            }
        }
    }
    found
}

/// Everything that began on either side is looked after: it has a state, and if it is done, its counterpart is there.
#[must_use]
pub fn nothing_lost(seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let copies: BTreeSet<(&str, &RecordRef)> = seen
        .links
        .iter()
        .map(|((flow, _, _), target)| (flow.as_str(), target))
        .collect();
    let mut found = Vec::new();
    for traded in TRADED {
        let here = traded
            .of_ledger(after)
            .filter(|one| began_in_ledger(after, traded, one))
            .map(|one| (Side::Ledger, one));
        let there = traded
            .of_platform(after)
            .filter(|one| mark(one).is_none())
            .map(|one| (Side::Platform, one));
        for (side, one) in here.chain(there) {
            let record = RecordRef::new(side, traded.kind, RemoteId::from(text(one, "id")));
            if !copies.contains(&(traded.flow, &record)) {
                found.extend(looked_after(seen, traded, &record));
            }
        }
    }
    found
}

/// Whether a record of the ledger began there, is of the connection and matters: what is settled or voided needs no
/// state.
fn began_in_ledger(after: &Snapshot, traded: &Traded, record: &Value) -> bool {
    let subsidiary = after.subsidiary.as_deref();
    let ours = subsidiary.is_none_or(|subsidiary| text(record, "subsidiary") == subsidiary);
    let outstanding = traded.kind != Kind::Invoice || !amount(record, "unpaid").is_zero();
    let customer = traded.kind == Kind::Customer;
    !is_ours(after, record) && (customer || (ours && outstanding && !is_voided(record)))
}

fn looked_after(seen: &Seen<'_>, traded: &Traded, record: &RecordRef) -> Option<Violation> {
    let place = (traded.flow.to_owned(), record.clone());
    let Some(item) = seen.items.get(&place) else {
        return Some(violation("lost", format!("{record} has no state")));
    };
    let done = item.outcome.state == State::Done && item.outcome.code.is_none();
    let (flow, record) = place;
    let target = seen.links.get(&(flow, record.clone(), String::new()));
    let there = target.and_then(|target| counterpart(seen.after, target));
    (done && there.is_none()).then(|| {
        violation(
            "lost",
            format!("{record} is done and not on the other side"),
        )
    })
}

/// What a link leads to, of whichever kind: a payment of nothing leads to the credit memo that it applied.
fn counterpart<'a>(after: &'a Snapshot, target: &RecordRef) -> Option<&'a Value> {
    let traded = TRADED.into_iter().find(|it| it.kind == target.kind)?;
    held(after, traded, target).filter(|one| !is_voided(one))
}

/// For what was imported the platform has mailed nobody by itself, and charged nobody.
#[must_use]
pub fn nothing_started(after: &Snapshot) -> Vec<Violation> {
    let imported: BTreeSet<&str> = list(&after.platform, "invoices")
        .filter(|one| mark(one).is_some())
        .map(|one| text(one, "id"))
        .collect();
    let automatic: BTreeSet<&str> = list(&after.platform, "customers")
        .filter(|one| one["autopay"] == true)
        .map(|one| text(one, "id"))
        .collect();
    let mails = list(&after.platform, "messages").filter(|one| {
        one["about"] == "invoice"
            && one["why"] != "asked"
            && imported.contains(text(one, "about_id"))
    });
    let charges = list(&after.platform, "charges").filter(|one| {
        let by_itself = one["why"] == "autopay";
        by_itself && !automatic.contains(text(one, "customer"))
    });
    mails
        .chain(charges)
        .map(|one| violation("started", format!("the platform did by itself: {one}")))
        .collect()
}

/// The ledger's invoices that stand on the platform, too, wherever they began.
pub(super) fn linked_invoices(links: &Links) -> BTreeSet<&str> {
    let links = links.iter();
    let links = links.filter(|((flow, _, role), _)| flow == INVOICES.flow && role.is_empty());
    links
        .map(|((_, record, _), target)| match record.side {
            Side::Ledger => record.id.as_str(),
            Side::Platform => target.id.as_str(),
        })
        .collect()
}
