//! Roles and their permissions (README, section *Roles*).

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use tieout_kit::fake::ControlError;

/// A permission's level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Not granted.
    None,
    /// May be seen: enough for SuiteQL.
    View,
    /// May be made.
    Create,
    /// May be changed. The record service needs it even to read: it opens records in edit mode.
    Edit,
    /// May be deleted.
    Full,
}

/// A role's internal id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoleId(u32);

impl fmt::Display for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A role: a name, and the permissions that aren't at the role's usual level.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    id: RoleId,
    name: String,
    usual: Level,
    permissions: BTreeMap<String, Level>,
}

/// The permissions that decide whether a role can sign in and call at all.
pub(crate) const SIGN_IN_M2M: &str = "Log in using OAuth 2.0 Access Tokens";
/// See [`SIGN_IN_M2M`].
pub(crate) const SIGN_IN_TBA: &str = "Log in using Access Tokens";
/// Needed for every REST call.
pub(crate) const REST: &str = "REST Web Services";
/// Lets a role post into locked periods; an integration's role hasn't got it.
pub(crate) const OVERRIDE_PERIODS: &str = "Override Period Restrictions";
/// Needed for SuiteQL.
pub(crate) const WORKBOOK: &str = "SuiteAnalytics Workbook";

impl Role {
    /// The role the sandbox's credentials start with: all that an integration needs, not an administrator.
    pub(crate) fn integration() -> Self {
        Self {
            id: RoleId(1042),
            name: "Accounting Integration".to_owned(),
            usual: Level::Full,
            permissions: [(OVERRIDE_PERIODS.to_owned(), Level::None)].into(),
        }
    }

    /// The administrator, whose id is 3 in every account.
    pub(crate) fn administrator() -> Self {
        Self {
            id: RoleId(3),
            name: "Administrator".to_owned(),
            ..Self::integration()
        }
    }

    /// Sees everything and changes nothing.
    fn read_only() -> Self {
        let signs_in = [SIGN_IN_M2M, SIGN_IN_TBA, REST, WORKBOOK];
        Self {
            id: RoleId(1043),
            name: "Read only".to_owned(),
            usual: Level::View,
            permissions: signs_in.map(|name| (name.to_owned(), Level::Full)).into(),
        }
    }

    /// May not sign in with tokens.
    fn without_sign_in() -> Self {
        let signs_in = [SIGN_IN_M2M, SIGN_IN_TBA];
        Self {
            id: RoleId(1044),
            name: "No sign-in".to_owned(),
            usual: Level::Full,
            permissions: signs_in.map(|name| (name.to_owned(), Level::None)).into(),
        }
    }

    /// A role as the panel names it: a known name, or `{"name", "permissions": {"Bills": "view"}}`.
    pub(crate) fn from_control(value: &Value) -> Result<Self, ControlError> {
        if let Some(name) = value.as_str() {
            return match name.to_ascii_lowercase().as_str() {
                "administrator" | "3" => Ok(Self::administrator()),
                "integration" | "accounting integration" | "1042" => Ok(Self::integration()),
                "read-only" | "read only" | "1043" => Ok(Self::read_only()),
                "no-sign-in" | "no sign-in" | "none" | "1044" => Ok(Self::without_sign_in()),
                _ => Err(ControlError::bad(format!(
                    "role \"{name}\" is unknown; use administrator, integration, read-only, \
                     no-sign-in, or {{\"name\": …, \"permissions\": {{\"Bills\": \"none\"}}}}"
                ))),
            };
        }
        let mut role = Self {
            id: RoleId(1045),
            name: value
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or("Custom role")
                .to_owned(),
            ..Self::integration()
        };
        role.change(value)?;
        Ok(role)
    }

    /// Changes permissions: `{"permissions": {"Bills": "none"}}`.
    pub(crate) fn change(&mut self, value: &Value) -> Result<(), ControlError> {
        let Some(permissions) = value.get("permissions") else {
            return Ok(());
        };
        let permissions = permissions.as_object().ok_or_else(|| {
            ControlError::bad("permissions: must be an object of permission name to level")
        })?;
        for (name, level) in permissions {
            let level = match level
                .as_str()
                .unwrap_or_default()
                .to_ascii_lowercase()
                .as_str()
            {
                "none" => Level::None,
                "view" => Level::View,
                "create" => Level::Create,
                "edit" => Level::Edit,
                "full" => Level::Full,
                _ => {
                    return Err(ControlError::bad(format!(
                        "permissions.{name}: use none, view, create, edit or full"
                    )));
                }
            };
            self.permissions.insert(name.clone(), level);
        }
        Ok(())
    }

    /// Its internal id.
    pub(crate) fn id(&self) -> RoleId {
        self.id
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the administrator.
    pub(crate) fn is_administrator(&self) -> bool {
        self.id == RoleId(3)
    }

    /// The level of a permission, with or without the list it stands in (`Lists -> Vendors`). The
    /// administrator has all.
    pub(crate) fn level(&self, permission: &str) -> Level {
        if self.is_administrator() {
            return Level::Full;
        }
        let permission = permission.rsplit(" -> ").next().unwrap_or(permission);
        self.permissions
            .get(permission)
            .copied()
            .unwrap_or(self.usual)
    }

    /// Whether a permission is held at this level or above.
    pub(crate) fn may(&self, permission: &str, level: Level) -> bool {
        self.level(permission) >= level
    }
}

/// The permission a SuiteQL table needs, for the tables that a role may lack.
pub(crate) const TABLE_PERMISSIONS: [(&str, &str); 25] = [
    ("transaction", "Find Transaction"),
    ("transactionline", "Find Transaction"),
    ("transactionaccountingline", "Find Transaction"),
    ("nexttransactionlinelink", "Find Transaction"),
    ("previoustransactionlinelink", "Find Transaction"),
    ("vendor", "Vendors"),
    ("vendorsubsidiaryrelationship", "Vendors"),
    ("vendoraddressbook", "Vendors"),
    ("vendoraddressbookentityaddress", "Vendors"),
    ("customer", "Customers"),
    ("customersubsidiaryrelationship", "Customers"),
    ("customeraddressbook", "Customers"),
    ("customeraddressbookentityaddress", "Customers"),
    ("account", "Accounts"),
    ("accountsubsidiarymap", "Accounts"),
    ("subsidiary", "Subsidiaries"),
    ("department", "Departments"),
    ("classification", "Classes"),
    ("location", "Locations"),
    ("item", "Items"),
    ("currency", "Currency"),
    ("term", "Accounting Lists"),
    ("accountingperiod", "Manage Accounting Periods"),
    ("deletedrecord", "Deleted Records"),
    ("loginaudit", "View Login Audit Trail"),
];
