//! Subscriptions and notifications (README §Webhooks).

use std::collections::HashMap;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use crate::ids::Kind;
use crate::json::Json;
use crate::money::number;
use crate::organization::{Organization, time_text};
use crate::payments::amount;
use crate::problem::Problem;
use crate::route::{Answer, Body, Call, Reply};
use crate::shape::{Field, Rule, may, need, pick};

/// How many subscriptions an organization may have.
const MOST: usize = 10;
/// How long an answer is repeated for the same idempotency key.
const REPEATED: SignedDuration = SignedDuration::from_hours(24);
/// How long events are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(180 * 24);

const EVENTS: &[&str] = &[
    "vendor.created",
    "vendor.updated",
    "vendor.archived",
    "vendor.restored",
    "bill.created",
    "bill.updated",
    "bill.archived",
    "bill.restored",
    "payment.updated",
    "payment.failed",
    "mass-payment.updated",
    "autopay.failed",
    "bank-account.created",
    "bank-account.updated",
    "card-account.created",
    "card-account.updated",
    "invoice.created",
    "invoice.updated",
    "invoice.archived",
    "invoice.restored",
    "risk-verification.updated",
];

/// Subscriptions, what was notified, and what has still to go out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Webhooks {
    subscriptions: Vec<Subscription>,
    history: Vec<Event>,
    /// What the server has to send next.
    pub(crate) outbox: Vec<Event>,
    replays: HashMap<String, (Timestamp, Json)>,
}

/// A subscription.
#[derive(Debug, Clone)]
struct Subscription {
    id: String,
    name: String,
    enabled: bool,
    events: Vec<String>,
    url: String,
    key: String,
    created: i64,
    updated: i64,
}

/// A notification.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Its identifier, also in its metadata.
    pub(crate) id: String,
    /// The subscription it belongs to.
    pub(crate) subscription: String,
    kind: String,
    entity: String,
    /// The minified JSON that is signed.
    pub(crate) payload: String,
    created: i64,
}

impl Webhooks {
    /// Whether anyone wants an event.
    pub(crate) fn wants(&self, event: &str) -> bool {
        self.subscriptions
            .iter()
            .any(|one| one.enabled && one.events.iter().any(|wanted| wanted == event))
    }

    /// Where an event goes, and the key it is signed with.
    pub(crate) fn target(&self, event: &Event) -> Option<(String, String)> {
        let one = self
            .subscriptions
            .iter()
            .find(|one| one.id == event.subscription)?;
        Some((one.url.clone(), one.key.clone()))
    }

    /// Nobody answered, often enough: the subscription is switched off.
    pub(crate) fn disable(&mut self, subscription: &str, stamp: i64) {
        if let Some(one) = self
            .subscriptions
            .iter_mut()
            .find(|one| one.id == subscription)
        {
            one.enabled = false;
            one.updated = stamp;
        }
    }

    /// How many subscriptions there are, and how many are on.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let enabled = self.subscriptions.iter().filter(|one| one.enabled).count();
        (self.subscriptions.len(), enabled, self.history.len())
    }
}

/// The signature of a notification: Base64 of HMAC-SHA256 over the payload, keyed by the key's text.
pub(crate) fn signature(key: &str, payload: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, payload.as_bytes()))
}

/// Notifies all that want an event. The object is given as REST shows it.
pub(crate) fn emit(org: &mut Organization, kind: &'static str, name: &'static str, object: Json) {
    let entity = object.text("id").unwrap_or_default().to_owned();
    let mut object = object;
    restyle(&mut object, name);
    object.set("createdBy", org.user().into());
    let stamp = org.stamp();
    let wanted: Vec<String> = org
        .webhooks
        .subscriptions
        .iter()
        .filter(|one| one.enabled && one.events.iter().any(|wanted| wanted == kind))
        .map(|one| one.id.clone())
        .collect();
    for subscription in wanted {
        let event = event(
            org,
            &subscription,
            kind,
            (name, object.clone()),
            &entity,
            stamp,
        );
        org.webhooks.history.push(event.clone());
        org.webhooks.outbox.push(event);
    }
}

