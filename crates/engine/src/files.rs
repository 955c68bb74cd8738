//! Writes that are files: their bytes are the ledger's, fetched right before they are sent and kept nowhere.

use std::sync::Arc;

use futures::future::join_all;
use tieout_domain::code::Code;
use tieout_domain::document::Attachment;
use tieout_domain::port::{Answer, Files, Order, Write};
use tieout_domain::{Document, Fault};

/// Carries out a batch; what of it is a file gets its bytes first. One that can't be fetched is not sent, and is no
/// matter of the others.
pub(crate) async fn write(
    writer: &dyn Write,
    files: Option<&Arc<dyn Files>>,
    orders: Vec<Order>,
) -> Vec<Answer> {
    let filled = join_all(orders.into_iter().map(|order| fill(files, order))).await;
    let (ready, fetched): (Vec<Order>, Vec<Result<(), Fault>>) = {
        let mut ready = Vec::new();
        let fetched = filled
            .into_iter()
            .map(|order| order.map(|it| ready.push(it)));
        let fetched = fetched.collect();
        (ready, fetched)
    };
    let answers = if ready.is_empty() {
        Vec::new()
    } else {
        writer.write(&ready).await
    };
    let mut answers = answers.into_iter();
    let lost = || {
        Answer::Failed(Fault::Unknown {
            cause: "the writer gave no answer for it".to_owned(),
        })
    };
    fetched
        .into_iter()
        .map(|fetched| match fetched {
            Ok(()) => answers.next().unwrap_or_else(lost),
            Err(fault) => Answer::Failed(fault),
        })
        .collect()
}

/// The order with its bytes, if it is of a file.
async fn fill(files: Option<&Arc<dyn Files>>, mut order: Order) -> Result<Order, Fault> {
    let files = || files.ok_or_else(unavailable);
    let fetched = match &order.document {
        Document::InvoicePdf(pdf) => files()?.invoice_pdf(&pdf.printed).await,
        Document::Attachment(Attachment {
            file: Some(file),
            sha256,
            ..
        }) => files()?.file(file, sha256).await,
        _ => return Ok(order),
    };
    order.file = Some(Arc::new(fetched.map_err(not_sent)?));
    Ok(order)
}

/// The ledger hands out no files: a role or a script is missing there.
fn unavailable() -> Fault {
    Fault::Refused {
        code: Code::new("pdf-unavailable"),
        field: None,
        cause: "the ledger hands out no files".to_owned(),
    }
}

/// What the ledger says when it hands out no file at all: somebody can put that right, and then every file that waits for
/// it can be fetched.
const OF_ALL_FILES: [&str; 3] = ["script-missing", "scope-missing", "permission-missing"];

/// What a failed fetch says of the write: nothing was sent, so that its outcome is known, and the side that it goes to
/// has nothing to do with it.
fn not_sent(fault: Fault) -> Fault {
    match fault {
        Fault::Refused { ref code, .. } if !OF_ALL_FILES.contains(&code.as_str()) => fault,
        other => Fault::Later {
            code: other.code(),
            cause: format!("the ledger's file could not be fetched: {other}"),
            after: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use async_trait::async_trait;
    use tieout_domain::document::InvoicePdf;
    use tieout_domain::port::{Action, File, Observed, Receipt};
    use tieout_domain::{Fingerprint, Key, RemoteId, Timestamp};

    use super::*;

    /// Takes what it is given, and remembers the bytes.
    #[derive(Default)]
    struct Shelf(Mutex<Vec<Vec<u8>>>);

    #[async_trait]
    impl Write for Shelf {
        fn bulk_max(&self, _: Action) -> usize {
            3
        }

        fn repeatable(&self, _: Action) -> bool {
            true
        }

        fn settle(&self) -> Duration {
            Duration::ZERO
        }

        async fn write(&self, orders: &[Order]) -> Vec<Answer> {
            let applied = |order: &Order| {
                let bytes = order.file.as_ref().unwrap().bytes.clone();
                self.0.lock().unwrap().push(bytes);
                Answer::Applied(Receipt {
                    id: RemoteId::from(order.key.as_str()),
                    observed: None,
                    adopted: false,
                })
            };
            orders.iter().map(applied).collect()
        }

        async fn candidates(&self, _: &[Order], _: Timestamp) -> Result<Vec<Observed>, Fault> {
            Ok(Vec::new())
        }
    }

    /// Prints every invoice but `2`, for which it has no right.
    struct Printer;

    #[async_trait]
    impl Files for Printer {
        async fn invoice_pdf(&self, invoice: &RemoteId) -> Result<File, Fault> {
            if invoice.as_str() == "2" {
                return Err(Fault::Denied {
                    code: Code::new("permission-missing"),
                    cause: "no right to print".to_owned(),
                });
            }
            Ok(File {
                name: format!("{invoice}.pdf"),
                media_type: "application/pdf".to_owned(),
                bytes: invoice.as_str().as_bytes().to_vec(),
            })
        }

        async fn file(&self, file: &RemoteId, _: &str) -> Result<File, Fault> {
            self.invoice_pdf(file).await
        }
    }

    fn orders() -> Vec<Order> {
        let order = |id: &str| Order {
            key: Key::of(["ns", "A", id]),
            action: Action::Create,
            target: None,
            document: Document::InvoicePdf(InvoicePdf {
                invoice: RemoteId::from("there"),
                printed: RemoteId::from(id),
                name: String::new(),
                shows: Fingerprint::of(&id),
            }),
            expect: None,
            file: None,
        };
        ["1", "2", "3"].map(order).to_vec()
    }

    #[tokio::test]
    async fn s196_one_file_that_cannot_be_fetched_is_not_sent_and_stops_no_other() {
        let (shelf, files) = (Shelf::default(), Arc::new(Printer) as Arc<dyn Files>);
        let answers = write(&shelf, Some(&files), orders()).await;
        assert_eq!(*shelf.0.lock().unwrap(), [b"1".to_vec(), b"3".to_vec()]);
        let [
            Answer::Applied(one),
            Answer::Failed(two),
            Answer::Applied(three),
        ] = &answers[..]
        else {
            panic!("{answers:?}")
        };
        assert_eq!(
            (one.id.as_str(), three.id.as_str()),
            ("ns_A_1", "ns_A_3"),
            "each answer is its order's"
        );
        // Certainly not sent; and no reason to stop writing to the platform.
        let Fault::Later { code, after, .. } = two else {
            panic!("{two:?}")
        };
        assert_eq!((code.as_str(), after), ("permission-missing", &None));
    }

    #[tokio::test]
    async fn s196_nothing_is_sent_without_bytes() {
        let shelf = Shelf::default();
        let answers = write(&shelf, None, orders()).await;
        assert!(shelf.0.lock().unwrap().is_empty());
        let refused = |answer: &Answer| {
            matches!(answer, Answer::Failed(Fault::Refused { code, .. })
                if code.as_str() == "pdf-unavailable")
        };
        assert!(answers.iter().all(refused), "{answers:?}");
    }
}
