//! Invoices as PDF, and the files of bills. The record service prints nothing and has no files: a RESTlet does and has,
//! which an administrator installs (README §Files).
//!
//! What goes wrong here is the file's matter alone: a script that isn't there, or may not be called, keeps nothing else
//! from working.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
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
/// What is said of the script as a whole, and of no one file.
pub(crate) const CLOSED: [&str; 3] = ["script-missing", "scope-missing", "permission-missing"];
/// How the codes begin by which a script refuses how it is called: it is another, or older.
pub(crate) const INVALID: &str = "SSS_INVALID_";
/// How every PDF begins.
const PDF: &[u8] = b"%PDF-";

/// What the script says of itself.
#[derive(Debug, Deserialize)]
pub(crate) struct About {
    /// Its version.
    pub(crate) version: String,
    /// Whether the role that called it may see invoices.
    pub(crate) invoices: bool,
    /// Whether it may see bills.
    #[serde(default)]
    pub(crate) bills: bool,
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

    pub(crate) async fn ask<T: DeserializeOwned>(
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
                    "the script `{}` answers something else than ours does: {error}",
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
        Fault::Refused { field, cause, .. } => match lasting(code_of(&cause)) {
            Some(code) => Fault::Refused { code, field, cause },
            None => passing(cause),
        },
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
    let cause = cut(&format!("{} ({})", error.message, error.code));
    match lasting(&error.code) {
        Some(code) => Fault::Refused {
            code,
            field: None,
            cause,
        },
        None => passing(cause),
    }
}

/// What NetSuite's code says of the file, of the role or of the script. `None` for all else, a limit or a failure of the
/// service's: that passes, and what is refused is never tried again by itself.
fn lasting(code: &str) -> Option<Code> {
    match code {
        "RCRD_DSNT_EXIST" => Some(Code::new("gone-there")),
        "INSUFFICIENT_PERMISSION" => Some(Code::new("permission-missing")),
        "TIEOUT_PDF_OFF" => Some(Code::new("refused-there")),
        _ if code.starts_with(INVALID) => Some(Code::new("refused-there")),
        _ => None,
    }
}

fn passing(cause: String) -> Fault {
    Fault::Later {
        code: Code::new("server-error"),
        cause,
        after: None,
    }
}

/// NetSuite's code, which stands in brackets behind its words.
pub(crate) fn code_of(words: &str) -> &str {
    let words = words.strip_suffix(')').unwrap_or_default();
    words.rsplit_once('(').map_or("", |(_, code)| code)
}

/// The bytes of a PDF, if that is what came.
fn pdf(printed: Printed) -> Result<File, Fault> {
    let file = whole(printed)?;
    if file.media_type != "application/pdf" || !file.bytes.starts_with(PDF) {
        return Err(Fault::Drift {
            code: Code::new("drift"),
            cause: format!("`{}` ({}) is no PDF", file.name, file.media_type),
        });
    }
    Ok(file)
}

/// The file, if it is the one that was listed.
fn listed(printed: Printed, sha256: &str) -> Result<File, Fault> {
    let file = whole(printed)?;
    let hash = digest(&SHA256, &file.bytes);
    let found: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found == sha256.to_ascii_lowercase() {
        return Ok(file);
    }
    Err(Fault::Later {
        code: Code::new("file-changed"),
        cause: format!("`{}` has changed since it was listed", file.name),
        after: None,
    })
}

/// What came, as bytes.
fn whole(printed: Printed) -> Result<File, Fault> {
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
        if CLOSED.contains(&fault.code().as_str()) {
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

    async fn file(&self, file: &RemoteId, sha256: &str) -> Result<File, Fault> {
        if let Some(fault) = self.still_closed() {
            return Err(fault);
        }
        let what = vec![
            ("type", "file".to_owned()),
            ("id", file.as_str().to_owned()),
        ];
        let printed = self.client.ask(&self.script, what).await;
        printed
            .and_then(|printed| listed(printed, sha256))
            .inspect_err(|fault| self.remember(fault))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tieout_domain::port::Ports;
    use tieout_kit::Credential;

    use super::*;
    use crate::testing::{Stage, certificate, tokens};

    fn connect(stage: &Stage, credential: Credential) -> Ports {
        let table = json!({"account": "1234567_SB1", "pdf_script": "customscript_tieout_files"});
        let table = table.as_object().cloned().unwrap();
        (crate::SYSTEM.connect)(&table, credential, stage.kit()).unwrap()
    }

    fn printed(bytes: &[u8]) -> Value {
        json!({"name": "Invoice_1.pdf", "mediaType": "application/pdf", "content": STANDARD.encode(bytes)})
    }

    #[tokio::test]
    async fn s077_a_file_comes_as_it_was_listed_or_not_at_all() {
        let stage = Stage::new();
        let ports = connect(&stage, tokens());
        let files = ports.files.clone().unwrap();
        let file = json!({"name": "scan.png", "mediaType": "image/png", "content": STANDARD.encode(b"abc")});
        let abc = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        stage.script.answer(200, &file.to_string());
        let given = files.file(&"901".into(), abc).await.unwrap();
        assert_eq!(
            (given.bytes.as_slice(), given.media_type.as_str()),
            (&b"abc"[..], "image/png")
        );
        assert!(stage.script.asked()[0].1.ends_with("type=file&id=901"));
        stage.script.answer(200, &file.to_string());
        let fault = files
            .file(&"901".into(), &abc.replace('B', "C"))
            .await
            .unwrap_err();
        assert_eq!(fault.code().as_str(), "file-changed");
        assert!(matches!(fault, Fault::Later { .. }));
    }

    async fn ask(stage: &Stage, ports: &Ports, answer: &Value) -> Result<File, Fault> {
        stage.script.answer(200, &answer.to_string());
        let files = ports.files.clone().unwrap();
        files.invoice_pdf(&"77".into()).await
    }

    #[tokio::test]
    async fn the_script_is_asked_at_its_own_host_in_json() {
        let stage = Stage::new();
        let ports = connect(&stage, tokens());
        let file = ask(&stage, &ports, &printed(b"%PDF-1.4")).await.unwrap();
        assert_eq!(file.bytes, b"%PDF-1.4");
        let (method, address, body) = stage.script.asked().remove(0);
        assert_eq!((method.as_str(), body.as_str()), ("GET", ""));
        assert_eq!(
            address,
            "https://1234567-sb1.restlets.api.netsuite.com/app/site/hosting/restlet.nl\
             ?script=customscript_tieout_files&deploy=customdeploy_tieout_files&type=invoice&id=77"
        );
        assert_eq!(stage.script.header(0, "content-type"), "application/json");
        assert!(
            stage
                .script
                .header(0, "authorization")
                .starts_with("OAuth ")
        );
    }

    #[tokio::test]
    async fn a_token_for_scripts_is_another_than_that_of_the_services() {
        let stage = Stage::new();
        let ports = connect(&stage, certificate().0);
        stage
            .script
            .answer(200, r#"{"access_token":"for-scripts","expires_in":3600}"#);
        ask(&stage, &ports, &printed(b"%PDF-1.4")).await.unwrap();
        let form = stage.script.asked()[0].2.clone();
        let assertion = form.rsplit("client_assertion=").next().unwrap();
        let claims = assertion.split('.').nth(1).unwrap();
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims);
        let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
        assert_eq!(claims["scope"], json!(["restlets"]));
        assert_eq!(
            stage.script.header(1, "authorization"),
            "Bearer for-scripts"
        );
        let kept = stage.kept.names();
        assert!(kept.iter().any(|name| name.contains("/script-token/")));
        assert!(
            !kept.iter().any(|name| name.contains("/token/")),
            "{kept:?}"
        );
    }

    #[tokio::test]
    async fn an_integration_without_the_scope_is_no_refused_sign_in() {
        let stage = Stage::new();
        let ports = connect(&stage, certificate().0);
        stage.script.answer(400, r#"{"error":"invalid_scope"}"#);
        let files = ports.files.clone().unwrap();
        let fault = files.invoice_pdf(&"77".into()).await.unwrap_err();
        assert!(matches!(fault, Fault::Refused { .. }), "{fault:?}");
        assert_eq!(fault.code().as_str(), "scope-missing");
        assert_eq!(ports.whole.refusals().await, 0);
        // And isn't asked for again at once.
        files.invoice_pdf(&"78".into()).await.unwrap_err();
        assert_eq!(stage.script.asked().len(), 1);
        stage.clock.advance(CLOSED_SECONDS);
        stage
            .script
            .answer(200, r#"{"access_token":"t","expires_in":3600}"#);
        ask(&stage, &ports, &printed(b"%PDF-")).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_pdf_is_never_taken_for_one() {
        let stage = Stage::new();
        let ports = connect(&stage, tokens());
        let mut page = printed(b"<html>");
        assert!(matches!(
            ask(&stage, &ports, &page).await,
            Err(Fault::Drift { .. })
        ));
        page["content"] = json!("no base64");
        assert!(matches!(
            ask(&stage, &ports, &page).await,
            Err(Fault::Drift { .. })
        ));
        let mut text = printed(b"%PDF-1.4");
        text["mediaType"] = json!("text/html");
        for answer in [text, json!({"pdf": "x"}), json!([])] {
            let asked = ask(&stage, &ports, &answer).await;
            assert!(matches!(asked, Err(Fault::Drift { .. })), "{answer}");
        }
        let broken = STANDARD.encode(b"%PDF-1.4 lines");
        let (left, right) = broken.split_at(8);
        let mut lines = printed(b"");
        lines["content"] = json!(format!("{left}\r\n{right}\n"));
        let file = ask(&stage, &ports, &lines).await.unwrap();
        assert_eq!(file.bytes, b"%PDF-1.4 lines");
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_is_refused() {
        let stage = Stage::new();
        let ports = connect(&stage, tokens());
        let mut bytes = b"%PDF-".to_vec();
        bytes.resize(FILE_BYTES_MAX, b'x');
        assert!(ask(&stage, &ports, &printed(&bytes)).await.is_ok());
        bytes.push(b'x');
        let fault = ask(&stage, &ports, &printed(&bytes)).await.unwrap_err();
        assert_eq!(fault.code().as_str(), "file-too-large");
    }

    #[tokio::test]
    async fn errors_of_scripts_are_read_in_their_own_shape() {
        let stage = Stage::new();
        let ports = connect(&stage, tokens());
        let files = ports.files.clone().unwrap();
        for (status, code, known) in [
            (400, "SSS_INVALID_SCRIPTLET_ID", "script-missing"),
            (404, "SSS_INVALID_SCRIPTLET_ID", "script-missing"),
            (403, "INSUFFICIENT_PERMISSION", "permission-missing"),
            (200, "INSUFFICIENT_PERMISSION", "permission-missing"),
            (200, "RCRD_DSNT_EXIST", "gone-there"),
            (400, "RCRD_DSNT_EXIST", "gone-there"),
            (200, "TIEOUT_PDF_OFF", "refused-there"),
            (200, "SSS_INVALID_TYPE_ARG", "refused-there"),
        ] {
            stage.clock.advance(CLOSED_SECONDS);
            let body = json!({"error": {"code": code, "message": "Words of NetSuite's."}});
            stage.script.answer(status, &body.to_string());
            let fault = files.invoice_pdf(&"77".into()).await.unwrap_err();
            assert!(matches!(fault, Fault::Refused { .. }), "{fault:?}");
            assert_eq!(fault.code().as_str(), known, "{fault}");
            assert!(
                fault.to_string().contains("Words of NetSuite's."),
                "{fault}"
            );
        }
        for _ in 0..7 {
            let body = json!({"error": {"code": "SSS_REQUEST_LIMIT_EXCEEDED", "message": "Slow."}});
            stage.script.answer(400, &body.to_string());
        }
        let fault = files.invoice_pdf(&"77".into()).await.unwrap_err();
        assert_eq!(fault.code().as_str(), "concurrency-limit");
    }

    #[tokio::test]
    async fn a_limit_or_a_failure_of_the_script_is_no_word_on_the_file() {
        let stage = Stage::new();
        let ports = connect(&stage, tokens());
        let files = ports.files.clone().unwrap();
        for (status, code) in [
            (400, "SSS_USAGE_LIMIT_EXCEEDED"),
            (400, "UNEXPECTED_ERROR"),
            (200, "SSS_TIME_LIMIT_EXCEEDED"),
            (200, "UNEXPECTED_ERROR"),
        ] {
            let body = json!({"error": {"code": code, "message": "Words of NetSuite's."}});
            stage.script.answer(status, &body.to_string());
            let fault = files.invoice_pdf(&"77".into()).await.unwrap_err();
            assert!(matches!(fault, Fault::Later { .. }), "{fault:?}");
            assert_eq!(fault.code().as_str(), "server-error", "{fault}");
            assert!(fault.to_string().contains(code), "{fault}");
        }
        // It is asked again at once.
        ask(&stage, &ports, &printed(b"%PDF-1.4")).await.unwrap();
        assert!(stage.script.used_up());
    }
}
