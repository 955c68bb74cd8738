//! The RESTlet that an administrator installs (README, section *Files*): `GET /app/site/hosting/restlet.nl`.
//!
//! It runs under the caller's role and is asked as any RESTlet is: by script and deployment, in JSON, with a sign-in
//! that may call scripts.

mod attachments;
mod pdf;
mod printed;

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tieout_kit::fake::ControlError;

use crate::auth::Caller;
use crate::auth::role::Level;
use crate::http_surface::{Call, json_response};
use crate::json::Json;
use crate::problem::Problem;
use crate::{NetSuiteFake, lock};
use attachments::{Asked, Attachments, listed_bills};

/// The path's segments.
pub(crate) const PATH: [&str; 4] = ["app", "site", "hosting", "restlet.nl"];
/// What the installed project calls its script and its deployment.
const SCRIPT: &str = "customscript_tieout_files";
const DEPLOYMENT: &str = "customdeploy_tieout_files";
const VERSION: &str = "2";
const MEDIA_TYPE: &str = "application/json;charset=utf-8";

/// How the script is installed, what it was asked, and the file cabinet that it reads.
#[derive(Debug)]
pub(crate) struct Scripts {
    installed: Mutex<Installed>,
    /// How often it was asked for each type.
    asked: Mutex<BTreeMap<String, u64>>,
    pub(crate) attachments: Attachments,
}

/// What can be wrong with an installed script.
#[derive(Debug, Clone, Copy)]
struct Installed {
    /// It is there, and its deployment is switched on.
    deployed: bool,
    /// The caller's role is in the deployment's audience.
    in_audience: bool,
}

impl Default for Scripts {
    fn default() -> Self {
        let installed = Installed {
            deployed: true,
            in_audience: true,
        };
        Self {
            installed: Mutex::new(installed),
            asked: Mutex::default(),
            attachments: Attachments::default(),
        }
    }
}

impl Scripts {
    /// `scripts`: `{"deployed": false}`, `{"in_audience": false}`.
    pub(crate) fn control(&self, body: &Value) -> Result<Value, ControlError> {
        let flag = |name: &str| match body.get(name) {
            None => Ok(None),
            Some(Value::Bool(on)) => Ok(Some(*on)),
            Some(_) => Err(ControlError::bad(format!(
                "scripts.{name}: must be true or false"
            ))),
        };
        let (deployed, in_audience) = (flag("deployed")?, flag("in_audience")?);
        let mut installed = lock(&self.installed);
        installed.deployed = deployed.unwrap_or(installed.deployed);
        installed.in_audience = in_audience.unwrap_or(installed.in_audience);
        Ok(json!({
            "script": SCRIPT, "deployment": DEPLOYMENT,
            "deployed": installed.deployed, "in_audience": installed.in_audience,
        }))
    }

    /// How often the script was asked for each type.
    pub(crate) fn asked(&self) -> Value {
        json!(*lock(&self.asked))
    }
}

/// An error as RESTlets tell it, which is not the record service's way.
pub(crate) struct ScriptError {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl ScriptError {
    const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code,
            message,
        }
    }

    /// A refusal that came before the script: of the sign-in, or of the account's limit.
    pub(crate) fn before(problem: &Problem) -> Self {
        match problem.status {
            401 => Self::new(
                StatusCode::UNAUTHORIZED,
                "INVALID_LOGIN_ATTEMPT",
                "Invalid login attempt.",
            ),
            _ => Self::new(
                StatusCode::BAD_REQUEST,
                "SSS_REQUEST_LIMIT_EXCEEDED",
                "Request Limit Exceeded.",
            ),
        }
    }
}

impl IntoResponse for ScriptError {
    fn into_response(self) -> Response {
        json_response(self.status, MEDIA_TYPE, &error(self.code, self.message))
    }
}

fn error(code: &str, message: &str) -> Json {
    let told = Json::object([("code", Json::text(code)), ("message", Json::text(message))]);
    Json::object([("error", told)])
}

