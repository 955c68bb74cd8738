//! Files of bills (README §Documents): uploaded beside their bill, and never taken away.
//!
//! BILL takes no idempotency key for an upload and tells of a document its name alone. So the bill's documents are listed
//! before each upload, and what has the name already is it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use tieout_domain::code::Code;
use tieout_domain::document::Attachment;
use tieout_domain::port::{Action, Answer, Observed, Order, Receipt, Write, told_apart};
use tieout_domain::{Document, Fault, RemoteId, Timestamp};

use crate::call::{Client, Failed, escaped, not_sent, parse};
use crate::problem::Effect;
use crate::wire::{self, Head};
use crate::write::{cannot, refused, wrong_kind};

const NOUN: &str = "file of a bill";
const PATH: &str = "/v3/documents/bills";
/// The largest file that BILL takes.
const BYTES_MAX: usize = 6 * 1024 * 1024;
/// How many are uploaded before it is asked what became of them: as many as may be in memory at once.
const TOGETHER: usize = 4;
/// How often it is asked what became of an upload, a second apart.
const LOOKS_MAX: u32 = 30;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default, deserialize_with = "wire::list")]
    results: Vec<Shown>,
    #[serde(default, deserialize_with = "wire::text")]
    next_page: String,
}

#[derive(Deserialize)]
struct Shown {
    #[serde(flatten)]
    head: Head,
    #[serde(default, deserialize_with = "wire::text")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Upload {
    #[serde(default, alias = "id", deserialize_with = "wire::text")]
    upload_id: String,
    #[serde(default, deserialize_with = "wire::text")]
    document_id: String,
}

/// An upload that BILL has taken and not made a document of yet.
struct Pending {
    /// Which of the batch's orders it is.
    at: usize,
    upload: String,
}

/// What has come of an order so far.
enum Put {
    Done(Box<Receipt>),
    Pending(String),
}

fn receipt(id: &str, adopted: bool) -> Receipt {
    Receipt {
        id: RemoteId::from(id),
        observed: None,
        adopted,
    }
}

fn attachment(order: &Order) -> Result<&Attachment, Fault> {
    match &order.document {
        Document::Attachment(file) => Ok(file),
        other => Err(wrong_kind(other)),
    }
}

/// Uploads files of bills.
pub(crate) struct Documents {
    pub(crate) client: Arc<Client>,
}

impl Documents {
    /// The documents of a bill.
    async fn of_bill(&self, bill: &RemoteId) -> Result<Vec<Shown>, Failed> {
        let what = format!("listing the documents of bill {bill}");
        let own = format!("{PATH}/{}", escaped(bill.as_str()));
        let (mut all, mut cursors) = (Vec::new(), BTreeSet::new());
        let mut path = own.clone();
        loop {
            let listed: Listed = self.client.read(&path, &what).await?;
            all.extend(listed.results);
            if listed.next_page.is_empty() {
                return Ok(all);
            }
            path = format!("{own}?page={}", escaped(&listed.next_page));
            if !cursors.insert(listed.next_page) {
                return Err(Failed::drift(format!(
                    "BILL: {what} goes in circles by `nextPage`"
                )));
            }
        }
    }

    async fn put(&self, order: &Order) -> Result<Put, Failed> {
        let file = attachment(order)?;
        let bytes = order.file.as_ref().map(|file| &file.bytes);
        let bytes = bytes.ok_or_else(|| {
            let cause = format!("BILL: the bytes of {} weren't there", file.name);
            refused(Code::new("refused-there"), "", cause)
        })?;
        if bytes.len() > BYTES_MAX {
            let cause = format!(
                "BILL takes files of up to 6 MB, and {} has {} bytes",
                file.name,
                bytes.len()
            );
            return Err(refused(Code::new("file-too-large"), "", cause).into());
        }
        let there = self.of_bill(&file.bill).await.map_err(not_sent)?;
        if let Some(same) = there.iter().find(|shown| shown.name == file.name) {
            return Ok(Put::Done(Box::new(receipt(&same.head.id, true))));
        }
        let what = format!("uploading {}", file.name);
        let (bill, name) = (escaped(file.bill.as_str()), escaped(&file.name));
        let path = format!("{PATH}/{bill}?name={name}");
        let content = Bytes::from(bytes.clone());
        let answer = self.client.upload(&path, content, &what).await?;
        let upload: Upload = parse(&answer, Effect::Write, &what)?;
        match (upload.document_id.as_str(), upload.upload_id.as_str()) {
            ("", "") => Err(Fault::Unknown {
                cause: format!("BILL: {what}: the answer names no upload"),
            }
            .into()),
            ("", upload) => Ok(Put::Pending(upload.to_owned())),
            (document, _) => Ok(Put::Done(Box::new(receipt(document, false)))),
        }
    }

