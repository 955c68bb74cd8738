//! The gate, over the real router and a real store: each route for each role and for nobody, forms from elsewhere,
//! sessions that end, sign-ins that fail.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::response::Response;
use http::{Method, StatusCode, header};
use http_body_util::BodyExt as _;
use secrecy::ExposeSecret as _;
use tieout_desk::approval::{self, By, Proposal};
use tieout_domain::{Clock, Timestamp};
use tieout_server::app::{App, Outside};
use tieout_server::people::Role;
use tieout_server::router;
use tieout_store::testing::TestStore;
use tieout_store::{Fact, MapStatus, NewToken, NewUser, Scope, Store, UserEdit};
use tower::ServiceExt as _;

use crate::stage::Played;

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

struct House {
    router: Router,
    store: Store,
    clock: Arc<TestClock>,
    _database: TestStore,
}

/// Somebody's browser.
#[derive(Clone, Default)]
struct Browser {
    cookie: String,
    form_token: String,
}

const PASSWORD: &str = "correct horse battery";

impl House {
    async fn new(public_url: Option<&str>) -> Self {
        let database = TestStore::new();
        let clock = Arc::new(TestClock(AtomicI64::new(1_780_000_000_000_000)));
        let store = Store::open(database.url(), Arc::clone(&clock) as Arc<dyn Clock>)
            .await
            .unwrap();
        let app = App {
            store: store.clone(),
            program: Arc::new(Played::default()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            outside: Arc::new(Outside {
                public_url: public_url.map(str::to_owned),
                ..Outside::default()
            }),
            counts: Arc::default(),
        };
        let password = store.hash_password("ada", &PASSWORD.into()).unwrap();
        for role in Role::ALL {
            let new = NewUser {
                name: role.to_string(),
                display: "<b>Jo</b>".to_owned(),
                mail: String::new(),
                role,
                subject: None,
                until: None,
                tenants: Vec::new(),
            };
            store
                .people()
                .add(&new, Some(&password), "user:root")
                .await
                .unwrap();
        }
        Self {
            router: router(app),
            store,
            clock,
            _database: database,
        }
    }

    fn wait(&self, seconds: i64) {
        self.clock
            .0
            .fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    async fn send(&self, mut request: Request) -> Response {
        let peer = SocketAddr::from(([203, 0, 113, 7], 50_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, browser: &Browser, path: &str) -> Response {
        let request = Request::get(path).header(header::COOKIE, &browser.cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, browser: &Browser, path: &str, form: &str) -> Response {
        let form = format!("{form}&form_token={}", browser.form_token);
        self.post_raw(browser, path, form, &[]).await
    }

    async fn post_raw(
        &self,
        browser: &Browser,
        path: &str,
        form: String,
        headers: &[(&str, &str)],
    ) -> Response {
        let mut request = Request::post(path)
            .header(header::COOKIE, &browser.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(form)).unwrap()).await
    }

    async fn try_password(&self, name: &str, password: &str) -> Response {
        let form = format!("name={name}&password={password}&next=/account");
        self.post_raw(&Browser::default(), "/sign-in", form, &[])
            .await
    }

    async fn sign_in(&self, name: &str) -> Browser {
        let response = self.try_password(name, PASSWORD).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let cookie = cookie(&response).split(';').next().unwrap().to_owned();
        let mut browser = Browser {
            cookie,
            form_token: String::new(),
        };
        let page = text(self.get(&browser, "/account").await).await;
        browser.form_token = between(&page, "name=\"form_token\" value=\"", "\"");
        browser
    }

    /// Whether the browser is let in, and not sent to sign in.
    async fn is_in(&self, browser: &Browser) -> bool {
        self.get(browser, "/account").await.status() == StatusCode::OK
    }
}

fn cookie(response: &Response) -> String {
    let cookie = response.headers().get(header::SET_COOKIE).unwrap();
    cookie.to_str().unwrap().to_owned()
}

fn location(response: &Response) -> &str {
    let location = response.headers().get(header::LOCATION);
    location.map_or("", |location| location.to_str().unwrap())
}

async fn text(response: Response) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

fn between(text: &str, before: &str, after: &str) -> String {
    let from = text.find(before).unwrap() + before.len();
    let rest = &text[from..];
    rest[..rest.find(after).unwrap()].to_owned()
}

/// Each route of people's own pages: its method, its path, a form that is whole, and the least role that it takes.
const ROUTES: [(Method, &str, &str, Role); 34] = [
    (Method::GET, "/", "", Role::Viewer),
    (Method::GET, "/account", "", Role::Viewer),
    (Method::GET, "/account?csv=sessions", "", Role::Viewer),
    (
        Method::POST,
        "/account/password",
        "current=x&password=y",
        Role::Viewer,
    ),
    (Method::POST, "/account/sessions/x/end", "", Role::Viewer),
    (
        Method::POST,
        "/account/tokens",
        "name=t0&scope=read&days=1",
        Role::Viewer,
    ),
    (
        Method::POST,
        "/account/tokens",
        "name=t1&scope=operate&days=1",
        Role::Operator,
    ),
    (
        Method::POST,
        "/account/tokens",
        "name=t2&scope=approve&days=1",
        Role::Approver,
    ),
    (
        Method::POST,
        "/account/tokens",
        "name=t3&scope=admin&days=1",
        Role::Admin,
    ),
    (Method::POST, "/account/tokens/x/revoke", "", Role::Viewer),
    (Method::GET, "/approvals", "", Role::Viewer),
    (
        Method::POST,
        "/approvals/acme-us/9/approve",
        "reason=",
        Role::Approver,
    ),
    (
        Method::POST,
        "/approvals/acme-us/9/decline",
        "reason=",
        Role::Approver,
    ),
    (Method::GET, "/users", "", Role::Admin),
    (Method::GET, "/users?csv=users", "", Role::Admin),
    (
        Method::POST,
        "/users",
        "name=x&role=admin&password=a+long+password",
        Role::Admin,
    ),
    (Method::GET, "/users/viewer", "", Role::Admin),
    (
        Method::POST,
        "/users/x",
        "display=X&mail=&role=admin",
        Role::Admin,
    ),
    (
        Method::POST,
        "/users/x/password",
        "password=a+long+password",
        Role::Admin,
    ),
    (Method::POST, "/users/x/disable", "", Role::Admin),
    (Method::POST, "/users/x/enable", "", Role::Admin),
    (Method::POST, "/users/x/sign-out", "", Role::Admin),
    (Method::POST, "/users/x/tokens/t/revoke", "", Role::Admin),
    (Method::GET, "/connections/acme-us", "", Role::Viewer),
    (
        Method::GET,
        "/connections/acme-us/payable",
        "",
        Role::Viewer,
    ),
    (Method::GET, "/runs", "", Role::Viewer),
    (Method::GET, "/records?q=x", "", Role::Viewer),
    (Method::GET, "/audit", "", Role::Viewer),
    (Method::POST, "/audit/check", "", Role::Viewer),
    (
        Method::POST,
        "/connections/acme-us/sync",
        "flow=bills&flow=vendors&only=x",
        Role::Operator,
    ),
    (
        Method::POST,
        "/connections/acme-us/pause",
        "",
        Role::Operator,
    ),
    (
        Method::POST,
        "/connections/acme-us/resume",
        "reason=x",
        Role::Operator,
    ),
    (Method::POST, "/pause", "", Role::Operator),
    (Method::POST, "/resume", "reason=x", Role::Operator),
];

#[tokio::test]
async fn each_route_is_for_its_roles_and_for_nobody_else() {
    let house = House::new(None).await;
    let nobody = Browser::default();
    for (method, path, form, _) in ROUTES {
        let response = match method {
            Method::GET => house.get(&nobody, path).await,
            _ => house.post(&nobody, path, form).await,
        };
        if method == Method::GET {
            assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
            assert!(location(&response).starts_with("/sign-in"), "{path}");
        } else {
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
        }
    }
    for role in Role::ALL {
        let browser = house.sign_in(role.as_str()).await;
        for (method, path, form, least) in ROUTES {
            let response = match method {
                Method::GET => house.get(&browser, path).await,
                _ => house.post(&browser, path, form).await,
            };
            let status = response.status();
            let refused = status == StatusCode::FORBIDDEN;
            assert_eq!(refused, role < least, "{role} {method} {path}: {status}");
            assert!(!status.is_server_error() || status == StatusCode::INTERNAL_SERVER_ERROR);
            assert_ne!(
                status,
                StatusCode::INTERNAL_SERVER_ERROR,
                "{role} {method} {path}"
            );
        }
    }
    let people = house.store.people();
    assert_eq!(people.user("x").await.unwrap().unwrap().role, Role::Admin);
}

#[tokio::test]
async fn what_is_open_is_open_and_nothing_else_is_told() {
    let house = House::new(None).await;
    let nobody = Browser::default();
    for path in ["/health", "/ready", "/assets/style.css", "/sign-in"] {
        let response = house.get(&nobody, path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
    for path in [
        "/no-such-page",
        "/../etc/passwd",
        "/users/%2e%2e",
        "/sign-in/x",
        "/health/x",
    ] {
        let response = house.get(&nobody, path).await;
        assert!(location(&response).starts_with("/sign-in?next="), "{path}");
    }
    let api = house.get(&nobody, "/api/v1/connections").await;
    assert_eq!(api.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(api.headers()[header::WWW_AUTHENTICATE], "Bearer");
    assert!(text(api).await.contains("not-signed-in"));
    let viewer = house.sign_in("viewer").await;
    let missing = house.get(&viewer, "/no-such-page").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_must_be_of_this_session_and_of_this_site() {
    let house = House::new(Some("https://tieout.example.com")).await;
    let mut admin = house.sign_in("admin").await;
    let other = house.sign_in("admin").await;
    let sound = format!("form_token={}", admin.form_token);
    let path = "/users/viewer/disable";
    let refused = [
        (String::new(), vec![]),
        ("form_token=".to_owned(), vec![]),
        (format!("form_token={}", other.form_token), vec![]),
        (format!("{sound}&form_token=x"), vec![]),
        (sound.clone(), vec![("origin", "https://evil.example.com")]),
        (sound.clone(), vec![("origin", "null")]),
        (sound.clone(), vec![("sec-fetch-site", "cross-site")]),
        (sound.clone(), vec![("sec-fetch-site", "same-site")]),
        (sound.clone(), vec![("x-form-token", "x")]),
    ];
    for (form, headers) in refused {
        let response = house.post_raw(&admin, path, form.clone(), &headers).await;
        assert_eq!(
            response.status(),
            StatusCode::FORBIDDEN,
            "{form} {headers:?}"
        );
    }
    let request = Request::post(path)
        .header(header::COOKIE, &admin.cookie)
        .header(header::CONTENT_TYPE, "text/plain")
        .body(Body::from(sound.clone()));
    let plain = house.send(request.unwrap()).await;
    assert_eq!(
        plain.status(),
        StatusCode::FORBIDDEN,
        "a form of another kind"
    );
    let viewer = house.store.people().user("viewer").await.unwrap().unwrap();
    assert!(!viewer.disabled);

    let large = format!("{sound}&x={}", "x".repeat(3 << 20));
    let response = house.post_raw(&admin, path, large, &[]).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let ours = [
        ("origin", "https://tieout.example.com"),
        ("sec-fetch-site", "same-origin"),
    ];
    let response = house.post_raw(&admin, path, sound, &ours).await;
    assert_eq!(location(&response), "/users/viewer?done=changed");

    let elsewhere = [("sec-fetch-site", "cross-site")];
    let form = format!("name=admin&password={PASSWORD}");
    let response = house
        .post_raw(&Browser::default(), "/sign-in", form, &elsewhere)
        .await;
    assert_eq!(
        response.status(),
        StatusCode::FORBIDDEN,
        "nobody is signed in by another site"
    );
    admin.form_token.clear();
    let signed_out = house.post(&admin, "/sign-out", "").await;
    assert_eq!(signed_out.status(), StatusCode::FORBIDDEN, "nor out");
}

#[tokio::test]
async fn a_sign_in_gives_a_new_session_and_ends_the_one_before() {
    let house = House::new(Some("https://tieout.example.com")).await;
    let first = house.sign_in("operator").await;
    let form = format!("name=viewer&password={PASSWORD}");
    let response = house.post_raw(&first, "/sign-in", form, &[]).await;
    let given = cookie(&response);
    assert!(given.starts_with("__Host-tieout="), "{given}");
    for attribute in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
        assert!(given.contains(attribute), "{given}");
    }
    assert!(!given.starts_with(&first.cookie));
    assert!(
        !house.is_in(&first).await,
        "it would be another's session now"
    );
    // A secret that somebody else chose opens nothing, before and after.
    let planted = Browser {
        cookie: format!("__Host-tieout={}", "a".repeat(64)),
        ..Browser::default()
    };
    let form = format!("name=viewer&password={PASSWORD}");
    house.post_raw(&planted, "/sign-in", form, &[]).await;
    assert!(!house.is_in(&planted).await);
}

#[tokio::test]
async fn a_session_ends() {
    let house = House::new(None).await;
    let people = house.store.people();
    let browser = house.sign_in("operator").await;
    house.wait(29 * 60);
    assert!(house.is_in(&browser).await);
    house.wait(31 * 60);
    assert!(!house.is_in(&browser).await, "it was not used");

    let changes = [
        UserEdit {
            role: Some(Role::Approver),
            ..UserEdit::default()
        },
        UserEdit {
            disabled: Some(true),
            ..UserEdit::default()
        },
    ];
    for edit in &changes {
        let browser = house.sign_in("operator").await;
        people.change("operator", edit, "user:admin").await.unwrap();
        assert!(!house.is_in(&browser).await, "{edit:?}");
    }
    let refused = house.try_password("operator", PASSWORD).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);

    let (here, there) = (house.sign_in("viewer").await, house.sign_in("viewer").await);
    let form = format!("current={PASSWORD}&password=another+long+one");
    let changed = house.post(&here, "/account/password", &form).await;
    assert_eq!(location(&changed), "/account?done=password");
    assert!(house.is_in(&here).await && !house.is_in(&there).await);
    let again = house.post(&here, "/account/password", &form).await;
    assert_eq!(again.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        text(again)
            .await
            .contains("the present password is another one")
    );

    let left = house.post(&here, "/sign-out", "").await;
    assert!(cookie(&left).contains("Max-Age=0"));
    assert!(!house.is_in(&here).await, "the cookie may have been kept");
}

#[tokio::test]
async fn failures_wait_and_tell_nobody_who_exists() {
    let house = House::new(None).await;
    let mut answers = Vec::new();
    for name in ["admin", "nobody"] {
        for _ in 0..6 {
            let response = house.try_password(name, "wrong wrong wrong").await;
            answers.push((response.status(), text(response).await));
        }
        let waiting = house.try_password(name, PASSWORD).await;
        let after = waiting.headers().get(header::RETRY_AFTER).cloned();
        assert!(after.is_some(), "{name}");
        answers.push((waiting.status(), text(waiting).await));
    }
    let (known, unknown) = answers.split_at(7);
    assert_eq!(known, unknown);
    assert_eq!(known[0].0, StatusCode::UNAUTHORIZED);
    assert_eq!(known[6].0, StatusCode::TOO_MANY_REQUESTS);
    house.wait(3);
    assert!(house.is_in(&house.sign_in("admin").await).await);

    // Many names from one source.
    let mut waited = 0;
    for number in 0..30 {
        let response = house.try_password(&format!("n{number}"), PASSWORD).await;
        waited += u32::from(response.status() == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(waited > 0);
    assert_eq!(
        house.try_password("viewer", PASSWORD).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn what_people_type_is_no_header_and_no_markup() {
    let house = House::new(None).await;
    for next in [
        "%0d%0aSet-Cookie:%20x=1",
        "//evil.example.com",
        "https://evil.example.com",
    ] {
        let form = format!("name=admin&password={PASSWORD}&next={next}");
        let response = house
            .post_raw(&Browser::default(), "/sign-in", form, &[])
            .await;
        assert_eq!(location(&response), "/", "{next}");
        assert_eq!(
            response
                .headers()
                .get_all(header::SET_COOKIE)
                .iter()
                .count(),
            1
        );
    }
    let page = house
        .get(&Browser::default(), "/sign-in?next=/%22%3E%3Cscript%3E")
        .await;
    assert!(!text(page).await.contains("<script>"));
    let admin = house.sign_in("admin").await;
    let page = text(house.get(&admin, "/users").await).await;
    assert!(page.contains("&lt;b&gt;Jo&lt;/b&gt;") && !page.contains("<b>Jo"));
    let edit = UserEdit {
        display: Some("=HYPERLINK(\"https://evil.example.com\")".to_owned()),
        ..UserEdit::default()
    };
    let people = house.store.people();
    people.change("viewer", &edit, "user:admin").await.unwrap();
    let csv = text(house.get(&admin, "/users?csv=users").await).await;
    assert!(csv.contains("\"'=HYPERLINK"), "{csv}");
    for name in ["Jo%0d%0aBcc:x", "%3Cscript%3E", "a%2Fb"] {
        let form = format!("name={name}&role=viewer&password=a+long+password");
        let refused = house.post(&admin, "/users", &form).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_what_they_may_do() {
    let house = House::new(Some("https://tieout.example.com")).await;
    let admin = house.sign_in("admin").await;
    for path in [
        "/",
        "/users",
        "/sign-in",
        "/health",
        "/no-such-page",
        "/assets/style.css",
    ] {
        let response = house.get(&admin, path).await;
        let headers = response.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(headers[header::REFERRER_POLICY], "same-origin", "{path}");
        assert!(
            headers.contains_key(header::STRICT_TRANSPORT_SECURITY),
            "{path}"
        );
        let kept = headers[header::CACHE_CONTROL].to_str().unwrap();
        assert_eq!(kept == "no-store", !path.starts_with("/assets"), "{path}");
    }
    let plain = House::new(None).await;
    let response = plain.get(&Browser::default(), "/sign-in").await;
    assert!(
        !response
            .headers()
            .contains_key(header::STRICT_TRANSPORT_SECURITY)
    );
    let page = text(response).await;
    assert!(!page.contains("<script>") && !page.contains("style=") && !page.contains("onclick"));
}

#[tokio::test]
async fn a_token_opens_the_api_alone_and_no_more_than_its_scope() {
    let house = House::new(None).await;
    let people = house.store.people();
    let new = NewToken {
        name: "ci".to_owned(),
        user: "admin".to_owned(),
        scope: Scope::Operate,
        expires: Some(house.clock.now() + Duration::from_secs(60)),
        tenants: Vec::new(),
    };
    let token = people.make_token(&new, "user:admin").await.unwrap();
    let asked = |path: &str, token: &str| {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        house.send(request.body(Body::empty()).unwrap())
    };
    // There is no such address, but who asks is let in to be told so.
    let secret = token.expose_secret();
    let known = asked("/api/v1/no-such-thing", secret).await;
    assert_eq!(known.status(), StatusCode::NOT_FOUND);
    let wrong = asked("/api/v1/no-such-thing", "tieout_00").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let page = asked("/users", secret).await;
    assert!(
        location(&page).starts_with("/sign-in"),
        "a token opens no page"
    );
    house.wait(61);
    let over = asked("/api/v1/no-such-thing", secret).await;
    assert_eq!(over.status(), StatusCode::UNAUTHORIZED);

    let admin = house.sign_in("admin").await;
    let made = house
        .post(&admin, "/account/tokens", "name=mine&scope=read&days=30")
        .await;
    let made = text(made).await;
    let secret = between(&made, "<code>", "</code>");
    assert!(secret.starts_with("tieout_"));
    let known = asked("/api/v1/no-such-thing", &secret).await;
    assert_eq!(known.status(), StatusCode::NOT_FOUND);
    let listed = text(house.get(&admin, "/account").await).await;
    assert!(listed.contains("mine") && !listed.contains(&secret));
    let operator = house.sign_in("operator").await;
    let theirs = house
        .post(&operator, "/account/tokens/mine/revoke", "")
        .await;
    assert_eq!(theirs.status(), StatusCode::UNPROCESSABLE_ENTITY);
    house.post(&admin, "/account/tokens/mine/revoke", "").await;
    let over = asked("/api/v1/no-such-thing", &secret).await;
    assert_eq!(over.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_takes_two_is_done_by_the_second_alone() {
    let house = House::new(None).await;
    let acme = house.store.connection(&"acme-us".parse().unwrap());
    let mapped = Fact::Mapped {
        kind: "funding".to_owned(),
        from: "bac01".into(),
        to: Some("1090".into()),
        status: MapStatus::Confirmed,
        label_from: "Main checking".to_owned(),
        label_to: "Clearing".to_owned(),
        why: "by hand".to_owned(),
    };
    let proposal = Proposal {
        text: "payments from Main checking are posted to 1090 Clearing".to_owned(),
        facts: vec![mapped],
        due: Vec::new(),
        ..Proposal::default()
    };
    assert!(approval::needed(&house.store, None, None).await.unwrap());
    assert!(
        !approval::needed(&house.store, None, Some(false))
            .await
            .unwrap()
    );
    let by = By {
        user: "approver",
        actor: "token:ci",
    };
    let what = ("mapping", "funding/bac01");
    let id = approval::request(&acme, what, &proposal, "new bank", by)
        .await
        .unwrap();
    let approve = format!("/approvals/acme-us/{id}/approve");

    let asker = house.sign_in("approver").await;
    let page = text(house.get(&asker, "/approvals").await).await;
    assert!(
        page.contains("Take back") && !page.contains(&approve),
        "{page}"
    );
    let own = house.post(&asker, &approve, "reason=").await;
    assert_eq!(own.status(), StatusCode::CONFLICT);
    assert!(acme.maps().await.unwrap().is_empty());

    let second = house.sign_in("admin").await;
    let page = text(house.get(&second, "/approvals").await).await;
    assert!(
        page.contains("posted to 1090 Clearing") && page.contains("new bank"),
        "{page}"
    );
    let done = house.post(&second, &approve, "reason=checked").await;
    assert_eq!(location(&done), "/approvals?done=approved");
    let maps = acme.maps().await.unwrap();
    assert_eq!((maps.len(), maps[0].actor.as_str()), (1, "user:admin"));
    let again = house.post(&second, &approve, "reason=").await;
    assert_eq!(again.status(), StatusCode::CONFLICT);

    let id = approval::request(&acme, what, &proposal, "again", by)
        .await
        .unwrap();
    let back = house
        .post(
            &asker,
            &format!("/approvals/acme-us/{id}/decline"),
            "reason=wrong",
        )
        .await;
    assert_eq!(location(&back), "/approvals?done=declined");
    let unknown = house
        .post(&second, "/approvals/other/1/approve", "reason=")
        .await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert!(house.store.verify().await.unwrap().faults.is_empty());
}

#[tokio::test]
async fn s240_support_sees_for_a_while_and_changes_nothing_and_all_of_it_is_on_record() {
    let house = House::new(None).await;
    let people = house.store.people();
    let until = house
        .clock
        .now()
        .checked_add(Duration::from_secs(3600))
        .unwrap();
    let password = house.store.hash_password("support", &PASSWORD.into());
    let new = NewUser {
        name: "support".to_owned(),
        display: "Support".to_owned(),
        mail: String::new(),
        role: Role::Viewer,
        subject: None,
        until: Some(until),
        tenants: Vec::new(),
    };
    people
        .add(&new, Some(&password.unwrap()), "user:admin")
        .await
        .unwrap();
    let browser = house.sign_in("support").await;
    let token = NewToken {
        name: "support-look".to_owned(),
        user: "support".to_owned(),
        scope: Scope::Read,
        expires: None,
        tenants: Vec::new(),
    };
    let token = people.make_token(&token, "user:support").await.unwrap();
    assert!(people.token(&token).await.unwrap().is_some());
    // They see, and every act of more than a viewer's is refused.
    for (method, path, form, least) in ROUTES {
        let response = match method {
            Method::GET => house.get(&browser, path).await,
            _ if least > Role::Viewer => house.post(&browser, path, form).await,
            _ => continue,
        };
        let refused = response.status() == StatusCode::FORBIDDEN;
        assert_eq!(refused, least > Role::Viewer, "{method} {path}");
    }
    // When the time is over, so is everything: the session, the token, and the password.
    house.wait(3600);
    assert!(!house.is_in(&browser).await);
    assert!(people.token(&token).await.unwrap().is_none());
    let again = house.try_password("support", PASSWORD).await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
    let installation = house.store.installation();
    let entries = installation.entries_after(0, 100).await.unwrap();
    let told = entries.iter().find_map(|entry| match &entry.fact {
        Fact::User { user, until, .. } if user == "support" => Some((&*entry.actor, *until)),
        _ => None,
    });
    assert_eq!(told, Some(("user:admin", Some(until))));
}
