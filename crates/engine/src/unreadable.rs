//! Records that a list shows and that can't be read: they are asked for once more before anything is decided, and remembered
//! by name until they can be.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::code::Code;
use tieout_domain::port::Page;
use tieout_domain::{Fault, Kind, RemoteId, Side};

use crate::EngineError;
use crate::pull::{fetch_all_but, take_in};
use crate::run::Run;

/// How many that a list has shown so for the first time: more than a page of them is no matter of single records.
const TWICE_MAX: usize = 100;

/// Under this name the store remembers those of a kind.
pub(crate) fn unreadable_name(side: Side, kind: Kind) -> String {
    format!("unreadable {}/{kind}", side.as_str())
}

/// The records that earlier reads met and could not read.
pub(crate) async fn unreadable(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
) -> Result<BTreeSet<RemoteId>, EngineError> {
    let text = run
        .connection
        .store
        .remembered(&unreadable_name(side, kind))
        .await?;
    Ok(text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

/// What a list showed that can't be read is asked for once more before anything is decided: what is not in the mirror is
/// taken for absent, and made anew. What could not be read by the run before either needs no second look. Where so many
/// can't be read that it is no matter of single records, nothing is decided on the kind.
pub(crate) async fn twice_unreadable(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
    odd: BTreeMap<RemoteId, String>,
    before: &BTreeSet<RemoteId>,
) -> Result<Result<BTreeSet<RemoteId>, Fault>, EngineError> {
    let (known, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
        odd.into_iter().partition(|(id, _)| before.contains(id));
    for (id, cause) in &known {
        run.problem_record(side, kind, id, cause);
    }
    if let (true, Some((id, cause))) = (new.len() > TWICE_MAX, new.first_key_value()) {
        return Ok(Err(Fault::Drift {
            code: Code::new("drift"),
            cause: format!("{} records can't be read, as {id}: {cause}", new.len()),
        }));
    }
    let new = new.into_keys().collect();
    let again = match read_unreadable(run, side, kind, &new, TWICE_MAX).await? {
        Ok(again) => again,
        Err(fault) => return Ok(Err(fault)),
    };
    // One answer without it may be wrong: the next run asks once more.
    for id in &again.absent {
        let cause = "a list shows it, and it isn't there when it is asked for";
        run.problem_record(side, kind, id, cause);
    }
    let still = again.still.into_iter().chain(again.absent);
    Ok(Ok(still.chain(known.into_keys()).collect()))
}

/// What became of records that could not be read before.
pub(crate) struct Again {
    /// Those that still can't be read.
    pub(crate) still: BTreeSet<RemoteId>,
    /// Those that aren't there.
    absent: BTreeSet<RemoteId>,
}

/// Tries again what could not be read before, of which so many may be unreadable still.
pub(crate) async fn read_unreadable(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
    before: &BTreeSet<RemoteId>,
    max: usize,
) -> Result<Result<Again, Fault>, EngineError> {
    let mut again = Again {
        still: BTreeSet::new(),
        absent: before.clone(),
    };
    let Some(reader) = run.connection.sides.reader(side, kind) else {
        return Ok(Ok(again));
    };
    let ids: Vec<RemoteId> = before.iter().cloned().collect();
    let fetched = match fetch_all_but(&**reader, &ids, max).await {
        Ok(fetched) => fetched,
        Err(fault) => return Ok(Err(fault)),
    };
    for (id, cause) in &fetched.unreadable {
        run.problem_record(side, kind, id, cause);
        again.absent.remove(id);
    }
    for record in &fetched.records {
        again.absent.remove(&record.id);
    }
    again.still = fetched.unreadable.into_keys().collect();
    if !fetched.records.is_empty() {
        let page = Page {
            records: fetched.records,
            ..Page::default()
        };
        take_in(run, side, kind, page).await?;
    }
    Ok(Ok(again))
}
