//! Subscriptions, and what has to go to them (README §Webhooks).

use jiff::{SignedDuration, Timestamp};
use tieout_kit::fake::ControlError;

use crate::account::{Account, later};
use crate::call::{Answer, Call, Reply};
use crate::capability::Capability;
use crate::customers::text;
use crate::json::Json;
use crate::pages;
use crate::problem::Problem;
use crate::table::{Record as _, Stamp, Table, record};

/// When a notification is tried, in minutes after the first time.
const TRIES_MINUTES: [i64; 5] = [0, 1, 5, 20, 60];

/// What is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    PayoutPaid,
    PayoutFailed,
    PayoutProcessing,
    PayoutScheduled,
    CustomerCreated,
    CustomerUpdated,
    CustomerArchived,
    PaymentSucceeded,
    PaymentChargeback,
    PaymentRefunded,
    PaymentFailed,
    InvoicePaid,
    InvoiceArchived,
    InvoiceCreated,
    InvoiceUpdated,
    PaymentMethodAdded,
    PaymentMethodDeleted,
    DefaultPaymentMethodChanged,
}

impl Topic {
    /// All of them with their names. Nothing here adds or deletes ways of paying.
    const NAMES: [(Self, &'static str); 18] = [
        (Self::PayoutPaid, "payout_paid"),
        (Self::PayoutFailed, "payout_failed"),
        (Self::PayoutProcessing, "payout_processing"),
        (Self::PayoutScheduled, "payout_scheduled"),
        (Self::CustomerCreated, "customer_created"),
        (Self::CustomerUpdated, "customer_updated"),
        (Self::CustomerArchived, "customer_archived"),
        (Self::PaymentSucceeded, "payment_succeeded"),
        (Self::PaymentChargeback, "payment_chargeback"),
        (Self::PaymentRefunded, "payment_refunded"),
        (Self::PaymentFailed, "payment_failed"),
        (Self::InvoicePaid, "invoice_paid"),
        (Self::InvoiceArchived, "invoice_archived"),
        (Self::InvoiceCreated, "invoice_created"),
        (Self::InvoiceUpdated, "invoice_updated"),
        (Self::PaymentMethodAdded, "payment_method_added"),
        (Self::PaymentMethodDeleted, "payment_method_deleted"),
        (
            Self::DefaultPaymentMethodChanged,
            "default_payment_method_changed",
        ),
    ];

    fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    fn of(name: &str) -> Option<Self> {
        let mut all = Self::NAMES.into_iter();
        all.find(|(_, known)| *known == name)
            .map(|(topic, _)| topic)
    }
}

/// A subscription to one topic.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    stamp: Stamp,
    url: String,
    topic: Topic,
    secret: Option<String>,
    active: bool,
}

record!(Subscription, "whk");

/// One notification to one subscription.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    stamp: Stamp,
    subscription: String,
    topic: Topic,
    /// The object that it is about.
    about: String,
    status: Status,
    /// When it was tried first.
    began: Timestamp,
    /// How often it was tried since.
    tries: usize,
}

record!(Event, "evt");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Delivered,
    Pending,
    Failed,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }
}

/// Subscriptions, and what is told to them.
#[derive(Debug, Clone)]
pub(crate) struct Webhooks {
    partner: String,
    subscriptions: Table<Subscription>,
    events: Table<Event>,
    /// Events by the moment of their next attempt.
    waiting: Vec<(Timestamp, String)>,
}

impl Webhooks {
    /// None yet.
    pub(crate) fn new(partner: String) -> Self {
        Self {
            partner,
            subscriptions: Table::default(),
            events: Table::default(),
            waiting: Vec::new(),
        }
    }
}

/// What is sent over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) url: String,
    /// The key that was given with the subscription.
    pub(crate) secret: Option<String>,
    pub(crate) body: String,
}

