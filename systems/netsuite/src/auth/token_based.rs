//! Token-based authentication: OAuth 1.0a with HMAC-SHA256 (README §Signing in).
//!
//! Every query parameter is signed, the body never is. Each attempt has a nonce of its own.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use zeroize::Zeroizing;

/// Everything but RFC 3986's unreserved characters is encoded.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(crate) struct TokenBased {
    consumer_key: String,
    consumer_secret: SecretString,
    token_id: String,
    token_secret: SecretString,
    /// The account, upper-case with an underscore: any other form is refused without saying why.
    realm: String,
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

impl TokenBased {
    pub(crate) fn new(
        consumer_key: String,
        consumer_secret: SecretString,
        token_id: String,
        token_secret: SecretString,
        realm: String,
    ) -> Self {
        Self {
            consumer_key,
            consumer_secret,
            token_id,
            token_secret,
            realm,
        }
    }

    /// The `Authorization` header of one request at this time (seconds since 1970).
    pub(crate) fn sign(&self, method: &Method, url: &Url, nonce: &str, time: i64) -> String {
        self.header(Party::Token, method, url, nonce, time)
    }

    /// The same for asking for a token: it is signed by the integration alone, so that its answer says something
    /// about the consumer key and secret and nothing about the token.
    pub(crate) fn sign_as_integration(
        &self,
        method: &Method,
        url: &Url,
        nonce: &str,
        time: i64,
    ) -> String {
        self.header(Party::Integration, method, url, nonce, time)
    }

    fn header(&self, party: Party, method: &Method, url: &Url, nonce: &str, time: i64) -> String {
        let parameters = self.parameters(party, nonce, time);
        let signature = self.signature(party, method, url, &parameters);
        let mut header = format!("OAuth realm=\"{}\"", self.realm);
        for (name, value) in &parameters {
            let _ = write!(header, ", {name}=\"{}\"", encode(value));
        }
        let _ = write!(header, ", oauth_signature=\"{}\"", encode(&signature));
        header
    }

    fn parameters(&self, party: Party, nonce: &str, time: i64) -> [(&'static str, String); 6] {
        let first = match party {
            Party::Token => ("oauth_token", self.token_id.clone()),
            // Nobody is sent anywhere: the flow ends with this step.
            Party::Integration => ("oauth_callback", "oob".to_owned()),
        };
        [
            first,
            ("oauth_consumer_key", self.consumer_key.clone()),
            ("oauth_nonce", nonce.to_owned()),
            ("oauth_timestamp", time.to_string()),
            ("oauth_signature_method", "HMAC-SHA256".to_owned()),
            ("oauth_version", "1.0".to_owned()),
        ]
    }

    fn signature(
        &self,
        party: Party,
        method: &Method,
        url: &Url,
        own: &[(&'static str, String)],
    ) -> String {
        let mut parameters: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| (encode(&name), encode(&value)))
            .collect();
        for (name, value) in own {
            parameters.push(((*name).to_owned(), encode(value)));
        }
        parameters.sort();
        let joined: Vec<String> = parameters.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let mut address = url.clone();
        address.set_query(None);
        address.set_fragment(None);
        let base = format!(
            "{method}&{}&{}",
            encode(address.as_str()),
            encode(&joined.join("&"))
        );
        let token_secret = Zeroizing::new(match party {
            Party::Token => encode(self.token_secret.expose_secret()),
            Party::Integration => String::new(),
        });
        let consumer_secret = Zeroizing::new(encode(self.consumer_secret.expose_secret()));
        let secret = Zeroizing::new(format!("{}&{}", *consumer_secret, *token_secret));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        STANDARD.encode(hmac::sign(&key, base.as_bytes()))
    }
}

/// Who signs.
#[derive(Debug, Clone, Copy)]
enum Party {
    /// The integration and the token together.
    Token,
    /// The integration alone.
    Integration,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "fjaLirsIcCGVZWzBX0pg";
    const TIME: i64 = 1_508_242_306;

    /// The sample credentials of Oracle's own documentation; they open nothing.
    fn sample() -> TokenBased {
        TokenBased::new(
            "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4".to_owned(),
            "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5"
                .to_owned()
                .into(),
            "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc".to_owned(),
            "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295"
                .to_owned()
                .into(),
            "123456".to_owned(),
        )
    }

    impl TokenBased {
        fn signed(&self, method: &Method, url: &Url, nonce: &str, time: i64) -> String {
            let parameters = self.parameters(Party::Token, nonce, time);
            self.signature(Party::Token, method, url, &parameters)
        }
    }

    #[test]
    fn oracles_own_examples_are_signed_alike() {
        let url = "https://123456.suitetalk.api.netsuite.com/services/rest/record/v1/employee/40";
        let signed = sample().signed(&Method::GET, &url.parse().unwrap(), NONCE, TIME);
        assert_eq!(signed, "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY=");
        let url = "https://123456.restlets.api.netsuite.com/app/site/hosting/restlet.nl\
                   ?script=6&deploy=1&customParam=someValue&testParam=someOtherValue";
        let signed = sample().signed(&Method::POST, &url.parse().unwrap(), NONCE, TIME);
        assert_eq!(signed, "+KK4SKNgz4ZiILGLwOMtfYlgcXSy1eis8ldE9X90azQ=");
    }

    #[test]
    fn query_parameters_change_the_signature_and_secrets_stay_out_of_the_header() {
        let plain: Url = "https://h/services?limit=1000&offset=0".parse().unwrap();
        let paged: Url = "https://h/services?limit=1000&offset=1000".parse().unwrap();
        let one = sample().signed(&Method::POST, &plain, NONCE, TIME);
        assert_ne!(one, sample().signed(&Method::POST, &paged, NONCE, TIME));
        let header = sample().sign(&Method::POST, &plain, NONCE, TIME);
        assert!(header.starts_with("OAuth realm=\"123456\", oauth_token="));
        assert!(!header.contains("d26ad321a4b2") && !header.contains("c29a677df7d5"));
    }
}
