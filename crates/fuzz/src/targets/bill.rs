//! BILL's client, through its ports, with a service that answers anything.

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

/// Answers, the first of them to the sign-in.
pub(super) fn sign_in(bytes: &[u8]) {
    let answers = Arc::new(Answers::of(bytes, |_| None));
    ports::read(&connect(&answers), "ping");
}

fn signed_in(request: &Request<Bytes>) -> Option<&'static str> {
    let sign_in = request.uri().path().ends_with("/v3/login");
    sign_in.then_some(r#"{"sessionId":"s1","organizationId":"008","userId":"006"}"#)
}

fn connect(answers: &Arc<Answers>) -> Ports {
    static TABLE: OnceLock<Map<String, Value>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let table = json!({"organization": "008", "environment": "sandbox", "credential": "acme-bill",
            "base_url": "http://127.0.0.1:9102/connect"});
        table.as_object().cloned().unwrap_or_default()
    });
    let credential = Credential {
        kind: "bill".to_owned(),
        fields: r#"{"dev_key":"key","username":"ap@acme.example","password":"secret"}"#
            .to_owned()
            .into(),
    };
    let transport = Arc::clone(answers) as Arc<dyn Transport>;
    (tieout_bill::SYSTEM.connect)(table, credential, stage::kit(transport))
        .expect("the settings are in order")
}
