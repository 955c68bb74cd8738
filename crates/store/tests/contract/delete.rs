//! Taking a connection out for good: nothing of it is left, all else is as it was, and the proof says so.

use std::time::Duration;

use tieout_domain::{ConnectionName, TenantName};
use tieout_store::{
    Commit, Fact, Letter, NewHint, Role, StopKind, Store, StoreError, UserEdit, frozen_name,
};

use crate::people::add;
use crate::{Bed, assert_holds, facts, run_started, sample};

fn name(text: &str) -> ConnectionName {
    text.parse().unwrap()
}

/// Something in every table that holds something of a connection.
async fn fill(store: &Store, connection: &str) {
    let own = store.connection(&name(connection));
    own.commit(facts(vec![Fact::Paused {
        reason: "month end".to_owned(),
    }]))
    .await
    .unwrap();
    let body = "what was signed".to_owned();
    let signed = Fact::Signed {
        report: "tie-out".to_owned(),
        period: "2026-06".to_owned(),
        currency: "USD".to_owned(),
        role: "preparer".to_owned(),
        status: "TIED".to_owned(),
        sha256: frozen_name(&body),
        extract: frozen_name(&body),
        comment: "for ever".to_owned(),
    };
    let commit = Commit {
        frozen: vec![body],
        remember: vec![("seen".to_owned(), "1".to_owned())],
        ..facts(vec![signed])
    };
    own.commit(commit).await.unwrap();
    let hint = NewHint {
        connection: name(connection),
        system: "bill".to_owned(),
        event: format!("{connection}-e1"),
        record: "r".to_owned(),
        at: "2026-06-01T00:00:00Z".parse().unwrap(),
    };
    store.keep_hints(&[hint]).await.unwrap();
    let letter = Letter {
        name: format!("mail/ap@example.com/{connection}/7/0"),
        way: "mail".to_owned(),
        target: "ap@example.com".to_owned(),
        body: "robin".to_owned(),
    };
    let heard = tieout_store::Heard::default();
    store
        .hear(connection, None, &heard, &[letter])
        .await
        .unwrap();
}

