//! A client that asks anything the document allows, and much that it doesn't: every answer is a documented one, and
//! none is the server's own failure.

use axum::body::Body;
use http::{Method, Request};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::contract::assert_documented;
use crate::schema::{a_text, sample};
use crate::stage::Stage;

/// A text in a path or a query.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The text that stands for a value in a query.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A request for an operation.
fn made(document: &Value, path: &str, method: &str, random: &mut SmallRng) -> Request<Body> {
    let operation = &document["paths"][path][method];
    let known = [
        ("{connection}", "acme-us"),
        ("{run}", "run-1"),
        ("{code}", "paused"),
        ("{user}", "ann"),
        ("{token}", "ci"),
    ];
    let mut address = String::new();
    for part in path.split('/').skip(1) {
        address.push('/');
        let meant = known.iter().find(|(name, _)| *name == part);
        address.push_str(&match meant {
            Some((_, meant)) if random.random_bool(0.85) => (*meant).to_owned(),
            _ if part.starts_with('{') => encoded(&a_text(random)),
            _ => part.to_owned(),
        });
    }
    let mut query = Vec::new();
    let mut headers = Vec::new();
    for parameter in operation["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        if random.random_bool(0.5) {
            continue;
        }
        let value = plain(&sample(document, &parameter["schema"], random));
        match parameter["in"].as_str().unwrap() {
            "query" => query.push(format!("{name}={}", encoded(&value))),
            "header" => headers.push((name.to_owned(), value)),
            _ => {}
        }
    }
    if random.random_ratio(1, 12) {
        query.push(format!(
            "{}={}",
            encoded(&a_text(random)),
            encoded(&a_text(random))
        ));
    }
    if !query.is_empty() {
        address.push('?');
        address.push_str(&query.join("&"));
    }
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let mut request = Request::builder().method(method).uri(address);
    for (name, value) in headers {
        if http::HeaderValue::from_str(&value).is_ok() {
            request = request.header(name, value);
        }
    }
    let schema = operation.pointer("/requestBody/content/application~1json/schema");
    let body = schema.map(|schema| sample(document, schema, random).to_string());
    let mut body = body.unwrap_or_default();
    if random.random_ratio(1, 20) {
        body.truncate(body.len() / 2);
        body = String::from_utf8_lossy(body.as_bytes()).into_owned();
    }
    if !random.random_ratio(1, 20) {
        request = request.header("content-type", "application/json");
    }
    request.body(Body::from(body)).unwrap()
}

#[test]
fn no_request_is_answered_otherwise_than_documented() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let stage = runtime.block_on(Stage::new());
    let document = tieout_server::api::document();
    let operations: Vec<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(|method| (path.clone(), method.clone()))
        })
        .collect();
    let config = Config {
        cases: 600,
        failure_persistence: None,
        ..Config::default()
    };
    let asked = (0..operations.len(), any::<u64>());
    TestRunner::new(config)
        .run(&asked, |(index, seed)| {
            let (path, method) = &operations[index];
            let mut random = SmallRng::seed_from_u64(seed);
            let request = made(&document, path, method, &mut random);
            let what = format!("{} {}", request.method(), request.uri());
            let answer = runtime.block_on(stage.ask(request));
            // The played program can't reach a side; the store never fails.
            prop_assert!(answer.status != 500, "{what}: {answer:?}");
            let left = !answer.body["code"].is_null() && answer.body["code"] == "no-such-address";
            // An empty name in an address makes it another address.
            if !left {
                let operation = &document["paths"][path.as_str()][method.as_str()];
                assert_documented(&document, operation, &answer, &what);
            }
            Ok(())
        })
        .unwrap();
}
