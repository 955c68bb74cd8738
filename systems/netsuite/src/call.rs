//! Sending one call: sign, take a place, send, judge, and try again where that is certainly safe.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use tieout_domain::code::Code;
use tieout_domain::{Fault, Lost, Timestamp};
use tieout_kit::governor::Concurrency;
use tieout_kit::refusals::Refusals;
use tieout_kit::{ConnectError, Credential, Kit};
use url::Url;

use crate::auth::{Auth, Authorization};
use crate::deleted::Deletions;
use crate::examine::Evidence;
use crate::probe::ProfileCell;
use crate::problem::{Aim, Verdict, judge};
use crate::settings::{RESTLETS, Settings};

/// A read may take this long; the service itself cuts a request at fifteen minutes.
const READ_SECONDS: u64 = 180;
/// After this long a write counts as unanswered.
const WRITE_SECONDS: u64 = 120;
/// How often a call that was refused for concurrency is sent again.
const CROWDED_MAX: u32 = 6;
/// How often a read is sent in all.
const READS_MAX: u32 = 4;
/// A sign-in refused after this long in the service's queue was overload, not a wrong credential.
const QUEUED_SECONDS: i64 = 45;
/// For so long after a sign-in was refused for good nothing more is sent: refusals lock tokens.
const DENIED_SECONDS: i64 = 10;
/// A clock is corrected only when it is off by more than signatures bear with ease.
const SKEW_SECONDS: i64 = 30;

/// What both the calls and the sign-ins need to send.
pub(crate) struct Wire {
    pub(crate) kit: Kit,
    pub(crate) gate: Arc<Concurrency>,
    /// The turn to fetch a token for this account, on whatever node.
    pub(crate) signing_in: Arc<Concurrency>,
    /// What is added to our clock in signatures: nothing, until a refusal shows that it is off.
    offset: AtomicI64,
    /// The service's clock minus ours, as the last answer's `Date` told.
    seen: AtomicI64,
}

impl Wire {
    pub(crate) fn nonce(&self) -> String {
        self.kit.entropy.hex(16)
    }

    /// The time to put into signatures, in seconds since 1970.
    pub(crate) fn signing_time(&self) -> i64 {
        self.kit.timer.now().as_second() + self.clock_offset()
    }

    pub(crate) fn clock_offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// Remembers what the service's clock says.
    pub(crate) fn note_date(&self, headers: &HeaderMap) {
        let date = headers
            .get(http::header::DATE)
            .and_then(|value| value.to_str().ok());
        let Some(date) = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok()) else {
            return;
        };
        let seen = date.timestamp().as_second() - self.kit.timer.now().as_second();
        self.seen.store(seen, Ordering::Relaxed);
    }

    /// Goes by the service's clock from now on, if ours is off and that wasn't yet taken into account.
    /// Says whether anything changed (scenario 221).
    pub(crate) fn set_clock_right(&self, used: i64) -> bool {
        let seen = self.seen.load(Ordering::Relaxed);
        if (seen - used).abs() <= SKEW_SECONDS {
            return false;
        }
        tracing::warn!(
            seconds = seen,
            "this machine's clock differs from NetSuite's; signing by theirs"
        );
        self.offset.store(seen, Ordering::Relaxed);
        true
    }

    /// Waits before the next try: longer each time, and never in step with others.
    pub(crate) async fn pause(&self, tries: u32) {
        let base = 0.5 * f64::from(2_u32.pow(tries.saturating_sub(1).min(5)));
        let seconds = base * (0.5 + self.kit.entropy.fraction());
        self.kit.timer.sleep(Duration::from_secs_f64(seconds)).await;
    }
}

/// One call, without its signature.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
    pub(crate) aim: Aim,
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A connection to one account.
pub(crate) struct Client {
    pub(crate) settings: Settings,
    pub(crate) wire: Wire,
    pub(crate) auth: Auth,
    pub(crate) profile: ProfileCell,
    pub(crate) deletions: Deletions,
    pub(crate) refusals: Refusals,
    pub(crate) evidence: Mutex<Evidence>,
    /// Somebody waits for the answer: a call is repeated once at most.
    pub(crate) hasty: AtomicBool,
    denied: Mutex<Option<(Timestamp, Fault)>>,
}

/// How one attempt ended.
enum Sent {
    Reply(Reply),
    Again(Wait),
    Fault(Fault),
}

enum Wait {
    Crowded(Fault, Option<Duration>),
    Passing(Fault),
    SignedAnew,
}

