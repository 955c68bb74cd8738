//! Sending a call and saying what became of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::de::{DeserializeOwned, IgnoredAny};
use tieout_domain::code::Code;
use tieout_domain::{Fault, Fingerprint, Lost, Timestamp};
use tieout_kit::Kit;
use tieout_kit::governor::Concurrency;
use tieout_kit::pace::Pace;
use zeroize::Zeroizing;

use crate::problem::{Effect, Problem, shorten};
use crate::refunds::Refunds;
use crate::settings::{Keys, Settings};
use crate::token::{State, secret_header};

/// Calls at once. More would only wait for each other: the pace is what limits.
pub(crate) const IN_FLIGHT_MAX: usize = 4;
/// The space between two calls of one key: five a second, and a little more between sending and arriving (README §Limits).
const EVERY: Duration = Duration::from_millis(210);
const READ_DEADLINE: Duration = Duration::from_secs(60);
const WRITE_DEADLINE: Duration = Duration::from_secs(120);
const READ_REPEATS: u32 = 3;
/// How often a call that came too soon is made again.
const CROWDED_REPEATS: u32 = 6;
/// A longer wait is the engine's to plan.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// How long to stay away where it stays too much and the service doesn't say how long.
const WAIT_UNTOLD: Duration = Duration::from_secs(60);

/// One account.
pub(crate) struct Client {
    pub(crate) settings: Settings,
    pub(crate) keys: Keys,
    pub(crate) kit: Kit,
    pub(crate) token: tokio::sync::Mutex<State>,
    pub(crate) token_name: String,
    /// The refunds of this run.
    pub(crate) refunds: tokio::sync::Mutex<Refunds>,
    /// The turn to sign in with this key, on whatever node.
    pub(crate) signing_in: Arc<Concurrency>,
    concurrency: Arc<Concurrency>,
    pace: Arc<Pace>,
}

/// A request, without what every request has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    /// Path and query.
    pub(crate) path: &'a str,
    pub(crate) body: Sent<'a>,
}

/// What a request carries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sent<'a> {
    Nothing,
    Json(&'a str),
    /// A file, and what it is.
    File(&'a [u8], &'a str),
}

/// A success.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Whole JSON; empty where a change was answered with nothing.
    pub(crate) body: Bytes,
    /// The service's time, where it told it.
    pub(crate) at: Option<Timestamp>,
}

/// Why one request didn't succeed, by what this client does about it itself.
pub(crate) enum Hitch {
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
    pub(crate) fn new(settings: Settings, keys: Keys, kit: Kit) -> Self {
        let short = |parts: &[&str]| -> String {
            Fingerprint::of(parts).as_str().chars().take(16).collect()
        };
        // The limit is the key's, whatever its secret; a token of an old secret must not hide that a new one is wrong.
        let key = short(&[&settings.base_url, &keys.client_id]);
        let secret = keys.client_secret.expose_secret();
        let whole = short(&[&settings.base_url, &keys.client_id, secret]);
        Self {
            token: tokio::sync::Mutex::default(),
            token_name: format!("{whole}/token"),
            refunds: tokio::sync::Mutex::default(),
            concurrency: kit
                .governors
                .concurrency(&format!("{}/{key}", crate::settings::NAME), IN_FLIGHT_MAX),
            signing_in: kit
                .governors
                .concurrency(&format!("{}/{key}/signing-in", crate::settings::NAME), 1),
            pace: kit.governors.pace(&format!("{key}/calls"), EVERY),
            settings,
            keys,
            kit,
        }
    }

