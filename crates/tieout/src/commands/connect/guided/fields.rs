//! The fields of a new credential, asked for one by one. A key pair is made here where nobody has one: it is sealed
//! before the person goes to upload its certificate, so that coming back later goes on with the same key.

use secrecy::SecretString;
use tieout_kit::System;
use tieout_kit::system::{CredentialField, CredentialKind};

use super::talk::{ask, ask_secret, say};
use crate::commands::connect::Connecting;
use crate::commands::credentials::certificate::{self, MakingArgs};
use crate::failure::Failure;
use crate::pending::{self, Fields};

impl Connecting<'_> {
    /// The fields as JSON. What is left empty is left out.
    pub(super) async fn fields(
        &self,
        system: &'static System,
        kind: &'static CredentialKind,
    ) -> Result<SecretString, Failure> {
        let name = format!("{}-{}", self.given.name, system.id);
        let waiting = pending::opened(self.home, &pending::next_name(&name)).await?;
        let mut fields = match waiting {
            Some((of, fields)) if of.name == kind.name => {
                say("The key pair that was made before is used: its certificate waits for its id.");
                fields
            }
            _ => Fields::default(),
        };
        for field in kind.fields {
            if fields.has(field.name) {
                continue;
            }
            if field.name.ends_with("_pem") {
                self.key(&name, kind, field, &mut fields).await?;
                continue;
            }
            let answer = if field.secret {
                ask_secret(&self.given.name, field.label)?
            } else {
                ask(&self.given.name, field.label)?
            };
            if !answer.is_empty() {
                fields.set(field.name, answer.into());
            }
        }
        Ok(fields.json())
    }

    /// The key that a file holds; a new pair where none is named.
    async fn key(
        &self,
        name: &str,
        kind: &'static CredentialKind,
        field: &CredentialField,
        fields: &mut Fields,
    ) -> Result<(), Failure> {
        let question = format!(
            "{}: in which file? Nothing makes a new key pair and its certificate",
            field.label
        );
        loop {
            let path = ask(&self.given.name, &question)?;
            if path.is_empty() {
                break;
            }
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    fields.set(field.name, text.into());
                    return Ok(());
                }
                Err(error) => say(&format!("can't read {path}: {error}")),
            }
        }
        let path = certificate::make(self.home, name, fields, &MakingArgs::default())?;
        pending::seal(
            self.home,
            &pending::next_name(name),
            kind,
            fields,
            &self.actor,
        )
        .await?;
        say(&format!(
            "The private key is sealed. The certificate for the upload: {}",
            path.display()
        ));
        Ok(())
    }
}
