//! Pages of an installation with many connections: what needs somebody comes first, page by page, and what somebody
//! doesn't reach isn't counted.

use axum::Extension;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tieout_domain::Reach;
use tieout_server::Program as _;
use tieout_server::people::{Person, Role};
use tieout_store::{Fact, Store};
use tower::ServiceExt as _;

use crate::stage::{Played, Stage, a_run, commit, stated, unmapped};

/// Sixty connections beside the stage's own; those of even numbers are bravo's.
async fn many() -> Stage {
    let own = Played::default().connections().remove(0);
    let named = |number: u32| {
        let mut info = own.clone();
        info.name = format!("entity-{number:02}").parse().unwrap();
        info.tenant = (number.is_multiple_of(2)).then(|| "bravo".parse().unwrap());
        info
    };
    let played = Played {
        more: (0..60).map(named).collect(),
        ..Played::default()
    };
    let stage = Stage::of(played).await;
    ran(&stage.store, "entity-58", "failed").await;
    ran(&stage.store, "entity-57", "done").await;
    let pause = Fact::Paused {
        reason: "month end".to_owned(),
    };
    happened(&stage.store, "entity-56", None, vec![pause]).await;
    happened(
        &stage.store,
        "entity-55",
        None,
        vec![stated("1", unmapped())],
    )
    .await;
    stage
}

async fn ran(store: &Store, name: &str, status: &str) {
    let facts = a_run(status, "NetSuite gives no answer").to_vec();
    happened(store, name, Some("run-1"), facts).await;
}

async fn happened(store: &Store, name: &str, run: Option<&str>, facts: Vec<Fact>) {
    let store = store.connection(&name.parse().unwrap());
    store.commit(commit(run, facts)).await.unwrap();
}

async fn page(stage: &Stage, reach: Reach, path: &str) -> String {
    let person = Person {
        name: "ann".to_owned(),
        role: Role::Operator,
        form_token: String::new(),
        token: None,
        reach,
    };
    let router = stage.router(None).layer(Extension(person));
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// The connections whose tiles are shown, in their order.
fn tiles(page: &str) -> Vec<String> {
    let pattern = regex::Regex::new(r#"<h2><a href="/connections/([^"]+)">"#).unwrap();
    pattern
        .captures_iter(page)
        .map(|found| found[1].to_owned())
        .collect()
}

/// How many stand so, as the sums say.
fn sum(page: &str, word: &str) -> Option<String> {
    let sums = page.split("Connections by standing").nth(1)?;
    let sums = sums.split("</ul>").next()?;
    let line = sums
        .split("<li>")
        .find(|line| line.contains(&format!("{word}</")))?;
    let number = line.split("<span class=\"number\">").nth(1)?;
    Some(number.split('<').next()?.to_owned())
}

#[tokio::test]
async fn what_needs_somebody_comes_first_and_the_rest_by_name() {
    let stage = many().await;
    let first = page(&stage, Reach::All, "/").await;
    let shown = tiles(&first);
    assert_eq!(shown.len(), 50);
    let pressing = [
        "entity-58",
        "acme-us",
        "entity-56",
        "entity-55",
        "entity-00",
    ];
    // The stage's own connection is paused, too.
    assert_eq!(shown[..5], pressing, "{shown:?}");
    assert!(first.contains("rel=\"next\""));
    let second = page(&stage, Reach::All, "/?page=2").await;
    assert_eq!(tiles(&second).len(), 11);
    assert!(tiles(&second).iter().all(|name| !shown.contains(name)));
    assert!(!second.contains("rel=\"next\""));
    assert_eq!(sum(&first, "last sync failed").as_deref(), Some("1"));
    assert_eq!(sum(&second, "paused").as_deref(), Some("2"));
    assert_eq!(sum(&first, "in agreement").as_deref(), Some("1"));
    assert_eq!(sum(&first, "not synced yet").as_deref(), Some("56"));
}

#[tokio::test]
async fn the_overview_is_narrowed_by_name_and_by_standing() {
    let stage = many().await;
    let named = page(&stage, Reach::All, "/?name=Entity-5").await;
    assert_eq!(tiles(&named).len(), 10);
    // The sums are over all, whatever is asked for.
    assert_eq!(sum(&named, "not synced yet").as_deref(), Some("56"));
    let failed = page(&stage, Reach::All, "/?standing=last%20sync%20failed").await;
    assert_eq!(tiles(&failed), ["entity-58"]);
    let none = page(&stage, Reach::All, "/?name=nobody&page=7").await;
    assert!(none.contains("No connection stands so"));
    // A CSV file has what is asked for, on whichever page it is.
    let csv = page(&stage, Reach::All, "/?csv=states&page=2").await;
    assert!(
        csv.contains("\"acme-us\"") && csv.contains("\"entity-55\""),
        "{csv}"
    );
}

#[tokio::test]
async fn a_limited_person_s_list_and_sums_have_what_they_reach() {
    let stage = many().await;
    let reach = Reach::Tenants(["bravo".parse().unwrap()].into());
    let shown = page(&stage, reach.clone(), "/").await;
    let tiles = tiles(&shown);
    assert_eq!(tiles.len(), 30);
    assert_eq!(tiles[..2], ["entity-58", "entity-56"]);
    assert_eq!(sum(&shown, "not synced yet").as_deref(), Some("28"));
    assert_eq!(sum(&shown, "exceptions"), None);
    let waiting = page(&stage, reach, "/exceptions").await;
    assert!(waiting.contains("Nothing waits for a person."));
    assert!(!waiting.contains("entity-55"));
}

#[tokio::test]
async fn exceptions_of_many_connections_are_shown_page_by_page() {
    let stage = many().await;
    for number in 0..60 {
        let mut each = unmapped();
        for group in 0..2 {
            each.group = format!("account:{group}");
            let facts = vec![stated(&group.to_string(), each.clone())];
            happened(&stage.store, &format!("entity-{number:02}"), None, facts).await;
        }
    }
    let rows = |page: &str| page.matches("data-label=\"Cause\"").count();
    let first = page(&stage, Reach::All, "/exceptions").await;
    let second = page(&stage, Reach::All, "/exceptions?page=2").await;
    assert_eq!(rows(&first), 100);
    assert!(rows(&second) >= 20, "{}", rows(&second));
    assert!(first.contains("rel=\"next\"") && !second.contains("rel=\"next\""));
    let csv = page(&stage, Reach::All, "/exceptions?csv=exceptions").await;
    assert!(csv.lines().count() > 120);
}
