//! What payments are drawn on (README §Funding accounts).

use crate::ids::Kind;
use crate::json::Json;
use crate::list::{Cell, Listing, Of, page};
use crate::organization::{Organization, time_text};
use crate::problem::Problem;
use crate::route::{Answer, Call, Reply};
use crate::shape::{Field, Rule, may, need, pick};
use crate::table::Table;

/// The organization's own accounts and cards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Funding {
    pub(crate) banks: Table<Json>,
    pub(crate) cards: Table<Json>,
}

static BANK: &[Field] = &[
    may("bankName", Rule::Text(100)),
    need("nameOnAccount", Rule::Text(100)),
    need("accountNumber", Rule::Text(40)),
    need("routingNumber", Rule::Text(40)),
    need("type", Rule::Choice(&["CHECKING", "SAVINGS"])),
    may("ownerType", Rule::Choice(&["BUSINESS", "PERSONAL"])),
    may("chartOfAccountId", Rule::Text(20)),
];

const BANKS: Listing = Listing {
    kind: Kind::Bank,
    filters: &[
        ("bankAccountId", "eq", Of::Id(Kind::Bank)),
        ("status", "eq in", Of::Text),
    ],
    sorts: &[],
};
const CARDS: Listing = Listing {
    kind: Kind::Card,
    filters: &[],
    sorts: &[],
};

/// `/v3/funding-accounts/…`
pub(crate) fn answer(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    let scope = (&org.ids, &call.query, org.options.archived_in_lists);
    match (&*call.method, path) {
        ("GET", ["banks"]) => {
            let table = &org.funding.banks;
            let cell = |place: u32, field: &str| match field {
                "bankAccountId" => Cell::Id(place),
                field => Cell::from(table.at(place).body.text(field)),
            };
            let narrow = |conditions: &crate::list::Conditions| conditions.ids("bankAccountId");
            page(table, &BANKS, scope, narrow, cell, |place| bank(org, place)).map(Reply::ok)
        }
        ("GET", ["cards" | "ap-cards"]) => {
            let table = &org.funding.cards;
            page(
                table,
                &CARDS,
                scope,
                |_| None,
                |_, _| Cell::Unset,
                |place| table.at(place).body.clone(),
            )
            .map(Reply::ok)
        }
        ("GET", ["permissions"]) => {
            let places = org.funding.banks.rows();
            let accounts: Vec<Json> = places
                .map(|(place, _)| {
                    let id = org.ids.text(Kind::Bank, place);
                    Json::object([("id", id.into()), ("payables", true.into())])
                })
                .collect();
            Ok(Reply::ok(Json::object([("results", accounts.into())])))
        }
        ("GET", ["banks", "users"]) => {
            let user = Json::object([("userId", org.user().into())]);
            Ok(Reply::ok(Json::object([("results", vec![user].into())])))
        }
        ("POST", ["banks"]) => {
            if call.session.sync || (org.options.production && !call.session.trusted) {
                let message = "Adding a bank account needs a trusted session";
                return Err(Problem::new(403, "BDC_1150", message));
            }
            let mut fields = pick(BANK, &call.json()?, false)?;
            fields.set("status", "PENDING".into());
            let stamp = org.stamp();
            let place = org.funding.banks.push(fields, stamp);
            notify(org, "bank-account.created", place);
            Ok(Reply::created(bank(org, place)))
        }
        ("GET", ["banks", id]) => {
            let place = org.place(Kind::Bank, id, org.funding.banks.len())?;
            Ok(Reply::ok(bank(org, place)))
        }
        _ => Err(Problem::path()),
    }
}

fn notify(org: &mut Organization, event: &'static str, place: u32) {
    if org.webhooks.wants(event) {
        let account = bank(org, place);
        crate::webhooks::emit(org, event, "bankAccount", account);
    }
}

/// An account as answers show it: its number is masked.
fn bank(org: &Organization, place: u32) -> Json {
    let row = org.funding.banks.at(place);
    let fields = &row.body;
    let number = fields.text("accountNumber").unwrap_or_default();
    let last = number
        .get(number.len().saturating_sub(4)..)
        .unwrap_or_default();
    let field = |name: &str| -> Json { fields.text(name).into() };
    Json::object([
        ("id", org.ids.text(Kind::Bank, place).into()),
        ("archived", row.archived.into()),
        ("bankName", field("bankName")),
        ("nameOnAccount", field("nameOnAccount")),
        ("accountNumber", format!("****{last}").into()),
        ("routingNumber", field("routingNumber")),
        ("type", field("type")),
        ("ownerType", field("ownerType")),
        ("status", field("status")),
        ("chartOfAccountId", field("chartOfAccountId")),
        (
            "default",
            Json::object([
                ("payables", (place == 0).into()),
                ("receivables", (place == 0).into()),
            ]),
        ),
        ("accessToAdmins", true.into()),
        ("createdBy", org.user().into()),
        ("createdTime", time_text(row.created).into()),
        ("updatedTime", time_text(row.updated).into()),
    ])
}
