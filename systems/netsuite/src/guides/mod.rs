//! What a person does in NetSuite's own pages to give tieout a way in, and to renew it.
//!
//! Menu paths and labels are NetSuite's (README §Signing in). The order of the renewals is the only safe one: what
//! is in use is noted first, and nothing is put in its place before it has been proven.

mod renewal;
mod setup;

use tieout_kit::guide::{Guide, Proof, Purpose, Step};

/// OAuth 2.0 with a certificate.
const M2M: &str = "netsuite-m2m";
/// Token-based authentication.
const TBA: &str = "netsuite-tba";

/// All guides, the recommended way in first.
pub(crate) const GUIDES: &[Guide] = &[
    Guide {
        credential: M2M,
        purpose: Purpose::Setup,
        from: M2M,
        steps: setup::CERTIFICATE,
    },
    Guide {
        credential: TBA,
        purpose: Purpose::Setup,
        from: TBA,
        steps: setup::TOKEN,
    },
    Guide {
        credential: TBA,
        purpose: Purpose::Renewal,
        from: TBA,
        steps: renewal::TOKEN,
    },
    Guide {
        credential: M2M,
        purpose: Purpose::Renewal,
        from: M2M,
        steps: renewal::CERTIFICATE,
    },
    Guide {
        credential: M2M,
        purpose: Purpose::Renewal,
        from: TBA,
        steps: renewal::TOKEN_TO_CERTIFICATE,
    },
];

const MANAGE_INTEGRATIONS: &str = "Setup > Integration > Manage Integrations";
const MANAGE_TOKENS: &str = "Home > Settings > Manage Access Tokens";
const MANAGE_CERTIFICATES: &str = "Setup > Integration > OAuth 2.0 Client Credentials (M2M) Setup";
const BUNDLES: &str = "Customization > SuiteBundler > Search & Install Bundles";

/// Said before each page that shows a secret once.
const SHOWN_ONCE: &str = "The page after Save shows these values once and never again: have the place to paste \
     them into ready before you press Save. If they are lost, make new ones; never reset old ones, \
     which would break every other integration that uses them.";

/// A new integration record for token-based authentication, the same for a setup and for a renewal.
const NEW_TOKEN_INTEGRATION: Step = Step {
    id: "create-integration",
    title: "Create a new integration record",
    menu: "Setup > Integration > Manage Integrations > New",
    instructions: &[
        "Name: tieout",
        "State: Enabled",
        "TOKEN-BASED AUTHENTICATION: on",
        "TBA: ISSUETOKEN ENDPOINT: on",
        "TBA: AUTHORIZATION FLOW: off",
        "AUTHORIZATION CODE GRANT (under OAuth 2.0): off",
        "Save, and copy Consumer Key / Client ID and Consumer Secret / Client Secret",
        "Several subsidiaries share this one record: the same key and secret serve all of their connections",
    ],
    warning: SHOWN_ONCE,
    yields: &["consumer_key", "consumer_secret"],
    proof: Proof::Given,
};

/// A new access token.
const NEW_TOKEN: Step = Step {
    id: "create-token",
    title: "Create a new access token",
    menu: MANAGE_TOKENS,
    instructions: &[
        "New My Access Token; an administrator may make one for another user under Setup > Users/Roles > \
         Access Tokens > New",
        "Application Name: the integration record of the step before",
        "Role: the one made for tieout, not Administrator",
        "Save, and copy Token ID and Token Secret; what other programs call \"OAuth Token\" is the Token ID",
        "Several subsidiaries share this one token",
    ],
    warning: SHOWN_ONCE,
    yields: &["token_id", "token_secret"],
    proof: Proof::NewSignsIn,
};

/// The integration record lets machines in with a certificate.
const MACHINE_INTEGRATION: Step = Step {
    id: "create-integration",
    title: "Create an integration record for OAuth 2.0",
    menu: "Setup > Integration > Manage Integrations > New",
    instructions: &[
        "Name: tieout",
        "State: Enabled",
        "CLIENT CREDENTIALS (MACHINE TO MACHINE) GRANT: on",
        "Scope REST WEB SERVICES: on",
        "AUTHORIZATION CODE GRANT: off",
        "TOKEN-BASED AUTHENTICATION and TBA: AUTHORIZATION FLOW: off",
        "Save, and copy Consumer Key / Client ID; the Client Secret isn't needed in this way of signing in",
    ],
    warning: SHOWN_ONCE,
    yields: &["client_id"],
    proof: Proof::Given,
};

/// tieout makes the key pair itself, so that the private key never lies in a file.
const CERTIFICATE_MADE: Step = Step {
    id: "make-certificate",
    title: "Make a key pair and a certificate",
    menu: "",
    instructions: &[
        "tieout makes the key pair, seals the private key, and writes the certificate for the upload to a file",
    ],
    warning: "",
    yields: &["private_key_pem"],
    proof: Proof::Certified,
};

/// The certificate is mapped to a user and a role.
const CERTIFICATE_UPLOADED: Step = Step {
    id: "upload-certificate",
    title: "Upload the certificate",
    menu: MANAGE_CERTIFICATES,
    instructions: &[
        "Create New",
        "Entity: the user that tieout works as; Role: the one made for tieout",
        "Application: the integration record for tieout",
        "Choose File: the certificate that tieout wrote",
        "Save, and copy Certificate ID from the list",
        "A sandbox refresh wipes these mappings: this step is done again after each",
    ],
    warning: "",
    yields: &["certificate_id"],
    proof: Proof::NewSignsIn,
};
