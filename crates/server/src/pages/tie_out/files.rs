//! A report as a file: CSV, PDF, JSON, HTML.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use http::header;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;
use tieout_desk::DeskError;
use tieout_desk::tie_out::Made;
use tieout_domain::code::Code;

use super::super::parts::Address;
use super::super::{PageError, named};
use super::{Asked, find};
use crate::people::Person;
use crate::program::ConnectionInfo;
use crate::view::View;

/// The forms: word, and what people call it.
const FORMS: [(&str, &str); 4] = [
    ("pdf", "PDF"),
    ("csv", "CSV"),
    ("json", "JSON"),
    ("html", "HTML"),
];

/// In which form.
#[derive(Debug, Deserialize)]
pub(super) struct Form {
    format: String,
}

/// The links to all forms.
pub(super) fn links(connection: &ConnectionInfo, made: &Made, asked: &Asked) -> Markup {
    let address = Address::of(["tie-out", connection.name.as_str(), "file"])
        .with("period", &made.month())
        .with("currency", &made.report.currency.to_string())
        .with("signed", &asked.signed);
    html! {
        p.files {
            "As a file: "
            @for (word, name) in FORMS { a href=(address.clone().with("format", word)) download { (name) } " " }
        }
    }
}

pub(super) async fn file(
    view: View,
    _person: Person,
    Path(connection): Path<String>,
    Query(asked): Query<Asked>,
    Query(Form { format }): Query<Form>,
) -> Result<Response, PageError> {
    let (connection, _) = named(&view, &connection)?;
    let made = find(&view, &connection, &asked).await?;
    let made = made.ok_or(PageError::Missing)?;
    let report = &made.report;
    let (kind, bytes) = match format.as_str() {
        "csv" => (
            "text/csv; charset=utf-8",
            tieout_report::csv(report).into_bytes(),
        ),
        "html" => (
            "text/html; charset=utf-8",
            tieout_report::html(report).into_bytes(),
        ),
        "pdf" => {
            let pdf = tieout_report::pdf(report).map_err(|error| {
                let cause = format!("the PDF can't be made: {error}");
                DeskError::failed(Code::new("file"), cause)
            })?;
            ("application/pdf", pdf)
        }
        "json" => {
            let mut value = json!(report);
            value["other_currencies"] = json!(made.others);
            ("application/json", value.to_string().into_bytes())
        }
        _ => return Err(PageError::Missing),
    };
    let name = format!(
        "attachment; filename=\"tie-out-{}-{}-{}.{format}\"",
        connection.name,
        made.month(),
        report.currency
    );
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, bytes).into_response())
}
