//! Tie-outs: those that were signed, word for word, and a new one.

use axum::Json;
use axum::routing::{get, post};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tieout_desk::tie_out::Scope;
use tieout_domain::Currency;
use tieout_domain::code::Code;
use tieout_store::{ConnectionStore, Entry, Fact};

use super::connections::store;
use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, instant, list, object, of, text};
use super::taking::{Asked, Named, Nothing, Taken};
use crate::people::Role;
use crate::view::View;

const TIE_OUTS: &str = "/connections/{connection}/tie-outs";

/// What can be asked of tie-outs.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("listSignatures", Method::GET, TIE_OUTS),
            "SignatureList",
            "The signatures under tie-outs, the oldest first.",
            get(all),
        ),
        Operation::new(
            (
                "getSignedTieOut",
                Method::GET,
                "/connections/{connection}/tie-outs/{sha256}",
            ),
            "TieOut",
            "A tie-out as it was signed.",
            get(one),
        ),
        Operation::new(
            ("makeTieOut", Method::POST, TIE_OUTS),
            "TieOut",
            "Makes a tie-out: reads both sides and holds them against each other. It takes a while.",
            post(make),
        )
        .needs(Role::Operator)
        .takes("TieOutRequest")
        .asks_a_side(),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let signature = json!({
        "period": text(), "currency": of("Currency"), "role": {"enum": ["preparer", "reviewer"]},
        "who": text(), "at": instant(), "comment": text(), "status": of("TieOutStatus"), "sha256": text(),
    });
    let mut asked = object(
        json!({
            "period": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
            "currency": of("Currency"),
        }),
        &["period", "currency"],
    );
    asked["description"] = json!("As of the end of a month; of the present one if none is named.");
    asked["example"] = json!({"period": "2026-06"});
    vec![
        (
            "TieOutStatus",
            json!({"enum": ["TIED", "TIED WITH EXCEPTIONS", "NOT TIED", "INCOMPLETE"]}),
        ),
        ("Signature", object(signature, &[])),
        ("SignatureList", all_of("Signature")),
        ("TieOutRequest", asked),
        (
            "TieOut",
            json!({
                "type": "object",
                "description": "The report, as `tieout tie-out --format json` writes it.",
                "properties": {
                    "status": of("TieOutStatus"), "period": {"type": "object"}, "currency": of("Currency"),
                    "residuals": {"type": "object"}, "legs": {"type": "object"},
                    "items": list(json!({"type": "object"})),
                },
                "required": ["status", "period", "currency"],
            }),
        ),
    ]
}

/// A signature as it is shown; `None` for what is signed and is no tie-out.
fn shown(entry: &Entry) -> Option<Value> {
    let Fact::Signed {
        report,
        period,
        currency,
        role,
        status,
        sha256,
        comment,
        ..
    } = &entry.fact
    else {
        return None;
    };
    (report == "tie-out").then(|| {
        json!({
            "period": period, "currency": currency, "role": role, "who": entry.actor, "at": entry.at,
            "comment": comment, "status": status, "sha256": sha256,
        })
    })
}

async fn signatures(store: &ConnectionStore) -> Result<Vec<Value>, Problem> {
    let entries = store.signatures().await?;
    Ok(entries.iter().filter_map(shown).collect())
}

async fn all(
    view: View,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let signatures = signatures(&store(&view, &name)?).await?;
    Ok(Json(json!({ "items": signatures })))
}

async fn one(
    view: View,
    Named((name, sha256)): Named<(String, String)>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let missing = || {
        let cause = format!("nothing was signed under {sha256} in {name}");
        Problem::missing(Code::new("not-signed"), cause)
    };
    // What a report was made of lies beside it, under a hash of its own.
    let signed = signatures(&store).await?;
    if !signed.iter().any(|one| one["sha256"] == sha256.as_str()) {
        return Err(missing());
    }
    let body = store.frozen(&sha256).await?.ok_or_else(missing)?;
    serde_json::from_str(&body).map(Json).map_err(|error| {
        let cause = format!("what was signed under {sha256}: {error}");
        let status = http::StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, Code::new("store-corrupt"), cause)
    })
}

/// Of which month, in which currency.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TieOutRequest {
    period: Option<String>,
    currency: Option<Currency>,
}

async fn make(
    view: View,
    Named(name): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
    Taken(request): Taken<TieOutRequest>,
) -> Result<Json<Value>, Problem> {
    let store = store(&view, &name)?;
    let scope = Scope {
        period: request.period,
        currency: request.currency.map(|currency| currency.to_string()),
    };
    let made = view.program.tie_out(store.name(), &scope).await?;
    Ok(Json(json!(made.report)))
}
