//! BILL's error answers, and what each means for what must be done next (README §Errors).

use serde::Deserialize;
use tieout_domain::Fault;
use tieout_domain::code::Code;

use crate::text::without_card_numbers;

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

/// One entry of an error answer. All of it may be missing.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Entry {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    params: Option<Vec<Param>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Param {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    value: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    List(Vec<Entry>),
    Wrapped { errors: Vec<Entry> },
    One(Entry),
}

/// An answer other than success.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// HTTP status.
    pub(crate) status: u16,
    /// Its entries; empty when the body wasn't JSON.
    entries: Vec<Entry>,
    /// The body, where it wasn't JSON.
    other: Option<String>,
}

impl Problem {
    /// Reads an error answer, whatever it is.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Body>(body) {
            Ok(Body::List(entries) | Body::Wrapped { errors: entries }) => Self {
                status,
                entries,
                other: None,
            },
            Ok(Body::One(entry)) => Self {
                status,
                entries: vec![entry],
                other: None,
            },
            Err(_) => {
                let text = String::from_utf8_lossy(&body[..body.len().min(WORDS_MAX * 4)]);
                Self {
                    status,
                    entries: Vec::new(),
                    other: Some(shorten(&text)),
                }
            }
        }
    }

    /// Whether one of its entries has this code, given without `BDC_`.
    pub(crate) fn has(&self, code: &str) -> bool {
        self.codes()
            .any(|have| have.strip_prefix("BDC_").unwrap_or(have) == code)
    }

    fn codes(&self) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .filter_map(|entry| entry.code.as_deref())
    }

    fn has_any(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.has(code))
    }

    /// Whether the body was a web page or something else that isn't an error of the API: it tells who answered
    /// as little as what was done.
    pub(crate) fn foreign(&self) -> bool {
        let says = |entry: &Entry| {
            entry.code.is_some() || entry.message.is_some() || entry.detail.is_some()
        };
        // BILL's own word that something isn't there has a code: a gateway's 404 is of a way that it doesn't know.
        let lost = self.status == 404 && self.codes().next().is_none();
        self.other.is_some() || lost || !self.entries.iter().any(says)
    }

    /// Whether the session was not accepted.
    pub(crate) fn session(&self) -> bool {
        self.has("1109") || (self.status == 401 && self.codes().next().is_none())
    }

    /// The service's own words with code and status.
    pub(crate) fn words(&self) -> String {
        let mut said: Vec<String> = Vec::new();
        for entry in &self.entries {
            let message = entry
                .message
                .as_deref()
                .or(entry.detail.as_deref())
                .unwrap_or("");
            let text = match entry.code.as_deref() {
                Some(code) => format!("{code} {message}"),
                None => message.to_owned(),
            };
            let text = text.trim().to_owned();
            if !text.is_empty() && !said.contains(&text) {
                said.push(text);
            }
        }
        if let Some(other) = &self.other {
            said.push(other.clone());
        }
        let said = if said.is_empty() {
            "no reason given".to_owned()
        } else {
            said.join("; ")
        };
        // The status stays, however long the words are.
        format!("{} (HTTP {})", shorten(&said), self.status)
    }

    /// The field that the service names.
    pub(crate) fn field(&self) -> Option<String> {
        let from_param = self.entries.iter().find_map(|entry| {
            let param = entry
                .params
                .as_ref()?
                .iter()
                .find(|param| param.name.is_some())?;
            match (param.name.as_deref(), &param.value) {
                // A generic name has the field in its value.
                (Some("field" | "fieldName" | "property"), Some(value)) => {
                    value.as_str().map(str::to_owned)
                }
                (Some(name), _) => Some(name.to_owned()),
                (None, _) => None,
            }
        });
        from_param.or_else(|| {
            // Validation of beans: `address: must not be null`.
            self.entries.iter().find_map(|entry| {
                let (field, _) = entry.message.as_deref()?.split_once(": ")?;
                let word = |c: char| c.is_ascii_alphanumeric() || "._[]".contains(c);
                (!field.is_empty() && field.chars().all(word)).then(|| field.to_owned())
            })
        })
    }

    /// Which record of a bulk call of `count` the service names as the bad one.
    pub(crate) fn index(&self, count: usize) -> Option<usize> {
        let texts = self.entries.iter().flat_map(|entry| {
            let params = entry.params.iter().flatten();
            let of_params = params.flat_map(|param| {
                let value = param.value.as_ref().and_then(|value| value.as_str());
                [param.name.as_deref(), value]
            });
            [entry.message.as_deref(), entry.detail.as_deref()]
                .into_iter()
                .chain(of_params)
        });
        texts
            .flatten()
            .find_map(record_index)
            .filter(|index| *index < count)
    }

    /// What must be done about it. Sessions and limits are handled before it comes to this.
    pub(crate) fn fault(&self, effect: Effect, what: &str) -> Fault {
        let cause = format!("BILL: {what}: {}", self.words());
        let redirects = (300..400).contains(&self.status);
        if self.foreign() && effect == Effect::Write && !redirects {
            // Nobody documents that who answers so has kept the call from being carried out.
            return Fault::Unknown { cause };
        }
        if self.is_of_closed_books() {
            return Fault::Refused {
                code: Code::new("platform-books-closed"),
                field: self.field(),
                cause,
            };
        }
        if let Some(denied) = self.denied(&cause) {
            return denied;
        }
        let server = self.status >= 500 || self.has_any(&["1001", "1002"]);
        let broken_off = self.status == 408 || self.status == 499;
        if (server || broken_off) && effect == Effect::Write {
            return Fault::Unknown { cause };
        }
        if self.status == 503 {
            return Fault::Later {
                code: Code::new("maintenance"),
                cause,
                after: None,
            };
        }
        if server || broken_off {
            return Fault::Later {
                code: Code::new("server-error"),
                cause,
                after: None,
            };
        }
        if redirects || self.has("1121") {
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
        let code = if self.has("1171") {
            Code::new("invoice-number-exists")
        } else if self.has("1172") {
            Code::new("self-managed")
        } else if self.status == 404 || self.has("1205") {
            Code::new("gone-there")
        } else {
            Code::new("refused-there")
        };
        Fault::Refused {
            code,
            field: self.field(),
            cause,
        }
    }

    /// Whether a document is refused for its day: BILL's books are closed up to a later one (scenario 253). The
    /// code of it isn't documented, and the one that it comes with may be that of a missing permission.
    fn is_of_closed_books(&self) -> bool {
        let words = self.words().to_ascii_lowercase();
        ["books closed", "books are closed", "books-closed"]
            .iter()
            .any(|said| words.contains(said))
    }

    /// A failure of credentials or permissions.
    fn denied(&self, cause: &str) -> Option<Fault> {
        let code = if self.has_any(&["1101", "1113"]) {
            Code::new("wrong-password")
        } else if self.has_any(&["1102", "1103", "1104", "1106"]) {
            Code::new("wrong-developer-key")
        } else if self.has("1123") {
            Code::new("wrong-organization")
        } else if self.has_any(&["1110", "1111"]) {
            Code::new("locked-user")
        } else if self.has("1107") || self.status == 423 {
            Code::new("organization-locked")
        } else if self.has_any(&["1114", "1115", "1116"]) || (self.status == 403 && !self.foreign())
        {
            Code::new("permission-missing")
        } else if self.status == 401 {
            Code::new("invalid-login")
        } else {
            return None;
        };
        Some(Fault::Denied {
            code,
            cause: cause.to_owned(),
        })
    }
}

