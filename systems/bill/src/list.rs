//! Listing: newest first, page by page (README §Lists).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::port::{Depth, Mark, Observed, Page, PageToken, Read};
use tieout_domain::{Document, Fault, Fingerprint, RemoteId, Timestamp};

use crate::call::{Client, Failed, escaped};
use crate::parts::{Part, Trail};
use crate::wire::Head;

/// The most records on a page, and the most ids in one filter.
const PAGE_MAX: usize = 100;

/// How much of a page token is shown.
const TOKEN_SHOWN_MAX: usize = 60;

/// How far the service's clock may be behind ours.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// How late a list may show a change, at least. README §Lists.
const LAG: Duration = Duration::from_secs(5 * 60);

/// A collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf {
    /// Its path.
    pub(crate) path: &'static str,
    /// What people call one of its records.
    pub(crate) noun: &'static str,
    /// Its name in answers that wrap it.
    pub(crate) wrapped: &'static str,
    /// The most records of one bulk creation.
    pub(crate) bulk_max: usize,
    /// Whether it can be filtered by the time of the last change, as far as that is documented.
    pub(crate) by_change: bool,
    /// Whether its records can be archived.
    pub(crate) archives: bool,
    /// Whether what is archived can be restored.
    pub(crate) restores: bool,
}

impl Shelf {
    /// What people call several of its records.
    pub(crate) fn nouns(&self) -> String {
        format!(
            "{}{}",
            self.noun,
            if self.noun.ends_with('s') { "es" } else { "s" }
        )
    }
}

/// One kind of record: how its JSON becomes a document.
#[async_trait]
pub(crate) trait Room: Send + Sync + 'static {
    /// Its JSON.
    type Shown: DeserializeOwned + Send + Sync;

    /// Its collection.
    fn shelf(&self) -> &Shelf;

    /// The documents of these, in their order; for one that can't be read, why.
    ///
    /// # Errors
    /// A [`Fault`] of what must be read besides.
    async fn documents(
        &self,
        client: &Client,
        shown: &[(Head, Self::Shown)],
    ) -> Result<Vec<Result<Document, String>>, Fault>;
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    results: Vec<Box<RawValue>>,
    #[serde(default)]
    next_page: Option<String>,
}

/// Which records a pass over a list takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Pass {
    /// Whatever the list shows of itself.
    Plain,
    /// What is not archived. Asked for by name: whether a list hides archived records is not documented.
    Current,
    /// What is archived.
    Archived,
}

/// Where a read is: what a page token holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Place {
    pass: Pass,
    /// How far the pass is.
    trail: Trail,
    /// What is left of a long list, once it is read in parts.
    parts: Vec<Part>,
    /// The newest change seen on the very first page.
    mark: Option<Timestamp>,
    /// The change down to which this read goes; nothing if it reads everything.
    until: Option<Timestamp>,
    /// What the next read may have to look behind.
    behind: Option<Behind>,
}

/// What a finished read leaves for the next.
///
/// A list may show a change late, when a newer one has already been seen: such a change lies behind the mark. So
/// the pages down to where everything was seen are read once more, after what could be late must have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// The newest change seen.
    newest: Timestamp,
    /// Everything up to this change has been seen; nothing if that is the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    behind: Option<Behind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Behind {
    /// Up to here everything has been seen.
    whole: Timestamp,
    /// Up to here everything will have been seen by a read that begins at `due`, by our clock, and goes down to
    /// `whole`.
    next: Timestamp,
    /// When to look behind the mark.
    due: Timestamp,
}

impl Seen {
    /// A mark of an earlier version was the newest change alone.
    fn of(mark: &Mark) -> Option<Self> {
        serde_json::from_str(&mark.0).ok().or_else(|| {
            let newest = mark.0.parse().ok()?;
            Some(Self {
                newest,
                behind: None,
            })
        })
    }

    /// The change down to which a read that begins now goes.
    fn until(&self, now: Timestamp) -> Timestamp {
        match self.behind {
            Some(behind) if behind.due <= now => behind.whole,
            _ => self.newest,
        }
    }

    /// What is to be looked behind after a read that began at `began` and has seen `newest`.
    fn after(
        before: Option<&Self>,
        newest: Timestamp,
        began: Timestamp,
        lag: Duration,
    ) -> Option<Behind> {
        let due = began.checked_add(lag).unwrap_or(Timestamp::MAX);
        let Some(before) = before else {
            // A whole read: what was late for it is not older than this.
            let whole = newest.checked_sub(lag).unwrap_or(Timestamp::MIN);
            return Some(Behind {
                whole,
                next: newest,
                due,
            });
        };
        match before.behind {
            Some(behind) if behind.due > began => Some(behind),
            Some(behind) if behind.next < newest => Some(Behind {
                whole: behind.next,
                next: newest,
                due,
            }),
            Some(_) => None,
            None if before.newest < newest => Some(Behind {
                whole: before.newest,
                next: newest,
                due,
            }),
            None => None,
        }
    }
}

