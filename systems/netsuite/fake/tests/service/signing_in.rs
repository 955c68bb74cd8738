//! Checklist 4: both ways of signing in, and how each fails.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tieout_kit::fake::Fake;

use crate::account::{Account, HOST, RECORDS};

const LIST: &str = "/services/rest/record/v1/account?limit=5&offset=0";

async fn refused(
    account: &Account,
    header: serde_json::Value,
    claims: serde_json::Value,
) -> String {
    let answer = account.grant(&account.assertion(&header, &claims)).await;
    assert_ne!(answer.status, 200);
    answer.json()["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_assertion_buys_an_hour() {
    let mut account = Account::new().await;
    assert_eq!(account.call("GET", LIST, json!(null)).await.status, 200);
    account.clock.advance(SignedDuration::from_mins(61));
    let answer = account.call("GET", LIST, json!(null)).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.refusal().0, "INVALID_LOGIN");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("invalid_token") && challenge.contains("1234567_SB1"));
    account.sign_in().await;
    assert_eq!(account.call("GET", LIST, json!(null)).await.status, 200);
}

#[tokio::test]
async fn credentials_can_be_tried_without_asking_for_anything() {
    let account = Account::new().await;
    let greeting = "/services/rest/*";
    let answer = account.call("OPTIONS", greeting, json!(null)).await;
    assert_eq!(answer.status, 204);
    account.clock.advance(SignedDuration::from_mins(61));
    let answer = account.call("OPTIONS", greeting, json!(null)).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn the_access_token_names_the_role() {
    use base64::Engine as _;
    let account = Account::new().await;
    let claims = account.token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims)
        .unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        claims["sub"].as_str().unwrap().split(';').nth(2),
        Some("1042")
    );
}

#[tokio::test]
async fn unsound_assertions_are_refused() {
    let account = Account::new().await;
    let now = Timestamp::now().as_second();
    let none = json!({});
    assert_eq!(
        refused(&account, json!({"alg": "RS256"}), none.clone()).await,
        "invalid_grant"
    );
    assert_eq!(
        refused(&account, json!({"alg": "none"}), none.clone()).await,
        "invalid_grant"
    );
    assert_eq!(
        refused(&account, json!({"kid": "other"}), none.clone()).await,
        "invalid_grant"
    );
    let long = json!({"iat": now, "exp": now + 3601});
    assert_eq!(refused(&account, none.clone(), long).await, "invalid_grant");
    let over = json!({"iat": now - 400, "exp": now - 10});
    assert_eq!(refused(&account, none.clone(), over).await, "invalid_grant");
    for audience in [
        "https://7654321.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token",
        "http://127.0.0.1:9101/services/rest/auth/oauth2/v1/token",
    ] {
        let other = json!({"aud": audience});
        assert_eq!(
            refused(&account, none.clone(), other).await,
            "invalid_grant"
        );
    }
    assert_eq!(
        refused(&account, none.clone(), json!({"iss": "nobody"})).await,
        "invalid_client"
    );
    assert_eq!(
        refused(&account, none.clone(), json!({"scope": "all"})).await,
        "invalid_scope"
    );
    let forged = account.signed(&none, &none, |_| vec![7; 64]);
    assert_eq!(
        account.grant(&forged).await.json()["error"],
        "invalid_grant"
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let path = crate::account::TOKEN_PATH;
    let answer = account
        .send("POST", path, &headers, "grant_type=password")
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str()),
        (400, Some("unsupported_grant_type"))
    );
    let unknown = account
        .grant(&account.assertion(&none, &json!({"iss": "nobody"})))
        .await;
    assert_eq!(unknown.status, 401);
    assert!(
        unknown
            .header("www-authenticate")
            .unwrap()
            .starts_with("Basic realm=")
    );
}

