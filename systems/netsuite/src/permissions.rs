//! What the role of an integration needs: the one place where it is written. `tieout doctor` asks for each that a
//! connection's side of the books needs, the roles in `suitescript/` grant exactly these (a test compares them), and
//! the README's list is the same (README §The role).

/// A level of a permission, as the role's page and its file have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    View,
    Edit,
    Full,
}

impl Level {
    /// As it stands in the role's file.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::View => "VIEW",
            Self::Edit => "EDIT",
            Self::Full => "FULL",
        }
    }
}

/// How a missing permission shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    /// A query for one row of this table, by this column.
    Table(&'static str, &'static str),
    /// The table exists only with a feature; without it there is nothing to permit.
    TableOfFeature(&'static str, &'static str, &'static str),
    /// The record's entry in the catalogue of what the role can use.
    Record(&'static str),
    /// Every call fails, and names it.
    EveryCall,
    /// Nothing but the sign-in itself.
    SignIn,
    /// As [`Probe::Table`], and all that matters works without it.
    Courtesy(&'static str, &'static str),
}

/// Which connections need a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Serves {
    All,
    Payables,
    Receivables,
}

/// A permission that the role needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permission {
    /// The tab of the role's page, and the name there.
    pub(crate) tab: &'static str,
    pub(crate) name: &'static str,
    /// Its key in the role's file.
    pub(crate) key: &'static str,
    pub(crate) level: Level,
    /// What doesn't work without it.
    pub(crate) needed_for: &'static str,
    pub(crate) probe: Probe,
    serves: Serves,
}

impl Permission {
    const fn of_payables(self) -> Self {
        Self {
            serves: Serves::Payables,
            ..self
        }
    }

    const fn of_receivables(self) -> Self {
        Self {
            serves: Serves::Receivables,
            ..self
        }
    }
}

const fn needs(
    (tab, name, key): (&'static str, &'static str, &'static str),
    level: Level,
    needed_for: &'static str,
    probe: Probe,
) -> Permission {
    Permission {
        tab,
        name,
        key,
        level,
        needed_for,
        probe,
        serves: Serves::All,
    }
}

/// The name of the role that is shipped for a connection of receivables, or for one of payables.
pub(crate) const fn role(receivables: bool) -> &'static str {
    if receivables {
        "tieout receivables (customrole_tieout_receivables)"
    } else {
        "tieout (customrole_tieout)"
    }
}

/// What a connection of receivables needs, or one of payables.
pub(crate) fn needed(receivables: bool) -> impl Iterator<Item = &'static Permission> {
    let other = if receivables {
        Serves::Payables
    } else {
        Serves::Receivables
    };
    PERMISSIONS
        .iter()
        .filter(move |permission| permission.serves != other)
}