pub(crate) async fn a_connection_that_is_deleted_leaves_nothing_but_the_proof(
    bed: &Bed,
    store: &Store,
) {
    let other = sample(store).await;
    // A name of which the other's is a pattern, if `_` were a wildcard.
    let (gone, stays) = (name("acme_us"), other.name().clone());
    let connection = store.connection(&gone);
    fill(store, gone.as_str()).await;
    fill(store, stays.as_str()).await;
    let before = store.verify().await.unwrap();
    let head = |verification: &tieout_store::Verification, chain: &str| {
        let mut chains = verification.chains.iter();
        chains.find(|head| head.chain == chain).cloned()
    };
    let was = head(&before, gone.as_str()).unwrap();

    let tenant: TenantName = "acme".parse().unwrap();
    let deleted = connection
        .delete(Some(&tenant), "user:ann", "the contract ended")
        .await
        .unwrap();
    assert_eq!((deleted.entries, &deleted.hash), (was.entries, &was.hash));
    for table in ["entries", "frozen", "stops", "hints", "heard", "outbox"] {
        assert!(deleted.rows[table] > 0, "{table}: {deleted:?}");
    }

    let after = store.verify().await.unwrap();
    assert!(after.holds(), "{:?}", after.faults);
    assert_eq!(head(&after, gone.as_str()), None);
    assert_eq!(head(&after, stays.as_str()), head(&before, stays.as_str()));
    assert_eq!(other.stops().await.unwrap().len(), 1);
    assert_eq!(connection.size().await.unwrap().entries, 0);
    assert!(other.size().await.unwrap().bytes > 0);
    assert_eq!(store.letters().await.unwrap().waiting, 1, "the other's");

    let proof = store.installation().entries_after(0, 100).await.unwrap();
    let proof = proof.last().unwrap();
    assert_eq!(proof.actor, "user:ann");
    match &proof.fact {
        Fact::HistoryDeleted {
            connection,
            tenant: Some(of),
            entries,
            hash,
            reason,
            ..
        } => {
            assert_eq!((connection.as_str(), of), ("acme_us", &tenant));
            assert_eq!((*entries, hash), (was.entries, &was.hash));
            assert_eq!(reason, "the contract ended");
        }
        other => panic!("{other:?}"),
    }

    // The history of whoever stays is as much for ever as it was.
    for table in ["entries", "frozen"] {
        let error = bed.run(&format!("DELETE FROM {table}")).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    // Asked again, nothing is left to do, and there is no second proof.
    let again = connection.delete(None, "user:ann", "").await.unwrap();
    assert_eq!((again.entries, again.rows.len()), (0, 0));
    let proofs = store.installation().entries_after(0, 100).await.unwrap();
    let deleted = |fact: &Fact| matches!(fact, Fact::HistoryDeleted { .. });
    assert_eq!(proofs.iter().filter(|it| deleted(&it.fact)).count(), 1);
}

/// A table that is added later is deleted from too, or this says which one isn't.
pub(crate) async fn every_table_that_names_a_connection_is_deleted_from(bed: &Bed, store: &Store) {
    let named = if bed.server.is_some() {
        "SELECT CAST(table_name AS TEXT) FROM information_schema.columns WHERE table_schema = 'public' \
         AND column_name IN ('connection', 'chain') ORDER BY table_name"
    } else {
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND c.name IN ('connection', 'chain') ORDER BY m.name"
    };
    let all = bed.texts(named).await;
    let mut known = store.deleted_tables();
    // Users and tokens are the installation's; of a lease only the number stays, and nobody's name.
    known.extend(["users", "tokens", "leases", "leaving"]);
    for table in &all {
        assert!(known.contains(&table.as_str()), "{table} is forgotten");
    }
    assert!(all.len() >= known.len() - 1, "{all:?}");
}

pub(crate) async fn nothing_is_deleted_under_the_hands_of_a_run(bed: &Bed, store: &Store) {
    let connection = sample(store).await;
    connection.commit(run_started()).await.unwrap();
    let lease = connection
        .lease("a run", Duration::from_secs(60))
        .await
        .unwrap();
    let refused = connection.delete(None, "user:ann", "").await;
    assert!(
        matches!(refused, Err(StoreError::Held { .. })),
        "{refused:?}"
    );
    let fence = lease.fence;
    lease.release().await.unwrap();
    connection.delete(None, "user:ann", "").await.unwrap();
    // Whoever slept over it wakes up fenced off, and brings nothing back.
    let late = Commit {
        fence: Some(fence),
        ..facts(vec![Fact::Note {
            text: "late".to_owned(),
        }])
    };
    let late = connection.commit(late).await;
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
    // A connection of the same name begins anew: it lost nothing.
    bed.clock.advance(Duration::from_secs(120));
    let lease = connection
        .lease("anew", Duration::from_secs(60))
        .await
        .unwrap();
    assert!(lease.fence > fence);
    let stops = connection.stops().await.unwrap();
    assert!(stops.iter().all(|stop| stop.kind != StopKind::Recovering));
    lease.release().await.unwrap();
    assert_holds(store).await;
}

pub(crate) async fn who_is_limited_to_tenants_is_told_by_the_history(_: &Bed, store: &Store) {
    let people = store.people();
    add(store, "root", Role::Admin).await;
    add(store, "jo", Role::Admin).await;
    let [acme, zeta] = ["acme", "zeta"].map(|name| name.parse::<TenantName>().unwrap());
    let only = |tenants: &[&TenantName]| UserEdit {
        tenants: Some(tenants.iter().copied().cloned().collect()),
        ..UserEdit::default()
    };
    let edit = only(&[&zeta, &acme, &zeta]);
    let jo = people.change("jo", &edit, "user:root").await.unwrap();
    assert_eq!(
        jo.tenants,
        [acme.clone(), zeta.clone()],
        "each once, in order"
    );
    assert_eq!(people.user("jo").await.unwrap().unwrap(), jo);
    assert!(jo.reach().includes(Some(&acme)) && !jo.reach().includes(None));
    // Whoever is limited can't keep the users: the last one who isn't stays.
    let last = people.change("root", &only(&[&acme]), "user:root").await;
    assert!(
        matches!(last, Err(StoreError::LastAdmin { .. })),
        "{last:?}"
    );
    let freed = people.change("jo", &only(&[]), "user:root").await.unwrap();
    assert!(!freed.reach().is_limited());
    assert_holds(store).await;
}
