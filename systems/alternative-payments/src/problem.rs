//! The service's error answers, and what each means for what must be done next (README §What errors mean).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tieout_domain::Fault;
use tieout_domain::code::Code;

/// The longest piece of the service's own words that is kept.
const WORDS_MAX: usize = 500;

/// What a call does over there: decides what its failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Read,
    /// A change: what is not known to have failed may have happened.
    Write,
}

/// An error answer. All of it may be missing or be something else.
#[derive(Debug, Clone, Default, Deserialize)]
struct Body {
    /// The token endpoint calls it `error` (RFC 6749 §5.2).
    #[serde(default, alias = "error")]
    code: Value,
    #[serde(default, alias = "error_description")]
    message: Value,
    #[serde(default)]
    validation_errors: Value,
}

/// An answer other than success.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: u16,
    sort: String,
    message: String,
    /// The fields to blame, and why.
    fields: BTreeMap<String, String>,
    /// The body, where it wasn't an error of the API.
    other: Option<String>,
}

impl Problem {
    /// Reads an error answer, whatever it is.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let read: Body = serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
        let (sort, message) = (text(&read.code), text(&read.message));
        let fields = read.validation_errors.as_object();
        let fields = fields.into_iter().flatten();
        let foreign = sort.is_empty() && message.is_empty();
        let shown = &body[..body.len().min(WORDS_MAX * 4)];
        Self {
            status,
            sort,
            message,
            fields: fields
                .map(|(name, why)| (name.clone(), text(why)))
                .collect(),
            other: foreign.then(|| shorten(&String::from_utf8_lossy(shown))),
        }
    }

    /// Whether the body was a web page or something else that isn't an error of the API: it tells who answered
    /// as little as what was done.
    pub(crate) fn foreign(&self) -> bool {
        self.other.is_some()
    }

    /// Whether the service wants to be asked less often.
    pub(crate) fn too_many(&self) -> bool {
        self.status == 429 || self.sort == "rate_limited"
    }

    /// The service's own words with the fields to blame and the status.
    pub(crate) fn words(&self) -> String {
        let said = match (&self.other, self.message.is_empty()) {
            (Some(other), _) => other.clone(),
            (None, true) => self.sort.clone(),
            (None, false) => self.message.clone(),
        };
        let said = if said.is_empty() {
            "no reason given".to_owned()
        } else {
            shorten(&said)
        };
        let blamed: Vec<String> = self
            .fields
            .iter()
            .map(|(name, why)| format!("{name}: {why}"))
            .collect();
        let blamed = match blamed.is_empty() {
            true => String::new(),
            false => format!(", {}", shorten(&blamed.join("; "))),
        };
        // The status stays, however long the words are.
        format!("{said} (HTTP {}{blamed})", self.status)
    }

    /// What must be done about it. Limits are handled before it comes to this.
    pub(crate) fn fault(&self, effect: Effect, what: &str) -> Fault {
        let cause = format!("Alternative Payments: {what}: {}", self.words());
        if self.status == 401 {
            return Fault::Denied {
                code: Code::new("api-key-refused"),
                cause,
            };
        }
        let redirects = (300..400).contains(&self.status);
        if self.foreign() && effect == Effect::Write && !redirects {
            // Nobody documents that who answers so has kept the call from being carried out.
            return Fault::Unknown { cause };
        }
        if self.status == 403 && !self.foreign() {
            return Fault::Denied {
                code: Code::new("permission-missing"),
                cause,
            };
        }
        let server = self.status >= 500 || matches!(self.status, 408 | 499);
        if server && effect == Effect::Write {
            return Fault::Unknown { cause };
        }
        if server || (self.foreign() && !redirects) {
            let code = match self.status {
                503 => Code::new("maintenance"),
                _ if server => Code::new("server-error"),
                // A gateway's words; the read may go better in a moment.
                _ => Code::new("not-json"),
            };
            return Fault::Later {
                code,
                cause,
                after: None,
            };
        }
        if redirects {
            return Fault::Drift {
                code: Code::new("drift"),
                cause,
            };
        }
        Fault::Refused {
            code: self.refusal(),
            field: self.fields.keys().next().cloned(),
            cause,
        }
    }

    /// Why a call was declined. 409 says that the record is no longer what it was when the call was decided on: paid, or
    /// archived.
    fn refusal(&self) -> Code {
        match self.status {
            404 => Code::new("gone-there"),
            409 => Code::new("edited-there"),
            _ if self.taken() => Code::new("number-taken"),
            _ => Code::new("refused-there"),
        }
    }

    /// Whether another record has the external id that this one wants. No code tells it, only words (README §Errors).
    fn taken(&self) -> bool {
        let said = self.fields.values().chain([&self.message]);
        let said: Vec<String> = said.map(|text| text.to_lowercase()).collect();
        let says = |words: &[&str]| {
            said.iter()
                .any(|text| words.iter().any(|word| text.contains(word)))
        };
        says(&["external id", "external_id"]) && says(&["already", "taken", "unique", "exists"])
    }
}

