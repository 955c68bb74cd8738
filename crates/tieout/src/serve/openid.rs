//! What the face asks of the identity provider goes out here.

use std::time::Duration;

use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tieout_desk::{DeskError, Reason};
use tieout_domain::code::Code;
use tieout_kit::Transport as _;
use tieout_kit::transport::Network;

use super::Service;
use crate::kinds::OPENID;

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest answer that is read: keys and tokens are a few thousand bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The fields of a credential of kind `openid`.
#[derive(Deserialize)]
struct ClientSecret {
    client_secret: SecretString,
}

impl Service {
    /// The secret by which the provider knows us, opened for this one sign-in.
    pub(super) async fn client_secret(&self) -> Result<SecretString, DeskError> {
        let config = self.config();
        let name = config.openid.as_ref().map(|openid| &openid.credential);
        let Some(name) = name else {
            return Err(unanswered("`[server.openid]` is gone".to_owned()));
        };
        let (row, fields) = self.home.store.credentials().get(&self.vault, name).await?;
        // The library's words could show what was read.
        match serde_json::from_str::<ClientSecret>(fields.expose_secret()) {
            Ok(fields) if row.kind == OPENID.name => {
                self.home.store.credential_used(name).await?;
                Ok(fields.client_secret)
            }
            _ => {
                let cause = format!(
                    "credential `{name}` is of kind `{}`; the identity provider takes `{}`",
                    row.kind, OPENID.name
                );
                Err(DeskError::usage(Code::new("credential-kind"), cause))
            }
        }
    }

    /// Sends a request to the provider, once.
    pub(super) async fn sent_to_provider(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, DeskError> {
        let network = Network::new().map_err(unanswered)?;
        let network = network.with_answers_up_to(ANSWER_BYTES_MAX);
        let sent = network.send(request, PATIENCE).await;
        sent.map_err(|lost| unanswered(lost.to_string()))
    }
}

fn unanswered(cause: String) -> DeskError {
    DeskError {
        code: Code::new("openid-provider"),
        cause,
        reason: Reason::Side,
    }
}
