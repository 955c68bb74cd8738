//! A credential that is being put together, field by field, beside the one in use: sealed at once, under the name
//! of the one that it will replace and `-next`.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tieout_domain::code::Code;
use tieout_kit::system::CredentialKind;
use zeroize::Zeroizing;

use crate::commands::credentials::known_kind;
use crate::failure::Failure;
use crate::home::Home;

/// The fields of a credential, each wiped when it is dropped.
#[derive(Debug, Clone, Default)]
pub struct Fields(BTreeMap<String, SecretString>);

impl Fields {
    /// Reads a JSON object of texts.
    ///
    /// # Errors
    /// `credential-malformed`; a value is never named.
    pub fn read(json: &str) -> Result<Self, Failure> {
        let malformed = || {
            let cause = "this is no JSON object of texts";
            Failure::usage(Code::new("credential-malformed"), cause)
        };
        let Ok(Value::Object(object)) = serde_json::from_str(json) else {
            return Err(malformed());
        };
        let fields = object.into_iter().map(|(name, value)| match value {
            Value::String(text) => Ok((name, SecretString::from(text))),
            _ => Err(malformed()),
        });
        Ok(Self(fields.collect::<Result<_, _>>()?))
    }

    /// The fields as a JSON object.
    #[must_use]
    pub fn json(&self) -> SecretString {
        let object: Map<_, _> = self
            .0
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.expose_secret())))
            .collect();
        let text = Zeroizing::new(Value::Object(object).to_string());
        text.as_str().to_owned().into()
    }

    /// Whether a field is there, and not empty.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0
            .get(name)
            .is_some_and(|value| !value.expose_secret().trim().is_empty())
    }

    /// A field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.0.get(name)
    }

    /// Sets a field.
    pub fn set(&mut self, name: &str, value: SecretString) {
        self.0.insert(name.to_owned(), value);
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Takes the fields of another over these.
    ///
    /// # Errors
    /// `credential-malformed`, with the name of a field that the kind doesn't have.
    pub fn take(&mut self, other: Self, kind: &CredentialKind) -> Result<(), Failure> {
        for (name, value) in other.0 {
            if !kind.fields.iter().any(|field| field.name == name) {
                let cause = format!("`{name}` is no field of {}", kind.name);
                return Err(Failure::usage(Code::new("credential-malformed"), cause));
            }
            self.0.insert(name, value);
        }
        Ok(())
    }

    /// Fills what a kind requires and nobody gave from another credential: the same client, the same key.
    pub fn fill_from(&mut self, other: &Self, kind: &CredentialKind) {
        for field in kind.fields.iter().filter(|field| field.required) {
            if let (false, Some(value)) = (self.has(field.name), other.get(field.name)) {
                self.set(field.name, value.clone());
            }
        }
    }
}

/// The name under which it lies while it is put together.
#[must_use]
pub fn next_name(name: &str) -> String {
    format!("{name}-next")
}

/// The name under which the replaced one lies until it has been shown to be refused.
#[must_use]
pub fn old_name(name: &str) -> String {
    format!("{name}-old")
}

/// Whether a name is that of a credential beside the one in use, which no connection names.
#[must_use]
pub fn is_aside(home: &Home, name: &str) -> bool {
    let aside = name.ends_with("-next") || name.ends_with("-old");
    aside && crate::trial::uses(home, name).is_empty()
}

/// A sealed credential of this name, opened; `None` where there is none.
///
/// # Errors
/// Where the vault can't be opened.
pub async fn opened(
    home: &Home,
    name: &str,
) -> Result<Option<(&'static CredentialKind, Fields)>, Failure> {
    let credentials = home.store.credentials();
    if credentials.list().await?.iter().all(|row| row.name != name) {
        return Ok(None);
    }
    let (row, fields) = credentials.get(&home.vault().await?, name).await?;
    Ok(Some((
        known_kind(&row.kind)?,
        Fields::read(fields.expose_secret())?,
    )))
}

/// Seals fields under a name; they need not be whole.
///
/// # Errors
/// Where the vault can't be opened.
pub async fn seal(
    home: &Home,
    name: &str,
    kind: &CredentialKind,
    fields: &Fields,
    actor: &str,
) -> Result<(), Failure> {
    let vault = home.vault().await?;
    let credentials = home.store.credentials();
    credentials
        .set(&vault, name, kind.name, fields.json(), actor)
        .await?;
    Ok(())
}

/// Forgets a sealed credential, where there is one.
///
/// # Errors
/// What a database can answer.
pub async fn forget(home: &Home, name: &str, actor: &str) -> Result<(), Failure> {
    let credentials = home.store.credentials();
    if credentials.list().await?.iter().any(|row| row.name == name) {
        credentials.remove(name, actor).await?;
    }
    Ok(())
}
