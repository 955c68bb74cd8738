//! What a person does in Invoiced's own pages to give tieout a way in, and to renew it (README §Signing in).

use tieout_kit::guide::{Guide, Proof, Purpose, Step};

const INVOICED: &str = "invoiced";

/// Where keys are made.
const KEYS_MENU: &str = "Settings > Developers > API Keys";
/// Where a person enters the address that notifications are sent to.
pub(crate) const WEBHOOKS_MENU: &str = "Settings > Developers > Webhooks";

/// All guides.
pub(crate) const GUIDES: &[Guide] = &[
    Guide {
        credential: INVOICED,
        purpose: Purpose::Setup,
        from: INVOICED,
        steps: &[API_KEY, WEBHOOK],
    },
    Guide {
        credential: INVOICED,
        purpose: Purpose::Renewal,
        from: INVOICED,
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
            WEBHOOK,
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
        "Sign in to the account of this environment: sandbox and production have accounts and keys of their own",
        "Make a key for tieout alone, so that it can be taken back without harm to anything else",
        "It must be able to see and change customers, invoices, credit notes and payments, and to see items and events",
    ],
    warning: "Whoever has the key can do everything in the account: have the place to paste it into ready, and keep it \
         nowhere else.",
    yields: &["api_key"],
    proof: Proof::NewSignsIn,
};

const WEBHOOK: Step = Step {
    id: "webhook",
    title: "Have Invoiced tell of changes at once (may be left out)",
    menu: WEBHOOKS_MENU,
    instructions: &[
        "Enter the address that `tieout webhooks` shows for this connection",
        "Copy the secret that notifications are signed with",
        "Without it everything still comes with the next scheduled run",
    ],
    warning: "",
    yields: &["webhook_secret"],
    proof: Proof::Said,
};
