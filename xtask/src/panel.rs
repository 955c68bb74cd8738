//! Talks to the sandbox: its control panel, and BILL's lists as any other client would.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tieout_kit::Transport;
use tieout_kit::transport::Network;

/// A call to a service on loopback that takes longer than this has hung.
const DEADLINE: Duration = Duration::from_secs(120);

/// More pages than any walk here needs: a list that goes on after them goes round in circles.
const PAGES_MAX: usize = 5_000;

/// Sends JSON to loopback.
pub(crate) struct Caller {
    runtime: tokio::runtime::Runtime,
    network: Network,
}

impl Caller {
    /// Ready to call.
    pub(crate) fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let network = Network::new().map_err(anyhow::Error::msg)?;
        Ok(Self { runtime, network })
    }

    /// Sends a request and reads the JSON of a good answer.
    pub(crate) fn call(
        &self,
        method: Method,
        address: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value> {
        let mut request = http::Request::builder().method(method.clone()).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let bytes = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let sent = self.network.send(request.body(bytes)?, DEADLINE);
        let answer = self
            .runtime
            .block_on(sent)
            .map_err(|lost| anyhow::anyhow!("{method} {address}: {lost}"))?;
        let text = String::from_utf8_lossy(answer.body());
        if !answer.status().is_success() {
            bail!("{method} {address}: {} {text}", answer.status());
        }
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("{method} {address}: {text}"))
    }
}

/// BILL, signed in to as any other client would.
pub(crate) struct Platform<'a> {
    caller: &'a Caller,
    base: String,
    key: String,
    session: String,
}

impl<'a> Platform<'a> {
    /// Signs in with what the sandbox told of the service.
    pub(crate) fn sign_in(caller: &'a Caller, service: &Value) -> Result<Self> {
        let text = |pointer: &str| {
            let text = service.pointer(pointer).and_then(Value::as_str);
            text.map(str::to_owned)
                .with_context(|| format!("the sandbox told no {pointer}"))
        };
        let (base, key) = (text("/base_url")?, text("/bill/dev_key")?);
        let sign_in = json!({
            "devKey": key,
            "username": text("/bill/username")?,
            "password": text("/bill/password")?,
            "organizationId": text("/organization")?,
        });
        let address = format!("{base}/v3/login");
        let answer = caller.call(Method::POST, &address, &[], Some(&sign_in))?;
        let session = answer.get("sessionId").and_then(Value::as_str);
        let session = session.context("the sign-in gave no session")?.to_owned();
        Ok(Self {
            caller,
            base,
            key,
            session,
        })
    }

    /// All records of a collection, archived ones included.
    pub(crate) fn list(&self, collection: &str) -> Result<Vec<Value>> {
        let headers = [
            ("devKey", self.key.as_str()),
            ("sessionId", self.session.as_str()),
        ];
        let first = format!("{}/v3/{collection}?max=100", self.base);
        let mut address = first.clone();
        let mut records = Vec::new();
        for _ in 0..PAGES_MAX {
            let mut page = self.caller.call(Method::GET, &address, &headers, None)?;
            let Some(Value::Array(results)) = page.get_mut("results").map(Value::take) else {
                bail!("the list of {collection} has no results");
            };
            records.extend(results);
            let next = page.get("nextPage").and_then(Value::as_str);
            match next.filter(|next| !next.is_empty()) {
                Some(next) => address = format!("{first}&page={}", in_a_query(next)),
                None => return Ok(records),
            }
        }
        bail!("the list of {collection} has more than {PAGES_MAX} pages")
    }
}

/// tieout's mark in a text, if there is one.
pub(crate) fn marker(text: &str) -> Option<String> {
    let is_of_it = |c: char| c.is_ascii_alphanumeric() || ":_-".contains(c);
    text.split(|c| !is_of_it(c))
        .find(|word| word.starts_with("ns:") && word.matches(':').count() == 2)
        .map(str::to_owned)
}

/// A page token is opaque: it may hold what a query must not.
fn in_a_query(token: &str) -> String {
    token
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_among_other_words() {
        let found = marker("Rent for June [ns:1234567_SB1:4711]");
        assert_eq!(found.as_deref(), Some("ns:1234567_SB1:4711"));
        assert_eq!(marker("Returns: none"), None);
    }
}
