//! A span, and how OTLP writes it as JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).

use jiff::Timestamp;
use serde_json::{Value, json};

/// What a span is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Work within the program.
    Internal,
    /// A request that others sent to us.
    Server,
    /// A call that we sent to others.
    Client,
}

/// A stretch of work.
#[derive(Debug, Clone)]
pub struct Span {
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) told: Vec<(&'static str, Value)>,
    pub(super) failed: bool,
}

impl Span {
    /// Tells something more of it. Nothing that is anybody's secret or business.
    pub fn tell(&mut self, name: &'static str, value: impl Into<Value>) {
        self.told.push((name, value.into()));
    }

    /// It went wrong.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    pub(super) fn to_json(&self) -> Value {
        let told = self.told.iter().map(|(name, value)| {
            let value = match value.as_i64() {
                // OTLP writes a whole number as text.
                Some(number) => json!({"intValue": number.to_string()}),
                None => json!({"stringValue": value.as_str().unwrap_or_default()}),
            };
            json!({"key": name, "value": value})
        });
        let kind = match self.kind {
            Kind::Internal => 1,
            Kind::Server => 2,
            Kind::Client => 3,
        };
        json!({
            "traceId": self.trace, "spanId": self.id, "parentSpanId": self.parent.as_deref().unwrap_or_default(),
            "name": self.name, "kind": kind,
            "startTimeUnixNano": self.began.as_nanosecond().to_string(),
            "endTimeUnixNano": self.ended.as_nanosecond().to_string(),
            "attributes": told.collect::<Vec<_>>(),
            "status": {"code": if self.failed { 2 } else { 0 }},
        })
    }
}

/// Spans as a collector takes them.
pub(super) fn batch(spans: &[Span]) -> String {
    let spans: Vec<Value> = spans.iter().map(Span::to_json).collect();
    let service = json!({"key": "service.name", "value": {"stringValue": "tieout"}});
    let version =
        json!({"key": "service.version", "value": {"stringValue": env!("CARGO_PKG_VERSION")}});
    json!({"resourceSpans": [{
        "resource": {"attributes": [service, version]},
        "scopeSpans": [{"scope": {"name": "tieout"}, "spans": spans}],
    }]})
    .to_string()
}
