//! Which files are attached to bills, as the installed RESTlet lists them (README §Files). Without it there are none, and
//! `doctor` says so.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::document::Attachment;
use tieout_domain::port::{Depth, Mark, Observed, Page, PageToken, Read};
use tieout_domain::{Document, Fault, RemoteId};

use crate::call::Client;
use crate::files::{CLOSED, INVALID, code_of};
use crate::settings::Script;

/// How far a read of changes reaches back behind the one before: search indexes lag, and the account's clock is told in
/// minutes.
const OVERLAP_SECONDS: i64 = 900;

/// A page of the list: whole bills, in the order of their ids.
#[derive(Deserialize)]
struct Listed {
    /// The service's time, in seconds.
    asked: i64,
    bills: Vec<ListedBill>,
    /// The bill after which the list goes on.
    next: Option<String>,
}

#[derive(Deserialize)]
struct ListedBill {
    id: String,
    files: Vec<ListedFile>,
}

#[derive(Deserialize)]
struct Files {
    files: Vec<ListedFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedFile {
    id: String,
    name: String,
    media_type: String,
    size: u64,
    sha256: String,
}

/// Where a read goes on.
#[derive(Serialize, Deserialize)]
struct Place {
    after: String,
    /// When its first page was asked for, by the service's clock.
    asked: i64,
}

/// Reads the files of bills.
pub(crate) struct Attachments {
    client: Arc<Client>,
    script: Script,
}

impl Attachments {
    /// The port; `None` where no script is set, or where the connection is of receivables.
    pub(crate) fn of(client: &Arc<Client>) -> Option<Arc<dyn Read>> {
        let settings = &client.settings;
        let script = settings.files.clone().filter(|_| !settings.receivables)?;
        Some(Arc::new(Self {
            client: Arc::clone(client),
            script,
        }))
    }

    async fn list(&self, since: Option<i64>, after: Option<&str>) -> Result<Listed, Fault> {
        let mut what = vec![("type", "attachments".to_owned())];
        what.extend(since.map(|since| ("since", since.to_string())));
        what.extend(after.map(|after| ("after", after.to_owned())));
        self.client.ask(&self.script, what).await
    }
}

fn observed(bill: &str, file: ListedFile) -> Observed {
    let document = Attachment {
        bill: RemoteId::from(bill),
        file: Some(RemoteId::from(file.id.as_str())),
        name: file.name,
        media_type: file.media_type,
        size: file.size,
        sha256: file.sha256.to_ascii_lowercase(),
    };
    Observed {
        id: RemoteId::from(format!("{bill}-{}", file.id).as_str()),
        version: document.sha256.clone(),
        created: None,
        document: Document::Attachment(document),
    }
}

/// Whether the script as it is installed lists no files at all.
fn lists_nothing(fault: &Fault) -> bool {
    match fault {
        Fault::Refused { code, cause, .. } => {
            CLOSED.contains(&code.as_str()) || code_of(cause).starts_with(INVALID)
        }
        _ => false,
    }
}

fn drift(cause: String) -> Fault {
    Fault::Drift {
        code: Code::new("drift"),
        cause,
    }
}

#[async_trait]
impl Read for Attachments {
    async fn page(
        &self,
        depth: Depth,
        mark: Option<&Mark>,
        token: Option<&PageToken>,
    ) -> Result<Page, Fault> {
        let before: Option<i64> = mark.and_then(|mark| mark.0.parse().ok());
        let since = before.filter(|_| depth == Depth::Changes);
        let since = since.map(|asked| asked.saturating_sub(OVERLAP_SECONDS).max(0));
        let place: Option<Place> = token
            .map(|token| serde_json::from_str(&token.0))
            .transpose()
            .map_err(|error| drift(format!("a page token of another kind: {error}")))?;
        let listed = match self.list(since, place.as_ref().map(|it| &*it.after)).await {
            Ok(listed) => listed,
            // A script that isn't there, is older than this or may not be called is no reason to fail: doctor tells of
            // it. A list that has begun must come to its end: its first page has moved the mark on.
            Err(fault) if token.is_none() && lists_nothing(&fault) => {
                tracing::warn!(%fault, "the files of bills can't be listed");
                return Ok(Page {
                    mark: mark.cloned(),
                    ..Page::default()
                });
            }
            Err(fault) => return Err(fault),
        };
        let asked = place.as_ref().map_or(listed.asked, |place| place.asked);
        if let (Some(place), Some(next)) = (&place, &listed.next)
            && place.after == *next
        {
            return Err(drift(format!(
                "the list of files goes in circles after bill {next}"
            )));
        }
        let next = listed.next.map(|after| Place { after, asked });
        let next = next.map(|place| serde_json::to_string(&place)).transpose();
        let next =
            next.map_err(|error| drift(format!("a page token can't be written: {error}")))?;
        let bills = listed.bills.into_iter();
        let records = bills.flat_map(|bill| {
            let files = bill.files.into_iter();
            let of_bill = files.map(move |file| observed(&bill.id, file));
            of_bill.collect::<Vec<_>>()
        });
        Ok(Page {
            records: records.collect(),
            mark: Some(Mark(asked.to_string())),
            next: next.map(PageToken),
            ..Page::default()
        })
    }

