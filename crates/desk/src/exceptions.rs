//! What waits for a person, grouped by cause, and what a person decides.

mod rows;
mod ruling;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Amount, Money, RecordRef, State, Timestamp};
use tieout_engine::decisions;
use tieout_flows::Decided;
use tieout_store::{Commit, ConnectionStore, Due, ExceptionGroup, Fact, Item, ItemFilter};

use crate::approval::Proposal;
use crate::error::DeskError;
use crate::record;

pub use rows::{Named, Row, Seen, candidates, mapping, rows};
pub use ruling::Ruling;

/// How many items are read at once.
const PAGE: u32 = 1000;

/// One cause with all its effects, over the flows.
#[derive(Debug, Clone)]
pub struct Cause {
    /// The state of its records; of the first flow, where the flows give several.
    pub state: State,
    /// Its code.
    pub code: Option<Code>,
    /// What its records share; empty where they share the code alone.
    pub group: String,
    /// The effects, flow by flow.
    pub groups: Vec<ExceptionGroup>,
}

impl Cause {
    /// How many records.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.groups.iter().map(|group| group.count).sum()
    }

    /// The group that has waited longest.
    #[must_use]
    pub fn first(&self) -> Option<&ExceptionGroup> {
        self.groups.iter().min_by_key(|group| group.oldest)
    }

    /// What its records are worth, by currency.
    #[must_use]
    pub fn amounts(&self) -> Vec<Money> {
        added(self.groups.iter().flat_map(|group| group.amounts.clone()))
    }

    /// The cause as scripts read it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let page = self.code.as_ref().and_then(Code::page);
        json!({
            "state": self.state,
            "code": self.code,
            "group": self.group,
            "title": page.map_or("", |page| page.title()),
            "count": self.count(),
            "amounts": self.amounts(),
            "oldest": self.first().map(|group| group.oldest),
            "cause": self.first().map(|group| group.cause.as_str()),
            "fix": page.map(|page| page.fix()).unwrap_or_default(),
            "who": page.map_or("", |page| page.who()),
            "flows": self.groups,
        })
    }
}

/// What waits in a connection, by cause; with what waits for something that resolves by itself too, if `holds`.
///
/// # Errors
/// The store's.
pub async fn causes(store: &ConnectionStore, holds: bool) -> Result<Vec<Cause>, DeskError> {
    Ok(grouped(store.exceptions(holds).await?))
}

/// Groups that share a cause are one; records without a shared cause stand alone by code.
pub(crate) fn grouped(groups: Vec<ExceptionGroup>) -> Vec<Cause> {
    let mut causes: BTreeMap<(Option<Code>, String, u8), Cause> = BTreeMap::new();
    for group in groups {
        let shared = !group.group.is_empty();
        // What shares a cause is one exception, whatever state the flows give it.
        let rank = if shared { 0 } else { group.state as u8 };
        let key = (group.code.clone(), group.group.clone(), rank);
        let cause = causes.entry(key).or_insert_with(|| Cause {
            state: group.state,
            code: group.code.clone(),
            group: group.group.clone(),
            groups: Vec::new(),
        });
        cause.groups.push(group);
    }
    causes.into_values().collect()
}

/// Causes of several connections that share a code: one thing to know about, and often one thing to do.
#[derive(Debug, Clone)]
pub struct Topic<C> {
    /// The gravest state of its records.
    pub state: State,
    /// Its code.
    pub code: Option<Code>,
    /// The causes, each with its connection.
    pub causes: Vec<(C, Cause)>,
}

impl<C> Topic<C> {
    /// How many records.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.causes.iter().map(|(_, cause)| cause.count()).sum()
    }

    /// What they are worth, by currency.
    #[must_use]
    pub fn amounts(&self) -> Vec<Money> {
        added(self.causes.iter().flat_map(|(_, cause)| cause.amounts()))
    }

    /// Since when the oldest waits.
    #[must_use]
    pub fn oldest(&self) -> Option<Timestamp> {
        let first = |(_, cause): &(C, Cause)| cause.first().map(|group| group.oldest);
        self.causes.iter().filter_map(first).min()
    }
}

/// Brings together what shares a code, whatever connection it is of. What concerns most records comes first.
#[must_use]
pub fn topics<C>(causes: impl IntoIterator<Item = (C, Cause)>) -> Vec<Topic<C>> {
    let mut topics: BTreeMap<Option<Code>, Topic<C>> = BTreeMap::new();
    for (connection, cause) in causes {
        let topic = topics.entry(cause.code.clone()).or_insert_with(|| Topic {
            state: cause.state,
            code: cause.code.clone(),
            causes: Vec::new(),
        });
        topic.state = topic.state.max(cause.state);
        topic.causes.push((connection, cause));
    }
    let mut topics: Vec<_> = topics.into_values().collect();
    for topic in &mut topics {
        topic
            .causes
            .sort_by_key(|(_, cause)| Reverse(cause.count()));
    }
    topics.sort_by_key(|topic| Reverse(topic.count()));
    topics
}

/// The sums by currency.
fn added(amounts: impl IntoIterator<Item = Money>) -> Vec<Money> {
    let mut sums = BTreeMap::new();
    for money in amounts {
        let sum = sums.entry(money.currency).or_insert(Amount::ZERO);
        *sum = [*sum, money.amount].into_iter().sum();
    }
    sums.into_iter()
        .map(|(currency, amount)| amount.of(currency))
        .collect()
}