/// Answers a call of the script.
pub(crate) fn serve(
    fake: &NetSuiteFake,
    call: &Call,
    caller: &Caller,
) -> Result<Response, ScriptError> {
    if fake.is_off("SERVERSIDESCRIPTING") {
        let message = "The feature 'Server SuiteScript' is not enabled in this account.";
        return Err(ScriptError::new(
            StatusCode::FORBIDDEN,
            "FEATURE_DISABLED",
            message,
        ));
    }
    let installed = *lock(&fake.scripts.installed);
    let is = |name, own: &str| {
        call.parameter(name)
            .is_some_and(|given| given.eq_ignore_ascii_case(own))
    };
    if !installed.deployed || !is("script", SCRIPT) || !is("deploy", DEPLOYMENT) {
        let message = "That Suitelet is invalid, disabled, or no longer exists.";
        return Err(ScriptError::new(
            StatusCode::NOT_FOUND,
            "SSS_INVALID_SCRIPTLET_ID",
            message,
        ));
    }
    if !installed.in_audience {
        return Err(ScriptError::new(
            StatusCode::FORBIDDEN,
            "INSUFFICIENT_PERMISSION",
            "You do not have privileges to view this page.",
        ));
    }
    if call.method != Method::GET {
        return Err(ScriptError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "SSS_INVALID_SCRIPT_OPERATION",
            "The script has no function for this method.",
        ));
    }
    let media = call.header("content-type").unwrap_or_default();
    if !media.to_ascii_lowercase().starts_with("application/json") {
        return Err(ScriptError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "INVALID_CONTENT_TYPE",
            "Invalid content type. You can only use application/json or text/plain with RESTlets.",
        ));
    }
    Ok(json_response(
        StatusCode::OK,
        MEDIA_TYPE,
        &run(fake, call, caller),
    ))
}

/// What the script does. It answers 200 whatever is wrong, and says what in its answer.
fn run(fake: &NetSuiteFake, call: &Call, caller: &Caller) -> Json {
    let kind = call.parameter("type").unwrap_or_default();
    *lock(&fake.scripts.asked)
        .entry(kind.to_owned())
        .or_default() += 1;
    let may = |permission| caller.role.may(permission, Level::View);
    let forbidden = || {
        error(
            "INSUFFICIENT_PERMISSION",
            "Permission Violation: the role may not see this record.",
        )
    };
    let missing = || error("RCRD_DSNT_EXIST", "That record does not exist.");
    let id = call.parameter("id").and_then(|id| id.parse::<i64>().ok());
    match (kind, id) {
        ("about", _) => Json::object([
            ("version", Json::text(VERSION)),
            ("invoices", Json::Bool(may("Invoice"))),
            ("bills", Json::Bool(may("Bills"))),
        ]),
        ("invoice", _) if !may("Invoice") => forbidden(),
        ("vendorBill" | "attachments" | "file", _) if !may("Bills") => forbidden(),
        ("invoice", Some(id)) => match fake.with_books(|books| printed::invoice(books, id)) {
            Ok(Some(invoice)) => {
                let bytes = pdf::of_lines(&invoice.lines(fake.company_name()));
                file(&invoice.file_name(), "application/pdf", &bytes)
            }
            Ok(None) => missing(),
            Err(failure) => error("UNEXPECTED_ERROR", &failure.to_string()),
        },
        ("vendorBill", Some(id)) => fake.scripts.attachments.list(id),
        ("attachments", _) => {
            let number = |name| call.parameter(name).and_then(|text| text.parse().ok());
            let asked = Asked {
                now: fake.now().as_second(),
                since: number("since"),
                after: number("after").unwrap_or(0),
            };
            match fake.with_books(|books| listed_bills(books, asked.since)) {
                Ok(bills) => fake.scripts.attachments.page(&bills, &asked),
                Err(failure) => error("UNEXPECTED_ERROR", &failure.to_string()),
            }
        }
        ("file", Some(id)) => fake
            .scripts
            .attachments
            .with(id, |one| file(&one.name, one.media_type(), &one.bytes))
            .unwrap_or_else(missing),
        _ => error(
            "SSS_INVALID_TYPE_ARG",
            "type is about, invoice, vendorBill, attachments or file; invoice, vendorBill and file need an id.",
        ),
    }
}

fn file(name: &str, media_type: &str, bytes: &[u8]) -> Json {
    Json::object([
        ("name", Json::text(name)),
        ("mediaType", Json::text(media_type)),
        ("content", Json::text(STANDARD.encode(bytes))),
    ])
}
