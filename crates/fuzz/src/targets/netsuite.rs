//! NetSuite's client, through its ports, with a service that answers anything.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value, json};
use tieout_domain::port::Ports;
use tieout_kit::{Credential, Transport};

use super::ports;
use crate::answers::{Answers, first_line};
use crate::stage;

/// `KIND DEPTH`, then answers; `profile KIND DEPTH`, and the first of them tell what the account is like.
pub(super) fn rows(bytes: &[u8]) {
    let (told, bytes) = first_line(bytes);
    let (told, routine): (&str, crate::answers::Routine) = match told.strip_prefix("profile ") {
        Some(told) => (told, |_| None),
        None => (&told, profile),
    };
    ports::read(
        &connect(&Arc::new(Answers::of(bytes, routine)), tokens()),
        told,
    );
}

/// `KIND ACTION COUNT`, then answers.
pub(super) fn writes(bytes: &[u8]) {
    let (told, bytes) = first_line(bytes);
    let answers = Arc::new(Answers::of(bytes, profile));
    ports::write(&connect(&answers, tokens()), &answers, &told);
}

/// Answers, the first of them to the request for a token.
pub(super) fn sign_in(bytes: &[u8]) {
    let answers = Arc::new(Answers::of(bytes, |_| None));
    ports::read(&connect(&answers, certificate()), "ping");
}

/// What a OneWorld account is like.
fn profile(request: &Request<Bytes>) -> Option<&'static str> {
    let asks = |words: &[u8]| {
        request
            .body()
            .windows(words.len())
            .any(|window| window == words)
    };
    if asks(b"FROM subsidiary s") {
        Some(
            r#"{"items":[{"id":"1","name":"Acme Holding","currency":"1"},
                {"id":"3","name":"Acme US","parent":"1","currency":"1"}],"hasMore":false}"#,
        )
    } else if asks(b"FROM currency c") {
        Some(
            r#"{"items":[{"id":"1","symbol":"USD","base":"T"},{"id":"2","symbol":"EUR"}],"hasMore":false}"#,
        )
    } else {
        None
    }
}

fn connect(answers: &Arc<Answers>, credential: Credential) -> Ports {
    static TABLE: OnceLock<Map<String, Value>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let table =
            json!({"account": "1234567_SB1", "subsidiary": "3", "credential": "acme-netsuite",
                "pdf_script": "customscript_tieout_files"});
        table.as_object().cloned().unwrap_or_default()
    });
    let transport = Arc::clone(answers) as Arc<dyn Transport>;
    (tieout_netsuite::SYSTEM.connect)(table, credential, stage::kit(transport))
        .expect("the settings are in order")
}

fn tokens() -> Credential {
    let fields =
        r#"{"consumer_key":"ck","consumer_secret":"cs","token_id":"tk","token_secret":"ts"}"#;
    Credential {
        kind: "netsuite-tba".to_owned(),
        fields: fields.to_owned().into(),
    }
}

/// A credential with a key of its own, made once for each process.
fn certificate() -> Credential {
    static FIELDS: OnceLock<String> = OnceLock::new();
    let fields = FIELDS.get_or_init(|| {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key can be made");
        let der = pair.to_pkcs8v1().expect("a key can be written");
        let label = ["PRIVATE", "KEY"].join(" ");
        let body = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        json!({"client_id": "client", "certificate_id": "cert", "private_key_pem": pem}).to_string()
    });
    Credential {
        kind: "netsuite-m2m".to_owned(),
        fields: fields.clone().into(),
    }
}
