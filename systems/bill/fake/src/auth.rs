//! Sign-in, sessions, and what makes a session trusted (README §Authentication).

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use tieout_kit::fake::ControlError;

use crate::ids::{Kind, Random};
use crate::json::Json;
use crate::organization::Organization;
use crate::problem::Problem;
use crate::route::{Answer, Call, Reply};
use crate::shape::{Field, Rule, may, need, pick};

/// The code that the sandbox's text messages carry.
pub const MFA_CODE: &str = "123456";

const IDLE: SignedDuration = SignedDuration::from_mins(35);
const IDLE_SYNC_TOKEN: SignedDuration = SignedDuration::from_hours(48);
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);
const LOCKED_FOR: SignedDuration = SignedDuration::from_mins(30);
const FAILURES: u32 = 5;

/// A name and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// What an administrator did to the credentials.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum State {
    #[default]
    Good,
    Revoked,
    Blocked,
    Expired,
    Locked,
    OrganizationLocked,
}

/// A session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    dev_key: String,
    used: Timestamp,
    /// Made with a sync token: lives longer, may not move money.
    pub(crate) sync: bool,
    /// Made or stepped up with a second factor.
    pub(crate) trusted: bool,
}

impl Session {
    /// What a call has that signs in.
    pub(crate) fn none(now: Timestamp) -> Self {
        Self {
            dev_key: String::new(),
            used: now,
            sync: false,
            trusted: false,
        }
    }
}

/// Who may sign in, and who has.
#[derive(Debug, Clone)]
pub(crate) struct Auth {
    pub(crate) dev_key: String,
    pub(crate) user: Secret,
    pub(crate) sync_token: Secret,
    state: State,
    /// What the user may do; `ADMINISTRATOR` may do everything.
    pub(crate) role: String,
    failures: u32,
    locked_until: Option<Timestamp>,
    sessions: HashMap<String, Session>,
    remembered: HashMap<String, (String, Timestamp)>,
    challenges: Vec<String>,
    phones: Vec<Json>,
    /// The user must register a phone before anything that needs a second factor.
    phone_wanted: bool,
}

impl Auth {
    /// The credentials of a seed.
    pub(crate) fn new(random: &mut Random) -> Self {
        Self {
            dev_key: format!("01{}", random.token(30)),
            user: Secret {
                name: "ap@acme.example.com".to_owned(),
                value: random.token(16),
            },
            sync_token: Secret {
                name: "tieout-sync".to_owned(),
                value: random.token(32),
            },
            state: State::Good,
            role: "ADMINISTRATOR".to_owned(),
            failures: 0,
            locked_until: None,
            sessions: HashMap::new(),
            remembered: HashMap::new(),
            challenges: Vec::new(),
            phones: Vec::new(),
            phone_wanted: false,
        }
    }

    /// Whether it has given out this session.
    pub(crate) fn knows(&self, session: &str) -> bool {
        self.sessions.contains_key(session)
    }

    /// Ends all sessions, and forgets all devices.
    pub(crate) fn forget_sessions(&mut self) {
        self.sessions.clear();
        self.remembered.clear();
    }

    /// Ends a session.
    pub(crate) fn end(&mut self, session: &str) {
        self.sessions.remove(session);
    }

    /// The session of a call: known, made with this developer key, and used not long ago.
    pub(crate) fn session(
        &mut self,
        session: Option<&str>,
        dev_key: Option<&str>,
        now: Timestamp,
    ) -> Result<Session, Problem> {
        let invalid = || Problem::new(401, "BDC_1109", "Session is invalid. Please log in.");
        let session_id = session.ok_or_else(invalid)?;
        self.developer(dev_key)?;
        if self.state == State::OrganizationLocked {
            return Err(locked_out());
        }
        let session = self.sessions.get_mut(session_id).ok_or_else(invalid)?;
        if Some(&*session.dev_key) != dev_key {
            return Err(invalid());
        }
        let idle = if session.sync { IDLE_SYNC_TOKEN } else { IDLE };
        if now.duration_since(session.used) > idle {
            self.sessions.remove(session_id);
            return Err(invalid());
        }
        session.used = session.used.max(now);
        Ok(session.clone())
    }

    fn developer(&self, dev_key: Option<&str>) -> Result<(), Problem> {
        if dev_key != Some(&*self.dev_key) {
            return Err(Problem::new(401, "BDC_1102", "Developer key is invalid"));
        }
        if self.state == State::Blocked {
            return Err(Problem::new(401, "BDC_1103", "Developer key is inactive"));
        }
        Ok(())
    }

    fn lock(&mut self, now: Timestamp) {
        self.failures += 1;
        if self.failures >= FAILURES {
            self.locked_until = now.checked_add(LOCKED_FOR).ok();
            self.failures = 0;
        }
    }

