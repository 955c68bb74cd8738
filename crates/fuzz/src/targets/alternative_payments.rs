//! Alternative Payments' client, through its ports, with a service that answers anything and an account that was given
//! everything.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value, json};
use tieout_domain::port::Ports;
use tieout_kit::{Credential, Transport};

use super::ports;
use crate::answers::{Answers, first_line};
use crate::stage;

/// `KIND DEPTH`, then answers.
pub(super) fn lists(bytes: &[u8]) {
    let (told, bytes) = first_line(bytes);
    ports::read(&connect(&Arc::new(Answers::of(bytes, signed_in))), &told);
}

/// `KIND ACTION COUNT`, then answers.
pub(super) fn writes(bytes: &[u8]) {
    let (told, bytes) = first_line(bytes);
    let answers = Arc::new(Answers::of(bytes, signed_in));
    ports::write(&connect(&answers), &answers, &told);
}

/// The sign-in goes well.
fn signed_in(request: &Request<Bytes>) -> Option<&'static str> {
    let token = request.uri().path().ends_with("/oauth/token");
    token.then_some(r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#)
}

fn connect(answers: &Arc<Answers>) -> Ports {
    static TABLE: OnceLock<Map<String, Value>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let table = json!({"environment": "demo", "capabilities": "all",
            "credential": "acme-payments", "base_url": "http://127.0.0.1:9104"});
        table.as_object().cloned().unwrap_or_default()
    });
    let credential = Credential {
        kind: "alternative-payments".to_owned(),
        fields: r#"{"client_id":"id","client_secret":"secret"}"#.to_owned().into(),
    };
    let transport = Arc::clone(answers) as Arc<dyn Transport>;
    (tieout_alternative_payments::SYSTEM.connect)(table, credential, stage::kit(transport))
        .expect("the settings are in order")
}
