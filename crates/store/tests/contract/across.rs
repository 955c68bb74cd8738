//! What is asked of many connections at once is what each of them answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tieout_domain::code::Code;
use tieout_domain::{ConnectionName, Outcome, State};
use tieout_store::{Among, Commit, ConnectionStore, Fact, Heard, RunId, StopKind, Store};

use crate::{Bed, blocked, facts, pause, stated};

fn named(name: &str) -> ConnectionName {
    name.parse().unwrap()
}

async fn ran(connection: &ConnectionStore, id: &str, status: Option<&str>) {
    let started = Fact::RunStarted {
        trigger: "command".to_owned(),
        flows: vec!["bills".to_owned()],
        limited: false,
    };
    let ended = status.map(|status| Fact::RunEnded {
        status: status.to_owned(),
        flows: BTreeMap::new(),
        calls: BTreeMap::new(),
        cause: String::new(),
        codes: Vec::new(),
    });
    for fact in [Some(started), ended].into_iter().flatten() {
        let commit = Commit {
            run: Some(RunId::new(id)),
            ..facts(vec![fact])
        };
        connection.commit(commit).await.unwrap();
    }
}

/// One that waits for people, one that failed and is paused, one that has never ended a run, and one without a history.
async fn four(store: &Store) -> [ConnectionStore; 4] {
    let all = ["alpha", "bravo", "charlie", "delta"].map(|name| store.connection(&named(name)));
    let [alpha, bravo, charlie, _] = &all;
    for (id, status) in [("1", "failed"), ("2", "done"), ("3", "exceptions")] {
        ran(alpha, id, Some(status)).await;
    }
    ran(alpha, "4", None).await;
    let hold = Outcome::because(State::Hold, Code::from_text("settling"), "until 10:00");
    let items = vec![
        stated("1", blocked("unmapped", "account:1")),
        stated("2", blocked("unmapped", "account:1")),
        stated("3", blocked("unmapped", "account:2")),
        stated("4", hold),
    ];
    alpha.commit(facts(items)).await.unwrap();
    ran(bravo, "1", Some("done")).await;
    ran(bravo, "2", Some("failed")).await;
    let item = stated("1", blocked("closed-period", ""));
    bravo
        .commit(facts(vec![item, pause("month end")]))
        .await
        .unwrap();
    ran(charlie, "1", None).await;
    all
}

pub(crate) async fn many_connections_answer_as_each_of_them(_: &Bed, store: &Store) {
    let all = four(store).await;
    let lease = all[2].lease("here", Duration::from_secs(60)).await.unwrap();
    lease.set_run(&RunId::new("1")).await.unwrap();
    let pulses = store.pulses(Among::All).await.unwrap();
    let ends = [(named("alpha"), "exceptions"), (named("bravo"), "failed")];
    let ends = ends.map(|(name, status)| (name, status.to_owned()));
    assert_eq!(pulses.last_ends, BTreeMap::from(ends));
    assert_eq!(pulses.running, BTreeSet::from([named("charlie")]));
    assert_eq!(
        pulses.waiting,
        BTreeMap::from([(named("alpha"), 3), (named("bravo"), 1)])
    );
    assert_eq!(pulses.stops.len(), 1);
    assert_eq!(pulses.stops[0].kind, StopKind::Paused);
    let names: Vec<_> = all.iter().map(|it| it.name().clone()).collect();
    let counts = store.counts_of(&names).await.unwrap();
    let runs = store.runs_of(&names, 2).await.unwrap();
    let groups = store.exceptions_of(Among::All, true).await.unwrap();
    for connection in &all {
        let name = connection.name();
        let own = connection.counts().await.unwrap();
        assert_eq!(counts.get(name).cloned().unwrap_or_default(), own);
        let own = connection.runs(2).await.unwrap();
        assert_eq!(runs.get(name).cloned().unwrap_or_default(), own);
        let own = connection.exceptions(true).await.unwrap();
        assert_eq!(groups.get(name).cloned().unwrap_or_default(), own);
    }
    assert!(store.last_signatures_of(&names).await.unwrap().is_empty());
    let since = tieout_domain::Timestamp::UNIX_EPOCH;
    let tally = store.run_tally_of(&names, since).await.unwrap();
    assert_eq!(tally.iter().map(|it| it.count).sum::<u64>(), 7);
}

pub(crate) async fn of_many_connections_those_asked_for_answer(_: &Bed, store: &Store) {
    four(store).await;
    let only = BTreeSet::from([named("bravo"), named("delta")]);
    let among = Among::These(&only);
    let pulses = store.pulses(among).await.unwrap();
    assert_eq!(
        pulses.last_ends.keys().collect::<Vec<_>>(),
        [&named("bravo")]
    );
    assert_eq!(pulses.waiting, BTreeMap::from([(named("bravo"), 1)]));
    let groups = store.exceptions_of(among, true).await.unwrap();
    assert_eq!(groups.keys().collect::<Vec<_>>(), [&named("bravo")]);
    // So many that it is asked for all, and the others are left out.
    let mut many: BTreeSet<_> = (0..2000).map(|n| named(&format!("none-{n}"))).collect();
    many.insert(named("bravo"));
    let among = Among::These(&many);
    assert_eq!(store.pulses(among).await.unwrap(), pulses);
    assert_eq!(store.exceptions_of(among, true).await.unwrap(), groups);
}

pub(crate) async fn what_is_new_is_told_of_all_chains_at_once(_: &Bed, store: &Store) {
    let [alpha, bravo, ..] = four(store).await;
    let heard = Heard {
        seq: 3,
        ..Heard::default()
    };
    store.hear("alpha", None, &heard, &[]).await.unwrap();
    store
        .hear("delta", None, &Heard::default(), &[])
        .await
        .unwrap();
    let told = store.heard_of_all().await.unwrap();
    let entries = alpha.entries_after(0, 100).await.unwrap();
    let head = entries.last().unwrap().seq;
    assert_eq!(
        told,
        BTreeMap::from([
            ("alpha".to_owned(), (3, head)),
            ("delta".to_owned(), (0, 0))
        ])
    );
    let remember = |value: &str| Commit {
        remember: vec![("stage".to_owned(), value.to_owned())],
        ..Commit::default()
    };
    alpha.commit(remember("{\"ended\":1}")).await.unwrap();
    bravo.commit(remember("{}")).await.unwrap();
    let lacking = store.remember_without("stage", "\"ended\":").await.unwrap();
    assert_eq!(lacking, BTreeSet::from([named("bravo")]));
    let names = [named("alpha"), named("delta")];
    let kept = store.remembered_of(&names, "stage").await.unwrap();
    assert_eq!(kept[&named("alpha")], "{\"ended\":1}");
    assert_eq!(kept.len(), 1);
}
