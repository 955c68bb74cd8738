//! The forms that connect two systems, sent by somebody who means no good.

use http::StatusCode;
use tieout_server::people::Role;

use crate::office::Office;
use crate::stage::Stage;

const ADA: (&str, Role) = ("ada", Role::Admin);

#[tokio::test]
async fn no_form_sends_a_credential_to_an_address_of_the_senders_choice() {
    let office = Office::over(Stage::bare().await).await;
    let begun = [
        ("name", "other"),
        ("pair", "netsuite-bill"),
        ("template", ""),
    ];
    let done = office.post(ADA, "/connect", &begun).await.done();
    assert_eq!(done, "/connect/other");
    let settings = [
        ("system", "netsuite"),
        ("setting.account", "1234567_SB1"),
        ("setting.base_url", "http://169.254.169.254"),
        ("setting.credential", "demo-netsuite"),
    ];
    office
        .post(ADA, "/connect/other/settings", &settings)
        .await
        .done();
    let folder = office.stage.folder.path();
    let kept = std::fs::read_to_string(folder.join("connecting-other.json")).unwrap();
    assert!(kept.contains("1234567_SB1"), "{kept}");
    assert!(
        !kept.contains("base_url") && !kept.contains("credential"),
        "{kept}"
    );
    // What is there already is not begun again under its name, and no name leads out of the home.
    let taken = [
        ("name", "acme-us"),
        ("pair", "netsuite-bill"),
        ("template", ""),
    ];
    let refused = office.post(ADA, "/connect", &taken).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        refused.text
    );
    assert!(refused.text.contains("acme-us"), "{}", refused.text);
    let outside = [
        ("name", "../x"),
        ("pair", "netsuite-bill"),
        ("template", ""),
    ];
    let refused = office.post(ADA, "/connect", &outside).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        refused.text
    );
    assert!(!folder.join("../connecting-x.json").exists());
}

#[tokio::test]
async fn a_page_goes_on_where_the_command_line_stopped() {
    let office = Office::over(Stage::bare().await).await;
    let folder = office.stage.folder.path();
    let kept = r#"{"pair": "netsuite-bill", "netsuite": {"account": "1234567_SB1"}}"#;
    std::fs::write(folder.join("connecting-other.json"), kept).unwrap();
    let start = office.get(ADA, "/connect").await.page();
    assert!(start.contains("href=\"/connect/other\""), "{start}");
    let page = office.get(ADA, "/connect/other").await.page();
    for said in [
        "1234567_SB1",
        "Make a key pair",
        "demo-netsuite",
        "After Oracle NetSuite",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
    let key = [("system", "netsuite"), ("kind", "netsuite-m2m")];
    office.post(ADA, "/connect/other/key", &key).await.done();
    let page = office.get(ADA, "/connect/other").await.page();
    assert!(
        page.contains("BEGIN CERTIFICATE") && !page.contains("PRIVATE KEY"),
        "{page}"
    );
    let file = office.get(ADA, "/connect/other/certificate/netsuite").await;
    assert!(
        file.kind.starts_with("application/x-pem-file"),
        "{}",
        file.kind
    );
    office.post(ADA, "/connect/other/abandon", &[]).await.done();
    assert!(!folder.join("connecting-other.json").exists());
    let credentials = office.stage.home.store.credentials().list().await.unwrap();
    assert!(
        credentials.iter().all(|row| !row.name.starts_with("other")),
        "{credentials:?}"
    );
}