impl Client {
    pub(crate) fn new(
        settings: Settings,
        credential: &Credential,
        kit: Kit,
    ) -> Result<Self, ConnectError> {
        let auth = Auth::new(credential, &settings)?;
        let name = format!("netsuite/{}", settings.account.as_str());
        let gate = kit.governors.concurrency(&name, settings.concurrency);
        let signing_in = kit.governors.concurrency(&format!("{name}/signing-in"), 1);
        let fingerprint =
            crate::auth::fingerprint(secrecy::ExposeSecret::expose_secret(&credential.fields));
        let profile = ProfileCell::new(&settings, &fingerprint);
        let wire = Wire {
            kit,
            gate,
            signing_in,
            offset: AtomicI64::new(0),
            seen: AtomicI64::new(0),
        };
        let deletions = Deletions::default();
        let refusals = Refusals::new(format!(
            "netsuite/{}/refusals/{fingerprint}",
            settings.account.as_str()
        ));
        let evidence = Mutex::new(Evidence::of(credential));
        Ok(Self {
            settings,
            wire,
            auth,
            profile,
            deletions,
            refusals,
            evidence,
            hasty: AtomicBool::new(false),
            denied: Mutex::new(None),
        })
    }

    /// Sends a call and tries again while that is certainly safe: reads a few times, writes only when they
    /// were refused before being looked at.
    pub(crate) async fn send(&self, call: &Call) -> Result<Reply, Fault> {
        if let Some(fault) = self.still_denied() {
            return Err(fault);
        }
        let url = self.address(call)?;
        let (mut crowded, mut reads, mut signed_anew) = (0, 1, false);
        loop {
            match self.attempt(call, &url, signed_anew).await {
                Sent::Reply(reply) => return Ok(reply),
                Sent::Fault(fault) => {
                    if matches!(&fault, Fault::Denied { code, .. } if *code == Code::new("invalid-login"))
                    {
                        self.remember_denied(&fault);
                        self.refusals.note(&self.wire.kit).await;
                    }
                    return Err(fault);
                }
                Sent::Again(Wait::SignedAnew) => signed_anew = true,
                Sent::Again(Wait::Crowded(fault, after)) => {
                    crowded += 1;
                    let too_long = after.is_some_and(|after| after > Duration::from_secs(30));
                    if crowded > self.at_most(CROWDED_MAX) || too_long {
                        return Err(fault);
                    }
                    match after {
                        Some(after) => self.wire.kit.timer.sleep(after).await,
                        None => self.wire.pause(crowded + 1).await,
                    }
                }
                Sent::Again(Wait::Passing(fault)) => {
                    if call.aim == Aim::Write || reads > self.at_most(READS_MAX - 1) {
                        return Err(fault);
                    }
                    self.wire.pause(reads).await;
                    reads += 1;
                }
            }
        }
    }

    async fn attempt(&self, call: &Call, url: &Url, signed_anew: bool) -> Sent {
        // A token is fetched before a place is taken (fetching needs one, too); a signature is made after,
        // because it is good for five minutes only and the wait may be long.
        let early = match &self.auth {
            Auth::ClientCredentials(_) => {
                match self.auth.authorize(&self.wire, &call.method, url).await {
                    Ok(authorization) => Some(authorization),
                    Err(fault) => return Sent::Fault(fault),
                }
            }
            Auth::TokenBased(_) => None,
        };
        let permit = self.wire.gate.enter(&self.wire.kit).await;
        let authorization = match early {
            Some(authorization) => authorization,
            None => match self.auth.authorize(&self.wire, &call.method, url).await {
                Ok(authorization) => authorization,
                Err(fault) => return Sent::Fault(fault),
            },
        };
        let Some(request) = build(call, url, &authorization) else {
            return Sent::Fault(Fault::Drift {
                code: Code::new("drift"),
                cause: format!("no request can be made for {}", call.path),
            });
        };
        let begun = self.wire.kit.timer.now();
        let deadline = Duration::from_secs(match call.aim {
            Aim::Read => READ_SECONDS,
            Aim::Write => WRITE_SECONDS,
        });
        let sent = self.wire.kit.transport.send(request, deadline);
        let sent = permit.during(&self.wire.kit, sent).await;
        drop(permit);
        let seconds = self.wire.kit.timer.now().as_second() - begun.as_second();
        let answer = match sent {
            Ok(answer) => answer,
            Err(lost) => return lost_call(call.aim, lost),
        };
        self.wire.note_date(answer.headers());
        let (parts, body) = answer.into_parts();
        log_operation(call, parts.status, &parts.headers);
        match judge(call.aim, parts.status, &parts.headers, &body) {
            Verdict::Fine => {
                self.wire.gate.went_well();
                Sent::Reply(Reply {
                    headers: parts.headers,
                    body,
                })
            }
            Verdict::Crowded { words, after } => {
                self.wire.gate.too_many();
                Sent::Again(Wait::Crowded(crowded(&words, after), after))
            }
            Verdict::Unauthorized(words) => {
                self.unauthorized(&authorization, &words, seconds, signed_anew)
                    .await
            }
            Verdict::Passing(fault) => Sent::Again(Wait::Passing(fault)),
            Verdict::Final(fault) => Sent::Fault(fault),
        }
    }