/// All of them.
pub(crate) const PERMISSIONS: &[Permission] = &[
    needs(
        ("Setup", "REST Web Services", "ADMI_RESTWEBSERVICES"),
        Level::Full,
        "every call",
        Probe::EveryCall,
    ),
    needs(
        (
            "Setup",
            "Log in using OAuth 2.0 Access Tokens",
            "ADMI_LOGIN_OAUTH2",
        ),
        Level::Full,
        "signing in with a certificate",
        Probe::SignIn,
    ),
    needs(
        ("Setup", "Log in using Access Tokens", "ADMI_LOGIN_OAUTH"),
        Level::Full,
        "signing in with a token",
        Probe::SignIn,
    ),
    needs(
        ("Reports", "SuiteAnalytics Workbook", "REPO_ANALYTICS"),
        Level::Edit,
        "every query",
        Probe::EveryCall,
    ),
    needs(
        ("Setup", "Deleted Records", "ADMI_DELETEDRECORD"),
        Level::Full,
        "noticing bills and payments that were deleted",
        Probe::Table("deletedrecord", "recordid"),
    ),
    needs(
        ("Setup", "Manage Accounting Periods", "ADMI_ACCTPERIODS"),
        Level::View,
        "knowing which periods are closed before anything is posted",
        Probe::Table("accountingperiod", "id"),
    ),
    needs(
        ("Setup", "View Login Audit Trail", "ADMI_AUDITLOGIN"),
        Level::View,
        "telling why another credential of the account was refused",
        Probe::Courtesy("loginaudit", "detail"),
    ),
    needs(
        ("Setup", "Accounting Lists", "ADMI_ACCOUNTINGLIST"),
        Level::View,
        "knowing which terms offer an early-payment discount",
        Probe::Courtesy("term", "id"),
    )
    .of_payables(),
    needs(
        ("Transactions", "Find Transaction", "TRAN_FIND"),
        Level::View,
        "reading bills, credits and payments",
        Probe::Table("transaction", "id"),
    ),
    needs(
        ("Transactions", "Bills", "TRAN_VENDBILL"),
        Level::Edit,
        "reading bills and applying payments to them (records are opened in edit mode, also to be read)",
        Probe::Record("vendorBill"),
    )
    .of_payables(),
    needs(
        ("Transactions", "Pay Bills", "TRAN_VENDPYMT"),
        Level::Edit,
        "posting BILL's payments",
        Probe::Record("vendorPayment"),
    )
    .of_payables(),
    needs(
        ("Transactions", "Enter Vendor Credits", "TRAN_VENDCRED"),
        Level::Edit,
        "applying vendor credits",
        Probe::Record("vendorCredit"),
    )
    .of_payables(),
    needs(
        ("Transactions", "Invoice", "TRAN_CUSTINVC"),
        Level::Edit,
        "reading and writing invoices, and applying payments to them",
        Probe::Record("invoice"),
    )
    .of_receivables(),
    needs(
        ("Transactions", "Credit Memo", "TRAN_CUSTCRED"),
        Level::Edit,
        "writing credit memos and applying them",
        Probe::Record("creditMemo"),
    )
    .of_receivables(),
    needs(
        ("Transactions", "Customer Payment", "TRAN_CUSTPYMT"),
        Level::Edit,
        "posting customers' payments",
        Probe::Record("customerPayment"),
    )
    .of_receivables(),
    needs(
        ("Transactions", "Customer Refund", "TRAN_CUSTRFND"),
        Level::Edit,
        "posting what was paid back",
        Probe::Record("customerRefund"),
    )
    .of_receivables(),
    needs(
        ("Transactions", "Make Deposit", "TRAN_DEPOSIT"),
        Level::Edit,
        "booking what a platform pays out as deposits",
        Probe::Record("deposit"),
    )
    .of_receivables(),
    needs(
        ("Transactions", "Deposit Application", "TRAN_DEPAPPL"),
        Level::Edit,
        "seeing what customers' deposits settle",
        Probe::Record("depositApplication"),
    )
    .of_receivables(),
    needs(
        ("Transactions", "Make Journal Entry", "TRAN_JOURNAL"),
        Level::Edit,
        "reversing payments that were voided or returned",
        Probe::Record("journalEntry"),
    ),
    needs(
        ("Lists", "Vendors", "LIST_VENDOR"),
        Level::View,
        "reading vendors",
        Probe::Table("vendor", "id"),
    )
    .of_payables(),
    needs(
        ("Lists", "Customers", "LIST_CUSTJOB"),
        Level::Edit,
        "reading customers, and making those that are new",
        Probe::Record("customer"),
    )
    .of_receivables(),
    needs(
        ("Lists", "Items", "LIST_ITEM"),
        Level::View,
        "knowing the items that stand on invoices",
        Probe::Table("item", "id"),
    )
    .of_receivables(),
    needs(
        ("Setup", "Accounting Lists", "ADMI_ACCOUNTINGLIST"),
        Level::View,
        "knowing the payment terms",
        Probe::Table("term", "id"),
    )
    .of_receivables(),
    needs(
        ("Lists", "Accounts", "LIST_ACCOUNT"),
        Level::View,
        "reading the chart of accounts",
        Probe::Table("account", "id"),
    ),
    needs(
        ("Lists", "Subsidiaries", "LIST_SUBSIDIARY"),
        Level::View,
        "knowing the subsidiaries and their currencies",
        Probe::TableOfFeature("subsidiary", "id", "SUBSIDIARIES"),
    ),
    needs(
        ("Lists", "Departments", "LIST_DEPARTMENT"),
        Level::View,
        "reading departments",
        Probe::TableOfFeature("department", "id", "DEPARTMENTS"),
    ),
    needs(
        ("Lists", "Classes", "LIST_CLASS"),
        Level::View,
        "reading classes",
        Probe::TableOfFeature("classification", "id", "CLASSES"),
    ),
    needs(
        ("Lists", "Locations", "LIST_LOCATION"),
        Level::View,
        "reading locations",
        Probe::TableOfFeature("location", "id", "LOCATIONS"),
    ),
    needs(
        ("Lists", "Currency", "LIST_CURRENCY"),
        Level::View,
        "knowing the currencies",
        Probe::TableOfFeature("currency", "id", "MULTICURRENCY"),
    ),
    needs(
        ("Lists", "Perform Search", "LIST_FIND"),
        Level::View,
        "queries over lists",
        Probe::EveryCall,
    ),
];

