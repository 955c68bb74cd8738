//! Carries mails and hooks out of the house.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tieout_kit::Transport;
use tieout_kit::transport::Network;
use tieout_server::hooks::{DELIVERY, Place, SIGNATURE, place, signature};
use tieout_server::mail::Said;
use tieout_server::notices::{Courier, Undelivered};
use tieout_store::frozen_name;

use super::Service;
use crate::config::{HookConfig, MailConfig, MailTls};
use crate::kinds::{HOOK, SMTP};

/// How long a mail server or a receiver may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[async_trait]
impl Courier for Service {
    async fn mail(&self, id: &str, to: &str, said: &Said) -> Result<(), Undelivered> {
        let config = self.config();
        let Some(mail) = &config.telling.mail else {
            return Err(for_good("`[server.mail]` names no mail server"));
        };
        let message = written(mail, id, to, said)?;
        let transport = self.mail_server(mail).await?;
        match transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Undelivered {
                cause: with_sources(&error),
                for_good: error.is_permanent(),
            }),
        }
    }

    async fn hook(&self, name: &str, id: &str, body: &str) -> Result<(), Undelivered> {
        let config = self.config();
        let Some(hook) = config.telling.hooks.get(name) else {
            return Err(for_good(format!("`[server.hooks.{name}]` is gone")));
        };
        let secret: HookSecret = self.opened(&hook.secret, HOOK.name).await?;
        let at = self.shared.timer.now().as_second();
        let signed = signature(
            secret.secret.expose_secret().as_bytes(),
            at,
            body.as_bytes(),
        );
        let request = http::Request::post(&hook.url)
            .header("content-type", "application/json")
            .header(SIGNATURE, signed)
            .header(DELIVERY, frozen_name(id))
            .body(Bytes::from(body.to_owned()))
            .map_err(|error| for_good(error.to_string()))?;
        let answer = match limits(hook) {
            Limits::None => self.shared.transport.send(request, PATIENCE).await,
            Limits::Public => {
                let public = Network::within(|address| place(address) == Place::Public);
                let public = public.map_err(later)?;
                public.send(request, PATIENCE).await
            }
        };
        match answer.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(StatusCode::GONE) => Err(for_good("the receiver is gone for good (410)")),
            Ok(status) => Err(later(format!("the receiver answered with {status}"))),
            Err(lost) => Err(later(lost.to_string())),
        }
    }
}

/// Where a hook may go once its name is resolved.
enum Limits {
    /// Wherever it leads: it is this machine, or the configuration allows it.
    None,
    /// To public addresses alone.
    Public,
}

fn limits(hook: &HookConfig) -> Limits {
    if hook.private || hook.is_loopback() {
        Limits::None
    } else {
        Limits::Public
    }
}

/// The fields of a credential of kind `smtp`.
#[derive(Deserialize)]
struct MailLogin {
    username: String,
    password: SecretString,
}

/// The fields of a credential of kind `hook`.
#[derive(Deserialize)]
struct HookSecret {
    secret: SecretString,
}

impl Service {
    /// A sealed credential, opened for this one letter.
    async fn opened<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
        kind: &str,
    ) -> Result<T, Undelivered> {
        let opened = self.home.store.credentials().get(&self.vault, name).await;
        let (row, fields) = opened.map_err(|error| later(error.to_string()))?;
        if row.kind != kind {
            let cause = format!(
                "credential `{name}` is of kind `{}`, not `{kind}`",
                row.kind
            );
            return Err(later(cause));
        }
        let used = self.home.store.credential_used(name).await;
        used.map_err(|error| later(error.to_string()))?;
        // The library's words could show what was read.
        serde_json::from_str(fields.expose_secret()).map_err(|_| {
            later(format!(
                "credential `{name}` has not the fields of a `{kind}`"
            ))
        })
    }

    async fn mail_server(
        &self,
        mail: &MailConfig,
    ) -> Result<AsyncSmtpTransport<Tokio1Executor>, Undelivered> {
        let tls =
            || TlsParameters::new(mail.host.clone()).map_err(|error| later(with_sources(&error)));
        let tls = match mail.tls {
            MailTls::StartTls => Tls::Required(tls()?),
            MailTls::Implicit => Tls::Wrapper(tls()?),
            MailTls::None => Tls::None,
        };
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host)
            .port(mail.port)
            .timeout(Some(PATIENCE))
            .tls(tls);
        if let Some(name) = &mail.credential {
            let login: MailLogin = self.opened(name, SMTP.name).await?;
            let password = login.password.expose_secret().to_owned();
            server = server.credentials(Credentials::new(login.username, password));
        }
        Ok(server.build())
    }
}

/// The message as it goes out. Its id follows from the letter's name, so that one that goes out twice is known.
fn written(mail: &MailConfig, id: &str, to: &str, said: &Said) -> Result<Message, Undelivered> {
    let from: Mailbox = mail.from.parse().map_err(unfit)?;
    let to: Mailbox = to.parse().map_err(unfit)?;
    let id = format!("<{}@{}>", frozen_name(id), from.email.domain());
    Message::builder()
        .message_id(Some(id))
        .from(from)
        .to(to)
        .subject(tieout_server::mail::one_line(&said.subject))
        .multipart(MultiPart::alternative_plain_html(
            said.text.clone(),
            said.html.clone(),
        ))
        .map_err(|error| for_good(error.to_string()))
}

fn unfit(error: lettre::address::AddressError) -> Undelivered {
    for_good(format!("this is no address for mail: {error}"))
}

fn later(cause: impl Into<String>) -> Undelivered {
    Undelivered {
        cause: cause.into(),
        for_good: false,
    }
}

fn for_good(cause: impl Into<String>) -> Undelivered {
    Undelivered {
        cause: cause.into(),
        for_good: true,
    }
}

/// An error with its causes.
fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
