//! Bringing the mirror up to date: some records at a time, with everything that follows from them in one commit, so
//! that a crash in between loses nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join, join_all};
use tieout_domain::document::{Application, UseOf};
use tieout_domain::port::{Depth, Mark, Observed, Page, Read};
use tieout_domain::{Document, Fault, Kind, RecordRef, RemoteId, Side, WaitsFor};
use tieout_flows::matching::match_key;
use tieout_store::{Commit, Due, RecordChange, Settled};

use crate::EngineError;
use crate::evidence::{Trace, notice_unknown};
use crate::lag::Lag;
use crate::run::Run;
use crate::unreadable::{read_unreadable, twice_unreadable, unreadable, unreadable_name};
use crate::wake::{CHANGED, YES};

/// How many records are fetched by id at once.
const FETCH: u32 = 500;
/// So many records are put into the mirror in one commit: others wait for their turn to write meanwhile.
const TOGETHER: usize = 250;

/// How many records that can't be read are looked for among others.
pub(crate) const UNREADABLE_MAX: usize = 10;

/// What money and credits are applied to.
const PAID: [Kind; 3] = [Kind::Bill, Kind::Invoice, Kind::CreditMemo];

/// What must be read again when something else has been done to it: a deposit takes payments, and these pay invoices; and
/// files that are not any more what they were when they were listed.
const TOUCHED: [Kind; 5] = [
    Kind::CustomerPayment,
    Kind::Bill,
    Kind::Invoice,
    Kind::CreditMemo,
    Kind::Attachment,
];

/// Under this name the store keeps, among what is due, the documents that must be read again. No flow has it.
pub(crate) const READ_AGAIN: &str = "(read again)";

/// What kinds could not be read, and why.
pub(crate) type Unread = BTreeMap<(Side, Kind), Fault>;

