//! From a call to the room that answers it.

use bytes::Bytes;

use crate::auth::{self, Session};
use crate::ids::Kind;
use crate::json::Json;
use crate::list::Query;
use crate::organization::Organization;
use crate::problem::Problem;
use crate::webhooks::Event;
use crate::{
    approvals, bills, classifications, credits, documents, funding, payments, receivables,
    settings, vendors, webhooks,
};

/// A call whose session is good.
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) query: Query,
    pub(crate) body: Bytes,
    pub(crate) session_id: String,
    pub(crate) session: Session,
    /// `X-Idempotent-Key`, which the webhook calls want.
    pub(crate) idempotency_key: Option<String>,
}

impl Call {
    /// The body.
    pub(crate) fn json(&self) -> Result<Json, Problem> {
        let broken = |_| Problem::new(400, "BDC_1122", "JSON parse error");
        if self.body.is_empty() {
            return Err(Problem::must("Required request body is missing"));
        }
        let text = std::str::from_utf8(&self.body)
            .map_err(|_| Problem::new(400, "BDC_1122", "JSON parse error: not UTF-8"))?;
        Json::parse(text).map_err(broken)
    }

    /// The body, where it may be left out.
    pub(crate) fn json_or_empty(&self) -> Result<Json, Problem> {
        if self.body.is_empty() {
            Ok(Json::object([]))
        } else {
            self.json()
        }
    }

    /// The identifiers in the query, repeated or in a list with commas.
    pub(crate) fn ids(&self) -> Vec<String> {
        let given = self.query.all("ids").flat_map(|ids| ids.split(','));
        given
            .map(|id| id.trim().to_owned())
            .filter(|id| !id.is_empty())
            .collect()
    }
}

/// An answer that is no error.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Body,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// JSON.
    Json(Json),
    /// A file.
    File(Bytes),
    /// Nothing.
    Empty,
    /// A test notification goes out first; its outcome is part of the answer.
    Test(Box<Event>),
}

/// What a room answers.
pub(crate) type Answer = Result<Reply, Problem>;

impl Reply {
    /// 200.
    pub(crate) fn ok(body: Json) -> Self {
        Self {
            status: 200,
            body: Body::Json(body),
        }
    }

    /// 201.
    pub(crate) fn created(body: Json) -> Self {
        Self {
            status: 201,
            body: Body::Json(body),
        }
    }

    /// 204.
    pub(crate) fn nothing() -> Self {
        Self {
            status: 204,
            body: Body::Empty,
        }
    }
}

/// Answers a call under `/connect`; `path` begins with `v3`.
pub(crate) fn connect(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    org.auth.permits(call.method != "GET", path)?;
    let ["v3", path @ ..] = path else {
        return Err(Problem::path());
    };
    match path {
        ["login" | "logout" | "mfa", ..] => auth::answer(org, call, path),
        ["vendors", rest @ ..] => vendors::answer(org, call, rest),
        ["reports", "audit-trail", "vendor", id] => vendors::audit_trail(org, call, id),
        ["bills", rest @ ..] => bills::answer(org, call, rest),
        ["bill-approvals", rest @ ..] => approvals::answer(org, call, rest),
        ["recurringbills", rest @ ..] => settings::recurring_bills(org, call, rest),
        ["payments", rest @ ..] => payments::answer(org, call, rest),
        ["vendor-credits", rest @ ..] => credits::answer(org, call, rest),
        ["classifications", list, rest @ ..] => classifications::answer(org, call, list, rest),
        ["funding-accounts", rest @ ..] => funding::answer(org, call, rest),
        ["customers", rest @ ..] => receivables::customers(org, call, rest),
        ["invoices", rest @ ..] => receivables::invoices(org, call, rest),
        ["credit-memos", rest @ ..] => receivables::credit_memos(org, call, rest),
        ["receivable-payments", rest @ ..] => receivables::payments(org, call, rest),
        ["documents", rest @ ..] => documents::documents(org, call, rest),
        ["attachments", rest @ ..] => documents::attachments(org, call, rest),
        ["organizations" | "users" | "exports", ..] => settings::answer(org, call, path),
        _ => Err(Problem::path()),
    }
}

/// Answers a call under `/connect-events`.
pub(crate) fn events(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    let ["v3", path @ ..] = path else {
        return Err(Problem::path());
    };
    webhooks::answer(org, call, path)
}

/// A reference in a body to a record that must exist.
pub(crate) fn reference(
    org: &Organization,
    kind: Kind,
    field: &str,
    id: &str,
    length: u32,
) -> Result<u32, Problem> {
    let place = org.ids.place(kind, id).filter(|place| *place < length);
    place.ok_or_else(|| Problem::value(format!("{field}: {id} does not exist")))
}
