//! A payment's life: it moves with the clock, is voided, reissued, returned (README §Payment status).

use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::credits;
use crate::json::Json;
use crate::money::number;
use crate::organization::{Organization, business_days_after};
use crate::payments::{self, Order, Payment, Stage, Void, amount, stage};
use crate::problem::Problem;
use crate::{bills, webhooks};

/// The stations of a payment that goes well, and the business days after its process date on which they
/// are reached.
const STATIONS: &[(&str, u32)] = &[
    ("SCHEDULED", 0),
    ("FUNDING_STARTED", 0),
    ("PROCESSED", 1),
    ("SENT", 2),
    ("DELIVERED", 4),
    ("CLEARED", 6),
];
/// A station lasts at least this long, also one that was set by hand.
const STATION: SignedDuration = SignedDuration::from_hours(12);

/// Money is collected from 3 pm Pacific time on.
fn collected(day: Date) -> i64 {
    let at = day.to_datetime(time(23, 0, 0, 0)).to_zoned(TimeZone::UTC);
    at.map_or(i64::MAX, |at| at.timestamp().as_microsecond())
}

/// Lets everything happen that is due.
pub(crate) fn catch_up(org: &mut Organization) {
    let now = org.now().as_microsecond();
    while let Some((time, place)) = org.due.first().copied().filter(|(time, _)| *time <= now) {
        org.due.remove(&(time, place));
        let payment = &mut org.payments.at_mut(place).body;
        if payment.next != Some(time) {
            continue;
        }
        payment.next = None;
        if payment.single_status == "VOID_PENDING" {
            finish_void(org, place);
        } else if let Some(next) = following(&payment.single_status) {
            move_to(org, place, next, time);
        }
    }
}

fn following(status: &str) -> Option<&'static str> {
    let at = STATIONS
        .iter()
        .position(|(station, _)| *station == status)?;
    STATIONS.get(at + 1).map(|(station, _)| *station)
}

/// Sets when a payment moves by itself, counted from a time in microseconds.
pub(crate) fn schedule(org: &mut Organization, place: u32, from: i64) {
    let payment = &mut org.payments.at_mut(place).body;
    payment.next = None;
    if !payment.online {
        return;
    }
    let Some(next) = following(&payment.single_status) else {
        return;
    };
    let days = STATIONS
        .iter()
        .find(|(station, _)| *station == next)
        .map_or(0, |(_, days)| *days);
    let planned = collected(business_days_after(payment.process_date, days));
    let station = i64::try_from(STATION.as_micros()).unwrap_or(i64::MAX);
    let at = planned.max(from.saturating_add(station));
    payment.next = Some(at);
    org.due.insert((at, place));
}

/// Puts a payment into any status, at once.
pub(crate) fn set_status(org: &mut Organization, place: u32, status: &str) {
    let now = org.now().as_microsecond();
    move_to(org, place, status, now);
}

fn move_to(org: &mut Organization, place: u32, status: &str, at: i64) {
    let stamp = org.stamp();
    let was = stage(&org.payments.at(place).body.single_status);
    org.payments.at_mut(place).body.single_status = status.to_owned();
    org.payments.touch(place, stamp);
    if stage(status) == Stage::Dead && was != Stage::Dead {
        release_credits(org, place);
    }
    schedule(org, place, at);
    bills_follow(org, place);
    notify(org, place);
}

/// A payment's bills change with it.
pub(crate) fn bills_follow(org: &mut Organization, place: u32) {
    if !org.options.payment_touches_bill {
        return;
    }
    let bills: Vec<u32> = org
        .payments
        .at(place)
        .body
        .parts
        .iter()
        .map(|part| part.bill)
        .collect();
    for bill in bills {
        bills::touch(org, bill);
    }
}

fn release_credits(org: &mut Organization, place: u32) {
    let parts = &org.payments.at(place).body.parts;
    let used: Vec<u32> = parts
        .iter()
        .flat_map(|part| part.credits.iter().map(|(credit, _)| *credit))
        .collect();
    for credit in used {
        credits::release(org, credit, place);
    }
}

/// Asks for a void. It is decided later: until then, the payment is `VOID_PENDING`.
pub(crate) fn request_void(
    org: &mut Organization,
    place: u32,
    kind: String,
    reason: String,
) -> Result<(), Problem> {
    let payment = &org.payments.at(place).body;
    let before = payment.single_status.clone();
    if payment.online && before == "SCHEDULED" {
        return Err(Problem::forbidden(
            "A scheduled payment is canceled, not voided",
        ));
    }
    if matches!(&*before, "FUNDS_ESCHEATED" | "VOID_PENDING") || stage(&before) == Stage::Dead {
        return Err(Problem::forbidden(format!(
            "A payment that is {before} can't be voided"
        )));
    }
    if !payment.online && kind.contains("REISSUE") {
        return Err(Problem::forbidden(
            "A payment made elsewhere can't be reissued",
        ));
    }
    let stamp = org.stamp();
    let void = Void {
        kind,
        status: "TO_BE_PROCESSED",
        reason,
        created: stamp,
        updated: stamp,
        before,
    };
    let payment = &mut org.payments.at_mut(place).body;
    payment.voids.push(void);
    payment.single_status = "VOID_PENDING".to_owned();
    let wait = i64::try_from(org.options.void_delay.as_micros()).unwrap_or(i64::MAX);
    let at = stamp.saturating_add(wait);
    payment.next = Some(at);
    org.due.insert((at, place));
    org.payments.touch(place, stamp);
    bills_follow(org, place);
    notify(org, place);
    Ok(())
}