#[tokio::test]
async fn scopes_are_text_or_a_list_and_the_restlets_host_is_an_audience() {
    let account = Account::new().await;
    let claims = json!({
        "scope": ["restlets", "rest_webservices"],
        "aud": "https://1234567-sb1.restlets.api.netsuite.com/services/rest/auth/oauth2/v1/token",
    });
    assert_eq!(
        account
            .grant(&account.assertion(&json!({}), &claims))
            .await
            .status,
        200
    );
    let claims = json!({"scope": "restlets,rest_webservices"});
    assert_eq!(
        account
            .grant(&account.assertion(&json!({}), &claims))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_rsa_certificate_signs_with_pss_only_and_needs_3072_bits() {
    let account = Account::new().await;
    let small = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let small = small.public_key().as_der().unwrap();
    assert!(
        account
            .fake
            .register_certificate("small", small.as_ref())
            .is_err()
    );
    let pair = RsaKeyPair::generate(KeySize::Rsa3072).unwrap();
    let public = pair.public_key().as_der().unwrap();
    account
        .fake
        .register_certificate("rsa", public.as_ref())
        .unwrap();
    let sign = |padding: &'static dyn aws_lc_rs::signature::RsaEncoding, alg: &str| {
        account.signed(&json!({"alg": alg, "kid": "rsa"}), &json!({}), |message| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &SystemRandom::new(), message, &mut signature)
                .unwrap();
            signature
        })
    };
    assert_eq!(
        account.grant(&sign(&RSA_PSS_SHA256, "PS256")).await.status,
        200
    );
    assert_eq!(
        account
            .grant(&sign(&RSA_PKCS1_SHA256, "RS256"))
            .await
            .status,
        400
    );
    assert_eq!(
        account
            .grant(&sign(&RSA_PKCS1_SHA256, "PS256"))
            .await
            .status,
        400
    );
}

async fn signed(account: &Account, path: &str, authorization: &str) -> u16 {
    let answer = account
        .send("GET", path, &[("authorization", authorization)], "")
        .await;
    answer.status.as_u16()
}

#[tokio::test]
async fn every_query_parameter_is_signed() {
    let account = Account::new().await;
    let here = format!("http://{HOST}");
    let sound = account.signature("GET", &here, LIST, &[]);
    assert_eq!(signed(&account, LIST, &sound).await, 200);
    assert_eq!(
        signed(&account, LIST, &sound).await,
        401,
        "a nonce serves once"
    );
    let real = "https://1234567-sb1.suitetalk.api.netsuite.com";
    let sound = account.signature("GET", real, LIST, &[]);
    assert_eq!(
        signed(&account, LIST, &sound).await,
        200,
        "the real host's signature holds too"
    );
    let q = format!("{RECORDS}/account?q=acctNumber%20IS%20%221000%22&limit=5");
    let sound = account.signature("GET", &here, &q, &[]);
    assert_eq!(signed(&account, &q, &sound).await, 200);
    let bare = account.signature("GET", &here, LIST.split('?').next().unwrap(), &[]);
    assert_eq!(signed(&account, LIST, &bare).await, 401);
}

