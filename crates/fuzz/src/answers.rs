//! Bytes as the answers of a service: what a transport gives to a client, one after the other.
//!
//! ```text
//! 200 retry-after: 5; location: https://example.com/record/7
//! {"items":[]}
//! ---
//! lost
//! ```
//!
//! The first line of an answer holds its status and headers, or `lost` or `never-left`; what follows, up to a
//! line `---`, is its body. The last answer is given again as often as it is asked for.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use tieout_domain::Lost;
use tieout_kit::Transport;

/// A client that asks more often than this for one call goes round in circles.
pub const REQUESTS_MAX: usize = 1_000;

/// What comes between two answers.
const BETWEEN: &[u8] = b"\n---\n";

/// Answers that the transport gives by itself, because the target isn't about them: `None` for all others.
pub type Routine = fn(&Request<Bytes>) -> Option<&'static str>;

/// A request, and whether it was answered with success.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Its method.
    pub method: Method,
    /// Where it went, without the query.
    pub path: String,
    /// What it carried.
    pub body: Bytes,
    /// Whether the answer was a success.
    pub success: bool,
}

/// A service that answers what it is told to.
pub struct Answers {
    routine: Routine,
    state: Mutex<State>,
}

struct State {
    /// The answers, last first.
    left: Vec<Answer>,
    exchanges: Vec<Exchange>,
}

type Answer = Result<Response<Bytes>, Lost>;

impl Answers {
    /// A service that answers so.
    #[must_use]
    pub fn of(bytes: &[u8], routine: Routine) -> Self {
        let mut left: Vec<Answer> = split(bytes, BETWEEN).into_iter().map(answer).collect();
        left.reverse();
        let exchanges = Vec::new();
        Self {
            routine,
            state: Mutex::new(State { left, exchanges }),
        }
    }

    /// What was asked so far, apart from the routine.
    ///
    /// # Panics
    /// After a panic elsewhere.
    pub fn exchanges(&self) -> Vec<Exchange> {
        let state = self.state.lock().expect("nothing panicked before");
        state.exchanges.clone()
    }
}

#[async_trait]
impl Transport for Answers {
    async fn send(&self, request: Request<Bytes>, _deadline: Duration) -> Answer {
        if let Some(body) = (self.routine)(&request) {
            return Ok(Response::new(Bytes::from_static(body.as_bytes())));
        }
        let mut state = self.state.lock().expect("nothing panicked before");
        let answer = match state.left.as_slice() {
            [.., _, _] => state.left.pop(),
            [last] => Some(last.clone()),
            [] => None,
        };
        let answer = answer.unwrap_or_else(|| Err(Lost::Unknown("there is no answer".to_owned())));
        state.exchanges.push(Exchange {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            body: request.body().clone(),
            success: answer
                .as_ref()
                .is_ok_and(|answer| answer.status().is_success()),
        });
        assert!(
            state.exchanges.len() <= REQUESTS_MAX,
            "it goes on asking: {} {}",
            request.uri(),
            String::from_utf8_lossy(request.body())
        );
        answer
    }
}

fn answer(bytes: &[u8]) -> Answer {
    let (head, body) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &b""[..]),
    };
    let head = String::from_utf8_lossy(head);
    let (status, headers) = head.split_once(' ').unwrap_or((&head, ""));
    match status {
        "lost" => return Err(Lost::Unknown("the answer was lost".to_owned())),
        "never-left" => return Err(Lost::NeverLeft("no connection".to_owned())),
        _ => {}
    }
    let mut response = Response::new(Bytes::copy_from_slice(body));
    if let Ok(status) = status.parse() {
        *response.status_mut() = status;
    }
    for (name, value) in headers
        .split("; ")
        .filter_map(|header| header.split_once(':'))
    {
        if let (Ok(name), Ok(value)) = (
            name.trim().parse::<HeaderName>(),
            HeaderValue::from_str(value.trim()),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

/// The first line as text, and the rest: what a target is told, and what it is given.
#[must_use]
pub fn first_line(bytes: &[u8]) -> (String, &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (
            String::from_utf8_lossy(&bytes[..at]).into_owned(),
            &bytes[at + 1..],
        ),
        None => (String::from_utf8_lossy(bytes).into_owned(), b""),
    }
}

/// The pieces between separators.
fn split<'a>(bytes: &'a [u8], between: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(at) = bytes[from..]
        .windows(between.len())
        .position(|window| window == between)
    {
        pieces.push(&bytes[from..from + at]);
        from += at + between.len();
    }
    pieces.push(&bytes[from..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_headers_and_a_body() {
        let whole = b"429 retry-after: 5; x-a: b\n{}\n---\nlost\n---\n200\n[]";
        let pieces = split(whole, BETWEEN);
        assert_eq!(pieces.len(), 3);
        let first = answer(pieces[0]).unwrap();
        assert_eq!(first.status().as_u16(), 429);
        assert_eq!(first.headers()["retry-after"], "5");
        assert_eq!(first.body(), "{}");
        assert!(matches!(answer(pieces[1]), Err(Lost::Unknown(_))));
        assert_eq!(answer(pieces[2]).unwrap().body(), "[]");
    }
}
