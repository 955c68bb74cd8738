//! Bringing the mirror up to date: page by page, each page with everything that follows from it in one
//! commit, so that a crash between two pages loses nothing.

use std::collections::BTreeMap;

use futures::future::join_all;
use tieout_domain::port::{Depth, Mark, Observed, Page};
use tieout_domain::{Document, Fault, Kind, RecordRef, RemoteId, Side};
use tieout_flows::matching::match_key;
use tieout_store::{Commit, Due, RecordChange};

use crate::EngineError;
use crate::run::Run;

/// How many records are fetched by id at once.
const FETCH: usize = 500;

/// What kinds could not be read, and why.
pub(crate) type Unread = BTreeMap<(Side, Kind), Fault>;

/// Reads these kinds. One kind of each side goes first, alone: if the sign-in is refused, it is refused once
/// and not once for every kind.
pub(crate) async fn pull(
    run: &Run<'_>,
    kinds: &[(Side, Kind)],
    depth: Depth,
) -> Result<Unread, EngineError> {
    let (ledger, platform) = tokio::join!(
        pull_side(run, kinds, Side::Ledger, depth),
        pull_side(run, kinds, Side::Platform, depth),
    );
    let mut unread = ledger?;
    unread.extend(platform?);
    Ok(unread)
}

async fn pull_side(
    run: &Run<'_>,
    kinds: &[(Side, Kind)],
    side: Side,
    depth: Depth,
) -> Result<Unread, EngineError> {
    let kinds: Vec<Kind> = kinds
        .iter()
        .filter(|(s, kind)| *s == side && run.connection.sides.reader(side, *kind).is_some())
        .map(|(_, kind)| *kind)
        .collect();
    let Some((first, rest)) = kinds.split_first() else { return Ok(Unread::new()) };
    let mut unread = Unread::new();
    let first_read = run.connection.store.mark(side, Kind::Bill).await?.is_none();
    let whole_bills = kinds.contains(&Kind::Bill) && (depth == Depth::Whole || first_read);
    if let Err(fault) = pull_kind(run, side, *first, depth).await? {
        let shuts_the_door = matches!(fault, Fault::Denied { .. } | Fault::Later { .. });
        unread.insert((side, *first), fault.clone());
        if shuts_the_door {
            unread.extend(rest.iter().map(|kind| ((side, *kind), fault.clone())));
            return Ok(unread);
        }
    }
    let reads = rest.iter().map(|kind| pull_kind(run, side, *kind, depth));
    for (kind, result) in rest.iter().zip(join_all(reads).await) {
        if let Err(fault) = result? {
            unread.insert((side, *kind), fault);
        }
    }
    if whole_bills {
        run.take_paid(side);
    } else if let Err(fault) = pull_paid(run, side).await? {
        unread.insert((side, Kind::Bill), fault);
    }
    Ok(unread)
}

/// Reads the bills that were paid, credited or freed since they were last seen. Whether a payment touches
/// its bill's time of change is documented by neither system, so that the bills' own read may not show it.
async fn pull_paid(run: &Run<'_>, side: Side) -> Result<Result<(), Fault>, EngineError> {
    let Some(reader) = run.connection.sides.reader(side, Kind::Bill) else { return Ok(Ok(())) };
    let bills: Vec<_> = run.take_paid(side).into_iter().collect();
    for ids in bills.chunks(FETCH) {
        let records = match reader.fetch(ids).await {
            Ok(records) => records,
            Err(fault) => return Ok(Err(fault)),
        };
        take_in(run, side, Kind::Bill, Page { records, ..Page::default() }).await?;
    }
    Ok(Ok(()))
}

/// The bills that a payment or credit is applied to.
fn paid(document: &Document) -> impl Iterator<Item = RemoteId> {
    let applications = match document {
        Document::Payment(payment) => payment.applications.as_slice(),
        Document::VendorCredit(credit) => credit.applications.as_slice(),
        _ => &[],
    };
    applications.iter().map(|application| application.document.clone())
}