/// Tells every subscription to a topic of an object. One that is off gets it when it is asked to send again.
pub(crate) fn tell(account: &mut Account, topic: Topic, about: &str) {
    let subscribed: Vec<(String, bool)> = account
        .webhooks
        .subscriptions
        .rows()
        .filter(|one| one.topic == topic)
        .map(|one| (one.stamp.id.clone(), one.active))
        .collect();
    for (subscription, active) in subscribed {
        let stamp = account.stamp::<Event>();
        let (id, now) = (stamp.id.clone(), stamp.created_at);
        let status = if active {
            Status::Pending
        } else {
            Status::Failed
        };
        account.webhooks.events.insert(Event {
            stamp,
            subscription,
            topic,
            about: about.to_owned(),
            status,
            began: now,
            tries: 0,
        });
        if active {
            account.webhooks.waiting.push((now, id));
        }
    }
}

/// The events that are due by now.
pub(crate) fn due(account: &mut Account) -> Vec<String> {
    let now = account.now();
    let all = std::mem::take(&mut account.webhooks.waiting);
    let (due, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|(at, _)| *at <= now);
    account.webhooks.waiting = later;
    due.into_iter().map(|(_, event)| event).collect()
}

/// Puts back what can't be sent now.
pub(crate) fn put_back(account: &mut Account, events: Vec<String>) {
    let now = account.now();
    let events = events.into_iter().map(|event| (now, event));
    account.webhooks.waiting.extend(events);
}

/// What an event sends; nothing if its subscription is off or gone.
pub(crate) fn message(account: &Account, event: &str) -> Option<Message> {
    let event = account.webhooks.events.get(event)?;
    let all = &account.webhooks.subscriptions;
    let subscription = all.get(&event.subscription).filter(|one| one.active)?;
    let body = if account.switches.has(Capability::WebhookBodies) {
        Json::whole([
            ("id", event.id().into()),
            ("topic", event.topic.name().into()),
            ("created_at", pages::time(event.stamp.created_at)),
            ("data", Json::object([("id", event.about.as_str().into())])),
        ])
    } else {
        Json::Object(Vec::new())
    };
    Some(Message {
        url: subscription.url.clone(),
        secret: subscription.secret.clone(),
        body: body.to_text(),
    })
}

/// Takes note of what an endpoint answered (0: nothing), and whether the next attempt is due already.
pub(crate) fn answered(account: &mut Account, id: &str, status: u16) -> bool {
    let now = account.now();
    let Some(event) = account.webhooks.events.get_mut(id) else {
        return false;
    };
    event.stamp.updated_at = now;
    event.tries += 1;
    if (200..300).contains(&status) {
        event.status = Status::Delivered;
        return false;
    }
    let Some(minutes) = TRIES_MINUTES.get(event.tries) else {
        let subscription = event.subscription.clone();
        event.status = Status::Failed;
        switch(account, &subscription, false);
        return false;
    };
    let due = later(event.began, SignedDuration::from_mins(*minutes));
    if due > now {
        account.webhooks.waiting.push((due, id.to_owned()));
    }
    due <= now
}

/// Switches a subscription on or off. What waits for one that is off has failed.
fn switch(account: &mut Account, id: &str, on: bool) {
    let now = account.now();
    if let Some(subscription) = account.webhooks.subscriptions.get_mut(id) {
        subscription.active = on;
        subscription.stamp.updated_at = now;
    }
    if on {
        return;
    }
    let Webhooks {
        events, waiting, ..
    } = &mut account.webhooks;
    waiting.retain(|(_, event)| match events.get_mut(event) {
        Some(event) if event.subscription == id => {
            event.status = Status::Failed;
            false
        }
        _ => true,
    });
}

/// Sends what failed again, and switches the subscription on.
fn retry(account: &mut Account, id: &str) {
    switch(account, id, true);
    let now = account.now();
    let failed = |event: &&Event| event.subscription == id && event.status == Status::Failed;
    let all = account.webhooks.events.rows();
    let failed: Vec<String> = all
        .filter(failed)
        .map(|event| event.stamp.id.clone())
        .collect();
    for id in failed {
        if let Some(event) = account.webhooks.events.get_mut(&id) {
            event.status = Status::Pending;
            event.began = now;
            event.tries = 0;
        }
        account.webhooks.waiting.push((now, id));
    }
}

fn found<'a>(account: &'a Account, id: &str) -> Result<&'a Subscription, Problem> {
    let all = &account.webhooks.subscriptions;
    all.get(id).ok_or_else(Problem::missing)
}

