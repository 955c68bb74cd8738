//! Signing in by an identity provider: a real little one on loopback, with keys and codes of its own, and everything
//! that it or a stranger may do wrong.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tieout::home::{Home, KEY, Place};
use tieout::serve::Service;
use tieout_domain::Clock;
use tieout_domain::code::Code;
use tieout_server::App;
use tieout_server::app::Outside;
use tieout_server::people::Role;
use tieout_store::{NewUser, Store, UserEdit, Vault};
use tower::ServiceExt as _;

const CLIENT: &str = "tieout-test";
const SECRET: &str = "hush & + %";

/// What the provider does differently from what it should, claim by claim and beyond.
#[derive(Clone, Default)]
struct Mood {
    /// Claims in the place of the right ones; null leaves one out.
    claims: Vec<(&'static str, Value)>,
    /// What stands in the token's head in the place of `ES256`.
    algorithm: Option<&'static str>,
    /// What else stands in its head.
    head: Option<(&'static str, Value)>,
    /// The token is signed by a key that isn't the provider's.
    forged: bool,
    /// The mail stands in no token, but is told when asked.
    mail_on_demand: bool,
    /// It takes the secret in the form alone.
    secret_in_form: bool,
    /// It gives more than a sane provider would.
    too_much: bool,
}

struct Idp {
    issuer: String,
    mood: Mutex<Mood>,
    key: Mutex<(String, EcdsaKeyPair)>,
    /// What was asked with each code.
    codes: Mutex<HashMap<String, HashMap<String, String>>>,
    /// How often its keys were read.
    keys_read: Mutex<u32>,
}

fn new_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

impl Idp {
    async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let idp = Arc::new(Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            mood: Mutex::default(),
            key: Mutex::new(("one".to_owned(), new_key())),
            codes: Mutex::default(),
            keys_read: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(Arc::clone(&idp));
        tokio::spawn(async move { axum::serve(listener, router).await });
        idp
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// What it does once a person has signed in there: a code for what was asked.
    fn code(&self, asked: HashMap<String, String>) -> String {
        let mut codes = self.codes.lock().unwrap();
        let code = format!("code-{}", codes.len());
        codes.insert(code.clone(), asked);
        code
    }

    fn token(&self, nonce: &str) -> String {
        let mood = self.mood.lock().unwrap().clone();
        let now = jiff::Timestamp::now().as_second();
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": "s-1", "nonce": nonce, "iat": now, "exp": now + 300,
            "email": "Ann@Example.com", "email_verified": true, "name": "Ann Smith",
        });
        if mood.mail_on_demand {
            claims["email"] = Value::Null;
        }
        for (name, value) in &mood.claims {
            claims[*name] = value.clone();
        }
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        let key = self.key.lock().unwrap();
        let mut head =
            json!({"alg": mood.algorithm.unwrap_or("ES256"), "kid": key.0, "typ": "JWT"});
        if let Some((name, value)) = mood.head {
            head[name] = value;
        }
        let signed = format!("{}.{}", encoded(&head), encoded(&claims));
        let forger = new_key();
        let signer = if mood.forged { &forger } else { &key.1 };
        let signature = signer
            .sign(&SystemRandom::new(), signed.as_bytes())
            .unwrap();
        match mood.algorithm {
            Some("none") => format!("{signed}."),
            Some("HS256") => {
                let key =
                    aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
                let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
                format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
            }
            _ => format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)),
        }
    }
}

async fn metadata(State(idp): State<Arc<Idp>>) -> Json<Value> {
    let at = |path| format!("{}/{path}", idp.issuer);
    let mood = idp.mood.lock().unwrap();
    let way = if mood.secret_in_form {
        "client_secret_post"
    } else {
        "client_secret_basic"
    };
    Json(json!({
        "issuer": idp.issuer, "authorization_endpoint": at("authorize?tenant=1"), "token_endpoint": at("token"),
        "jwks_uri": at("keys"), "userinfo_endpoint": at("userinfo"),
        "token_endpoint_auth_methods_supported": [way],
    }))
}

async fn keys(State(idp): State<Arc<Idp>>) -> Json<Value> {
    *idp.keys_read.lock().unwrap() += 1;
    let key = idp.key.lock().unwrap();
    let point = key.1.public_key().as_ref().to_vec();
    let part = |range: std::ops::Range<usize>| BASE64_URL_SAFE_NO_PAD.encode(&point[range]);
    Json(json!({"keys": [
        {"kty": "of tomorrow", "kid": "new"},
        {"kty": "EC", "crv": "P-256", "kid": key.0, "use": "sig", "x": part(1..33), "y": part(33..65)},
    ]}))
}

