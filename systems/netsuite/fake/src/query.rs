//! The SuiteQL endpoint: paging, links and refusals around the engine (README, section *SuiteQL*).

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::NetSuiteFake;
use crate::auth::Caller;
use crate::auth::role::{Level, WORKBOOK};
use crate::http_surface::{COLLECTION, Call, json_response};
use crate::json::Json;
use crate::problem::{Place, Problem};
use crate::suiteql::{Page, SuiteQlError};

/// The largest page.
const LARGEST_PAGE: usize = 1000;
/// The most pages of one query.
const MOST_PAGES: usize = 1000;
/// The furthest row.
const FURTHEST_ROW: usize = 100_000;

/// `POST /services/rest/query/v1/suiteql`
pub(crate) fn suiteql(
    fake: &NetSuiteFake,
    call: &Call,
    caller: &Caller,
) -> Result<Response, Problem> {
    if call.method != Method::POST {
        return Err(Problem::method(&call.method));
    }
    if !call.prefers("transient") {
        return Err(Problem::header(
            "Prefer",
            "The required request header 'Prefer' is missing or invalid. Set its value to 'transient'.",
        ));
    }
    if !caller.role.may(WORKBOOK, Level::View) {
        return Err(Problem::forbidden(WORKBOOK));
    }
    let page = page(call, LARGEST_PAGE)?;
    let reach = FURTHEST_ROW.min(MOST_PAGES.saturating_mul(page.limit));
    if page.offset.saturating_add(page.limit) > reach {
        return Err(Problem::parameter(
            "offset",
            format!(
                "Invalid value for the query parameter 'offset'. A query reaches no further than \
                 {reach} rows at limit {}.",
                page.limit
            ),
        ));
    }
    let (sql, params) = statement(call)?;
    let session = fake.session(caller);
    let answer = fake
        .with_shown(|books, engine| engine.run(books, &sql, &params, page, &session))
        .map_err(refused)?;
    let rows: Vec<Json> = answer.items.into_iter().map(row).collect();
    let body = Json::object([
        (
            "links",
            links(
                &format!("{}{}", call.origin(), call.raw_path),
                page,
                answer.total,
                Some("POST"),
            ),
        ),
        ("count", count(rows.len())),
        ("hasMore", Json::Bool(answer.has_more)),
        ("items", Json::Array(rows)),
        ("offset", count(page.offset)),
        ("totalResults", count(answer.total)),
    ]);
    let mut response = json_response(StatusCode::OK, COLLECTION, &body);
    response
        .headers_mut()
        .insert("preference-applied", HeaderValue::from_static("transient"));
    Ok(response)
}

/// A count as JSON.
pub(crate) fn count(value: usize) -> Json {
    Json::Number(value.to_string())
}

/// `limit` and `offset` of a call: a page of at most `largest`, and an offset that is a multiple of it.
pub(crate) fn page(call: &Call, largest: usize) -> Result<Page, Problem> {
    let number = |name: &str, default: usize| match call.parameter(name) {
        None => Ok(default),
        Some(text) => text.parse::<usize>().map_err(|_| {
            Problem::parameter(
                name,
                format!("Invalid value for the query parameter '{name}'. It must be a number."),
            )
        }),
    };
    let limit = number("limit", largest)?;
    if limit == 0 || limit > largest {
        return Err(Problem::parameter(
            "limit",
            format!(
                "Invalid value for the query parameter 'limit'. The value must be between 1 and {largest}."
            ),
        ));
    }
    let offset = number("offset", 0)?;
    if offset % limit != 0 {
        return Err(Problem::parameter(
            "offset",
            "Invalid value for the query parameter 'offset'. The value must be divisible by 'limit'.",
        ));
    }
    Ok(Page { limit, offset })
}

/// The links of a page. The one named `last` is wrong the way the service's is: its offset is the whole
/// pages' count rounded down to a multiple of the limit, not the last page's.
pub(crate) fn links(address: &str, page: Page, total: usize, method: Option<&str>) -> Json {
    let link = |rel: &str, offset: Option<usize>| {
        let href = match offset {
            Some(offset) => format!("{address}?limit={}&offset={offset}", page.limit),
            None => address.to_owned(),
        };
        let mut fields = vec![
            ("rel".to_owned(), Json::text(rel)),
            ("href".to_owned(), Json::Text(href)),
        ];
        if let Some(method) = method {
            fields.push(("method".to_owned(), Json::text(method)));
        }
        Json::Object(fields)
    };
    let pages = total.div_ceil(page.limit);
    if pages <= 1 {
        return Json::Array(vec![link("self", None)]);
    }
    let mut all = Vec::new();
    if page.offset > 0 {
        all.push(link(
            "previous",
            Some(page.offset.saturating_sub(page.limit)),
        ));
        all.push(link("first", Some(0)));
    }
    if page.offset + page.limit < total {
        all.push(link("next", Some(page.offset + page.limit)));
    }
    all.push(link("last", Some((pages - 1) / page.limit * page.limit)));
    all.push(link("self", Some(page.offset)));
    Json::Array(all)
}

/// The query text and its bound parameters.
fn statement(call: &Call) -> Result<(String, Vec<String>), Problem> {
    let body = call.json()?;
    let sql = body
        .get("q")
        .and_then(Json::as_text)
        .filter(|sql| !sql.trim().is_empty())
        .ok_or_else(|| {
            Problem::new(
                400,
                "INVALID_PARAMETER",
                "Missing the required parameter 'q' in the request body.",
            )
            .at(Place::Query("q".to_owned()))
        })?;
    let params = match body.get("params") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(items)) => items
            .iter()
            .map(|item| {
                item.as_identifier().map(str::to_owned).or_else(|| {
                    item.as_bool()
                        .map(|flag| if flag { "T" } else { "F" }.to_owned())
                })
            })
            .collect::<Option<_>>()
            .ok_or_else(|| Problem::parameter("params", "Invalid value in 'params'."))?,
        Some(_) => return Err(Problem::parameter("params", "'params' must be an array.")),
    };
    Ok((sql.to_owned(), params))
}

fn refused(error: SuiteQlError) -> Problem {
    let problem = Problem::new(error.status, error.code, error.detail);
    if error.status == 400 {
        problem.at(Place::Query("q".to_owned()))
    } else {
        problem
    }
}

fn row(row: serde_json::Map<String, Value>) -> Json {
    Json::Object(
        row.into_iter()
            .map(|(name, value)| (name, from_value(value)))
            .collect(),
    )
}

fn from_value(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(flag),
        Value::Number(number) => Json::Number(number.to_string()),
        Value::String(text) => Json::Text(text),
        Value::Array(items) => Json::Array(items.into_iter().map(from_value).collect()),
        Value::Object(fields) => row(fields),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(total: usize, limit: usize) -> String {
        let Json::Array(all) = links("", Page { limit, offset: 0 }, total, None) else {
            panic!()
        };
        let last = all
            .iter()
            .find(|link| link.get("rel").and_then(Json::as_text) == Some("last"));
        last.and_then(|link| link.get("href"))
            .and_then(Json::as_text)
            .unwrap()
            .to_owned()
    }

    /// As measured on a live account.
    #[test]
    fn the_last_link_is_wrong_in_the_same_way() {
        assert_eq!(last(3493, 5), "?limit=5&offset=695");
        assert_eq!(last(5000, 5), "?limit=5&offset=995");
        assert_eq!(last(15, 10), "?limit=10&offset=0");
    }
}
