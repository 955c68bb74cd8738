//! Invoices as PDF.

use http::Method;
use serde_json::json;

use crate::stage::{Stage, answer};

#[tokio::test]
async fn a_pdf_is_put_where_that_is_and_the_link_shows_it_without_a_token() {
    let stage = Stage::new().await;
    let customer = stage.customer().await;
    let invoice = stage.invoice(&customer, "100").await;
    let path = format!("/invoices/{invoice}/pdf");
    let link = format!("/invoices/{invoice}/pdf-link");
    let download = async || {
        let url = stage.field(&link, "url").await;
        let url = url.as_str().unwrap().to_owned();
        answer(stage.outgoing(Method::GET, url)).await
    };
    let own = download().await;
    assert!(own.status == 200 && own.text.starts_with("%PDF-"));
    let put = |kind: &str, body: &str| {
        let call = stage.signed(Method::PUT, &path);
        answer(call.header("content-type", kind).body(body))
    };
    assert_eq!(put("application/pdf", "%PDF-1.7 ours").await.status, 204);
    assert_eq!(put("application/json", "%PDF-1.7 ours").await.status, 400);
    assert_eq!(put("application/pdf", "no pdf").await.status, 400);
    let ours = download().await;
    assert_eq!(ours.text, "%PDF-1.7 ours");
    assert_eq!(ours.headers["content-type"], "application/pdf");
    let kept = stage.shown("records").await["pdfs"][0].clone();
    let hash = "a33477ec3e8cffd858302abeb21af1466dfff8f8e2cdc15b892c1ba3c521e069";
    let expected = json!({"invoice_id": invoice, "bytes": "13", "sha256": hash, "times": "1",
        "text": "%PDF-1.7 ours"});
    assert_eq!(kept, expected);
    stage.switch("invoice-pdf", false).await;
    assert_eq!(put("application/pdf", "%PDF-1.7 ours").await.status, 404);
    let nothing = stage.call(Method::GET, "/downloads/x");
    assert_eq!(answer(nothing).await.status, 404);
}