    /// Reads: repeated when a failure passes by itself.
    pub(crate) async fn get(&self, path: &str, what: &str) -> Result<Answered, Fault> {
        let asked = Asked {
            method: &Method::GET,
            path,
            body: Sent::Nothing,
        };
        self.call(asked, Effect::Read, what).await
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

    /// Writes: sent once, and again only after a refusal for coming too soon or for an ended token, which certainly did
    /// nothing.
    pub(crate) async fn write(&self, asked: Asked<'_>, what: &str) -> Result<Bytes, Fault> {
        Ok(self.call(asked, Effect::Write, what).await?.body)
    }

    /// Deletes.
    pub(crate) async fn delete(&self, path: &str, what: &str) -> Result<(), Fault> {
        let asked = Asked {
            method: &Method::DELETE,
            path,
            body: Sent::Nothing,
        };
        self.write(asked, what).await.map(|_| ())
    }

    async fn call(&self, asked: Asked<'_>, effect: Effect, what: &str) -> Result<Answered, Fault> {
        let (mut crowded, mut repeats) = (0, 0);
        let mut stale: Option<SecretString> = None;
        loop {
            let token = self.token(stale.as_ref()).await?;
            let request = self.request(asked, &token)?;
            match self.exchange(request, effect, what).await {
                Ok(answered) => return Ok(answered),
                Err(Hitch::Other(Fault::Denied { code, .. }))
                    if code == Code::new("api-key-refused") && stale.is_none() =>
                {
                    // The token ended, or was taken back: a new one shows which.
                    stale = Some(token);
                }
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

    /// Waits between a half and the whole of a second, doubled with each try.
    pub(crate) async fn back_off(&self, tries: u32) {
        let share = 0.5 + self.kit.entropy.fraction() / 2.0;
        let whole = Duration::from_secs(1 << tries.min(5));
        self.kit.timer.sleep(whole.mul_f64(share)).await;
    }

    fn request(
        &self,
        asked: Asked<'_>,
        token: &SecretString,
    ) -> Result<http::Request<Bytes>, Fault> {
        let bearer = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
        let (body, media) = match asked.body {
            Sent::Nothing => (Bytes::new(), None),
            Sent::Json(json) => (Bytes::from(json.to_owned()), Some("application/json")),
            Sent::File(bytes, media) => (Bytes::copy_from_slice(bytes), Some(media)),
        };
        let mut request = http::Request::builder()
            .method(asked.method)
            .uri(format!("{}{}", self.settings.base_url, asked.path))
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, secret_header(&bearer)?);
        if let Some(media) = media {
            request = request.header(CONTENT_TYPE, media);
        }
        request.body(body).map_err(|error| {
            drift(format!(
                "Alternative Payments: {} can't be asked for: {error}",
                asked.path
            ))
        })
    }

    /// Sends one request within the limits and sorts its answer.
    pub(crate) async fn exchange(
        &self,
        request: http::Request<Bytes>,
        effect: Effect,
        what: &str,
    ) -> Result<Answered, Hitch> {
        // What was deleted or put somewhere has nothing to show.
        let shows_nothing = matches!(*request.method(), Method::DELETE | Method::PUT);
        let permit = self.concurrency.enter(&self.kit).await;
        let deadline = match effect {
            Effect::Read => READ_DEADLINE,
            Effect::Write => WRITE_DEADLINE,
        };
        let answer = async {
            self.pace.turn(&self.kit).await;
            self.kit.transport.send(request, deadline).await
        };
        let answer = permit.during(&self.kit, answer).await;
        drop(permit);
        let answer = answer.map_err(|lost| Hitch::Other(lost_fault(lost, effect, what)))?;
        if answer.status().is_success() {
            self.concurrency.went_well();
            let at = date(answer.headers());
            let body = whole_json(answer.into_body(), shows_nothing, effect, what);
            return Ok(Answered {
                body: body.map_err(Hitch::Other)?,
                at,
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
                cause: format!("Alternative Payments: {what}: {}", problem.words()),
                after: Some(after.unwrap_or(WAIT_UNTOLD)),
            };
            return Err(Hitch::Crowded { fault, after });
        }
        Err(Hitch::Other(problem.fault(effect, what)))
    }
}

/// The service's time, as its answer tells it (RFC 9110 §6.6.1).
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp())
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

/// Whether the external id is another record's already.
pub(crate) fn taken(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused { code, .. } if code.as_str() == "number-taken")
}

fn lost_fault(lost: Lost, effect: Effect, what: &str) -> Fault {
    let cause = format!("Alternative Payments: {what}: {lost}");
    let later = |code| Fault::Later {
        code,
        cause: cause.clone(),
        after: None,
    };
    match (lost, effect) {
        (Lost::NeverLeft(_), _) => later(Code::new("unreachable")),
        (Lost::Unknown(_), Effect::Read) => later(Code::new("timeout")),
        (Lost::Unknown(_), Effect::Write) => Fault::Unknown { cause },
    }
}

/// The body of a success, which must be whole JSON; only some calls may be answered with nothing.
fn whole_json(
    body: Bytes,
    shows_nothing: bool,
    effect: Effect,
    what: &str,
) -> Result<Bytes, Fault> {
    let Err(error) = serde_json::from_slice::<IgnoredAny>(&body) else {
        return Ok(body);
    };
    if body.iter().all(u8::is_ascii_whitespace) && shows_nothing {
        return Ok(Bytes::new());
    }
    let said = shorten(&String::from_utf8_lossy(&body[..body.len().min(200)]));
    let cause = format!(
        "Alternative Payments: {what}: a success whose body is no whole JSON ({error}), beginning `{said}`"
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
        let cause =
            format!("Alternative Payments: {what}: the answer is not as documented: {error}");
        match effect {
            Effect::Read => drift(cause),
            Effect::Write => Fault::Unknown { cause },
        }
    })
}
