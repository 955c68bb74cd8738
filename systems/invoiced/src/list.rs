//! Listing: newest change first, page by page (README §Reading lists).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::port::{Depth, Mark, Observed, Page, PageToken, Read};
use tieout_domain::{Document, Fault, Fingerprint, RemoteId, Timestamp};

use crate::call::{Client, absent, drift, escaped, parse};
use crate::pages::{Onward, PAGE_MAX};
use crate::problem::Effect;
use crate::wire::Head;

/// How far a read of changes reaches back behind the newest change that was seen, at least: whether `updated_after`
/// includes its own second, and how late a list shows a change, isn't documented (README §Reading lists).
const OVERLAP: Duration = Duration::from_secs(5 * 60);

/// A collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf {
    /// Its path.
    pub(crate) path: &'static str,
    /// What people call one of its records.
    pub(crate) noun: &'static str,
    /// What has to be asked for besides.
    pub(crate) include: &'static str,
    /// Whether its records belong to customers.
    pub(crate) of_customer: bool,
}

impl Shelf {
    /// The first word of its events.
    pub(crate) fn event(&self) -> &'static str {
        self.path.trim_start_matches('/').trim_end_matches('s')
    }

    /// Its path, with what has to be asked for.
    pub(crate) fn place(&self) -> String {
        self.with(self.path)
    }

    /// The path of one record.
    pub(crate) fn one(&self, id: &str) -> String {
        self.with(&format!("{}/{}", self.path, escaped(id)))
    }

    fn with(&self, path: &str) -> String {
        if self.include.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", self.include)
        }
    }

    fn query(&self, filter: &str) -> String {
        let sorted = format!("per_page={PAGE_MAX}&sort={}", escaped("updated_at desc"));
        [&sorted, self.include, filter]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("&")
    }
}

/// One kind of record: how its JSON becomes a document.
pub(crate) trait Room: Send + Sync + 'static {
    /// Its JSON.
    type Shown: DeserializeOwned + Send + Sync;

    /// Its collection.
    fn shelf(&self) -> &'static Shelf;

    /// The document; for one that can't be read, why.
    ///
    /// # Errors
    /// The field, and what is wrong with it.
    fn document(&self, client: &Client, shown: &Self::Shown) -> Result<Document, String>;
}

/// Where a read is: what a page token holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Place {
    /// The query of the page to read.
    query: String,
    /// Pages read so far.
    pages: u32,
    /// An earlier query. To meet it again means to go in circles (Brent's method: it is renewed after 1, 2, 4, 8, …
    /// pages, so that a circle of any length is noticed).
    earlier: String,
    /// The newest change seen.
    newest: Option<i64>,
    /// The newest event when this read began.
    events: Option<i64>,
    /// The length of the list, as its last page told it.
    total: Option<u64>,
    /// Whether the list grew shorter under the read: what moved up may have been missed.
    shrunk: bool,
    /// The change down to which everything had been seen before.
    until: Option<i64>,
}

/// What a finished read leaves for the next: times in seconds, by the service's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// The newest change seen.
    newest: i64,
    /// The newest event seen; nothing where events can't be read.
    events: Option<i64>,
}

impl Seen {
    fn of(mark: &Mark) -> Option<Self> {
        serde_json::from_str(&mark.0).ok()
    }
}

/// A page of a list.
pub(crate) struct Listing {
    pub(crate) records: Vec<Box<RawValue>>,
    pub(crate) onward: Onward,
}

/// Reads the page of this query, which is the first of its list or one that another page led to. Nothing on it ends the
/// list.
///
/// # Errors
/// `Later` where it ends before the list's own count: what was left out must not look as if it weren't there.
pub(crate) async fn listing(
    client: &Client,
    path: &str,
    (query, is_first): (&str, bool),
    what: &str,
) -> Result<Listing, Fault> {
    let answered = client.get(&format!("{path}?{query}"), what).await?;
    let records: Vec<Box<RawValue>> = parse(&answered.body, Effect::Read, what)?;
    let mut onward = Onward::of(&answered.headers, query);
    if records.is_empty() {
        onward.next = None;
    }
    if let Some(total) = onward.cut_short(query, is_first, records.len()) {
        return Err(Fault::Later {
            code: Code::new("server-error"),
            cause: format!(
                "Invoiced: {what}: the list ends before the {total} records of its own count"
            ),
            after: None,
        });
    }
    Ok(Listing { records, onward })
}

fn listing_of(shelf: &Shelf) -> String {
    format!("listing {}s", shelf.noun)
}

