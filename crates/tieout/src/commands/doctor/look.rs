//! Examining the sides of connections, each by itself, and then together: a credential that was refused isn't tried
//! again for the next connection, and what one side is not told another may see.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::{Map, Value};
use tieout_desk::accounts::chosen;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;
use tieout_domain::port::{Ports, Whole};
use tieout_domain::{ConnectionName, Kind};
use tieout_engine::initial_sync;
use tieout_kit::System;
use tieout_store::Vault;

use crate::assemble::{self, Shared};
use crate::bulk;
use crate::commands::preferences;
use crate::config::ConnectionConfig;
use crate::failure::Failure;
use crate::home::Home;
use crate::other_sync;

/// What was found out about a connection.
pub struct Examined {
    name: String,
    sides: Vec<Side>,
    /// About both sides together.
    together: Vec<Check>,
}

/// What was found out about a side.
struct Side {
    system: &'static str,
    credential: String,
    /// `None` where it can't even be put together.
    ports: Option<Ports>,
    checks: Vec<Check>,
}

impl Examined {
    /// The connection.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The checks, each with the system that it is about; empty where it is about both.
    pub fn checks(&self) -> impl Iterator<Item = (&str, &Check)> {
        let of_sides = self
            .sides
            .iter()
            .flat_map(|side| side.checks.iter().map(|check| (side.system, check)));
        of_sides.chain(self.together.iter().map(|check| ("", check)))
    }
}

impl Side {
    fn signed_in(&self) -> bool {
        let sign_in =
            |check: &Check| check.status == Status::Ok && check.code == Code::new("sign-in");
        self.checks.iter().any(sign_in)
    }

    fn pays_out(&self) -> bool {
        self.ports.as_ref().is_some_and(|ports| ports.ways.pays_out)
    }

    fn is_unclear(&self) -> bool {
        self.checks.iter().any(unclear)
    }

    /// Whether both sign in to the same account.
    fn same_account(&self, other: &Ports) -> bool {
        let same = |own: &Ports| own.system == other.system && own.account == other.account;
        self.ports.as_ref().is_some_and(same)
    }
}

/// What all sides are put together from.
struct Parts<'a> {
    home: &'a Home,
    shared: &'a Shared,
    vault: Result<Vault, Failure>,
}

/// Examines the connections named, or all.
///
/// # Errors
/// Wrong usage: a name that is no connection's. Everything else becomes a check.
pub async fn examine(
    home: &Home,
    shared: &Shared,
    names: &[String],
    auditor: Option<&str>,
) -> Result<Vec<Examined>, Failure> {
    let chosen = home.config.chosen(names)?;
    let parts = Parts {
        home,
        shared,
        vault: home.vault().await,
    };
    let mut examined: Vec<Examined> = Vec::new();
    let mut waiting: VecDeque<_> = chosen.into_iter().collect();
    while !waiting.is_empty() {
        let wave = wave(&mut waiting, &examined);
        // Boxed, so that a service may do it on any of its threads.
        let work = |(name, config)| parts.connection(name, config, &examined).boxed();
        let found = bulk::all(wave, work).await;
        examined.extend(found);
    }
    parts.explain(&mut examined, auditor).await;
    Ok(examined)
}

/// Takes the connections that may be examined together: each of their credentials is used by one of them alone, or has
/// signed in for an earlier one. What was refused is never tried by two at once (scenario 207).
fn wave<'a>(waiting: &mut VecDeque<Named<'a>>, before: &[Examined]) -> Vec<Named<'a>> {
    let proven: BTreeSet<&str> = before
        .iter()
        .flat_map(|one| &one.sides)
        .filter(|side| side.signed_in())
        .map(|side| side.credential.as_str())
        .collect();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut wave = Vec::new();
    while let Some((name, config)) = waiting.front().copied() {
        let used = [&config.ledger_settings, &config.platform_settings].map(credential);
        let unproven = used.into_iter().filter(|name| !proven.contains(name));
        let unproven: BTreeSet<&str> = unproven.collect();
        if !taken.is_disjoint(&unproven) {
            break;
        }
        taken.extend(unproven);
        wave.push((name, config));
        waiting.pop_front();
    }
    wave
}

/// A connection of the configuration.
type Named<'a> = (&'a ConnectionName, &'a ConnectionConfig);

