//! What must be true of the records of the ledger and of the platform that pays its bills.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;
use tieout_domain::{Key, Kind, Marker, RecordRef, Side, State};

use super::files;
use crate::check::{
    Items, Links, Seen, Snapshot, Violation, amount, balanced, list, same_twice, tables, text,
    violation,
};

/// The account of the ledger that payments are posted to, by its number.
pub(super) const PAYMENT_ACCOUNT: &str = "1090";

/// What is read of the ledger's records.
const HERE: [&str; 5] = [
    "transactions",
    "applications",
    "balances",
    "vendors",
    "files",
];

/// What is read of the platform's records.
const THERE: [&str; 5] = [
    "vendors",
    "bills",
    "vendor_credits",
    "payments",
    "documents",
];

/// All checks of the services' records.
#[must_use]
pub fn servers(seen: &Seen<'_>) -> Vec<Violation> {
    let (before, after, items) = (seen.before, seen.after, seen.items);
    let mut found = tables("the ledger", &after.ledger, &HERE);
    found.extend(tables("the platform", &after.platform, &THERE));
    found.extend(once(before, after));
    found.extend(posted_right(after, items));
    found.extend(echoes(after));
    found.extend(balanced(after));
    found.extend(conserved(before, after));
    found.extend(pairs_equal(after, items));
    found.extend(nothing_lost(after, items, seen.links));
    found.extend(posted_for_nothing(after));
    found.extend(never_owed_twice(seen));
    found.extend(files::followed_once(seen));
    found
}

fn marker(record: &Value) -> Option<String> {
    Marker::find_in(text(record, "description")).map(|marker| marker.id.to_string())
}

/// One creation per source record: no bill, credit, payee, posting or recorded payment is there twice.
#[must_use]
pub fn once(before: &Snapshot, after: &Snapshot) -> Vec<Violation> {
    let mut found = Vec::new();
    for table in ["bills", "vendor_credits"] {
        let mut live: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut ever: BTreeMap<(String, &str), Vec<&str>> = BTreeMap::new();
        for record in list(&after.platform, table) {
            let Some(of) = marker(record) else { continue };
            if record["archived"] == false {
                live.entry(of.clone()).or_default().push(text(record, "id"));
            }
            // A bill that moves to another payee is made anew there.
            let key = (of, text(record, "vendor"));
            ever.entry(key).or_default().push(text(record, "id"));
        }
        let twice = live.into_iter().filter(|(_, ids)| ids.len() > 1);
        found.extend(twice.map(|(of, ids)| {
            violation(
                "once",
                format!("{table}: {of} is on the platform as {ids:?}"),
            )
        }));
        let again = ever.into_iter().filter(|(_, ids)| ids.len() > 1);
        found.extend(again.map(|((of, vendor), ids)| {
            violation(
                "once",
                format!("{table}: {of} was made for {vendor} as {ids:?}"),
            )
        }));
    }
    found.extend(payees_once(before, after));
    found.extend(same_twice(
        list(&after.ledger, "transactions"),
        "external_id",
        "posting",
    ));
    let recorded = list(&after.platform, "payments").filter(|one| one["stage"] != "Dead");
    found.extend(same_twice(recorded, "sync_reference", "recorded payment"));
    found
}

/// No more payees of a name than there were before and have been asked for since.
fn payees_once(before: &Snapshot, after: &Snapshot) -> Vec<Violation> {
    let names = |records: &Value| -> BTreeMap<String, usize> {
        let mut names = BTreeMap::new();
        for vendor in list(records, "vendors") {
            *names
                .entry(text(vendor, "name").to_lowercase())
                .or_default() += 1;
        }
        names
    };
    let (had, has) = (names(&before.platform), names(&after.platform));
    let wanted = names(&after.ledger);
    has.into_iter()
        .filter_map(|(name, count)| {
            let may = had.get(&name).unwrap_or(&0) + wanted.get(&name).unwrap_or(&0).max(&1);
            (count > may).then(|| violation("once", format!("{count} payees are called {name}")))
        })
        .collect()
}

/// What was posted to the ledger for each of the platform's payments, by the platform's id.
fn postings(after: &Snapshot) -> BTreeMap<String, Vec<&Value>> {
    keyed(after, "VendPymt")
}

