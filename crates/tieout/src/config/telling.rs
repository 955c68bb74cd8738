//! Who is told of what happens: the mail server, and hooks.

use std::collections::BTreeMap;
use std::net::IpAddr;

use http::Uri;
use tieout_domain::TenantName;
use tieout_server::hooks::{Place, place};
use tieout_server::notices::NAMES;

use super::Reader;
use crate::failure::Failure;

/// Who is told, and how.
#[derive(Debug, Clone, Default)]
pub struct Telling {
    /// `[server.mail]`.
    pub mail: Option<MailConfig>,
    /// `[server.hooks.NAME]`.
    pub hooks: BTreeMap<String, HookConfig>,
}

/// The mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailConfig {
    /// Its host; its certificate must name it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who mail is from.
    pub from: String,
    /// The sealed credential of kind `smtp`; none for a server that asks for none.
    pub credential: Option<String>,
    /// How the connection is encrypted.
    pub tls: MailTls,
}

/// How the connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// It begins in the clear and goes on encrypted, or not at all (RFC 3207).
    StartTls,
    /// From the first byte (RFC 8314).
    Implicit,
    /// Not at all: for a relay on this machine.
    None,
}

/// A hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookConfig {
    /// Where it is posted.
    pub url: String,
    /// The sealed credential of kind `hook` that signs it.
    pub secret: String,
    /// What it is told of.
    pub events: Vec<String>,
    /// Whether it may go to an address of a private network.
    pub private: bool,
    /// Of whose connections alone it is told; of all if nothing is said.
    pub tenant: Option<TenantName>,
}

impl Telling {
    /// The keys of the configuration that name this credential.
    pub(super) fn naming(&self, credential: &str) -> Vec<String> {
        let mail = self
            .mail
            .as_ref()
            .and_then(|mail| mail.credential.as_deref());
        let mail = (mail == Some(credential)).then(|| "server.mail".to_owned());
        let hooks = self
            .hooks
            .iter()
            .filter(|(_, hook)| hook.secret == credential);
        let hooks = hooks.map(|(name, _)| format!("server.hooks.{name}"));
        mail.into_iter().chain(hooks).collect()
    }
}

impl HookConfig {
    /// Whether it goes to this very machine, which only an address that says so may.
    pub fn is_loopback(&self) -> bool {
        self.url.parse::<Uri>().is_ok_and(|url| is_loopback(&url))
    }
}

pub(super) fn is_loopback(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default();
    host == "localhost" || literal(host).is_some_and(|address| place(address) == Place::Loopback)
}