/// A feature of the account, under Setup > Company > Enable Features.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feature {
    /// Its id in `companyfeaturesetup`.
    pub(crate) id: &'static str,
    /// Its name on the page.
    pub(crate) name: &'static str,
    /// What needs it.
    pub(crate) needed_for: &'static str,
    /// Whether nothing works without it.
    pub(crate) vital: bool,
}

/// Signing in with a token.
pub(crate) const TOKEN_BASED: Feature = Feature {
    id: "TBA",
    name: "Token-based Authentication",
    needed_for: "signing in with a token (credentials of kind netsuite-tba)",
    vital: true,
};

/// Signing in with a certificate.
pub(crate) const OAUTH2: Feature = Feature {
    id: "OAUTH2",
    name: "OAuth 2.0",
    needed_for: "signing in with a certificate (credentials of kind netsuite-m2m)",
    vital: true,
};

/// Every call.
pub(crate) const REST: Feature = Feature {
    id: "RESTWEBSERVICES",
    name: "REST Web Services",
    needed_for: "every call that tieout makes",
    vital: true,
};

/// Features that signing in doesn't need.
pub(crate) const FEATURES: &[Feature] = &[
    REST,
    Feature {
        id: "WEBSERVICESEXTERNAL",
        name: "SuiteTalk (Web Services)",
        needed_for: "the family of services that REST Web Services belongs to; BILL's own sync uses it too",
        vital: false,
    },
    Feature {
        id: "CUSTOMCODE",
        name: "Client SuiteScript",
        needed_for: "bundles and scripts that are installed in the account; without it Server SuiteScript can't be on",
        vital: false,
    },
    Feature {
        id: "SERVERSIDESCRIPTING",
        name: "Server SuiteScript",
        needed_for: "scripts in the account: pushing changes to tieout, and PDFs of invoices. Everything else works without it",
        vital: false,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE_FILES: [(bool, &str); 2] = [
        (
            false,
            include_str!("../../../suitescript/role/src/Objects/customrole_tieout.xml"),
        ),
        (
            true,
            include_str!("../../../suitescript/role/src/Objects/customrole_tieout_receivables.xml"),
        ),
    ];

    #[test]
    fn a_role_that_is_shipped_grants_exactly_what_is_needed() {
        let between = |text: &'static str, tag: &str| -> Vec<&'static str> {
            let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
            text.split(open.as_str())
                .skip(1)
                .filter_map(|rest| rest.split(close.as_str()).next())
                .collect()
        };
        for (receivables, file) in ROLE_FILES {
            let mut granted: Vec<_> = between(file, "permission")
                .into_iter()
                .map(|one| (between(one, "permkey")[0], between(one, "permlevel")[0]))
                .collect();
            let mut wanted: Vec<_> = needed(receivables)
                .map(|one| (one.key, one.level.as_str()))
                .collect();
            granted.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(granted, wanted, "{}", role(receivables));
            let id = role(receivables).rsplit('(').next().unwrap();
            assert!(file.contains(&format!("scriptid=\"{}\"", id.trim_end_matches(')'))));
        }
    }

    #[test]
    fn neither_side_of_the_books_is_asked_for_the_others_permissions() {
        let asked = |receivables: bool, key: &str| needed(receivables).any(|one| one.key == key);
        assert!(asked(false, "TRAN_VENDBILL") && !asked(false, "TRAN_CUSTINVC"));
        assert!(asked(true, "TRAN_CUSTINVC") && !asked(true, "LIST_VENDOR"));
        assert!(asked(true, "TRAN_DEPOSIT") && !asked(false, "TRAN_DEPOSIT"));
        assert!(asked(true, "TRAN_JOURNAL") && asked(false, "TRAN_JOURNAL"));
    }

    #[test]
    fn the_readme_names_every_permission_and_feature() {
        let readme = include_str!("../README.md");
        let readme = readme.split_whitespace().collect::<Vec<_>>().join(" ");
        let names = PERMISSIONS.iter().map(|one| one.name);
        for name in names.chain(FEATURES.iter().map(|one| one.name)) {
            assert!(readme.contains(name), "{name}");
        }
    }
}