/// Decides the void that was asked for: what the vendor has cashed stays paid.
fn finish_void(org: &mut Organization, place: u32) {
    let stamp = org.stamp();
    let payment = &mut org.payments.at_mut(place).body;
    let online = payment.online;
    let Some(void) = payment.voids.last_mut() else {
        return;
    };
    void.updated = stamp;
    let before = void.before.clone();
    if online && before == "CLEARED" {
        void.status = "REJECTED";
        set_status(org, place, &before);
        return;
    }
    void.status = "ACCEPTED";
    let kind = void.kind.clone();
    set_status(org, place, "VOIDED");
    reissue(org, place, &kind);
}

/// Voids a payment at once, whatever its status, as the control panel does.
pub(crate) fn void_now(org: &mut Organization, place: u32, kind: &str) {
    let stamp = org.stamp();
    let payment = &mut org.payments.at_mut(place).body;
    let before = payment.single_status.clone();
    payment.voids.push(Void {
        kind: kind.to_owned(),
        status: "ACCEPTED",
        reason: "Voided by a person".to_owned(),
        created: stamp,
        updated: stamp,
        before,
    });
    set_status(org, place, "VOIDED");
    reissue(org, place, kind);
}

/// A reissue is a new payment of the same amounts; nothing but the bills links the two.
fn reissue(org: &mut Organization, place: u32, kind: &str) {
    let method = match kind {
        "VOID_AND_REISSUE" => None,
        "VOID_AND_REISSUE_VCARD" => Some("VIRTUAL_CARD".to_owned()),
        _ => return,
    };
    let today = org.today();
    let old = &org.payments.at(place).body;
    let parts = old.parts.iter();
    let parts = parts
        .map(|part| (part.bill, part.amount, part.credits.clone()))
        .collect();
    let order = Order {
        process_date: business_days_after(today, 1),
        funding: old.funding.clone(),
        method: method.unwrap_or_else(|| old.method.clone()),
        status: "SCHEDULED".to_owned(),
        description: old.description.clone(),
        transaction_number: None,
        options: old.options.clone(),
        recorded: None,
    };
    payments::place(org, old.vendor, parts, order);
}

/// What is known of how the money reaches the vendor: it grows as the payment moves.
pub(crate) fn disbursement_info(org: &Organization, place: u32) -> Json {
    let payment = &org.payments.at(place).body;
    let status = &*payment.single_status;
    let gone = matches!(status, "SENT" | "DELIVERED" | "CLEARED" | "EXPIRING")
        || status.starts_with("DISBURSEMENT_FAILED");
    let issued = gone || status == "PROCESSED";
    let first = payment.sent.unwrap_or(payment.process_date);
    let sent = gone.then(|| business_days_after(first, 2));
    let arrives = business_days_after(first, 4);
    let voidable = payment.online && stage(status) == Stage::Paid && status != "FUNDS_ESCHEATED";
    let place_number = u64::from(place);
    let mut info = Json::object([("isVoidable", (voidable || !payment.online).into())]);
    let dates = [("sentDate", sent.into()), ("arrivesByDate", arrives.into())];
    let [sent_date, arrival] = dates;
    let (name, detail) = match &*payment.method {
        "CHECK" => (
            "checkDisbursement",
            Json::object([
                sent_date,
                arrival,
                (
                    "checkNumber",
                    gone.then(|| (30_000_001 + place_number).to_string()).into(),
                ),
            ]),
        ),
        "ACH" => ("achDisbursement", Json::object([sent_date, arrival])),
        "RPPS" => (
            "rppsDisbursement",
            Json::object([
                sent_date,
                arrival,
                (
                    "traceNumber",
                    issued
                        .then(|| (91_000_000_000 + place_number).to_string())
                        .into(),
                ),
                (
                    "batchNumber",
                    issued
                        .then(|| (5_000 + place_number / 50).to_string())
                        .into(),
                ),
            ]),
        ),
        "VIRTUAL_CARD" => (
            "vcardDisbursement",
            card(org, payment, place_number, issued, arrival),
        ),
        "WALLET" => ("walletDisbursement", Json::object([arrival])),
        "INTERNATIONAL_E_PAYMENT" => (
            "internationalDisbursement",
            Json::object([
                sent_date,
                arrival,
                ("amount", number(amount(payment))),
                ("disbursementSubType", "LOCAL".into()),
            ]),
        ),
        _ => return info,
    };
    info.set(name, detail);
    info
}

/// A virtual card's last four digits. With the switch on, the field holds more than its name says, and
/// it is the reader's duty to keep no more than four.
fn card(
    org: &Organization,
    payment: &Payment,
    place: u64,
    issued: bool,
    arrival: (&'static str, Json),
) -> Json {
    let last = 1000 + place % 9000;
    let digits = if org.options.long_card_numbers {
        format!("555555555555{last}")
    } else {
        last.to_string()
    };
    let until = business_days_after(payment.process_date, 15);
    Json::object([
        arrival,
        ("validUntil", until.into()),
        ("last4CardNumber", issued.then_some(digits).into()),
    ])
}

fn notify(org: &mut Organization, place: u32) {
    if org.webhooks.wants("payment.updated") {
        let payload = webhooks::payment(org, place);
        webhooks::emit(org, "payment.updated", "payment", payload);
    }
    let status = &*org.payments.at(place).body.single_status;
    let failed = status.contains("FAILED");
    if failed && org.webhooks.wants("payment.failed") {
        let payload = webhooks::failed_payment(org, place);
        webhooks::emit(org, "payment.failed", "payment", payload);
    }
}

/// A moment's text, as the history of events wants it.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    crate::list::time(text).and_then(|time| Timestamp::from_millisecond(time).ok())
}