fn event(
    org: &mut Organization,
    subscription: &str,
    kind: &str,
    (name, object): (&'static str, Json),
    entity: &str,
    stamp: i64,
) -> Event {
    let id = org.random.uuid();
    let metadata = Json::object([
        ("eventId", id.as_str().into()),
        ("subscriptionId", subscription.into()),
        ("organizationId", org.id().into()),
        ("eventType", kind.into()),
        ("version", "1".into()),
    ]);
    let payload = Json::object([("metadata", metadata), (name, object)]).to_text();
    Event {
        id,
        subscription: subscription.to_owned(),
        kind: kind.to_owned(),
        entity: entity.to_owned(),
        payload,
        created: stamp,
    }
}

/// Notifications word some things differently from REST: offsets, the invoice's date, a vendor's
/// account number.
fn restyle(object: &mut Json, name: &str) {
    let Json::Object(fields) = object else { return };
    for (field, value) in fields {
        match value {
            Json::Object(_) => restyle(value, field),
            Json::Text(text) if field.ends_with("Time") => {
                if let Some(start) = text.strip_suffix('Z') {
                    *value = format!("{start}+00:00").into();
                }
            }
            Json::Text(text) if field == "invoiceDate" => {
                *value = format!("{text}T00:00:00.000+00:00").into();
            }
            Json::Text(text)
                if name == "vendor"
                    && field == "accountNumber"
                    && !text.starts_with('0')
                    && text.bytes().all(|byte| byte.is_ascii_digit())
                    && !text.is_empty() =>
            {
                *value = Json::Number(text.clone());
            }
            _ => {}
        }
    }
}

/// A payment as notifications show it, which is not as REST does.
pub(crate) fn payment(org: &Organization, place: u32) -> Json {
    let row = org.payments.at(place);
    let payment = &row.body;
    let bills: Vec<Json> = payment
        .parts
        .iter()
        .map(|part| org.ids.text(Kind::Bill, part.bill).into())
        .collect();
    let currency = org.vendors.at(payment.vendor).body.currency();
    let account = payment.funding.as_ref().map(|(kind, id)| {
        Json::object([("id", id.as_str().into()), ("type", kind.as_str().into())])
    });
    let billing = if payment.online {
        "BDC"
    } else {
        "NET_SYNC_FROM_OFFLINE_PAYMENT"
    };
    Json::object([
        ("id", org.ids.text(Kind::Payment, place).into()),
        ("billIds", bills.into()),
        (
            "transactionNumber",
            payment.transaction_number.as_str().into(),
        ),
        ("status", payment.single_status.as_str().into()),
        ("createdTime", time_text(row.created).into()),
        ("updatedTime", time_text(row.updated).into()),
        ("processDate", payment.process_date.into()),
        (
            "funding",
            Json::object([
                ("amount", number(amount(payment))),
                ("currency", "USD".into()),
                ("fundingAccount", account.into()),
            ]),
        ),
        (
            "disbursement",
            Json::object([
                ("amount", number(amount(payment))),
                ("currency", currency.into()),
                (
                    "disbursementAccount",
                    Json::object([("type", payment.method.as_str().into())]),
                ),
            ]),
        ),
        ("vendor", vendor(org, payment.vendor)),
        ("billingType", billing.into()),
    ])
}

fn vendor(org: &Organization, place: u32) -> Json {
    let name = org.vendors.at(place).body.name();
    Json::object([
        ("id", org.ids.text(Kind::Vendor, place).into()),
        ("name", name.into()),
    ])
}

/// A failed payment as notifications show it.
pub(crate) fn failed_payment(org: &Organization, place: u32) -> Json {
    let row = org.payments.at(place);
    let parts = row.body.parts.iter().map(|part| {
        let bill = org.ids.text(Kind::Bill, part.bill);
        Json::object([("billId", bill.into()), ("amount", number(part.amount))])
    });
    let error = Json::object([
        ("code", row.body.single_status.as_str().into()),
        ("message", "The payment failed".into()),
        ("timestamp", time_text(row.updated).into()),
    ]);
    Json::object([
        ("id", org.ids.text(Kind::Payment, place).into()),
        ("bills", parts.collect::<Vec<_>>().into()),
        (
            "transactionNumber",
            row.body.transaction_number.as_str().into(),
        ),
        ("vendor", vendor(org, row.body.vendor)),
        ("errors", vec![error].into()),
    ])
}

static EVENT: &[Field] = &[
    need("type", Rule::Choice(EVENTS)),
    may("version", Rule::Text(5)),
];
static STATUS: &[Field] = &[need("enabled", Rule::Flag)];
static SUBSCRIPTION: &[Field] = &[
    need("name", Rule::Text(255)),
    may("status", Rule::Part(STATUS)),
    need("events", Rule::Parts(EVENT)),
    need("notificationUrl", Rule::Text(2000)),
];

/// `/v3/events/…` and `/v3/subscriptions/…`; everything succeeds with 200, create and delete too.
pub(crate) fn answer(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        ("GET", ["events", "catalog"]) => {
            let events = EVENTS.iter().map(|kind| {
                let versions = Json::List(vec!["1".into()]);
                Json::object([("type", (*kind).into()), ("versions", versions)])
            });
            Ok(Reply::ok(Json::List(events.collect())))
        }
        ("GET", ["subscriptions"]) => {
            let all = &org.webhooks.subscriptions;
            forward(call, all.len(), |index| render(org, &all[index], false))
        }
        ("POST", ["subscriptions"]) => once(org, call, subscribe),
        ("POST", ["subscriptions", id, "security_key" | "security-key"]) => {
            let id = (*id).to_owned();
            let index = find(org, &id)?;
            once(org, call, move |org, _| {
                let key = org.random.token(44);
                let stamp = org.stamp();
                let one = &mut org.webhooks.subscriptions[index];
                one.key = key.clone();
                one.updated = stamp;
                Ok(Json::object([
                    ("id", id.into()),
                    ("securityKey", key.into()),
                ]))
            })
        }
        (method, ["subscriptions", id, rest @ ..]) => {
            let index = find(org, id)?;
            one(org, call, (method, rest), index)
        }
        ("GET", ["events", "subscription", id]) => history(org, call, id),
        ("POST", ["events", "subscription", id, "event", event]) => {
            find(org, id)?;
            let known = org
                .webhooks
                .history
                .iter()
                .find(|known| known.id == *event && known.subscription == *id);
            let event = known.cloned().ok_or_else(|| Problem::missing(event))?;
            let shown = show(&event);
            org.webhooks.outbox.push(event);
            Ok(Reply::ok(shown))
        }
        _ => Err(Problem::path()),
    }
}

