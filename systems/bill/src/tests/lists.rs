//! Reading lists.

use tieout_domain::port::{Depth, Mark, Page, Read};
use tieout_domain::{Fault, Kind};

use super::*;

fn vendor(id: &str, updated: &str) -> String {
    format!(
        r#"{{"id":"{id}","name":"V {id}","billCurrency":"USD","createdTime":"{updated}","updatedTime":"{updated}"}}"#
    )
}

fn page(vendors: &[String], next: &str) -> Reply {
    ok(format!(
        r#"{{"results":[{}],"nextPage":"{next}"}}"#,
        vendors.join(",")
    ))
}

async fn whole(reader: &dyn Read, depth: Depth, mark: Option<&Mark>) -> Result<Vec<Page>, Fault> {
    let mut pages: Vec<Page> = Vec::new();
    loop {
        let token = pages.last().and_then(|page| page.next.clone());
        pages.push(reader.page(depth, mark, token.as_ref()).await?);
        assert!(pages.len() < 100, "it never ends");
        if pages.last().unwrap().next.is_none() {
            return Ok(pages);
        }
    }
}

#[tokio::test]
async fn a_whole_read_asks_for_what_is_archived_by_name() {
    let stage = Stage::new(|seen| match seen.path.as_str() {
        path if path.contains("archived:eq:true") => {
            page(&[vendor("c", "2026-06-20T09:59:00Z")], "")
        }
        path if path.contains("page=two") => page(&[vendor("b", "2026-01-01T00:00:00Z")], ""),
        _ => page(&[vendor("a", "2026-06-20T08:00:00.000+00:00")], "two"),
    });
    let pages = whole(&*stage.ports().read[&Kind::Vendor], Depth::Whole, None)
        .await
        .unwrap();
    let ids: Vec<_> = pages
        .iter()
        .flat_map(|page| &page.records)
        .map(|r| r.id.as_str())
        .collect();
    assert_eq!(ids, ["a", "b", "c"]);
    // The mark is the earliest one that is safe: what changed while the read went on comes again.
    let mark = pages.last().unwrap().mark.clone().unwrap();
    assert!(
        mark.0.contains(r#""newest":"2026-06-20T08:00:00Z""#),
        "{mark:?}"
    );
    assert!(pages.iter().all(|page| !page.may_stop));
    assert_eq!(
        stage.calls(),
        [
            "GET /v3/vendors?max=100&sort=updatedTime:desc&filters=archived:eq:false",
            "GET /v3/vendors?max=100&sort=updatedTime:desc&filters=archived:eq:false&page=two",
            "GET /v3/vendors?max=100&sort=updatedTime:desc&filters=archived:eq:true",
        ]
    );
}

#[tokio::test]
async fn a_read_of_changes_costs_one_call_and_tells_where_it_may_stop() {
    let stage = Stage::new(|seen| {
        if seen.path.contains("page=two") {
            page(&[vendor("c", "2026-06-20T07:57:59Z")], "three")
        } else {
            page(
                &[
                    vendor("a", "2026-06-20T09:00:00Z"),
                    vendor("b", "2026-06-20T08:00:00Z"),
                ],
                "two",
            )
        }
    });
    let ports = stage.ports();
    let reader = &ports.read[&Kind::Vendor];
    let mark = Mark("2026-06-20T07:58:00Z".to_owned());
    let first = reader
        .page(Depth::Changes, Some(&mark), None)
        .await
        .unwrap();
    // The mark is not reached: what lies between was never seen.
    assert!(!first.may_stop);
    let newest = r#""newest":"2026-06-20T09:00:00Z""#;
    assert!(first.mark.as_ref().unwrap().0.contains(newest));
    let second = reader
        .page(Depth::Changes, Some(&mark), first.next.as_ref())
        .await
        .unwrap();
    assert!(second.may_stop);
    assert!(second.mark.unwrap().0.contains(newest));
    assert_eq!(
        stage.calls()[0],
        "GET /v3/vendors?max=100&sort=updatedTime:desc"
    );
}

/// Reads as the engine does: to the first page that may be the last and is all known.
async fn changes(
    reader: &dyn Read,
    mark: &mut Option<Mark>,
    known: &mut Vec<String>,
) -> Vec<String> {
    let (mut token, mut new) = (None, Vec::new());
    let depth = Depth::Changes;
    loop {
        let page = reader
            .page(depth, mark.as_ref(), token.as_ref())
            .await
            .unwrap();
        let ids = page.records.iter().map(|record| record.id.to_string());
        let fresh: Vec<String> = ids.filter(|id| !known.contains(id)).collect();
        let all_known = fresh.is_empty();
        known.extend(fresh.clone());
        new.extend(fresh);
        token = page.next;
        if token.is_none() || (page.may_stop && all_known) {
            *mark = page.mark;
            return new;
        }
    }
}

#[tokio::test]
async fn a_change_that_is_listed_late_is_read_though_the_mark_has_gone_past_it() {
    let listed = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let late = Arc::clone(&listed);
    let stage = Stage::new(move |seen| {
        let first = page(&[vendor("a", "2026-06-20T10:29:50Z")], "two");
        let mut rest = vec![vendor("b", "2026-06-20T10:20:00Z")];
        if late.load(Ordering::SeqCst) {
            rest.insert(0, vendor("late", "2026-06-20T10:29:40Z"));
        }
        match seen.path.as_str() {
            path if path.contains("archived:eq:true") => page(&[], ""),
            path if path.contains("page=two") => page(&rest, "three"),
            path if path.contains("page=three") => page(&[vendor("c", "2026-01-01T00:00:00Z")], ""),
            _ => first,
        }
    });
    let ports = stage.ports();
    let reader = &*ports.read[&Kind::Vendor];
    let (mut mark, mut known) = (None, Vec::new());
    assert_eq!(
        changes(reader, &mut mark, &mut known).await,
        ["a", "b", "c"]
    );
    listed.store(true, Ordering::SeqCst);
    // A run at once costs one call: what may be late has not had its time yet.
    let before = stage.calls().len();
    assert!(changes(reader, &mut mark, &mut known).await.is_empty());
    assert_eq!(stage.calls().len(), before + 1);
    stage.timer.sleep(Duration::from_secs(301)).await;
    assert_eq!(changes(reader, &mut mark, &mut known).await, ["late"]);
    // Once is enough.
    let before = stage.calls().len();
    stage.timer.sleep(Duration::from_secs(3600)).await;
    assert!(changes(reader, &mut mark, &mut known).await.is_empty());
    assert_eq!(stage.calls().len(), before + 1);
}

#[tokio::test]
async fn a_list_that_goes_in_circles_is_noticed() {
    for length in [1, 2, 3, 5] {
        let stage = Stage::new(move |seen| {
            let at: usize = seen
                .path
                .split("page=")
                .nth(1)
                .map_or(0, |number| number.parse().unwrap());
            page(
                &[vendor("a", "2026-06-20T09:00:00Z")],
                &((at + 1) % length).to_string(),
            )
        });
        let ports = stage.ports();
        let fault = whole(&*ports.read[&Kind::Payment], Depth::Changes, None)
            .await
            .unwrap_err();
        assert_eq!(fault.code().as_str(), "drift");
    }
}

#[tokio::test]
async fn one_bad_record_does_not_hide_the_others_and_is_not_absent() {
    let bad = r#"{"id":"b","name":"B","billCurrency":"ZZZ","updatedTime":"2026-06-20T09:00:00Z"}"#;
    let worse = r#"{"id":"c","name":["C"]}"#;
    let all = [
        vendor("a", "2026-06-20T09:00:00Z"),
        bad.to_owned(),
        worse.to_owned(),
    ];
    let answer = page(&all, "");
    let single = ok(bad);
    let stage = Stage::new(move |seen| {
        if seen.path.contains('?') {
            answer.clone()
        } else {
            single.clone()
        }
    });
    let ports = stage.ports();
    let reader = &ports.read[&Kind::Vendor];
    let page = reader
        .page(
            Depth::Changes,
            Some(&Mark("2026-06-20T00:00:00Z".to_owned())),
            None,
        )
        .await
        .unwrap();
    assert_eq!(page.records.len(), 1);
    let ids: Vec<_> = page.unreadable.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["c", "b"]);
    assert!(page.unreadable[1].1.contains("ZZZ"));
    assert_eq!(
        reader
            .fetch(&["b".into()])
            .await
            .unwrap_err()
            .code()
            .as_str(),
        "drift"
    );
}

