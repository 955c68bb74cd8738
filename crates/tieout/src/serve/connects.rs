//! Connecting two systems by pages. The steps are those of the command.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::SecretString;
use tieout_desk::DeskError;
use tieout_domain::ConnectionName;
use tieout_domain::port::Identity;
use tieout_kit::System;
use tieout_server::program::{
    ConnectChoices, ConnectSetting, ConnectSide, ConnectStanding, Connectable, Connects,
};

use super::{Service, settings};
use crate::commands::connect::steps::{self, Steps};
use crate::failure::Failure;
use crate::home::Home;

/// The connect of this name.
///
/// # Errors
/// `unknown-connection` where none is under way.
fn opened<'h>(home: &'h Home, name: &ConnectionName, by: &str) -> Result<Steps<'h>, Failure> {
    Steps::open(home, name, by)?.ok_or_else(|| {
        let cause = format!("`{name}` is not being connected, or is stored by now");
        let code = tieout_domain::code::Code::new("unknown-connection");
        Failure::usage(code, cause)
    })
}

/// Who looks and does nothing.
const NOBODY: &str = "";

#[async_trait]
impl Connects for Service {
    fn connectable(&self) -> Result<Connectable, DeskError> {
        let home = self.as_it_is()?;
        Ok(Connectable {
            pairs: steps::pairs(),
            templates: steps::templates(&home)?,
            under_way: steps::under_way(&home)?,
        })
    }

    async fn begin(
        &self,
        name: &ConnectionName,
        pair: &str,
        template: &str,
        by: &str,
    ) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        Ok(Steps::begin(&home, name, (pair, template), by).await?)
    }

    async fn standing(&self, name: &ConnectionName) -> Result<Option<ConnectStanding>, DeskError> {
        let home = self.as_it_is()?;
        let Some(steps) = Steps::open(&home, name, NOBODY)? else {
            return Ok(None);
        };
        let [ledger, platform] = steps.systems();
        Ok(Some(ConnectStanding {
            pair: steps.pair().to_owned(),
            sides: [side(&steps, ledger).await?, side(&steps, platform).await?],
        }))
    }

    async fn choices(
        &self,
        name: &ConnectionName,
        system: &str,
    ) -> Result<ConnectChoices, DeskError> {
        let home = self.as_it_is()?;
        let steps = opened(&home, name, NOBODY)?;
        let system = steps.system(system)?;
        let choices = steps.choices(system).await?;
        let chosen = steps.chosen(system, &choices);
        let chosen = chosen.map(|choice| choice.value.clone());
        let identity = if choices.is_empty() || chosen.is_some() {
            told(steps.identity(system).await?)
        } else {
            Vec::new()
        };
        Ok(ConnectChoices {
            chosen,
            choices,
            identity,
        })
    }

    async fn settings(
        &self,
        name: &ConnectionName,
        system: &str,
        values: &BTreeMap<String, String>,
        by: &str,
    ) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        let mut steps = opened(&home, name, by)?;
        let system = steps.system(system)?;
        Ok(steps.set(system, values).await?)
    }

    async fn use_credential(
        &self,
        name: &ConnectionName,
        system: &str,
        credential: Option<&str>,
        by: &str,
    ) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        let mut steps = opened(&home, name, by)?;
        let system = steps.system(system)?;
        match credential {
            Some(credential) => steps.use_credential(system, credential).await?,
            None => steps.forget_credential(system)?,
        }
        Ok(())
    }

    async fn enter_credential(
        &self,
        name: &ConnectionName,
        system: &str,
        kind: &str,
        fields: SecretString,
        by: &str,
    ) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        let mut steps = opened(&home, name, by)?;
        let system = steps.system(system)?;
        Ok(steps.enter_credential(system, kind, &fields).await?)
    }

    async fn make_certificate(
        &self,
        name: &ConnectionName,
        system: &str,
        kind: &str,
        by: &str,
    ) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        let steps = opened(&home, name, by)?;
        let system = steps.system(system)?;
        Ok(steps.make_certificate(system, kind).await?)
    }

    async fn choose(
        &self,
        name: &ConnectionName,
        system: &str,
        value: &str,
        by: &str,
    ) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        let mut steps = opened(&home, name, by)?;
        let system = steps.system(system)?;
        Ok(steps.choose(system, value).await?)
    }

    async fn store(&self, name: &ConnectionName, by: &str) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        opened(&home, name, by)?.store().await?;
        self.read_again(&home.config.path).await;
        Ok(())
    }

    async fn abandon(&self, name: &ConnectionName, by: &str) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        match Steps::open(&home, name, by)? {
            Some(steps) => Ok(steps.abandon().await?),
            None => Ok(()),
        }
    }

    fn is_new(&self, reason: &str) -> bool {
        reason == steps::REASON
    }
}

async fn side(steps: &Steps<'_>, system: &'static System) -> Result<ConnectSide, Failure> {
    let stands = steps.side(system).await?;
    let settings = stands.settings.into_iter();
    let kinds = system.credentials.iter();
    Ok(ConnectSide {
        system: system.id.as_str(),
        title: system.title,
        settings: settings
            .map(|(setting, value)| ConnectSetting {
                name: setting.name,
                label: setting.label,
                help: setting.help,
                value,
            })
            .collect(),
        understood: stands.understood,
        credential: stands.credential,
        fitting: stands.fitting,
        kinds: kinds.map(|kind| settings::kind(system, kind)).collect(),
        certificate: stands.certificate.map(|(kind, text)| (kind.name, text)),
    })
}

/// What an account calls itself, line by line.
fn told(identity: Identity) -> Vec<(String, String)> {
    let own = [
        ("company".to_owned(), identity.name),
        ("account".to_owned(), identity.id),
    ];
    own.into_iter().chain(identity.details).collect()
}
