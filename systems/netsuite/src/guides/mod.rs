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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn fields(kind: &str) -> impl Iterator<Item = &'static str> {
        let kind = crate::CREDENTIALS
            .iter()
            .find(|it| it.name == kind)
            .unwrap();
        kind.fields
            .iter()
            .filter(|field| field.required)
            .map(|field| field.name)
    }

    #[test]
    fn a_guide_yields_every_field_or_keeps_it_from_the_credential_it_renews() {
        for guide in GUIDES {
            let yields: BTreeSet<_> = guide.steps.iter().flat_map(|step| step.yields).collect();
            let kept = guide.purpose == Purpose::Renewal && guide.from == guide.credential;
            let missing: Vec<_> = fields(guide.credential)
                .filter(|it| !yields.contains(it))
                .collect();
            assert!(
                missing.is_empty() || kept,
                "{}: {missing:?}",
                guide.credential
            );
            let ids: BTreeSet<_> = guide.steps.iter().map(|step| step.id).collect();
            assert_eq!(ids.len(), guide.steps.len(), "a step's id is its own");
        }
    }

    #[test]
    fn nothing_is_taken_away_before_the_preferences_are_noted_and_nothing_unproven_is_put_in_place()
    {
        for guide in GUIDES
            .iter()
            .filter(|guide| guide.purpose == Purpose::Renewal)
        {
            let at = |proof| guide.steps.iter().position(|step| step.proof == proof);
            assert_eq!(at(Proof::Noted), Some(0));
            assert!(at(Proof::NewSignsIn) < at(Proof::Switched));
            assert!(at(Proof::Switched) < at(Proof::Restored));
            assert_eq!(at(Proof::Synced), Some(guide.steps.len() - 1));
        }
    }

    #[test]
    fn a_page_that_shows_a_secret_once_is_warned_of_before_it() {
        let steps = GUIDES.iter().flat_map(|guide| guide.steps);
        for step in steps.filter(|step| step.yields.iter().any(|name| name.ends_with("_secret"))) {
            assert!(step.warning.contains("never reset old ones"), "{}", step.id);
        }
    }
}