impl Parts<'_> {
    async fn connection(
        &self,
        name: &ConnectionName,
        config: &ConnectionConfig,
        before: &[Examined],
    ) -> Examined {
        let ledger = (config.ledger.system, &config.ledger_settings);
        let platform = (config.platform.system, &config.platform_settings);
        let (ledger, platform) = tokio::join!(
            self.side(name, ledger, before),
            self.side(name, platform, before)
        );
        let sides = vec![ledger, platform];
        let mut together: Vec<_> = environments(&sides).into_iter().collect();
        together.extend(unprinted(&sides));
        together.extend(unattached(&sides));
        for side in sides.iter().filter(|side| side.signed_in()) {
            if let Some(ports) = side.ports.as_ref().filter(|it| it.subledger.is_some()) {
                together.push(other_sync::check(self.home, name, ports).await);
            }
        }
        if sides.iter().any(Side::pays_out) {
            together.extend(self.accounts(name, config).await);
        }
        together.extend(self.initial(name).await);
        Examined {
            name: name.to_string(),
            together,
            sides,
        }
    }

    /// Whether the accounts of payments and payouts are chosen, and of the right type.
    async fn accounts(&self, name: &ConnectionName, config: &ConnectionConfig) -> Vec<Check> {
        let store = self.home.store.connection(name);
        let Ok(all) = chosen(&store, &preferences::standing(config)).await else {
            return Vec::new();
        };
        let open: Vec<&str> = all
            .iter()
            .filter(|one| one.value.is_empty())
            .map(|one| one.purpose.title)
            .collect();
        let mut checks: Vec<Check> = all
            .iter()
            .filter_map(|one| one.problem.as_ref())
            .map(|problem| {
                let code = Code::new("wrong-account-type");
                Check::found(Status::Warning, code, problem.clone())
            })
            .collect();
        if !open.is_empty() {
            let cause = format!("not chosen yet: {}", open.join(", "));
            let code = Code::new("accounts-not-set-up");
            checks.push(Check::found(Status::Warning, code, cause));
        }
        if checks.is_empty() {
            let cause = "payments and payouts have their accounts in the ledger";
            checks.push(Check::ok(Code::new("accounts-not-set-up"), cause));
        }
        checks
    }

    /// How far the initial sync is, where there is one.
    async fn initial(&self, name: &ConnectionName) -> Option<Check> {
        let initial = initial_sync(&self.home.store.connection(name)).await;
        let initial = initial.ok().flatten()?;
        let cause = format!("{}: {}", initial.as_str(), initial.words());
        Some(if initial.is_pending() {
            Check::found(Status::Note, Code::new("initial-sync"), cause)
        } else {
            Check::ok(Code::new("initial-sync"), cause)
        })
    }

    async fn side(
        &self,
        name: &ConnectionName,
        (system, settings): (&'static System, &Map<String, Value>),
        before: &[Examined],
    ) -> Side {
        let credential = credential(settings).to_owned();
        let mut side = Side {
            system: system.id.as_str(),
            credential,
            ports: None,
            checks: Vec::new(),
        };
        let ports = match self.ports(name, system, settings).await {
            Ok(ports) => ports,
            Err(failure) => {
                side.checks = vec![Check::found(Status::Failed, failure.code, failure.cause)];
                return side;
            }
        };
        // What was refused once is refused again, and counts again.
        let refused = before.iter().flat_map(|one| &one.sides).find(|other| {
            other.credential == side.credential && other.same_account(&ports) && !other.signed_in()
        });
        side.checks = match refused {
            Some(other) => other.checks.clone(),
            None => ports.whole.examine().await,
        };
        side.ports = Some(ports);
        side
    }

    async fn ports(
        &self,
        name: &ConnectionName,
        system: &'static System,
        settings: &Map<String, Value>,
    ) -> Result<Ports, Failure> {
        let vault = self.vault.as_ref().map_err(Clone::clone)?;
        assemble::one_side(self.home, vault, self.shared, name, system, settings).await
    }

    /// Names the cause of each refused sign-in, where somebody else of the same account can see it.
    async fn explain(&self, examined: &mut [Examined], auditor: Option<&str>) {
        for at in 0..examined.len() {
            for side in 0..examined[at].sides.len() {
                if !examined[at].sides[side].is_unclear() {
                    continue;
                }
                if let Some(checks) = already_explained(examined, (at, side)) {
                    examined[at].sides[side].checks = checks;
                    continue;
                }
                let Some(check) = self.explained(examined, (at, side), auditor).await else {
                    continue;
                };
                let checks = &mut examined[at].sides[side].checks;
                if let Some(unclear) = checks.iter_mut().find(|check| unclear(check)) {
                    *unclear = check;
                }
            }
        }
    }

    async fn explained(
        &self,
        examined: &[Examined],
        (at, side): (usize, usize),
        auditor: Option<&str>,
    ) -> Option<Check> {
        let refused = &examined[at].sides[side];
        let own = refused.ports.as_ref()?;
        let witness = examined
            .iter()
            .flat_map(|one| &one.sides)
            .find(|other| other.signed_in() && other.same_account(own))
            .and_then(|other| other.ports.as_ref())
            .map(|ports| Arc::clone(&ports.whole));
        let whole = match witness {
            Some(whole) => whole,
            None => self.witness(examined, (at, side), auditor).await?,
        };
        let seen = whole.refused_sign_ins().await.ok()?;
        own.whole.explain_refusal(&seen)
    }

    /// Somebody else who can sign in to the same account: the auditor named, or the credential of a connection that
    /// wasn't asked about. Whoever it is signs in once at most.
    async fn witness(
        &self,
        examined: &[Examined],
        (at, side): (usize, usize),
        auditor: Option<&str>,
    ) -> Option<Arc<dyn Whole>> {
        let refused = &examined[at].sides[side];
        let own = refused.ports.as_ref()?;
        let tried = |name: &str| {
            let mut sides = examined.iter().flat_map(|one| &one.sides);
            sides.any(|side| side.credential == name)
        };
        for (name, config) in &self.home.config.connections {
            let sides = [
                (config.ledger.system, &config.ledger_settings),
                (config.platform.system, &config.platform_settings),
            ];
            for (system, settings) in sides.into_iter().filter(|side| side.0.id == own.system) {
                let mut settings = settings.clone();
                if let Some(auditor) = auditor {
                    settings.insert("credential".to_owned(), auditor.into());
                }
                if tried(credential(&settings)) {
                    continue;
                }
                if let Ok(ports) = self.ports(name, system, &settings).await
                    && refused.same_account(&ports)
                {
                    return Some(ports.whole);
                }
            }
        }
        None
    }
}

