//! What a person does in BILL's own pages to give tieout a way in, and to renew it (README §Sessions).

use tieout_kit::guide::{Guide, Proof, Purpose, Step};

const BILL: &str = "bill";

/// All guides.
pub(crate) const GUIDES: &[Guide] = &[
    Guide {
        credential: BILL,
        purpose: Purpose::Setup,
        from: BILL,
        steps: &[DEVELOPER_KEY, SYNC_TOKEN],
    },
    Guide {
        credential: BILL,
        purpose: Purpose::Renewal,
        from: BILL,
        steps: &[
            Step {
                id: "note-preferences",
                title: "Note the preferences",
                menu: "",
                instructions: &["tieout keeps its own preferences of the connection"],
                warning: "",
                yields: &[],
                proof: Proof::Noted,
            },
            DEVELOPER_KEY,
            SYNC_TOKEN,
            Step {
                id: "switch",
                title: "Put the new credential in the place of the old one",
                menu: "",
                instructions: &[
                    "The organization stays as it is, and so do all links and the history",
                ],
                warning: "",
                yields: &[],
                proof: Proof::Switched,
            },
            Step {
                id: "retire-token",
                title: "Remove the old sync token, or change the user's password",
                menu: "Settings > Sync & Integrations > Tokens",
                instructions: &[
                    "Remove the token that tieout used before",
                    "Leave the developer key as long as any other integration uses it",
                ],
                warning: "",
                yields: &[],
                proof: Proof::OldRefused,
            },
            Step {
                id: "restore-preferences",
                title: "Put the preferences back",
                menu: "",
                instructions: &["tieout puts its own back"],
                warning: "",
                yields: &[],
                proof: Proof::Restored,
            },
            Step {
                id: "sync",
                title: "Sync",
                menu: "",
                instructions: &["tieout shows what the run would do, and does it after a yes"],
                warning: "",
                yields: &[],
                proof: Proof::Synced,
            },
        ],
    },
];

const DEVELOPER_KEY: Step = Step {
    id: "developer-key",
    title: "Find or make the developer key",
    menu: "Settings > Sync & Integrations > Manage Developer Keys",
    instructions: &[
        "Copy the Developer Key of this environment; sandbox and production have keys of their own",
        "The Organization ID, which starts with 008, is on the same page",
        "An organization may have four keys; several connections share one",
    ],
    warning: "Removing or renewing a key breaks every other integration that uses it.",
    yields: &["dev_key"],
    proof: Proof::Given,
};

const SYNC_TOKEN: Step = Step {
    id: "create-token",
    title: "Create a sync token",
    menu: "Settings > Sync & Integrations > Tokens",
    instructions: &[
        "Create an \"AP & AR sync token\"",
        "Copy its name (tieout's user name) and its value (tieout's password)",
        "A user's own e-mail address and password do as well, where the user has no two-step verification to pass",
    ],
    warning: "The value of the token is shown once: have the place to paste it into ready. If it is lost, make a new \
         one.",
    yields: &["username", "password"],
    proof: Proof::NewSignsIn,
};