/// Adds what a listing asks for.
pub(crate) fn listing_path(path: &str, filters: &[String], cursor: &str) -> String {
    let mut text = format!("{path}?max={PAGE_MAX}&sort={}", escaped("updatedTime:desc"));
    if !filters.is_empty() {
        text.push_str("&filters=");
        text.push_str(&escaped(&filters.join(",")));
    }
    if !cursor.is_empty() {
        text.push_str("&page=");
        text.push_str(&escaped(cursor));
    }
    text
}

async fn listing(
    client: &Client,
    shelf: &Shelf,
    filters: &[String],
    cursor: &str,
) -> Result<Listing, Failed> {
    let what = format!("listing {}", shelf.nouns());
    let mut listing: Listing = client
        .read(&listing_path(shelf.path, filters, cursor), &what)
        .await?;
    listing.next_page = listing.next_page.filter(|next| !next.is_empty());
    Ok(listing)
}

/// All records that these filters let through.
pub(crate) async fn all(
    client: &Client,
    shelf: &Shelf,
    filters: &[String],
) -> Result<Vec<Box<RawValue>>, Failed> {
    let (mut records, mut cursor, mut seen) = (Vec::new(), String::new(), BTreeSet::new());
    loop {
        let page = listing(client, shelf, filters, &cursor).await?;
        records.extend(page.results);
        let Some(next) = page.next_page else {
            return Ok(records);
        };
        if !seen.insert(next.clone()) {
            return Err(circle(shelf, &next).into());
        }
        cursor = next;
    }
}

/// What was made at or after `since`, with a little time before it for clocks that differ.
///
/// Where the list can't be filtered by time of creation, it is read newest first until it reaches that
/// time: what was made after it was changed after it.
pub(crate) async fn made_since(
    client: &Client,
    shelf: &Shelf,
    filters: Vec<String>,
    since: Timestamp,
) -> Result<Vec<Box<RawValue>>, Fault> {
    let from = since.checked_sub(CLOCKS).unwrap_or(Timestamp::MIN);
    let mut filters = filters;
    filters.push(format!(
        "createdTime:gte:\"{}\"",
        from.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    ));
    match all(client, shelf, &filters).await {
        Err(failed) if unfilterable(&failed) => {}
        records => return Ok(records?),
    }
    let (mut records, mut cursor, mut seen) = (Vec::new(), String::new(), BTreeSet::new());
    loop {
        let page = listing(client, shelf, &[], &cursor).await?;
        let mut reached = false;
        for raw in page.results {
            let head = serde_json::from_str::<Head>(raw.get()).ok();
            let updated = head.as_ref().and_then(Head::updated);
            let created = head.as_ref().and_then(Head::created);
            reached |= updated.is_some_and(|updated| updated < from);
            if created.is_none_or(|created| created >= from) {
                records.push(raw);
            }
        }
        let Some(next) = page.next_page.filter(|_| !reached) else {
            return Ok(records);
        };
        if !seen.insert(next.clone()) {
            return Err(circle(shelf, &next));
        }
        cursor = next;
    }
}

pub(crate) fn circle(shelf: &Shelf, token: &str) -> Fault {
    Fault::Drift {
        code: Code::new("drift"),
        cause: format!(
            "BILL: listing {} goes in circles: the page token `{}` came twice",
            shelf.nouns(),
            crate::text::cut(token, TOKEN_SHOWN_MAX)
        ),
    }
}

/// A filter for any of these values.
pub(crate) fn any_of<'a>(field: &str, values: impl IntoIterator<Item = &'a RemoteId>) -> String {
    let values: Vec<&str> = values.into_iter().map(RemoteId::as_str).collect();
    format!("{field}:in:\"{}\"", values.join(","))
}

/// These records. Asked for in bulk; the ones that the list leaves out are asked for one by one, because a
/// list may hide archived records.
pub(crate) async fn by_ids(
    client: &Client,
    shelf: &Shelf,
    ids: &[RemoteId],
) -> Result<Vec<Box<RawValue>>, Fault> {
    let ids: Vec<RemoteId> = ids
        .iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .cloned()
        .collect();
    let mut records = Vec::new();
    for chunk in ids.chunks(PAGE_MAX) {
        let mut left: BTreeSet<&str> = chunk.iter().map(RemoteId::as_str).collect();
        if chunk.len() > 1 {
            for raw in all(client, shelf, &[any_of("id", chunk)]).await? {
                let head = serde_json::from_str::<Head>(raw.get());
                if head.is_ok_and(|head| left.remove(head.id.as_str())) {
                    records.push(raw);
                }
            }
        }
        for id in left {
            match by_id(client, shelf, id).await {
                Ok(raw) => records.push(raw),
                Err(failed) if failed.absent() => {}
                Err(failed) => return Err(failed.into()),
            }
        }
    }
    Ok(records)
}