async fn token(
    State(idp): State<Arc<Idp>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let mood = idp.mood.lock().unwrap().clone();
    let of = |name: &str| form.get(name).cloned().unwrap_or_default();
    let known = if mood.secret_in_form {
        of("client_id") == CLIENT && of("client_secret") == SECRET
    } else {
        let pair = format!("{CLIENT}:hush+%26+%2B+%25");
        let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
        headers.get("authorization").is_some_and(|it| it == &basic)
    };
    // A lazy provider: it takes a code as often as it is shown.
    let asked = idp.codes.lock().unwrap().get(&of("code")).cloned();
    let (true, Some(asked)) = (known, asked) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier")));
    if asked["code_challenge"] != challenge || asked["redirect_uri"] != of("redirect_uri") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let padding = if mood.too_much { 2_000_000 } else { 0 };
    Json(json!({
        "access_token": "access", "token_type": "Bearer", "id_token": idp.token(&asked["nonce"]),
        "padding": "x".repeat(padding),
    }))
    .into_response()
}

async fn userinfo(headers: HeaderMap) -> Response {
    if headers
        .get("authorization")
        .is_none_or(|it| it != "Bearer access")
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let told = json!({"sub": "s-1", "email": "ann@example.com", "email_verified": "true"});
    Json(told).into_response()
}

/// The wall's clock, so many seconds ahead.
#[derive(Default)]
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> jiff::Timestamp {
        let ahead = self.0.load(Ordering::Relaxed);
        jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead)
    }
}

/// A service that takes this provider.
struct Door {
    idp: Arc<Idp>,
    router: Router,
    clock: Arc<Ahead>,
    store: Store,
    _folder: tempfile::TempDir,
}

const PUBLIC: &str = "http://127.0.0.1:8700";

/// A browser, as far as it matters here.
#[derive(Default)]
struct Browser {
    cookies: HashMap<String, String>,
}

struct Answer {
    status: StatusCode,
    to: String,
    text: String,
}

impl Door {
    async fn new(more: &str) -> Self {
        let idp = Idp::start().await;
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path(), &idp.issuer, more).await;
        let store = home.store.clone();
        let clock = Arc::new(Ahead::default());
        let outside = Outside {
            public_url: Some(PUBLIC.to_owned()),
            ..Outside::default()
        };
        let app = App {
            store: store.clone(),
            program: Service::new(home).await.unwrap(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            outside: Arc::new(outside),
            counts: Arc::default(),
        };
        Self {
            idp,
            router: tieout_server::router(app),
            clock,
            store,
            _folder: folder,
        }
    }

    async fn add(&self, name: &str, mail: &str) {
        let new = NewUser {
            name: name.to_owned(),
            display: name.to_owned(),
            mail: mail.to_owned(),
            role: Role::Operator,
            subject: None,
            until: None,
            tenants: Vec::new(),
        };
        self.store
            .people()
            .add(&new, None, "user:root")
            .await
            .unwrap();
    }

    async fn get(&self, browser: &mut Browser, path: &str) -> Answer {
        let cookies = browser.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::get(path)
            .header(header::COOKIE, cookies.join("; "))
            .body(axum::body::Body::empty())
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            assert!(
                text.contains("HttpOnly") && text.contains("SameSite=Lax"),
                "{text}"
            );
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => browser.cookies.remove(name),
                value => browser.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        let to = response.headers().get(header::LOCATION);
        let to = to.map_or("", |to| to.to_str().unwrap()).to_owned();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        Answer { status, to, text }
    }

    /// Goes to the provider, and gives what it was asked.
    async fn begin(&self, browser: &mut Browser, next: &str) -> HashMap<String, String> {
        let answer = self
            .get(browser, &format!("/sign-in/openid?next={next}"))
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let place = format!("{}/authorize?tenant=1&", self.idp.issuer);
        let query = answer.to.strip_prefix(&place).unwrap();
        let asked = form_urlencoded::parse(query.as_bytes()).into_owned();
        asked.collect()
    }

    /// Comes back from it.
    async fn back(&self, browser: &mut Browser, code: &str, state: &str) -> Answer {
        self.get(
            browser,
            &format!("/sign-in/openid/back?code={code}&state={state}"),
        )
        .await
    }

    /// All of it.
    async fn sign_in(&self, browser: &mut Browser) -> Answer {
        let asked = self.begin(browser, "/runs").await;
        let state = asked["state"].clone();
        let code = self.idp.code(asked);
        self.back(browser, &code, &state).await
    }

    async fn is_in(&self, browser: &mut Browser) -> bool {
        self.get(browser, "/account").await.status == StatusCode::OK
    }

