//! Invoiced's client, through its ports, with a service that answers anything.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};
use tieout_domain::port::Ports;
use tieout_kit::{Credential, Transport};

use super::ports;
use crate::answers::{Answers, first_line};
use crate::stage;

/// `KIND DEPTH`, then answers: the first of them to the question for the newest events.
pub(super) fn lists(bytes: &[u8]) {
    let (told, bytes) = first_line(bytes);
    ports::read(&connect(&Arc::new(Answers::of(bytes, |_| None))), &told);
}

/// `KIND ACTION COUNT`, then answers.
pub(super) fn writes(bytes: &[u8]) {
    let (told, bytes) = first_line(bytes);
    let answers = Arc::new(Answers::of(bytes, |_| None));
    ports::write(&connect(&answers), &answers, &told);
}

fn connect(answers: &Arc<Answers>) -> Ports {
    static TABLE: OnceLock<Map<String, Value>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let table = json!({"environment": "sandbox", "time_zone": "America/New_York",
            "credential": "acme-invoiced", "base_url": "http://127.0.0.1:9103"});
        table.as_object().cloned().unwrap_or_default()
    });
    let credential = Credential {
        kind: "invoiced".to_owned(),
        fields: r#"{"api_key":"key"}"#.to_owned().into(),
    };
    let transport = Arc::clone(answers) as Arc<dyn Transport>;
    (tieout_invoiced::SYSTEM.connect)(table, credential, stage::kit(transport))
        .expect("the settings are in order")
}
