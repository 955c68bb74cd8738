//! Faults on demand: which calls go wrong, and how.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::calls::{route, without_base};
use super::clock::parse_duration;

/// How long a delayed webhook waits when the rule doesn't say.
const WEBHOOK_DELAY: Duration = Duration::from_secs(60);

/// A rule that makes calls go wrong. As JSON it is the body of `POST /control/faults`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct FaultRule {
    /// The service it concerns: `netsuite`, `bill`, …
    pub service: String,
    /// The HTTP method; every one if `None`. Webhook effects ignore it.
    pub method: Option<String>,
    /// A path, with or without the service's base prefix: it and everything below it, or, if it ends in
    /// `*`, everything that starts so. `{id}` stands for any identifier. Every path if `None`.
    pub path: Option<String>,
    /// The share of matching calls it strikes, from 0 to 1.
    pub share: f64,
    /// How many times it strikes before it is spent; without end if `None`.
    pub times: Option<u32>,
    /// What it does.
    pub effect: Effect,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The connection is closed without an answer, and nothing was done.
    DropBeforeCommit,
    /// The call is carried out; then the connection is closed without an answer.
    DropAfterCommit,
    /// Nothing is done; this status and body are the answer.
    Status {
        /// The status.
        status: u16,
        /// The body: a text is sent as it is, anything else as JSON. None is sent if `None`.
        body: Option<Value>,
    },
    /// The call is carried out this much later.
    Latency(Duration),
    /// The call is carried out; half of the answer's body arrives, then the connection is closed.
    Truncate,
    /// Nothing is done; an HTML page with this status is the answer.
    Html(u16),
    /// The session or token that the call carries is expired before it is looked at.
    ExpireSession,
    /// A webhook.
    Webhook(WebhookEffect),
}

/// What happens to a webhook on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookEffect {
    /// It is sent twice.
    Duplicate,
    /// It is sent this much later.
    Delay(Duration),
    /// It is sent after the one that follows it.
    Reorder,
    /// It is not sent.
    Lose,
}

/// The names of all effects, as the panel takes them.
const EFFECTS: &str = "drop-before-commit, drop-after-commit, status, latency, truncate, html, \
                       expire-session, webhook-duplicate, webhook-delay, webhook-reorder, webhook-lose";

impl Effect {
    /// Its name on the panel.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::DropBeforeCommit => "drop-before-commit",
            Self::DropAfterCommit => "drop-after-commit",
            Self::Status { .. } => "status",
            Self::Latency(_) => "latency",
            Self::Truncate => "truncate",
            Self::Html(_) => "html",
            Self::ExpireSession => "expire-session",
            Self::Webhook(WebhookEffect::Duplicate) => "webhook-duplicate",
            Self::Webhook(WebhookEffect::Delay(_)) => "webhook-delay",
            Self::Webhook(WebhookEffect::Reorder) => "webhook-reorder",
            Self::Webhook(WebhookEffect::Lose) => "webhook-lose",
        }
    }
}

impl FaultRule {
    /// A rule for every call of a service.
    #[must_use]
    pub fn new(service: impl Into<String>, effect: Effect) -> Self {
        Self {
            service: service.into(),
            method: None,
            path: None,
            share: 1.0,
            times: None,
            effect,
        }
    }

    /// Only calls with this method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only calls to this path and below it.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Only this share of the calls.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn concerns(&self, service: &str, method: &str, path: &str) -> bool {
        self.service == service
            && self
                .method
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|wanted| covers(wanted, path))
    }
}

fn covers(wanted: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path);
    [path, without_base(path), &route(path)]
        .into_iter()
        .any(|path| {
            if let Some(start) = wanted.strip_suffix('*') {
                return path.starts_with(start);
            }
            let wanted = wanted.trim_end_matches('/');
            path.strip_prefix(wanted)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

/// The JSON of a [`FaultRule`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    service: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default = "whole")]
    share: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    effect: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency: Option<String>,
}

fn whole() -> f64 {
    1.0
}

impl TryFrom<Written> for FaultRule {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        if !(0.0..=1.0).contains(&written.share) {
            return Err(format!(
                "`share` is {}; it is a number from 0 to 1",
                written.share
            ));
        }
        if let Some(path) = written
            .path
            .as_deref()
            .filter(|path| !path.starts_with('/'))
        {
            return Err(format!(
                "`path` is `{path}`; it starts with a slash, like /v3/bills"
            ));
        }
        let effect = effect_of(&written)?;
        let Written {
            service,
            method,
            path,
            share,
            times,
            ..
        } = written;
        Ok(Self {
            service,
            method,
            path,
            share,
            times,
            effect,
        })
    }
}

