//! Signing in: one session for everything that uses the same organization and user, kept sealed from run
//! to run, renewed by one caller while the others wait (README §Sessions).

use std::time::Duration;

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::{Fault, Timestamp};
use tieout_kit::governor::Paused;
use zeroize::Zeroizing;

use crate::call::{Client, Failed, Hitch};
use crate::problem::Effect;

/// How long a session of a person lives without use.
const PERSON: Duration = Duration::from_secs(35 * 60);
/// How long a session of a sync token lives without use.
const SYNC_TOKEN: Duration = Duration::from_secs(48 * 3600);
/// How long a refused sign-in is remembered, so that waiting callers don't lock the user by trying again.
const DENIAL: Duration = Duration::from_secs(60);

/// Longer than a sign-in's body.
const BODY_BYTES: usize = 4096;

/// What is known about the session.
#[derive(Debug, Default)]
pub(crate) struct State {
    current: Option<Current>,
    denied: Option<(Fault, Timestamp)>,
}

#[derive(Debug)]
struct Current {
    id: SecretString,
    /// When its kept copy was last given its full life.
    touched: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoginBody<'a> {
    username: &'a str,
    password: &'a str,
    organization_id: &'a str,
    dev_key: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginAnswer {
    session_id: String,
}

impl Client {
    /// A session that works, as far as is known. `stale` is one that was just refused.
    pub(crate) async fn session(
        &self,
        stale: Option<&SecretString>,
    ) -> Result<SecretString, Failed> {
        let life = if self.login.sync_token() {
            SYNC_TOKEN
        } else {
            PERSON
        };
        let mut state = self.session.lock().await;
        let now = self.kit.timer.now();
        if let Some(stale) = stale
            && state
                .current
                .as_ref()
                .is_some_and(|current| same(&current.id, stale))
        {
            state.current = None;
        }
        if state.current.is_none() {
            // Another connection of the same user may have signed in meanwhile.
            let kept = self.kept_session(now).await;
            state.current = kept.filter(|kept| stale.is_none_or(|stale| !same(&kept.id, stale)));
        }
        if let Some(current) = &mut state.current {
            let unused = since(current.touched, now);
            if unused < life {
                // The life slides with use; telling the store each time would cost more than it gives.
                if unused > life / 7 {
                    current.touched = now;
                    self.keep_session(&current.id, now, life).await;
                }
                return Ok(current.id.clone());
            }
        }
        if let Some((fault, at)) = &state.denied
            && since(*at, now) < DENIAL
        {
            return Err(fault.clone().into());
        }
        // One after the other for a key: a hundred connections that start at once don't sign in at once,
        // and those of one user find the session that the first of them made. So do those on other nodes.
        let turn = self.signing_in.enter(&self.kit).await;
        let signed_in = turn
            .during(&self.kit, self.sign_in(&mut state, stale, life))
            .await;
        turn.end().await;
        signed_in
    }

    /// Whoever has the turn: takes the session that somebody else has made meanwhile, or signs in.
    async fn sign_in(
        &self,
        state: &mut State,
        stale: Option<&SecretString>,
        life: Duration,
    ) -> Result<SecretString, Failed> {
        let now = self.kit.timer.now();
        if let Some(kept) = self.kept_session(now).await
            && stale.is_none_or(|stale| !same(&kept.id, stale))
        {
            let id = kept.id.clone();
            state.current = Some(kept);
            return Ok(id);
        }
        match self.log_in().await {
            Ok(id) => {
                self.keep_session(&id, now, life).await;
                self.refusals.forget(&self.kit).await;
                state.denied = None;
                state.current = Some(Current {
                    id: id.clone(),
                    touched: now,
                });
                Ok(id)
            }
            Err(failed) => {
                if matches!(failed.fault, Fault::Denied { .. }) {
                    state.denied = Some((failed.fault.clone(), now));
                    self.refusals.note(&self.kit).await;
                }
                Err(failed)
            }
        }
    }