/// This record.
///
/// # Errors
/// `Drift` where another record came for it.
pub(crate) async fn by_id(
    client: &Client,
    shelf: &Shelf,
    id: &str,
) -> Result<Box<RawValue>, Failed> {
    let what = format!("reading {} {id}", shelf.noun);
    let raw: Box<RawValue> = client.read(&one(shelf, id), &what).await?;
    match serde_json::from_str::<Head>(raw.get()) {
        Ok(head) if head.id == id => Ok(raw),
        Ok(head) => Err(Failed::drift(format!(
            "BILL: {what}: another record came, `{}`",
            head.id
        ))),
        Err(error) => Err(Failed::drift(format!(
            "BILL: {what}: a record without an id came: {error}"
        ))),
    }
}

/// The path of one record.
pub(crate) fn one(shelf: &Shelf, id: &str) -> String {
    format!("{}/{}", shelf.path, escaped(id))
}

/// What records turned out to be.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    pub(crate) observed: Vec<Observed>,
    pub(crate) unreadable: Vec<(RemoteId, String)>,
    pub(crate) newest: Option<Timestamp>,
    pub(crate) oldest: Option<Timestamp>,
}

/// Reads records. One that can't be read is named and doesn't hide the others.
pub(crate) async fn observe<R: Room>(
    client: &Client,
    room: &R,
    raws: &[Box<RawValue>],
) -> Result<Sight, Fault> {
    let mut sight = Sight::default();
    let mut shown = Vec::with_capacity(raws.len());
    for raw in raws {
        let head = match serde_json::from_str::<Head>(raw.get()) {
            Ok(head) => head,
            Err(error) => {
                let cause = format!("BILL: a {} without an id came: {error}", room.shelf().noun);
                return Err(Fault::Drift {
                    code: Code::new("drift"),
                    cause,
                });
            }
        };
        let updated = head.updated();
        sight.newest = sight.newest.max(updated);
        sight.oldest = match (sight.oldest, updated) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        match serde_json::from_str::<R::Shown>(raw.get()) {
            Ok(body) => shown.push((head, body)),
            Err(error) => sight.unreadable.push((head.id.into(), error.to_string())),
        }
    }
    let documents = room.documents(client, &shown).await?;
    for ((head, _), document) in shown.into_iter().zip(documents) {
        match document {
            Ok(document) => sight.observed.push(Observed {
                created: head.created(),
                version: head
                    .updated_time
                    .unwrap_or_else(|| Fingerprint::of(&document).as_str().to_owned()),
                id: head.id.into(),
                document,
            }),
            Err(why) => sight.unreadable.push((head.id.into(), why)),
        }
    }
    for (id, why) in &sight.unreadable {
        tracing::warn!(noun = room.shelf().noun, %id, why, "a record of BILL can't be read");
    }
    Ok(sight)
}

/// Reads one kind.
pub(crate) struct Reader<R> {
    pub(crate) client: Arc<Client>,
    pub(crate) room: Arc<R>,
}

impl<R: Room> Reader<R> {
    fn start(&self, whole: bool) -> Place {
        let pass = if whole && self.room.shelf().archives {
            Pass::Current
        } else {
            Pass::Plain
        };
        Place {
            pass,
            trail: Trail::default(),
            parts: Vec::new(),
            mark: None,
            until: None,
            behind: None,
        }
    }

    /// A page of each part. Nothing if the list can't be filtered so.
    async fn page_of_parts(&self, place: &mut Place) -> Result<Option<Page>, Fault> {
        let shelf = self.room.shelf();
        let is_first = place.parts.iter().all(|part| part.trail.cursor.is_empty());
        let asked = place.parts.iter().map(async |part| {
            let filters = part.filters();
            listing(&self.client, shelf, &filters, &part.trail.cursor).await
        });
        let pages = match try_join_all(asked).await {
            Err(failed) if is_first && unfilterable(&failed) => return Ok(None),
            pages => pages?,
        };
        let mut raws = Vec::new();
        for (mut part, page) in std::mem::take(&mut place.parts).into_iter().zip(pages) {
            raws.extend(page.results);
            if let Some(next) = page.next_page {
                part.trail.on(shelf, next)?;
                place.parts.push(part);
            }
        }
        let sight = observe(&self.client, &*self.room, &raws).await?;
        let next = (!place.parts.is_empty()).then(|| token_of(place));
        Ok(Some(Page {
            records: sight.observed,
            unreadable: sight.unreadable,
            next: next.transpose()?,
            mark: kept(place),
            ..Page::default()
        }))
    }

