//! Services answer a refused request with parts of it, and what they answer ends in messages and logs. What
//! was secret in a request is taken out of a refusal before anybody reads it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tieout_domain::Lost;
use zeroize::Zeroizing;

use crate::transport::Transport;

/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";
/// Shorter texts are no secrets, and would be found everywhere.
const LENGTH_MIN: usize = 6;

type Text = Zeroizing<String>;

/// A transport whose refusals hold no secret of the credential, nor a session or token of the request.
pub struct WithoutEcho {
    inner: Arc<dyn Transport>,
    secrets: Vec<Text>,
}

impl WithoutEcho {
    /// Sends through `inner`; `fields` are the credential's as JSON.
    pub fn new(inner: Arc<dyn Transport>, fields: &str) -> Self {
        let fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(fields).unwrap_or_default();
        let texts = fields.into_iter().filter_map(|(_, value)| match value {
            serde_json::Value::String(text) => Some(Zeroizing::new(text)),
            _ => None,
        });
        Self {
            inner,
            // A key's lines may come back one by one.
            secrets: texts
                .flat_map(|text| {
                    text.lines()
                        .map(|line| Zeroizing::new(line.trim().to_owned()))
                        .collect::<Vec<_>>()
                })
                .collect(),
        }
    }
}

#[async_trait]
impl Transport for WithoutEcho {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        let of_request = secrets_of(&request);
        let answer = self.inner.send(request, deadline).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let all: Vec<&Text> = self.secrets.iter().chain(&of_request).collect();
        Ok(answer.map(|body| without(&body, &all)))
    }
}

/// Sessions, tokens and signatures that a request carries.
fn secrets_of(request: &http::Request<Bytes>) -> Vec<Text> {
    let mut found = Vec::new();
    for name in ["authorization", "sessionid", "devkey"] {
        let value = request.headers().get(name);
        if let Some(text) = value.and_then(|value| value.to_str().ok()) {
            found.push(Zeroizing::new(text.to_owned()));
            let bare = text.split_once(' ').map_or(text, |(_, rest)| rest);
            found.push(Zeroizing::new(bare.to_owned()));
            found.extend(
                text.split('"')
                    .skip(1)
                    .step_by(2)
                    .filter(|part| part.len() > 30)
                    .map(|part| Zeroizing::new(part.to_owned())),
            );
        }
    }
    let form = request
        .headers()
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|kind| {
            kind.as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        });
    if form && let Ok(body) = std::str::from_utf8(request.body()) {
        let assertion = body
            .split('&')
            .find_map(|pair| pair.strip_prefix("client_assertion="));
        if let Some(text) = assertion {
            found.push(Zeroizing::new(
                percent_decode_str(text).decode_utf8_lossy().into_owned(),
            ));
        }
    }
    found
}

/// The body with each secret taken out: as it is, as JSON writes it, and as an address or form does.
fn without(body: &Bytes, secrets: &[&Text]) -> Bytes {
    let Ok(text) = std::str::from_utf8(body) else {
        return body.clone();
    };
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= LENGTH_MIN) {
        let json = serde_json::to_string(secret.as_str())
            .map(Zeroizing::new)
            .unwrap_or_default();
        let form = Zeroizing::new(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string());
        for shape in [secret.as_str(), json.trim_matches('"'), form.as_str()] {
            if !shape.is_empty() && text.contains(shape) {
                text = text.replace(shape, REDACTED);
            }
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Echo(u16);

    #[async_trait]
    impl Transport for Echo {
        async fn send(
            &self,
            request: http::Request<Bytes>,
            _deadline: Duration,
        ) -> Result<http::Response<Bytes>, Lost> {
            let head = format!("{:?}\n", request.headers());
            let body = [head.as_bytes(), request.body()].concat();
            Ok(http::Response::builder()
                .status(self.0)
                .body(body.into())
                .unwrap())
        }
    }

    async fn echoed(status: u16) -> String {
        let fields = r#"{"password":"p\"ss w/rd","key_pem":"-----BEGIN\nMIIEvQIBADAN\n"}"#;
        let transport = WithoutEcho::new(Arc::new(Echo(status)), fields);
        let body = r#"{"password":"p\"ss w/rd"} MIIEvQIBADAN p%22ss%20w%2Frd kept"#;
        let request = http::Request::post("http://x/")
            .header("sessionId", "session-of-now")
            .header("authorization", "Bearer token-of-now")
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap();
        let answer = transport.send(request, Duration::ZERO).await.unwrap();
        String::from_utf8(answer.into_body().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_refusal_holds_nothing_secret_of_what_was_sent() {
        let text = echoed(400).await;
        for secret in [
            "ss w/rd",
            "MIIEvQ",
            "%22ss",
            "session-of-now",
            "token-of-now",
        ] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(text.contains("kept") && text.contains(REDACTED), "{text}");
    }

    #[tokio::test]
    async fn what_went_well_is_left_as_it_is() {
        assert!(echoed(200).await.contains("session-of-now"));
    }
}
