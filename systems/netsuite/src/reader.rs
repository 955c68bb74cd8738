//! What all readers share: pages by key, changes by the service's clock, deletions, one by one by id.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tieout_domain::code::Code;
use tieout_domain::port::{Depth, Mark, Observed, Page, PageToken, Read};
use tieout_domain::{Document, Fault, Kind, RemoteId};

use crate::call::Client;
use crate::probe::Shape;
use crate::suiteql::{Column, Columns, PAGE, Row, Unreadable, id_list, optional};
use crate::time::Progress;

/// The moment of the query itself, by the service's clock: says which changes have settled.
pub(crate) const ASKED: Column = optional(
    "TO_CHAR(CURRENT_TIMESTAMP, 'YYYY-MM-DD HH24:MI:SS')",
    "asked",
    "current_timestamp",
);

/// A row's document; `None` if the record is no business of this connection.
pub(crate) type Reading = Result<Option<Document>, Unreadable>;

/// One kind of record: how it is asked for, and how its rows become documents.
#[async_trait]
pub(crate) trait Source: Send + Sync + 'static {
    fn kind(&self) -> Kind;

    /// What is selected: at least `id`, `modified` and `asked`.
    fn columns(&self) -> Columns;

    /// `FROM … WHERE …`, without the conditions of the page.
    fn from(&self, client: &Client, shape: &Shape) -> String;

    /// The condition of having changed since this moment, a literal.
    fn changed(&self, since: &str) -> String {
        format!("t.lastmodifieddate >= {since}")
    }

    /// What changes whenever the record does. Starts with the time of the last change.
    fn version(&self, row: &Row) -> String {
        row.string("modified")
    }

    /// The documents of these rows, in their order.
    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault>;
}

/// Reads one kind.
pub(crate) struct Reader<S> {
    pub(crate) client: Arc<Client>,
    pub(crate) source: S,
    /// The next page's rows: they are asked for while the documents of the last one are put together.
    ahead: Mutex<Option<Ahead>>,
}

/// Rows that were asked for before their page was.
struct Ahead {
    /// The token of the page that they are of.
    token: PageToken,
    /// How far the read is with them.
    progress: Progress,
    rows: Vec<Row>,
    more: bool,
}

/// A record as it was read, or why it couldn't be.
pub(crate) struct Found {
    pub(crate) id: RemoteId,
    pub(crate) version: String,
    pub(crate) reading: Reading,
}

impl<S: Source> Reader<S> {
    pub(crate) fn new(client: &Arc<Client>, source: S) -> Self {
        Self {
            client: Arc::clone(client),
            source,
            ahead: Mutex::default(),
        }
    }

    /// The rows that were asked for ahead, if they are those of this page. Others are forgotten: they may be old.
    fn asked_ahead(&self, token: Option<&PageToken>) -> Option<Ahead> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.take().filter(|ahead| Some(&ahead.token) == token)
    }

    /// Asks for the rows of the page with this token. If that fails, the page will ask for them itself.
    async fn ask_ahead(&self, shape: &Shape, token: &PageToken) {
        let Ok(mut progress) = Progress::of(Depth::Changes, None, Some(token)) else {
            return;
        };
        if let Ok((rows, more)) = self.rows(shape, &mut progress).await {
            let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            *ahead = Some(Ahead {
                token: token.clone(),
                progress,
                rows,
                more,
            });
        }
    }

    /// Documents of rows that were already queried.
    async fn found(&self, shape: &Shape, rows: &[Row]) -> Result<Vec<Found>, Fault> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let anew;
        let unknown = |shape: &Shape| {
            rows.iter().any(|row| {
                let id = row.id("currency");
                id.is_some()
                    && !shape
                        .currencies
                        .iter()
                        .any(|known| Some(&known.id) == id.as_ref())
            })
        };
        let shape = if unknown(shape) {
            anew = self.client.shape_anew().await?;
            &anew
        } else {
            shape
        };
        let readings = self.source.documents(&self.client, shape, rows).await?;
        Ok(rows
            .iter()
            .zip(readings)
            .filter_map(|(row, reading)| {
                Some(Found {
                    id: row.id("id")?,
                    version: self.source.version(row),
                    reading,
                })
            })
            .collect())
    }

    /// Records that meet a further condition: `AND …`.
    pub(crate) async fn matching(
        &self,
        condition: &str,
        parameters: &[String],
    ) -> Result<Vec<Observed>, Fault> {
        let shape = self.client.shape().await?;
        let rest = format!(
            "{} AND {condition} ORDER BY t.id FETCH FIRST {PAGE} ROWS ONLY",
            self.source.from(&self.client, &shape)
        );
        let mut rows = self
            .client
            .select(self.source.columns(), &rest, parameters)
            .await?
            .rows;
        rows.dedup_by(|a, b| a.text("id") == b.text("id"));
        let mut records = Vec::new();
        for found in self.found(&shape, &rows).await? {
            match found.reading {
                Ok(Some(document)) => records.push(observed(found.id, found.version, document)),
                Ok(None) => {}
                Err(Unreadable(cause)) => {
                    return Err(Fault::Drift {
                        code: Code::new("drift"),
                        cause: format!(
                            "{} {} can't be read: {cause}",
                            self.source.kind(),
                            found.id
                        ),
                    });
                }
            }
        }
        Ok(records)
    }

    /// Rows of a page, with those that were already known in their version left out.
    async fn rows(
        &self,
        shape: &Shape,
        progress: &mut Progress,
    ) -> Result<(Vec<Row>, bool), Fault> {
        let changed = progress
            .since()
            .map(|since| self.source.changed(&crate::time::timestamp_literal(since)))
            .map(|condition| format!(" AND {condition}"))
            .unwrap_or_default();
        let rest = format!(
            "{}{changed}{} ORDER BY t.id FETCH FIRST {PAGE} ROWS ONLY",
            self.source.from(&self.client, shape),
            progress.after("t.id"),
        );
        let page = self
            .client
            .select(self.source.columns(), &rest, &[])
            .await?;
        let mut rows = page.rows;
        rows.dedup_by(|a, b| a.text("id") == b.text("id"));
        if let Some(odd) = rows
            .iter()
            .find(|row| !crate::suiteql::is_whole_number(row.text("id")))
        {
            return Err(Fault::Drift {
                code: Code::new("drift"),
                cause: format!("a {} has the id `{}`", self.source.kind(), odd.text("id")),
            });
        }
        if page.more && !progress.goes_on(rows.last().map_or("", |row| row.text("id"))) {
            return Err(Fault::Drift {
                code: Code::new("drift"),
                cause: format!(
                    "reading `{}` goes in circles: a page ends no further than the one before it",
                    self.source.kind()
                ),
            });
        }
        rows.retain(|row| progress.take(row.text("id"), &self.source.version(row), row));
        Ok((rows, page.more))
    }
}

