//! Sending a call and saying what became of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::{DeserializeOwned, IgnoredAny};
use tieout_domain::code::Code;
use tieout_domain::{Fault, Fingerprint, Key, Lost};
use tieout_kit::Kit;
use tieout_kit::governor::Concurrency;
use zeroize::Zeroizing;

use crate::past::Past;
use crate::problem::{Effect, Problem, shorten};
use crate::settings::Settings;

const READ_DEADLINE: Duration = Duration::from_secs(60);
const WRITE_DEADLINE: Duration = Duration::from_secs(120);
const READ_REPEATS: u32 = 3;
/// How often a call that came too soon is made again.
const CROWDED_REPEATS: u32 = 6;
/// A longer wait is the engine's to plan.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// How long to stay away where the service asks for it and doesn't say how long (README §Limits).
const WAIT_UNTOLD: Duration = Duration::from_secs(60);

/// Everything but what needs no escape in a query's value.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Escapes a value for a query or a path.
pub(crate) fn escaped(value: &str) -> String {
    utf8_percent_encode(value, VALUE).to_string()
}

/// One account.
pub(crate) struct Client {
    pub(crate) settings: Settings,
    pub(crate) kit: Kit,
    /// What the account's events tell.
    pub(crate) past: tokio::sync::Mutex<Past>,
    /// The payment terms that documents have named so far.
    pub(crate) terms: Mutex<BTreeSet<String>>,
    api_key: SecretString,
    concurrency: Arc<Concurrency>,
}

/// A request, without what every request has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    /// Path and query.
    pub(crate) path: &'a str,
    pub(crate) body: Option<&'a str>,
    /// The event's key, for what makes something.
    pub(crate) key: Option<&'a Key>,
}

/// A success.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) headers: HeaderMap,
    /// Whole JSON; empty where a change was answered with nothing.
    pub(crate) body: Bytes,
}

/// Why one request didn't succeed, by what this client does about it itself.
enum Hitch {
    /// It came too soon: certainly nothing was done.
    Crowded {
        /// What to report when it stays so.
        fault: Fault,
        /// When the service wants to be asked again.
        after: Option<Duration>,
    },
    /// Everything else.
    Other(Fault),
}

impl Client {
    pub(crate) fn new(settings: Settings, api_key: SecretString, kit: Kit) -> Self {
        let digest = Fingerprint::of(&[&settings.base_url, api_key.expose_secret()][..]);
        let name: String = digest.as_str().chars().take(16).collect();
        let concurrency = kit
            .governors
            .concurrency(&format!("invoiced/{name}"), settings.concurrency);
        Self {
            past: tokio::sync::Mutex::default(),
            terms: Mutex::default(),
            settings,
            kit,
            api_key,
            concurrency,
        }
    }

    /// Reads: repeated when a failure passes by itself.
    pub(crate) async fn get(&self, path: &str, what: &str) -> Result<Answered, Fault> {
        let asked = Asked {
            method: &Method::GET,
            path,
            body: None,
            key: None,
        };
        self.call(&self.settings.base_url, asked, Effect::Read, what)
            .await
    }

