//! Invoices as PDF. The record service prints nothing: a RESTlet does, which an administrator installs (README §Files).
//!
//! What goes wrong here is the PDF's matter alone: a script that isn't there, or may not be called, keeps nothing else
//! from working.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tieout_domain::code::Code;
use tieout_domain::port::{File, Files};
use tieout_domain::{Fault, RemoteId, Timestamp};

use crate::call::{Call, Client};
use crate::problem::{Aim, cut};
use crate::settings::{RESTLETS, Script};

/// A script's answer may be so long (seen as ten megabytes); a file that is longer can't come whole.
const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// For so long after the script as a whole was refused it isn't asked again.
const CLOSED_SECONDS: i64 = 300;
/// How every PDF begins.
const PDF: &[u8] = b"%PDF-";

/// What the script says of itself.
#[derive(Debug, Deserialize)]
pub(crate) struct About {
    /// Its version.
    pub(crate) version: String,
    /// Whether the role that called it may see invoices.
    pub(crate) invoices: bool,
}

/// A file as the script hands it out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Printed {
    name: String,
    media_type: String,
    content: String,
}

/// What our script answers: what was asked for, or why not. It throws nothing that it can tell.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Refused { error: Refusal },
    Given(T),
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: String,
}

impl Client {
    /// Whether the script is there, is deployed, may be called, and may print.
    pub(crate) async fn about_files(&self, script: &Script) -> Result<About, Fault> {
        self.ask(script, vec![("type", "about".to_owned())]).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        script: &Script,
        what: Vec<(&'static str, String)>,
    ) -> Result<T, Fault> {
        let mut query = vec![
            ("script", script.id.clone()),
            ("deploy", script.deployment.clone()),
        ];
        query.extend(what);
        let call = Call {
            method: Method::GET,
            path: RESTLETS.to_owned(),
            query,
            body: None,
            aim: Aim::Read,
        };
        let reply = self.send(&call).await;
        let reply = reply.map_err(|fault| of_the_script(script, fault))?;
        match serde_json::from_slice(&reply.body) {
            Ok(Answer::Given(given)) => Ok(given),
            Ok(Answer::Refused { error }) => Err(refused(&error)),
            Err(error) => Err(Fault::Drift {
                code: Code::new("drift"),
                cause: format!(
                    "the script {} answers something else than ours does: {error}",
                    script.id
                ),
            }),
        }
    }
}

/// A call that didn't come as far as our script.
fn of_the_script(script: &Script, fault: Fault) -> Fault {
    match fault {
        Fault::Refused { code, field, cause } if code == Code::new("gone-there") => {
            Fault::Refused {
                code: Code::new("script-missing"),
                field,
                cause: format!(
                    "there is no RESTlet {} with the deployment {}, or it isn't released for this role: {cause}",
                    script.id, script.deployment
                ),
            }
        }
        // The sign-in to the services may be as good as ever.
        Fault::Denied { code, cause } if code != Code::new("invalid-login") => Fault::Refused {
            code,
            field: None,
            cause,
        },
        other => other,
    }
}

/// What our script says is wrong, in NetSuite's own code and words.
fn refused(error: &Refusal) -> Fault {
    let code = match error.code.as_str() {
        "RCRD_DSNT_EXIST" => Code::new("gone-there"),
        "INSUFFICIENT_PERMISSION" => Code::new("permission-missing"),
        _ => Code::new("refused-there"),
    };
    Fault::Refused {
        code,
        field: None,
        cause: cut(&format!("{} ({})", error.message, error.code)),
    }
}

/// The bytes of a PDF, if that is what came.
fn pdf(printed: Printed) -> Result<File, Fault> {
    let too_large = |bytes: usize| Fault::Refused {
        code: Code::new("file-too-large"),
        field: None,
        cause: format!(
            "`{}` has {bytes} bytes, and {FILE_BYTES_MAX} are the most",
            printed.name
        ),
    };
    let told = printed.content.len() / 4 * 3;
    if told > FILE_BYTES_MAX + 3 {
        return Err(too_large(told));
    }
    // Its lines may be broken, as mail has them.
    let content: Vec<u8> = printed
        .content
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let bytes = STANDARD.decode(content).unwrap_or_default();
    if bytes.len() > FILE_BYTES_MAX {
        return Err(too_large(bytes.len()));
    }
    if printed.media_type != "application/pdf" || !bytes.starts_with(PDF) {
        return Err(Fault::Drift {
            code: Code::new("drift"),
            cause: format!("`{}` ({}) is no PDF", printed.name, printed.media_type),
        });
    }
    Ok(File {
        name: printed.name,
        media_type: printed.media_type,
        bytes,
    })
}

/// Prints invoices by the script.
pub(crate) struct Printer {
    client: Arc<Client>,
    script: Script,
    /// Why the script as a whole can't be used, and since when that is known.
    closed: Mutex<Option<(Timestamp, Fault)>>,
}

impl Printer {
    /// The port; `None` where no script is set.
    pub(crate) fn of(client: &Arc<Client>) -> Option<Arc<dyn Files>> {
        let script = client.settings.files.clone()?;
        Some(Arc::new(Self {
            client: Arc::clone(client),
            script,
            closed: Mutex::new(None),
        }))
    }

    fn still_closed(&self) -> Option<Fault> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, fault) = closed.as_ref()?;
        let now = self.client.wire.kit.timer.now();
        (now.as_second() - since.as_second() < CLOSED_SECONDS).then(|| fault.clone())
    }

    /// One invoice's refusal says nothing of the next; a script's does.
    fn remember(&self, fault: &Fault) {
        let whole = ["script-missing", "scope-missing", "permission-missing"];
        if whole.contains(&fault.code().as_str()) {
            let now = self.client.wire.kit.timer.now();
            let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
            *closed = Some((now, fault.clone()));
        }
    }
}

#[async_trait]
impl Files for Printer {
    async fn invoice_pdf(&self, invoice: &RemoteId) -> Result<File, Fault> {
        if let Some(fault) = self.still_closed() {
            return Err(fault);
        }
        let what = vec![
            ("type", "invoice".to_owned()),
            ("id", invoice.as_str().to_owned()),
        ];
        let printed = self.client.ask(&self.script, what).await;
        printed
            .and_then(pdf)
            .inspect_err(|fault| self.remember(fault))
    }
}
