//! What a refusal means: NetSuite's error bodies, both shapes of them, turned into faults.
//!
//! README §Errors has the table. Where the status and code alone don't tell, the detail text does; the texts
//! are matched by their fixed parts and never shown without the service's own words.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tieout_domain::Fault;
use tieout_domain::code::Code;

/// Whether a call reads or writes: an unanswered write may have been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    Read,
    Write,
}

/// What to do about an answer.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is good.
    Fine,
    /// The sign-in was refused.
    Unauthorized(String),
    /// Too many calls are under way: certainly not carried out.
    Crowded {
        words: String,
        after: Option<Duration>,
    },
    /// A read that may go better in a moment.
    Passing(Fault),
    /// Nothing more can be done here.
    Final(Fault),
}

/// A service's own words, cut so that a page of HTML doesn't flood a log.
pub(crate) fn cut(text: &str) -> String {
    const CHARS_MAX: usize = 500;
    let text = text.trim();
    if text.chars().count() <= CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(CHARS_MAX).chain(['…']).collect()
}

/// An error body.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default, rename = "o:errorCode")]
    code: String,
    #[serde(default, rename = "o:errorDetails")]
    details: Vec<Detail>,
    /// The token endpoint's shape, and a script's.
    #[serde(default)]
    error: Told,
    #[serde(default)]
    error_description: String,
}

/// The token endpoint gives a word, a script a code and a sentence.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Told {
    Word(String),
    Script {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    },
}

impl Default for Told {
    fn default() -> Self {
        Self::Word(String::new())
    }
}

impl Told {
    fn code(&self) -> &str {
        match self {
            Self::Word(code) | Self::Script { code, .. } => code,
        }
    }