#[tokio::test]
async fn signatures_have_a_realm_a_time_and_a_method() {
    let account = Account::new().await;
    let here = format!("http://{HOST}");
    let now = Timestamp::now().as_second();
    let (early, late) = ((now - 301).to_string(), (now + 310).to_string());
    for wrong in [
        ("realm", "1234567-sb1"),
        ("oauth_timestamp", early.as_str()),
        ("oauth_timestamp", late.as_str()),
        ("oauth_signature_method", "HMAC-SHA1"),
    ] {
        let authorization = account.signature("GET", &here, LIST, &[wrong]);
        let answer = account
            .send("GET", LIST, &[("authorization", &authorization)], "")
            .await;
        assert_eq!(answer.status, 401, "{wrong:?}");
        let (code, detail) = answer.refusal();
        assert_eq!(code, "INVALID_LOGIN");
        assert!(
            detail.starts_with("Invalid login attempt."),
            "one answer for all: {detail}"
        );
    }
    let near = (now - 290).to_string();
    let authorization = account.signature("GET", &here, LIST, &[("oauth_timestamp", &near)]);
    assert_eq!(signed(&account, LIST, &authorization).await, 200);
    let details: Vec<String> = account
        .rows("SELECT detail FROM loginaudit ORDER BY detail")
        .await
        .iter()
        .map(|row| row["detail"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        details,
        [
            "InvalidTimestamp",
            "InvalidTimestamp",
            "UnknownAlgorithm",
            "parameter_rejected"
        ]
    );
}

#[tokio::test]
async fn five_failures_lock_a_token_for_half_an_hour() {
    let account = Account::new().await;
    let here = format!("http://{HOST}");
    let wrong = [("oauth_timestamp", "1")];
    for _ in 0..5 {
        let authorization = account.signature("GET", &here, LIST, &wrong);
        assert_eq!(signed(&account, LIST, &authorization).await, 401);
    }
    let sound = account.signature("GET", &here, LIST, &[]);
    assert_eq!(signed(&account, LIST, &sound).await, 401, "locked");
    account.clock.advance(SignedDuration::from_mins(31));
    let sound = account.signature("GET", &here, LIST, &[]);
    assert_eq!(signed(&account, LIST, &sound).await, 200);
}

#[tokio::test]
async fn who_am_i() {
    let account = Account::new().await;
    let path = "/rest/tokeninfo";
    let authorization = account.signature("GET", &format!("http://{HOST}"), path, &[]);
    let answer = account
        .send("GET", path, &[("authorization", &authorization)], "")
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["companyId"], "1234567_SB1");
    assert_eq!(answer.json()["roleId"], 1042);
    let urls = account
        .send("GET", "/rest/datacenterurls?account=1234567_SB1", &[], "")
        .await;
    assert_eq!(
        urls.json()["restDomain"],
        "https://1234567-sb1.restlets.api.netsuite.com"
    );
    let time = account
        .call("GET", "/services/rest/system/v1/serverTime", json!(null))
        .await;
    assert!(time.json()["serverTime"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn a_person_issues_and_revokes_tokens() {
    let account = Account::new().await;
    let (email, password) = account.fake.person();
    let authorization = format!(
        "NLAuth nlauth_account=1234567_SB1, nlauth_email={email}, nlauth_signature={password}, nlauth_role=3"
    );
    let headers = [("authorization", authorization.as_str())];
    let key = account.tba("consumer_key");
    let issue = format!("/rest/issuetoken?consumerKey={key}&name=x");
    let issued = account.send("GET", &issue, &headers, "").await;
    assert_eq!(issued.status, 200);
    let id = issued.json()["tokenId"].as_str().unwrap().to_owned();
    let revoke = format!("/rest/revoketoken?consumerKey={key}&token={id}");
    assert_eq!(account.send("GET", &revoke, &headers, "").await.status, 200);
    let wrong = [(
        "authorization",
        "NLAuth nlauth_account=1, nlauth_email=a, nlauth_signature=b",
    )];
    assert_eq!(account.send("GET", &issue, &wrong, "").await.status, 401);
}

#[tokio::test]
async fn each_credential_fails_in_its_own_way() {
    let mut account = Account::new().await;
    let none = json!({});
    for (action, error) in [
        ("revoke", "invalid_grant"),
        ("expire", "invalid_grant"),
        ("block", "invalid_client"),
        ("lock", "invalid_grant"),
    ] {
        let body = json!({"action": action});
        account
            .fake
            .credential("netsuite-m2m", &body)
            .unwrap()
            .unwrap();
        assert_eq!(
            account.call("GET", LIST, json!(null)).await.status,
            401,
            "{action}"
        );
        assert_eq!(
            refused(&account, none.clone(), none.clone()).await,
            error,
            "{action}"
        );
        let body = json!({"action": "restore"});
        account
            .fake
            .credential("netsuite-m2m", &body)
            .unwrap()
            .unwrap();
        account.sign_in().await;
    }
    let here = format!("http://{HOST}");
    for action in ["revoke", "block", "expire", "lock"] {
        account
            .fake
            .credential("netsuite-tba", &json!({"action": action}))
            .unwrap()
            .unwrap();
        let authorization = account.signature("GET", &here, LIST, &[]);
        assert_eq!(
            signed(&account, LIST, &authorization).await,
            401,
            "{action}"
        );
        account
            .fake
            .credential("netsuite-tba", &json!({"action": "restore"}))
            .unwrap()
            .unwrap();
        let authorization = account.signature("GET", &here, LIST, &[]);
        assert_eq!(
            signed(&account, LIST, &authorization).await,
            200,
            "{action}"
        );
    }
    let body =
        json!({"action": "role", "role": {"name": "Clerk", "permissions": {"Bills": "none"}}});
    account
        .fake
        .credential("netsuite-m2m", &body)
        .unwrap()
        .unwrap();
    let answer = account.record("GET", "vendorBill", json!(null)).await;
    assert_eq!(answer.status, 403);
    let (code, detail) = answer.refusal();
    assert_eq!(code, "INSUFFICIENT_PERMISSION");
    assert!(detail.contains("Bills"), "{detail}");
    let body = json!({"action": "role", "role": "no-sign-in"});
    account
        .fake
        .credential("netsuite-m2m", &body)
        .unwrap()
        .unwrap();
    assert_eq!(
        refused(&account, none.clone(), none.clone()).await,
        "invalid_grant"
    );
    assert!(
        account
            .fake
            .credential("bill", &json!({"action": "revoke"}))
            .is_none()
    );
    assert!(
        account
            .fake
            .credential("netsuite-tba", &json!({"action": "x"}))
            .unwrap()
            .is_err()
    );
}
