//! Sending a call and saying what became of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::{DeserializeOwned, IgnoredAny};
use tieout_domain::code::Code;
use tieout_domain::{Fault, Lost};
use tieout_kit::Kit;
use tieout_kit::governor::{Allowance, Concurrency};
use tieout_kit::refusals::Refusals;

use crate::currencies::Known;
use crate::problem::{Effect, Problem};
use crate::session::State;
use crate::settings::{Login, Settings, digest};

/// Calls at once for one developer key in one organization (README §Limits).
pub(crate) const IN_FLIGHT_MAX: usize = 3;
pub(crate) const CALLS_AN_HOUR: u32 = 20_000;
/// BILL allows 200; some are left for whoever else uses the key.
const LOGINS_AN_HOUR: u32 = 190;
const SUBSCRIPTIONS: &str = "/v3/subscriptions";
const READ_DEADLINE: Duration = Duration::from_secs(60);
const WRITE_DEADLINE: Duration = Duration::from_secs(120);
const READ_REPEATS: u32 = 3;
const CROWDED_REPEATS: u32 = 6;

/// Everything but what needs no escape in a query's value.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Escapes a value for a query.
pub(crate) fn escaped(value: &str) -> String {
    utf8_percent_encode(value, VALUE).to_string()
}

/// What a file is sent as: its name tells what it is.
const FILE: &str = "application/octet-stream";

/// What a call carries.
#[derive(Debug, Clone)]
enum Sent<'a> {
    /// A record.
    Json(&'a str),
    /// The bytes of a file.
    File(Bytes),
}

/// One organization, reached as one user.
pub(crate) struct Client {
    pub(crate) settings: Settings,
    pub(crate) login: Login,
    pub(crate) kit: Kit,
    pub(crate) session: tokio::sync::Mutex<State>,
    pub(crate) session_name: String,
    pub(crate) refusals: Refusals,
    pub(crate) logins: Arc<Allowance>,
    /// Under which the key's sign-ins are counted over all processes.
    pub(crate) logins_name: String,
    /// The turn to sign in, of all who use the key, on whatever node.
    pub(crate) signing_in: Arc<Concurrency>,
    pub(crate) currencies: Mutex<Known>,
    concurrency: Arc<Concurrency>,
    calls: Arc<Allowance>,
}

/// A call that failed, with the service's answer where there was one.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) fault: Fault,
    pub(crate) problem: Option<Box<Problem>>,
}

impl Failed {
    pub(crate) fn drift(cause: String) -> Self {
        Fault::Drift {
            code: Code::new("drift"),
            cause,
        }
        .into()
    }

    pub(crate) fn answered(fault: Fault, problem: Problem) -> Self {
        Self {
            fault,
            problem: Some(Box::new(problem)),
        }
    }

    /// Whether the record asked for does not exist.
    pub(crate) fn absent(&self) -> bool {
        matches!(&self.fault, Fault::Refused { code, .. } if code.as_str() == "gone-there")
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            problem: None,
        }
    }
}

impl From<Failed> for Fault {
    fn from(failed: Failed) -> Self {
        failed.fault
    }
}

/// Why one request didn't succeed, by what this client does about it itself.
pub(crate) enum Hitch {
    /// The session was not accepted: certainly nothing was done.
    Session(Problem),
    /// Too many calls at once: certainly nothing was done.
    Crowded {
        /// What to report when it stays so.
        failed: Failed,
        /// When the service wants to be asked again.
        after: Option<Duration>,
    },
    /// Everything else.
    Other(Failed),
}

impl From<Failed> for Hitch {
    fn from(failed: Failed) -> Self {
        Self::Other(failed)
    }
}

impl Client {
    pub(crate) fn new(settings: Settings, login: Login, kit: Kit) -> Self {
        let key = digest(&[&settings.base_url, login.dev_key.expose_secret()]);
        let organization = &settings.organization;
        let user = digest(&[
            &settings.base_url,
            login.dev_key.expose_secret(),
            &login.username,
            // A session of an old password must not hide that a new one is wrong.
            login.password.expose_secret(),
        ]);
        // Whatever the password: it is the user who is locked.
        let person = digest(&[
            &settings.base_url,
            login.dev_key.expose_secret(),
            &login.username,
        ]);
        let concurrency = kit
            .governors
            .concurrency(&format!("bill/{key}/{organization}"), IN_FLIGHT_MAX);
        Self {
            concurrency,
            calls: kit
                .governors
                .allowance(&format!("bill/{key}"), CALLS_AN_HOUR),
            logins: kit
                .governors
                .allowance(&format!("bill/{key}/logins"), LOGINS_AN_HOUR),
            logins_name: format!("bill/{key}/logins"),
            signing_in: kit
                .governors
                .concurrency(&format!("bill/{key}/signing-in"), 1),
            session: tokio::sync::Mutex::default(),
            session_name: format!("bill/{organization}/{user}/session"),
            refusals: Refusals::new(format!("bill/{organization}/{person}/refusals")),
            currencies: Mutex::default(),
            settings,
            login,
            kit,
        }
    }

