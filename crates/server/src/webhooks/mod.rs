//! What services tell without being asked: `POST /webhooks/SYSTEM/CONNECTION`.
//!
//! A notification is read up to [`BODY_BYTES_MAX`], proven by its system over the bytes as they came, kept durably, and
//! only then answered with 200. It marks its connection as due, and nothing else of it is believed: what has changed is
//! read from the service. One that comes again is answered in the same way and does nothing.

mod inbox;
mod strangers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, FromRequestParts, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tieout_domain::code::Code;
use tieout_domain::hint::Rejected;
use tieout_domain::{ConnectionName, hexadecimal};
use tieout_store::NewHint;

use crate::app::App;
use crate::program::Notification;
use inbox::{Inbox, NotKept};
use strangers::Strangers;

/// A longer body is refused: no service that is known here sends one.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// A longer id of an event is remembered as its digest.
const EVENT_BYTES_MAX: usize = 200;
/// Whoever sends a notification has so long to send all of it.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// What the handlers share, made once.
#[derive(Clone)]
struct Door {
    app: App,
    inbox: Arc<Inbox>,
    strangers: Arc<Strangers>,
}

/// The routes. They stand open: a notification is proven by its signature, or by the secret in its path.
pub fn routes(app: &App) -> Router<App> {
    let (program, counts) = (Arc::clone(&app.program), Arc::clone(&app.counts));
    let kept = move |hint: &NewHint, is_new: bool| {
        counts.webhook(if is_new { "taken" } else { "repeated" });
        if is_new {
            program.changed(&hint.connection);
        }
    };
    let inbox = Inbox::new(app.store.clone(), Box::new(kept));
    tokio::spawn(Arc::clone(&inbox).begin());
    let door = Door {
        app: app.clone(),
        inbox,
        strangers: Arc::default(),
    };
    Router::new()
        .route("/webhooks/{system}/{connection}", post(signed))
        .route("/webhooks/{system}/{connection}/{secret}", post(secret))
        .with_state(door)
}

async fn signed(
    State(door): State<Door>,
    Path((system, connection)): Path<(String, String)>,
    request: Request,
) -> Response {
    let secret = None;
    door.receive(
        Address {
            system,
            connection,
            secret,
        },
        request,
    )
    .await
}

async fn secret(
    State(door): State<Door>,
    Path((system, connection, secret)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let secret = Some(secret);
    door.receive(
        Address {
            system,
            connection,
            secret,
        },
        request,
    )
    .await
}

/// The path of a notification.
struct Address {
    system: String,
    connection: String,
    secret: Option<String>,
}

/// Why a notification is not taken.
enum Refused {
    Rejected(Rejected),
    /// Its body didn't come in time, or was broken off.
    Incomplete,
    NotKept(NotKept),
}

impl Door {
    async fn receive(&self, address: Address, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let source = source(&mut parts, &self.app).await;
        let counts = &self.app.counts;
        match self.take(&address, &parts.headers, body).await {
            Ok(()) => StatusCode::OK.into_response(),
            Err(Refused::Rejected(rejected)) => {
                counts.webhook(rejected.code().as_str());
                let known = self.strangers.turned_away(source, self.app.clock.now());
                if known {
                    return too_many();
                }
                tracing::warn!(
                    system = address.system, connection = address.connection,
                    code = %rejected.code(), "{rejected}"
                );
                turned_away(&rejected)
            }
            Err(Refused::Incomplete) => {
                counts.webhook("incomplete");
                StatusCode::REQUEST_TIMEOUT.into_response()
            }
            // It will be sent again.
            Err(Refused::NotKept(why)) => {
                counts.webhook("not-kept");
                tracing::error!("a notification can't be kept: {why}");
                let wait = [(header::RETRY_AFTER, "5")];
                (StatusCode::SERVICE_UNAVAILABLE, wait).into_response()
            }
        }
    }

    /// Takes a notification: once this has returned it is durable.
    async fn take(
        &self,
        address: &Address,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(), Refused> {
        let body = whole(headers, body).await?;
        let connection: ConnectionName = address
            .connection
            .parse()
            .map_err(|_| Refused::Rejected(nobody()))?;
        let notification = Notification {
            system: &address.system,
            connection: &connection,
            secret: address.secret.as_deref(),
            headers,
            body: &body,
        };
        let hint = self
            .app
            .program
            .hint(&notification)
            .map_err(Refused::Rejected)?;
        let kind = hint.kind.map(|kind| kind.to_string());
        let id = hint.id.map(|id| id.to_string());
        let kept = NewHint {
            connection,
            system: address.system.clone(),
            event: kept_as(hint.event),
            record: [kind.unwrap_or(hint.event_type), id.unwrap_or_default()].join(" "),
            at: self.app.clock.now(),
        };
        self.inbox.keep(kept).await.map_err(Refused::NotKept)
    }
}

/// An id of an event as it is remembered: one of any length as its digest, for an index of a database takes none.
fn kept_as(event: String) -> String {
    if event.len() <= EVENT_BYTES_MAX {
        return event;
    }
    hexadecimal(&Sha256::digest(event.as_bytes()))
}

/// There is nothing at this address. It is told in the words of a wrong signature, so that nobody learns which
/// connections there are.
fn nobody() -> Rejected {
    Rejected::Unsigned {
        why: "nobody subscribed for this address",
    }
}

/// The whole body, if it is none too long.
async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
    let too_large = |bytes| {
        Refused::Rejected(Rejected::TooLarge {
            bytes,
            most: BODY_BYTES_MAX,
        })
    };
    let told = headers.get(header::CONTENT_LENGTH);
    let told: Option<usize> = told.and_then(|length| length.to_str().ok()?.parse().ok());
    if let Some(bytes) = told.filter(|bytes| *bytes > BODY_BYTES_MAX) {
        return Err(too_large(bytes));
    }
    match tokio::time::timeout(BODY_WITHIN, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_length_limit(&error) => Err(too_large(BODY_BYTES_MAX + 1)),
        Ok(Err(_)) | Err(_) => Err(Refused::Incomplete),
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whom the connection comes from; `None` where the server doesn't tell.
async fn source(parts: &mut Parts, app: &App) -> Option<std::net::IpAddr> {
    let info = ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await;
    info.ok().map(|ConnectInfo(address)| address.ip())
}

fn turned_away(rejected: &Rejected) -> Response {
    let status = match rejected {
        Rejected::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Rejected::Unsigned { .. } => StatusCode::UNAUTHORIZED,
        Rejected::Malformed { .. } => StatusCode::BAD_REQUEST,
    };
    let body = json!({"code": rejected.code(), "cause": rejected.to_string()});
    (status, Json(body)).into_response()
}

fn too_many() -> Response {
    let code = Code::new("webhook-unsigned");
    let body =
        json!({"code": code, "cause": "too many that are not proven come from this address"});
    let wait = [(header::RETRY_AFTER, "60")];
    (StatusCode::TOO_MANY_REQUESTS, wait, Json(body)).into_response()
}
