//! `tieout credentials certificate`: makes a key pair whose private key is sealed at once, and a certificate for the
//! upload; the id that the upload gives completes the credential. The one in use stays until the new one is proven.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tieout_domain::Clock as _;
use tieout_domain::code::Code;
use tieout_kit::system::{CredentialKind, EXPIRES};

use super::set;
use crate::assemble::actor;
use crate::certificate::{self, Algorithm, DAYS_MAX};
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::pending::{self, Fields, next_name};
use crate::seams::WallClock;

/// The field that a certificate's private key fills.
const PRIVATE_KEY: &str = "private_key_pem";
/// The field with the id that the upload gave.
const CERTIFICATE_ID: &str = "certificate_id";
/// The field with the integration's id.
const CLIENT_ID: &str = "client_id";

/// What `credentials certificate` takes.
#[derive(Debug, Args)]
pub(crate) struct CertificateArgs {
    /// The credential's name; it need not be there yet.
    name: String,
    #[command(flatten)]
    making: MakingArgs,
    /// The id that the upload gave the certificate: completes the credential.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The client id of the integration, where the credential has none yet.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Complete it without signing in for the connections that use it.
    #[arg(long)]
    no_check: bool,
}

/// How a certificate is made.
#[derive(Debug, Clone, Args)]
pub(crate) struct MakingArgs {
    /// The kind of key.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) algorithm: Algorithm,
    /// For how many days the certificate is valid; at most two years.
    #[arg(long, value_name = "DAYS", default_value_t = DAYS_MAX)]
    pub(crate) days: u16,
    /// Where to write the certificate; NAME.pem in the home if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
}

impl Default for MakingArgs {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            days: DAYS_MAX,
            certificate: None,
        }
    }
}

/// Makes one, or completes it.
pub(super) async fn run(
    global: &Global,
    home: &Home,
    args: &CertificateArgs,
) -> Result<Exit, Failure> {
    let next = next_name(&args.name);
    let Some(id) = &args.id else {
        let mut fields = Fields::default();
        let path = make(home, &args.name, &mut fields, &args.making)?;
        if let Some(client_id) = &args.client_id {
            fields.set(CLIENT_ID, client_id.clone().into());
        }
        pending::seal(home, &next, kind()?, &fields, &actor()).await?;
        tell_made(global, &args.name, &path);
        return Ok(Exit::Done);
    };
    let Some((kind, mut fields)) = pending::opened(home, &next).await? else {
        let cause = format!(
            "no certificate was made for `{}` that waits for its id",
            args.name
        );
        return Err(Failure::usage(Code::new("certificate"), cause));
    };
    fields.set(CERTIFICATE_ID, id.clone().into());
    if let Some(client_id) = &args.client_id {
        fields.set(CLIENT_ID, client_id.clone().into());
    }
    if let Some((_, old)) = pending::opened(home, &args.name).await? {
        fields.fill_from(&old, kind);
    }
    let set = set::replace(
        home,
        &args.name,
        kind,
        fields.json(),
        !args.no_check,
        &actor(),
    )
    .await?;
    pending::forget(home, &next, &actor()).await?;
    set.tell(global, None);
    Ok(Exit::Done)
}

/// The kind of credential that a certificate belongs to.
fn kind() -> Result<&'static CredentialKind, Failure> {
    let mut kinds = tieout_systems::ALL
        .iter()
        .flat_map(|entry| entry.system.credentials);
    let found = kinds.find(|kind| kind.fields.iter().any(|field| field.name == PRIVATE_KEY));
    found.ok_or_else(|| {
        let cause = "no system signs in with a certificate";
        Failure::usage(Code::new("certificate"), cause)
    })
}

/// Makes a key pair into the fields, and writes the certificate. Gives the file.
///
/// # Errors
/// `certificate` and `file`.
pub(crate) fn make(
    home: &Home,
    name: &str,
    fields: &mut Fields,
    making: &MakingArgs,
) -> Result<PathBuf, Failure> {
    let subject = format!("tieout {name}");
    let made = certificate::make(making.algorithm, &subject, making.days, WallClock.now())?;
    let path = making
        .certificate
        .clone()
        .unwrap_or_else(|| home.folder.join(format!("{name}.pem")));
    std::fs::write(&path, &made.certificate_pem)
        .map_err(|error| Failure::file("can't write", &path, &error))?;
    fields.set(PRIVATE_KEY, made.private_key_pem);
    fields.set(EXPIRES.name, made.expires.to_string().into());
    // A new key has no id yet.
    fields.remove(CERTIFICATE_ID);
    Ok(path)
}

fn tell_made(global: &Global, name: &str, path: &Path) {
    if global.json {
        output::json(&json!({"name": name, "certificate": path.display().to_string()}));
    } else if !global.quiet {
        output::line(&format!("the certificate to upload: {}", path.display()));
        output::line("the private key is sealed, and in no file");
        output::line(&format!(
            "next: upload it, then `tieout credentials certificate {name} --id CERTIFICATE_ID`"
        ));
    }
}