    fn sentence(&self) -> &str {
        match self {
            Self::Word(text) | Self::Script { message: text, .. } => text,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct Detail {
    #[serde(default)]
    detail: String,
    #[serde(default, rename = "o:errorCode")]
    code: String,
    #[serde(default, rename = "o:errorPath")]
    path: Option<String>,
}

impl Problem {
    /// Reads a body of either shape; nothing if it is none.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let problem: Self = serde_json::from_slice(body).ok()?;
        let says = !problem.title.is_empty()
            || !problem.detail.is_empty()
            || problem.codes().next().is_some()
            || problem
                .details
                .iter()
                .any(|detail| !detail.detail.is_empty());
        says.then_some(problem)
    }

    /// Every code in it, the most specific first.
    fn codes(&self) -> impl Iterator<Item = &str> {
        self.details
            .iter()
            .map(|detail| detail.code.as_str())
            .chain([self.code.as_str(), self.error.code()])
            .filter(|code| !code.is_empty())
    }

    fn has(&self, code: &str) -> bool {
        self.codes().any(|found| found.eq_ignore_ascii_case(code))
    }

    /// The field at fault, if it names one.
    fn field(&self) -> Option<String> {
        self.details.iter().find_map(|detail| detail.path.clone())
    }

    /// Its words.
    pub(crate) fn words(&self) -> String {
        let mut parts: Vec<&str> = self
            .details
            .iter()
            .map(|d| d.detail.as_str())
            .filter(|t| !t.is_empty())
            .collect();
        if parts.is_empty() {
            parts = [
                self.detail.as_str(),
                &self.error_description,
                self.error.sentence(),
                &self.title,
            ]
            .into_iter()
            .find(|text| !text.is_empty())
            .into_iter()
            .collect();
        }
        let code = self
            .codes()
            .next()
            .map(|code| format!(" ({code})"))
            .unwrap_or_default();
        let said = if parts.is_empty() && code.is_empty() {
            "no reason was given".to_owned()
        } else {
            parts.join("; ")
        };
        cut(&format!("{said}{code}"))
    }
}

/// Judges an answer.
pub(crate) fn judge(aim: Aim, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
    if status.is_success() {
        return judge_success(aim, status, body);
    }
    let problem = Problem::read(body);
    let words = problem.as_ref().map_or_else(
        || {
            format!(
                "HTTP {} with a body that is no error of NetSuite's: {}",
                status.as_u16(),
                excerpt(body)
            )
        },
        Problem::words,
    );
    let crowded = problem.as_ref().is_some_and(|problem| {
        [
            "CONCURRENCY_LIMIT_EXCEEDED",
            "SSS_REQUEST_LIMIT_EXCEEDED",
            "WS_CONCUR_SESSION_DISALLWD",
        ]
        .iter()
        .any(|code| problem.has(code))
    });
    if crowded || status == StatusCode::TOO_MANY_REQUESTS {
        return Verdict::Crowded {
            words,
            after: retry_after(headers),
        };
    }
    if status == StatusCode::UNAUTHORIZED {
        return Verdict::Unauthorized(words);
    }
    let broken_off = matches!(status.as_u16(), 408 | 499);
    if status.is_server_error() || broken_off {
        return judge_server_error(aim, status, headers, words);
    }
    match problem {
        Some(problem) if status.is_client_error() => Verdict::Final(refusal(status, &problem)),
        _ if status.is_redirection() => Verdict::Final(Fault::Drift {
            code: Code::new("drift"),
            cause: format!(
                "the address redirects (HTTP {}), and redirects are not followed: check the account \
                 id, or the account has moved",
                status.as_u16()
            ),
        }),
        _ => not_json(aim, words),
    }
}

fn judge_success(aim: Aim, status: StatusCode, body: &[u8]) -> Verdict {
    if aim == Aim::Write && !matches!(status.as_u16(), 200 | 201 | 204) {
        // 202 only promises to carry it out, and nobody asked for that.
        return Verdict::Final(Fault::Unknown {
            cause: format!("the write was answered with HTTP {}", status.as_u16()),
        });
    }
    if body.is_empty() {
        return match aim {
            Aim::Write => Verdict::Fine,
            Aim::Read => Verdict::Passing(later_not_json("the answer is empty".to_owned())),
        };
    }
    let Err(error) = serde_json::from_slice::<&serde_json::value::RawValue>(body) else {
        return Verdict::Fine;
    };
    let words = format!("HTTP {}: {error}: {}", status.as_u16(), excerpt(body));
    match aim {
        Aim::Write => Verdict::Final(Fault::Unknown {
            cause: format!("the write was answered with something that is not JSON: {words}"),
        }),
        // Cut off in the middle, or a gateway's page: another try may do.
        Aim::Read if error.is_eof() || looks_like_a_page(body) => {
            Verdict::Passing(later_not_json(words))
        }
        Aim::Read => Verdict::Final(Fault::Drift {
            code: Code::new("drift"),
            cause: words,
        }),
    }
}

fn judge_server_error(aim: Aim, status: StatusCode, headers: &HeaderMap, words: String) -> Verdict {
    if aim == Aim::Write {
        return Verdict::Final(Fault::Unknown {
            cause: format!(
                "the write failed over there (HTTP {}): {words}",
                status.as_u16()
            ),
        });
    }
    let code = match status {
        StatusCode::SERVICE_UNAVAILABLE => Code::new("maintenance"),
        _ if words.contains("no error of NetSuite's") => Code::new("not-json"),
        _ => Code::new("server-error"),
    };
    Verdict::Passing(Fault::Later {
        code,
        cause: words,
        after: retry_after(headers),
    })
}

fn not_json(aim: Aim, words: String) -> Verdict {
    match aim {
        Aim::Read => Verdict::Passing(later_not_json(words)),
        // Nobody documents that who answers so has kept the write from being carried out.
        Aim::Write => Verdict::Final(Fault::Unknown { cause: words }),
    }
}

fn later_not_json(cause: String) -> Fault {
    Fault::Later {
        code: Code::new("not-json"),
        cause,
        after: None,
    }
}

fn looks_like_a_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

fn excerpt(body: &[u8]) -> String {
    cut(&String::from_utf8_lossy(&body[..body.len().min(600)]))
}

/// No `Retry-After` is documented; one that comes is honoured, up to an hour.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers
        .get(http::header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds.min(3600)))
}

