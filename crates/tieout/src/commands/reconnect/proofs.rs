//! How each step is carried out, and how it is known to be done.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;
use tieout_engine::RunOptions;
use tieout_kit::Credential;
use tieout_kit::guide::{Proof, Step};
use tieout_kit::system::CredentialKind;

use super::{Reached, Walk};
use crate::assemble::Shared;
use crate::commands::credentials::{certificate, checked, known_kind, set};
use crate::commands::sync;
use crate::failure::{Exit, Failure};
use crate::pending::{self, Fields, next_name, old_name};
use crate::trial::{Trial, is_refusal, refusal};

impl Walk<'_> {
    /// Carries a step out, as far as that is possible now.
    pub(super) async fn carry_out(&mut self, step: &'static Step) -> Result<Reached, Failure> {
        match step.proof {
            Proof::Said => self.said(step),
            Proof::Noted => self.note_preferences().await,
            Proof::OldRefused => self.old_refused(step).await,
            Proof::BundleGone | Proof::BundleBack => self.bundle_step(step).await,
            Proof::Given => self.given(step).await,
            Proof::Certified => self.certified().await,
            Proof::NewSignsIn => self.new_signs_in(step).await,
            Proof::Switched => self.switch().await,
            Proof::Restored => self.restore_preferences().await,
            Proof::Synced => self.sync().await,
        }
    }

    fn said(&self, step: &Step) -> Result<Reached, Failure> {
        if self.word(step)? {
            return Ok(Reached::Done("a person says so".to_owned()));
        }
        Ok(waits(step))
    }

    /// The old credential is tried once, and must be refused.
    async fn old_refused(&self, step: &Step) -> Result<Reached, Failure> {
        if !self.word(step)? {
            return Ok(waits(step));
        }
        let name = &self.renewal.credential;
        let (kind, fields) = match pending::opened(self.home, &old_name(name)).await? {
            Some((kind, fields)) => (kind.name.to_owned(), fields.json()),
            None => self.credential_in_use().await?,
        };
        let credential = Credential { kind, fields };
        let verdicts = Trial::new(self.home)
            .await?
            .sign_in(name, &credential)
            .await?;
        for verdict in &verdicts {
            match &verdict.result {
                Ok(identity) => {
                    let cause = format!(
                        "the old credential still signs in to {} ({}), so `{}` isn't done",
                        identity.name, identity.id, step.id
                    );
                    return Err(refusal(Code::new("still-signs-in"), cause));
                }
                Err(failure) if !is_refusal(failure) => return Err(failure.clone()),
                Err(_) => {}
            }
        }
        Ok(Reached::Done(
            "the old credential was tried once, and refused".to_owned(),
        ))
    }

    /// Uninstalling and installing the bundle, where there is one.
    async fn bundle_step(&self, step: &Step) -> Result<Reached, Failure> {
        let none = |bundle: &std::collections::BTreeMap<String, Vec<_>>| {
            bundle.values().all(Vec::is_empty)
        };
        let gone = step.proof == Proof::BundleGone;
        if self.renewal.bundle.as_ref().is_some_and(none) {
            return Ok(Reached::Done(
                "there is no bundle of another sync".to_owned(),
            ));
        }
        if (gone || !self.renewal.moving_over) && !self.word(step)? {
            return Ok(waits(step));
        }
        if gone {
            // Nobody signs in between the old credential and the new one: it is looked at when the new one can.
            return Ok(Reached::Done(
                "a person says so; it is looked at with the new credential".to_owned(),
            ));
        }
        let next = self.next().await?;
        let found = self
            .bundle(&(next.0.name.to_owned(), next.1.json()))
            .await?;
        match (self.renewal.moving_over, none(&found)) {
            (false, false) => Ok(Reached::Done("its preferences can be read".to_owned())),
            (true, true) => Ok(Reached::Done(
                "it stays uninstalled: moving over".to_owned(),
            )),
            (false, true) if self.renewal.bundle.is_none() => Ok(Reached::Done(
                "it can't be seen, nor could it before: a person says so".to_owned(),
            )),
            (false, true) => {
                let cause = "the bundle's preferences can't be seen: it isn't installed, or the role may not read them";
                Err(refusal(Code::new("bundle-not-as-expected"), cause))
            }
            (true, false) => {
                let cause = "the bundle's preferences are still there: uninstall it, so that two syncs don't fight";
                Err(refusal(Code::new("bundle-not-as-expected"), cause))
            }
        }
    }

    /// The fields that a step yields are entered and sealed.
    async fn given(&mut self, step: &Step) -> Result<Reached, Failure> {
        let (kind, mut fields) = self.next().await?;
        let missing = |fields: &Fields| step.yields.iter().any(|name| !fields.has(name));
        if missing(&fields) {
            if self.entered.terminal() {
                self.show_step(step);
            }
            let entered = self.entered.fields(kind, step)?;
            fields.take(entered, kind)?;
            pending::seal(
                self.home,
                &next_name(&self.renewal.credential),
                kind,
                &fields,
                &self.by,
            )
            .await?;
        }
        if missing(&fields) {
            return Ok(waits(step));
        }
        Ok(Reached::Done("entered and sealed".to_owned()))
    }

    async fn certified(&mut self) -> Result<Reached, Failure> {
        let (kind, mut fields) = self.next().await?;
        let name = &self.renewal.credential;
        let path = certificate::make(self.home, name, &mut fields, &self.args.making)?;
        pending::seal(self.home, &next_name(name), kind, &fields, &self.by).await?;
        Ok(Reached::Done(format!(
            "the private key is sealed; upload the certificate {}",
            path.display()
        )))
    }

    /// The new credential is whole, signs in for every connection, and a plan can be made with it.
    async fn new_signs_in(&mut self, step: &Step) -> Result<Reached, Failure> {
        if let waiting @ Reached::Waits(_) = self.given(step).await? {
            return Ok(waiting);
        }
        let name = self.renewal.credential.clone();
        let (kind, mut fields) = self.next().await?;
        if let Some((old_kind, old)) = pending::opened(self.home, &name).await?
            && old_kind.name == kind.name
        {
            fields.fill_from(&old, kind);
        }
        checked(kind, fields.json().expose_secret())?;
        if let Err(failure) = set::prove(self.home, &name, kind, &fields.json()).await {
            // What was entered wrong is entered anew; what can't be reached now is tried again as it is.
            if failure.code.as_str() == "credential-not-accepted" && failure.exit == Exit::Side {
                step.yields.iter().for_each(|name| fields.remove(name));
                pending::seal(self.home, &next_name(&name), kind, &fields, &self.by).await?;
            }
            return Err(failure);
        }
        pending::seal(self.home, &next_name(&name), kind, &fields, &self.by).await?;
        self.plan_with(kind, &fields).await?;
        let connections = self.renewal.connections(self.home).len();
        Ok(Reached::Done(format!(
            "the new credential signs in for {connections} connections, and a plan was made with it"
        )))
    }

    /// A plan reads everything that a run would: what signs in may still lack a permission.
    async fn plan_with(&self, kind: &CredentialKind, fields: &Fields) -> Result<(), Failure> {
        let credential = Credential {
            kind: kind.name.to_owned(),
            fields: fields.json(),
        };
        let shared = Shared::with_instead(&self.renewal.credential, credential)?;
        let names = self.enabled();
        for connection in sync::connections_by(&shared, self.global, self.home, &names).await? {
            tieout_engine::plan(&connection, RunOptions::new(sync::run_id(), "plan")).await?;
        }
        Ok(())
    }

    /// The new credential takes the old one's place, for all of its connections at once. Done twice it is done once.
    async fn switch(&self) -> Result<Reached, Failure> {
        let name = &self.renewal.credential;
        if let Some((kind, fields)) = pending::opened(self.home, &next_name(name)).await? {
            let old = pending::opened(self.home, &old_name(name)).await?;
            if let (None, Some((kind, fields))) = (old, pending::opened(self.home, name).await?) {
                pending::seal(self.home, &old_name(name), kind, &fields, &self.by).await?;
            }
            pending::seal(self.home, name, kind, &fields, &self.by).await?;
            pending::forget(self.home, &next_name(name), &self.by).await?;
        }
        let mut kept = Vec::new();
        for user in crate::trial::uses(self.home, name) {
            let values = ["account", "subsidiary", "organization"]
                .into_iter()
                .filter_map(|key| Some(format!("{key} {}", user.settings.get(key)?.as_str()?)));
            let values: Vec<_> = values.collect();
            kept.push(format!("{}: {}", user.connection, values.join(", ")));
        }
        Ok(Reached::Done(format!("in use; kept: {}", kept.join("; "))))
    }

    /// Shows the plan, and runs after a yes.
    async fn sync(&mut self) -> Result<Reached, Failure> {
        let names = self.enabled();
        let mut connections = sync::connections(self.global, self.home, &names).await?;
        for connection in &mut connections {
            connection.actor.clone_from(&self.by);
        }
        let mut plans = Vec::new();
        for connection in &connections {
            let plan =
                tieout_engine::plan(connection, RunOptions::new(sync::run_id(), "plan")).await?;
            if !self.global.json {
                sync::print_plan(&plan, self.global.quiet);
            }
            plans.push(plan);
        }
        self.shown["plans"] = json!(plans);
        if !self.agrees("sync now? [y/N] ")? {
            return Ok(Reached::Waits(
                "look at the plan and say yes (--yes)".to_owned(),
            ));
        }
        self.renewal.resume(self.home, &self.by).await?;
        let mut done = sync::Done::default();
        for connection in &connections {
            done.run(connection, RunOptions::new(sync::run_id(), "command"))
                .await;
        }
        for report in &done.reports {
            if !self.global.json {
                sync::print_report(report, self.global.quiet);
            }
        }
        self.shown["runs"] = json!(done.reports);
        let exit = done.exit();
        self.shown["exit"] = json!(exit as u8);
        match exit {
            Exit::Done | Exit::Exceptions => Ok(Reached::Done(format!(
                "{} connections ran",
                done.reports.len()
            ))),
            _ => Ok(Reached::Waits(
                "the run did not go through; it is tried again".to_owned(),
            )),
        }
    }

    /// The connections that use the credential and are not disconnected.
    fn enabled(&self) -> Vec<String> {
        let all = &self.home.config.connections;
        let on = |name: &ConnectionName| all.get(name).is_some_and(|config| config.enabled);
        let names = self.renewal.connections(self.home).into_iter().filter(on);
        names.map(|name| name.to_string()).collect()
    }

    /// The credential under its own name.
    pub(super) async fn credential_in_use(&self) -> Result<(String, SecretString), Failure> {
        let vault = self.home.vault().await?;
        let credentials = self.home.store.credentials();
        let (row, fields) = credentials.get(&vault, &self.renewal.credential).await?;
        Ok((row.kind, fields))
    }

    /// The credential that is being put together.
    async fn next(&self) -> Result<(&'static CredentialKind, Fields), Failure> {
        let name = next_name(&self.renewal.credential);
        match pending::opened(self.home, &name).await? {
            Some((kind, fields)) if kind.name == self.renewal.to => Ok((kind, fields)),
            _ => Ok((known_kind(&self.renewal.to)?, Fields::default())),
        }
    }
}

fn waits(step: &Step) -> Reached {
    Reached::Waits(step.title.to_owned())
}
