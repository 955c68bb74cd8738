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

/// A bill as BILL lists it.
#[derive(Debug, Clone)]
pub(crate) struct PlatformBill {
    /// Its id.
    pub(crate) id: String,
    /// tieout's mark on it, if it has one.
    pub(crate) marker: Option<String>,
    /// Whether it is archived.
    pub(crate) archived: bool,
}

/// Lists all of BILL's bills.
pub(crate) fn bills(caller: &Caller, service: &Value) -> Result<Vec<PlatformBill>> {
    let text = |value: &Value, pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .with_context(|| format!("the sandbox told no {pointer}"))
    };
    let base = text(service, "/base_url")?;
    let key = text(service, "/bill/dev_key")?;
    let sign_in = json!({
        "devKey": key,
        "username": text(service, "/bill/username")?,
        "password": text(service, "/bill/password")?,
        "organizationId": text(service, "/organization")?,
    });
    let session = caller.call(
        Method::POST,
        &format!("{base}/v3/login"),
        &[],
        Some(&sign_in),
    )?;
    let session = text(&session, "/sessionId")?;
    let headers = [("devKey", key.as_str()), ("sessionId", session.as_str())];
    let marker = regex::Regex::new(r"\bns:[A-Za-z0-9_-]+:[A-Za-z0-9_-]+")?;
    let mut bills = Vec::new();
    let mut address = format!("{base}/v3/bills?max=100");
    for _ in 0..PAGES_MAX {
        let page = caller.call(Method::GET, &address, &headers, None)?;
        for bill in page
            .get("results")
            .and_then(Value::as_array)
            .context("no results")?
        {
            bills.push(PlatformBill {
                id: text(bill, "/id")?,
                marker: marker
                    .find(&bill.to_string())
                    .map(|found| found.as_str().to_owned()),
                archived: bill
                    .get("archived")
                    .and_then(Value::as_bool)
                    .unwrap_or(false),
            });
        }
        match page
            .get("nextPage")
            .and_then(Value::as_str)
            .filter(|next| !next.is_empty())
        {
            Some(next) => {
                address = format!("{base}/v3/bills?max=100&page={}", in_a_query(next));
            }
            None => return Ok(bills),
        }
    }
    bail!("the list of bills has more than {PAGES_MAX} pages")
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
