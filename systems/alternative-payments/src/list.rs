//! Listing, page by page, and what is read again where nothing tells what changed (README §Reading lists).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tieout_domain::port::{Depth, Mark, Observed, Page, PageToken, Read};
use tieout_domain::{Document, Fault, Fingerprint, RemoteId, Timestamp};
use tieout_kit::wire::escaped;

use crate::call::{Client, IN_FLIGHT_MAX, absent, drift};
use crate::capabilities::Capability;
use crate::pages::Sheet;
use crate::wire::Head;

/// The most records on a page.
const PAGE_MAX: usize = 100;
/// How far a read of changes reaches back behind what was seen, at least: how late a list shows a change isn't documented.
const OVERLAP: Duration = Duration::from_secs(5 * 60);
/// How much of what was made in the past each read looks at again, where nothing tells what changed.
const ROLLED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf {
    /// Its path.
    pub(crate) path: &'static str,
    /// What people call one of its records.
    pub(crate) noun: &'static str,
}

impl Shelf {
    /// The path of one record.
    pub(crate) fn one(&self, id: &str) -> String {
        format!("{}/{}", self.path, escaped(id))
    }
}

/// What is read again where nothing tells what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// What is new, and of the rest a part in turn.
    InTurn,
    /// What is younger than this.
    Recent(SignedDuration),
}

/// One kind of record: how its JSON becomes a document.
#[async_trait]
pub(crate) trait Room: Send + Sync + 'static {
    /// Its JSON.
    type Shown: DeserializeOwned + Send + Sync;
    /// What a record doesn't tell by itself, of several.
    type Beside: Send + Sync;

    /// Its collection.
    fn shelf(&self) -> &'static Shelf;

    /// What is read again where nothing tells what changed.
    fn again(&self) -> Again;

    /// The filter for what was made at or after a moment.
    fn made_since(&self, moment: Timestamp) -> String {
        format!("created_at_start={}", escaped(&second(moment)))
    }

    /// Asks for what these records don't tell by themselves.
    ///
    /// # Errors
    /// A [`Fault`] of a read.
    async fn beside(
        &self,
        client: &Client,
        shown: &[(Head, Self::Shown)],
    ) -> Result<Self::Beside, Fault>;

    /// The document; for one that can't be read, why.
    ///
    /// # Errors
    /// The field, and what is wrong with it.
    fn document(
        &self,
        client: &Client,
        head: &Head,
        shown: &Self::Shown,
        beside: &Self::Beside,
    ) -> Result<Document, String>;

    /// Whether this one is known to be at its end, so that it need not be looked at again.
    fn is_settled(&self, _head: &Head, _shown: &Self::Shown) -> bool {
        false
    }

    /// Takes up what an earlier read found out.
    fn take_up(&self, _kept: &str, _depth: Depth) {}

    /// What was found out, for later reads.
    fn kept(&self) -> String {
        String::new()
    }
}

/// A moment as the service's filters take it.
fn second(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Where a read is: what a page token holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Place {
    /// The filters to read by, the present one first.
    passes: Vec<String>,
    /// The cursor to go on after.
    after: Option<String>,
    /// Pages of this pass so far.
    pages: u32,
    /// An earlier cursor. To meet it again means to go in circles (Brent's method: it is renewed after 1, 2, 4, 8, …
    /// pages, so that a circle of any length is noticed).
    earlier: Option<String>,
    /// The newest record or change seen.
    newest: Option<Timestamp>,
    /// The oldest record seen.
    oldest: Option<Timestamp>,
    /// The service's time when the read began: what changed after may have been missed.
    began: Option<Timestamp>,
    /// Up to where the past was looked at again.
    rolled: Option<Timestamp>,
}

/// What a finished read leaves for the next, by the service's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// Up to when everything was seen.
    newest: Timestamp,
    /// When the oldest record was made.
    #[serde(default)]
    oldest: Option<Timestamp>,
    /// Up to where the past was looked at again.
    #[serde(default)]
    rolled: Option<Timestamp>,
    /// What was found out beside the list.
    #[serde(default)]
    kept: String,
}

