//! How the sandbox behaves where the service's own behaviour isn't documented (README, each at its place).

use jiff::SignedDuration;
use tieout_kit::fake::ControlError;

use crate::capability::{Capabilities, Capability};
use crate::json::Json;

/// How the place of a page is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paging {
    /// Beside `data`, as the reference has it.
    Flat,
    /// Within `pagination`, as the guides have it.
    Nested,
}

/// Everything that can be switched while the sandbox runs.
#[derive(Debug, Clone)]
pub(crate) struct Switches {
    /// Which of layer B there is.
    pub(crate) capabilities: Capabilities,
    /// Paths are served below `/v1` too.
    pub(crate) v1_prefix: bool,
    /// 429 says how long to wait.
    pub(crate) retry_after: bool,
    /// How the place of a page is told.
    pub(crate) paging: Paging,
    /// Lists begin with what was made last.
    pub(crate) newest_first: bool,
    /// Archived records are in no list.
    pub(crate) archived_vanish: bool,
    /// Lists show what was there so long ago.
    pub(crate) lists_lag: SignedDuration,
    /// A new invoice keeps the number and the memo that it is made with.
    pub(crate) own_numbers: bool,
    /// Calls in any second; without end if 0.
    pub(crate) calls_per_second: u32,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            capabilities: Capabilities::ALL,
            v1_prefix: false,
            retry_after: false,
            paging: Paging::Flat,
            newest_first: false,
            archived_vanish: false,
            lists_lag: SignedDuration::ZERO,
            own_numbers: true,
            calls_per_second: 5,
        }
    }
}

/// The names of the quirks that are on or off.
const FLAGS: [&str; 5] = [
    "v1_prefix",
    "retry_after",
    "newest_first",
    "archived_vanish",
    "own_numbers",
];

impl Switches {
    /// Whether layer B has this.
    pub(crate) fn has(&self, capability: Capability) -> bool {
        self.capabilities.has(capability)
    }

    /// `POST /control/alternative-payments/switches`: turns those that the body names.
    pub(crate) fn turn(&mut self, body: &Json) -> Result<Json, ControlError> {
        if let Json::Object(fields) = body {
            for (name, value) in fields {
                self.set(name, value).ok_or_else(|| wrong(name))?;
            }
        }
        Ok(self.show())
    }

    fn set(&mut self, name: &str, value: &Json) -> Option<()> {
        match (name, value) {
            ("lists_lag_seconds", Json::Number(number)) => {
                let seconds = number.parse::<u32>().ok()?;
                self.lists_lag = SignedDuration::from_secs(seconds.into());
            }
            ("calls_per_second", Json::Number(number)) => {
                self.calls_per_second = number.parse().ok()?;
            }
            ("paging", Json::Text(text)) => {
                self.paging = match &**text {
                    "flat" => Paging::Flat,
                    "nested" => Paging::Nested,
                    _ => return None,
                };
            }
            (name, Json::Bool(on)) => match Capability::of(name) {
                Some(capability) => self.capabilities.set(capability, *on),
                None => *self.flag(name)? = *on,
            },
            _ => return None,
        }
        Some(())
    }

    fn flag(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "v1_prefix" => &mut self.v1_prefix,
            "retry_after" => &mut self.retry_after,
            "newest_first" => &mut self.newest_first,
            "archived_vanish" => &mut self.archived_vanish,
            "own_numbers" => &mut self.own_numbers,
            _ => return None,
        })
    }

    /// How they stand.
    fn show(&mut self) -> Json {
        let paging = match self.paging {
            Paging::Flat => "flat",
            Paging::Nested => "nested",
        };
        let mut shown = Json::object([
            ("lists_lag_seconds", self.lists_lag.as_secs().into()),
            ("calls_per_second", self.calls_per_second.into()),
            ("paging", paging.into()),
        ]);
        for name in FLAGS {
            if let Some(flag) = self.flag(name) {
                let flag = *flag;
                shown.put(name, flag.into());
            }
        }
        for capability in Capability::ALL {
            shown.put(capability.name(), self.has(capability).into());
        }
        shown
    }
}

fn wrong(name: &str) -> ControlError {
    let capabilities = Capability::ALL.map(Capability::name).join(", ");
    ControlError::bad(format!(
        "`{name}`: the switches are {}, paging (flat, nested), lists_lag_seconds, calls_per_second, and on or off the \
         capabilities {capabilities}",
        FLAGS.join(", ")
    ))
}
