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
    if wanted == "*" || wanted == format!("\"{version}\"") {
        return Ok(());
    }
    let inner = wanted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if !inner.is_some_and(|inner| {
        inner
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"')
    }) {
        let cause = "If-Match is the ETag of what was read, in its quotes, or *";
        return Err(Problem::malformed(cause));
    }
    let cause = format!("it is at version \"{version}\" by now, not {wanted}");
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        Code::new("version-changed"),
        cause,
    ))
}
