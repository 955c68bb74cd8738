//! Looking ahead: the next page is decided on while the calls of the present one are under way.
//!
//! Only creations are decided ahead, and of these none that takes from another record, as payments and applied credits do:
//! what they rest on is not changed by the page before, with which they could as well have shared a page. Nor is anything
//! decided ahead whose write is open: an answer that the page before misses has all open writes looked for, and what is
//! found is linked by then. Everything else is decided when its turn comes, on what the page before has left.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tieout_domain::port::Action;
use tieout_domain::{Kind, RecordRef, Side};
use tieout_flows::matching::match_key;
use tieout_flows::{Books, Flow, Step, Verdict};
use tieout_store::{ConnectionStore, StoreError};

use crate::decide::{Decision, decide};
use crate::overlay::Overlay;
use crate::pull::read_again;

/// Where a record is looked for by what it says: two that are alike are candidates for one another.
type Place = (Side, Kind, String);

/// A page that is being decided on. Whoever no longer wants it stops it.
pub(crate) struct Ahead {
    task: tokio::task::JoinHandle<Result<Page, StoreError>>,
    /// Who is decided on with the page before: one that is due and was asked for too has had its turn there.
    before: HashSet<RecordRef>,
    /// What the page before makes: who is alike is decided on once it is there.
    made: HashSet<Place>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A page of what is due, with what was decided ahead of its turn.
pub(crate) struct Page {
    /// What is due, and with which stamp.
    pub(crate) due: Vec<(RecordRef, u64)>,
    /// Of these, what is to be created.
    pub(crate) decided: HashMap<RecordRef, Decision>,
}

impl Ahead {
    /// Looks ahead of these decisions, if anything is created by them: then there is time.
    pub(crate) fn of(
        decisions: &[Decision],
        store: &ConnectionStore,
        flow: &Arc<dyn Flow>,
        (after, most): (Option<RecordRef>, u32),
        base: &Arc<Books>,
    ) -> Option<Self> {
        let touches = |decision: &Decision| match &decision.verdict {
            Verdict::Write(step) => !read_again(step.side, &step.document).is_empty(),
            _ => false,
        };
        let made: HashSet<Place> = decisions.iter().filter_map(created).map(place).collect();
        if made.is_empty() || decisions.iter().any(touches) {
            return None;
        }
        let before = decisions.iter().map(|it| it.record.clone()).collect();
        let (store, flow, base) = (store.clone(), Arc::clone(flow), Arc::clone(base));
        let task = tokio::spawn(async move {
            let due = store.due_page(flow.name(), after.as_ref(), most).await?;
            // Read before anything is decided: what is no longer open by then shows its link.
            let open = store.open_writes().await?.into_iter();
            let open: HashSet<RecordRef> = open.map(|write| write.record).collect();
            let records = due.iter().map(|(record, _)| record);
            let records: Vec<RecordRef> =
                records.filter(|it| !open.contains(it)).cloned().collect();
            let decisions = decide(&store, &*flow, &records, &base, &Overlay::default()).await?;
            let created = decisions.into_iter().filter(|it| created(it).is_some());
            let decided = created.map(|it| (it.record.clone(), it)).collect();
            Ok(Page { due, decided })
        });
        Some(Self { task, before, made })
    }

    /// The page, if it could be looked at.
    pub(crate) async fn page(mut self) -> Option<Page> {
        let mut page = (&mut self.task).await.ok()?.ok()?;
        page.decided.retain(|record, decision| {
            let is_alike = |step| self.made.contains(&place(step));
            !self.before.contains(record) && !created(decision).is_some_and(is_alike)
        });
        Some(page)
    }
}

/// What a decision creates, if it leaves all other records as they are.
fn created(decision: &Decision) -> Option<&Step> {
    match &decision.verdict {
        Verdict::Write(step)
            if step.action == Action::Create
                && read_again(step.side, &step.document).is_empty() =>
        {
            Some(step)
        }
        _ => None,
    }
}

fn place(step: &Step) -> Place {
    let kind = step.document.kind();
    (step.side, kind, match_key(&step.document))
}