    /// Nobody gets in, and this is why.
    async fn refuses(&self, mood: Mood, code: Code) {
        self.idp.is(mood);
        let mut browser = Browser::default();
        let answer = self.sign_in(&mut browser).await;
        let title = code.page().unwrap().title();
        assert!(answer.text.contains(title), "{code}: {}", answer.text);
        assert!(
            !answer.status.is_success() && !answer.status.is_redirection(),
            "{code}"
        );
        assert!(browser.cookies.is_empty(), "{code}");
        assert!(!self.is_in(&mut browser).await, "{code}");
        self.store
            .people()
            .clear_attempts("from:unknown")
            .await
            .unwrap();
    }
}

async fn home(folder: &Path, issuer: &str, more: &str) -> Home {
    let text = format!(
        "[server]\npublic_url = \"{PUBLIC}\"\n[server.openid]\nissuer = \"{issuer}\"\nclient_id = \"{CLIENT}\"\n\
         credential = \"sso\"\nbutton = \"Sign in with Example\"\n{more}"
    );
    std::fs::write(folder.join("tieout.toml"), text).unwrap();
    Vault::create_key_file(&folder.join(KEY)).unwrap();
    let place = Place {
        home: Some(folder.to_owned()),
        key_file: Some(folder.join(KEY)),
    };
    let home = Home::open(&place).await.unwrap();
    let vault = home.vault().await.unwrap();
    let fields = json!({ "client_secret": SECRET }).to_string();
    let credentials = home.store.credentials();
    credentials
        .set(&vault, "sso", "openid", fields.into(), "user:ann")
        .await
        .unwrap();
    home
}

#[tokio::test]
async fn who_the_provider_knows_and_somebody_has_added_comes_in() {
    let door = Door::new("").await;
    door.add("ann", "ann@example.com").await;
    let mut browser = Browser::default();
    let page = door.get(&mut browser, "/sign-in").await.text;
    assert!(
        page.contains("Sign in with Example") && page.contains("type=\"password\""),
        "{page}"
    );
    let answer = door.sign_in(&mut browser).await;
    assert_eq!(
        (answer.status, answer.to.as_str()),
        (StatusCode::SEE_OTHER, "/runs"),
        "{}",
        answer.text
    );
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["tieout"]);
    assert!(door.is_in(&mut browser).await);
    // From now on she is known by what the provider calls her, whatever her address.
    let people = door.store.people();
    let ann = people.user("ann").await.unwrap().unwrap();
    assert_eq!(ann.subject, Some(format!("{} s-1", door.idp.issuer)));
    let claims = vec![
        ("email", json!("new@example.com")),
        ("email_verified", json!(false)),
    ];
    door.idp.is(Mood {
        claims,
        ..Mood::default()
    });
    assert_eq!(door.sign_in(&mut browser).await.to, "/runs");
    // Somebody else who got her address later is not her.
    let claims = vec![("sub", json!("s-2"))];
    door.refuses(
        Mood {
            claims,
            ..Mood::default()
        },
        Code::new("openid-unknown-user"),
    )
    .await;
    let edit = UserEdit {
        disabled: Some(true),
        ..UserEdit::default()
    };
    people.change("ann", &edit, "user:root").await.unwrap();
    door.refuses(Mood::default(), Code::new("openid-unknown-user"))
        .await;
    assert!(door.store.verify().await.unwrap().faults.is_empty());
}

#[tokio::test]
async fn nothing_that_is_not_proven_lets_anybody_in() {
    let door = Door::new("").await;
    door.add("ann", "ann@example.com").await;
    let claims = |name, value| Mood {
        claims: vec![(name, value)],
        ..Mood::default()
    };
    let now = jiff::Timestamp::now().as_second();
    let unproven = [
        Mood {
            forged: true,
            ..Mood::default()
        },
        Mood {
            algorithm: Some("none"),
            ..Mood::default()
        },
        Mood {
            algorithm: Some("HS256"),
            ..Mood::default()
        },
        Mood {
            algorithm: Some("RS256"),
            ..Mood::default()
        },
        Mood {
            head: Some(("crit", json!(["b64"]))),
            ..Mood::default()
        },
        Mood {
            head: Some(("kid", json!("nobody's"))),
            ..Mood::default()
        },
        claims("iss", json!("https://evil.example.com")),
        claims("aud", json!("another")),
        claims("aud", json!([CLIENT, "another"])),
        claims("azp", json!("another")),
        claims("exp", json!(now - 61)),
        claims("iat", json!(now + 120)),
        claims("nbf", json!(now + 120)),
        claims("nonce", json!("of another sign-in")),
        claims("nonce", Value::Null),
        claims("sub", json!("")),
        claims("exp", Value::Null),
    ];
    for mood in unproven {
        door.refuses(mood, Code::new("openid-unproven")).await;
    }
    for mood in [
        claims("email_verified", json!(false)),
        claims("email_verified", Value::Null),
        claims("email", json!("somebody@example.com")),
    ] {
        door.refuses(mood, Code::new("openid-unknown-user")).await;
    }
    door.refuses(
        Mood {
            too_much: true,
            ..Mood::default()
        },
        Code::new("openid-provider"),
    )
    .await;
    let ann = door.store.people().user("ann").await.unwrap().unwrap();
    assert!(ann.subject.is_none() && ann.signed_in.is_none());
}

