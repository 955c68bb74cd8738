//! Kinds of credentials that are no system's: for whoever is told of what happens, and for signing in.

use tieout_kit::system::{CredentialField, CredentialKind, EXPIRES};

/// A sign-in to a mail server.
pub const SMTP: CredentialKind = CredentialKind {
    name: "smtp",
    fields: &[
        CredentialField {
            name: "username",
            label: "Username",
            secret: false,
            required: true,
        },
        CredentialField {
            name: "password",
            label: "Password",
            secret: true,
            required: true,
        },
        EXPIRES,
    ],
};

/// What a hook is signed with.
pub const HOOK: CredentialKind = CredentialKind {
    name: "hook",
    fields: &[
        CredentialField {
            name: "secret",
            label: "Secret that signs the hook",
            secret: true,
            required: true,
        },
        EXPIRES,
    ],
};

/// By what the identity provider knows us.
pub const OPENID: CredentialKind = CredentialKind {
    name: "openid",
    fields: &[
        CredentialField {
            name: "client_secret",
            label: "Client secret",
            secret: true,
            required: true,
        },
        EXPIRES,
    ],
};

/// All of them.
pub const OWN: &[CredentialKind] = &[SMTP, HOOK, OPENID];
