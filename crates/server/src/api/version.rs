//! Versions of what can be changed: an `ETag` with what is read, `If-Match` with what is changed.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use tieout_domain::code::Code;

use super::problem::Problem;

/// The version as a header takes it.
pub(super) fn etag(version: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Refuses a change of something else than what was read. Without `If-Match`, whatever is there is meant.
pub(super) fn unchanged(headers: &HeaderMap, version: &str) -> Result<(), Problem> {
    let Some(wanted) = headers.get(header::IF_MATCH) else {
        return Ok(());
    };
    let wanted = wanted.to_str().unwrap_or_default();
    let fits = |one: &str| one.trim() == "*" || one.trim() == format!("\"{version}\"");
    if wanted.split(',').any(fits) {
        return Ok(());
    }
    let cause = format!("it is at version \"{version}\" by now, not {wanted}");
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        Code::new("version-changed"),
        cause,
    ))
}
