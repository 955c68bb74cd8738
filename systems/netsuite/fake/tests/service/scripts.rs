//! The installed RESTlet, as any RESTlet is called: by script and deployment, in JSON, with a sign-in that may call
//! scripts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tieout_kit::fake::Fake;

use crate::account::{Account, Answer, HOST};

const SCRIPT: &str = "/app/site/hosting/restlet.nl?script=customscript_tieout_files&deploy=customdeploy_tieout_files";

/// An account whose token may call scripts.
async fn account() -> Account {
    let mut account = Account::new().await;
    account.token = token(&account, "restlets").await;
    account
}

async fn token(account: &Account, scope: &str) -> String {
    let assertion = account.assertion(&json!({}), &json!({"scope": [scope]}));
    let granted = account.grant(&assertion).await.json();
    granted["access_token"].as_str().unwrap().to_owned()
}

async fn ask(account: &Account, what: &str) -> Answer {
    let path = format!("{SCRIPT}&{what}");
    account.call("GET", &path, json!(null)).await
}

fn code(answer: &Answer) -> (u16, String) {
    let code = answer.json()["error"]["code"].as_str().map(str::to_owned);
    (answer.status.as_u16(), code.unwrap_or_default())
}

fn bytes(file: &Value) -> Vec<u8> {
    STANDARD.decode(file["content"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_script_wants_a_scope_of_its_own_and_the_services_keep_theirs() {
    let mut account = account().await;
    assert_eq!(ask(&account, "type=about").await.json()["version"], "2");
    assert_eq!(account.ask("SELECT id FROM account").await.status, 401);
    account.token = token(&account, "rest_webservices").await;
    let refused = ask(&account, "type=about").await;
    assert_eq!(code(&refused), (401, "INVALID_LOGIN_ATTEMPT".to_owned()));
    let off = json!({"action": "restlets", "on": false});
    let told = account.fake.credential("netsuite-m2m", &off);
    told.unwrap().unwrap();
    let assertion = account.assertion(&json!({}), &json!({"scope": "restlets"}));
    assert_eq!(
        account.grant(&assertion).await.json()["error"],
        "invalid_scope"
    );
}

#[tokio::test]
async fn a_signature_is_of_the_query_too() {
    let account = account().await;
    let origin = format!("http://{HOST}");
    let path = format!("{SCRIPT}&type=about");
    let json_type = ("content-type", "application/json");
    let good = account.signature("GET", &origin, &path, &[]);
    let headers = [("authorization", good.as_str()), json_type];
    assert_eq!(account.send("GET", &path, &headers, "").await.status, 200);
    let other = account.signature("GET", &origin, SCRIPT, &[]);
    let headers = [("authorization", other.as_str()), json_type];
    assert_eq!(account.send("GET", &path, &headers, "").await.status, 401);
}

#[tokio::test]
async fn each_way_to_ask_wrongly_has_its_own_answer() {
    let account = account().await;
    let elsewhere = SCRIPT.replace("_files&", "_other&");
    let missing = account.call("GET", &elsewhere, json!(null)).await;
    assert_eq!(code(&missing), (404, "SSS_INVALID_SCRIPTLET_ID".to_owned()));
    let posted = account.call("POST", SCRIPT, json!({})).await;
    assert_eq!(posted.status, 405);
    let bearer = format!("Bearer {}", account.token);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "text/xml"),
    ];
    assert_eq!(account.send("GET", SCRIPT, &headers, "").await.status, 415);
    account
        .person("scripts", json!({"in_audience": false}))
        .await;
    let refused = ask(&account, "type=about").await;
    assert_eq!(code(&refused), (403, "INSUFFICIENT_PERMISSION".to_owned()));
    account
        .person("scripts", json!({"in_audience": true, "deployed": false}))
        .await;
    assert_eq!(ask(&account, "type=about").await.status, 404);
    account.person("scripts", json!({"deployed": true})).await;
    account.person("limits", json!({"concurrency": 0})).await;
    let crowded = ask(&account, "type=about").await;
    assert_eq!(
        code(&crowded),
        (400, "SSS_REQUEST_LIMIT_EXCEEDED".to_owned())
    );
}

#[tokio::test]
async fn the_script_tells_its_own_errors_in_a_good_answer() {
    let account = account().await;
    let missing = ask(&account, "type=invoice&id=999999999").await;
    assert_eq!(code(&missing), (200, "RCRD_DSNT_EXIST".to_owned()));
    assert_eq!(
        code(&ask(&account, "type=tea").await).1,
        "SSS_INVALID_TYPE_ARG"
    );
    let none = json!({"permissions": {"Invoice": "none"}});
    account.person("role", none).await;
    let refused = ask(&account, "type=invoice&id=1").await;
    assert_eq!(code(&refused), (200, "INSUFFICIENT_PERMISSION".to_owned()));
    assert_eq!(ask(&account, "type=about").await.json()["invoices"], false);
    let asked = &account.fake.state()["script"]["asked"];
    assert_eq!(asked, &json!({"invoice": 2, "tea": 1, "about": 1}));
}

#[tokio::test]
async fn files_of_a_bill_are_listed_and_handed_out() {
    let mut account = account().await;
    let scripts = account.token.clone();
    account.sign_in().await;
    let bill = account.post_bill("INV-9", "10").await;
    let attach = |body: Value| (format!("vendorbill/{bill}"), body);
    let (path, body) =
        attach(json!({"action": "attach", "name": "scan.pdf", "content": "%PDF-1.4"}));
    let file = account.person(&path, body).await["file"].clone();
    let (path, body) =
        attach(json!({"action": "attach", "name": "photo.png", "base64": "iVBORw=="}));
    account.person(&path, body).await;
    account.token = scripts;
    let listed = ask(&account, &format!("type=vendorBill&id={bill}"))
        .await
        .json();
    let files = listed["files"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    assert_eq!(files[0]["id"], file);
    assert_eq!(
        (&files[1]["mediaType"], &files[1]["size"]),
        (&json!("image/png"), &json!(4))
    );
    assert_eq!(files[0]["sha256"].as_str().unwrap().len(), 64);
    let id = file.as_str().unwrap();
    let given = ask(&account, &format!("type=file&id={id}")).await.json();
    assert_eq!(bytes(&given), b"%PDF-1.4");
    let none = ask(&account, "type=vendorBill&id=999999999").await.json();
    assert_eq!(none, json!({"files": []}));
}
