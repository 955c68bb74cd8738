//! The control panel: what a test, a demo or a person does to a sandbox from outside.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::clock::parse_duration;
use super::{Chassis, ControlError, Fake, FaultRule};

/// What the panel offers, for the answer to a call that isn't any of it.
const OFFER: &str = "GET /control/state or /control/records; GET or DELETE /control/calls; GET or POST /control/clock; \
                     GET, POST or DELETE /control/faults; POST /control/<service>/…; \
                     POST /control/credentials/<kind>";

/// The panel's routes over all fakes of a sandbox. Every answer is JSON, except the page at `/`.
pub fn control_router(chassis: Chassis, fakes: Vec<Arc<dyn Fake>>) -> Router {
    for fake in &fakes {
        chassis.calls.expect(fake.service());
    }
    Router::new().fallback(answer).with_state(Panel {
        chassis,
        fakes: fakes.into(),
    })
}

#[derive(Clone)]
struct Panel {
    chassis: Chassis,
    fakes: Arc<[Arc<dyn Fake>]>,
}

async fn answer(State(panel): State<Panel>, method: Method, uri: Uri, body: Bytes) -> Response {
    if uri.path() == "/" && method == Method::GET {
        let kind = (CONTENT_TYPE, "text/html; charset=utf-8");
        return ([kind], panel.page()).into_response();
    }
    let (status, value) = match panel.act(&method, uri.path(), &body).await {
        Ok(value) => (StatusCode::OK, value),
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, json!({ "error": error.message }))
        }
    };
    (
        status,
        [(CONTENT_TYPE, "application/json")],
        value.to_string(),
    )
        .into_response()
}

impl Panel {
    async fn act(&self, method: &Method, path: &str, body: &[u8]) -> Result<Value, ControlError> {
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let Some((&"control", rest)) = segments.split_first() else {
            return Err(ControlError::missing(format!(
                "{path} is not here; there is {OFFER}"
            )));
        };
        match (method.as_str(), rest) {
            ("GET", ["state"]) => Ok(self.state()),
            ("GET", ["records"]) => Ok(self
                .fakes
                .iter()
                .map(|fake| (fake.service().to_owned(), fake.records()))
                .collect::<Map<_, _>>()
                .into()),
            ("GET", ["calls"]) => Ok(json!(self.chassis.calls.all())),
            ("DELETE", ["calls"]) => {
                self.chassis.calls.reset();
                Ok(json!(self.chassis.calls.all()))
            }
            ("GET", ["clock"]) => Ok(self.clock()),
            ("POST", ["clock"]) => self.move_clock(body),
            ("GET", ["faults"]) => Ok(json!(self.chassis.faults.list())),
            ("POST", ["faults"]) => self.add_fault(body),
            ("DELETE", ["faults"]) => {
                self.chassis.faults.clear();
                Ok(json!([]))
            }
            ("POST", ["credentials", kind]) => self.credential(kind, &object(body)?),
            ("POST", [service, path @ ..]) if !path.is_empty() => {
                self.fake(service)?.control(path, object(body)?).await
            }
            _ => Err(ControlError::missing(format!(
                "{method} {path} is not here; there is {OFFER}"
            ))),
        }
    }

    fn fake(&self, service: &str) -> Result<&Arc<dyn Fake>, ControlError> {
        self.fakes
            .iter()
            .find(|fake| fake.service() == service)
            .ok_or_else(|| {
                let message = format!(
                    "there is no service `{service}`; there is {}",
                    self.services()
                );
                ControlError::missing(message)
            })
    }

    fn services(&self) -> String {
        let names: Vec<&str> = self.fakes.iter().map(|fake| fake.service()).collect();
        names.join(", ")
    }

    fn state(&self) -> Value {
        let of = |fake: &Arc<dyn Fake>| (fake.service().to_owned(), fake.state());
        Value::Object(self.fakes.iter().map(of).collect::<Map<_, _>>())
    }

    fn clock(&self) -> Value {
        json!({ "now": self.chassis.clock.now().to_string() })
    }

    fn move_clock(&self, body: &[u8]) -> Result<Value, ControlError> {
        let move_to: ClockMove = parsed(body)?;
        match (move_to.advance, move_to.now) {
            (Some(by), None) => {
                let bad = |error| ControlError::bad(format!("`advance`: {error}"));
                let by = parse_duration(&by).map_err(bad)?;
                if by.is_negative() {
                    let message = "`advance` is negative; set an earlier moment with `now`";
                    return Err(ControlError::bad(message));
                }
                self.chassis.clock.advance(by);
            }
            (None, Some(now)) => {
                let moment: Timestamp = now.parse().map_err(|error| {
                    ControlError::bad(format!(
                        "`now` is `{now}`, which is no moment ({error}); \
                         write for example 2026-07-01T00:00:00Z"
                    ))
                })?;
                self.chassis.clock.set(moment);
            }
            _ => {
                let message = "the body has either `advance`, for example {\"advance\":\"36h\"}, \
                               or `now`, for example {\"now\":\"2026-07-01T00:00:00Z\"}";
                return Err(ControlError::bad(message));
            }
        }
        for fake in self.fakes.iter() {
            fake.clock_moved();
        }
        Ok(self.clock())
    }

