//! A span for each call to a service.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tieout_domain::Lost;
use tieout_kit::Transport;

use super::{Kind, RunTrace};

/// A transport whose calls are spans of a run.
pub struct Traced {
    inner: Arc<dyn Transport>,
    run: Arc<RunTrace>,
}

impl Traced {
    /// The calls of this run.
    pub fn new(inner: Arc<dyn Transport>, run: Arc<RunTrace>) -> Self {
        Self { inner, run }
    }
}

#[async_trait]
impl Transport for Traced {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        let method = request.method().as_str().to_owned();
        let path = template(request.uri().path());
        let mut span = self.run.within(format!("{method} {path}"), Kind::Client);
        span.tell("server.address", request.uri().host().unwrap_or_default());
        span.tell("http.request.method", method);
        span.tell("url.template", path);
        let answer = self.inner.send(request, deadline).await;
        match &answer {
            Ok(answer) => {
                let status = answer.status();
                span.tell("http.response.status_code", status.as_u16());
                if status.is_client_error() || status.is_server_error() {
                    span.fail();
                }
            }
            Err(lost) => {
                let sort = match lost {
                    Lost::NeverLeft(_) => "never-left",
                    Lost::Unknown(_) => "unknown",
                };
                span.tell("error.type", sort);
                span.fail();
            }
        }
        self.run.end(span);
        answer
    }
}

/// A path with `{id}` for whatever may name a record or somebody. Words and versions stay.
pub(super) fn template(path: &str) -> String {
    let is_version = |part: &str| {
        part.strip_prefix('v')
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_word = |part: &str| {
        part.len() <= 32
            && part
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_'))
    };
    let parts = path.split('/');
    let parts: Vec<&str> = parts
        .map(|part| {
            if is_word(part) || is_version(part) {
                part
            } else {
                "{id}"
            }
        })
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn nothing_in_a_path_names_a_record() {
        for (path, expected) in [
            ("/connect/v3/bills/00n01ABC", "/connect/v3/bills/{id}"),
            (
                "/services/rest/record/v1/vendorPayment/eid:bill_008_stp1",
                "/services/rest/record/v1/vendorPayment/{id}",
            ),
            ("/v3/bills/bulk", "/v3/bills/bulk"),
            ("/a%20b/4711", "/{id}/{id}"),
        ] {
            assert_eq!(template(path), expected);
        }
    }
}