/// The transactions of this type that carry the key of one of the platform's payments, by the platform's id.
fn keyed<'a>(after: &'a Snapshot, of_type: &str) -> BTreeMap<String, Vec<&'a Value>> {
    let keys: Vec<(String, String)> = list(&after.platform, "payments")
        .map(|payment| {
            let id = text(payment, "id").to_owned();
            let key = Key::of(["bill", &after.account, &id]);
            (key.as_str().to_owned(), id)
        })
        .collect();
    let mut postings: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for posting in list(&after.ledger, "transactions").filter(|one| one["type"] == of_type) {
        let external = text(posting, "external_id");
        let of = keys.iter().find(|(key, _)| {
            external == key
                || external
                    .strip_prefix(key.as_str())
                    .is_some_and(|rest| rest.starts_with('_'))
        });
        if let Some((_, id)) = of {
            postings.entry(id.clone()).or_default().push(posting);
        }
    }
    postings
}

/// What of a posting settles bills.
fn settles(after: &Snapshot, posting: &Value, bills: &BTreeSet<&str>) -> Decimal {
    let id = text(posting, "id");
    list(&after.ledger, "applications")
        .filter(|one| text(one, "from") == id && bills.contains(text(one, "to")))
        .map(|one| amount(one, "amount").abs())
        .sum()
}

/// Money is neither made nor lost: what is posted for a payment settles what the payment paid, never more, and
/// nothing once the payment is undone.
#[must_use]
pub fn posted_right(after: &Snapshot, items: &Items) -> Vec<Violation> {
    let bills: BTreeSet<&str> = list(&after.ledger, "transactions")
        .filter(|one| one["type"] == "VendBill")
        .map(|one| text(one, "id"))
        .collect();
    let postings = postings(after);
    let none = Vec::new();
    let mut found = Vec::new();
    for payment in list(&after.platform, "payments").filter(|one| one["recorded"] == false) {
        let id = text(payment, "id");
        let posted = postings.get(id).unwrap_or(&none);
        let settled: Decimal = posted.iter().map(|one| settles(after, one, &bills)).sum();
        let paid: Decimal = list(payment, "parts")
            .map(|part| amount(part, "amount"))
            .sum();
        let record = RecordRef::new(Side::Platform, Kind::Payment, id);
        let item = items.get(&("bill-payments".to_owned(), record));
        let state = item.map(|item| item.outcome.state);
        if settled > paid {
            let what = format!("payment {id} of {paid} settles {settled} in the ledger");
            found.push(violation("posted", what));
        }
        let expected = match state {
            Some(State::Done) if payment["stage"] == "Paid" => Some(paid),
            // Whoever calls it done and has it posted all the same has overlooked that it was undone.
            Some(State::Done) if payment["stage"] == "Dead" => Some(Decimal::ZERO),
            Some(State::Reversed) => Some(Decimal::ZERO),
            _ => None,
        };
        if let Some(expected) = expected
            && settled != expected
        {
            let what = format!(
                "payment {id} is {} and settles {settled} in the ledger instead of {expected}",
                item.map(|item| item.outcome.to_string())
                    .unwrap_or_default()
            );
            found.push(violation("posted", what));
        }
    }
    found
}

/// What tieout wrote to one side never comes back to the other as something new.
#[must_use]
pub fn echoes(after: &Snapshot) -> Vec<Violation> {
    let postings = postings(after);
    let recorded = list(&after.platform, "payments").filter(|one| one["recorded"] == true);
    let posted = recorded.filter(|one| postings.contains_key(text(one, "id")));
    let mut found: Vec<Violation> = posted
        .map(|one| {
            let what = format!(
                "the recorded payment {} was posted to the ledger",
                text(one, "id")
            );
            violation("echo", what)
        })
        .collect();
    let ours: BTreeMap<&str, &str> = list(&after.ledger, "transactions")
        .filter(|one| text(one, "external_id").starts_with("bill_"))
        .map(|one| (text(one, "id"), text(one, "external_id")))
        .collect();
    for one in list(&after.platform, "payments") {
        let of = text(one, "sync_reference")
            .rsplit('_')
            .next()
            .unwrap_or_default();
        if let Some(external) = ours.get(of) {
            let what = format!("the posting {external} was recorded on the platform again");
            found.push(violation("echo", what));
        }
    }
    found
}

