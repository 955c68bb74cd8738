//! The certificate of a private server, and the authority that it is from: the line to a server can be encrypted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::{Account, own};

/// What a server needs to say who it is.
pub(super) struct Papers {
    /// Its settings that name them.
    pub(super) settings: [String; 3],
    /// The authority's certificate, for whoever connects.
    pub(super) root: PathBuf,
}

/// Makes them, for a server that is known as 127.0.0.1 and by no other name.
pub(super) fn papers(folder: &Path, account: Option<Account>) -> Result<Papers> {
    own(folder, account)?;
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    let name = "the authority of a server for tests";
    authority
        .distinguished_name
        .push(DnType::CommonName, name.to_owned());
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = folder.join("root.pem");
    fs::write(&root, authority.self_signed(&authority_key)?.pem())?;
    let key = KeyPair::generate()?;
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
    let certificate = server.signed_by(&key, &Issuer::new(authority, authority_key))?;
    let (its_certificate, its_key) = (folder.join("server.pem"), folder.join("server.key"));
    fs::write(&its_certificate, certificate.pem())?;
    fs::write(&its_key, key.serialize_pem())?;
    // PostgreSQL takes no key that others may read.
    fs::set_permissions(&its_key, fs::Permissions::from_mode(0o600))?;
    for file in [&its_certificate, &its_key] {
        own(file, account)?;
    }
    Ok(Papers {
        settings: [
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", its_certificate.display()),
            format!("ssl_key_file={}", its_key.display()),
        ],
        root,
    })
}