fn observed(id: RemoteId, version: String, document: Document) -> Observed {
    // The service tells when a record was made in a zone that it doesn't name: no instant can be had.
    Observed {
        id,
        version,
        created: None,
        document,
    }
}

#[async_trait]
impl<S: Source> Read for Reader<S> {
    async fn page(
        &self,
        depth: Depth,
        mark: Option<&Mark>,
        token: Option<&PageToken>,
    ) -> Result<Page, Fault> {
        let shape = self.client.shape().await?;
        let mut progress = Progress::of(depth, mark, token)?;
        let mut page = Page::default();
        if progress.first_page()
            && let Some(since) = progress.deleted_since()
        {
            let (gone, latest) = self.client.gone(self.source.kind(), &since).await?;
            page.gone = gone;
            progress.deletions_seen(&latest);
        }
        let (rows, more) = match self.asked_ahead(token) {
            Some(ahead) => {
                progress = ahead.progress;
                (ahead.rows, ahead.more)
            }
            None => self.rows(&shape, &mut progress).await?,
        };
        if !more && progress.lacks_a_moment() {
            let asked = self.client.clock().await?;
            progress.set_moment(&asked);
        }
        (page.next, page.mark) = progress.end(more);
        let ahead = async {
            if let Some(next) = &page.next {
                self.ask_ahead(&shape, next).await;
            }
        };
        let (found, ()) = futures::join!(self.found(&shape, &rows), ahead);
        for found in found? {
            match found.reading {
                Ok(Some(document)) => {
                    page.records
                        .push(observed(found.id, found.version, document))
                }
                // It may have been ours until it was changed. A whole read may be the first to see that, and its mark says
                // that this version is known.
                Ok(None) => page.gone.push(found.id),
                Err(Unreadable(cause)) => {
                    tracing::warn!(kind = %self.source.kind(), id = %found.id, cause, "unreadable");
                    page.unreadable.push((found.id, cause));
                }
            }
        }
        Ok(page)
    }

    async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Observed>, Fault> {
        let mut all = Vec::new();
        for ids in ids.chunks(PAGE) {
            all.extend(
                self.matching(&format!("t.id IN ({})", id_list(ids)), &[])
                    .await?,
            );
        }
        Ok(all)
    }

    fn page_max(&self) -> usize {
        PAGE
    }
}

impl Client {
    /// The service's clock, in the session's zone.
    pub(crate) async fn clock(&self) -> Result<String, Fault> {
        let sql = "SELECT TO_CHAR(CURRENT_TIMESTAMP, 'YYYY-MM-DD HH24:MI:SS') AS asked FROM DUAL";
        let rows = self.query(sql, &[]).await?.rows;
        Ok(rows
            .first()
            .map(|row| row.string("asked"))
            .unwrap_or_default())
    }
}
