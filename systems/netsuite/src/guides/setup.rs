//! The first credential of a connection.

use super::{
    CERTIFICATE_MADE, CERTIFICATE_UPLOADED, MACHINE_INTEGRATION, NEW_TOKEN, NEW_TOKEN_INTEGRATION,
};
use tieout_kit::guide::{Proof, Step};

/// OAuth 2.0 with a certificate.
pub(super) const CERTIFICATE: &[Step] = &[
    Step {
        id: "enable-features",
        title: "Switch on what OAuth 2.0 needs",
        menu: "Setup > Company > Enable Features > SuiteCloud",
        instructions: &[
            "CLIENT SUITESCRIPT, SERVER SUITESCRIPT, REST WEB SERVICES and OAUTH 2.0: on",
            "Save",
        ],
        warning: "",
        yields: &[],
        proof: Proof::Said,
    },
    MACHINE_INTEGRATION,
    CERTIFICATE_MADE,
    CERTIFICATE_UPLOADED,
];

/// Token-based authentication.
pub(super) const TOKEN: &[Step] = &[
    Step {
        id: "enable-features",
        title: "Switch on what token-based authentication needs",
        menu: "Setup > Company > Enable Features > SuiteCloud",
        instructions: &[
            "CLIENT SUITESCRIPT, SERVER SUITESCRIPT, REST WEB SERVICES and TOKEN-BASED AUTHENTICATION: on",
            "Save",
        ],
        warning: "NetSuite lets no new integration use token-based authentication from release 2027.1 on; where you \
             can choose, take OAuth 2.0.",
        yields: &[],
        proof: Proof::Said,
    },
    NEW_TOKEN_INTEGRATION,
    NEW_TOKEN,
];
