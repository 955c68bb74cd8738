//! The system services: the server's time and the account's concurrency limits.

use axum::response::Response;
use http::{Method, StatusCode};

use crate::NetSuiteFake;
use crate::auth::Caller;
use crate::http_surface::{Call, SINGULAR, json_response};
use crate::json::Json;
use crate::problem::Problem;

/// `GET /services/rest/system/v1/serverTime`: the clock that signatures are judged by.
pub(crate) fn server_time(fake: &NetSuiteFake, call: &Call) -> Result<Response, Problem> {
    only_get(call)?;
    let time = fake.wall().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Ok(json_response(
        StatusCode::OK,
        SINGULAR,
        &Json::object([("serverTime", Json::text(time))]),
    ))
}

/// `GET /services/rest/system/v1/governanceLimits`: for administrators only.
pub(crate) fn governance_limits(
    fake: &NetSuiteFake,
    call: &Call,
    caller: &Caller,
) -> Result<Response, Problem> {
    only_get(call)?;
    if !caller.role.is_administrator() {
        return Err(Problem::forbidden("Integration Management"));
    }
    let limit = i64::try_from(fake.limits.limit()).unwrap_or(i64::MAX);
    let body = Json::object([
        ("accountConcurrencyLimit", Json::integer(limit)),
        ("accountUnallocatedConcurrencyLimit", Json::integer(limit)),
        ("integrationConcurrencyLimit", Json::integer(limit)),
        ("integrationLimitType", Json::text("accountLimit")),
    ]);
    Ok(json_response(StatusCode::OK, SINGULAR, &body))
}

fn only_get(call: &Call) -> Result<(), Problem> {
    if call.method == Method::GET {
        Ok(())
    } else {
        Err(Problem::method(&call.method))
    }
}