/// Reads these kinds. One kind of each side goes first, alone: if the sign-in is refused, it is refused once
/// and not once for every kind.
pub(crate) async fn pull(
    run: &Run<'_>,
    kinds: &[(Side, Kind)],
    depth: Depth,
) -> Result<Unread, EngineError> {
    let (ledger, platform) = futures::join!(
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
    let mut kinds: Vec<Kind> = kinds
        .iter()
        .filter(|(s, kind)| *s == side && run.connection.sides.reader(side, *kind).is_some())
        .map(|(_, kind)| *kind)
        .collect();
    let mut whole = BTreeSet::new();
    for kind in kinds.iter().filter(|kind| TOUCHED.contains(kind)) {
        let first_read = run.connection.store.mark(side, *kind).await?.is_none();
        if depth == Depth::Whole || first_read {
            whole.insert(*kind);
        }
    }
    // What is read whole comes after what touches it, so that all of it has been read since.
    let deposits = kinds.contains(&Kind::Deposit);
    if !deposits {
        whole.remove(&Kind::CustomerPayment);
    }
    let turn = |kind: &Kind| match kind {
        Kind::Deposit => 1,
        Kind::CustomerPayment => 2 * u8::from(deposits),
        kind => 3 * u8::from(PAID.contains(kind) && whole.contains(kind)),
    };
    kinds.sort_by_key(turn);
    let Some((first, rest)) = kinds.split_first() else {
        return Ok(Unread::new());
    };
    let mut unread = Unread::new();
    if let Err(fault) = pull_kind(run, side, *first, depth).await? {
        let shuts_the_door = matches!(fault, Fault::Denied { .. } | Fault::Later { .. });
        unread.insert((side, *first), fault.clone());
        if shuts_the_door {
            unread.extend(rest.iter().map(|kind| ((side, *kind), fault.clone())));
            return Ok(unread);
        }
    }
    for kinds in rest.chunk_by(|one, next| turn(one) == turn(next)) {
        let reads = kinds.iter().map(|kind| pull_kind(run, side, *kind, depth));
        for (kind, result) in kinds.iter().zip(join_all(reads).await) {
            if let Err(fault) = result? {
                unread.insert((side, *kind), fault);
            }
        }
    }
    whole.retain(|kind| !unread.contains_key(&(side, *kind)));
    unread.extend(pull_paid(run, side, &whole).await?);
    Ok(unread)
}

/// Reads the bills, invoices and credit memos that were paid, credited or freed since they were last seen, and the
/// payments that were deposited. Whether a payment touches its bill's time of change is documented by no system, so that
/// the bills' own read may not show it.
///
/// Which ones is kept in the store, in the same commit as the payment: a crash in between forgets none. Those of a
/// kind that this run has just read whole are up to date already.
async fn pull_paid(
    run: &Run<'_>,
    side: Side,
    fresh: &BTreeSet<Kind>,
) -> Result<Unread, EngineError> {
    let store = &run.connection.store;
    let mut unread = Unread::new();
    let mut after = None;
    loop {
        let page = store.due_page(READ_AGAIN, after.as_ref(), FETCH).await?;
        after = page.last().map(|(record, _)| record.clone());
        if page.is_empty() {
            return Ok(unread);
        }
        for kind in TOUCHED {
            let these = page
                .iter()
                .filter(|(record, _)| (record.side, record.kind) == (side, kind));
            let these: Vec<_> = these.cloned().collect();
            if these.is_empty() || unread.contains_key(&(side, kind)) {
                continue;
            }
            if let Err(fault) = pull_these(run, kind, these, fresh.contains(&kind)).await? {
                unread.insert((side, kind), fault);
            }
        }
    }
}

/// Reads these records of one kind again, unless they are up to date.
async fn pull_these(
    run: &Run<'_>,
    kind: Kind,
    page: Vec<(RecordRef, u64)>,
    fresh: bool,
) -> Result<Result<(), Fault>, EngineError> {
    let Some((record, _)) = page.first() else {
        return Ok(Ok(()));
    };
    let side = record.side;
    let Some(reader) = run.connection.sides.reader(side, kind) else {
        return Ok(Ok(()));
    };
    let mut commit = run.commit();
    let mut open = BTreeSet::new();
    if !fresh {
        let ids: Vec<_> = page.iter().map(|(record, _)| record.id.clone()).collect();
        let fetched = match fetch(&**reader, &ids).await {
            Ok(fetched) => fetched,
            Err(fault) => return Ok(Err(fault)),
        };
        let found = fetched.records;
        let mut missing: BTreeSet<&RemoteId> = ids.iter().collect();
        for record in &found {
            missing.remove(&record.id);
        }
        for (id, cause) in &fetched.unreadable {
            run.problem_record(side, kind, id, cause);
            missing.remove(id);
            open.insert(id.clone());
        }
        // What isn't there is gone once that was seen, too; one answer without it may be wrong.
        let missing: Vec<RemoteId> = missing.into_iter().cloned().collect();
        let mirrored = run.connection.store.records(side, kind, &missing).await?;
        let there = mirrored.into_iter().filter(|(_, it)| !it.gone);
        open.extend(there.map(|(id, _)| id));
        take_records(run, side, kind, found, Vec::new(), &mut commit).await?;
    }
    // What can't be read is asked for again by the next run.
    let page = page
        .into_iter()
        .filter(|(record, _)| !open.contains(&record.id));
    commit.settled.extend(page.map(|(record, stamp)| {
        let due = Due {
            flow: READ_AGAIN.to_owned(),
            record,
        };
        Settled { due, stamp }
    }));
    run.connection.store.commit(commit).await?;
    Ok(Ok(()))
}

/// Records that were fetched by id.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// Those that are there.
    pub(crate) records: Vec<Observed>,
    /// Those that are there and can't be read, and why.
    pub(crate) unreadable: BTreeMap<RemoteId, String>,
}

/// Fetches records by id. One that can't be read is set apart and hides none of the others: to find it among many,
/// they are asked for in halves, which takes two calls for each halving.
pub(crate) async fn fetch(reader: &dyn Read, ids: &[RemoteId]) -> Result<Fetched, Fault> {
    fetch_all_but(reader, ids, UNREADABLE_MAX).await
}