/// All records that this filter lets through, page after page: the service refuses to skip any.
pub(crate) async fn all(
    client: &Client,
    shelf: &Shelf,
    filter: &str,
) -> Result<Vec<Box<RawValue>>, Fault> {
    let (mut records, mut seen) = (Vec::new(), BTreeSet::new());
    let mut query = shelf.query(filter);
    loop {
        let asked = (query.as_str(), seen.is_empty());
        let page = listing(client, shelf.path, asked, &listing_of(shelf)).await?;
        records.extend(page.records);
        match page.onward.next {
            Some(next) if seen.insert(next.clone()) => query = next,
            _ => return Ok(records),
        }
    }
}

/// What was made or changed at or after a moment, with the overlap before it.
pub(crate) async fn changed_since(
    client: &Client,
    shelf: &Shelf,
    since: Timestamp,
) -> Result<Vec<Box<RawValue>>, Fault> {
    all(
        client,
        shelf,
        &updated_after(since.as_second(), overlap(client)),
    )
    .await
}

fn overlap(client: &Client) -> i64 {
    let overlap = client.settings.settle.max(OVERLAP).as_secs();
    i64::try_from(overlap).unwrap_or(i64::MAX)
}

fn updated_after(second: i64, overlap: i64) -> String {
    format!("updated_after={}", second.saturating_sub(overlap).max(0))
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
            "Invoiced: {what}: another record came, `{}`",
            head.id
        ))),
        Err(error) => Err(drift(format!(
            "Invoiced: {what}: a record without an id came: {error}"
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
    let mut answers = futures::stream::iter(asked).buffered(client.settings.concurrency);
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
    newest: Option<i64>,
    oldest: Option<i64>,
}

impl Sight {
    /// What could be read, if all of it could.
    ///
    /// # Errors
    /// `Drift`: what can't be read must not look like something that doesn't exist.
    pub(crate) fn whole(self, shelf: &Shelf) -> Result<Vec<Observed>, Fault> {
        match self.unreadable.into_iter().next() {
            None => Ok(self.observed),
            Some((id, why)) => Err(drift(format!(
                "Invoiced: {} {id} can't be read: {why}",
                shelf.noun
            ))),
        }
    }
}

/// Reads records. One that can't be read is named and doesn't hide the others; of one that is there twice, the first
/// counts.
///
/// # Errors
/// `Drift` for a record without an id.
pub(crate) fn observe<R: Room>(
    client: &Client,
    room: &R,
    raws: &[Box<RawValue>],
) -> Result<Sight, Fault> {
    let noun = room.shelf().noun;
    let (mut sight, mut seen) = (Sight::default(), BTreeSet::new());
    for raw in raws {
        let head: Head = serde_json::from_str(raw.get()).map_err(|error| {
            drift(format!(
                "Invoiced: a {noun} that can't be told apart came: {error}"
            ))
        })?;
        if let Some(updated) = head.updated().map(Timestamp::as_second) {
            sight.newest = sight.newest.max(Some(updated));
            sight.oldest = Some(sight.oldest.map_or(updated, |oldest| oldest.min(updated)));
        }
        if !seen.insert(head.id.clone()) {
            continue;
        }
        let shown = serde_json::from_str::<R::Shown>(raw.get()).map_err(|error| error.to_string());
        match shown.and_then(|shown| room.document(client, &shown)) {
            Ok(document) => sight.observed.push(observed(head, document)),
            Err(why) => {
                tracing::warn!(noun, id = %head.id, why, "a record of Invoiced can't be read");
                sight.unreadable.push((head.id, why));
            }
        }
    }
    Ok(sight)
}

fn observed(head: Head, document: Document) -> Observed {
    let version = match head.updated() {
        Some(updated) => updated.to_string(),
        None => Fingerprint::of(&document).as_str().to_owned(),
    };
    Observed {
        version,
        created: head.created(),
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
    /// Where a read begins, and what the events tell beside the list.
    async fn start(&self, depth: Depth, before: Option<Seen>) -> Result<(Place, Told), Fault> {
        let client = &*self.client;
        let overlap = overlap(client);
        let since = before.and_then(|before| before.events.or(Some(before.newest)));
        let past = client
            .past_since(since.map(|since| since.saturating_sub(overlap)))
            .await?;
        let told = match since {
            Some(_) => self.told(&past.events).await?,
            None => Told::default(),
        };
        // The list of a whole read begins anew. Deletions go on from the mark: no list shows them, and the next mark is
        // past their events.
        let before = before.filter(|_| depth == Depth::Changes);
        let filter = before.map(|before| updated_after(before.newest, overlap));
        let place = Place {
            query: self
                .room
                .shelf()
                .query(filter.as_deref().unwrap_or_default()),
            pages: 0,
            earlier: String::new(),
            newest: before.map(|before| before.newest),
            events: past.latest.max(since),
            total: None,
            shrunk: false,
            until: before.map(|before| before.newest.saturating_sub(overlap)),
        };
        Ok((place, told))
    }

    /// What is said to be deleted or merged is looked at: an event is a hint, and nothing else of it is believed.
    async fn told(&self, events: &[crate::past::Event]) -> Result<Told, Fault> {
        let shelf = self.room.shelf();
        let mut told = Told::default();
        let ids: BTreeSet<&RemoteId> = events
            .iter()
            .filter(|event| event.may_end(shelf.event()))
            .flat_map(|event| &event.ids)
            .collect();
        told.records = by_ids(&self.client, shelf, ids.iter().copied()).await?;
        let there: BTreeSet<RemoteId> = told.records.iter().filter_map(|raw| id_of(raw)).collect();
        told.gone = ids
            .into_iter()
            .filter(|id| !there.contains(id))
            .cloned()
            .collect();
        if shelf.of_customer {
            // Whether a merger shows as a change of the customer's documents isn't documented.
            let customers: BTreeSet<&RemoteId> = events
                .iter()
                .filter(|event| event.merges())
                .flat_map(|event| &event.ids)
                .collect();
            for id in customers {
                let filter = format!("filter%5Bcustomer%5D={}", escaped(id.as_str()));
                told.records
                    .extend(all(&self.client, shelf, &filter).await?);
            }
        }
        Ok(told)
    }

    /// Where to go after a page of `place` that named `next`; `None` where the read ends, also where it would go in
    /// circles.
    fn after(mut place: Place, next: Option<String>) -> Option<Place> {
        let next = next.filter(|next| *next != place.query && *next != place.earlier)?;
        place.pages += 1;
        if place.pages.is_power_of_two() {
            place.earlier.clone_from(&next);
        }
        place.query = next;
        Some(place)
    }
}

/// What events told, looked at.
#[derive(Default)]
struct Told {
    records: Vec<Box<RawValue>>,
    gone: Vec<RemoteId>,
}

fn id_of(raw: &RawValue) -> Option<RemoteId> {
    serde_json::from_str::<Head>(raw.get())
        .ok()
        .map(|head| head.id)
}

#[async_trait]
impl<R: Room> Read for Reader<R> {
    async fn page(
        &self,
        depth: Depth,
        mark: Option<&Mark>,
        token: Option<&PageToken>,
    ) -> Result<Page, Fault> {
        let before = mark.and_then(Seen::of);
        let (mut place, told) = match token {
            None => self.start(depth, before).await?,
            Some(token) => {
                let place = serde_json::from_str(&token.0).map_err(|error| {
                    drift(format!(
                        "a page token of Invoiced's that this program didn't make: {error}"
                    ))
                })?;
                (place, Told::default())
            }
        };
        let shelf = self.room.shelf();
        let asked = (place.query.as_str(), place.pages == 0);
        let page = listing(&self.client, shelf.path, asked, &listing_of(shelf)).await?;
        let mut sight = observe(&self.client, &*self.room, &page.records)?;
        place.newest = place.newest.max(sight.newest);
        place.shrunk |= matches!((place.total, page.onward.total), (Some(a), Some(b)) if b < a);
        place.total = page.onward.total.or(place.total);
        // Should the service not heed `updated_after`, the read may end where the last one began.
        let may_stop = place
            .until
            .zip(sight.oldest)
            .is_some_and(|(until, oldest)| oldest < until);
        let told_of = observe(&self.client, &*self.room, &told.records)?;
        let listed: BTreeSet<RemoteId> = page.records.iter().filter_map(|raw| id_of(raw)).collect();
        let unlisted = |id: &RemoteId| !listed.contains(id);
        sight.observed.extend(
            told_of
                .observed
                .into_iter()
                .filter(|record| unlisted(&record.id)),
        );
        sight.unreadable.extend(
            told_of
                .unreadable
                .into_iter()
                .filter(|(id, _)| unlisted(id)),
        );
        let kept = Seen {
            newest: place.newest.unwrap_or_default(),
            events: place.events,
        };
        let known = place.newest.is_some() && !place.shrunk;
        let next = Self::after(place, page.onward.next);
        let mark = (known && (next.is_none() || may_stop))
            .then(|| serde_json::to_string(&kept).map(Mark))
            .transpose();
        let next = next.map(|place| serde_json::to_string(&place)).transpose();
        let unwritten = |error| drift(format!("a page token can't be written: {error}"));
        Ok(Page {
            records: sight.observed,
            gone: told.gone.into_iter().filter(|id| unlisted(id)).collect(),
            unreadable: sight.unreadable,
            next: next.map_err(unwritten)?.map(PageToken),
            mark: mark.map_err(unwritten)?,
            may_stop,
        })
    }

    async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Observed>, Fault> {
        let shelf = self.room.shelf();
        let raws = by_ids(&self.client, shelf, ids).await?;
        observe(&self.client, &*self.room, &raws)?.whole(shelf)
    }
}
