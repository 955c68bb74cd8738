//! The HTTP surface: one handler that reads a request, signs it in, counts it against the account's
//! limit, and hands it to the service its path names.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;

use crate::auth::Caller;
use crate::auth::endpoints;
use crate::auth::role::{Level, REST};
use crate::json::Json;
use crate::problem::Problem;
use crate::scripts::{self, ScriptError};
use crate::{NetSuiteFake, query, records, system};

/// The largest body that is read.
const LARGEST_BODY: usize = 20 * 1024 * 1024;

/// One record.
pub(crate) const SINGULAR: &str =
    "application/vnd.oracle.resource+json; type=singular; charset=UTF-8";
/// A list of records or rows.
pub(crate) const COLLECTION: &str =
    "application/vnd.oracle.resource+json; type=collection; charset=UTF-8";

/// A request, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// `host:port` as the client addressed it.
    pub(crate) host: String,
    /// The path as it was sent.
    pub(crate) raw_path: String,
    /// The path's segments, decoded.
    pub(crate) segments: Vec<String>,
    /// The decoded query, in order.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    /// The first query parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A query parameter that is `true`.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.parameter(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a `Prefer` header holds this preference.
    pub(crate) fn prefers(&self, preference: &str) -> bool {
        self.headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split([',', ';']))
            .any(|part| part.trim().eq_ignore_ascii_case(preference))
    }

    /// The origin the client was given. One that is led here by the service's own host name believes that
    /// it speaks TLS.
    pub(crate) fn origin(&self) -> String {
        let scheme = if self.host.ends_with(".netsuite.com") {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.host)
    }

    /// The body as JSON; refuses other media types and text that isn't JSON.
    pub(crate) fn json(&self) -> Result<Json, Problem> {
        let media = self.header("content-type").unwrap_or("application/json");
        if !media.to_ascii_lowercase().contains("json") {
            return Err(Problem::new(
                415,
                "INVALID_HEADER",
                format!("Unsupported Content-Type '{media}'."),
            ));
        }
        let text = std::str::from_utf8(&self.body).map_err(|_| {
            Problem::new(
                400,
                "INVALID_CONTENT",
                "Invalid content in the request body: not UTF-8.",
            )
        })?;
        Json::parse(text).map_err(|error| {
            Problem::new(
                400,
                "INVALID_CONTENT",
                format!("Invalid content in the request body. Error: {error}"),
            )
        })
    }
}

/// A JSON answer.
pub(crate) fn json_response(status: StatusCode, media: &'static str, body: &Json) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// 204, with a `Location` where there is one to tell.
pub(crate) fn no_content(location: Option<String>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(value) = location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// `application/x-www-form-urlencoded` pairs; also the form of a query.
pub(crate) fn parse_form(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes())
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}

/// Reads the request and answers it.
pub(crate) async fn handle(State(fake): State<Arc<NetSuiteFake>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return Problem::new(413, "INVALID_CONTENT", "The request body is too large.")
            .into_response();
    };
    let host = parts
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| parts.uri.authority().map(http::uri::Authority::as_str))
        .unwrap_or("localhost")
        .to_owned();
    let raw_path = parts.uri.path().to_owned();
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let call = Call {
        segments: raw_path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(decode)
            .collect(),
        query: parse_form(parts.uri.query().unwrap_or_default()),
        method: parts.method,
        host,
        raw_path,
        headers: parts.headers,
        body,
    };
    if parts
        .extensions
        .get::<tieout_kit::fake::ExpireSession>()
        .is_some()
    {
        fake.credentials.end_sessions();
    }
    answer(fake, call).await
}

async fn answer(fake: Arc<NetSuiteFake>, call: Call) -> Response {
    let path: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["rest", "datacenterurls"] => return endpoints::data_center_urls(&fake, &call),
        ["services", "rest", "auth", "oauth2", "v1", "token"] => {
            fake.pause().await;
            return endpoints::token(&fake, &call);
        }
        ["rest", "tokeninfo"] => return endpoints::token_info(&fake, &call),
        ["rest", "requesttoken"] => return endpoints::request_token(&fake, &call),
        ["rest", "issuetoken"] => return endpoints::person_tokens(&fake, &call, false),
        ["rest", "revoketoken"] => return endpoints::person_tokens(&fake, &call, true),
        ["services", "rest", ..] => {}
        path if path == scripts::PATH => {}
        _ => return unknown_address(&call).into_response(),
    }
    let refusal = |problem: Problem| {
        if path == scripts::PATH {
            ScriptError::before(&problem).into_response()
        } else {
            problem.into_response()
        }
    };
    let caller = match fake.sign_in(&call) {
        Ok(caller) => caller,
        Err(problem) => return refusal(problem),
    };
    let running = match fake.limits.begin(fake.quirks().overload_as_401) {
        Ok(running) => running,
        Err(problem) => {
            let mut response = refusal(problem);
            response.extensions_mut().insert(tieout_kit::fake::Refused);
            return response;
        }
    };
    fake.pause().await;
    let serial = fake.next_operation();
    let worker = Arc::clone(&fake);
    let mut response = tokio::task::spawn_blocking(move || serve(&worker, &call, &caller))
        .await
        .unwrap_or_else(|error| {
            Problem::unexpected(&format!("a call ended early: {error}")).into_response()
        });
    drop(running);
    for (name, value) in [
        ("x-netsuite-jobid", serial),
        ("x-n-operationid", serial ^ 0x5eed),
    ] {
        if let Ok(value) = HeaderValue::from_str(&format!("{value:032x}")) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn serve(fake: &NetSuiteFake, call: &Call, caller: &Caller) -> Response {
    if call.segments == scripts::PATH {
        return scripts::serve(fake, call, caller).unwrap_or_else(IntoResponse::into_response);
    }
    if fake.is_off("RESTWEBSERVICES") {
        return Problem::feature_off("REST Web Services").into_response();
    }
    if !caller.role.may(REST, Level::Full) {
        return Problem::forbidden(REST).into_response();
    }
    let path: Vec<&str> = call.segments.iter().skip(2).map(String::as_str).collect();
    let result = match path.as_slice() {
        // What public clients call to try their credentials.
        ["*"] if call.method == Method::OPTIONS => Ok(no_content(None)),
        ["query", "v1", "suiteql"] => query::suiteql(fake, call, caller),
        ["record", "v1", rest @ ..] => records::dispatch(fake, call, caller, rest),
        ["async", "v1", rest @ ..] => records::jobs::dispatch(fake, call, rest),
        ["system", "v1", "serverTime"] => system::server_time(fake, call),
        ["system", "v1", "governanceLimits"] => system::governance_limits(fake, call, caller),
        _ => Err(unknown_address(call)),
    };
    result.unwrap_or_else(IntoResponse::into_response)
}

fn unknown_address(call: &Call) -> Problem {
    Problem::new(
        404,
        "INVALID_URL",
        format!("Resource '{}' does not exist.", call.raw_path),
    )
}