/// The same, where no more than so many may be unreadable.
pub(crate) async fn fetch_all_but(
    reader: &dyn Read,
    ids: &[RemoteId],
    max: usize,
) -> Result<Fetched, Fault> {
    let mut fetched = Fetched::default();
    let mut groups = vec![ids];
    while let Some(group) = groups.pop() {
        if group.is_empty() {
            continue;
        }
        match (reader.fetch(group).await, group) {
            (Ok(records), _) => fetched.records.extend(records),
            // Where so many can't be read it is no longer a matter of single records.
            (Err(fault), _) if fetched.unreadable.len() >= max => return Err(fault),
            (Err(Fault::Drift { cause, .. }), [one]) => {
                fetched.unreadable.insert(one.clone(), cause);
            }
            (Err(Fault::Drift { .. }), _) => {
                let (left, right) = group.split_at(group.len() / 2);
                groups.extend([right, left]);
            }
            (Err(fault), _) => return Err(fault),
        }
    }
    Ok(fetched)
}

/// The documents that a payment or credit is applied to, and the payments that a deposit takes or a refund pays back: they
/// are to be read again.
pub(crate) fn read_again(side: Side, document: &Document) -> Vec<Due> {
    let of = |kind, applications: &[Application]| -> Vec<(Kind, RemoteId)> {
        let applications = applications.iter();
        applications.map(|it| (kind, it.document.clone())).collect()
    };
    let paid = match document {
        Document::Payment(payment) => of(Kind::Bill, &payment.applications),
        Document::VendorCredit(credit) => of(Kind::Bill, &credit.applications),
        Document::CreditMemo(memo) => of(Kind::Invoice, &memo.applications),
        Document::CustomerPayment(payment) => {
            let uses = payment.uses.iter();
            uses.flat_map(|part| {
                let credit = match &part.of {
                    UseOf::CreditMemo { credit, .. } => Some((Kind::CreditMemo, credit.clone())),
                    _ => None,
                };
                let invoice = part.of.invoice().map(|it| (Kind::Invoice, it.clone()));
                credit.into_iter().chain(invoice)
            })
            .collect()
        }
        // What it pays back of credit memos is no payment, and is not found as one.
        Document::CustomerRefund(refund) => of(Kind::CustomerPayment, &refund.applications),
        Document::Deposit(deposit) => {
            let payments = deposit.payments.iter();
            payments
                .map(|part| (Kind::CustomerPayment, part.payment.clone()))
                .collect()
        }
        _ => Vec::new(),
    };
    paid.into_iter()
        .map(|(kind, id)| Due {
            flow: READ_AGAIN.to_owned(),
            record: RecordRef { side, kind, id },
        })
        .collect()
}

/// Reads one kind to its end. The inner error is the remote side's.
async fn pull_kind(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
    depth: Depth,
) -> Result<Result<(), Fault>, EngineError> {
    let Some(reader) = run.connection.sides.reader(side, kind) else {
        return Ok(Ok(()));
    };
    let since = run.connection.store.mark(side, kind).await?;
    let depth = if since.is_none() { Depth::Whole } else { depth };
    // Only a first read that was broken off has left records without a mark.
    let mut left_over = match since {
        None => mirrored(run, side, kind).await?,
        Some(_) => BTreeSet::new(),
    };
    let before = unreadable(run, side, kind).await?;
    let mut odd = BTreeMap::new();
    let mut unreadable = match depth {
        Depth::Whole => BTreeSet::new(),
        // So many are tried again by whole reads alone, and hide no change meanwhile.
        Depth::Changes if before.len() > UNREADABLE_MAX => before.clone(),
        Depth::Changes => match read_unreadable(run, side, kind, &before, UNREADABLE_MAX).await? {
            Ok(again) => again.still,
            Err(fault) => return Ok(Err(fault)),
        },
    };
    let mut mark: Option<Mark> = None;
    let mut answer = reader.page(depth, since.as_ref(), None).await;
    loop {
        let page = match answer {
            Ok(page) => page,
            Err(fault) => return Ok(Err(fault)),
        };
        run.connection.progress.advance(page.records.len() as u64);
        mark = page.mark.clone().or(mark);
        let next = page.next.clone();
        let may_stop = page.may_stop && depth == Depth::Changes;
        for (id, cause) in &page.unreadable {
            odd.insert(id.clone(), cause.clone());
            left_over.remove(id);
        }
        for record in &page.records {
            left_over.remove(&record.id);
            unreadable.remove(&record.id);
        }
        for id in &page.gone {
            unreadable.remove(id);
        }
        let Some(next) = next else {
            take_in(run, side, kind, page).await?;
            break;
        };
        let following = reader.page(depth, since.as_ref(), Some(&next));
        answer = if may_stop {
            if take_in(run, side, kind, page).await? {
                break;
            }
            following.await
        } else {
            // The next page is sure to be needed: it is asked for while this one is put away.
            let (taken, following) = join(take_in(run, side, kind, page), following).await;
            taken?;
            following
        };
    }
    if let Err(fault) = look_for(run, side, kind, left_over).await? {
        return Ok(Err(fault));
    }
    if before.len() > UNREADABLE_MAX {
        for id in unreadable.iter().filter(|id| !odd.contains_key(*id)) {
            let cause = "it could not be read by the last whole read";
            run.problem_record(side, kind, id, cause);
        }
    }
    match twice_unreadable(run, side, kind, odd, &before).await? {
        Ok(still) => unreadable.extend(still),
        Err(fault) => return Ok(Err(fault)),
    }
    let mark = mark.filter(|mark| Some(mark) != since.as_ref());
    if mark.is_some() || unreadable != before {
        // The mark goes on past what could not be read: it has to be known by name.
        let remember = if unreadable == before {
            Vec::new()
        } else {
            vec![(
                unreadable_name(side, kind),
                serde_json::to_string(&unreadable).unwrap_or_default(),
            )]
        };
        let marks = mark.map(|mark| (side, kind, mark)).into_iter().collect();
        run.connection
            .store
            .commit(Commit {
                marks,
                remember,
                ..run.commit()
            })
            .await?;
    }
    Ok(Ok(()))
}

