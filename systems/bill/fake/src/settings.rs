//! The organization's own settings: terms, users, approval policies, exports, recurring bills.

use crate::ids::Kind;
use crate::json::Json;
use crate::list::{Cell, Listing, page};
use crate::organization::{Organization, time_text};
use crate::problem::Problem;
use crate::route::{Answer, Call, Reply};
use crate::shape::{Field, Rule, may, need, pick};

static TERM: &[Field] = &[need("name", Rule::Text(100)), need("daysDue", Rule::Number)];
static POLICY: &[Field] = &[
    may("name", Rule::Text(255)),
    need("rules", Rule::Any),
    may("approvers", Rule::Any),
];
static RECURRING: &[Field] = &[
    need("vendorId", Rule::Text(20)),
    may("description", Rule::Text(4000)),
    need("schedule", Rule::Any),
    need("billLineItems", Rule::Any),
];

const TERMS: Listing = Listing {
    kind: Kind::Term,
    filters: &[],
    sorts: &["name", "daysDue"],
};
const RECURRINGS: Listing = Listing {
    kind: Kind::RecurringBill,
    filters: &[],
    sorts: &[],
};

/// `/v3/organizations/…`, `/v3/users` and `/v3/exports`.
pub(crate) fn answer(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        ("GET", ["organizations"]) => Ok(Reply::ok(Json::object([(
            "results",
            vec![organization(org)].into(),
        )]))),
        ("GET", ["organizations", id]) if *id == org.id() => Ok(Reply::ok(organization(org))),
        (_, ["organizations", id, "payment-terms", rest @ ..]) if *id == org.id() => {
            terms(org, call, rest)
        }
        (_, ["organizations", id, ..]) => Err(Problem::missing(id)),
        ("GET", ["users"]) => {
            let user = Json::object([
                ("id", org.user().into()),
                ("email", org.auth.user.name.as_str().into()),
                ("archived", false.into()),
            ]);
            Ok(Reply::ok(Json::object([("results", vec![user].into())])))
        }
        ("GET", ["exports"]) => Ok(Reply::ok(Json::object([(
            "results",
            Json::List(Vec::new()),
        )]))),
        _ => Err(Problem::path()),
    }
}

fn organization(org: &Organization) -> Json {
    Json::object([("id", org.id().into()), ("name", org.name.as_str().into())])
}

fn terms(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        ("GET", []) => {
            let cell = |place: u32, field: &str| match field {
                "daysDue" => {
                    let days = org.terms.at(place).body.number(field);
                    days.map_or(Cell::Unset, Cell::Number)
                }
                field => Cell::from(org.terms.at(place).body.text(field)),
            };
            let scope = (&org.ids, &call.query, org.options.archived_in_lists);
            page(
                &org.terms,
                &TERMS,
                scope,
                |_| None,
                cell,
                |place| term(org, place),
            )
            .map(Reply::ok)
        }
        ("POST", []) => {
            let fields = pick(TERM, &call.json()?, false)?;
            let stamp = org.stamp();
            let place = org.terms.push(fields, stamp);
            Ok(Reply::created(term(org, place)))
        }
        (method @ ("GET" | "PATCH" | "PUT"), [id]) => {
            let place = org.place(Kind::Term, id, org.terms.len())?;
            if method != "GET" {
                let change = pick(TERM, &call.json()?, true)?;
                let stamp = org.stamp();
                org.terms.at_mut(place).body.merge(&change);
                org.terms.touch(place, stamp);
            }
            Ok(Reply::ok(term(org, place)))
        }
        _ => Err(Problem::path()),
    }
}

fn term(org: &Organization, place: u32) -> Json {
    let row = org.terms.at(place);
    with_times(
        &row.body,
        org.ids.text(Kind::Term, place),
        (row.archived, row.created, row.updated),
    )
}

/// A record of which the sandbox knows nothing but what was written.
pub(crate) fn with_times(
    body: &Json,
    id: String,
    (archived, created, updated): (bool, i64, i64),
) -> Json {
    let mut shown = body.clone();
    shown.set("archived", archived.into());
    shown.set("createdTime", time_text(created).into());
    shown.set("updatedTime", time_text(updated).into());
    if let Json::Object(fields) = &mut shown {
        fields.insert(0, ("id".into(), id.into()));
    }
    shown
}

/// `/v3/bill-approvals/policies/…`: with a policy, new bills wait for an approver.
pub(crate) fn policies(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    let show = |org: &Organization, number: u32, body: &Json| {
        let mut policy = body.clone();
        policy.set("id", org.ids.text(Kind::Policy, number).into());
        policy
    };
    match (&*call.method, path) {
        ("GET", []) => {
            let all = org
                .policies
                .iter()
                .map(|(number, body)| show(org, *number, body));
            Ok(Reply::ok(Json::object([(
                "results",
                all.collect::<Vec<_>>().into(),
            )])))
        }
        ("POST", []) => {
            let body = pick(POLICY, &call.json()?, false)?;
            let number = org.policies.last().map_or(0, |(number, _)| number + 1);
            org.policies.push((number, body.clone()));
            Ok(Reply::created(show(org, number, &body)))
        }
        (method @ ("PUT" | "DELETE"), [id]) => {
            let number = org.ids.place(Kind::Policy, id);
            let at = org
                .policies
                .iter()
                .position(|(known, _)| Some(*known) == number);
            let at = at.ok_or_else(|| Problem::missing(id))?;
            if method == "DELETE" {
                org.policies.remove(at);
                return Ok(Reply::nothing());
            }
            let body = pick(POLICY, &call.json()?, false)?;
            org.policies[at].1 = body.clone();
            Ok(Reply::ok(show(org, org.policies[at].0, &body)))
        }
        _ => Err(Problem::path()),
    }
}

/// `/v3/recurringbills/…`, without a hyphen. They are kept; no bills are made from them.
pub(crate) fn recurring_bills(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    let show = |org: &Organization, place: u32| {
        let row = org.recurring.at(place);
        let id = org.ids.text(Kind::RecurringBill, place);
        with_times(&row.body, id, (row.archived, row.created, row.updated))
    };
    match (&*call.method, path) {
        ("GET", []) => {
            let scope = (&org.ids, &call.query, org.options.archived_in_lists);
            let cell = |_: u32, _: &str| Cell::Unset;
            page(
                &org.recurring,
                &RECURRINGS,
                scope,
                |_| None,
                cell,
                |place| show(org, place),
            )
            .map(Reply::ok)
        }
        ("POST", []) => {
            let fields = pick(RECURRING, &call.json()?, false)?;
            let stamp = org.stamp();
            let place = org.recurring.push(fields, stamp);
            Ok(Reply::created(show(org, place)))
        }
        (method, [id, rest @ ..]) => {
            let place = org.place(Kind::RecurringBill, id, org.recurring.len())?;
            match (method, rest) {
                ("GET", []) => {}
                ("POST", [action @ ("archive" | "restore")]) => {
                    let stamp = org.stamp();
                    org.recurring.at_mut(place).archived = *action == "archive";
                    org.recurring.touch(place, stamp);
                }
                _ => return Err(Problem::path()),
            }
            Ok(Reply::ok(show(org, place)))
        }
        _ => Err(Problem::path()),
    }
}