/// Money is conserved per account and currency: what left the account that payments are posted to is what the
/// live postings say, less the journals that reverse some, to the cent, in each currency.
#[must_use]
pub fn conserved(before: &Snapshot, after: &Snapshot) -> Vec<Violation> {
    let left = |snapshot: &Snapshot| -> BTreeMap<String, Decimal> {
        let mut left = BTreeMap::new();
        for one in list(&snapshot.ledger, "balances") {
            if text(one, "number") == PAYMENT_ACCOUNT {
                *left.entry(text(one, "currency").to_owned()).or_default() -=
                    amount(one, "foreign");
            }
        }
        left
    };
    let (was, is) = (left(before), left(after));
    let mut posted: BTreeMap<String, Decimal> = BTreeMap::new();
    let live = postings(after).into_values().flatten();
    for posting in live.filter(|posting| text(posting, "voided") != "T") {
        let currency = text(posting, "currency").to_owned();
        *posted.entry(currency).or_default() += amount(posting, "total").abs();
    }
    for reversal in keyed(after, "Journal").into_values().flatten() {
        let currency = text(reversal, "currency").to_owned();
        *posted.entry(currency).or_default() -= amount(reversal, "total").abs();
    }
    let currencies: BTreeSet<&String> = is.keys().chain(posted.keys()).collect();
    let of = |amounts: &BTreeMap<String, Decimal>, currency: &String| {
        amounts.get(currency).copied().unwrap_or_default()
    };
    currencies
        .into_iter()
        .filter_map(|currency| {
            let moved = of(&is, currency) - of(&was, currency);
            let posted = of(&posted, currency);
            let what = format!(
                "{moved} of currency {currency} left account {PAYMENT_ACCOUNT}, and {posted} is posted"
            );
            (moved != posted).then(|| violation("conserved", what))
        })
        .collect()
}

/// What tieout posted belongs to a payment of the platform, and no posting is reversed twice.
fn posted_for_nothing(after: &Snapshot) -> Vec<Violation> {
    let prefix = Key::of(["bill", &after.account, ""]);
    let (postings, reversals) = (postings(after), keyed(after, "Journal"));
    let known: BTreeSet<&str> = [&postings, &reversals]
        .into_iter()
        .flat_map(|keyed| keyed.values().flatten())
        .map(|one| text(one, "id"))
        .collect();
    let ours = list(&after.ledger, "transactions")
        .filter(|one| text(one, "external_id").starts_with(prefix.as_str()));
    let mut found: Vec<Violation> = ours
        .filter(|one| !known.contains(text(one, "id")))
        .map(|one| {
            let what = format!(
                "{} is of no payment of the platform",
                text(one, "external_id")
            );
            violation("conserved", what)
        })
        .collect();
    for (payment, journals) in &reversals {
        let (posted, reversed) = (postings.get(payment).map_or(0, Vec::len), journals.len());
        if reversed > posted {
            let what =
                format!("{posted} postings of payment {payment} are reversed {reversed} times");
            found.push(violation("once", what));
        }
    }
    found
}

/// A bill is never open on the platform for more than is owed in the ledger, unless a person was told of it or of what
/// was paid: whoever pays there pays it twice.
fn never_owed_twice(seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let mut found = Vec::new();
    for ((flow, record, role), copy) in seen.links {
        if flow != "bills" || !role.is_empty() {
            continue;
        }
        let there = list(&after.platform, "bills").find(|one| text(one, "id") == copy.id.as_str());
        let Some(there) = there.filter(|one| one["archived"] == false) else {
            continue;
        };
        let id = record.id.as_str();
        let here = list(&after.ledger, "transactions").find(|one| text(one, "id") == id);
        let owed = here.filter(|one| one["voided"] != "T");
        let owed = owed.map_or(Decimal::ZERO, |one| amount(one, "unpaid").abs());
        let open = amount(there, "due");
        if open > owed && !is_told(seen, record, copy.id.as_str()) {
            let what = format!(
                "bill {id} is owed {owed}, and {open} can be paid on {}",
                copy.id
            );
            found.push(violation("owed", what));
        }
    }
    found
}

/// Whether a person was told of a bill, or of what settles it on either side.
fn is_told(seen: &Seen<'_>, bill: &RecordRef, copy: &str) -> bool {
    let told = |flow: &str, record: RecordRef| {
        let item = seen.items.get(&(flow.to_owned(), record));
        item.is_some_and(|item| {
            let state = item.outcome.state;
            matches!(
                state,
                State::Blocked | State::Conflict | State::Hold | State::Orphan
            )
        })
    };
    let settling = list(&seen.after.ledger, "applications")
        .filter(|one| text(one, "to") == bill.id.as_str())
        .map(|one| text(one, "from"));
    let paying = list(&seen.after.platform, "payments")
        .filter(|payment| list(payment, "parts").any(|part| text(part, "bill") == copy));
    told("bills", bill.clone())
        || settling.into_iter().any(|id| {
            let of = |kind| RecordRef::new(Side::Ledger, kind, id);
            told("bill-payments", of(Kind::Payment))
                || told("vendor-credits", of(Kind::VendorCredit))
        })
        || paying.into_iter().any(|payment| {
            let payment = RecordRef::new(Side::Platform, Kind::Payment, text(payment, "id"));
            told("bill-payments", payment)
        })
}