/// The records of a kind that the mirror shows as being there.
async fn mirrored(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
) -> Result<BTreeSet<RemoteId>, EngineError> {
    let store = &run.connection.store;
    let mut ids = BTreeSet::new();
    let mut after = None;
    loop {
        let page = store
            .records_page(side, kind, after.as_ref(), FETCH)
            .await?;
        after = page.last().map(|record| record.observed.id.clone());
        if page.is_empty() {
            return Ok(ids);
        }
        let there = page.into_iter().filter(|record| !record.gone);
        ids.extend(there.map(|record| record.observed.id));
    }
}

/// Looks for records that a first read which was broken off had shown, and this one did not. What was deleted in
/// between is told by no later read: deletions are of interest from the mark on, and there was none.
///
/// What is linked to stays: if tieout wrote it just now, a look may lag behind.
async fn look_for(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
    ids: BTreeSet<RemoteId>,
) -> Result<Result<(), Fault>, EngineError> {
    let Some(reader) = run.connection.sides.reader(side, kind) else {
        return Ok(Ok(()));
    };
    let ids: Vec<RemoteId> = ids.into_iter().collect();
    for ids in ids.chunks(FETCH as usize) {
        let fetched = match fetch(&**reader, ids).await {
            Ok(fetched) => fetched,
            Err(fault) => return Ok(Err(fault)),
        };
        let refs = ids.iter().map(|id| RecordRef::new(side, kind, id.clone()));
        let linked = run
            .connection
            .store
            .links_to(&refs.collect::<Vec<_>>())
            .await?;
        let mut gone: BTreeSet<RemoteId> = ids.iter().cloned().collect();
        gone.retain(|id| !fetched.unreadable.contains_key(id));
        for there in &fetched.records {
            gone.remove(&there.id);
        }
        for link in linked {
            gone.remove(&link.target.id);
        }
        let page = Page {
            records: fetched.records,
            gone: gone.into_iter().collect(),
            ..Page::default()
        };
        take_in(run, side, kind, page).await?;
    }
    Ok(Ok(()))
}

/// Puts a page into the mirror and marks due what it touches. Tells whether every record on it was known in
/// this very version.
pub(crate) async fn take_in(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
    page: Page,
) -> Result<bool, EngineError> {
    let mut all_known = true;
    let mut gone = page.gone;
    let mut records = page.records.into_iter().peekable();
    while records.peek().is_some() || !gone.is_empty() {
        let some: Vec<_> = records.by_ref().take(TOGETHER).collect();
        let mut commit = run.commit();
        all_known &= take_records(
            run,
            side,
            kind,
            some,
            std::mem::take(&mut gone),
            &mut commit,
        )
        .await?;
        if !commit.records.is_empty() {
            run.connection.store.commit(commit).await?;
        }
    }
    run.keep_lease().await?;
    Ok(all_known)
}

