//! What the account has switched on, and what the role may do: each missing feature and permission by its name
//! (scenario 203).

use std::collections::BTreeMap;

use futures::future::join_all;
use http::Method;
use tieout_domain::Fault;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;

use crate::auth::Auth;
use crate::call::{Call, Client};
use crate::permissions::{self, FEATURES, Feature, PERMISSIONS, Permission, Probe};
use crate::problem::Aim;

/// The account's features: whether each is on. Empty where the role may not see them.
pub(super) type Features = BTreeMap<String, bool>;

impl Client {
    /// Looks at the features that something needs.
    pub(super) async fn check_features(&self, checks: &mut Vec<Check>) -> Features {
        let sql = "SELECT f.id AS id, f.isactive AS active FROM companyfeaturesetup f";
        let features: Features = match self.query(sql, &[]).await {
            Ok(found) => found
                .rows
                .iter()
                .map(|row| (row.string("id").to_ascii_uppercase(), row.flag("active")))
                .collect(),
            // A courtesy: what is needed shows itself anyway.
            Err(_) => return Features::new(),
        };
        let other = match self.auth {
            Auth::ClientCredentials(_) => permissions::TOKEN_BASED,
            Auth::TokenBased(_) => permissions::OAUTH2,
        };
        let off = |feature: &Feature| features.get(feature.id) == Some(&false);
        let missing: Vec<_> = FEATURES.iter().filter(|feature| off(feature)).collect();
        if missing.is_empty() {
            let names: Vec<_> = FEATURES
                .iter()
                .filter(|feature| features.contains_key(feature.id))
                .map(|feature| feature.name)
                .collect();
            let cause = format!("the features are on: {}", names.join(", "));
            checks.push(Check::ok(Code::new("checked"), cause));
        }
        checks.extend(missing.into_iter().map(|feature| {
            let status = if feature.vital {
                Status::Failed
            } else {
                Status::Warning
            };
            feature_off(feature, status)
        }));
        if off(&other) {
            checks.push(feature_off(&other, Status::Note));
        }
        features
    }

    /// Tries each permission in the cheapest way there is.
    pub(super) async fn check_permissions(&self, features: &Features, checks: &mut Vec<Check>) {
        let receivables = self.settings.receivables;
        let role = permissions::role(receivables);
        let needed: Vec<&Permission> = permissions::needed(receivables).collect();
        let tried = join_all(needed.iter().map(|permission| async move {
            (*permission, self.holds(permission, features).await)
        }))
        .await;
        let mut whole = true;
        for (permission, fault) in tried {
            let Some(fault) = fault else { continue };
            whole = false;
            checks.push(match fault {
                // It was not about the permission: told as it is.
                fault if !about_the_role(&fault) => super::failed(&fault),
                _ if matches!(permission.probe, Probe::Courtesy(..)) => {
                    missing(permission, Status::Note, role)
                }
                _ => missing(permission, Status::Failed, role),
            });
        }
        if whole {
            let cause = format!("the role has all {} permissions", needed.len());
            checks.push(Check::ok(Code::new("checked"), cause));
        }
    }

    /// `None` where the role has it, or where trying tells nothing.
    async fn holds(&self, permission: &Permission, features: &Features) -> Option<Fault> {
        let result = match permission.probe {
            Probe::EveryCall | Probe::SignIn => return None,
            Probe::TableOfFeature(_, _, feature)
                if features.get(feature).copied() != Some(true) =>
            {
                // Without the feature there is no table, and a missing permission looks the same.
                return None;
            }
            Probe::Table(table, column)
            | Probe::Courtesy(table, column)
            | Probe::TableOfFeature(table, column, _) => {
                let sql =
                    format!("SELECT x.{column} AS one FROM {table} x FETCH FIRST 1 ROWS ONLY");
                self.query(&sql, &[]).await.map(|_| ())
            }
            Probe::Record(record) => {
                let call = Call {
                    method: Method::GET,
                    path: format!("/services/rest/record/v1/metadata-catalog/{record}"),
                    query: Vec::new(),
                    body: None,
                    aim: Aim::Read,
                };
                self.send(&call).await.map(|_| ())
            }
        };
        result.err()
    }
}

fn about_the_role(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused { .. }) || fault.code() == Code::new("permission-missing")
}

/// A permission that the role lacks.
fn missing(permission: &Permission, status: Status, role: &str) -> Check {
    let Permission {
        tab,
        name,
        level,
        needed_for,
        ..
    } = permission;
    let level = level.as_str();
    let cause =
        format!("the role lacks {tab} > {name} ({level}), which is needed for {needed_for}");
    let fix = format!(
        "Setup > Users/Roles > Manage Roles > the role of this credential > Permissions > {tab}: add {name} \
         with the level {level}. Or give the user the role {role}, which has all of them: suitescript/README.md \
         says how it is installed."
    );
    Check::found(status, Code::new("permission-missing"), cause).with_fix(fix)
}

/// A feature that is off.
pub(super) fn feature_off(feature: &Feature, status: Status) -> Check {
    let Feature {
        name, needed_for, ..
    } = feature;
    let cause = format!("the feature {name} is off; it is needed for {needed_for}");
    let fix = format!(
        "Setup > Company > Enable Features > SuiteCloud: tick {name}, read and accept the terms, and save."
    );
    Check::found(status, Code::new("feature-off"), cause).with_fix(fix)
}

/// A service that every call needs says that it may not be used: which permission or feature its words name.
pub(super) fn denied(words: &str, receivables: bool) -> Check {
    let low = words.to_lowercase();
    if low.contains("feature") && low.contains("not enabled") {
        return feature_off(&permissions::REST, Status::Failed);
    }
    let named = PERMISSIONS
        .iter()
        .filter(|permission| permission.probe == Probe::EveryCall)
        .find(|permission| low.contains(&permission.name.to_lowercase()));
    named.map_or_else(
        || Check::found(Status::Failed, Code::new("permission-missing"), words),
        |permission| missing(permission, Status::Failed, permissions::role(receivables)),
    )
}

/// The permission to sign in in this way.
pub(super) fn may_not_sign_in(auth: &Auth, receivables: bool) -> Check {
    let key = match auth {
        Auth::ClientCredentials(_) => "ADMI_LOGIN_OAUTH2",
        Auth::TokenBased(_) => "ADMI_LOGIN_OAUTH",
    };
    let named = PERMISSIONS.iter().find(|permission| permission.key == key);
    named.map_or_else(
        || Check::found(Status::Failed, Code::new("permission-missing"), key),
        |permission| missing(permission, Status::Failed, permissions::role(receivables)),
    )
}