    /// Where to go after a page of `place` that named `next`.
    fn after(&self, mut place: Place, next: Option<String>) -> Result<Option<Place>, Fault> {
        match (next, place.pass) {
            (Some(next), _) => {
                place.trail.on(self.room.shelf(), next)?;
                Ok(Some(place))
            }
            (None, Pass::Current) => Ok(Some(Place {
                pass: Pass::Archived,
                trail: Trail::default(),
                ..place
            })),
            (None, Pass::Plain | Pass::Archived) => Ok(None),
        }
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
        let now = self.client.kit.timer.now();
        let before = mark.and_then(Seen::of).filter(|_| depth == Depth::Changes);
        let mut place = match token {
            None => self.start(before.is_none()),
            Some(token) => serde_json::from_str(&token.0).map_err(|error| Fault::Drift {
                code: Code::new("drift"),
                cause: format!("a page token of BILL's that this program didn't make: {error}"),
            })?,
        };
        if !place.parts.is_empty() {
            match self.page_of_parts(&mut place).await? {
                Some(page) => return Ok(page),
                // Not every list takes this filter: it is read to its end as it was begun.
                None => place.parts.clear(),
            }
        }
        let filters: &[String] = match place.pass {
            Pass::Plain => &[],
            Pass::Current => &["archived:eq:false".to_owned()],
            Pass::Archived => &["archived:eq:true".to_owned()],
        };
        let page = match listing(
            &self.client,
            self.room.shelf(),
            filters,
            &place.trail.cursor,
        )
        .await
        {
            // Not every list documents this filter: take what it shows without.
            Err(failed) if place.trail.cursor.is_empty() && unfilterable(&failed) => {
                if place.pass == Pass::Archived {
                    return Ok(Page {
                        mark: kept(&place),
                        ..Page::default()
                    });
                }
                place.pass = Pass::Plain;
                listing(&self.client, self.room.shelf(), &[], "").await?
            }
            page => page?,
        };
        let sight = observe(&self.client, &*self.room, &page.results).await?;
        // The earliest of the marks is the safe one: later passes may be much later.
        if place.mark.is_none() {
            place.mark = sight.newest;
            let lag = self.client.settings.settle.max(LAG);
            place.until = before.as_ref().map(|before| before.until(now));
            place.behind = place
                .mark
                .and_then(|newest| Seen::after(before.as_ref(), newest, now, lag));
        }
        let mark = kept(&place);
        // Every record on the page must be known besides.
        let reached = |until: Timestamp| sight.oldest.is_some_and(|oldest| oldest <= until);
        let may_stop = place.until.is_some_and(reached);
        let mut next = self.after(place, page.next_page)?;
        if let Some(next) = &mut next
            && !may_stop
            && self.room.shelf().by_change
            && let (Some(newest), Some(oldest), Some(until)) = (next.mark, sight.oldest, next.until)
        {
            next.parts = Part::of_rest(next.trail.pages, newest, oldest, until);
        }
        Ok(Page {
            records: sight.observed,
            gone: Vec::new(),
            unreadable: sight.unreadable,
            next: next.as_ref().map(token_of).transpose()?,
            mark,
            may_stop,
        })
    }

    async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Observed>, Fault> {
        let raws = by_ids(&self.client, self.room.shelf(), ids).await?;
        let sight = observe(&self.client, &*self.room, &raws).await?;
        // An unreadable record must not look like one that doesn't exist.
        match sight.unreadable.into_iter().next() {
            None => Ok(sight.observed),
            Some((id, why)) => Err(Fault::Drift {
                code: Code::new("drift"),
                cause: format!("BILL: {} {id} can't be read: {why}", self.room.shelf().noun),
            }),
        }
    }
}

fn token_of(place: &Place) -> Result<PageToken, Fault> {
    let text = serde_json::to_string(place).map_err(|error| Fault::Drift {
        code: Code::new("drift"),
        cause: format!("a page token can't be written: {error}"),
    })?;
    Ok(PageToken(text))
}

fn kept(place: &Place) -> Option<Mark> {
    let seen = Seen {
        newest: place.mark?,
        behind: place.behind,
    };
    serde_json::to_string(&seen).ok().map(Mark)
}

fn unfilterable(failed: &Failed) -> bool {
    matches!(failed.fault, Fault::Refused { .. })
        && failed
            .problem
            .as_ref()
            .is_some_and(|problem| problem.has("1130") || problem.has("1131"))
}
