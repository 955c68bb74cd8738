//! A new credential in the place of one that is in use.

use tieout_kit::guide::{Proof, Step};

use super::{
    BUNDLES, CERTIFICATE_MADE, CERTIFICATE_UPLOADED, MACHINE_INTEGRATION, MANAGE_CERTIFICATES,
    MANAGE_INTEGRATIONS, MANAGE_TOKENS, NEW_TOKEN, NEW_TOKEN_INTEGRATION,
};

/// Before anything changes.
const NOTE_PREFERENCES: Step = Step {
    id: "note-preferences",
    title: "Note the preferences",
    menu: "Customization > Lists, Records, & Fields > Record Types > Bill.com Preferences > List",
    instructions: &[
        "tieout keeps its own preferences of the connection, and those of the record \"Bill.com Preferences\" for \
         the subsidiary, where it may read them",
        "Where it may not: note the tabs Lists, Transactions and Miscellaneous of that record yourself",
    ],
    warning: "",
    yields: &[],
    proof: Proof::Noted,
};

const REVOKE_TOKEN: Step = Step {
    id: "revoke-token",
    title: "Revoke the old access token",
    menu: MANAGE_TOKENS,
    instructions: &["Edit, next to the token that tieout used", "Revoke"],
    warning: "A revoked token can't be brought back.",
    yields: &[],
    proof: Proof::OldRefused,
};

const SWITCH: Step = Step {
    id: "switch",
    title: "Put the new credential in the place of the old one",
    menu: "",
    instructions: &["Account and subsidiary stay as they are, and so do all links and the history"],
    warning: "",
    yields: &[],
    proof: Proof::Switched,
};

const RESTORE_PREFERENCES: Step = Step {
    id: "restore-preferences",
    title: "Put the preferences back",
    menu: "Customization > Lists, Records, & Fields > Record Types > Bill.com Preferences > List",
    instructions: &[
        "tieout puts its own back, and shows what differs in the record \"Bill.com Preferences\"",
        "What differs there: Edit, next to the subsidiary, set it on the tab that is named, Save",
    ],
    warning: "",
    yields: &[],
    proof: Proof::Restored,
};

const SYNC: Step = Step {
    id: "sync",
    title: "Sync",
    menu: "",
    instructions: &["tieout shows what the run would do, and does it after a yes"],
    warning: "",
    yields: &[],
    proof: Proof::Synced,
};

/// Token-based authentication: the old token goes before the new one comes, because a bundle that is installed
/// again takes the integration record that it finds.
pub(super) const TOKEN: &[Step] = &[
    NOTE_PREFERENCES,
    Step {
        id: "block-consumer-key",
        title: "Block the old consumer key",
        menu: MANAGE_INTEGRATIONS,
        instructions: &[
            "The integration record that tieout uses",
            "Edit",
            "State: Blocked",
            "Save",
        ],
        warning: "Everything that signs in through this integration record stops, other programs too. Never reset its \
             key or secret.",
        yields: &[],
        proof: Proof::OldRefused,
    },
    REVOKE_TOKEN,
    Step {
        id: "uninstall-bundle",
        title: "Uninstall the sync bundle",
        menu: "Customization > SuiteBundler > Search & Install Bundles > List",
        instructions: &[
            "The menu next to \"Bill.com sync for Oracle NetSuite\": Uninstall",
            "No such bundle in the list: nothing to do here, nor at the step that installs it again",
        ],
        warning: "The record \"Bill.com Preferences\" goes with the bundle.",
        yields: &[],
        proof: Proof::BundleGone,
    },
    NEW_TOKEN_INTEGRATION,
    NEW_TOKEN,
    Step {
        id: "reinstall-bundle",
        title: "Install the sync bundle again",
        menu: BUNDLES,
        instructions: &[
            "Keywords: Bill.com; Search",
            "Bill.com Sync for NetSuite: Install",
            "I Agree; Install Bundle",
            "\"No access\": the bundle is shared with each account by its maker; BILL's support grants it",
            "Moving over from BILL's own sync: leave it uninstalled (reconnect --moving-over)",
        ],
        warning: "",
        yields: &[],
        proof: Proof::BundleBack,
    },
    SWITCH,
    RESTORE_PREFERENCES,
    SYNC,
];

const REVOKE_CERTIFICATE: Step = Step {
    id: "revoke-certificate",
    title: "Revoke the old certificate",
    menu: MANAGE_CERTIFICATES,
    instructions: &["Revoke, next to the certificate that tieout used before"],
    warning: "A revoked certificate can't be uploaded again.",
    yields: &[],
    proof: Proof::OldRefused,
};

/// A new certificate: both are active until the new one is proven. An integration record takes five.
pub(super) const CERTIFICATE: &[Step] = &[
    NOTE_PREFERENCES,
    CERTIFICATE_MADE,
    CERTIFICATE_UPLOADED,
    SWITCH,
    REVOKE_CERTIFICATE,
    RESTORE_PREFERENCES,
    SYNC,
];

/// From token-based authentication to OAuth 2.0: both are alive until the new one is proven.
pub(super) const TOKEN_TO_CERTIFICATE: &[Step] = &[
    NOTE_PREFERENCES,
    MACHINE_INTEGRATION,
    CERTIFICATE_MADE,
    CERTIFICATE_UPLOADED,
    SWITCH,
    REVOKE_TOKEN,
    RESTORE_PREFERENCES,
    SYNC,
];