/// `[3].dueDate` or `bills[3].dueDate`, but not `billLineItems[3]`: that is a line's place.
fn record_index(text: &str) -> Option<usize> {
    text.match_indices('[').find_map(|(at, _)| {
        let owner: String = text[..at]
            .chars()
            .rev()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let lower = owner.to_ascii_lowercase();
        if ["line", "credits", "approv", "payments"]
            .iter()
            .any(|word| lower.contains(word))
        {
            return None;
        }
        let digits: String = text[at + 1..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        text[at + 1 + digits.len()..]
            .starts_with(']')
            .then_some(())?;
        digits.parse().ok()
    })
}

/// The service's words without markup, card numbers and most of their length.
pub(crate) fn shorten(text: &str) -> String {
    let mut plain = String::new();
    let mut tag = false;
    let markup = text.trim_start().starts_with('<');
    for c in text.chars() {
        match c {
            '<' if markup => tag = true,
            '>' if markup && tag => {
                tag = false;
                plain.push(' ');
            }
            _ if tag => {}
            _ => plain.push(c),
        }
    }
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    crate::text::cut(&without_card_numbers(&plain), WORDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &[u8] = include_bytes!("../fixtures/error-session.json");
    const VALIDATION: &[u8] = include_bytes!("../fixtures/error-validation.json");

    #[test]
    fn every_shape_of_error_is_understood() {
        assert!(Problem::read(401, SESSION).session());
        let validation = Problem::read(400, VALIDATION);
        assert_eq!(validation.field().as_deref(), Some("address"));
        assert!(validation.words().contains("address: must not be null"));
        let gateway = Problem::read(502, b"<html><body><h1>Bad Gateway</h1></body></html>");
        assert!(gateway.foreign());
        assert_eq!(gateway.words(), "Bad Gateway (HTTP 502)");
        assert_eq!(
            Problem::read(400, br#"{"message":"no"}"#).words(),
            "no (HTTP 400)"
        );
        assert!(matches!(
            gateway.fault(Effect::Write, "x"),
            Fault::Unknown { .. }
        ));
        assert!(matches!(
            gateway.fault(Effect::Read, "x"),
            Fault::Later { .. }
        ));
    }

    #[test]
    fn a_long_answer_does_not_hide_its_status() {
        let words = Problem::read(335, "x".repeat(5_000).as_bytes()).words();
        assert!(
            words.ends_with("(HTTP 335)") && words.len() < 1_000,
            "{words}"
        );
    }

    #[test]
    fn codes_become_what_must_be_done() {
        let fault = |status: u16, code: &str| {
            let body = format!(r#"[{{"code":"BDC_{code}","message":"words of theirs"}}]"#);
            Problem::read(status, body.as_bytes()).fault(Effect::Write, "saving a bill")
        };
        for (status, code, ours) in [
            (401, "1101", "wrong-password"),
            (401, "1102", "wrong-developer-key"),
            (400, "1123", "wrong-organization"),
            (401, "1110", "locked-user"),
            (423, "1107", "organization-locked"),
            (403, "9999", "permission-missing"),
            (422, "1171", "invoice-number-exists"),
            (400, "1172", "self-managed"),
            (404, "1205", "gone-there"),
            (400, "1119", "refused-there"),
            (404, "1121", "drift"),
            (500, "1001", "unknown-outcome"),
            (400, "1002", "unknown-outcome"),
        ] {
            let fault = fault(status, code);
            assert_eq!(fault.code().as_str(), ours, "{status} {code}");
            assert!(fault.to_string().contains("words of theirs"));
        }
    }

    #[test]
    fn the_bad_record_of_a_bulk_call_is_found_by_its_place() {
        let index = |message: &str| {
            let body = format!(r#"[{{"message":"{message}"}}]"#);
            Problem::read(400, body.as_bytes()).index(10)
        };
        assert_eq!(index("[3].dueDate: must not be null"), Some(3));
        assert_eq!(
            index("createBills.bills[7].billLineItems[2].amount: bad"),
            Some(7)
        );
        assert_eq!(index("billLineItems[2].amount: bad"), None);
        assert_eq!(index("[10].dueDate: must not be null"), None);
        assert_eq!(index("dueDate: must not be null"), None);
    }
}