fn literal(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

impl Reader<'_> {
    /// `[server.mail]` and `[server.hooks]`.
    pub(super) fn telling(&self, server: &toml::Table) -> Result<Telling, Failure> {
        let mail = match server.contains_key("mail") {
            true => Some(self.mail(&self.table(server, "server", "mail")?)?),
            false => None,
        };
        let mut hooks = BTreeMap::new();
        for (name, value) in self.table(server, "server", "hooks")? {
            let at = format!("server.hooks.{name}");
            let toml::Value::Table(table) = value else {
                return Err(self.wrong(&at, "it must be a table"));
            };
            hooks.insert(name, self.hook(&at, &table)?);
        }
        Ok(Telling { mail, hooks })
    }

    fn mail(&self, table: &toml::Table) -> Result<MailConfig, Failure> {
        let at = "server.mail";
        self.only_known(at, table, &["host", "port", "from", "credential", "tls"])?;
        let host = self.needed(table, at, "host")?;
        let tls = match self.text_or(table, at, "tls", "starttls")?.as_str() {
            "starttls" => MailTls::StartTls,
            "implicit" => MailTls::Implicit,
            "none" if host == "localhost" || literal(&host).is_some_and(|it| it.is_loopback()) => {
                MailTls::None
            }
            "none" => {
                let why = "mail goes unencrypted to this machine alone; write \"starttls\" or \"implicit\"";
                return Err(self.wrong("server.mail.tls", why));
            }
            other => {
                let why = format!("`{other}` is none of starttls, implicit and none");
                return Err(self.wrong("server.mail.tls", &why));
            }
        };
        let usual = match tls {
            MailTls::StartTls => 587,
            MailTls::Implicit => 465,
            MailTls::None => 25,
        };
        let port = match table.get("port") {
            None => usual,
            Some(port) => port
                .as_integer()
                .and_then(|port| u16::try_from(port).ok())
                .filter(|port| *port > 0)
                .ok_or_else(|| self.wrong("server.mail.port", "it must be a port's number"))?,
        };
        let from = self.needed(table, at, "from")?;
        if from.parse::<lettre::message::Mailbox>().is_err() {
            let why = "it must be an address, as `tieout <tieout@example.com>`";
            return Err(self.wrong("server.mail.from", why));
        }
        Ok(MailConfig {
            host,
            port,
            from,
            credential: self.optional_text(table, at, "credential")?,
            tls,
        })
    }

    fn hook(&self, at: &str, table: &toml::Table) -> Result<HookConfig, Failure> {
        self.only_known(at, table, &["url", "secret", "events", "private", "tenant"])?;
        let private = match table.get("private") {
            None => false,
            Some(toml::Value::Boolean(private)) => *private,
            Some(_) => return Err(self.wrong(&format!("{at}.private"), "it must be true or false")),
        };
        let url = self.needed(table, at, "url")?;
        if let Err(why) = reachable(&url, private) {
            return Err(self.wrong(&format!("{at}.url"), &why));
        }
        let place = format!("{at}.events");
        let named = table.get("events").and_then(toml::Value::as_array);
        let Some(named) = named.filter(|named| !named.is_empty()) else {
            let why = format!("it must be a list of {}", NAMES.join(", "));
            return Err(self.wrong(&place, &why));
        };
        let mut events = Vec::new();
        for event in named {
            match event.as_str().filter(|event| NAMES.contains(event)) {
                Some(event) => events.push(event.to_owned()),
                None => {
                    let why = format!("{event} is none of {}", NAMES.join(", "));
                    return Err(self.wrong(&place, &why));
                }
            }
        }
        Ok(HookConfig {
            url,
            secret: self.needed(table, at, "secret")?,
            events,
            private,
            tenant: self.tenant(table, at)?,
        })
    }

    pub(super) fn needed(
        &self,
        table: &toml::Table,
        at: &str,
        key: &str,
    ) -> Result<String, Failure> {
        let text = self.optional_text(table, at, key)?;
        text.filter(|text| !text.trim().is_empty())
            .ok_or_else(|| self.wrong(at, &format!("`{key}` is missing")))
    }
}

/// Whether a hook may be posted there, as far as its address tells.
fn reachable(url: &str, private: bool) -> Result<(), String> {
    let parsed: Uri = url
        .parse()
        .map_err(|_| format!("`{url}` is no address; write https://…"))?;
    let host = parsed.host().unwrap_or_default();
    if host.is_empty()
        || parsed
            .authority()
            .is_some_and(|it| it.as_str().contains('@'))
    {
        return Err("it must name a host, and no user".to_owned());
    }
    match parsed.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback(&parsed) => {}
        _ => return Err("it must begin with https://; http is for this machine alone".to_owned()),
    }
    let sort = literal(host).map(place);
    if sort == Some(Place::Private) && !private {
        return Err(format!(
            "{host} is an address of a private network; `private = true` allows it"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_goes_only_where_it_may() {
        for good in [
            "https://example.com/hook",
            "http://127.0.0.1:9/hook",
            "http://localhost/hook",
            "https://[2606:4700::1]/",
        ] {
            assert_eq!(reachable(good, false), Ok(()), "{good}");
        }
        for bad in [
            "http://example.com/",
            "ftp://example.com/",
            "/hook",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.8/",
            "https://[fe80::1]/",
            "https://user@example.com/",
        ] {
            assert!(reachable(bad, false).is_err(), "{bad}");
        }
        assert_eq!(reachable("https://10.0.0.8/", true), Ok(()));
    }
}