/// At most [`WORDS_MAX`] characters of a text, white space joined.
pub(crate) fn shorten(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.chars().count() <= WORDS_MAX {
        return joined;
    }
    let mut short: String = joined.chars().take(WORDS_MAX - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, body: &str, effect: Effect) -> Fault {
        Problem::read(status, body.as_bytes()).fault(effect, "asking")
    }

    const FIELD: &str = r#"{"code":"validation_failed","message":"Not valid","validation_errors":{"due_date":"is missing"}}"#;

    #[test]
    fn every_shape_of_an_error_is_read() {
        let said = |body: &str| Problem::read(422, body.as_bytes()).words();
        assert_eq!(said(FIELD), "Not valid (HTTP 422, due_date: is missing)");
        assert_eq!(said(r#"{"code":"bad_request"}"#), "bad_request (HTTP 422)");
        assert_eq!(
            said(r#"{"error":"invalid_client","error_description":"Unknown"}"#),
            "Unknown (HTTP 422)"
        );
        assert_eq!(
            said(r#"{"code":7,"message":"Broken","validation_errors":[]}"#),
            "Broken (HTTP 422)"
        );
        assert_eq!(
            said("<html> Bad\n gateway"),
            "<html> Bad gateway (HTTP 422)"
        );
        assert_eq!(said(""), "no reason given (HTTP 422)");
        assert!(Problem::read(500, b"[]").foreign() && Problem::read(500, b"{}").foreign());
        assert!(Problem::read(400, br#"{"code":"rate_limited"}"#).too_many());
        assert!(said(&"word ".repeat(1000)).chars().count() < WORDS_MAX + 20);
    }

    #[test]
    fn causes_are_told_apart_by_what_must_be_done() {
        use Effect::{Read, Write};
        let of = |code: &str, text: &str| format!(r#"{{"code":"{code}","message":"{text}"}}"#);
        for (status, body, effect, wanted) in [
            (401, of("unauthorized", "no"), Read, "api-key-refused"),
            (401, String::new(), Write, "api-key-refused"),
            (403, of("forbidden", "no"), Write, "permission-missing"),
            (404, of("not_found", "no"), Read, "gone-there"),
            (409, of("invoice_paid", "no"), Write, "edited-there"),
            (
                400,
                of("bad_request", "This external id is already used"),
                Write,
                "number-taken",
            ),
            (
                400,
                of("bad_request", "The invoice is already paid"),
                Write,
                "refused-there",
            ),
            (422, FIELD.to_owned(), Write, "refused-there"),
            (500, of("internal_error", "oops"), Write, "unknown-outcome"),
            (500, of("internal_error", "oops"), Read, "server-error"),
            (503, of("internal_error", "oops"), Read, "maintenance"),
            (302, String::new(), Write, "drift"),
            (404, "<html>".to_owned(), Read, "not-json"),
            (403, "<html>".to_owned(), Read, "not-json"),
            (404, "<html>".to_owned(), Write, "unknown-outcome"),
        ] {
            let code = fault(status, &body, effect).code();
            assert_eq!(code.as_str(), wanted, "{status} {body}");
        }
        let Fault::Refused { field, .. } = fault(422, FIELD, Write) else {
            panic!("not refused")
        };
        assert_eq!(field.as_deref(), Some("due_date"));
    }
}
