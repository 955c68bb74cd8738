//! Invoices as PDF: the service's own, or the one that was put in its place.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use bytes::Bytes;

use crate::account::Account;
use crate::call::{Answer, Call, Content, Reply};
use crate::json::Json;
use crate::problem::Problem;

/// What the service shows of an invoice for which no PDF was put.
const OWN: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n\
trailer<</Root 1 0 R>>\n%%EOF\n";

/// What was put, and what was linked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pdfs {
    /// By invoice.
    put: BTreeMap<String, Put>,
    /// Invoices by the token of a link.
    links: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Put {
    content: Bytes,
    /// How often one was put.
    times: u32,
}

/// `PUT /invoices/{id}/pdf`.
pub(crate) fn put(account: &mut Account, invoice: &str, call: &Call<'_>) -> Answer {
    account.invoice(invoice)?;
    if !call.kind.starts_with("application/pdf") || !call.content.starts_with(b"%PDF-") {
        return Err(Problem::bad("The body is not a PDF"));
    }
    account.changes += 1;
    let times = account.pdfs.put.get(invoice).map_or(0, |put| put.times);
    let put = Put {
        content: call.content.clone(),
        times: times + 1,
    };
    account.pdfs.put.insert(invoice.to_owned(), put);
    Ok(Reply::nothing())
}

/// `GET /invoices/{id}/pdf-link`: an address that needs no token.
pub(crate) fn link(account: &mut Account, invoice: &str, call: &Call<'_>) -> Answer {
    account.invoice(invoice)?;
    let token = account.random.token(32);
    account.pdfs.links.insert(token.clone(), invoice.to_owned());
    let url = format!("{}/downloads/{token}", call.base);
    Ok(Reply::ok(Json::object([("url", url.into())])))
}

/// `GET /downloads/{token}`.
pub(crate) fn download(account: &Account, token: &str) -> Answer {
    let invoice = account.pdfs.links.get(token).ok_or_else(Problem::missing)?;
    let put = account.pdfs.put.get(invoice);
    let content = put.map_or(Bytes::from_static(OWN), |put| put.content.clone());
    Ok(Reply {
        status: 200,
        content: Content::Pdf(content),
    })
}

/// What was put, as the panel shows it.
pub(crate) fn show(pdfs: &Pdfs) -> Json {
    let shown = pdfs.put.iter().map(|(invoice, put)| {
        let hash = digest::digest(&digest::SHA256, &put.content);
        let hex: String = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let bytes = i64::try_from(put.content.len()).unwrap_or(i64::MAX);
        Json::whole([
            ("invoice_id", invoice.as_str().into()),
            ("bytes", bytes.into()),
            ("sha256", hex.into()),
            ("times", put.times.into()),
            (
                "text",
                String::from_utf8_lossy(&put.content).into_owned().into(),
            ),
        ])
    });
    shown.collect::<Vec<_>>().into()
}