/// What is said to be done is the same on both sides, to the cent.
#[must_use]
pub fn pairs_equal(after: &Snapshot, items: &Items) -> Vec<Violation> {
    let mut found = Vec::new();
    for bill in list(&after.platform, "bills").filter(|one| one["archived"] == false) {
        let Some(of) = marker(bill) else { continue };
        let ledger = list(&after.ledger, "transactions").find(|one| text(one, "id") == of);
        let record = RecordRef::new(Side::Ledger, Kind::Bill, of.as_str());
        let item = items.get(&("bills".to_owned(), record));
        let done = item.is_some_and(|item| item.outcome.state == State::Done);
        let Some(ledger) = ledger.filter(|_| done) else {
            continue;
        };
        let (here, there) = (amount(ledger, "total").abs(), amount(bill, "total"));
        if here != there {
            found.push(violation(
                "equal",
                format!("bill {of} is {here} here and {there} there"),
            ));
        }
    }
    found
}

/// Every bill that somebody approved is looked after: it has a state, and if it is done, its counterpart is
/// there.
#[must_use]
pub fn nothing_lost(after: &Snapshot, items: &Items, links: &Links) -> Vec<Violation> {
    let there: BTreeSet<&str> = list(&after.platform, "bills")
        .filter(|bill| bill["archived"] == false)
        .map(|bill| text(bill, "id"))
        .collect();
    let mut found = Vec::new();
    let ours = |bill: &Value| {
        let subsidiary = after.subsidiary.as_deref();
        subsidiary.is_none_or(|subsidiary| text(bill, "subsidiary") == subsidiary)
    };
    let is_there = |id: &str| {
        let record = RecordRef::new(Side::Ledger, Kind::Bill, id);
        let counterpart = links.get(&("bills".to_owned(), record, String::new()));
        counterpart.is_some_and(|counterpart| there.contains(counterpart.id.as_str()))
    };
    let bills = list(&after.ledger, "transactions");
    for bill in bills.filter(|one| one["type"] == "VendBill" && ours(one)) {
        let id = text(bill, "id");
        let record = RecordRef::new(Side::Ledger, Kind::Bill, id);
        let known = items.get(&("bills".to_owned(), record));
        // A bill below zero is a credit, with a flow of its own.
        let total = amount(bill, "total");
        match known.map(|item| (item.outcome.state, item.outcome.code.as_ref())) {
            None => found.push(violation(
                "lost",
                format!("bill {id} of {total} has no state"),
            )),
            Some((State::Done, None)) if !is_there(id) => {
                found.push(violation(
                    "lost",
                    format!("bill {id} of {total} is done and not there"),
                ));
            }
            Some(_) => {}
        }
    }
    found.extend(forgotten(after, items));
    found
}

/// Everything else that somebody owns has a state too: credits and payments of the ledger, and payments of the platform.
fn forgotten(after: &Snapshot, items: &Items) -> Vec<Violation> {
    let ours = |one: &&Value| {
        let subsidiary = after.subsidiary.as_deref();
        let here = subsidiary.is_none_or(|it| text(one, "subsidiary") == it);
        here && one["voided"] != "T" && !text(one, "external_id").starts_with("bill_")
    };
    let of_type = |sort: &'static str| {
        let all = list(&after.ledger, "transactions");
        all.filter(move |one| one["type"] == sort).filter(ours)
    };
    let credits =
        of_type("VendCred").map(|one| ("vendor-credits", Side::Ledger, Kind::VendorCredit, one));
    let payments =
        of_type("VendPymt").map(|one| ("bill-payments", Side::Ledger, Kind::Payment, one));
    let through = list(&after.platform, "payments")
        .filter(|one| one["recorded"] == false)
        .map(|one| ("bill-payments", Side::Platform, Kind::Payment, one));
    let all = credits.chain(payments).chain(through);
    all.filter_map(|(flow, side, kind, one)| {
        let record = RecordRef::new(side, kind, text(one, "id"));
        let what = format!("{record} has no state");
        let known = items.contains_key(&(flow.to_owned(), record));
        (!known).then(|| violation("lost", what))
    })
    .collect()
}