    /// A 401 was certainly not carried out, so that even a write may be sent again, once.
    async fn unauthorized(
        &self,
        authorization: &Authorization,
        words: &str,
        seconds: i64,
        signed_anew: bool,
    ) -> Sent {
        if seconds >= QUEUED_SECONDS {
            self.wire.gate.too_many();
            let words =
                format!("the sign-in was refused after {seconds} seconds in a queue: {words}");
            return Sent::Fault(crowded(&words, None));
        }
        if !signed_anew && self.auth.refused(&self.wire, authorization).await {
            return Sent::Again(Wait::SignedAnew);
        }
        Sent::Fault(self.auth.denied(authorization, words))
    }

    /// How often a call is repeated.
    fn at_most(&self, repeats: u32) -> u32 {
        if self.hasty.load(Ordering::Relaxed) {
            repeats.min(1)
        } else {
            repeats
        }
    }

    fn address(&self, call: &Call) -> Result<Url, Fault> {
        let host = if call.path.starts_with("/rest/") || call.path == RESTLETS {
            self.settings.token_services()
        } else {
            self.settings.services()
        };
        let address = format!("{host}{}", call.path);
        let mut url = Url::parse(&address).map_err(|error| Fault::Drift {
            code: Code::new("drift"),
            cause: format!("{} is no address: {error}", call.path),
        })?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Ok(url)
    }

    fn still_denied(&self) -> Option<Fault> {
        let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, fault) = denied.as_ref()?;
        let age = self.wire.kit.timer.now().as_second() - since.as_second();
        (age < DENIED_SECONDS).then(|| fault.clone())
    }

    fn remember_denied(&self, fault: &Fault) {
        let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        *denied = Some((self.wire.kit.timer.now(), fault.clone()));
    }
}

fn crowded(words: &str, after: Option<Duration>) -> Fault {
    Fault::Later {
        code: Code::new("concurrency-limit"),
        cause: format!("NetSuite has too many calls under way: {words}"),
        after: after.or(Some(Duration::from_secs(30))),
    }
}

fn lost_call(aim: Aim, lost: Lost) -> Sent {
    match (aim, lost) {
        (_, Lost::NeverLeft(cause)) => Sent::Again(Wait::Passing(Fault::Later {
            code: Code::new("unreachable"),
            cause: format!("NetSuite can't be reached: {cause}"),
            after: None,
        })),
        (Aim::Read, Lost::Unknown(cause)) => Sent::Again(Wait::Passing(Fault::Later {
            code: Code::new("timeout"),
            cause: format!("no answer came: {cause}"),
            after: None,
        })),
        (Aim::Write, Lost::Unknown(cause)) => Sent::Fault(Fault::Unknown {
            cause: format!("the write was sent and no answer came: {cause}"),
        }),
    }
}

fn build(call: &Call, url: &Url, authorization: &Authorization) -> Option<http::Request<Bytes>> {
    let mut request = http::Request::builder()
        .method(call.method.clone())
        .uri(url.as_str())
        .header(http::header::AUTHORIZATION, authorization.header.clone())
        .header(http::header::ACCEPT, "application/json");
    // A script answers in the type that it is asked in, also where nothing is sent.
    if call.body.is_some() || call.path == RESTLETS {
        request = request.header(http::header::CONTENT_TYPE, "application/json");
    }
    request = match call.aim {
        // Without it a query is refused.
        Aim::Read if call.body.is_some() => request.header("Prefer", "transient"),
        // By default a misspelt field is dropped in silence (scenario 252).
        Aim::Write => request
            .header("X-NetSuite-PropertyNameValidation", "Error")
            .header("X-NetSuite-PropertyValueValidation", "Error"),
        Aim::Read => request,
    };
    request
        .body(call.body.clone().map(Bytes::from).unwrap_or_default())
        .ok()
}

/// NetSuite's support asks for these two.
fn log_operation(call: &Call, status: StatusCode, headers: &HeaderMap) {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    };
    tracing::debug!(
        method = %call.method,
        path = %call.path,
        status = status.as_u16(),
        operation = header("x-n-operationid"),
        job = header("x-netsuite-jobid"),
        "netsuite"
    );
}