/// A request that was understood and declined.
fn refusal(status: StatusCode, problem: &Problem) -> Fault {
    let words = problem.words();
    let low = words.to_lowercase();
    let any = |parts: &[&str]| parts.iter().any(|part| low.contains(part));
    if status == StatusCode::FORBIDDEN || problem.has("INSUFFICIENT_PERMISSION") {
        return missing_permission(&words);
    }
    if any(&["search error occurred: record '"]) && any(&["was not found"]) {
        return missing_permission(&words);
    }
    if problem.has("RCRD_HAS_BEEN_CHANGED") || any(&["record has been changed"]) {
        // Fact F25: an earlier write may still be committing over there.
        return Fault::Later {
            code: Code::new("record-changed"),
            cause: words,
            after: Some(Duration::from_secs(5)),
        };
    }
    if problem.has("NONEXISTENT_FIELD") {
        return Fault::Drift {
            code: Code::new("drift"),
            cause: words,
        };
    }
    let no_such_script = problem
        .codes()
        .any(|code| code.starts_with("SSS_INVALID_") && code.ends_with("_ID"));
    let code = if problem.has("NONEXISTENT_ID")
        || no_such_script
        || status == StatusCode::NOT_FOUND
        || any(&["transaction type specified is incorrect"])
    {
        Code::new("gone-there")
    } else if any(&[
        "accounting period",
        "posting period",
        "period is closed",
        "period is locked",
    ]) {
        Code::new("closed-period")
    } else if any(&[
        "sub-list apply",
        "sublist apply",
        "sub-list payment",
        "sublist payment",
        "invalid sublist or line item operation",
    ]) {
        Code::new("cannot-apply")
    } else if any(&["entity reference key"]) && any(&["for subsidiary"]) {
        Code::new("vendor-not-in-subsidiary")
    } else if any(&["subsidiary"]) && any(&["cannot be used with", "reference key"]) {
        Code::new("account-not-in-subsidiary")
    } else if any(&["already exists"]) {
        Code::new("exists-there")
    } else if any(&["please enter value"]) {
        Code::new("field-missing")
    } else if problem.has("INVALID_CONTENT") || any(&["invalid field value", "reference key"]) {
        Code::new("bad-reference")
    } else {
        Code::new("refused-there")
    };
    Fault::Refused {
        code,
        field: problem.field(),
        cause: words,
    }
}

/// Names the permission that is most likely missing, beside the service's words.
fn missing_permission(words: &str) -> Fault {
    let record = words.split('\'').nth(1).unwrap_or_default().to_lowercase();
    let permission = match record.as_str() {
        "vendor" | "vendorsubsidiaryrelationship" | "vendoraddressbook" => "Lists > Vendors",
        "vendoraddressbookentityaddress" => "Lists > Vendors",
        "customer" | "customersubsidiaryrelationship" | "customeraddressbook" => {
            "Lists > Customers"
        }
        "customeraddressbookentityaddress" => "Lists > Customers",
        "item" => "Lists > Items",
        "term" => "Setup > Accounting Lists",
        "transaction" | "transactionline" | "transactionaccountingline" => {
            "Transactions > Find Transaction, Bills, Pay Bills, Vendor Credits and Make Journal Entry"
        }
        "nexttransactionlinelink" | "previoustransactionlinelink" => {
            "Transactions > Find Transaction"
        }
        "account" => "Lists > Accounts",
        "accountingperiod" => "Setup > Manage Accounting Periods (view)",
        "subsidiary" => "Lists > Subsidiaries",
        "department" => "Lists > Departments",
        "classification" => "Lists > Classes",
        "location" => "Lists > Locations",
        "currency" => "Lists > Currency",
        "deletedrecord" => "Setup > Deleted Records",
        _ => "",
    };
    let hint = if permission.is_empty() {
        "the words above name it, or the README of NetSuite lists them all".to_owned()
    } else {
        format!("it should have {permission}")
    };
    Fault::Denied {
        code: Code::new("permission-missing"),
        cause: format!(
            "the role may not do this: {words}. A missing permission looks like this; {hint}"
        ),
    }
}

/// The column that a query named and the account doesn't have, in lower case: which columns exist depends
/// on features and on the role (README §Columns).
pub(crate) fn unknown_column(words: &str) -> Option<String> {
    let low = words.to_lowercase();
    let after = low
        .split_once("unknown identifier '")
        .or_else(|| low.split_once("field '"))
        .map(|(_, rest)| rest)?;
    let name = after.split('\'').next()?;
    Some(name.rsplit('.').next()?.to_owned())
}

/// Whether the query named a table that the account doesn't have at all.
pub(crate) fn unknown_table(words: &str) -> bool {
    words.to_lowercase().contains("invalid search type")
}

/// Whether the query was refused as such, without naming what of it.
fn unsupported_search(words: &str) -> bool {
    words
        .to_lowercase()
        .contains("invalid or unsupported search")
}

