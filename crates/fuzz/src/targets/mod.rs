//! The targets: one for each door through which bytes come in.

mod alternative_payments;
mod bill;
mod documents;
mod files;
mod invoiced;
mod netsuite;
mod ports;
mod receipts;
mod receivables;
mod sandbox;
mod values;
mod webhooks;

/// Takes any bytes to a reader. Panics where the reader doesn't hold what it must.
#[derive(Debug)]
pub struct Target {
    /// Its name on the command line, and its folder of seeds.
    pub name: &'static str,
    /// What reads, and what must hold.
    pub about: &'static str,
    /// Feeds it.
    pub run: fn(&[u8]),
}

/// All targets, in the order in which they are run.
pub const TARGETS: &[Target] = &[
    Target {
        name: "amounts",
        about: "amounts: what is read prints back to itself, sums are exact or refused",
        run: values::amounts,
    },
    Target {
        name: "names",
        about: "currencies, days, keys, markers, connections, records: what is read prints back to itself",
        run: values::names,
    },
    Target {
        name: "durations",
        about: "settling times in all systems' settings: what is written is waited, or refused",
        run: values::durations,
    },
    Target {
        name: "configuration",
        about: "tieout.toml: a refusal names the line and the key",
        run: files::configuration,
    },
    Target {
        name: "plans",
        about: "plan files: what is read prints back to itself, a refusal names the line",
        run: files::plans,
    },
    Target {
        name: "credentials",
        about: "credentials in JSON: a refusal names the field and never a value",
        run: files::credentials,
    },
    Target {
        name: "dataset",
        about: "the data set's CSV: a refusal names the line, what is read fits the sandbox",
        run: files::dataset,
    },
    Target {
        name: "webhooks",
        about: "BILL's notifications: nothing unsigned is read",
        run: webhooks::notifications,
    },
    Target {
        name: "netsuite-rows",
        about: "answers to queries, errors among them, through every reader of NetSuite's",
        run: netsuite::rows,
    },
    Target {
        name: "netsuite-writes",
        about: "answers to writes: nothing is applied to another record",
        run: netsuite::writes,
    },
    Target {
        name: "netsuite-sign-in",
        about: "answers of the token endpoint, then of the first call",
        run: netsuite::sign_in,
    },
    Target {
        name: "bill-lists",
        about: "answers to lists, errors among them, through every reader of BILL's",
        run: bill::lists,
    },
    Target {
        name: "bill-writes",
        about: "answers to writes, bulk ones too: nothing is applied to another record",
        run: bill::writes,
    },
    Target {
        name: "bill-sign-in",
        about: "answers to a sign-in, then to the first call",
        run: bill::sign_in,
    },
    Target {
        name: "invoiced-lists",
        about: "answers to lists and events, errors among them, through every reader of Invoiced's",
        run: invoiced::lists,
    },
    Target {
        name: "invoiced-writes",
        about: "answers to writes: nothing is applied to another record",
        run: invoiced::writes,
    },
    Target {
        name: "invoiced-webhooks",
        about: "Invoiced's notifications: nothing unsigned is read",
        run: webhooks::of_invoiced,
    },
    Target {
        name: "alternative-payments-lists",
        about: "answers to lists, errors among them, through every reader of Alternative Payments'",
        run: alternative_payments::lists,
    },
    Target {
        name: "alternative-payments-writes",
        about: "answers to writes, files too: nothing is applied to another record",
        run: alternative_payments::writes,
    },
    Target {
        name: "alternative-payments-webhooks",
        about: "Alternative Payments' notifications: nothing without the secret is read",
        run: webhooks::of_alternative_payments,
    },
    Target {
        name: "suiteql",
        about: "the sandbox's SuiteQL: every query is answered or refused in words",
        run: sandbox::suiteql,
    },
    Target {
        name: "control-panel",
        about: "the sandbox's control panel, fault rules among it: a refusal says what was wrong",
        run: sandbox::control_panel,
    },
];

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