#[tokio::test]
async fn an_answer_counts_once_in_the_browser_that_asked() {
    let door = Door::new("").await;
    door.add("ann", "ann@example.com").await;
    let (mut hers, mut other) = (Browser::default(), Browser::default());
    let asked = door.begin(&mut hers, "/").await;
    door.begin(&mut other, "/").await;
    let state = asked["state"].clone();
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(
        asked["redirect_uri"],
        format!("{PUBLIC}/sign-in/openid/back")
    );
    let code = door.idp.code(asked);
    // Whoever has the answer and not the browser, and a browser that asked for another one.
    assert_eq!(
        door.back(&mut Browser::default(), &code, &state)
            .await
            .status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        door.back(&mut other, &code, &state).await.status,
        StatusCode::BAD_REQUEST
    );
    let kept = hers.cookies.clone();
    assert_eq!(
        door.back(&mut hers, &code, &state).await.status,
        StatusCode::SEE_OTHER
    );
    // Again, cookie and all: the provider would take its code twice.
    let mut again = Browser { cookies: kept };
    let answer = door.back(&mut again, &code, &state).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    assert!(!door.is_in(&mut again).await && !door.is_in(&mut other).await);
    // The provider says no.
    let asked = door.begin(&mut other, "/").await;
    let path = format!(
        "/sign-in/openid/back?error=access_denied&state={}",
        asked["state"]
    );
    let answer = door.get(&mut other, &path).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // Another provider answers in its place (RFC 9207).
    let asked = door.begin(&mut other, "/").await;
    let state = asked["state"].clone();
    let code = door.idp.code(asked);
    let path =
        format!("/sign-in/openid/back?code={code}&state={state}&iss=https://evil.example.com");
    assert_eq!(
        door.get(&mut other, &path).await.status,
        StatusCode::FORBIDDEN
    );
    // Nobody is led away.
    let asked = door.begin(&mut other, "https://evil.example.com").await;
    let state = asked["state"].clone();
    let code = door.idp.code(asked);
    assert_eq!(door.back(&mut other, &code, &state).await.to, "/");
}

#[tokio::test]
async fn the_provider_may_change_its_key_and_tell_the_mail_only_when_asked() {
    let door = Door::new("").await;
    door.add("ann", "ann@example.com").await;
    door.idp.is(Mood {
        secret_in_form: true,
        mail_on_demand: true,
        ..Mood::default()
    });
    let mut browser = Browser::default();
    assert_eq!(door.sign_in(&mut browser).await.to, "/runs");
    assert_eq!(*door.idp.keys_read.lock().unwrap(), 1);
    // A key that nobody knows has the keys read again, and not for every token that names one.
    *door.idp.key.lock().unwrap() = ("two".to_owned(), new_key());
    let mood = door.idp.mood.lock().unwrap().clone();
    door.refuses(mood, Code::new("openid-unproven")).await;
    assert_eq!(*door.idp.keys_read.lock().unwrap(), 1);
    door.clock.0.store(61, Ordering::Relaxed);
    assert_eq!(door.sign_in(&mut browser).await.to, "/runs");
    assert_eq!(*door.idp.keys_read.lock().unwrap(), 2);
    // Whoever takes longer than ten minutes begins again.
    let asked = door.begin(&mut browser, "/").await;
    let state = asked["state"].clone();
    let code = door.idp.code(asked);
    door.clock.0.store(61 + 601, Ordering::Relaxed);
    let late = door.back(&mut browser, &code, &state).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn whoever_the_provider_knows_becomes_a_user_where_that_is_wanted_and_passwords_are_off() {
    let door = Door::new("default_role = \"viewer\"\npasswords = false").await;
    let mut browser = Browser::default();
    let page = door.get(&mut browser, "/sign-in").await.text;
    assert!(!page.contains("type=\"password\""), "{page}");
    let request = Request::post("/sign-in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(axum::body::Body::from("name=ann@example.com&password=x"))
        .unwrap();
    let response = door.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let claims = vec![("email_verified", json!(false))];
    door.refuses(
        Mood {
            claims,
            ..Mood::default()
        },
        Code::new("openid-unknown-user"),
    )
    .await;
    door.idp.is(Mood::default());
    assert_eq!(door.sign_in(&mut browser).await.to, "/runs");
    let ann = door
        .store
        .people()
        .user("ann@example.com")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (ann.role, ann.display.as_str()),
        (Role::Viewer, "Ann Smith")
    );
    assert!(!ann.has_password);
}