fn effect_of(written: &Written) -> Result<Effect, String> {
    let name = written.effect.as_str();
    let latency = match &written.latency {
        None => None,
        Some(text) => {
            let parsed = parse_duration(text).map_err(|error| format!("`latency`: {error}"))?;
            let positive = Duration::try_from(parsed);
            Some(positive.map_err(|_| format!("`latency` is `{text}`; it can't be negative"))?)
        }
    };
    for (field, given, users) in [
        ("status", written.status.is_some(), &["status", "html"][..]),
        ("body", written.body.is_some(), &["status"][..]),
        (
            "latency",
            latency.is_some(),
            &["latency", "webhook-delay"][..],
        ),
    ] {
        if given && !users.contains(&name) {
            return Err(format!(
                "`{field}` goes with the effect {} only",
                users.join(" or ")
            ));
        }
    }
    Ok(match name {
        "drop-before-commit" => Effect::DropBeforeCommit,
        "drop-after-commit" => Effect::DropAfterCommit,
        "status" => {
            let status = written
                .status
                .ok_or("the effect status needs `status`, for example 503")?;
            Effect::Status {
                status: checked(status)?,
                body: written.body.clone(),
            }
        }
        "latency" => {
            let needed = "the effect latency needs `latency`, for example \"120ms\"";
            Effect::Latency(latency.ok_or(needed)?)
        }
        "truncate" => Effect::Truncate,
        "html" => Effect::Html(checked(written.status.unwrap_or(502))?),
        "expire-session" => Effect::ExpireSession,
        "webhook-duplicate" => Effect::Webhook(WebhookEffect::Duplicate),
        "webhook-delay" => Effect::Webhook(WebhookEffect::Delay(latency.unwrap_or(WEBHOOK_DELAY))),
        "webhook-reorder" => Effect::Webhook(WebhookEffect::Reorder),
        "webhook-lose" => Effect::Webhook(WebhookEffect::Lose),
        other => return Err(format!("`effect` is `{other}`; it is one of {EFFECTS}")),
    })
}

fn checked(status: u16) -> Result<u16, String> {
    // Below 200 an answer is only an announcement, and clients go on waiting.
    StatusCode::from_u16(status)
        .ok()
        .filter(|_| (200..600).contains(&status))
        .map(|_| status)
        .ok_or_else(|| format!("`status` is {status}; it is a number from 200 to 599"))
}

impl From<FaultRule> for Written {
    fn from(rule: FaultRule) -> Self {
        let mut written = Self {
            effect: rule.effect.name().to_owned(),
            ..Self::default()
        };
        match rule.effect {
            Effect::Status { status, body } => {
                written.status = Some(status);
                written.body = body;
            }
            Effect::Html(status) => written.status = Some(status),
            Effect::Latency(latency) | Effect::Webhook(WebhookEffect::Delay(latency)) => {
                written.latency = Some(format!("{}ms", latency.as_millis()));
            }
            _ => {}
        }
        Self {
            service: rule.service,
            method: rule.method,
            path: rule.path,
            share: rule.share,
            times: rule.times,
            ..written
        }
    }
}

/// The rules in force. Which calls a share strikes is decided by a seed: the same calls in the same order
/// meet the same faults.
#[derive(Debug)]
pub struct Faults {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    dice: StdRng,
    rules: Vec<Standing>,
}

/// A rule in force, and how often it has struck.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// The rule as it was given.
    #[serde(flatten)]
    pub rule: FaultRule,
    /// How often it has struck.
    pub struck: u32,
}

/// What befalls one call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Injection {
    /// Wait so long first.
    pub latency: Duration,
    /// Expire the session of the call before it is looked at.
    pub expire_session: bool,
    /// How the call ends, if not of itself: never [`Effect::Latency`], [`Effect::ExpireSession`] or a
    /// webhook's.
    pub end: Option<Effect>,
}

