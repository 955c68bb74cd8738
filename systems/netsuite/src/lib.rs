//! NetSuite: settings, authentication, SuiteQL, records, port.
//!
//! The README beside this crate holds what is known of the service, with its sources; the code cites its
//! sections.

mod accounts;
mod address;
mod attachments;
mod auth;
mod bills;
mod bundle_preferences;
mod call;
mod credit_applications;
mod deleted;
mod dimensions;
#[cfg(test)]
mod endings;
mod entities;
mod examine;
mod files;
mod form;
mod guides;
mod journals;
mod lines;
mod payments;
mod periods;
mod permissions;
mod port;
mod probe;
mod problem;
mod reader;
mod receivables;
mod records;
mod settings;
mod subledger;
mod suiteql;
#[cfg(test)]
mod suitescript;
mod terms;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod time;
mod upsert;
mod vendor_credits;
mod vendor_payments;
mod vendors;

use tieout_domain::port::Ways;
use tieout_domain::{Side, SystemId};
use tieout_kit::System;
use tieout_kit::system::{CredentialField, CredentialKind, EXPIRES, Setting};
use tieout_kit::webhooks::Webhooks;

/// NetSuite, as the registry knows it.
pub static SYSTEM: System = System {
    id: SystemId::new("netsuite"),
    title: "Oracle NetSuite",
    side: Side::Ledger,
    book: None,
    ways: Ways::NONE,
    manual: include_str!("../README.md"),
    settings: SETTINGS,
    credentials: CREDENTIALS,
    guides: guides::GUIDES,
    understand: settings::understand,
    webhooks: Some(Webhooks::SecretPath),
    connect: port::connect,
    address: Some(address::address),
    calls_an_hour: None,
};

const SETTINGS: &[Setting] = &[
    Setting {
        name: "account",
        label: "Account ID",
        help: "Setup > Company > Company Information, such as 1234567 or 1234567_SB1; the address of \
               any of the account's pages will do",
        required: true,
    },
    Setting {
        name: "subsidiary",
        label: "Subsidiary",
        help: "the subsidiary's internal id: needed in a OneWorld account, refused in any other",
        required: false,
    },
    Setting {
        name: "credential",
        label: "Credential",
        help: "the name of a stored credential of kind netsuite-m2m or netsuite-tba",
        required: true,
    },
    Setting {
        name: "base_url",
        label: "Address",
        help: "stands for all of the account's hosts; by default they follow from the account id",
        required: false,
    },
    Setting {
        name: "settle",
        label: "Settling time",
        help: "how long an unanswered write may still be running over there; \"15 minutes\" by default",
        required: false,
    },
    Setting {
        name: "concurrency",
        label: "Calls at once",
        help: "4 by default; the account's limit is shared with its other integrations",
        required: false,
    },
    Setting {
        name: "payables_accounts",
        label: "Payables accounts",
        help: "internal ids: only bills booked to these accounts; all of them by default",
        required: false,
    },
    Setting {
        name: "receivables",
        label: "Receivables",
        help: "follows from the pair, and need not be written: doctor asks for the permissions that the pair needs",
        required: false,
    },
    Setting {
        name: "pdf_script",
        label: "Script for files",
        help: "the script id of the RESTlet that prints invoices and hands out the files of bills, \
               customscript_tieout_files once suitescript/ is installed; without it everything else works",
        required: false,
    },
    Setting {
        name: "pdf_deploy",
        label: "Its deployment",
        help: "customdeploy_tieout_files by default",
        required: false,
    },
    Setting {
        name: "preferences_record",
        label: "Record of BILL's own preferences",
        help: "the script id of the custom record \"Bill.com Preferences\", such as customrecord_…; found \
               by its name unless given",
        required: false,
    },
];

const CREDENTIALS: &[CredentialKind] = &[
    CredentialKind {
        name: "netsuite-m2m",
        fields: &[
            CredentialField {
                name: "client_id",
                label: "Client ID (Consumer Key)",
                secret: false,
                required: true,
            },
            CredentialField {
                name: "private_key_pem",
                label: "Private key (PEM)",
                secret: true,
                required: true,
            },
            CredentialField {
                name: "certificate_id",
                label: "Certificate ID",
                secret: false,
                required: true,
            },
            EXPIRES,
        ],
    },
    CredentialKind {
        name: "netsuite-tba",
        fields: &[
            CredentialField {
                name: "consumer_key",
                label: "Consumer Key",
                secret: true,
                required: true,
            },
            CredentialField {
                name: "consumer_secret",
                label: "Consumer Secret",
                secret: true,
                required: true,
            },
            CredentialField {
                name: "token_id",
                label: "Token ID",
                secret: true,
                required: true,
            },
            CredentialField {
                name: "token_secret",
                label: "Token Secret",
                secret: true,
                required: true,
            },
            EXPIRES,
        ],
    },
];
