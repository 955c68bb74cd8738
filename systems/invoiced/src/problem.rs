//! Invoiced's error answers, and what each means for what must be done next (README §What errors mean).

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
    #[serde(default, alias = "error")]
    r#type: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    param: Value,
}

/// An answer other than success.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: u16,
    sort: String,
    message: String,
    param: Option<String>,
    /// The body, where it wasn't an error of the API.
    other: Option<String>,
}

impl Problem {
    /// Reads an error answer, whatever it is.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let read: Option<Body> = serde_json::from_slice(body).ok();
        let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
        let (sort, message, param) = read
            .map(|body| (text(&body.r#type), text(&body.message), text(&body.param)))
            .unwrap_or_default();
        let foreign = sort.is_empty() && message.is_empty();
        let shown = &body[..body.len().min(WORDS_MAX * 4)];
        Self {
            status,
            sort,
            message,
            param: Some(param).filter(|param| !param.is_empty()),
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
        self.status == 429 || self.sort == "rate_limit_error"
    }

    /// The service's own words with the parameter to blame and the status.
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
        let blamed = match &self.param {
            Some(param) => format!(", parameter {}", shorten(param)),
            None => String::new(),
        };
        // The status stays, however long the words are.
        format!("{said} (HTTP {}{blamed})", self.status)
    }

    /// What must be done about it. Limits are handled before it comes to this.
    pub(crate) fn fault(&self, effect: Effect, what: &str) -> Fault {
        let cause = format!("Invoiced: {what}: {}", self.words());
        let redirects = (300..400).contains(&self.status);
        if self.foreign() && effect == Effect::Write && !redirects {
            // Nobody documents that who answers so has kept the call from being carried out.
            return Fault::Unknown { cause };
        }
        if let Some(code) = self.denied(effect) {
            return Fault::Denied { code, cause };
        }
        let server = self.status >= 500 || matches!(self.status, 408 | 499);
        if server && effect == Effect::Write {
            return Fault::Unknown { cause };
        }
        if server {
            let code = match self.status {
                503 => Code::new("maintenance"),
                _ => Code::new("server-error"),
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
        if self.foreign() {
            // A gateway's words; the read may go better in a moment.
            return Fault::Later {
                code: Code::new("not-json"),
                cause,
                after: None,
            };
        }
        let code = if self.status == 404 {
            Code::new("gone-there")
        } else if self.number_taken() {
            Code::new("number-taken")
        } else {
            Code::new("refused-there")
        };
        Fault::Refused {
            code,
            field: self.param.clone(),
            cause,
        }
    }

    /// A failure of the key or of what it may do. 403 is documented as a request that can't be carried out, too, so
    /// for a write it counts only where the words speak of a permission: the next record may well be taken.
    fn denied(&self, effect: Effect) -> Option<Code> {
        match self.status {
            401 => Some(Code::new("api-key-refused")),
            403 if self.foreign() => None,
            403 if effect == Effect::Read || self.says(&["permission", "authoriz", "scope"]) => {
                Some(Code::new("permission-missing"))
            }
            _ => None,
        }
    }

    /// Whether another record has the number that this one wants. No code tells it, only words (README §Numbers).
    fn number_taken(&self) -> bool {
        let of_number = self.param.as_deref() == Some("number") || self.says(&["number"]);
        let words = [
            "already",
            "taken",
            "unique",
            "in use",
            "exists",
            "duplicate",
        ];
        of_number && self.says(&words)
    }

    fn says(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        words.iter().any(|word| message.contains(word))
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

    fn code(status: u16, body: &str, effect: Effect) -> String {
        fault(status, body, effect).code().as_str().to_owned()
    }

    const PLAIN: &str =
        r#"{"type":"invalid_request","message":"Customer is missing","param":"customer"}"#;

    #[test]
    fn every_shape_of_an_error_is_read() {
        let said = |body: &str| Problem::read(400, body.as_bytes()).words();
        assert_eq!(
            said(PLAIN),
            "Customer is missing (HTTP 400, parameter customer)"
        );
        assert_eq!(
            said(r#"{"error":"api","message":"Broken"}"#),
            "Broken (HTTP 400)"
        );
        assert_eq!(
            said(r#"{"type":"rate_limit_error"}"#),
            "rate_limit_error (HTTP 400)"
        );
        assert_eq!(
            said("<html> Bad\n gateway"),
            "<html> Bad gateway (HTTP 400)"
        );
        assert_eq!(said(""), "no reason given (HTTP 400)");
        // Fields of another type than documented don't hide the rest.
        assert_eq!(
            said(r#"{"type":7,"message":"Broken","param":["x"]}"#),
            "Broken (HTTP 400)"
        );
        assert!(Problem::read(500, b"[]").foreign() && Problem::read(500, b"{}").foreign());
        assert!(Problem::read(400, br#"{"error":"rate_limit_error","message":"m"}"#).too_many());
        let long = "word ".repeat(1000);
        assert!(said(&long).chars().count() < WORDS_MAX + 20);
    }

    #[test]
    fn causes_are_told_apart_by_what_must_be_done() {
        use Effect::{Read, Write};
        let message = |text: &str| format!(r#"{{"type":"invalid_request","message":"{text}"}}"#);
        for (status, body, effect, wanted) in [
            (401, message("no such key"), Read, "api-key-refused"),
            (401, message("no such key"), Write, "api-key-refused"),
            (403, message("not yours"), Read, "permission-missing"),
            (
                403,
                message("You do not have permission to do that"),
                Write,
                "permission-missing",
            ),
            (
                403,
                message("A voided invoice can't be edited"),
                Write,
                "refused-there",
            ),
            (404, message("not found"), Read, "gone-there"),
            (
                400,
                message("The number INV-1 has already been taken"),
                Write,
                "number-taken",
            ),
            (
                400,
                message("Phone number is not valid"),
                Write,
                "refused-there",
            ),
            (400, PLAIN.to_owned(), Write, "refused-there"),
            (500, message("oops"), Write, "unknown-outcome"),
            (500, message("oops"), Read, "server-error"),
            (503, message("oops"), Read, "maintenance"),
            (302, String::new(), Read, "drift"),
            (302, String::new(), Write, "drift"),
            (404, "<html>".to_owned(), Read, "not-json"),
            (404, "<html>".to_owned(), Write, "unknown-outcome"),
        ] {
            assert_eq!(code(status, &body, effect), wanted, "{status} {body}");
        }
        let Fault::Refused { field, .. } = fault(400, PLAIN, Write) else {
            panic!("not refused")
        };
        assert_eq!(field.as_deref(), Some("customer"));
    }
}