impl Seen {
    fn of(mark: &Mark) -> Option<Self> {
        serde_json::from_str(&mark.0).ok()
    }
}

impl Place {
    fn new(before: Option<&Seen>) -> Self {
        Self {
            passes: Vec::new(),
            after: None,
            pages: 0,
            earlier: None,
            newest: before.map(|before| before.newest),
            oldest: before.and_then(|before| before.oldest),
            began: None,
            rolled: before.and_then(|before| before.rolled),
        }
    }

    /// Notes what a page showed, and when.
    fn note(&mut self, heads: &[Head], by_change: bool, at: Option<Timestamp>) {
        let first = self.began.is_none() && self.pages == 0;
        for head in heads {
            let changed = head.updated_at.filter(|_| by_change);
            self.newest = self.newest.max(changed.or(head.created_at));
            self.oldest = match (self.oldest, head.created_at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        if first {
            // Without a clock, what the first page showed is the most that is safe.
            self.began = at.or(self.newest);
        }
    }

    /// Where to go after a page that named `next`; `None` where the read ends.
    fn after(mut self, next: Option<String>) -> Option<Self> {
        let circles = next.is_some() && next == self.earlier;
        match next.filter(|_| !circles) {
            Some(next) => {
                self.pages += 1;
                if self.pages.is_power_of_two() {
                    self.earlier = Some(next.clone());
                }
                self.after = Some(next);
                Some(self)
            }
            None if self.passes.len() > 1 => {
                self.passes.remove(0);
                (self.after, self.earlier, self.pages) = (None, None, 0);
                Some(self)
            }
            None => None,
        }
    }

    fn seen(&self, kept: String) -> Option<Seen> {
        let newest = self.newest?;
        Some(Seen {
            newest: self.began.map_or(newest, |began| began.min(newest)),
            oldest: self.oldest,
            rolled: self.rolled,
            kept,
        })
    }
}

/// Reads the page of this filter after this cursor.
async fn sheet(
    client: &Client,
    (path, noun): (&str, &str),
    filter: &str,
    after: Option<&str>,
) -> Result<(Sheet, Option<Timestamp>), Fault> {
    let limit = format!("limit={PAGE_MAX}");
    let after_it = after.map(|cursor| format!("after={}", escaped(cursor)));
    let query: Vec<&str> = [limit.as_str(), filter, after_it.as_deref().unwrap_or("")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let what = format!("listing {noun}s");
    let path = format!("{path}?{}", query.join("&"));
    let answered = client.get(&path, &what).await?;
    let sheet = Sheet::read(&answered.body, after).map_err(|why| {
        drift(format!(
            "Alternative Payments: {what}: the answer is not as documented: {why}"
        ))
    })?;
    Ok((sheet, answered.at))
}

/// All records that this filter lets through, page after page.
pub(crate) async fn all(
    client: &Client,
    shelf: &Shelf,
    filter: &str,
) -> Result<Vec<Box<RawValue>>, Fault> {
    all_at(client, shelf.path, shelf.noun, filter).await
}

/// All records of the list at this path.
pub(crate) async fn all_at(
    client: &Client,
    path: &str,
    noun: &str,
    filter: &str,
) -> Result<Vec<Box<RawValue>>, Fault> {
    let (mut records, mut seen) = (Vec::new(), BTreeSet::new());
    let mut after: Option<String> = None;
    loop {
        let (page, _) = sheet(client, (path, noun), filter, after.as_deref()).await?;
        records.extend(page.records);
        match page.next {
            Some(next) if seen.insert(next.clone()) => after = Some(next),
            _ => return Ok(records),
        }
    }
}

/// A moment with the overlap before it.
pub(crate) fn before(client: &Client, moment: Timestamp) -> Timestamp {
    let overlap = client.settings.settle.max(OVERLAP);
    moment.checked_sub(overlap).unwrap_or(moment)
}

/// This record.
///
/// # Errors
/// `Drift` where another record came for it.
pub(crate) async fn by_id(
    client: &Client,
    shelf: &Shelf,
    id: &RemoteId,
) -> Result<Box<RawValue>, Fault> {
    let what = format!("reading {} {id}", shelf.noun);
    let raw: Box<RawValue> = client.read(&shelf.one(id.as_str()), &what).await?;
    match serde_json::from_str::<Head>(raw.get()) {
        Ok(head) if head.id == *id => Ok(raw),
        Ok(head) => Err(drift(format!(
            "Alternative Payments: {what}: another record came, `{}`",
            head.id
        ))),
        Err(error) => Err(drift(format!(
            "Alternative Payments: {what}: a record that can't be told apart came: {error}"
        ))),
    }
}

/// These records, each by a call of its own; those that don't exist are absent.
pub(crate) async fn by_ids(
    client: &Client,
    shelf: &Shelf,
    ids: impl IntoIterator<Item = &RemoteId>,
) -> Result<Vec<Box<RawValue>>, Fault> {
    let ids: BTreeSet<&RemoteId> = ids.into_iter().collect();
    let asked: Vec<_> = ids.into_iter().map(|id| by_id(client, shelf, id)).collect();
    let mut answers = futures::stream::iter(asked).buffered(IN_FLIGHT_MAX);
    let mut records = Vec::new();
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(raw) => records.push(raw),
            Err(fault) if absent(&fault) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(records)
}

/// What records turned out to be.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    pub(crate) observed: Vec<Observed>,
    pub(crate) unreadable: Vec<(RemoteId, String)>,
}

impl Sight {
    /// What could be read, if all of it could.
    ///
    /// # Errors
    /// `Drift`: what can't be read must not look like something that doesn't exist.
    pub(crate) fn whole(self, shelf: &Shelf) -> Result<Vec<Observed>, Fault> {
        match self.unreadable.into_iter().next() {
            None => Ok(self.observed),
            Some((id, why)) => Err(unreadable(shelf, &id, &why)),
        }
    }
}

/// A record that is there and can't be read.
pub(crate) fn unreadable(shelf: &Shelf, id: &RemoteId, why: &str) -> Fault {
    drift(format!(
        "Alternative Payments: {} {id} can't be read: {why}",
        shelf.noun
    ))
}

/// The head of a record.
///
/// # Errors
/// `Drift` for a record without an id.
fn head(shelf: &Shelf, raw: &RawValue) -> Result<Head, Fault> {
    serde_json::from_str(raw.get()).map_err(|error| {
        drift(format!(
            "Alternative Payments: a {} that can't be told apart came: {error}",
            shelf.noun
        ))
    })
}

/// Reads records. One that can't be read is named and doesn't hide the others; of one that is there twice, the first
/// counts.
///
/// # Errors
/// `Drift` for a record without an id; a [`Fault`] where what a record doesn't tell can't be asked for.
pub(crate) async fn observe<R: Room>(
    client: &Client,
    room: &R,
    raws: &[Box<RawValue>],
) -> Result<Sight, Fault> {
    let noun = room.shelf().noun;
    let (mut sight, mut seen, mut shown) = (Sight::default(), BTreeSet::new(), Vec::new());
    for raw in raws {
        let head = head(room.shelf(), raw)?;
        if !seen.insert(head.id.clone()) {
            continue;
        }
        match serde_json::from_str::<R::Shown>(raw.get()) {
            Ok(read) => shown.push((head, read)),
            Err(error) => sight.unreadable.push((head.id, error.to_string())),
        }
    }
    let beside = room.beside(client, &shown).await?;
    for (head, shown) in shown {
        match room.document(client, &head, &shown, &beside) {
            Ok(document) => sight.observed.push(observed(head, document)),
            Err(why) => sight.unreadable.push((head.id, why)),
        }
    }
    for (id, why) in &sight.unreadable {
        tracing::warn!(noun, %id, why, "a record of Alternative Payments can't be read");
    }
    Ok(sight)
}

/// A record with its document. The service tells no version that is documented: its content is one.
pub(crate) fn observed(head: Head, document: Document) -> Observed {
    Observed {
        version: match head.updated_at {
            Some(updated) => updated.to_string(),
            None => Fingerprint::of(&document).as_str().to_owned(),
        },
        created: head.created_at,
        id: head.id,
        document,
    }
}

/// Reads one kind.
pub(crate) struct Reader<R> {
    pub(crate) client: Arc<Client>,
    pub(crate) room: Arc<R>,
}

impl<R: Room> Reader<R> {
    /// Where a read begins.
    fn start(&self, depth: Depth, mark: Option<&Seen>) -> Place {
        if let Some(mark) = mark {
            self.room.take_up(&mark.kept, depth);
        }
        let changes = mark.filter(|_| depth == Depth::Changes);
        let mut place = Place::new(mark);
        let Some(seen) = changes else {
            place.passes.push(String::new());
            return place;
        };
        let since = before(&self.client, seen.newest);
        if self.client.settings.has(Capability::ChangedSince) {
            let since = escaped(&second(since));
            place.passes.push(format!("updated_at_start={since}"));
            return place;
        }
        match self.room.again() {
            Again::Recent(span) => {
                let from = seen.newest.checked_sub(span).unwrap_or(since);
                place.passes.push(self.room.made_since(from));
            }
            Again::InTurn => {
                place.passes.push(self.room.made_since(since));
                place
                    .passes
                    .extend(self.in_turn(seen, since, &mut place.rolled));
            }
        }
        place
    }

    /// The part of the past whose turn it is, from where the last one ended up to what is new; then the turn begins again.
    fn in_turn(
        &self,
        seen: &Seen,
        since: Timestamp,
        rolled: &mut Option<Timestamp>,
    ) -> Option<String> {
        let oldest = seen.oldest?;
        let from = rolled.filter(|rolled| *rolled < since).unwrap_or(oldest);
        if from >= since {
            return None;
        }
        let to = from.checked_add(ROLLED).unwrap_or(since).min(since);
        *rolled = Some(to);
        let made_since = self.room.made_since(from);
        Some(format!(
            "{made_since}&created_at_end={}",
            escaped(&second(to))
        ))
    }
}

#[async_trait]
impl<R: Room> Read for Reader<R> {
    async fn page(
        &self,
        depth: Depth,
        mark: Option<&Mark>,
        token: Option<&PageToken>,
    ) -> Result<Page, Fault> {
        let shelf = self.room.shelf();
        let mut place = match token {
            None => self.start(depth, mark.and_then(Seen::of).as_ref()),
            Some(token) => serde_json::from_str(&token.0).map_err(|error| {
                drift(format!(
                    "a page token of Alternative Payments' that this program didn't make: {error}"
                ))
            })?,
        };
        let filter = place.passes.first().cloned().unwrap_or_default();
        let list = (shelf.path, shelf.noun);
        let (page, at) = sheet(&self.client, list, &filter, place.after.as_deref()).await?;
        let heads: Vec<Head> = page
            .records
            .iter()
            .map(|raw| head(shelf, raw))
            .collect::<Result<_, _>>()?;
        place.note(
            &heads,
            self.client.settings.has(Capability::ChangedSince),
            at,
        );
        let records: Vec<Box<RawValue>> = page
            .records
            .into_iter()
            .zip(&heads)
            .filter(|(raw, head)| {
                let shown = serde_json::from_str::<R::Shown>(raw.get());
                !shown.is_ok_and(|shown| self.room.is_settled(head, &shown))
            })
            .map(|(raw, _)| raw)
            .collect();
        let sight = observe(&self.client, &*self.room, &records).await?;
        let seen = place.seen(self.room.kept());
        let next = place.after(page.next);
        let mark = seen.filter(|_| next.is_none());
        let unwritten = |error| drift(format!("a page token can't be written: {error}"));
        let mark = mark.map(|seen| serde_json::to_string(&seen)).transpose();
        let next = next.map(|place| serde_json::to_string(&place)).transpose();
        Ok(Page {
            records: sight.observed,
            gone: Vec::new(),
            unreadable: sight.unreadable,
            next: next.map_err(unwritten)?.map(PageToken),
            mark: mark.map_err(unwritten)?.map(Mark),
            may_stop: false,
        })
    }

    async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Observed>, Fault> {
        let shelf = self.room.shelf();
        let raws = by_ids(&self.client, shelf, ids).await?;
        observe(&self.client, &*self.room, &raws)
            .await?
            .whole(shelf)
    }
}
