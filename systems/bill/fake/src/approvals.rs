//! Approvals of bills (README §Bills).

use crate::bills::{total, touch};
use crate::ids::Kind;
use crate::json::Json;
use crate::money::number;
use crate::organization::Organization;
use crate::problem::Problem;
use crate::route::{Answer, Call, Reply};
use crate::shape::{Field, Rule, entries, may, need, pick};

static ACTION: &[Field] = &[
    need("billId", Rule::Text(20)),
    need("action", Rule::Choice(&["APPROVE", "DENY"])),
    may("comment", Rule::Text(4000)),
];

/// `/v3/bill-approvals/…`
pub(crate) fn answer(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        ("POST", ["actions"]) => {
            let mut actions = Vec::new();
            for entry in entries(&call.json()?, 100)? {
                let entry = pick(ACTION, entry, false)?;
                let id = entry.text("billId").unwrap_or_default();
                let place = org.place(Kind::Bill, id, org.bills.len())?;
                let approve = entry.text("action") == Some("APPROVE");
                actions.push((place, if approve { "APPROVED" } else { "DENIED" }));
            }
            for (place, approval) in actions {
                set_approval(org, place, approval);
            }
            Ok(Reply::ok(Json::object([("status", "SUCCESS".into())])))
        }
        ("GET", ["pending-user-approvals"]) => {
            let waiting = org.bills.rows().filter(|(_, row)| {
                !row.archived && matches!(row.body.approval, "ASSIGNED" | "APPROVING")
            });
            let bills: Vec<Json> = waiting
                .map(|(place, row)| {
                    Json::object([
                        ("billId", org.ids.text(Kind::Bill, place).into()),
                        (
                            "vendorId",
                            org.ids.text(Kind::Vendor, row.body.vendor).into(),
                        ),
                        ("amount", number(total(&row.body))),
                        ("dueDate", row.body.due_date.into()),
                    ])
                })
                .collect();
            Ok(Reply::ok(Json::object([("bills", bills.into())])))
        }
        (_, ["policies", rest @ ..]) => crate::settings::policies(org, call, rest),
        _ => Err(Problem::path()),
    }
}

/// An approver, or the control panel, decides.
pub(crate) fn set_approval(org: &mut Organization, place: u32, approval: &'static str) {
    org.bills.at_mut(place).body.approval = approval;
    touch(org, place);
}
