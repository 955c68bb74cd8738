//! Who may call (README §Connecting).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use tieout_kit::fake::ControlError;

use crate::json::Json;
use crate::problem::Problem;
use crate::random::Random;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Good,
    /// It exists no more.
    Revoked,
    /// It may nothing.
    Blocked,
    /// It may read.
    ReadOnly,
}

/// The key and the token of an account.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// The API key: the user name of basic authentication.
    pub(crate) api_key: String,
    /// An OAuth 2.0 token: a bearer's.
    pub(crate) access_token: String,
    standing: Standing,
    token_expired: bool,
}

impl Keys {
    /// New ones.
    pub(crate) fn new(random: &mut Random) -> Self {
        Self {
            api_key: random.token(32),
            access_token: random.token(40),
            standing: Standing::Good,
            token_expired: false,
        }
    }

    /// Whether a call with these headers may be carried out.
    pub(crate) fn admit(&self, headers: &HeaderMap, writes: bool) -> Result<(), Problem> {
        let known = match given(headers) {
            Some(Given::Key(key)) => key == self.api_key,
            Some(Given::Token(token)) => token == self.access_token && !self.token_expired,
            None => false,
        };
        match self.standing {
            _ if !known => Err(Problem::unknown_key()),
            Standing::Revoked => Err(Problem::unknown_key()),
            Standing::Blocked => Err(Problem::forbidden()),
            Standing::ReadOnly if writes => Err(Problem::forbidden()),
            Standing::Good | Standing::ReadOnly => Ok(()),
        }
    }

    /// `POST /control/credentials/invoiced`.
    pub(crate) fn control(&mut self, body: &Json) -> Result<Json, ControlError> {
        match body.text("action") {
            Some("revoke") => self.standing = Standing::Revoked,
            Some("block" | "lock") => self.standing = Standing::Blocked,
            Some("expire") => self.token_expired = true,
            Some("role") => {
                self.standing = match body.text("role") {
                    Some("read-only") => Standing::ReadOnly,
                    Some("full") => Standing::Good,
                    _ => return Err(ControlError::bad("`role` is read-only or full")),
                };
            }
            Some("restore") => {
                self.standing = Standing::Good;
                self.token_expired = false;
            }
            _ => {
                let message =
                    "`action` is revoke, block, lock, expire (the token alone), role or restore";
                return Err(ControlError::bad(message));
            }
        }
        Ok(Json::object([("done", true.into())]))
    }
}

enum Given {
    Key(String),
    Token(String),
}

fn given(headers: &HeaderMap) -> Option<Given> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Given::Token(rest.trim().to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    // The key is the user's name; the password is empty.
    let (key, password) = decoded.split_once(':')?;
    password.is_empty().then(|| Given::Key(key.to_owned()))
}