/// Puts records into a commit, with everything that follows from their having changed. Tells whether all of
/// them were known in this very version.
pub(crate) async fn take_records(
    run: &Run<'_>,
    side: Side,
    kind: Kind,
    records: Vec<Observed>,
    gone: Vec<RemoteId>,
    commit: &mut Commit,
) -> Result<bool, EngineError> {
    let store = &run.connection.store;
    let ids: Vec<_> = records
        .iter()
        .map(|observed| observed.id.clone())
        .chain(gone.clone())
        .collect();
    if ids.is_empty() {
        return Ok(true);
    }
    let known = store.known(side, kind, &ids).await?;
    let mut touched = Vec::new();
    let mut ours = Vec::new();
    let mut all_known = true;
    let lag = Lag::of(run, side, kind);
    for observed in records {
        let before = known.get(&observed.id).filter(|before| !before.gone);
        let shows_the_same =
            before.is_some_and(|before| before.fingerprint == observed.fingerprint());
        if before.is_some_and(|before| lag.is_behind(&observed, before)) {
            // Known in a newer version: this list has not caught up yet.
            continue;
        }
        let same_version = before.is_some_and(|before| before.version == observed.version);
        all_known &= same_version;
        if same_version && shows_the_same {
            continue;
        }
        if !shows_the_same {
            touched.push(RecordRef {
                side,
                kind,
                id: observed.id.clone(),
            });
            commit.due.extend(read_again(side, &observed.document));
            ours.extend(Trace::of(run, side, &observed, before.is_some()));
        }
        commit.records.push(seen(side, observed));
    }
    for id in gone {
        // A deletion of something never seen is nobody's business.
        if known.get(&id).is_some_and(|before| !before.gone) {
            touched.push(RecordRef {
                side,
                kind,
                id: id.clone(),
            });
            commit.records.push(RecordChange::Gone { side, kind, id });
        }
    }
    if touched.is_empty() {
        return Ok(all_known);
    }
    commit.remember.push((CHANGED.to_owned(), YES.to_owned()));
    if matches!(
        kind,
        Kind::Payment
            | Kind::VendorCredit
            | Kind::CustomerPayment
            | Kind::CreditMemo
            | Kind::Deposit
    ) {
        // What they were applied to before counts as well: it may have been freed.
        let ids: Vec<_> = touched.iter().map(|record| record.id.clone()).collect();
        for (_, before) in store.records(side, kind, &ids).await? {
            commit
                .due
                .extend(read_again(side, &before.observed.document));
        }
    }
    notice_unknown(run, ours, commit).await?;
    follow_up(run, &touched, commit).await?;
    Ok(all_known)
}

/// The mirror's form of a record.
pub(crate) fn seen(side: Side, observed: Observed) -> RecordChange {
    let match_key = match_key(&observed.document);
    RecordChange::Seen {
        side,
        observed,
        match_key,
    }
}

/// The flows whose population a record is part of.
pub(crate) fn in_population(run: &Run<'_>, record: &RecordRef) -> Vec<Due> {
    let flows = run.connection.flows.iter();
    flows
        .filter(|flow| flow.population().contains(&(record.side, record.kind)))
        .map(|flow| Due {
            flow: flow.name().to_owned(),
            record: record.clone(),
        })
        .collect()
}

/// Which flows must look again when these records have changed: the flows whose population they are, the
/// flows that have linked something to them, and whatever waits for them.
async fn follow_up(
    run: &Run<'_>,
    touched: &[RecordRef],
    commit: &mut Commit,
) -> Result<(), EngineError> {
    for record in touched {
        for due in in_population(run, record) {
            commit
                .wakes
                .push(WaitsFor::Link(due.flow.clone(), record.clone()).to_string());
            commit.due.push(due);
        }
    }
    for link in run.connection.store.links_to(touched).await? {
        commit
            .wakes
            .push(WaitsFor::Link(link.flow.clone(), link.record.clone()).to_string());
        commit.due.push(Due {
            flow: link.flow,
            record: link.record,
        });
    }
    Ok(())
}
