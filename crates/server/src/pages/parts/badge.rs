//! States and statuses: a word and a mark of its own, so that colour only helps.

use maud::{Markup, html};
use tieout_domain::{Outcome, State};

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Nothing to say about it.
    Quiet,
    /// Waits, and resolves by itself.
    Wait,
    /// Needs a person.
    Bad,
}

impl Tone {
    /// Its class in the style sheet.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Quiet => "quiet",
            Self::Wait => "wait",
            Self::Bad => "bad",
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Quiet => "·",
            Self::Wait => "…",
            Self::Bad => "!",
        }
    }
}

/// A word with its mark.
pub fn badge(tone: Tone, word: &str) -> Markup {
    html! {
        span class={ "badge " (tone.class()) } {
            span.mark aria-hidden="true" { (tone.mark()) } (word)
        }
    }
}

/// How a state stands.
#[must_use]
pub fn tone(state: State) -> Tone {
    match state {
        State::Done | State::Noop => Tone::Good,
        State::Skipped | State::Reversed => Tone::Quiet,
        State::Hold => Tone::Wait,
        State::Blocked | State::Conflict | State::Orphan => Tone::Bad,
    }
}

/// A state.
pub fn state(state: State) -> Markup {
    badge(tone(state), state.as_str())
}

/// A state with its code, which leads to the code's page.
pub fn outcome(outcome: &Outcome) -> Markup {
    html! {
        (state(outcome.state))
        @if let Some(code) = &outcome.code { " " span.soft { (code) } }
    }
}

/// How a run ended, or that it hasn't.
pub fn run(status: &str) -> Markup {
    let tone = match status {
        "done" => Tone::Good,
        "running" => Tone::Wait,
        "exceptions" | "failed" => Tone::Bad,
        _ => Tone::Quiet,
    };
    badge(tone, status)
}
