//! What people set: preferences, and credentials. Both go the way of the commands.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::Value;
use tieout_desk::DeskError;
use tieout_desk::preferences::{Standing, unfit};
use tieout_domain::ConnectionName;
use tieout_kit::guide::{Guide, Purpose, Step};
use tieout_kit::system::{CredentialField, CredentialKind, System};
use tieout_server::program::{
    CredentialFieldInfo, CredentialInfo, CredentialKindInfo, CredentialSet, GuideInfo, GuideStep,
};

use super::Service;
use super::sides::known;
use crate::commands::credentials::{Listed, known_kind, listed, set};
use crate::commands::preferences::{change, standing};
use crate::config::Config;
use crate::failure::Failure;
use crate::home::Home;
use crate::trial::uses;

impl Service {
    /// The home under the configuration that its file holds now: what is changed is changed in that.
    pub(super) fn as_it_is(&self) -> Result<Home, Failure> {
        let config = Config::read(&self.home.config.path)?;
        Ok(self.home.under(config))
    }

    /// A connection's preferences as the file has them.
    pub(super) fn preferences_of(&self, name: &ConnectionName) -> Result<Vec<Standing>, DeskError> {
        let home = self.as_it_is()?;
        Ok(standing(known(&home.config, name)?))
    }

    /// Changes preferences, all or none. They hold from the next run on.
    pub(super) async fn change(
        &self,
        name: &ConnectionName,
        values: BTreeMap<String, Value>,
        by: &str,
    ) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        let before = known(&home.config, name)?.preferences.clone();
        let mut after = before.clone();
        for (key, value) in values {
            let value = match value {
                Value::Null => tieout_flows::Preferences::default()
                    .get(&key)
                    .map_err(|error| unfit(&error))?,
                value => value,
            };
            after
                .set_value(&key, value)
                .map_err(|error| unfit(&error))?;
        }
        change(&home, name.as_str(), &before, &after, by).await?;
        self.read_again(&home.config.path).await;
        Ok(())
    }

    /// All credentials, without their values.
    pub(super) async fn credential_infos(&self) -> Result<Vec<CredentialInfo>, DeskError> {
        let home = self.as_it_is()?;
        let rows = listed(&home).await?.into_iter();
        Ok(rows
            .map(|Listed { row, expiry, used }| {
                let mut used_by: Vec<ConnectionName> = uses(&home, &row.name)
                    .iter()
                    .map(|one| one.connection.clone())
                    .collect();
                used_by.dedup();
                CredentialInfo {
                    used_by,
                    serves: home.config.uses_itself(&row.name),
                    last_used: used,
                    expires: expiry.map(|expiry| expiry.expires),
                    days_left: expiry.map(|expiry| i64::from(expiry.days_left)),
                    row,
                }
            })
            .collect())
    }

    /// Seals a credential once it has signed in where it is in use.
    pub(super) async fn seal(
        &self,
        name: &str,
        kind: &str,
        fields: SecretString,
        by: &str,
    ) -> Result<CredentialSet, DeskError> {
        let home = self.as_it_is()?;
        let set = set::replace(&home, name, known_kind(kind)?, fields, true, by).await?;
        let mut proven = set.proven_for();
        proven.dedup();
        let released = set.released.iter();
        Ok(CredentialSet {
            version: set.version,
            proven,
            released: released.filter_map(|name| name.parse().ok()).collect(),
        })
    }
}

/// The kinds of credentials of all systems, with their guides.
pub(super) fn kinds() -> Vec<CredentialKindInfo> {
    let systems = tieout_systems::ALL.iter().map(|entry| entry.system);
    systems
        .flat_map(|system| {
            let kinds = system.credentials.iter();
            kinds.map(move |of| kind(system, of))
        })
        .collect()
}

/// A kind of a system's credentials, with its guides.
pub(super) fn kind(system: &System, kind: &CredentialKind) -> CredentialKindInfo {
    let guides = system.guides.iter();
    CredentialKindInfo {
        name: kind.name,
        system: system.title,
        fields: kind.fields.iter().map(field).collect(),
        guides: guides
            .filter(|guide| guide.credential == kind.name)
            .map(guide)
            .collect(),
    }
}

/// A field as a person is asked for it.
pub(super) fn field(field: &CredentialField) -> CredentialFieldInfo {
    CredentialFieldInfo {
        name: field.name,
        label: field.label,
        secret: field.secret,
        required: field.required,
        lines: field.name.ends_with("_pem"),
    }
}

fn guide(guide: &Guide) -> GuideInfo {
    GuideInfo {
        renewal: guide.purpose == Purpose::Renewal,
        from: guide.from,
        steps: guide.steps.iter().map(step).collect(),
    }
}

/// A step as a person reads it.
pub(super) fn step(step: &Step) -> GuideStep {
    GuideStep {
        title: step.title,
        menu: step.menu,
        instructions: step.instructions,
        warning: step.warning,
    }
}