impl Faults {
    /// No rules. The seed decides which calls a share strikes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let dice = StdRng::seed_from_u64(seed);
        Self {
            state: Mutex::new(State {
                dice,
                rules: Vec::new(),
            }),
        }
    }

    /// Adds a rule.
    pub fn add(&self, rule: FaultRule) {
        self.lock().rules.push(Standing { rule, struck: 0 });
    }

    /// Ends all rules.
    pub fn clear(&self) {
        self.lock().rules.clear();
    }

    /// The rules, in the order in which they were added; spent ones too.
    #[must_use]
    pub fn list(&self) -> Vec<Standing> {
        self.lock().rules.clone()
    }

    /// Decides what befalls a call. Rules are asked in the order in which they were added, up to the
    /// first that ends the call; delays before it add up.
    #[must_use]
    pub fn inject(&self, service: &str, method: &str, path: &str) -> Injection {
        let mut injection = Injection::default();
        let State { dice, rules } = &mut *self.lock();
        for standing in rules {
            let rule = &standing.rule;
            if matches!(rule.effect, Effect::Webhook(_)) || !rule.concerns(service, method, path) {
                continue;
            }
            if !standing.strikes(dice) {
                continue;
            }
            match &standing.rule.effect {
                Effect::Latency(latency) => {
                    injection.latency = injection.latency.saturating_add(*latency);
                }
                Effect::ExpireSession => injection.expire_session = true,
                end => {
                    injection.end = Some(end.clone());
                    break;
                }
            }
        }
        injection
    }

    /// Decides what befalls the next webhook of a service. `None`: it is sent as it should be.
    #[must_use]
    pub fn webhook_effect(&self, service: &str) -> Option<WebhookEffect> {
        let State { dice, rules } = &mut *self.lock();
        rules
            .iter_mut()
            .find_map(|standing| match standing.rule.effect {
                Effect::Webhook(effect) if standing.rule.service == service => {
                    standing.strikes(dice).then_some(effect)
                }
                _ => None,
            })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    fn strikes(&mut self, dice: &mut StdRng) -> bool {
        let spent = self.rule.times.is_some_and(|times| self.struck >= times);
        let struck = !spent && dice.random::<f64>() < self.rule.share;
        self.struck += u32::from(struck);
        struck
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(value: Value) -> Result<FaultRule, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn every_effect_of_the_panel_is_read_and_written() {
        for (effect, more) in [
            ("drop-before-commit", json!({})),
            (
                "drop-after-commit",
                json!({"method": "POST", "path": "/v3/bills", "times": 5}),
            ),
            ("status", json!({"status": 503, "body": {"error": "down"}})),
            ("latency", json!({"latency": "120ms"})),
            ("truncate", json!({})),
            ("html", json!({"status": 503})),
            ("expire-session", json!({})),
            ("webhook-duplicate", json!({})),
            ("webhook-delay", json!({"latency": "5000ms"})),
            ("webhook-reorder", json!({})),
            ("webhook-lose", json!({})),
        ] {
            let mut value = json!({"service": "bill", "share": 0.1, "effect": effect});
            for (key, field) in more.as_object().unwrap() {
                value[key] = field.clone();
            }
            let read = rule(value.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), value);
        }
        let short = rule(json!({"service": "bill", "effect": "html"})).unwrap();
        assert_eq!(
            (short.share, short.times, short.effect),
            (1.0, None, Effect::Html(502))
        );
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_named() {
        for (value, place) in [
            (json!({"effect": "html"}), "service"),
            (json!({"service": "bill"}), "effect"),
            (
                json!({"service": "bill", "effect": "explode"}),
                "drop-after-commit",
            ),
            (
                json!({"service": "bill", "effect": "html", "share": 1.5}),
                "share",
            ),
            (
                json!({"service": "bill", "effect": "html", "shares": 1}),
                "shares",
            ),
            (
                json!({"service": "bill", "effect": "html", "path": "v3"}),
                "path",
            ),
            (json!({"service": "bill", "effect": "status"}), "status"),
            (
                json!({"service": "bill", "effect": "status", "status": 99}),
                "status",
            ),
            (json!({"service": "bill", "effect": "latency"}), "latency"),
            (
                json!({"service": "bill", "effect": "latency", "latency": "soon"}),
                "latency",
            ),
            (
                json!({"service": "bill", "effect": "latency", "latency": "-1s"}),
                "latency",
            ),
            (
                json!({"service": "bill", "effect": "truncate", "status": 500}),
                "status",
            ),
        ] {
            let error = rule(value.clone()).unwrap_err();
            assert!(error.contains(place), "{value}: {error}");
        }
    }

    #[test]
    fn a_rule_concerns_its_service_method_and_path_alone() {
        let rule = FaultRule::new("bill", Effect::Truncate)
            .method("post")
            .path("/v3/bills");
        for (service, method, path, concerned) in [
            ("bill", "POST", "/connect/v3/bills", true),
            ("bill", "POST", "/v3/bills", true),
            ("bill", "POST", "/connect/v3/bills/bulk", true),
            ("bill", "POST", "/connect/v3/bills?max=1", true),
            ("bill", "POST", "/connect/v3/bills-other", false),
            ("bill", "GET", "/connect/v3/bills", false),
            ("netsuite", "POST", "/v3/bills", false),
        ] {
            assert_eq!(
                rule.concerns(service, method, path),
                concerned,
                "{method} {path}"
            );
        }
        assert!(covers("/connect/v3/bills", "/connect/v3/bills/bulk"));
        assert!(covers(
            "/v3/bills/{id}/credits",
            "/connect/v3/bills/00n01ABCDEFGHIJKLMNO/credits"
        ));
        assert!(covers("/v3/bill*", "/connect/v3/bills"));
        assert!(covers("/", "/connect/v3/bills"));
    }

    #[test]
    fn a_rule_is_spent_after_its_times() {
        let faults = Faults::new(1);
        faults.add(FaultRule::new("bill", Effect::DropAfterCommit).times(2));
        let ends: Vec<_> = (0..4)
            .map(|_| faults.inject("bill", "POST", "/v3/bills").end)
            .collect();
        assert_eq!(ends.iter().flatten().count(), 2);
        assert_eq!(ends[2], None);
        assert_eq!(faults.list()[0].struck, 2);
        faults.clear();
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_share_is_struck_the_same_way_under_the_same_seed() {
        let run = |seed| {
            let faults = Faults::new(seed);
            faults.add(FaultRule::new("bill", Effect::Truncate).share(0.1));
            let struck = |_| faults.inject("bill", "GET", "/v3/bills").end.is_some();
            (0..1000).map(struck).collect::<Vec<bool>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let struck = run(7).iter().filter(|struck| **struck).count();
        assert!((50..200).contains(&struck), "{struck}");
    }

    #[test]
    fn delays_and_expiry_go_along_with_the_end_of_a_call() {
        let faults = Faults::new(1);
        faults.add(FaultRule::new(
            "bill",
            Effect::Latency(Duration::from_millis(20)),
        ));
        faults.add(FaultRule::new(
            "bill",
            Effect::Latency(Duration::from_millis(5)),
        ));
        faults.add(FaultRule::new("bill", Effect::ExpireSession));
        faults.add(FaultRule::new("bill", Effect::Html(502)));
        faults.add(FaultRule::new("bill", Effect::Truncate));
        let injection = faults.inject("bill", "GET", "/");
        assert_eq!(injection.latency, Duration::from_millis(25));
        assert!(injection.expire_session);
        assert_eq!(injection.end, Some(Effect::Html(502)));
    }

    #[test]
    fn webhooks_have_their_own_faults() {
        let faults = Faults::new(1);
        faults.add(FaultRule::new("bill", Effect::Webhook(WebhookEffect::Lose)).times(1));
        assert_eq!(
            faults.inject("bill", "POST", "/v3/bills"),
            Injection::default()
        );
        assert_eq!(faults.webhook_effect("netsuite"), None);
        assert_eq!(faults.webhook_effect("bill"), Some(WebhookEffect::Lose));
        assert_eq!(faults.webhook_effect("bill"), None);
    }
}
