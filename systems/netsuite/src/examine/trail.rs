//! The Login Audit Trail: the only place where NetSuite says why it refused a sign-in. Whoever is refused can't read
//! it; another credential of the same account can (README §Telling causes apart).

use tieout_domain::Fault;
use tieout_domain::check::{Check, RefusedSignIn, Status};
use tieout_domain::code::Code;

use super::role::{feature_off, may_not_sign_in};
use crate::auth::Auth;
use crate::call::Client;
use crate::permissions::{OAUTH2, TOKEN_BASED};
use crate::settings::TOKEN_PATH;
use crate::time;

/// Older refusals are somebody else's.
const AGE_SECONDS: i64 = 300;

impl Client {
    /// The latest refused sign-ins of the account.
    pub(crate) async fn refused_sign_ins(&self) -> Result<Vec<RefusedSignIn>, Fault> {
        if self.refusals.barred_until(&self.wire.kit).await.is_some() {
            return Ok(Vec::new());
        }
        let sql = "SELECT l.detail AS detail, l.requesturi AS address, \
                   TO_CHAR(l.date, 'YYYY-MM-DD HH24:MI:SS') AS at, \
                   TO_CHAR(CURRENT_TIMESTAMP, 'YYYY-MM-DD HH24:MI:SS') AS asked \
                   FROM loginaudit l WHERE l.status = 'Failure' \
                   ORDER BY l.date DESC FETCH FIRST 50 ROWS ONLY";
        let rows = self.query(sql, &[]).await?.rows;
        Ok(rows
            .iter()
            .filter_map(|row| {
                Some(RefusedSignIn {
                    address: row.string("address"),
                    detail: row.string("detail"),
                    seconds_ago: time::distance(row.text("at"), row.text("asked"))?.as_secs(),
                })
            })
            .collect())
    }

    /// What the trail says of our own refusal.
    pub(crate) fn explain_refusal(&self, seen: &[RefusedSignIn]) -> Option<Check> {
        if !self.evidence().refused {
            return None;
        }
        let own = match self.auth {
            Auth::ClientCredentials(_) => TOKEN_PATH,
            Auth::TokenBased(_) => "/rest/tokeninfo",
        };
        let ours = |entry: &&RefusedSignIn| {
            entry.address.ends_with(own) && entry.seconds_ago <= AGE_SECONDS
        };
        let entry = seen.iter().find(ours)?;
        // Times are told to the second: of two different ones within it, neither is certainly ours.
        let rival = |other: &RefusedSignIn| {
            other.seconds_ago == entry.seconds_ago && other.detail != entry.detail
        };
        if seen.iter().filter(ours).any(rival) {
            return None;
        }
        self.meaning(&entry.detail)
    }

    /// The cause that a word of the trail stands for; `None` for words that name none.
    fn meaning(&self, detail: &str) -> Option<Check> {
        let (code, cause) = match detail {
            "FeatureDisabled" => {
                let feature = match self.auth {
                    Auth::ClientCredentials(_) => OAUTH2,
                    Auth::TokenBased(_) => TOKEN_BASED,
                };
                return Some(feature_off(&feature, Status::Failed));
            }
            "permission_denied" => {
                return Some(may_not_sign_in(&self.auth, self.settings.receivables));
            }
            "InvalidSignature" => (Code::new("signature-wrong"), self.whose_secret()),
            "certificate_unknown" => self.unmapped(),
            "consumer_key_refused" => (
                Code::new("consumer-key-blocked"),
                "the integration record is blocked",
            ),
            "consumer_key_unknown" => (
                Code::new("consumer-key-unknown"),
                "the account has no integration with this consumer key (client id)",
            ),
            "token_rejected" => (
                Code::new("token-revoked"),
                "the token was revoked, or belongs to another integration",
            ),
            "temporary_locked" => (
                Code::new("token-locked"),
                "five refused sign-ins have locked the credential for half an hour",
            ),
            "certificate_revoked" => (
                Code::new("certificate-revoked"),
                "the certificate was revoked; a revoked one can't be uploaded again",
            ),
            "certificate_expired" => (
                Code::new("certificate-expired"),
                "the certificate has expired",
            ),
            "UnknownAlgorithm" => (
                Code::new("private-key-unfit"),
                "the signature is of a kind that isn't accepted",
            ),
            "parameter_rejected" | "audience_rejected" => (
                Code::new("account-unknown"),
                "the request names another account than the one that answered",
            ),
            "InvalidTimestamp" => (
                Code::new("clock-skew"),
                "the time in the signature is not NetSuite's",
            ),
            _ => return None,
        };
        let cause = format!("{cause} (Login Audit Trail: {detail})");
        Some(Check::found(Status::Failed, code, cause))
    }

    fn whose_secret(&self) -> &'static str {
        match (&self.auth, self.evidence().integration_accepted) {
            (Auth::ClientCredentials(_), _) => {
                "the private key isn't that of the certificate whose id is given"
            }
            (Auth::TokenBased(_), Some(true)) => {
                "the token secret is not the token's; the consumer secret is right"
            }
            (Auth::TokenBased(_), _) => {
                "the consumer secret or the token secret is another: one was reset, or mistyped"
            }
        }
    }

    fn unmapped(&self) -> (Code, &'static str) {
        if self.evidence().has_worked && self.settings.account.environment() != "production" {
            return (
                Code::new("mapping-wiped"),
                "the certificate's mapping is gone, and this credential worked before: a refresh of the sandbox \
                 wipes all mappings",
            );
        }
        (
            Code::new("certificate-not-mapped"),
            "no mapping has this certificate id",
        )
    }
}
