//! The identity provider by which people may sign in: `[server.openid]`.

use tieout_server::OpenId;
use tieout_server::people::Role;

use super::Reader;
use super::telling::is_loopback;
use crate::failure::Failure;

/// The identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIdConfig {
    /// What the pages need of it.
    pub provider: OpenId,
    /// The sealed credential of kind `openid`.
    pub credential: String,
}

const AT: &str = "server.openid";
const KEYS: [&str; 6] = [
    "issuer",
    "client_id",
    "credential",
    "button",
    "default_role",
    "passwords",
];

impl Reader<'_> {
    /// `[server.openid]`.
    pub(super) fn openid(&self, server: &toml::Table) -> Result<Option<OpenIdConfig>, Failure> {
        if !server.contains_key("openid") {
            return Ok(None);
        }
        let table = self.table(server, "server", "openid")?;
        self.only_known(AT, &table, &KEYS)?;
        if !server.contains_key("public_url") {
            let why = "the provider sends people back to `server.public_url`, and that is missing";
            return Err(self.wrong(AT, why));
        }
        let issuer = self.needed(&table, AT, "issuer")?;
        let url: Option<http::Uri> = issuer.parse().ok();
        let fits = url.is_some_and(|url| match url.scheme_str() {
            Some("https") => url.host().is_some_and(|host| !host.is_empty()),
            Some("http") => is_loopback(&url),
            _ => false,
        });
        if !fits {
            let why = "it must begin with https://; http is for this machine alone";
            return Err(self.wrong("server.openid.issuer", why));
        }
        let provider = OpenId {
            issuer,
            client_id: self.needed(&table, AT, "client_id")?,
            label: self.text_or(&table, AT, "button", "Sign in with your company account")?,
            default_role: self.default_role(&table)?,
            passwords: self
                .optional_switch(&table, AT, "passwords")?
                .unwrap_or(true),
        };
        Ok(Some(OpenIdConfig {
            provider,
            credential: self.needed(&table, AT, "credential")?,
        }))
    }

    /// The role of whoever the provider knows and nobody has added. That somebody keeps the users is a person's to say.
    fn default_role(&self, table: &toml::Table) -> Result<Option<Role>, Failure> {
        let Some(text) = self.optional_text(table, AT, "default_role")? else {
            return Ok(None);
        };
        match text.parse() {
            Ok(role) if role < Role::Admin => Ok(Some(role)),
            _ => {
                let why = "it must be viewer, operator or approver; an admin is made by hand";
                Err(self.wrong("server.openid.default_role", why))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn read(lines: &str) -> Result<Option<OpenIdConfig>, String> {
        let text = format!(
            "[server]\npublic_url = \"https://tieout.example.com\"\n[server.openid]\nclient_id = \"t\"\n\
             credential = \"sso\"\n{lines}"
        );
        Config::parse(&text, Path::new("tieout.toml"))
            .map(|config| config.openid)
            .map_err(|failure| failure.cause)
    }

    #[test]
    fn a_provider_is_taken_only_as_it_may_be() {
        let issuer = "issuer = \"https://login.example.com\"\n";
        let config = read(issuer).unwrap().unwrap();
        assert!(config.provider.passwords && config.provider.default_role.is_none());
        let off = read(&format!(
            "{issuer}passwords = false\ndefault_role = \"viewer\""
        ));
        let off = off.unwrap().unwrap().provider;
        assert!(!off.passwords && off.default_role == Some(Role::Viewer));
        assert!(read("issuer = \"http://127.0.0.1:9\"").is_ok());
        for bad in [
            "",
            "issuer = \"http://login.example.com\"",
            "issuer = \"login.example.com\"",
            "issuer = \"https://login.example.com\"\ndefault_role = \"admin\"",
            "issuer = \"https://login.example.com\"\nscopes = \"x\"",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let text = "[server.openid]\nissuer = \"https://login.example.com\"\nclient_id = \"t\"\ncredential = \"s\"";
        let failure = Config::parse(text, Path::new("tieout.toml")).unwrap_err();
        assert!(failure.cause.contains("public_url"), "{}", failure.cause);
    }
}