/// Reads one kind to its end. The inner error is the remote side's.
async fn pull_kind(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
    depth: Depth,
) -> Result<Result<(), Fault>, EngineError> {
    let Some(reader) = run.connection.sides.reader(side, kind) else { return Ok(Ok(())) };
    let since = run.connection.store.mark(side, kind).await?;
    let depth = if since.is_none() { Depth::Whole } else { depth };
    let mut token = None;
    let mut mark: Option<Mark> = None;
    loop {
        let page = match reader.page(depth, since.as_ref(), token.as_ref()).await {
            Ok(page) => page,
            Err(fault) => return Ok(Err(fault)),
        };
        run.connection.progress.advance(page.records.len() as u64);
        mark = page.mark.clone().or(mark);
        let next = page.next.clone();
        let may_stop = page.may_stop && depth == Depth::Changes;
        for (id, cause) in &page.unreadable {
            run.problem_record(side, kind, id, cause);
        }
        let all_known = take_in(run, side, kind, page).await?;
        match next {
            Some(next) if !(may_stop && all_known) => token = Some(next),
            _ => break,
        }
    }
    if let Some(mark) = mark.filter(|mark| Some(mark) != since.as_ref()) {
        let commit = Commit { marks: vec![(side, kind, mark)], ..run.commit() };
        run.connection.store.commit(commit).await?;
    }
    Ok(Ok(()))
}

/// Puts a page into the mirror and marks due what it touches. Tells whether every record on it was known in
/// this very version.
async fn take_in(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
    page: Page,
) -> Result<bool, EngineError> {
    let store = &run.connection.store;
    let ids: Vec<_> =
        page.records.iter().map(|observed| observed.id.clone()).chain(page.gone.clone()).collect();
    if ids.is_empty() {
        return Ok(true);
    }
    let known = store.known(side, kind, &ids).await?;
    if matches!(kind, Kind::Payment | Kind::VendorCredit) {
        // What they were applied to before counts as well: it may have been freed.
        for (_, before) in store.records(side, kind, &ids).await? {
            run.note_paid(side, paid(&before.observed.document));
        }
    } else if kind == Kind::Bill {
        run.note_fresh(side, &ids);
    }
    let mut commit = run.commit();
    let mut touched = Vec::new();
    let mut all_known = true;
    for observed in page.records {
        let before = known.get(&observed.id);
        let same_version = before.is_some_and(|b| b.version == observed.version && !b.gone);
        all_known &= same_version;
        let same_content =
            before.is_some_and(|b| b.fingerprint == observed.fingerprint() && !b.gone);
        if same_version && same_content {
            continue;
        }
        if !same_content {
            touched.push(RecordRef { side, kind, id: observed.id.clone() });
            run.note_paid(side, paid(&observed.document));
        }
        commit.records.push(seen(side, observed));
    }
    for id in page.gone {
        // A deletion of something never seen is nobody's business.
        if known.get(&id).is_some_and(|before| !before.gone) {
            touched.push(RecordRef { side, kind, id: id.clone() });
            commit.records.push(RecordChange::Gone { side, kind, id });
        }
    }
    if commit.records.is_empty() {
        return Ok(all_known);
    }
    commit.due = due(run, &touched).await?;
    store.commit(commit).await?;
    run.keep_lease().await?;
    Ok(all_known)
}

/// The mirror's form of a record.
pub(crate) fn seen(side: Side, observed: Observed) -> RecordChange {
    let match_key = match_key(&observed.document);
    RecordChange::Seen { side, observed, match_key }
}

/// The flows whose population a record is part of.
pub(crate) fn in_population(run: &Run<'_>, record: &RecordRef) -> Vec<Due> {
    let flows = run.connection.flows.iter();
    flows
        .filter(|flow| flow.population().contains(&(record.side, record.kind)))
        .map(|flow| Due { flow: flow.name().to_owned(), record: record.clone() })
        .collect()
}

/// Which flows must look again when these records have changed: the flows whose population they are, and
/// the flows that have linked something to them.
pub(crate) async fn due(run: &Run<'_>, touched: &[RecordRef]) -> Result<Vec<Due>, EngineError> {
    let mut due: Vec<Due> = touched.iter().flat_map(|record| in_population(run, record)).collect();
    for link in run.connection.store.links_to(touched).await? {
        due.push(Due { flow: link.flow, record: link.record });
    }
    due.sort();
    due.dedup();
    Ok(due)
}