/// Whether a query was refused for asking what the account hasn't got. A refusal in any other words may pass.
pub(crate) fn not_there(words: &str) -> bool {
    unknown_column(words).is_some() || unknown_table(words) || unsupported_search(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(aim: Aim, status: u16, body: &str) -> Verdict {
        let status = StatusCode::from_u16(status).unwrap();
        judge(aim, status, &HeaderMap::new(), body.as_bytes())
    }

    fn fault(aim: Aim, status: u16, body: &str) -> Fault {
        match judged(aim, status, body) {
            Verdict::Final(fault) | Verdict::Passing(fault) => fault,
            other => panic!("{other:?}"),
        }
    }

    fn user_error(detail: &str) -> String {
        serde_json::json!({"type": "t", "title": "Bad Request", "status": 400,
            "o:errorDetails": [{"detail": detail, "o:errorCode": "USER_ERROR"}]})
        .to_string()
    }

    #[test]
    fn both_shapes_of_a_concurrency_refusal_are_understood() {
        let nested = include_str!("../fixtures/concurrency.json");
        assert!(matches!(
            judged(Aim::Write, 429, nested),
            Verdict::Crowded { .. }
        ));
        assert!(matches!(
            judged(Aim::Write, 400, nested),
            Verdict::Crowded { .. }
        ));
        let flat = r#"{"title":"Too Many Requests","status":429,"detail":"Blocked.","o:errorCode":"CONCURRENCY_LIMIT_EXCEEDED"}"#;
        assert!(matches!(
            judged(Aim::Read, 429, flat),
            Verdict::Crowded { .. }
        ));
    }

    #[test]
    fn refusals_are_told_apart_by_their_words() {
        for (detail, code) in [
            (
                "The transaction date you specified is not within the date range of your accounting period.",
                "closed-period",
            ),
            (
                "Unable to find a matching line for sub-list apply with key [4001,0]",
                "cannot-apply",
            ),
            (
                "Invalid entity reference key 12 for subsidiary 3.",
                "vendor-not-in-subsidiary",
            ),
            (
                "Invalid account reference key 58 for subsidiary 3.",
                "account-not-in-subsidiary",
            ),
            ("This record already exists", "exists-there"),
            ("Please enter value(s) for: Department", "field-missing"),
            (
                "Error while accessing a resource. Transaction type specified is incorrect.",
                "gone-there",
            ),
            ("The moon is in the wrong phase.", "refused-there"),
        ] {
            let found = fault(Aim::Write, 400, &user_error(detail));
            assert!(matches!(found, Fault::Refused { .. }), "{found:?}");
            assert_eq!(found.code().as_str(), code, "{detail}");
            assert!(
                found.to_string().contains(detail),
                "the service's own words are kept"
            );
        }
    }

    #[test]
    fn a_missing_permission_names_the_record_and_the_permission() {
        let body = include_str!("../fixtures/record_not_found.json");
        let found = fault(Aim::Read, 400, body);
        assert!(matches!(found, Fault::Denied { .. }));
        assert_eq!(found.code().as_str(), "permission-missing");
        assert!(found.to_string().contains("Lists > Vendors"), "{found}");
    }

    #[test]
    fn a_write_without_a_clear_answer_is_unknown_and_a_read_is_later() {
        for (status, body) in [
            (200, "<html>"),
            (500, "{\"title\":\"x\"}"),
            (502, "<html>"),
            (200, "{\"a\":"),
        ] {
            assert!(
                matches!(fault(Aim::Write, status, body), Fault::Unknown { .. }),
                "{status} {body}"
            );
            assert!(
                matches!(
                    judged(Aim::Read, status, body),
                    Verdict::Passing(Fault::Later { .. })
                ),
                "{status} {body}"
            );
        }
        assert!(matches!(
            fault(Aim::Read, 200, "hello"),
            Fault::Drift { .. }
        ));
        assert_eq!(
            fault(Aim::Read, 503, "<html>").code().as_str(),
            "maintenance"
        );
    }

    #[test]
    fn s147_a_record_that_is_still_being_written_is_later() {
        let found = fault(Aim::Write, 400, &user_error("Record has been changed"));
        assert!(matches!(found, Fault::Later { after: Some(_), .. }));
    }

    #[test]
    fn an_unknown_column_is_named() {
        let body = include_str!("../fixtures/unknown_identifier.json");
        let words = Problem::read(body.as_bytes()).unwrap().words();
        assert_eq!(unknown_column(&words).as_deref(), Some("subsidiary"));
        assert_eq!(
            unknown_column("Field 'paymentHold' for record 'transaction' was not found.")
                .as_deref(),
            Some("paymenthold")
        );
        assert!(unknown_table("Invalid search type: subsidiary"));
    }

    #[test]
    fn only_words_that_say_what_is_missing_are_believed_to_last() {
        for words in [
            "Unknown identifier 'memo'.",
            "Field 'memo' for record 'transaction' was not found.",
            "Invalid search type: customrecordtype",
            "Invalid or unsupported search",
        ] {
            assert!(not_there(words), "{words}");
        }
        for words in ["Declined.", "An unexpected error occurred.", ""] {
            assert!(!not_there(words), "{words}");
        }
    }
}
