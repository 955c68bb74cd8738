//! Files of bills: looked for before they are sent, followed until they are documents.

use tieout_domain::document::Attachment;
use tieout_domain::port::{Action, Answer, File, Order};
use tieout_domain::{Key, Kind, Timestamp};

use super::*;

fn order(name: &str, bytes: usize) -> Order {
    Order {
        key: Key::of(["ns", "1234567-SB1", "1", name]),
        action: Action::Create,
        target: None,
        document: Document::Attachment(Attachment {
            bill: "00n1".into(),
            file: Some("901".into()),
            name: name.to_owned(),
            media_type: "application/pdf".to_owned(),
            size: bytes as u64,
            sha256: "aa".to_owned(),
        }),
        expect: None,
        file: Some(Arc::new(File {
            name: name.to_owned(),
            media_type: "application/pdf".to_owned(),
            bytes: vec![b'x'; bytes],
        })),
    }
}

const LISTED: &str =
    r#"{"results":[{"id":"00h1","name":"scan.pdf","createdTime":"2026-06-15T10:00:00Z"}]}"#;

/// A bill that has `scan.pdf`; an upload is a document once it was asked for twice.
fn stage() -> Stage {
    let looks = AtomicUsize::new(0);
    Stage::new(move |seen| match seen.method.as_str() {
        "GET" if seen.path.starts_with("/v3/documents/bills/00n1") => ok(LISTED),
        "POST" if seen.path.starts_with("/v3/documents/bills/") => {
            ok(r#"{"uploadId":"0du7","status":"IN_PROGRESS"}"#)
        }
        _ => {
            let document = match looks.fetch_add(1, Ordering::SeqCst) {
                0 => "null",
                _ => r#""00h7""#,
            };
            ok(format!(
                r#"[{{"uploadId":"0du7","documentId":{document},"status":"?"}}]"#
            ))
        }
    })
}

async fn write(stage: &Stage, orders: &[Order]) -> Vec<Answer> {
    stage.ports().write[&Kind::Attachment].write(orders).await
}

#[tokio::test]
async fn s076_an_upload_is_followed_until_it_is_a_document() {
    let stage = stage();
    let answers = write(&stage, &[order("second page.pdf", 3)]).await;
    let Answer::Applied(receipt) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!((receipt.id.as_str(), receipt.adopted), ("00h7", false));
    let seen = stage.transport.seen();
    assert_eq!(
        seen[1].path,
        "/v3/documents/bills/00n1?name=second page.pdf"
    );
    assert_eq!(seen[1].body, "xxx");
    assert_eq!(seen[2].path, "/v3/documents/upload-status?ids=0du7");
    assert_eq!(seen.len(), 4, "asked twice what became of it: {seen:?}");
}

#[tokio::test]
async fn s077_what_is_there_under_its_name_is_not_uploaded_again() {
    let stage = stage();
    let answers = write(&stage, &[order("scan.pdf", 3)]).await;
    let Answer::Applied(receipt) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!((receipt.id.as_str(), receipt.adopted), ("00h1", true));
    assert!(
        stage
            .transport
            .seen()
            .iter()
            .all(|seen| seen.method == "GET")
    );
    // So is one whose answer was lost.
    let writer = stage.ports().write[&Kind::Attachment].clone();
    let since = Timestamp::UNIX_EPOCH;
    let found = writer.candidates(&[order("scan.pdf", 3)], since).await;
    let found = found.unwrap();
    assert_eq!(found[0].document.label(), "scan.pdf");
    assert!(found[0].created.is_some());
}

#[tokio::test]
async fn s076_what_is_too_large_is_refused_and_the_others_go() {
    let stage = stage();
    let large = order("large.pdf", 6 * 1024 * 1024 + 1);
    let answers = write(&stage, &[large, order("small.pdf", 3)]).await;
    let Answer::Failed(fault) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!(fault.code().as_str(), "file-too-large");
    assert!(matches!(&answers[1], Answer::Applied(receipt) if receipt.id.as_str() == "00h7"));
}

#[tokio::test]
async fn an_upload_that_becomes_no_document_is_unknown() {
    let stage = Stage::new(|seen| match seen.method.as_str() {
        "POST" => ok(r#"{"uploadId":"0du7"}"#),
        _ if seen.path.contains("upload-status") => ok("[]"),
        _ => ok(r#"{"results":[]}"#),
    });
    let answers = write(&stage, &[order("scan.pdf", 3)]).await;
    assert!(
        matches!(&answers[0], Answer::Failed(fault) if fault.code().as_str() == "unknown"
        || matches!(fault, Fault::Unknown { .. }))
    );
}