    /// `POST /control/credentials/bill`.
    pub(crate) fn control(&mut self, body: &Json) -> Result<Json, ControlError> {
        let action = body.text("action").unwrap_or_default();
        match action {
            "revoke" => self.state = State::Revoked,
            "block" => self.state = State::Blocked,
            "expire" => self.state = State::Expired,
            "lock" if body.text("what") == Some("organization") => {
                self.state = State::OrganizationLocked;
            }
            "lock" => self.state = State::Locked,
            "role" => {
                let role = body.text("role").ok_or_else(|| {
                    ControlError::bad("role: a role's name, for example AUDITOR or CLERK")
                })?;
                self.role = role.to_uppercase();
            }
            "phone" => self.phone_wanted = true,
            "restore" => {
                self.phone_wanted = false;
                self.state = State::Good;
                self.role = "ADMINISTRATOR".to_owned();
                self.failures = 0;
                self.locked_until = None;
            }
            _ => {
                return Err(ControlError::bad(
                    "action: revoke, block, expire, lock, phone, role or restore",
                ));
            }
        }
        if matches!(self.state, State::Revoked | State::Expired | State::Locked) {
            self.sessions.clear();
        }
        Ok(Json::object([
            ("action", action.into()),
            ("role", self.role.as_str().into()),
        ]))
    }

    /// Whether the role forbids a call. `AUDITOR` reads, `CLERK` and `ACCOUNTANT` don't pay, `APPROVER`
    /// approves, `PAYER` pays; any other name but `ADMINISTRATOR` may read only.
    pub(crate) fn permits(&self, writes: bool, path: &[&str]) -> Result<(), Problem> {
        let area = path.get(1).copied().unwrap_or_default();
        let own = matches!(area, "login" | "logout" | "mfa");
        let allowed = match &*self.role {
            "ADMINISTRATOR" => true,
            "NONE" => own,
            _ if !writes || own => true,
            "CLERK" | "ACCOUNTANT" => !matches!(area, "payments" | "funding-accounts"),
            "APPROVER" => area == "bill-approvals",
            "PAYER" => area == "payments" || path.get(2) == Some(&"record-payment"),
            _ => false,
        };
        if allowed {
            return Ok(());
        }
        let message = "User does not have permission to perform this operation";
        Err(Problem::new(403, "BDC_1116", message))
    }
}

fn locked_out() -> Problem {
    Problem::new(423, "BDC_1107", "Organization is locked out")
}

static LOGIN: &[Field] = &[
    need("username", Rule::Text(255)),
    need("password", Rule::Text(255)),
    need("organizationId", Rule::Text(255)),
    need("devKey", Rule::Text(255)),
    may("rememberMeId", Rule::Text(255)),
    may("device", Rule::Text(255)),
];

/// `POST /v3/login`: the only call besides health that needs no session.
pub(crate) fn login(org: &mut Organization, call: &Call) -> Answer {
    let now = org.now();
    let body = pick(LOGIN, &call.json()?, false)?;
    let field = |name: &str| body.text(name).unwrap_or_default();
    let organization = org.id();
    let auth = &mut org.auth;
    auth.developer(Some(field("devKey")))?;
    if field("organizationId") != organization {
        return Err(Problem::new(400, "BDC_1123", "Organization ID is invalid"));
    }
    if auth.state == State::OrganizationLocked {
        return Err(locked_out());
    }
    if auth.state == State::Locked || auth.locked_until.is_some_and(|until| now < until) {
        let message = "Login is locked because of too many failed attempts";
        return Err(Problem::new(401, "BDC_1110", message));
    }
    let given = Secret {
        name: field("username").into(),
        value: field("password").into(),
    };
    let sync = given == auth.sync_token;
    if auth.state == State::Expired || !(sync || given == auth.user) {
        auth.lock(now);
        return Err(Problem::new(
            401,
            "BDC_1101",
            "Username and password do not match",
        ));
    }
    if auth.state == State::Revoked {
        return Err(Problem::new(401, "BDC_1111", "No active user"));
    }
    auth.failures = 0;
    let remembered = auth.remembered.get(field("rememberMeId"));
    let trusted = !sync
        && remembered.is_some_and(|(device, until)| *device == field("device") && now < *until);
    let session_id = org.random.token(48);
    let session = Session {
        dev_key: field("devKey").into(),
        used: now,
        sync,
        trusted,
    };
    org.auth.sessions.insert(session_id.clone(), session);
    Ok(Reply::ok(Json::object([
        ("sessionId", session_id.into()),
        ("organizationId", organization.into()),
        ("userId", org.user().into()),
        ("trusted", trusted.into()),
    ])))
}

