//! How a connection is, as the overview and its own page show it.

use maud::{Markup, html};
use tieout_desk::health::{Health, Signed, Standing};
use tieout_domain::State;
use tieout_engine::InitialSync;

use super::parts::badge::{self, Tone, badge};
use super::parts::form::{self, Act};
use super::parts::{Address, amount};
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;

/// How it stands, and its tone.
pub(super) fn word(info: &ConnectionInfo, standing: Standing) -> (Tone, &'static str) {
    if !info.enabled {
        return (Tone::Quiet, "disconnected");
    }
    let standing = match standing {
        // The program knows of a run before it has the connection.
        Standing::Failing
        | Standing::Pending
        | Standing::Exceptions
        | Standing::New
        | Standing::Agrees
            if info.running =>
        {
            Standing::Running
        }
        other => other,
    };
    match standing {
        Standing::Recovering => (Tone::Bad, "in recovery"),
        Standing::Paused => (Tone::Wait, "paused"),
        Standing::Running => (Tone::Wait, "running"),
        Standing::Failing => (Tone::Bad, "last sync failed"),
        Standing::Pending => (Tone::Wait, "pending"),
        Standing::Exceptions => (Tone::Bad, "exceptions"),
        Standing::New => (Tone::Quiet, "not synced yet"),
        Standing::Agrees => (Tone::Good, "in agreement"),
    }
}

/// The same as a badge.
pub(super) fn mark(info: &ConnectionInfo, health: &Health) -> Markup {
    let (tone, word) = word(info, health.standing());
    badge(tone, word)
}

/// How many records are in each state that has any.
pub(super) fn counts(health: &Health) -> Markup {
    let totals: Vec<(State, u64)> = health.totals();
    html! {
        ul.counts aria-label="Records by state" {
            @for (state, count) in totals.into_iter().filter(|(_, count)| *count > 0) {
                li { (badge::state(state)) " " span.number { (amount::grouped(count)) } }
            }
        }
    }
}

/// What waits for a person, and what it is worth.
pub(super) fn stuck(info: &ConnectionInfo, health: &Health) -> Markup {
    let address = Address::of(["exceptions"]).with("connection", info.name.as_str());
    html! {
        @if health.stuck == 0 {
            "Nothing waits for a person."
        } @else {
            a href=(address) { (amount::count(health.stuck, "exception")) }
            @if !health.at_stake.is_empty() {
                ", at stake "
                @for (at, money) in health.at_stake.iter().enumerate() {
                    @if at > 0 { " and " }
                    (amount::money(*money))
                }
            }
        }
    }
}

/// How far the initial sync is (scenario 170).
pub(super) fn initial(initial: &InitialSync) -> Markup {
    let tone = if initial.is_pending() {
        Tone::Wait
    } else {
        Tone::Good
    };
    html! { (badge(tone, initial.as_str())) " " span.soft { (initial.words()) } }
}

/// The tie-out that was signed last.
pub(super) fn signed(signed: &Signed) -> Markup {
    let good = signed.status == "TIED";
    let tone = if good { Tone::Good } else { Tone::Wait };
    html! {
        (badge(tone, &signed.status)) " "
        span.soft { (signed.period) " in " (signed.currency) ", signed by " (signed.actor) " as " (signed.role) }
    }
}

/// What may be done with a connection: sync now, pause, resume. One that has never gone live (`is_new`) goes on by an
/// administrator alone.
pub(super) fn acts(
    person: &Person,
    info: &ConnectionInfo,
    health: &Health,
    is_new: bool,
) -> Markup {
    if !info.enabled || !person.may(Role::Operator) {
        return html! {};
    }
    let name = info.name.as_str();
    let to = |act: &str| Address::of(["connections", name, act]);
    let paused = health
        .stops
        .iter()
        .any(|stop| stop.kind == tieout_store::StopKind::Paused && stop.connection.is_some());
    html! {
        (form::button(person, &to("sync"), &html! {}, "Sync now"))
        @if paused && is_new && !person.may(Role::Admin) {
            p.soft { "An admin lets it go live." }
        } @else if paused {
            (form::act(person, &Act {
                name: "Resume",
                means: "Remote writes go on with the next sync.",
                action: to("resume"),
                fields: form::reason(&format!("resume-{name}"), true),
                danger: false,
            }))
        } @else {
            (form::act(person, &Act {
                name: "Pause",
                means: "Stops all remote writes of this connection at once. Reading goes on.",
                action: to("pause"),
                fields: form::reason(&format!("pause-{name}"), false),
                danger: true,
            }))
        }
    }
}
