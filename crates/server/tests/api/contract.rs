//! The document against the router, and what it says against what is answered.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tieout_server::people::Role;
use tieout_store::{Fact, RunId};

use crate::schema::{check, resolved};
use crate::stage::{Answer, RUNS, Stage, commit, request};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Every documented address with its methods.
fn paths(document: &Value) -> Vec<(String, BTreeSet<String>)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| item.as_object().unwrap().keys().cloned().collect();
    paths
        .iter()
        .map(|(path, item)| (path.clone(), methods(item)))
        .collect()
}

/// An address with something in the place of each name.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{connection}" => "acme-us",
        "{run}" => RUNS[0],
        "{side}" => "ledger",
        "{kind}" => "bill",
        "{id}" => "4",
        "{sha256}" => "0",
        "{import}" => "0",
        "{code}" => "paused",
        "{user}" => "ann",
        "{token}" => "ci",
        other => other,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn method(name: &str) -> Method {
    Method::from_bytes(name.to_uppercase().as_bytes()).unwrap()
}

#[tokio::test]
async fn every_documented_method_is_routed_and_no_other() {
    let stage = Stage::new().await;
    let document = tieout_server::api::document();
    for (path, known) in paths(&document) {
        for name in METHODS {
            let asked = request(method(name), &filled(&path), Some(json!({})));
            let answer = stage.ask(asked).await;
            let refused = answer.body["code"] == "method-not-allowed";
            assert_eq!(refused, !known.contains(name), "{name} {path}: {answer:?}");
            assert_ne!(answer.body["code"], "no-such-address", "{name} {path}");
            if refused {
                assert!(answer.headers.contains_key("allow"), "{path}");
            }
        }
    }
}

/// The answer is one that the document tells of.
pub(crate) fn assert_documented(document: &Value, operation: &Value, answer: &Answer, what: &str) {
    let status = answer.status.as_str();
    let told = &operation["responses"][status];
    assert!(
        !told.is_null(),
        "{what}: {status} is not documented: {answer:?}"
    );
    let told = resolved(document, told);
    let (kind, schema) = told["content"].as_object().unwrap().iter().next().unwrap();
    let is = answer.headers["content-type"].to_str().unwrap();
    assert_eq!(is, kind, "{what}");
    check(document, &schema["schema"], &answer.body, "answer")
        .unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
}

#[tokio::test]
async fn what_is_answered_is_as_documented() {
    let stage = Stage::new().await;
    let imported = Fact::Imported {
        list: "customers".to_owned(),
        asked_by: "user:ann".to_owned(),
        runs: vec![RunId::new(RUNS[0])],
        counts: BTreeMap::from([("made".to_owned(), 0)]),
    };
    let name = "acme-us".parse().unwrap();
    let connection = stage.store.connection(&name);
    let done = connection.commit(commit(None, vec![imported])).await;
    done.unwrap();
    let document = tieout_server::api::document();
    let signed = stage.get("connections/acme-us/tie-outs").await;
    let sha256 = signed.body["items"][0]["sha256"]
        .as_str()
        .unwrap()
        .to_owned();
    let imports = stage.get("connections/acme-us/imports").await;
    let import = imports.body["items"][0]["import"].to_string();
    let mut seen = BTreeSet::new();
    for (path, known) in paths(&document) {
        for name in known {
            let operation = &document["paths"][&path][&name];
            let body = operation.pointer("/requestBody/content/application~1json/schema");
            let example = body.map(|schema| resolved(&document, schema)["example"].to_string());
            // The example's bill is none of the stage's.
            let example = example.map(|text| text.replace("4711", "1").parse().unwrap());
            let mut address = filled(&path);
            if path.ends_with("{sha256}") {
                address = address.replace("/0", &format!("/{sha256}"));
            }
            if path.ends_with("{import}") {
                address = address.replace("/0", &format!("/{import}"));
            }
            if path.ends_with("/records") {
                address.push_str("?q=INV-4");
            }
            let answer = stage.ask(request(method(&name), &address, example)).await;
            let what = format!("{name} {address}");
            assert_documented(&document, operation, &answer, &what);
            // The played program makes no tie-out.
            let done = answer.status.is_success()
                || what.ends_with("post /api/v1/connections/acme-us/tie-outs");
            assert!(done, "{what}: {answer:?}");
            assert!(seen.insert(operation["operationId"].as_str().unwrap().to_owned()));
        }
    }
}

#[test]
fn every_example_is_as_its_schema_says() {
    let document = tieout_server::api::document();
    let schemas = document.pointer("/components/schemas").unwrap();
    let mut examples = 0;
    for (name, schema) in schemas.as_object().unwrap() {
        if let Some(example) = schema.get("example") {
            check(&document, schema, example, name).unwrap();
            examples += 1;
        }
    }
    assert!(examples >= 6, "{examples}");
}

#[test]
fn every_schema_is_used_and_every_reference_leads_somewhere() {
    let document = tieout_server::api::document();
    let text = document.to_string();
    let schemas = document.pointer("/components/schemas").unwrap();
    for name in schemas.as_object().unwrap().keys() {
        let used = format!("\"#/components/schemas/{name}\"");
        assert!(text.contains(&used), "{name} is used nowhere");
    }
    for part in text.split("\"$ref\":\"#").skip(1) {
        let place = part.split('"').next().unwrap();
        assert!(document.pointer(place).is_some(), "{place}");
    }
}

#[tokio::test]
async fn who_may_do_what_is_as_documented() {
    let stage = Stage::new().await;
    let document = tieout_server::api::document();
    let roles = [Role::Viewer, Role::Operator, Role::Approver, Role::Admin];
    for (path, known) in paths(&document) {
        for name in known {
            let operation = &document["paths"][&path][&name];
            let told = operation["description"].as_str().unwrap();
            let needed = roles.iter().find(|role| told.contains(role.as_str()));
            for role in roles {
                let asked = request(method(&name), &filled(&path), Some(json!({})));
                let answer = stage.ask_as(Some(role), asked).await;
                let refused = answer.status == StatusCode::FORBIDDEN;
                assert_eq!(refused, role < *needed.unwrap(), "{role}: {name} {path}");
            }
            let asked = request(method(&name), &filled(&path), Some(json!({})));
            let answer = stage.ask_as(None, asked).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name} {path}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert_eq!(answer.body["code"], "not-signed-in");
        }
    }
}

#[tokio::test]
async fn the_document_is_served() {
    let stage = Stage::new().await;
    let answer = stage.get("/api/openapi.json").await;
    assert_eq!(answer.body, tieout_server::api::document());
    assert_eq!(answer.body["openapi"], "3.1.0");
}
