//! What every port must hold, whatever a service answers.

use std::sync::Arc;

use tieout_domain::port::{Action, Answer, Depth, Observed, Page, Ports, Read};
use tieout_domain::subledger::Basis;
use tieout_domain::{Date, Fault, Fingerprint, Kind, RemoteId};

use super::documents::order;
use super::receipts;
use crate::answers::Answers;
use crate::place;
use crate::stage;

/// What to read: `vendor changes`, `bill whole`, `ping`, `periods`, `control open`.
pub(super) fn read(ports: &Ports, told: &str) {
    let mut words = told.split_whitespace();
    let what = words.next().unwrap_or_default();
    match what {
        "ping" => return failed_read(stage::wait_for(ports.whole.ping()).map(drop)),
        "periods" => return failed_read(stage::wait_for(ports.whole.periods()).map(drop)),
        "control" => {
            let set = words.next().unwrap_or_default();
            return failed_read(stage::wait_for(control(ports, set)));
        }
        _ => {}
    }
    let reader = match what
        .parse::<Kind>()
        .ok()
        .and_then(|kind| ports.read.get(&kind))
    {
        Some(reader) => reader,
        None => match ports
            .read
            .values()
            .nth(what.len() % ports.read.len().max(1))
        {
            Some(reader) => reader,
            None => return,
        },
    };
    let depth = match words.next() {
        Some("whole") => Depth::Whole,
        _ => Depth::Changes,
    };
    failed_read(stage::wait_for(pages(reader, depth)));
}

/// Reads page after page, then what changed since, then the first record alone.
async fn pages(reader: &Arc<dyn Read>, depth: Depth) -> Result<(), Fault> {
    let mut token = None;
    let mut mark = None;
    let mut first = None;
    loop {
        let page = reader.page(depth, None, token.as_ref()).await?;
        readable(&page);
        first = first.or_else(|| page.records.first().map(|record| record.id.clone()));
        mark = page.mark.or(mark);
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    if mark.is_some() {
        readable(&reader.page(Depth::Changes, mark.as_ref(), None).await?);
    }
    if let Some(id) = first {
        reader.fetch(&[id]).await?.iter().for_each(kept);
    }
    Ok(())
}

/// Reads a set of the control accounts, page after page.
async fn control(ports: &Ports, set: &str) -> Result<(), Fault> {
    let Some(ledger) = &ports.subledger else {
        return Ok(());
    };
    let accounts = [RemoteId::new("111")];
    let day = Date::constant(2026, 6, 30);
    let basis = if set == "day" {
        Basis::Day
    } else {
        Basis::Period
    };
    match set {
        "accounts" => return ledger.control_accounts().await.map(drop),
        "balances" => return ledger.balances(&accounts, day, basis).await.map(drop),
        "movements" => return ledger.movements(&accounts, day, day, basis).await.map(drop),
        "totals" => return ledger.open_totals(&accounts, day, basis).await.map(drop),
        _ => {}
    }
    let mut token = None;
    loop {
        let told = match set {
            "loose" => {
                ledger
                    .loose_lines(&accounts, day, basis, token.as_ref())
                    .await?
            }
            "postings" => {
                ledger
                    .postings(&accounts, day, basis, token.as_ref())
                    .await?
            }
            _ => {
                ledger
                    .open_items(&accounts, day, basis, token.as_ref())
                    .await?
            }
        };
        for posting in &told.rows {
            assert!(!posting.id.as_str().is_empty(), "a posting without an id");
        }
        token = told.next;
        if token.is_none() {
            return Ok(());
        }
    }
}

fn readable(page: &Page) {
    page.records.iter().for_each(kept);
    for (id, why) in &page.unreadable {
        assert!(!id.as_str().is_empty(), "a record without an id: {why}");
        place::assert_named(why);
    }
}

/// A record that was read can be kept: it comes back from the store as it was.
pub(super) fn kept(observed: &Observed) {
    assert!(
        !observed.id.as_str().is_empty(),
        "a record without an id: {observed:?}"
    );
    let text = serde_json::to_string(observed).expect("a record can be written as JSON");
    let back: Observed = serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("a record that was kept can't be read back: {error}: {text}")
    });
    assert_eq!(*observed, back);
    assert_eq!(observed.fingerprint(), Fingerprint::of(&back.document));
    drop(observed.document.label());
}

/// A failed read says what was asked, and is never unknown: nothing was changed over there.
fn failed_read(result: Result<(), Fault>) {
    let Err(fault) = result else { return };
    assert!(
        !matches!(fault, Fault::Unknown { .. }),
        "a read can't be unknown: {fault}"
    );
    failed(&fault);
}

fn failed(fault: &Fault) {
    place::assert_explained(&fault.code(), &fault.to_string());
    if let Fault::Drift { cause, .. } = fault {
        place::assert_named(cause);
    }
}

/// What to write: `bill create 3`, `payment void 1`.
pub(super) fn write(ports: &Ports, answers: &Answers, told: &str) {
    let mut words = told.split_whitespace();
    let what = words.next().unwrap_or_default();
    let (kind, writer) = match what
        .parse::<Kind>()
        .ok()
        .and_then(|kind| ports.write.get_key_value(&kind))
    {
        Some(found) => found,
        None => match ports
            .write
            .iter()
            .nth(what.len() % ports.write.len().max(1))
        {
            Some(found) => found,
            None => return,
        },
    };
    let action = match words.next() {
        Some("amend") => Action::Amend,
        Some("archive") => Action::Archive,
        Some("restore") => Action::Restore,
        Some("void") => Action::Void,
        _ => Action::Create,
    };
    let count = match words.next() {
        Some("2") => 2,
        Some("3") => 3,
        _ => 1,
    };
    let orders: Vec<_> = (0..count).map(|nth| order(*kind, action, nth)).collect();
    let looked = words.next() == Some("look");
    if looked {
        let found = stage::wait_for(writer.candidates(&orders, stage::start()));
        found.iter().flatten().for_each(kept);
        return failed_read(found.map(drop));
    }
    let done = stage::wait_for(writer.write(&orders));
    assert_eq!(done.len(), orders.len(), "one answer for each order");
    for answer in &done {
        if let Answer::Failed(fault) = answer {
            failed(fault);
        }
    }
    receipts::hold(ports.system, &orders, &done, &answers.exchanges());
}