    /// Asks what became of uploads until all are documents, or it takes too long.
    async fn follow(&self, mut pending: Vec<Pending>, answers: &mut [Option<Answer>]) {
        for _ in 0..LOOKS_MAX {
            if pending.is_empty() {
                return;
            }
            self.client.kit.timer.sleep(BETWEEN_LOOKS).await;
            let ids: Vec<&str> = pending.iter().map(|it| it.upload.as_str()).collect();
            let path = format!(
                "/v3/documents/upload-status?ids={}",
                escaped(&ids.join(","))
            );
            let told = self.client.read(&path, "asking what became of uploads");
            let Ok(told): Result<Vec<Upload>, _> = told.await else {
                break;
            };
            pending.retain(|it| {
                let mut told = told.iter();
                let mine = told.find(|upload| upload.upload_id == it.upload);
                let document = mine.map_or("", |upload| upload.document_id.as_str());
                if document.is_empty() {
                    return true;
                }
                answers[it.at] = Some(Answer::Applied(receipt(document, false)));
                false
            });
        }
        // They are in the bill's list once they are documents: there they are looked for.
        for it in pending {
            let cause = format!("BILL: upload {} is not a document yet", it.upload);
            answers[it.at] = Some(Answer::Failed(Fault::Unknown { cause }));
        }
    }
}

#[async_trait]
impl Write for Documents {
    fn bulk_max(&self, _action: Action) -> usize {
        TOGETHER
    }

    fn takes(&self, action: Action) -> bool {
        action == Action::Create
    }

    fn repeatable(&self, _action: Action) -> bool {
        // An upload that isn't a document yet is in no list.
        false
    }

    fn settle(&self) -> Duration {
        self.client.settings.settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        let mut answers: Vec<Option<Answer>> = vec![None; orders.len()];
        let mut pending = Vec::new();
        let mut halted: Option<Fault> = None;
        for (at, order) in orders.iter().enumerate() {
            if order.action != Action::Create {
                answers[at] = Some(Answer::Failed(cannot(NOUN, order.action)));
                continue;
            }
            if let Some(fault) = &halted {
                answers[at] = Some(Answer::Failed(fault.clone()));
                continue;
            }
            match self.put(order).await {
                Ok(Put::Done(receipt)) => answers[at] = Some(Answer::Applied(*receipt)),
                Ok(Put::Pending(upload)) => pending.push(Pending { at, upload }),
                Err(failed) => {
                    if matches!(failed.fault, Fault::Later { .. } | Fault::Denied { .. }) {
                        halted = Some(failed.fault.clone());
                    }
                    answers[at] = Some(Answer::Failed(failed.fault));
                }
            }
        }
        self.follow(pending, &mut answers).await;
        let lost = || {
            Answer::Failed(Fault::Unknown {
                cause: "BILL: no answer was kept".to_owned(),
            })
        };
        let answers = answers.into_iter();
        told_apart(answers.map(|answer| answer.unwrap_or_else(lost)).collect())
    }

    async fn candidates(&self, orders: &[Order], _: Timestamp) -> Result<Vec<Observed>, Fault> {
        let bills = orders
            .iter()
            .map(|order| Ok(attachment(order)?.bill.clone()));
        let bills: BTreeSet<RemoteId> = bills.collect::<Result<_, Fault>>()?;
        let mut found = Vec::new();
        for bill in bills {
            let there = match self.of_bill(&bill).await {
                Ok(there) => there,
                Err(failed) if failed.absent() => continue,
                Err(failed) => return Err(failed.into()),
            };
            found.extend(there.into_iter().map(|shown| observed(&bill, shown)));
        }
        Ok(found)
    }
}

fn observed(bill: &RemoteId, shown: Shown) -> Observed {
    Observed {
        id: RemoteId::from(shown.head.id.as_str()),
        created: shown.head.created(),
        version: shown.head.updated_time.unwrap_or_default(),
        document: Document::Attachment(Attachment {
            bill: bill.clone(),
            file: None,
            name: shown.name,
            media_type: String::new(),
            size: 0,
            sha256: String::new(),
        }),
    }
}