    /// Reads: repeated when a failure passes by itself.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        what: &str,
    ) -> Result<T, Failed> {
        let bytes = self
            .call(&Method::GET, path, None, Effect::Read, what)
            .await?;
        Ok(parse(&bytes, Effect::Read, what)?)
    }

    /// Writes: sent once, and again only after a refusal for session or concurrency, which certainly did
    /// nothing.
    pub(crate) async fn write(
        &self,
        method: &Method,
        path: &str,
        body: Option<&str>,
        what: &str,
    ) -> Result<Bytes, Failed> {
        self.call(method, path, body.map(Sent::Json), Effect::Write, what)
            .await
    }

    /// As [`write`](Self::write), for a file.
    pub(crate) async fn upload(
        &self,
        path: &str,
        file: Bytes,
        what: &str,
    ) -> Result<Bytes, Failed> {
        let file = Some(Sent::File(file));
        self.call(&Method::POST, path, file, Effect::Write, what)
            .await
    }

    async fn call(
        &self,
        method: &Method,
        path: &str,
        body: Option<Sent<'_>>,
        effect: Effect,
        what: &str,
    ) -> Result<Bytes, Failed> {
        let mut session = self.session(None).await?;
        let (mut renewed, mut crowded, mut repeats) = (false, 0, 0);
        loop {
            let json = match &body {
                Some(Sent::Json(json)) => Some(*json),
                _ => None,
            };
            let mut request = self.request(method, path, json, Some(&session))?;
            if let Some(Sent::File(file)) = &body {
                let headers = request.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(FILE));
                request.body_mut().clone_from(file);
            }
            match self.exchange(request, effect, what).await {
                Ok(bytes) => return Ok(bytes),
                Err(Hitch::Session(problem)) if renewed => {
                    let cause = format!(
                        "BILL: {what}: a session just made was not accepted: {}",
                        problem.words()
                    );
                    let fault = Fault::Denied {
                        code: Code::new("invalid-login"),
                        cause,
                    };
                    return Err(Failed::answered(fault, problem));
                }
                Err(Hitch::Session(_)) => {
                    renewed = true;
                    session = self.session(Some(&session)).await?;
                }
                Err(Hitch::Crowded { failed, .. }) if crowded >= CROWDED_REPEATS => {
                    return Err(failed);
                }
                Err(Hitch::Crowded { after, failed }) => {
                    match after {
                        Some(after) if after > Duration::from_secs(30) => return Err(failed),
                        Some(after) => self.kit.timer.sleep(after).await,
                        None => self.back_off(crowded).await,
                    }
                    crowded += 1;
                }
                Err(Hitch::Other(failed)) => {
                    let again = effect == Effect::Read && transient(&failed.fault);
                    if !again || repeats >= READ_REPEATS {
                        return Err(failed);
                    }
                    self.back_off(repeats).await;
                    repeats += 1;
                }
            }
        }
    }

    /// Waits between a half and the whole of 250 ms, doubled with each try.
    pub(crate) async fn back_off(&self, tries: u32) {
        let share = 0.5 + self.kit.entropy.fraction() / 2.0;
        let whole = Duration::from_millis(250 << tries.min(6));
        self.kit.timer.sleep(whole.mul_f64(share)).await;
    }

    /// Notifications are another service's.
    fn base_of(&self, path: &str) -> &str {
        if path.starts_with(SUBSCRIPTIONS) || path.starts_with("/v3/events/") {
            // Where there is none, nothing that keeps subscriptions is put together.
            self.settings.events_url.as_deref().unwrap_or_default()
        } else {
            &self.settings.base_url
        }
    }

    /// A random UUID (RFC 9562 §5.4).
    fn uuid(&self) -> String {
        let mut bytes = [0; 16];
        self.kit.entropy.fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (a, b, c, d, e) = (
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        );
        format!("{a}-{b}-{c}-{d}-{e}")
    }

    pub(crate) fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<&str>,
        session: Option<&SecretString>,
    ) -> Result<http::Request<Bytes>, Failed> {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_of(path)))
            .header(ACCEPT, "application/json");
        let makes_key = path == SUBSCRIPTIONS || path.ends_with("/security_key");
        if *method == Method::POST && makes_key {
            // The answer to a key is repeated for a day; a new call is a new wish.
            request = request.header("X-Idempotent-Key", self.uuid());
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(session) = session {
            for (name, secret) in [("sessionid", session), ("devkey", &self.login.dev_key)] {
                let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(|_| {
                    Failed::drift(format!(
                        "BILL: its `{name}` holds characters that can't be sent"
                    ))
                })?;
                value.set_sensitive(true);
                request = request.header(name, value);
            }
        }
        request
            .body(
                body.map(|body| Bytes::from(body.to_owned()))
                    .unwrap_or_default(),
            )
            .map_err(|error| Failed::drift(format!("BILL: {path} can't be asked for: {error}")))
    }

    /// Sends one request within the limits and sorts its answer.
    pub(crate) async fn exchange(
        &self,
        request: http::Request<Bytes>,
        effect: Effect,
        what: &str,
    ) -> Result<Bytes, Hitch> {
        let permit = self.concurrency.enter(&self.kit).await;
        if let Err(paused) = self.calls.take_shared(&self.kit).await {
            return Err(Hitch::Other(hourly_limit(what, paused.after, None)));
        }
        let deadline = if effect == Effect::Read {
            READ_DEADLINE
        } else {
            WRITE_DEADLINE
        };
        let answer = self.kit.transport.send(request, deadline);
        let answer = permit.during(&self.kit, answer).await;
        drop(permit);
        let answer = answer.map_err(|lost| Failed::from(lost_fault(lost, effect, what)))?;
        if answer.status().is_success() {
            self.concurrency.went_well();
            return Ok(whole_json(answer.into_body(), effect, what)?);
        }
        let status = answer.status().as_u16();
        let after = answer
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let problem = Problem::read(status, answer.body());
        if problem.has("1144") {
            let paused = self.calls.pause_until_next_hour(self.kit.timer.now());
            return Err(Hitch::Other(hourly_limit(
                what,
                paused.after,
                Some(problem),
            )));
        }
        if problem.has("1322") || status == 429 {
            self.concurrency.too_many();
            let fault = Fault::Later {
                code: Code::new("concurrency-limit"),
                cause: format!("BILL: {what}: {}", problem.words()),
                after: Some(after.unwrap_or(Duration::from_secs(5))),
            };
            return Err(Hitch::Crowded {
                failed: Failed::answered(fault, problem),
                after,
            });
        }
        if problem.session() {
            return Err(Hitch::Session(problem));
        }
        let fault = problem.fault(effect, what);
        Err(Hitch::Other(Failed::answered(fault, problem)))
    }
}