    async fn kept_session(&self, now: Timestamp) -> Option<Current> {
        match self.kit.kept.get(&self.session_name).await {
            Ok(id) => id.map(|id| Current { id, touched: now }),
            Err(error) => {
                tracing::warn!(%error, "the kept BILL session can't be read; signing in anew");
                None
            }
        }
    }

    async fn keep_session(&self, id: &SecretString, now: Timestamp, life: Duration) {
        // A little less than its life, so that a kept session is worth trying.
        let expires = now.checked_add(life * 9 / 10).unwrap_or(now);
        if let Err(error) = self.kit.kept.put(&self.session_name, id, expires).await {
            tracing::warn!(%error, "the BILL session can't be kept; the next run signs in anew");
        }
    }

    /// Takes one of the hour's sign-ins of the developer key, which all processes share: one that crashes
    /// and starts again without end must not use up what the others need.
    async fn take_login(&self) -> Result<(), Failed> {
        let now = self.kit.timer.now();
        self.logins
            .take(now)
            .map_err(|paused| used_up(now, paused))?;
        let taken = self
            .kit
            .kept
            .take(&self.logins_name, now, self.logins.per_hour())
            .await;
        match taken {
            Ok(true) => Ok(()),
            Ok(false) => Err(used_up(now, self.logins.pause_until_next_hour(now))),
            Err(error) => {
                tracing::warn!(%error, "BILL sign-ins can't be counted in the store; counting here alone");
                Ok(())
            }
        }
    }

    /// Signs in. A sign-in changes nothing at BILL, so an unanswered one is simply tried again.
    async fn log_in(&self) -> Result<SecretString, Failed> {
        // Room for all of it from the start: growing would leave copies behind that nobody wipes.
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_BYTES));
        let login = LoginBody {
            username: &self.login.username,
            password: self.login.password.expose_secret(),
            organization_id: &self.settings.organization,
            dev_key: self.login.dev_key.expose_secret(),
        };
        serde_json::to_writer(&mut *body, &login).map_err(|error| {
            Failed::drift(format!("BILL: the sign-in can't be written: {error}"))
        })?;
        let body = std::str::from_utf8(&body).unwrap_or_default();
        let what = "signing in";
        let mut tries = 0;
        loop {
            self.take_login().await?;
            let request = self.request(&Method::POST, "/v3/login", Some(body), None)?;
            let hitch = match self.exchange(request, Effect::Read, what).await {
                Ok(bytes) => {
                    let answer: LoginAnswer = crate::call::parse(&bytes, Effect::Read, what)?;
                    return Ok(answer.session_id.into());
                }
                Err(hitch) => hitch,
            };
            match hitch {
                Hitch::Session(problem) => {
                    let fault = Fault::Denied {
                        code: Code::new("invalid-login"),
                        cause: format!("BILL: {what}: {}", problem.words()),
                    };
                    return Err(Failed::answered(fault, problem));
                }
                // Whatever it is refused for, it is no word about the record that was to be written.
                Hitch::Other(Failed {
                    fault: Fault::Refused { cause, .. },
                    problem,
                }) => {
                    let code = Code::new("invalid-login");
                    let fault = Fault::Denied { code, cause };
                    return Err(Failed { fault, problem });
                }
                Hitch::Other(failed) if !crate::call::transient(&failed.fault) || tries >= 3 => {
                    return Err(failed);
                }
                Hitch::Crowded { failed, .. } if tries >= 3 => return Err(failed),
                Hitch::Crowded { .. } | Hitch::Other(_) => {
                    self.back_off(tries).await;
                    tries += 1;
                }
            }
        }
    }
}

fn used_up(now: Timestamp, paused: Paused) -> Failed {
    let turns = now.checked_add(paused.after).unwrap_or(now);
    Fault::Later {
        code: Code::new("hourly-limit"),
        cause: format!(
            "BILL: the developer key's sign-ins of this hour are used up; there are new ones from {} UTC",
            turns.strftime("%H:%M")
        ),
        after: Some(paused.after),
    }
    .into()
}

fn same(a: &SecretString, b: &SecretString) -> bool {
    a.expose_secret() == b.expose_secret()
}

fn since(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