fn find(org: &Organization, id: &str) -> Result<usize, Problem> {
    let all = &org.webhooks.subscriptions;
    all.iter()
        .position(|one| one.id == id)
        .ok_or_else(|| Problem::missing(id))
}

/// The two calls that want `X-Idempotent-Key` repeat their answer for a day.
fn once(
    org: &mut Organization,
    call: &Call,
    work: impl FnOnce(&mut Organization, &Call) -> Result<Json, Problem>,
) -> Answer {
    let key = call.idempotency_key.as_deref();
    let key = key.filter(|key| uuid::Uuid::parse_str(key).is_ok());
    let key = key
        .ok_or_else(|| Problem::must("X-Idempotent-Key: must be a UUID"))?
        .to_owned();
    let now = org.now();
    if let Some((at, answer)) = org.webhooks.replays.get(&key)
        && now.duration_since(*at) < REPEATED
    {
        return Ok(Reply::ok(answer.clone()));
    }
    let answer = work(org, call)?;
    org.webhooks.replays.insert(key, (now, answer.clone()));
    Ok(Reply::ok(answer))
}

fn subscribe(org: &mut Organization, call: &Call) -> Result<Json, Problem> {
    let body = pick(SUBSCRIPTION, &call.json()?, false)?;
    let events = kinds(&body);
    let url = body.text("notificationUrl").unwrap_or_default().to_owned();
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(Problem::must("notificationUrl: must be a valid URL"));
    }
    let all = &org.webhooks.subscriptions;
    if all.len() >= MOST {
        return Err(Problem::value(
            "An organization may have 10 subscriptions at most",
        ));
    }
    if all.iter().any(|one| one.url == url && one.events == events) {
        return Err(Problem::value(
            "A subscription with the same events and URL exists",
        ));
    }
    let stamp = org.stamp();
    let one = Subscription {
        id: org.random.uuid(),
        name: body.text("name").unwrap_or_default().to_owned(),
        enabled: body.flag("status.enabled").unwrap_or(true),
        events,
        url,
        key: org.random.token(44),
        created: stamp,
        updated: stamp,
    };
    let answer = render(org, &one, true);
    org.webhooks.subscriptions.push(one);
    Ok(answer)
}

fn kinds(body: &Json) -> Vec<String> {
    let kinds = body
        .list("events")
        .iter()
        .filter_map(|event| event.text("type"));
    kinds.map(str::to_owned).collect()
}

