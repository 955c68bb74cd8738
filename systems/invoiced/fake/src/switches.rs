//! How the sandbox behaves where the service's own behaviour differs by account, or isn't documented.

use jiff::SignedDuration;
use tieout_kit::fake::ControlError;

use crate::json::Json;

/// What an error looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorShape {
    /// `type`, `message`, `param`.
    Documented,
    /// `error`, `message`, as some clients were tested with.
    ErrorField,
    /// No JSON at all.
    Text,
}

/// How a notification's signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureForm {
    /// Lower-case hex.
    Hex,
    /// Base64.
    Base64,
}

/// Everything that can be switched while the sandbox runs.
#[derive(Debug, Clone)]
pub(crate) struct Switches {
    /// A second write with the same `Idempotency-Key` is answered like the first.
    pub(crate) idempotency: bool,
    /// `updated_after` includes its own second.
    pub(crate) updated_after_inclusive: bool,
    /// The last page names itself as the next one.
    pub(crate) next_is_self: bool,
    /// A page that skips others is refused.
    pub(crate) sequential_pages: bool,
    /// Lists show what was there so long ago.
    pub(crate) lists_lag: SignedDuration,
    /// A new invoice takes what credit its customer has.
    pub(crate) auto_apply_credits: bool,
    /// An application changes `updated_at` of the document it is to.
    pub(crate) applications_touch: bool,
    /// A refund changes `updated_at` of its payment, and tells of it.
    pub(crate) refunds_touch: bool,
    /// Deleting a payment is answered with 204 instead of the voided payment.
    pub(crate) delete_answers_nothing: bool,
    /// A void is told of as `payment.deleted` instead of `payment.updated`.
    pub(crate) void_is_deleted: bool,
    /// An event's `previous` lies beside `data` instead of within.
    pub(crate) previous_on_top: bool,
    /// How signatures are written.
    pub(crate) signature: SignatureForm,
    /// How errors are written.
    pub(crate) errors: ErrorShape,
    /// Calls in a minute; without end if 0. The service's own limit isn't published.
    pub(crate) calls_per_minute: u32,
    /// A new invoice is mailed to its customer by itself.
    pub(crate) email_new_invoices: bool,
    /// A payment's receipt is mailed by itself.
    pub(crate) email_receipts: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            idempotency: false,
            updated_after_inclusive: true,
            next_is_self: false,
            sequential_pages: true,
            lists_lag: SignedDuration::ZERO,
            auto_apply_credits: true,
            applications_touch: true,
            refunds_touch: true,
            delete_answers_nothing: false,
            void_is_deleted: false,
            previous_on_top: false,
            signature: SignatureForm::Hex,
            errors: ErrorShape::Documented,
            calls_per_minute: 0,
            email_new_invoices: false,
            email_receipts: false,
        }
    }
}

/// The names of all switches, for the answer to a wrong one.
const NAMES: &str = "idempotency, updated_after_inclusive, next_is_self, sequential_pages, lists_lag_seconds, \
     auto_apply_credits, applications_touch, refunds_touch, delete_answers_nothing, void_is_deleted, \
     previous_on_top, signature (hex, base64), errors (documented, error-field, text), calls_per_minute, \
     email_new_invoices, email_receipts";

impl Switches {
    /// `POST /control/invoiced/switches`: turns those that the body names.
    pub(crate) fn turn(&mut self, body: &Json) -> Result<Json, ControlError> {
        let Json::Object(fields) = body else {
            return Ok(self.show());
        };
        for (name, value) in fields {
            self.set(name, value)
                .ok_or_else(|| ControlError::bad(format!("`{name}`: the switches are {NAMES}")))?;
        }
        Ok(self.show())
    }

    fn set(&mut self, name: &str, value: &Json) -> Option<()> {
        if let (Some(place), Json::Bool(on)) = (self.flag(name), value) {
            *place = *on;
            return Some(());
        }
        match (name, value) {
            ("lists_lag_seconds", Json::Number(number)) => {
                let seconds = number.parse::<u32>().ok()?;
                self.lists_lag = SignedDuration::from_secs(seconds.into());
            }
            ("calls_per_minute", Json::Number(number)) => {
                self.calls_per_minute = number.parse().ok()?;
            }
            ("signature", Json::Text(text)) => {
                self.signature = match &**text {
                    "hex" => SignatureForm::Hex,
                    "base64" => SignatureForm::Base64,
                    _ => return None,
                };
            }
            ("errors", Json::Text(text)) => {
                self.errors = match &**text {
                    "documented" => ErrorShape::Documented,
                    "error-field" => ErrorShape::ErrorField,
                    "text" => ErrorShape::Text,
                    _ => return None,
                };
            }
            _ => return None,
        }
        Some(())
    }

    fn flag(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "idempotency" => &mut self.idempotency,
            "updated_after_inclusive" => &mut self.updated_after_inclusive,
            "next_is_self" => &mut self.next_is_self,
            "sequential_pages" => &mut self.sequential_pages,
            "auto_apply_credits" => &mut self.auto_apply_credits,
            "applications_touch" => &mut self.applications_touch,
            "refunds_touch" => &mut self.refunds_touch,
            "delete_answers_nothing" => &mut self.delete_answers_nothing,
            "void_is_deleted" => &mut self.void_is_deleted,
            "previous_on_top" => &mut self.previous_on_top,
            "email_new_invoices" => &mut self.email_new_invoices,
            "email_receipts" => &mut self.email_receipts,
            _ => return None,
        })
    }

    /// How they stand.
    fn show(&mut self) -> Json {
        let mut shown = Json::object([
            ("lists_lag_seconds", self.lists_lag.as_secs().into()),
            ("calls_per_minute", self.calls_per_minute.into()),
            (
                "signature",
                match self.signature {
                    SignatureForm::Hex => "hex",
                    SignatureForm::Base64 => "base64",
                }
                .into(),
            ),
        ]);
        for name in NAMES.split(", ").map(str::trim) {
            if let Some(flag) = self.flag(name) {
                let flag = *flag;
                shown.put(name, flag.into());
            }
        }
        shown
    }
}