    fn add_fault(&self, body: &[u8]) -> Result<Value, ControlError> {
        let rule: FaultRule = parsed(body)?;
        if !self.fakes.iter().any(|fake| fake.service() == rule.service) {
            return Err(ControlError::bad(format!(
                "`service` is `{}`; it is one of {}",
                rule.service,
                self.services()
            )));
        }
        let added = json!(rule);
        self.chassis.faults.add(rule);
        Ok(added)
    }

    fn credential(&self, kind: &str, body: &Value) -> Result<Value, ControlError> {
        self.fakes
            .iter()
            .find_map(|fake| fake.credential(kind, body))
            .unwrap_or_else(|| {
                let message =
                    format!("no service of this sandbox has credentials of the kind `{kind}`");
                Err(ControlError::missing(message))
            })
    }

    /// A page for a person: the time, the calls and the faults.
    fn page(&self) -> String {
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sandbox</title>\
             <style>body{{font:15px/1.5 system-ui;margin:2rem}}td,th{{padding:0 1rem 0 0;\
             text-align:left}}td:last-child{{text-align:right}}</style></head>\n\
             <body><h1>Sandbox</h1><p>Its clock says {}.</p>\n",
            self.chassis.clock.now()
        );
        for (service, count) in self.chassis.calls.all() {
            // Writing to a string can't fail.
            let _ = write!(
                page,
                "<h2>{}</h2><p>{} calls, at most {} at once, {} refused.</p><table>",
                escaped(&service),
                count.total,
                count.max_in_flight,
                count.refused
            );
            for (route, calls) in count.by_path {
                let _ = write!(
                    page,
                    "<tr><td>{}</td><td>{calls}</td></tr>",
                    escaped(&route)
                );
            }
            page.push_str("</table>\n");
        }
        for standing in self.chassis.faults.list() {
            let rule = escaped(&json!(standing).to_string());
            let _ = writeln!(page, "<p>Fault: <code>{rule}</code></p>");
        }
        page.push_str("</body></html>\n");
        page
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockMove {
    advance: Option<String>,
    now: Option<String>,
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    serde_json::from_slice(body).map_err(|error| ControlError::bad(format!("in the body: {error}")))
}

/// The body of a call to a fake: an object, or nothing, which is an empty one.
fn object(body: &[u8]) -> Result<Value, ControlError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    let value: Value = parsed(body)?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(ControlError::bad(
            "the body is no JSON object, such as {\"action\":\"approve\"}",
        ))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::super::FakeClock;
    use super::*;

    #[derive(Default)]
    struct Echo {
        moves: AtomicU32,
    }

    #[async_trait]
    impl Fake for Echo {
        fn service(&self) -> &'static str {
            "bill"
        }

        fn router(self: Arc<Self>) -> Router {
            Router::new()
        }

        fn describe(&self, base: &str) -> Value {
            json!({ "base_url": base })
        }

        fn state(&self) -> Value {
            json!({"bills": {"count": 2, "total": "12.50"}})
        }

        fn records(&self) -> Value {
            json!({"echoes": []})
        }

        async fn control(&self, path: &[&str], body: Value) -> Result<Value, ControlError> {
            match path {
                ["pay"] => Ok(json!({"path": path, "body": body})),
                _ => Err(ControlError::missing(format!("no `{}`", path.join("/")))),
            }
        }

        fn credential(&self, kind: &str, body: &Value) -> Option<Result<Value, ControlError>> {
            (kind == "bill").then(|| match body["action"].as_str() {
                Some("revoke") => Ok(json!({"done": "revoke"})),
                other => Err(ControlError::bad(format!("`action` is {other:?}"))),
            })
        }