/// A look before a write that was refused says nothing of what was to be written: nothing was sent, and the next run looks
/// again. Only that the record isn't there is an answer.
pub(crate) fn not_sent(failed: Failed) -> Failed {
    if failed.absent() {
        return failed;
    }
    match failed {
        Failed {
            fault: Fault::Refused { code, cause, .. },
            problem,
        } => Failed {
            fault: Fault::Later {
                code,
                cause,
                after: None,
            },
            problem,
        },
        other => other,
    }
}

/// Whether a read that failed so may work in a moment.
pub(crate) fn transient(fault: &Fault) -> bool {
    matches!(fault, Fault::Later { after: None, .. })
}

fn hourly_limit(what: &str, after: Duration, problem: Option<Problem>) -> Failed {
    let words = problem.as_ref().map_or_else(
        || "the developer key's 20,000 calls of this hour are used up".to_owned(),
        Problem::words,
    );
    let fault = Fault::Later {
        code: Code::new("hourly-limit"),
        cause: format!("BILL: {what}: {words}"),
        after: Some(after),
    };
    Failed {
        fault,
        problem: problem.map(Box::new),
    }
}

fn lost_fault(lost: Lost, effect: Effect, what: &str) -> Fault {
    let cause = format!("BILL: {what}: {lost}");
    match (lost, effect) {
        (Lost::NeverLeft(_), _) => Fault::Later {
            code: Code::new("unreachable"),
            cause,
            after: None,
        },
        (Lost::Unknown(_), Effect::Read) => Fault::Later {
            code: Code::new("timeout"),
            cause,
            after: None,
        },
        (Lost::Unknown(_), Effect::Write) => Fault::Unknown { cause },
    }
}

/// The body of a success, which must be whole JSON, or nothing.
fn whole_json(body: Bytes, effect: Effect, what: &str) -> Result<Bytes, Failed> {
    let Err(error) = serde_json::from_slice::<IgnoredAny>(&body) else {
        return Ok(body);
    };
    if body.iter().all(u8::is_ascii_whitespace) && effect == Effect::Write {
        return Ok(Bytes::new());
    }
    let said = crate::problem::shorten(&String::from_utf8_lossy(&body[..body.len().min(200)]));
    let cause = format!(
        "BILL: {what}: a success whose body is no whole JSON ({error}), beginning `{said}`"
    );
    Err(match effect {
        Effect::Read => Fault::Later {
            code: Code::new("not-json"),
            cause,
            after: None,
        },
        Effect::Write => Fault::Unknown { cause },
    }
    .into())
}

/// Reads an answer whose JSON is whole.
///
/// # Errors
/// `Drift` for a read. For a write `Unknown`: it was carried out, but what it made can't be read.
pub(crate) fn parse<T: DeserializeOwned>(
    bytes: &[u8],
    effect: Effect,
    what: &str,
) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|error| {
        let cause = format!("BILL: {what}: the answer is not as documented: {error}");
        match effect {
            Effect::Read => Fault::Drift {
                code: Code::new("drift"),
                cause,
            },
            Effect::Write => Fault::Unknown { cause },
        }
    })
}