/// What has been found out for an earlier connection that uses the same credential.
fn already_explained(examined: &[Examined], (at, side): (usize, usize)) -> Option<Vec<Check>> {
    let own = &examined[at].sides[side];
    let ports = own.ports.as_ref()?;
    examined[..at]
        .iter()
        .flat_map(|one| &one.sides)
        .find(|other| {
            other.credential == own.credential
                && other.same_account(ports)
                && !other.signed_in()
                && !other.is_unclear()
        })
        .map(|other| other.checks.clone())
}

/// A refusal that the refused one can't tell the cause of.
fn unclear(check: &Check) -> bool {
    check.status == Status::Failed
        && [Code::new("invalid-login"), Code::new("token-refused")].contains(&check.code)
}

fn credential(settings: &Map<String, Value>) -> &str {
    settings
        .get("credential")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A platform that shows invoices as PDF, beside a ledger that prints none (scenario 196).
fn unprinted(sides: &[Side]) -> Option<Check> {
    let ports = || sides.iter().filter_map(|side| side.ports.as_ref());
    let shown = ports().any(|ports| ports.ways.shows_pdfs);
    let printed = ports().any(|ports| ports.files.is_some());
    (shown && !printed).then(|| {
        let cause = "invoices go without their PDF: no `pdf_script` is set for the ledger. Everything else works";
        Check::found(Status::Note, Code::new("script-missing"), cause)
    })
}

/// A platform that takes the files of bills, beside a ledger that hands out none (scenario 76).
fn unattached(sides: &[Side]) -> Option<Check> {
    let ports = || sides.iter().filter_map(|side| side.ports.as_ref());
    let taken = ports().any(|ports| ports.write.contains_key(&Kind::Attachment));
    let listed = ports().any(|ports| ports.read.contains_key(&Kind::Attachment));
    (taken && !listed).then(|| {
        let cause = "bills go without the files that are attached to them: no `pdf_script` is set for the ledger. \
                     Everything else works";
        Check::found(Status::Note, Code::new("script-missing"), cause)
    })
}

/// Test data must never meet real money (scenario 220), whoever wrote the configuration.
fn environments(sides: &[Side]) -> Option<Check> {
    let known: Vec<_> = sides
        .iter()
        .filter_map(|side| Some((side.system, side.ports.as_ref()?.whole.environment()?)))
        .collect();
    let [(ledger, first), (platform, second)] = known.as_slice() else {
        return None;
    };
    if (*first == "production") == (*second == "production") {
        return None;
    }
    let cause = format!("{ledger} is a {first} account and {platform} a {second} organization");
    Some(Check::found(
        Status::Failed,
        Code::new("environments-mixed"),
        cause,
    ))
}
