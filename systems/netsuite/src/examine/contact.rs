//! The first contact, without signing in: the network, the account's name, the clocks.
//!
//! NetSuite tells anybody the hosts of an account (README §Accounts and hosts). So a wrong account id is found out
//! without a refused sign-in, and the answer's `Date` shows whether our clock would have been the cause of one.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use tieout_domain::Lost;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;
use tieout_kit::reach;

use crate::call::Client;
use crate::problem::cut;

/// An answer without sign-in is quick or not to be had.
const SECONDS: u64 = 10;
/// From here on a clock is worth a warning (scenario 221).
const SKEW_SECONDS: i64 = 60;

impl Client {
    /// Asks for the account's hosts. False where nothing more needs to be tried.
    pub(super) async fn make_contact(&self, checks: &mut Vec<Check>) -> bool {
        let before = self.wire.kit.timer.now().as_second();
        let answer = match self.open(&self.settings.discovery()).await {
            Ok(answer) => answer,
            Err(lost) => return self.without_answer(&lost, checks),
        };
        let after = self.wire.kit.timer.now().as_second();
        self.check_clock(&answer, i64::midpoint(before, after), checks);
        let own = self.settings.base_url.is_some();
        match judge(&answer, &self.settings.account.host_label()) {
            Found::Known => true,
            // The one host of all accounts may be closed to us while the account's own is not.
            Found::NotNetSuite(_) if !own => true,
            Found::NotNetSuite(check) => {
                checks.push(check);
                false
            }
            Found::Unknown(words) => {
                let account = self.settings.account.as_str();
                let cause = format!("NetSuite knows no account {account}: {words}");
                checks.push(Check::found(
                    Status::Failed,
                    Code::new("account-unknown"),
                    cause,
                ));
                false
            }
        }
    }

    /// Sends a request that needs no sign-in.
    pub(super) async fn open(&self, address: &str) -> Result<Response<Bytes>, Lost> {
        let request = http::Request::get(address)
            .header(http::header::ACCEPT, "application/json")
            .body(Bytes::new())
            .map_err(|error| Lost::NeverLeft(error.to_string()))?;
        let deadline = Duration::from_secs(SECONDS);
        self.wire.kit.transport.send(request, deadline).await
    }

    fn without_answer(&self, lost: &Lost, checks: &mut Vec<Check>) -> bool {
        if self.settings.base_url.is_none() {
            return true;
        }
        let (code, words) = match lost {
            Lost::NeverLeft(words) => (reach::lost_code(words), words),
            Lost::Unknown(words) => (Code::new("timeout"), words),
        };
        let cause = format!("{} can't be reached: {words}", self.settings.services());
        checks.push(Check::found(Status::Failed, code, cause));
        false
    }

    /// Compares the clocks, and signs by NetSuite's from now on where ours is off: no sign-in is refused for it.
    fn check_clock(&self, answer: &Response<Bytes>, ours: i64, checks: &mut Vec<Check>) {
        let date = answer
            .headers()
            .get(http::header::DATE)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        let Some(date) = date else { return };
        let off = ours - date.timestamp().as_second();
        self.wire.note_date(answer.headers());
        self.wire.set_clock_right(self.wire.clock_offset());
        let side = if off > 0 { "ahead of" } else { "behind" };
        let seconds = off.abs();
        if seconds <= SKEW_SECONDS {
            let cause = format!("this machine's clock agrees with NetSuite's to {seconds} s");
            checks.push(Check::ok(Code::new("checked"), cause));
            return;
        }
        let cause = format!(
            "this machine's clock is {seconds} seconds {side} NetSuite's; signatures bear five minutes. Signing \
             by NetSuite's clock meanwhile"
        );
        checks.push(Check::found(
            Status::Warning,
            Code::new("clock-skew"),
            cause,
        ));
    }
}

enum Found {
    /// The account is there.
    Known,
    /// It isn't, in the service's words.
    Unknown(String),
    /// Somebody else answered.
    NotNetSuite(Check),
}

fn judge(answer: &Response<Bytes>, label: &str) -> Found {
    let (status, body) = (answer.status(), answer.body());
    let text = String::from_utf8_lossy(body);
    let words = format!("HTTP {}: {}", status.as_u16(), cut(&text));
    let failed = |code| Found::NotNetSuite(Check::found(Status::Failed, code, words.clone()));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return failed(Code::new("maintenance"));
    }
    if reach::is_page(body) || status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return failed(Code::new("proxy"));
    }
    if status.is_server_error() {
        return failed(Code::new("server-error"));
    }
    if status.is_success() {
        // Assumed: what is answered for an account that doesn't exist names none of its hosts.
        if text.to_ascii_lowercase().contains(label) {
            return Found::Known;
        }
        return Found::Unknown(words);
    }
    if matches!(status.as_u16(), 400 | 404)
        && serde_json::from_slice::<serde_json::Value>(body).is_ok()
    {
        return Found::Unknown(words);
    }
    Found::Known
}