/// `/v3/login/…`, `/v3/logout` and `/v3/mfa/…`, which need a session.
pub(crate) fn answer(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        ("GET", ["login", "session"]) => {
            let status = if call.session.trusted {
                "COMPLETE"
            } else if org.auth.phone_wanted {
                "PHONE_VERIFICATION"
            } else {
                "DISABLED"
            };
            Ok(Reply::ok(Json::object([
                ("organizationId", org.id().into()),
                ("userId", org.user().into()),
                ("mfaStatus", status.into()),
                ("mfaBypass", false.into()),
            ])))
        }
        ("GET", ["login", "organizations"]) => {
            let entry =
                |id: &str, name: &str| Json::object([("id", id.into()), ("name", name.into())]);
            let mut all: Vec<_> = org
                .reached
                .iter()
                .map(|(id, name)| entry(id, name))
                .collect();
            if all.is_empty() {
                all.push(entry(&org.id(), &org.name));
            }
            Ok(Reply::ok(Json::object([("results", all.into())])))
        }
        ("POST", ["logout"]) => {
            org.auth.end(&call.session_id);
            Ok(Reply::ok(Json::object([])))
        }
        (_, ["mfa", ..]) if call.session.sync => Err(Problem::new(
            403,
            "BDC_1116",
            "A sync token's session can't use MFA",
        )),
        ("GET", ["mfa", "phones"]) => Ok(Reply::ok(Json::object([(
            "phones",
            org.auth.phones.clone().into(),
        )]))),
        ("POST", ["mfa", step @ ..]) => mfa(org, call, step),
        _ => Err(Problem::path()),
    }
}

static MFA: &[Field] = &[
    may("phone", Rule::Text(40)),
    may("type", Rule::Choice(&["TEXT", "VOICE"])),
    may("primary", Rule::Flag),
    may("setupId", Rule::Text(64)),
    may("challengeId", Rule::Text(64)),
    may("token", Rule::Text(16)),
    may("device", Rule::Text(255)),
    may("machineName", Rule::Text(255)),
    may("rememberMe", Rule::Flag),
    may("rememberMeId", Rule::Text(255)),
    may("useBackup", Rule::Flag),
];

fn mfa(org: &mut Organization, call: &Call, step: &[&str]) -> Answer {
    let body = pick(MFA, &call.json()?, false)?;
    let now = org.now();
    let expired = || Problem::new(400, "BDC_1356", "MFA code is expired or wrong");
    match step {
        ["setup"] => {
            let phone = body
                .at("phone")
                .cloned()
                .ok_or_else(|| Problem::must("phone: must not be null"))?;
            let primary = body.flag("primary").unwrap_or(true);
            org.auth.phones.push(Json::object([
                ("phone", phone),
                ("primary", primary.into()),
            ]));
            let place = u32::try_from(org.auth.phones.len()).unwrap_or_default();
            let id = org.ids.text(Kind::Setup, place);
            Ok(Reply::ok(Json::object([("setupId", id.into())])))
        }
        ["setup", "validate"] if body.text("token") == Some(MFA_CODE) => {
            Ok(Reply::ok(Json::object([("status", "COMPLETE".into())])))
        }
        ["setup", "validate"] => Err(expired()),
        ["challenge"] => {
            let id = org.random.token(24);
            org.auth.challenges.push(id.clone());
            Ok(Reply::ok(Json::object([("challengeId", id.into())])))
        }
        ["challenge", "validate"] => {
            let id = body.text("challengeId").unwrap_or_default();
            let known = org.auth.challenges.iter().position(|known| known == id);
            let (Some(known), Some(MFA_CODE)) = (known, body.text("token")) else {
                return Err(expired());
            };
            org.auth.challenges.remove(known);
            let remember = org.random.token(40);
            let device = body.text("device").unwrap_or_default().to_owned();
            let until = now.checked_add(REMEMBERED).unwrap_or(Timestamp::MAX);
            org.auth
                .remembered
                .insert(remember.clone(), (device, until));
            trust(org, call);
            Ok(Reply::ok(Json::object([("rememberMeId", remember.into())])))
        }
        ["step-up"] => {
            let remembered = org
                .auth
                .remembered
                .get(body.text("rememberMeId").unwrap_or_default());
            let device = body.text("device").unwrap_or_default();
            if !remembered.is_some_and(|(known, until)| known == device && now < *until) {
                return Err(expired());
            }
            trust(org, call);
            Ok(Reply::ok(Json::object([("trusted", true.into())])))
        }
        _ => Err(Problem::path()),
    }
}

fn trust(org: &mut Organization, call: &Call) {
    if let Some(session) = org.auth.sessions.get_mut(&call.session_id) {
        session.trusted = true;
    }
}