        fn clock_moved(&self) {
            self.moves.fetch_add(1, Ordering::SeqCst);
        }
    }

    struct Bench {
        chassis: Chassis,
        fake: Arc<Echo>,
    }

    fn bench() -> Bench {
        let clock = FakeClock::at("2026-07-01T00:00:00Z".parse().unwrap());
        Bench {
            chassis: Chassis::new(clock, 1),
            fake: Arc::new(Echo::default()),
        }
    }

    impl Bench {
        async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
            let fakes: Vec<Arc<dyn Fake>> = vec![self.fake.clone()];
            let router = control_router(self.chassis.clone(), fakes);
            let request = Request::builder().method(method).uri(path);
            let request = request.body(Body::from(body.to_owned())).unwrap();
            let response = router.oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
            (
                status,
                serde_json::from_slice(&bytes).unwrap_or_else(|_| text()),
            )
        }
    }

    #[tokio::test]
    async fn state_and_calls_name_every_service() {
        let bench = bench();
        let (status, state) = bench.call("GET", "/control/state", "").await;
        assert_eq!(
            (status, &state["bill"]["bills"]["total"]),
            (200, &json!("12.50"))
        );
        let zeros = json!({"bill": {"total": 0, "max_in_flight": 0, "refused": 0, "by_path": {}}});
        assert_eq!(
            bench.call("GET", "/control/calls", "").await,
            (200, zeros.clone())
        );
        drop(bench.chassis.calls.begin("bill", "GET", "/v3/bills"));
        assert_eq!(
            bench.call("GET", "/control/calls", "").await.1["bill"]["total"],
            1
        );
        assert_eq!(
            bench.call("DELETE", "/control/calls", "").await,
            (200, zeros)
        );
    }

    #[tokio::test]
    async fn the_clock_is_moved_and_the_fakes_follow() {
        let bench = bench();
        let moved = bench
            .call("POST", "/control/clock", r#"{"advance":"36h"}"#)
            .await;
        assert_eq!(moved, (200, json!({"now": "2026-07-02T12:00:00Z"})));
        let moved = bench
            .call("POST", "/control/clock", r#"{"advance":"2d"}"#)
            .await;
        assert_eq!(moved, (200, json!({"now": "2026-07-04T12:00:00Z"})));
        let set = bench
            .call(
                "POST",
                "/control/clock",
                r#"{"now":"2026-08-01T00:00:00Z"}"#,
            )
            .await;
        assert_eq!(set, (200, json!({"now": "2026-08-01T00:00:00Z"})));
        assert_eq!(bench.call("GET", "/control/clock", "").await, set);
        assert_eq!(bench.fake.moves.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn faults_are_added_listed_and_cleared() {
        let bench = bench();
        let rule = r#"{"service":"bill","method":"POST","path":"/v3/bills","share":0.1,"times":5,
                       "effect":"drop-after-commit"}"#;
        let (status, added) = bench.call("POST", "/control/faults", rule).await;
        assert_eq!(
            (status, &added["effect"]),
            (200, &json!("drop-after-commit"))
        );
        let (_, list) = bench.call("GET", "/control/faults", "").await;
        assert_eq!(
            (&list[0]["times"], &list[0]["struck"]),
            (&json!(5), &json!(0))
        );
        assert_eq!(
            bench.call("DELETE", "/control/faults", "").await,
            (200, json!([]))
        );
        assert!(bench.chassis.faults.list().is_empty());
    }

    #[tokio::test]
    async fn a_fakes_own_calls_and_credentials_reach_it() {
        let bench = bench();
        let paid = bench
            .call("POST", "/control/bill/pay", r#"{"bills":["00n"]}"#)
            .await;
        assert_eq!(
            paid,
            (200, json!({"path": ["pay"], "body": {"bills": ["00n"]}}))
        );
        assert_eq!(bench.call("POST", "/control/bill/dance", "").await.0, 404);
        let revoked = bench
            .call(
                "POST",
                "/control/credentials/bill",
                r#"{"action":"revoke"}"#,
            )
            .await;
        assert_eq!(revoked, (200, json!({"done": "revoke"})));
        assert_eq!(
            bench
                .call("POST", "/control/credentials/bill", "{}")
                .await
                .0,
            400
        );
        assert_eq!(
            bench
                .call("POST", "/control/credentials/oracle", "{}")
                .await
                .0,
            404
        );
    }

    #[tokio::test]
    async fn bad_input_is_answered_with_its_place() {
        let bench = bench();
        for (method, path, body, status, place) in [
            (
                "POST",
                "/control/clock",
                r#"{"advance":"soon"}"#,
                400,
                "advance",
            ),
            (
                "POST",
                "/control/clock",
                r#"{"advance":"-1h"}"#,
                400,
                "advance",
            ),
            (
                "POST",
                "/control/clock",
                r#"{"now":"tomorrow"}"#,
                400,
                "now",
            ),
            ("POST", "/control/clock", r#"{"at":"1h"}"#, 400, "at"),
            ("POST", "/control/clock", "{}", 400, "advance"),
            ("POST", "/control/clock", "{", 400, "line 1"),
            (
                "POST",
                "/control/faults",
                r#"{"service":"bil","effect":"html"}"#,
                400,
                "service",
            ),
            (
                "POST",
                "/control/faults",
                r#"{"service":"bill","effect":"x"}"#,
                400,
                "effect",
            ),
            ("POST", "/control/bill/pay", "[]", 400, "object"),
            ("POST", "/control/oracle/pay", "{}", 404, "oracle"),
            ("PUT", "/control/clock", "{}", 404, "POST /control/clock"),
            ("GET", "/elsewhere", "", 404, "/control/state"),
        ] {
            let (answered, value) = bench.call(method, path, body).await;
            assert_eq!(answered, status, "{method} {path} {body}: {value}");
            let error = value["error"].as_str().unwrap();
            assert!(error.contains(place), "{method} {path} {body}: {error}");
        }
        assert_eq!(bench.fake.moves.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn the_page_shows_the_calls_and_escapes_them() {
        let bench = bench();
        drop(bench.chassis.calls.begin("bill", "GET", "/v3/<b>"));
        let (status, page) = bench.call("GET", "/", "").await;
        assert_eq!(status, 200);
        assert!(page.as_str().unwrap().contains("GET /v3/&lt;b&gt;"));
    }
}
