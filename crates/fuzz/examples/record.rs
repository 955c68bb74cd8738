//! Records seeds: what the sandbox answers to the real clients, cut short, one file for each read.
//!
//! `cargo run --package tieout-fuzz --example record` writes them anew; seeds made by hand stay.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use tieout_domain::Lost;
use tieout_domain::port::{Depth, Ports};
use tieout_fuzz::corpus::folder;
use tieout_fuzz::stage;
use tieout_kit::fake::world::generate::{Shape, generate};
use tieout_kit::fake::{Chassis, Fake, FakeClock};
use tieout_kit::transport::InProcess;
use tieout_kit::{Credential, Transport};

/// Rows or records of one answer that a seed keeps.
const KEPT: usize = 2;

/// A sandbox whose answers are written down.
struct Recorder {
    inner: InProcess,
    answers: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> Result<Response<Bytes>, Lost> {
        let routine = routine(&request);
        let answer = self.inner.send(request, deadline).await?;
        if !routine {
            let body = shortened(answer.body());
            let status = answer.status().as_u16();
            self.answers
                .lock()
                .expect("nothing panicked before")
                .push(format!("{status}\n{body}"));
        }
        Ok(answer)
    }
}

/// What the targets answer by themselves.
fn routine(request: &Request<Bytes>) -> bool {
    let body = String::from_utf8_lossy(request.body());
    let path = request.uri().path();
    path.ends_with("/v3/login")
        || path.ends_with("/token")
        || body.contains("FROM subsidiary s")
        || body.contains("FROM currency c")
}

/// The answer with few rows, and without the links that no reader looks at.
fn shortened(body: &[u8]) -> String {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return String::from_utf8_lossy(body).into_owned();
    };
    if let Some(object) = value.as_object_mut() {
        object.remove("links");
        for name in ["items", "results"] {
            if let Some(rows) = object.get_mut(name).and_then(Value::as_array_mut) {
                rows.truncate(KEPT);
                for row in rows.iter_mut().filter_map(Value::as_object_mut) {
                    row.remove("links");
                }
            }
        }
        if object.contains_key("nextPage") {
            object.insert("nextPage".to_owned(), Value::Null);
        }
    }
    value.to_string()
}

fn main() -> std::io::Result<()> {
    let mut shape = Shape::new(jiff::civil::date(2026, 6, 20));
    (shape.vendors, shape.bills) = (12, 30);
    let world = generate(&shape);
    let chassis = Chassis::new(FakeClock::at(stage::start()), 1);
    let netsuite = tieout_netsuite_fake::NetSuiteFake::new(
        chassis.clone(),
        &world,
        tieout_netsuite_fake::Options {
            wall_clock: Arc::new(stage::start),
            ..Default::default()
        },
    );
    let described = netsuite.describe("http://127.0.0.1:9101");
    let settings = json!({"account": described["account"], "subsidiary": described["subsidiary"],
        "credential": "a", "base_url": described["base_url"]});
    let kinds = ("netsuite-m2m", described["netsuite-m2m"].to_string());
    record(
        "netsuite-rows",
        &tieout_netsuite::SYSTEM,
        netsuite,
        &settings,
        kinds,
    )?;
    let bill =
        tieout_bill_fake::BillFake::new(chassis, &world, tieout_bill_fake::Options::default());
    let described = bill.describe("http://127.0.0.1:9102");
    let settings = json!({"organization": described["organization"], "environment": "sandbox",
        "credential": "a", "base_url": described["base_url"]});
    let kinds = ("bill", described["bill"].to_string());
    record("bill-lists", &tieout_bill::SYSTEM, bill, &settings, kinds)
}

fn record(
    target: &str,
    system: &tieout_kit::System,
    fake: Arc<dyn Fake>,
    settings: &Value,
    (kind, fields): (&str, String),
) -> std::io::Result<()> {
    let recorder = Arc::new(Recorder {
        inner: InProcess::new(fake.router()),
        answers: Mutex::default(),
    });
    let credential = Credential {
        kind: kind.to_owned(),
        fields: fields.into(),
    };
    let settings = settings.as_object().cloned().unwrap_or_default();
    let kit = stage::kit(Arc::clone(&recorder) as Arc<dyn Transport>);
    let ports: Ports = (system.connect)(&settings, credential, kit)
        .expect("the sandbox describes itself in order");
    std::fs::create_dir_all(folder(target))?;
    let write = |name: &str, told: &str| {
        let answers =
            std::mem::take(&mut *recorder.answers.lock().expect("nothing panicked before"));
        std::fs::write(
            folder(target).join(name),
            format!("{told}\n{}", answers.join("\n---\n")),
        )
    };
    stage::wait_for(ports.whole.ping()).expect("the sandbox answers");
    write("ping", "ping")?;
    stage::wait_for(ports.whole.periods()).expect("the sandbox answers");
    write("periods", "periods")?;
    for (kind, reader) in &ports.read {
        stage::wait_for(reader.page(Depth::Whole, None, None)).expect("the sandbox answers");
        write(kind.as_str(), &format!("{kind} whole"))?;
    }
    Ok(())
}