    async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Observed>, Fault> {
        let bills: BTreeSet<&str> = ids
            .iter()
            .filter_map(|id| Some(id.as_str().split_once('-')?.0))
            .collect();
        let mut found = Vec::new();
        for bill in bills {
            let what = vec![("type", "vendorBill".to_owned()), ("id", bill.to_owned())];
            let listed: Files = match self.client.ask(&self.script, what).await {
                Ok(listed) => listed,
                // A bill that was deleted has no files.
                Err(Fault::Refused { code, .. }) if code.as_str() == "gone-there" => continue,
                Err(fault) => return Err(fault),
            };
            let files = listed.files.into_iter().map(|file| observed(bill, file));
            found.extend(files.filter(|file| ids.contains(&file.id)));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tieout_domain::Kind;
    use tieout_domain::port::Ports;

    use super::*;
    use crate::testing::{Stage, tokens};

    fn connect(stage: &Stage) -> Ports {
        let table = json!({"account": "1234567_SB1", "pdf_script": "customscript_tieout_files"});
        let table = table.as_object().cloned().unwrap();
        (crate::SYSTEM.connect)(&table, tokens(), stage.kit()).unwrap()
    }

    fn file(id: &str) -> serde_json::Value {
        json!({"id": id, "name": "scan.pdf", "mediaType": "application/pdf", "size": 8, "sha256": "AB"})
    }

    #[tokio::test]
    async fn s077_files_are_listed_page_by_page_and_then_what_has_changed() {
        let stage = Stage::new();
        let ports = connect(&stage);
        let reader = &ports.read[&Kind::Attachment];
        let first = json!({"asked": 100_000, "next": "12", "bills": [
            {"id": "12", "files": [file("901"), file("902")]}]});
        let second = json!({"asked": 100_060, "next": null, "bills": [{"id": "40", "files": [file("901")]}]});
        stage.script.answer(200, &first.to_string());
        let page = reader.page(Depth::Whole, None, None).await.unwrap();
        let ids: Vec<&str> = page.records.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["12-901", "12-902"]);
        stage.script.answer(200, &second.to_string());
        let page = reader
            .page(Depth::Whole, None, page.next.as_ref())
            .await
            .unwrap();
        assert_eq!(page.records[0].id.as_str(), "40-901");
        assert!(page.next.is_none());
        // The mark is the first page's: what was attached while the pages were read comes again.
        assert_eq!(page.mark, Some(Mark("100000".into())));
        stage.script.answer(
            200,
            &json!({"asked": 1, "next": null, "bills": []}).to_string(),
        );
        reader
            .page(Depth::Changes, page.mark.as_ref(), None)
            .await
            .unwrap();
        let asked = stage.script.asked();
        assert!(asked[0].1.ends_with("type=attachments"), "{}", asked[0].1);
        assert!(asked[1].1.ends_with("type=attachments&after=12"));
        assert!(asked[2].1.ends_with("type=attachments&since=99100"));
    }

    #[tokio::test]
    async fn a_script_that_is_missing_or_older_hides_no_mark_and_fails_nothing() {
        let stage = Stage::new();
        let ports = connect(&stage);
        let reader = &ports.read[&Kind::Attachment];
        let error = |code: &str| json!({"error": {"code": code, "message": "Words."}}).to_string();
        let mark = Mark("7".into());
        for (status, code) in [
            (404, "SSS_INVALID_SCRIPTLET_ID"),
            (200, "SSS_INVALID_TYPE_ARG"),
        ] {
            stage.script.answer(status, &error(code));
            let page = reader
                .page(Depth::Changes, Some(&mark), None)
                .await
                .unwrap();
            assert_eq!((page.mark, page.records.len()), (Some(mark.clone()), 0));
        }
    }

    #[tokio::test]
    async fn a_list_that_is_broken_off_moves_no_mark_on() {
        let stage = Stage::new();
        let ports = connect(&stage);
        let reader = &ports.read[&Kind::Attachment];
        let error = |code: &str| json!({"error": {"code": code, "message": "Words."}}).to_string();
        let mark = Mark("7".into());
        let page = async |token: Option<&PageToken>| {
            let page = reader.page(Depth::Changes, Some(&mark), token);
            page.await
        };
        // It failed for the moment.
        stage.script.answer(200, &error("UNEXPECTED_ERROR"));
        let fault = page(None).await.unwrap_err();
        assert!(matches!(fault, Fault::Later { .. }), "{fault:?}");
        // One of its bills is gone.
        stage.script.answer(200, &error("RCRD_DSNT_EXIST"));
        assert!(page(None).await.is_err());
        // The script was taken away in the middle.
        let first = json!({"asked": 100_000, "next": "12", "bills": []});
        stage.script.answer(200, &first.to_string());
        let next = page(None).await.unwrap().next;
        for (status, code) in [
            (404, "SSS_INVALID_SCRIPTLET_ID"),
            (200, "INSUFFICIENT_PERMISSION"),
        ] {
            stage.script.answer(status, &error(code));
            assert!(page(next.as_ref()).await.is_err(), "{code}");
        }
        // Where the role lacks the permission, doctor says so.
        let closed = error("INSUFFICIENT_PERMISSION");
        stage.script.answer(200, &closed);
        assert_eq!(page(None).await.unwrap().mark, Some(mark.clone()));
        assert!(stage.script.used_up());
    }

    #[test]
    fn receivables_and_accounts_without_the_script_list_no_files() {
        let stage = Stage::new();
        for table in [
            json!({"account": "1", "pdf_script": "customscript_tieout_files", "receivables": true}),
            json!({"account": "1"}),
        ] {
            let table = table.as_object().cloned().unwrap();
            let ports = (crate::SYSTEM.connect)(&table, tokens(), stage.kit()).unwrap();
            assert!(!ports.read.contains_key(&Kind::Attachment));
        }
    }
}