fn one(org: &mut Organization, call: &Call, (method, path): (&str, &[&str]), at: usize) -> Answer {
    match (method, path) {
        ("GET", []) => {}
        ("DELETE", []) => {
            let gone = org.webhooks.subscriptions.remove(at);
            return Ok(Reply::ok(render(org, &gone, false)));
        }
        ("PUT" | "PATCH", []) => {
            let body = pick(SUBSCRIPTION, &call.json()?, true)?;
            let stamp = org.stamp();
            let one = &mut org.webhooks.subscriptions[at];
            if method == "PUT" && body.get("events").is_some() {
                one.events = kinds(&body);
            }
            if let Some(name) = body.text("name") {
                one.name = name.to_owned();
            }
            if let Some(url) = body.text("notificationUrl") {
                one.url = url.to_owned();
            }
            if let Some(enabled) = body.flag("status.enabled") {
                one.enabled = enabled;
            }
            one.updated = stamp;
        }
        ("POST", ["test"]) => {
            let body = call.json_or_empty()?;
            let id = org.webhooks.subscriptions[at].id.clone();
            let first = org.webhooks.subscriptions[at].events.first().cloned();
            let kind = body.text("eventType").map(str::to_owned).or(first);
            let kind = kind.unwrap_or_else(|| "bill.updated".to_owned());
            let name = match kind.split('.').next() {
                Some("vendor") => "vendor",
                Some("payment") => "payment",
                Some("invoice") => "invoice",
                _ => "bill",
            };
            let sample = Json::object([("id", org.ids.text(Kind::Bill, u32::MAX).into())]);
            let object = body.get(name).cloned().unwrap_or(sample);
            let stamp = org.stamp();
            let event = event(org, &id, &kind, (name, object), "", stamp);
            return Ok(Reply {
                status: 200,
                body: Body::Test(Box::new(event)),
            });
        }
        _ => return Err(Problem::path()),
    }
    Ok(Reply::ok(render(
        org,
        &org.webhooks.subscriptions[at],
        false,
    )))
}

fn render(org: &Organization, one: &Subscription, with_key: bool) -> Json {
    let events = one
        .events
        .iter()
        .map(|kind| Json::object([("type", kind.as_str().into()), ("version", "1".into())]));
    Json::object([
        ("id", one.id.as_str().into()),
        ("organizationId", org.id().into()),
        ("name", one.name.as_str().into()),
        ("status", Json::object([("enabled", one.enabled.into())])),
        ("events", events.collect::<Vec<_>>().into()),
        ("notificationUrl", one.url.as_str().into()),
        ("createdTime", time_text(one.created).into()),
        ("updatedTime", time_text(one.updated).into()),
        ("securityKey", with_key.then_some(one.key.as_str()).into()),
    ])
}

fn history(org: &mut Organization, call: &Call, id: &str) -> Answer {
    find(org, id)?;
    let oldest = org
        .now()
        .checked_sub(KEPT)
        .map_or(i64::MIN, Timestamp::as_microsecond);
    org.webhooks.history.retain(|event| event.created >= oldest);
    let bound = |name: &str| -> Result<Option<i64>, Problem> {
        let Some(text) = call.query.get(name) else {
            return Ok(None);
        };
        let time = crate::life::moment(text);
        let time = time.ok_or_else(|| Problem::parameter(format!("{name}: not a time")))?;
        Ok(Some(time.as_microsecond()))
    };
    let (from, to) = (bound("createdTimeFrom")?, bound("createdTimeTo")?);
    let entity = call.query.get("entityId");
    let events: Vec<&Event> = org
        .webhooks
        .history
        .iter()
        .filter(|event| event.subscription == id)
        .filter(|event| from.is_none_or(|from| event.created >= from))
        .filter(|event| to.is_none_or(|to| event.created <= to))
        .filter(|event| entity.is_none_or(|entity| event.entity == entity))
        .collect();
    forward(call, events.len(), |index| show(events[index]))
}

/// These lists page forward only.
fn forward(call: &Call, length: usize, entry: impl Fn(usize) -> Json) -> Answer {
    let number = |name: &str, unset: usize| match call.query.get(name) {
        None => Ok(unset),
        Some(text) => text
            .parse()
            .map_err(|_| Problem::parameter(format!("{name} is not a number"))),
    };
    let max = number("max", 20)?;
    if !(1..=100).contains(&max) {
        return Err(Problem::parameter("max must be between 1 and 100"));
    }
    let start = number("page", 0)?;
    let end = start.saturating_add(max).min(length);
    let entries: Vec<Json> = (start.min(end)..end).map(entry).collect();
    let next = (end < length).then(|| end.to_string());
    Ok(Reply::ok(Json::object([
        ("results", entries.into()),
        ("nextPage", next.into()),
    ])))
}

fn show(event: &Event) -> Json {
    Json::object([
        ("id", event.id.as_str().into()),
        ("type", event.kind.as_str().into()),
        ("version", "1".into()),
        ("subscriptionId", event.subscription.as_str().into()),
        ("payload", event.payload.as_str().into()),
        ("createdTime", time_text(event.created).into()),
    ])
}

/// The answer to a test, with what the endpoint said.
pub(crate) fn tested(event: &Event, status: u16) -> Json {
    let mut shown = show(event);
    shown.set("statusCode", u32::from(status).into());
    shown
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_the_one_of_rfc_4231() {
        let signature = super::signature("Jefe", "what do ya want for nothing?");
        assert_eq!(signature, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    }
}
