//! The preferences before and after a renewal: ours are put back, those of the other sync are shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use tieout_desk::preferences::{differences, plain};
use tieout_domain::code::Code;
use tieout_domain::other_sync::OtherSync;
use tieout_flows::Preferences;
use tieout_kit::Credential;

use super::{Reached, Walk, line};
use crate::commands::preferences::put_back;
use crate::config::Config;
use crate::failure::Failure;
use crate::seams::InMemory;
use crate::trial::{Trial, uses};

/// A field of the other sync that is not as it was: connection, field, before, after.
type Difference = (String, String, String, String);

impl Walk<'_> {
    /// Notes the preferences of all connections that use the credential.
    pub(super) async fn note_preferences(&mut self) -> Result<Reached, Failure> {
        for connection in self.renewal.connections(self.home) {
            if let Some(config) = self.home.config.connections.get(&connection) {
                let text = toml::to_string(&config.preferences)
                    .map_err(|error| Failure::failed(Code::new("file"), error.to_string()))?;
                self.renewal
                    .preferences
                    .insert(connection.to_string(), text);
            }
        }
        let (credential, noted) = (
            self.credential_in_use().await?,
            self.renewal.preferences.len(),
        );
        let (bundle, said) = match self.bundle(&credential).await {
            Ok(bundle) if bundle.values().all(Vec::is_empty) => {
                (Some(bundle), "no other sync's were found".to_owned())
            }
            Ok(bundle) => (Some(bundle), "the other sync's were noted too".to_owned()),
            // The old credential may be why all this is done.
            Err(failure) => (
                None,
                format!("the other sync's can't be read: {}", failure.cause),
            ),
        };
        self.renewal.bundle = bundle;
        Ok(Reached::Done(format!(
            "ours of {noted} connections are noted; {said}"
        )))
    }

    /// The other sync's preferences as they are now, by connection.
    pub(super) async fn bundle(
        &self,
        (kind, fields): &(String, SecretString),
    ) -> Result<BTreeMap<String, Vec<OtherSync>>, Failure> {
        let credential = Credential {
            kind: kind.clone(),
            fields: fields.clone(),
        };
        let trial = Trial::new(self.home).await?;
        // A refusal counts, whatever was to be read after it.
        for verdict in trial.sign_in(&self.renewal.credential, &credential).await? {
            verdict.result?;
        }
        let kept = Arc::new(InMemory::default());
        let mut found = BTreeMap::new();
        for user in uses(self.home, &self.renewal.credential) {
            let ports = trial.ports(&user, &credential, Arc::clone(&kept))?;
            let records = ports.whole.other_syncs().await;
            let records = records.map_err(|fault| {
                Failure::failed(fault.code(), format!("{}: {fault}", user.connection))
            })?;
            found.insert(user.connection.to_string(), records);
        }
        Ok(found)
    }

    /// Shows what differs from what was noted, and puts ours back after a yes.
    pub(super) async fn restore_preferences(&mut self) -> Result<Reached, Failure> {
        let theirs = self.differs_there().await?;
        for (connection, field, before, after) in &theirs {
            let text =
                format!("{connection}: {field} of the other sync was {before}, and is {after}");
            line(self.global, &text);
        }
        let mut ours = Vec::new();
        let now = Config::read(&self.home.config.path)?;
        for (connection, noted) in &self.renewal.preferences {
            let noted: Preferences = toml::from_str(noted)
                .map_err(|error| Failure::failed(Code::new("store-corrupt"), error.to_string()))?;
            let config = now
                .connections
                .iter()
                .find(|(name, _)| name.as_str() == connection);
            let Some((_, config)) = config else { continue };
            for (key, before, after) in differences(&noted, &config.preferences) {
                let text = format!(
                    "{connection}: {key} was {}, and is {}",
                    plain(&before),
                    plain(&after)
                );
                line(self.global, &text);
                ours.push(json!({
                    "connection": connection, "preference": key, "noted": before, "now": after,
                }));
            }
        }
        self.shown["preferences"] = json!({"ours": ours, "other": theirs});
        if !ours.is_empty() {
            if !self.agrees("put tieout's own preferences back? [y/N] ")? {
                return Ok(Reached::Waits(
                    "say yes to putting the preferences back (--yes)".to_owned(),
                ));
            }
            for (connection, noted) in &self.renewal.preferences {
                put_back(self.home, connection, noted, &self.by).await?;
            }
        }
        let step = self.renewal.next(self.guide);
        if !theirs.is_empty() && !step.map_or(Ok(false), |step| self.word(step))? {
            return Ok(Reached::Waits(
                "set them in the ledger, or confirm that they may differ".to_owned(),
            ));
        }
        Ok(Reached::Done(format!(
            "{} of ours put back; {} of the other sync's differ",
            ours.len(),
            theirs.len()
        )))
    }

    /// Fields of the other sync that are not as they were noted.
    async fn differs_there(&self) -> Result<Vec<Difference>, Failure> {
        let Some(noted) = self.renewal.bundle.as_ref() else {
            return Ok(Vec::new());
        };
        if self.renewal.moving_over || noted.values().all(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let now = self.bundle(&self.credential_in_use().await?).await?;
        Ok(noted
            .iter()
            .flat_map(|(connection, records)| {
                let (before, after) = (
                    values(records),
                    values(now.get(connection).map_or(&[][..], Vec::as_slice)),
                );
                before
                    .into_iter()
                    .filter_map(|(field, before)| {
                        let after = after.get(&field).cloned().unwrap_or_default();
                        (before != after).then(|| (connection.clone(), field, before, after))
                    })
                    .collect::<Vec<_>>()
            })
            .collect())
    }
}

/// The fields of records by name. A record that is installed again has another id, and the same subsidiary.
fn values(records: &[OtherSync]) -> BTreeMap<String, String> {
    records
        .iter()
        .flat_map(|record| {
            let of = record
                .subsidiary
                .as_ref()
                .map_or(String::new(), |id| format!(" (subsidiary {id})"));
            record
                .fields
                .iter()
                .map(move |field| (format!("{}{of}", field.name), field.value.clone()))
        })
        .collect()
}