/// `/webhooks…`.
pub(crate) fn answer(account: &mut Account, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        ("GET", []) => list(account, call),
        ("POST", []) => create(account, &call.fields()?),
        ("GET", ["events"]) => events(account, call),
        ("POST", ["retry"]) => {
            let body = call.fields()?;
            let id = text(&body, "subscription_id")?.unwrap_or_default();
            found(account, id)?;
            retry(account, id);
            Ok(Reply::ok(show(account, found(account, id)?)))
        }
        ("DELETE", [id]) => {
            found(account, id)?;
            remove(account, id);
            Ok(Reply::nothing())
        }
        _ => Err(Problem::missing()),
    }
}

fn create(account: &mut Account, body: &Json) -> Answer {
    let url = text(body, "endpoint_url")?.filter(|url| url.starts_with("http"));
    let url = url.ok_or_else(|| Problem::field("endpoint_url", "endpoint_url is not a URL"))?;
    let topic = text(body, "topic")?.and_then(Topic::of);
    let subscription = Subscription {
        url: url.to_owned(),
        topic: topic.ok_or_else(|| Problem::field("topic", "There is no such topic"))?,
        secret: text(body, "secret_key")?.map(str::to_owned),
        active: true,
        stamp: account.stamp::<Subscription>(),
    };
    let shown = show(account, &subscription);
    account.webhooks.subscriptions.insert(subscription);
    Ok(Reply::created(shown))
}

fn remove(account: &mut Account, id: &str) {
    switch(account, id, false);
    account.webhooks.subscriptions.remove(id);
}

fn list(account: &Account, call: &Call<'_>) -> Answer {
    let all = account.webhooks.subscriptions.rows();
    let found = all.filter(|one| {
        call.query.allows("topic", one.topic.name())
            && call.query.allows("is_active", &one.active.to_string())
    });
    pages::page(account, call, found, |one| show(account, one))
}

fn events(account: &Account, call: &Call<'_>) -> Answer {
    let found = account.webhooks.events.rows().filter(|event| {
        call.query.allows("topic", event.topic.name())
            && call.query.allows("status", event.status.name())
    });
    pages::page(account, call, found, |event| {
        Json::whole([
            ("id", event.id().into()),
            ("subscription_id", event.subscription.as_str().into()),
            ("topic", event.topic.name().into()),
            ("status", event.status.name().into()),
            ("data", Json::object([("id", event.about.as_str().into())])),
            ("created_at", pages::time(event.stamp.created_at)),
        ])
    })
}

fn show(account: &Account, subscription: &Subscription) -> Json {
    let secret = subscription.secret.as_deref().unwrap_or_default();
    let last: String = secret
        .chars()
        .skip(secret.chars().count().saturating_sub(4))
        .collect();
    Json::whole([
        ("id", subscription.id().into()),
        ("partner_id", account.webhooks.partner.as_str().into()),
        ("endpoint_url", subscription.url.as_str().into()),
        ("topic", subscription.topic.name().into()),
        ("is_active", subscription.active.into()),
        ("secret_last_4_digits", last.into()),
        ("created_at", pages::time(subscription.stamp.created_at)),
        ("updated_at", pages::time(subscription.stamp.updated_at)),
    ])
}

/// All subscriptions, as the panel shows them.
pub(crate) fn subscriptions(account: &Account) -> Json {
    let all = account.webhooks.subscriptions.rows();
    all.map(|one| show(account, one)).collect::<Vec<_>>().into()
}

/// `POST /control/alternative-payments/webhooks/{id}`: what happens to a subscription behind its owner's back.
pub(crate) fn control(account: &mut Account, id: &str, body: &Json) -> Result<Json, ControlError> {
    if found(account, id).is_err() {
        return Err(ControlError::missing(format!("there is no webhook {id}")));
    }
    match body.text("action") {
        Some("disable") => switch(account, id, false),
        Some("enable") => switch(account, id, true),
        Some("remove") => remove(account, id),
        _ => return Err(ControlError::bad("`action` is disable, enable or remove")),
    }
    Ok(subscriptions(account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_lie_in_the_order_of_their_declaration() {
        for (topic, name) in Topic::NAMES {
            assert_eq!((topic.name(), Topic::of(name)), (name, Some(topic)));
        }
    }
}
