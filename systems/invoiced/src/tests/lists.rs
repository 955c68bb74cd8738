//! Reading lists.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use tieout_domain::port::{Depth, Mark, Page};
use tieout_domain::{Document, Fault, Kind};

use super::{Reply, Seen, Stage, ok, status};

/// An item with this id, last changed then.
fn item(id: u64, updated: i64) -> String {
    format!(
        r#"{{"id":"i{id}","name":"Item {id}","type":"service","updated_at":{updated},"metadata":[]}}"#
    )
}

fn items(records: impl IntoIterator<Item = String>) -> Reply {
    let records: Vec<String> = records.into_iter().collect();
    ok(format!("[{}]", records.join(",")))
}

/// The events list is empty; everything else is by the script.
fn quiet(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Stage {
    Stage::new(move |seen| {
        if seen.path.starts_with("/events") {
            ok("[]")
        } else {
            script(seen)
        }
    })
}

async fn read(stage: &Stage, kind: Kind, mark: Option<&Mark>) -> Result<(Page, usize), Fault> {
    stage.ports.whole.run_begins();
    let depth = mark.map_or(Depth::Whole, |_| Depth::Changes);
    let (mut all, mut token, mut pages) = (Page::default(), None, 0);
    loop {
        let page = stage.ports.read[&kind]
            .page(depth, mark, token.as_ref())
            .await?;
        pages += 1;
        all.records.extend(page.records);
        all.gone.extend(page.gone);
        all.unreadable.extend(page.unreadable);
        all.mark = page.mark.or(all.mark);
        token = page.next;
        if token.is_none() {
            return Ok((all, pages));
        }
        assert!(pages < 10_000, "a list without end");
    }
}

#[tokio::test]
async fn pages_are_read_one_after_the_other_on_our_own_host() {
    let stage = quiet(|seen| match seen.path.contains("page=2") {
        false => items([item(1, 500)])
            .next("page=2&per_page=100")
            .with("x-total-count", "2"),
        true => items([item(2, 400)]).with("x-total-count", "2"),
    });
    let (all, pages) = read(&stage, Kind::Item, None).await.unwrap();
    assert_eq!((all.records.len(), pages), (2, 2));
    assert_eq!(
        stage.calls(),
        [
            "GET /events?per_page=100",
            "GET /items?per_page=100&sort=updated_at desc",
            "GET /items?page=2&per_page=100"
        ]
    );
    assert!(
        stage
            .seen()
            .iter()
            .all(|seen| seen.host == "api.sandbox.invoiced.com")
    );
    assert!(
        stage
            .seen()
            .iter()
            .all(|seen| seen.authorization == "Basic dGVzdDo=")
    );
    assert_eq!(
        all.mark,
        Some(Mark(r#"{"newest":500,"events":null}"#.to_owned()))
    );
}

#[tokio::test]
async fn a_read_of_changes_reaches_back_behind_the_mark() {
    let stage = quiet(|_| items([item(1, 5_000)]));
    let mark = Mark(r#"{"newest":4000,"events":3900}"#.to_owned());
    let (all, _) = read(&stage, Kind::Item, Some(&mark)).await.unwrap();
    let calls = stage.calls();
    assert_eq!(calls[0], "GET /events?per_page=100&start_date=3600");
    assert_eq!(
        calls[1],
        "GET /items?per_page=100&sort=updated_at desc&updated_after=3700"
    );
    assert_eq!(
        all.mark,
        Some(Mark(r#"{"newest":5000,"events":3900}"#.to_owned()))
    );
    // Events that could not be read last time tell of everything since that read.
    let stage = quiet(|_| ok("[]"));
    let unread = Mark(r#"{"newest":4000,"events":null}"#.to_owned());
    read(&stage, Kind::Item, Some(&unread)).await.unwrap();
    assert_eq!(stage.calls()[0], "GET /events?per_page=100&start_date=3700");
    // Nothing new: the mark stays, and so does its text.
    let stage = quiet(|_| ok("[]"));
    let (all, _) = read(&stage, Kind::Item, Some(&mark)).await.unwrap();
    assert_eq!(all.mark, Some(mark));
}

#[tokio::test]
async fn payments_are_never_asked_for_without_what_they_are_applied_to() {
    let stage = quiet(|_| ok("[]"));
    read(&stage, Kind::CustomerPayment, None).await.unwrap();
    let _ = stage.ports.read[&Kind::CustomerPayment]
        .fetch(&["7".into()])
        .await;
    let calls = stage.calls();
    assert!(
        calls[1..]
            .iter()
            .all(|call| call.contains("include=applied_to")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn a_list_that_grew_shorter_under_the_read_leaves_no_mark() {
    let stage = quiet(|seen| match seen.path.contains("page=2") {
        false => items([item(1, 500)])
            .next("page=2")
            .with("x-total-count", "2"),
        true => items([]).with("x-total-count", "1"),
    });
    let (all, _) = read(&stage, Kind::Item, None).await.unwrap();
    assert_eq!((all.records.len(), all.mark), (1, None));
}

#[tokio::test]
async fn a_list_that_ends_before_its_own_count_is_no_whole_list() {
    let later = async |stage: Stage, mark: Option<&Mark>| {
        let fault = read(&stage, Kind::Item, mark).await.unwrap_err();
        assert!(
            matches!(fault, Fault::Later { after: None, .. }),
            "{fault:?}"
        );
        assert_eq!(fault.code().as_str(), "server-error");
    };
    let full = || items((1..=100).map(|nth| item(nth, 500)));
    let stage = quiet(move |_| full().with("x-total-count", "101"));
    later(stage, None).await;
    // None is there of those that the page before promised, whatever it promises itself.
    let further: [Reply; 2] = [items([]), items([]).next("page=3&per_page=100")];
    for further in further {
        let stage = quiet(move |seen| match seen.path.contains("page=2") {
            false => items([item(1, 500)])
                .next("page=2&per_page=100")
                .with("x-total-count", "230"),
            true => further.clone().with("x-total-count", "230"),
        });
        later(stage, None).await;
    }
    // What is read in one go: events.
    let stage = Stage::new(|seen| match seen.path.starts_with("/events") {
        true if seen.path.contains("page=2") => ok("[]").with("x-total-count", "130"),
        true => ok(r#"[{"id":1,"type":"item.deleted","timestamp":5,"data":{"object":{"id":9}}}]"#)
            .next("page=2&per_page=100"),
        false => items([item(1, 5)]),
    });
    let mark = Mark(r#"{"newest":4,"events":4}"#.to_owned());
    later(stage, Some(&mark)).await;
}

#[tokio::test]
async fn a_list_ends_where_its_own_count_does_not_speak_against_it() {
    // What was counted before went meanwhile; nobody counts; a cursor has no place in a count.
    for (next, total) in [
        ("page=2&per_page=100", Some("100")),
        ("page=2&per_page=100", None),
        ("cursor=a", Some("900")),
    ] {
        let stage = quiet(move |seen| {
            let page = match seen.path.contains("sort=") {
                true => items([item(1, 500)]).next(next),
                false => items([]),
            };
            match total {
                Some(total) => page.with("x-total-count", total),
                None => page,
            }
        });
        let (all, pages) = read(&stage, Kind::Item, None).await.unwrap();
        assert_eq!((all.records.len(), pages), (1, 2), "{next}");
    }
}

#[tokio::test]
async fn one_bad_record_hides_no_other_and_is_named() {
    let stage = quiet(|_| {
        ok(
            r#"[{"id":1,"name":"Acme","number":"C-1","updated_at":5},{"id":2,"name":{"a":1},"updated_at":6},
              {"id":3,"name":"Birch","currency":"zzz","updated_at":7}]"#,
        )
    });
    let (all, _) = read(&stage, Kind::Customer, None).await.unwrap();
    assert_eq!(all.records.len(), 1);
    let unreadable: Vec<_> = all.unreadable.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(unreadable, ["2", "3"]);
    assert!(
        all.unreadable[0].1.contains("line 1 column"),
        "{:?}",
        all.unreadable
    );
    assert!(
        all.unreadable[1].1.contains("currency"),
        "{:?}",
        all.unreadable
    );
}

#[tokio::test]
async fn what_is_no_list_is_told_with_its_place() {
    for (body, code, place) in [
        ("<html>", "not-json", "line 1 column 1"),
        (r#"{"items":[]}"#, "drift", "line 1 column"),
        (r#"[{"name":"no id"}]"#, "drift", "column"),
        ("[1", "not-json", "line 1 column 2"),
        ("", "not-json", "column 0"),
    ] {
        let stage = quiet(move |_| ok(body));
        let fault = read(&stage, Kind::Item, None).await.unwrap_err();
        assert_eq!(fault.code().as_str(), code, "{body}: {fault}");
        assert!(fault.to_string().contains(place), "{body}: {fault}");
    }
}

#[tokio::test]
async fn without_events_lists_are_read_all_the_same() {
    for refusal in [403, 404] {
        let stage = Stage::new(move |seen| match seen.path.starts_with("/events") {
            true => status(
                refusal,
                r#"{"type":"invalid_request","message":"not for you"}"#,
            ),
            false => items([item(1, 5)]),
        });
        let (all, _) = read(&stage, Kind::Item, None).await.unwrap();
        assert_eq!(
            all.mark,
            Some(Mark(r#"{"newest":5,"events":null}"#.to_owned()))
        );
    }
    let stage = Stage::new(|_| status(401, r#"{"type":"invalid_request","message":"no"}"#));
    let fault = read(&stage, Kind::Item, None).await.unwrap_err();
    assert!(matches!(fault, Fault::Denied { .. }), "{fault:?}");
}

#[tokio::test]
async fn s244_events_that_are_refused_are_not_taken_for_none() {
    let since = "1970-01-01T00:11:40Z".parse().unwrap();
    for refusal in [403, 404] {
        let refused = r#"{"type":"invalid_request","message":"not for you"}"#;
        let stage = Stage::new(move |_| status(refusal, refused));
        let fault = stage.past().events_since(since).await.unwrap_err();
        assert!(
            matches!(fault, Fault::Denied { .. } | Fault::Refused { .. }),
            "{fault:?}"
        );
    }
    let told = r#"[{"id":9,"type":"invoice.created","timestamp":900},
        {"id":8,"type":"invoice.created","timestamp":700},
        {"id":7,"type":"invoice.created","timestamp":699}]"#;
    let stage = Stage::new(move |_| ok(told));
    let events = stage.past().events_since(since).await.unwrap();
    assert_eq!(events, ["9", "8"]);
    assert_eq!(stage.calls(), ["GET /events?per_page=100&start_date=700"]);
}

#[tokio::test]
async fn events_are_read_once_for_all_kinds_and_what_they_name_is_looked_at() {
    let stage = Stage::new(|seen| match seen.path.split('?').next().unwrap() {
        "/events" => ok(
            r#"[{"id":9,"type":"invoice.deleted","timestamp":900,"data":{"object":{"id":7}}},
                {"id":8,"type":"customer.updated","timestamp":800,"data":{"object":{"id":1}}},
                {"broken":true},
                {"id":6,"type":"customer.deleted","timestamp":100,"data":{"object":{"id":2}}}]"#,
        ),
        "/invoices/7" => status(404, r#"{"type":"invalid_request","message":"not found"}"#),
        _ => ok("[]"),
    });
    let mark = Mark(r#"{"newest":700,"events":700}"#.to_owned());
    stage.ports.whole.run_begins();
    for (kind, gone) in [
        (Kind::Customer, 0),
        (Kind::Invoice, 1),
        (Kind::CreditMemo, 0),
    ] {
        let page = stage.ports.read[&kind]
            .page(Depth::Changes, Some(&mark), None)
            .await
            .unwrap();
        assert_eq!(page.gone.len(), gone, "{kind}");
        assert_eq!(
            page.mark,
            Some(Mark(r#"{"newest":700,"events":900}"#.to_owned()))
        );
    }
    let events = stage
        .calls()
        .iter()
        .filter(|call| call.contains("/events"))
        .count();
    assert_eq!(events, 1);
}

/// The engine compares nothing at a whole read that has a mark, and the next mark is past these events.
#[tokio::test]
async fn what_was_deleted_since_the_mark_is_told_by_a_whole_read_too() {
    let deleted =
        r#"[{"id":9,"type":"item.deleted","timestamp":900,"data":{"object":{"id":"i7"}}}]"#;
    let stage = Stage::new(move |seen| match seen.path.split('?').next().unwrap() {
        "/events" => ok(deleted),
        "/items/i7" => status(404, r#"{"type":"invalid_request","message":"not found"}"#),
        _ => items([item(1, 5)]),
    });
    let mark = Mark(r#"{"newest":700,"events":700}"#.to_owned());
    stage.ports.whole.run_begins();
    let page = stage.ports.read[&Kind::Item]
        .page(Depth::Whole, Some(&mark), None)
        .await
        .unwrap();
    assert_eq!(page.gone, ["i7".into()]);
    // The list is read from its beginning all the same, to its end.
    assert_eq!(page.records.len(), 1);
    assert!(!page.may_stop);
    let calls = stage.calls();
    assert!(
        calls.iter().all(|call| !call.contains("updated_after")),
        "{calls:?}"
    );
    assert_eq!(
        page.mark,
        Some(Mark(r#"{"newest":5,"events":900}"#.to_owned()))
    );
}

#[tokio::test]
async fn terms_are_those_that_documents_name() {
    let stage =
        quiet(|_| ok(r#"[{"id":1,"name":"Acme","payment_terms":"NET 30","updated_at":5}]"#));
    read(&stage, Kind::Customer, None).await.unwrap();
    let before = stage.calls().len();
    let (terms, _) = read(&stage, Kind::Terms, None).await.unwrap();
    assert_eq!(stage.calls().len(), before, "they were known already");
    let Document::Terms(net) = &terms.records[0].document else {
        panic!()
    };
    assert_eq!((net.name.as_str(), net.days), ("NET 30", Some(30)));
    // Whoever asks first has customers read.
    let stage = quiet(|_| ok(r#"[{"id":1,"name":"Acme","payment_terms":"NET 7"}]"#));
    let (terms, _) = read(&stage, Kind::Terms, None).await.unwrap();
    assert_eq!(terms.records[0].id.as_str(), "NET 7");
}

#[tokio::test]
async fn the_shared_fixtures_are_read_whole() {
    const FIXTURES: [(&str, Kind, &str); 5] = [
        (
            "/customers",
            Kind::Customer,
            include_str!("../../fixtures/customer.json"),
        ),
        (
            "/invoices",
            Kind::Invoice,
            include_str!("../../fixtures/invoice.json"),
        ),
        (
            "/invoices",
            Kind::Invoice,
            include_str!("../../fixtures/voided-invoice.json"),
        ),
        (
            "/credit_notes",
            Kind::CreditMemo,
            include_str!("../../fixtures/credit-note.json"),
        ),
        (
            "/payments",
            Kind::CustomerPayment,
            include_str!("../../fixtures/payment.json"),
        ),
    ];
    for (path, kind, json) in FIXTURES {
        let stage = quiet(move |seen| {
            assert!(seen.path.starts_with(path), "{}", seen.path);
            ok(format!("[{json}]"))
        });
        let (all, _) = read(&stage, kind, None).await.unwrap();
        assert_eq!(
            (all.records.len(), all.unreadable),
            (1, Vec::new()),
            "{json}"
        );
        if let Document::Invoice(invoice) = &all.records[0].document {
            assert_eq!(invoice.date.to_string(), "2026-03-02");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a service names as the next page, a read ends, and no page is read twice by its number.
    #[test]
    fn no_list_is_read_round_and_round(nexts in proptest::collection::vec("(page=[0-9]{1,2}|cursor=[a-c])", 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let at = AtomicUsize::new(0);
            let stage = quiet(move |_| {
                let nth = at.fetch_add(1, Ordering::SeqCst);
                items([item(nth as u64, 5)]).next(&nexts[nth % nexts.len()])
            });
            let (_, pages) = read(&stage, Kind::Item, None).await.unwrap();
            assert!(pages < 1_000);
        });
    }
}

#[tokio::test]
async fn a_cursor_that_comes_back_ends_the_list() {
    // A cursor that comes back after any number of pages.
    let stage = quiet(|seen| {
        let next = match seen.path.as_str() {
            path if path.contains("cursor=a") => "cursor=b",
            path if path.contains("cursor=b") => "cursor=c",
            _ => "cursor=a",
        };
        items([item(1, 5)]).next(next)
    });
    let (_, pages) = read(&stage, Kind::Item, None).await.unwrap();
    assert!(pages < 20, "{pages}");
}
