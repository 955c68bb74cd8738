//! What a person does in Alternative Payments' own pages to give tieout a way in, and to renew it (README §Signing in).

use tieout_kit::guide::{Guide, Proof, Purpose, Step};

use crate::settings::NAME;

/// Where keys are made.
const KEYS_MENU: &str = "Team Preferences > API Keys";

/// All guides.
pub(crate) const GUIDES: &[Guide] = &[
    Guide {
        credential: NAME,
        purpose: Purpose::Setup,
        from: NAME,
        steps: &[API_KEY],
    },
    Guide {
        credential: NAME,
        purpose: Purpose::Renewal,
        from: NAME,
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
            API_KEY,
            Step {
                id: "switch",
                title: "Put the new credential in the place of the old one",
                menu: "",
                instructions: &["The account stays as it is, and so do all links and the history"],
                warning: "",
                yields: &[],
                proof: Proof::Switched,
            },
            Step {
                id: "retire-key",
                title: "Remove the old key",
                menu: KEYS_MENU,
                instructions: &[
                    "Remove the key that tieout used before",
                    "Leave it as long as any other integration uses it",
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

const API_KEY: Step = Step {
    id: "api-key",
    title: "Make an API key",
    menu: KEYS_MENU,
    instructions: &[
        "Sign in to the partner dashboard of this environment: demo and production have accounts and keys of their own",
        "Generate a key for tieout alone: its five calls a second are then shared with nobody, and it can be taken back \
         without harm to anything else",
        "Give it Customers, Invoices and Webhooks to read and write, and Payments, Payouts and Refunds to read",
        "Copy its client ID and its client secret",
    ],
    warning: "The client secret may be shown this once, and whoever has it can do everything that the key may: have the \
              place to paste it into ready, and keep it nowhere else.",
    yields: &["client_id", "client_secret"],
    proof: Proof::NewSignsIn,
};