/// Which records a person decides about.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// By SIDE/KIND/ID, id or number.
    pub records: Vec<String>,
    /// All of this group, as [`Cause::group`] names it; empty for those without one.
    pub group: Option<String>,
    /// All with this code.
    pub code: Option<Code>,
    /// What was shown as their code when they were chosen: those that have another one by now are left out.
    pub seen: Option<Code>,
}

/// What another person approves before this is decided: some of what was chosen was refused over there, and this sends
/// it again, which is a replay, whatever it is called. `None` where nothing of it was, or nothing is sent again.
///
/// # Errors
/// As for [`decide`].
pub async fn replays(
    store: &ConnectionStore,
    chosen: &Chosen,
    ruling: &Ruling,
    reason: &str,
) -> Result<Option<Proposal>, DeskError> {
    if !ruling.sends_again() {
        return Ok(None);
    }
    let items = chosen_items(store, chosen).await?;
    let records: Vec<RecordRef> = items.iter().map(|item| item.record.clone()).collect();
    let refused = store.refused(&records).await?;
    let again = items
        .iter()
        .filter(|item| refused.contains(&(item.flow.clone(), item.record.clone())));
    let again: Vec<&str> = again.map(|item| item.label.as_str()).collect();
    if again.is_empty() {
        return Ok(None);
    }
    let mut proposal = Proposal {
        text: format!("{}: {}", ruling.sending(), again.join(", ")),
        ..Proposal::default()
    };
    for item in &items {
        let before = so_far(store, item, ruling).await?;
        let decision = ruling.as_text(item, before);
        proposal.facts.push(decided(item, decision, reason));
        proposal.due.push(due(item));
    }
    Ok(Some(proposal))
}

fn decided(item: &Item, decision: String, reason: &str) -> Fact {
    Fact::Decided {
        flow: item.flow.clone(),
        record: item.record.clone(),
        decision,
        reason: reason.to_owned(),
    }
}

fn due(item: &Item) -> Due {
    Due {
        flow: item.flow.clone(),
        record: item.record.clone(),
    }
}

/// Records a person's decision, with its reason, and makes the records due. Gives those that it is about.
///
/// # Errors
/// A name that stands for several records. For a link: `unknown-record` where its target is not there, not on the other
/// side or of another kind, `link-refused` where it stands for another record already. The store's.
pub async fn decide(
    store: &ConnectionStore,
    chosen: &Chosen,
    ruling: &Ruling,
    reason: &str,
    actor: &str,
) -> Result<Vec<Item>, DeskError> {
    let items = chosen_items(store, chosen).await?;
    if let Ruling::Link(target) = ruling {
        ruling::may_be_linked(store, &items, target).await?;
    }
    for page in items.chunks(PAGE as usize) {
        let mut commit = Commit {
            actor: actor.to_owned(),
            ..Commit::default()
        };
        for item in page {
            let before = so_far(store, item, ruling).await?;
            let decision = ruling.as_text(item, before);
            commit.facts.push(decided(item, decision, reason));
            commit.due.push(due(item));
        }
        store.commit(commit).await?;
    }
    Ok(items)
}

/// What was decided about a record so far, where that matters to what is decided now.
async fn so_far(
    store: &ConnectionStore,
    item: &Item,
    ruling: &Ruling,
) -> Result<Option<Decided>, DeskError> {
    if *ruling != Ruling::Accept {
        return Ok(None);
    }
    let record = std::slice::from_ref(&item.record);
    let found = store.decisions(&item.flow, record).await?;
    Ok(match found.get(&item.record) {
        Some(decision) => Some(decisions::decided(store, decision).await?),
        None => None,
    })
}

/// The items that were chosen, as far as they still are what was seen of them.
async fn chosen_items(store: &ConnectionStore, chosen: &Chosen) -> Result<Vec<Item>, DeskError> {
    let mut items = named_items(store, chosen).await?;
    if let Some(seen) = &chosen.seen {
        items.retain(|item| item.outcome.code.as_ref() == Some(seen));
    }
    Ok(items)
}

/// The items that were chosen: by name, by group, by code. A name that stands for several is refused.
async fn named_items(store: &ConnectionStore, chosen: &Chosen) -> Result<Vec<Item>, DeskError> {
    let mut items = Vec::new();
    for text in &chosen.records {
        let found = record::find(store, text).await?;
        let mut named = Vec::new();
        for flow in record::flow_names() {
            named.extend(store.items(flow, &found).await?.into_values());
        }
        if named.len() > 1 && text.parse::<RecordRef>().is_err() {
            let which: Vec<_> = named.iter().map(|item| item.record.to_string()).collect();
            let cause = format!("`{text}` stands for {}; say which one", which.join(", "));
            return Err(DeskError::usage(Code::new("unknown-record"), cause));
        }
        items.extend(named);
    }
    if chosen.group.is_none() && chosen.code.is_none() {
        return Ok(items);
    }
    let filter = ItemFilter {
        code: chosen.code.clone(),
        group: chosen.group.clone(),
        states: State::ALL
            .into_iter()
            .filter(|state| state.needs_a_person())
            .collect(),
        ..ItemFilter::default()
    };
    let mut after: Option<(String, RecordRef)> = None;
    loop {
        let from = after.as_ref().map(|(flow, record)| (flow.as_str(), record));
        let page = store.items_page(&filter, from, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(items);
        };
        after = Some((last.flow.clone(), last.record.clone()));
        items.extend(page);
    }
}