    /// Reads one thing.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        what: &str,
    ) -> Result<T, Fault> {
        let answered = self.get(path, what).await?;
        parse(&answered.body, Effect::Read, what)
    }

    /// Reads from another host than the account's own: once, for finding a cause.
    pub(crate) async fn try_at(&self, host: &str, path: &str) -> Result<Answered, Fault> {
        let asked = Asked {
            method: &Method::GET,
            path,
            body: None,
            key: None,
        };
        let what = "trying the key in the other environment";
        let request = self.request(host, asked)?;
        match self.exchange(request, Effect::Read, what).await {
            Ok(answered) => Ok(answered),
            Err(Hitch::Crowded { fault, .. } | Hitch::Other(fault)) => Err(fault),
        }
    }

    /// Writes: sent once, and again only after a refusal for coming too soon, which certainly did nothing.
    pub(crate) async fn write(&self, asked: Asked<'_>, what: &str) -> Result<Bytes, Fault> {
        let base = &self.settings.base_url;
        Ok(self.call(base, asked, Effect::Write, what).await?.body)
    }

    async fn call(
        &self,
        base: &str,
        asked: Asked<'_>,
        effect: Effect,
        what: &str,
    ) -> Result<Answered, Fault> {
        let (mut crowded, mut repeats) = (0, 0);
        loop {
            let request = self.request(base, asked)?;
            match self.exchange(request, effect, what).await {
                Ok(answered) => return Ok(answered),
                Err(Hitch::Crowded { fault, .. }) if crowded >= CROWDED_REPEATS => {
                    return Err(fault);
                }
                Err(Hitch::Crowded { after, fault }) => {
                    match after {
                        Some(after) if after > WAIT_MAX => return Err(fault),
                        Some(after) => self.kit.timer.sleep(after).await,
                        None => self.back_off(crowded).await,
                    }
                    crowded += 1;
                }
                Err(Hitch::Other(fault)) => {
                    let passes = matches!(fault, Fault::Later { after: None, .. });
                    if effect == Effect::Write || !passes || repeats >= READ_REPEATS {
                        return Err(fault);
                    }
                    self.back_off(repeats).await;
                    repeats += 1;
                }
            }
        }
    }

    /// Waits between a half and the whole of 250 ms, doubled with each try.
    async fn back_off(&self, tries: u32) {
        let share = 0.5 + self.kit.entropy.fraction() / 2.0;
        let whole = Duration::from_millis(250 << tries.min(6));
        self.kit.timer.sleep(whole.mul_f64(share)).await;
    }

    fn request(&self, base: &str, asked: Asked<'_>) -> Result<http::Request<Bytes>, Fault> {
        let mut request = http::Request::builder()
            .method(asked.method)
            .uri(format!("{base}{}", asked.path))
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, self.authorization()?);
        if asked.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(key) = asked.key {
            request = request.header("Idempotency-Key", key.as_str());
        }
        let body = asked
            .body
            .map(|body| Bytes::from(body.to_owned()))
            .unwrap_or_default();
        request.body(body).map_err(|error| {
            drift(format!(
                "Invoiced: {} can't be asked for: {error}",
                asked.path
            ))
        })
    }

    /// The key as user name, with an empty password (RFC 7617).
    fn authorization(&self) -> Result<HeaderValue, Fault> {
        let pair = Zeroizing::new(format!("{}:", self.api_key.expose_secret()));
        let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            drift("Invoiced: its API key holds characters that can't be sent".to_owned())
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Sends one request within the limit and sorts its answer.
    async fn exchange(
        &self,
        request: http::Request<Bytes>,
        effect: Effect,
        what: &str,
    ) -> Result<Answered, Hitch> {
        let deletes = *request.method() == Method::DELETE;
        let permit = self.concurrency.enter(&self.kit).await;
        let deadline = match effect {
            Effect::Read => READ_DEADLINE,
            Effect::Write => WRITE_DEADLINE,
        };
        let answer = self.kit.transport.send(request, deadline);
        let answer = permit.during(&self.kit, answer).await;
        drop(permit);
        let answer = answer.map_err(|lost| Hitch::Other(lost_fault(lost, effect, what)))?;
        if answer.status().is_success() {
            self.concurrency.went_well();
            let (parts, body) = answer.into_parts();
            let body = whole_json(body, deletes, effect, what).map_err(Hitch::Other)?;
            return Ok(Answered {
                headers: parts.headers,
                body,
            });
        }
        let problem = Problem::read(answer.status().as_u16(), answer.body());
        if problem.too_many() {
            self.concurrency.too_many();
            let after = answer
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.trim().parse().ok())
                .map(Duration::from_secs);
            let fault = Fault::Later {
                code: Code::new("too-many-calls"),
                cause: format!("Invoiced: {what}: {}", problem.words()),
                after: Some(after.unwrap_or(WAIT_UNTOLD)),
            };
            return Err(Hitch::Crowded { fault, after });
        }
        Err(Hitch::Other(problem.fault(effect, what)))
    }
}

/// An answer that isn't as documented.
pub(crate) fn drift(cause: String) -> Fault {
    Fault::Drift {
        code: Code::new("drift"),
        cause,
    }
}

/// Whether the record asked for doesn't exist.
pub(crate) fn absent(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused { code, .. } if code.as_str() == "gone-there")
}

fn lost_fault(lost: Lost, effect: Effect, what: &str) -> Fault {
    let cause = format!("Invoiced: {what}: {lost}");
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

/// The body of a success, which must be whole JSON; only a deletion may be answered with nothing.
fn whole_json(body: Bytes, deletes: bool, effect: Effect, what: &str) -> Result<Bytes, Fault> {
    let Err(error) = serde_json::from_slice::<IgnoredAny>(&body) else {
        return Ok(body);
    };
    if body.iter().all(u8::is_ascii_whitespace) && deletes {
        return Ok(Bytes::new());
    }
    let said = shorten(&String::from_utf8_lossy(&body[..body.len().min(200)]));
    let cause = format!(
        "Invoiced: {what}: a success whose body is no whole JSON ({error}), beginning `{said}`"
    );
    Err(match effect {
        Effect::Read => Fault::Later {
            code: Code::new("not-json"),
            cause,
            after: None,
        },
        Effect::Write => Fault::Unknown { cause },
    })
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
        let cause = format!("Invoiced: {what}: the answer is not as documented: {error}");
        match effect {
            Effect::Read => drift(cause),
            Effect::Write => Fault::Unknown { cause },
        }
    })
}