#[tokio::test]
async fn a_record_that_the_list_hides_is_asked_for_alone() {
    let stage = Stage::new(|seen| match seen.path.as_str() {
        "/v3/vendors/b" => ok(vendor("b", "2026-06-20T09:00:00Z")),
        "/v3/vendors/c" => refusal(404, "1205"),
        _ => page(&[vendor("a", "2026-06-20T09:00:00Z")], ""),
    });
    let ports = stage.ports();
    let found = ports.read[&Kind::Vendor]
        .fetch(&["a".into(), "b".into(), "c".into()])
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert!(stage.calls()[0].ends_with(r#"&filters=id:in:"a,b,c""#));
}

#[tokio::test]
async fn a_list_without_that_filter_is_read_as_it_is() {
    let stage = Stage::new(|seen| {
        if seen.path.contains("filters=") {
            refusal(400, "1130")
        } else {
            page(&[], "")
        }
    });
    let ports = stage.ports();
    let pages = whole(&*ports.read[&Kind::VendorCredit], Depth::Whole, None)
        .await
        .unwrap();
    assert_eq!(pages.len(), 1);
}

#[tokio::test]
async fn paths_are_made_with_ancestors_that_were_not_on_the_page() {
    let stage = Stage::new(|seen| {
        if seen.path.contains('?') {
            ok(include_str!("../../fixtures/accounts.json"))
        } else {
            ok(r#"{"id":"0caAAAAAAAAAAAAAAA01","name":"Travel"}"#)
        }
    });
    let ports = stage.ports();
    let reader = &ports.read[&Kind::Account];
    let mark = Mark("2026-06-02T10:00:00Z".to_owned());
    for _ in 0..2 {
        let page = reader
            .page(Depth::Changes, Some(&mark), None)
            .await
            .unwrap();
        let accounts: Vec<_> = page
            .records
            .iter()
            .map(|record| match &record.document {
                Document::Account(account) => account,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(accounts[0].path, "Travel : Air");
        assert_eq!(accounts[0].number, "06010");
        assert_eq!(accounts[1].path, "Odd");
        assert!(accounts[1].inactive && accounts[1].parent.is_none());
        assert!(page.may_stop);
    }
    assert_eq!(stage.calls().len(), 3, "an ancestor is asked for once");
}

/// A list of vendors that were changed second by second, the newest first, in pages of a hundred.
fn long_list(path: &str, count: i64) -> Reply {
    let bound = |word: &str| -> Option<i64> {
        let text = path.split(&format!("updatedTime:{word}:\"")).nth(1)?;
        let at: Timestamp = text.split('"').next()?.parse().unwrap();
        Some(at.as_second())
    };
    let cursor = path
        .split("page=")
        .nth(1)
        .map_or(i64::MAX, |at| at.parse().unwrap());
    let from = bound("gte").unwrap_or(0);
    let to = bound("lt").unwrap_or(i64::MAX).min(cursor).min(count);
    let shown: Vec<i64> = (from..to).rev().take(100).collect();
    let next = shown.last().filter(|last| **last > from);
    let vendors = shown.iter().map(|at| {
        let updated = Timestamp::from_second(*at).unwrap().to_string();
        vendor(&at.to_string(), &updated)
    });
    let next = next.map(ToString::to_string).unwrap_or_default();
    page(&vendors.collect::<Vec<_>>(), &next)
}

/// What a read of changes shows of two thousand vendors.
async fn read_long(stage: &Stage) -> Vec<i64> {
    let ports = stage.ports();
    let mark = Mark("1970-01-01T00:00:00Z".to_owned());
    let pages = whole(&*ports.read[&Kind::Vendor], Depth::Changes, Some(&mark));
    let pages = pages.await.unwrap();
    let records = pages.iter().flat_map(|page| &page.records);
    records.map(|it| it.id.as_str().parse().unwrap()).collect()
}

#[tokio::test]
async fn the_rest_of_a_long_list_is_read_in_parts_and_nothing_is_left_out() {
    let stage = Stage::new(|seen| long_list(&seen.path, 2000));
    let mut ids = read_long(&stage).await;
    ids.sort_unstable();
    // What was changed when the pages ended comes twice, and is known the second time.
    ids.dedup();
    assert_eq!(ids, (0..2000).collect::<Vec<_>>());
    let calls = stage.calls();
    let in_parts = calls.iter().filter(|call| call.contains("updatedTime:gte"));
    assert_eq!(in_parts.count(), 18, "{calls:?}");
    assert!(calls.len() <= 22, "{}", calls.len());
}

#[tokio::test]
async fn a_list_that_takes_no_such_filter_is_read_page_by_page() {
    let stage = Stage::new(|seen| match seen.path.contains("filters=") {
        true => refusal(400, "1130"),
        false => long_list(&seen.path, 2000),
    });
    assert_eq!(read_long(&stage).await.len(), 2000);
}
