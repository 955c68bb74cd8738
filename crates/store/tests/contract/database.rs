//! The database itself: servers that go away, schemas of other versions, several writers at once, and copies.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use secrecy::{ExposeSecret as _, SecretString};
use tieout_domain::Clock;
use tieout_store::testing::TestStore;
use tieout_store::{
    Commit, Fact, KeySource, Letter, NewUser, Role, Seams, SessionLimits, Store, StoreOptions,
    UserEdit, Vault,
};

use crate::{Bed, assert_holds, bill_ref, blocked, clock, facts, name, run, sample, stated};

const LIMITS: SessionLimits = SessionLimits {
    idle: Duration::from_secs(1800),
    whole: Duration::from_secs(12 * 3600),
};

fn seams(bed: &Bed) -> Seams {
    Seams {
        own_time: true,
        ..Seams::of(Arc::clone(&bed.clock) as Arc<dyn Clock>)
    }
}

fn user(name: &str, role: Role) -> NewUser {
    NewUser {
        name: name.to_owned(),
        display: format!("{name} Doe"),
        mail: String::new(),
        role,
        subject: Some(format!("subject of {name}")),
        until: None,
        tenants: Vec::new(),
    }
}

pub(crate) async fn writers_of_all_sorts_at_once_wait_for_each_other_and_never_in_a_circle(
    _: &Bed,
    store: &Store,
) {
    let connection = sample(store).await;
    let people = store.people();
    people
        .add(&user("root", Role::Admin), None, "user:root")
        .await
        .unwrap();
    people
        .add(&user("jo", Role::Viewer), None, "user:root")
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    Vault::create_key_file(&key).unwrap();
    let vault = store.vault(&KeySource::File(key)).await.unwrap();
    let letters: Vec<_> = (0..20)
        .map(|number| Letter {
            name: format!("letter {number}"),
            way: "mail".to_owned(),
            target: String::new(),
            body: String::new(),
        })
        .collect();
    let turned: Vec<_> = letters.iter().rev().cloned().collect();
    let erased = [bill_ref("1")];
    let one = async |turn: u32| {
        let secret = SecretString::from("{}".to_owned());
        let role = if turn.is_multiple_of(2) {
            Role::Viewer
        } else {
            Role::Operator
        };
        let edit = UserEdit {
            role: Some(role),
            ..UserEdit::default()
        };
        let item = stated(&turn.to_string(), blocked("unmapped", ""));
        let credentials = store.credentials();
        let (a, b, c, d, e, f, g) = tokio::join!(
            connection.commit(facts(vec![item])),
            connection.mark_all_due("bills"),
            people.open_session("jo", LIMITS, "here", "a browser"),
            people.change("jo", &edit, "user:root"),
            credentials.set(&vault, "a", "bill", secret, "user:root"),
            store.put_letters(if turn.is_multiple_of(2) {
                &letters
            } else {
                &turned
            }),
            connection.erase(&erased, "user:root", "asked"),
        );
        a.unwrap();
        b.unwrap();
        c.unwrap();
        d.unwrap();
        e.unwrap();
        f.unwrap();
        g.unwrap();
        people.attempt("user:jo", 1000).await.unwrap();
        people.clear_attempts("user:jo").await.unwrap();
    };
    join_all((2..14).map(one)).await;
    assert_eq!(store.credentials().list().await.unwrap()[0].version, 12);
    assert_eq!(store.letters().await.unwrap().waiting, 20);
    assert_holds(store).await;
}

pub(crate) async fn two_that_open_a_new_store_with_other_keys_don_t_both_have_it(
    _: &Bed,
    store: &Store,
) {
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<_> = ["a", "b", "c", "d"]
        .map(|name| folder.path().join(name))
        .into_iter()
        .inspect(|path| Vault::create_key_file(path).unwrap())
        .map(KeySource::File)
        .collect();
    let opened = join_all(keys.iter().map(|key| store.vault(key))).await;
    assert_eq!(opened.iter().filter(|vault| vault.is_ok()).count(), 1);
}

/// What a copy has to bring along.
struct Belongings {
    key: KeySource,
    session: SecretString,
    _folder: tempfile::TempDir,
}

async fn fill(store: &Store) -> Belongings {
    let connection = sample(store).await;
    let decided = Fact::Note {
        text: "ünïcode, 'quotes' and\nlines".to_owned(),
    };
    let signed = "what was signed".to_owned();
    let commit = Commit {
        frozen: vec![signed],
        remember: vec![("how far".to_owned(), "here".to_owned())],
        ..facts(vec![decided])
    };
    connection.commit(commit).await.unwrap();
    // More than a page.
    let many = (100..4400).map(|id| stated(&id.to_string(), blocked("unmapped", "x")));
    let many: Vec<_> = many.collect();
    for page in many.chunks(500) {
        connection.commit(facts(page.to_vec())).await.unwrap();
    }
    connection
        .erase(&[bill_ref("1")], "user:root", "asked")
        .await
        .unwrap();
    let people = store.people();
    people
        .add(&user("root", Role::Admin), None, "user:root")
        .await
        .unwrap();
    let session = people
        .open_session("root", LIMITS, "here", "a browser")
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    Vault::create_key_file(&key).unwrap();
    let key = KeySource::File(key);
    let vault = store.vault(&key).await.unwrap();
    let secret = SecretString::from(r#"{"password":"hush"}"#.to_owned());
    store
        .credentials()
        .set(&vault, "a", "bill", secret.clone(), "user:root")
        .await
        .unwrap();
    store
        .kept(&vault)
        .put("a session", &secret, None)
        .await
        .unwrap();
    Belongings {
        key,
        session,
        _folder: folder,
    }
}

async fn assert_belongings(store: &Store, had: &Belongings) {
    assert_holds(store).await;
    let vault = store.vault(&had.key).await.unwrap();
    let (row, secret) = store.credentials().get(&vault, "a").await.unwrap();
    assert_eq!(
        (row.version, secret.expose_secret()),
        (1, r#"{"password":"hush"}"#)
    );
    assert!(store.kept(&vault).get("a session").await.unwrap().is_some());
    let (_, user) = store
        .people()
        .session(&had.session, LIMITS)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(user.name, "root");
    let connection = store.connection(&name());
    assert_eq!(
        connection.remembered("how far").await.unwrap().as_deref(),
        Some("here")
    );
    let frozen = tieout_store::frozen_name("what was signed");
    assert!(connection.frozen(&frozen).await.unwrap().is_some());
    assert_eq!(connection.stops().await.unwrap().len(), 1);
}

/// The other kind of database, where there is one.
fn other(bed: &Bed) -> TestStore {
    match bed.server {
        Some(_) => TestStore::file(),
        None => TestStore::on_server().unwrap_or_else(TestStore::file),
    }
}

pub(crate) async fn a_copy_has_all_of_it_and_is_one_only_at_its_end(bed: &Bed, store: &Store) {
    let had = fill(store).await;
    let goal = other(bed);
    let options = StoreOptions::at(goal.url());
    let silent = &mut |_: &str| {};
    let early = store.copy_to(&options, seams(bed), silent).await;
    assert_eq!(early.unwrap_err().code().as_str(), "store-in-use");
    let pause = Fact::Paused {
        reason: "to move".to_owned(),
    };
    store
        .installation()
        .commit("user:root", vec![pause])
        .await
        .unwrap();
    let lease = store
        .connection(&name())
        .lease("somebody", Duration::from_secs(60))
        .await
        .unwrap();
    let early = store
        .copy_to(&options, seams(bed), silent)
        .await
        .unwrap_err();
    assert!(
        early.to_string().contains("somebody is at work on acme-us"),
        "{early}"
    );
    lease.release().await.unwrap();

    let copied = store.copy_to(&options, seams(bed), silent).await.unwrap();
    let entries = copied
        .tables
        .iter()
        .find(|table| table.name == "entries")
        .unwrap();
    let all: u64 = copied.chains.iter().map(|head| head.entries).sum();
    assert_eq!(entries.rows, all);
    assert!(all > 4300);
    let there = Store::open_with(&options, seams(bed)).await.unwrap();
    assert_belongings(&there, &had).await;
    let (mut here, mut copy) = (store.status().await.unwrap(), there.status().await.unwrap());
    for status in [&mut here, &mut copy] {
        status.rows.remove("leases");
        status.rows.remove("store_schema");
    }
    assert_eq!(here.rows, copy.rows);

    let full = store
        .copy_to(&options, seams(bed), silent)
        .await
        .unwrap_err();
    assert_eq!(full.code().as_str(), "store-not-empty");
    // As one that was killed before its end: nobody opens it, and it can be made again.
    let at = "INSERT INTO store_state (name, value) VALUES ('copying', 'at noon')";
    run(goal.url(), at).await.unwrap();
    let unfinished = Store::open_with(&options, seams(bed)).await.unwrap_err();
    assert_eq!(
        unfinished.code().as_str(),
        "store-incomplete",
        "{unfinished}"
    );
    there.close().await;
    let again = store.copy_to(&options, seams(bed), silent).await.unwrap();
    assert_eq!(again.chains, copied.chains);
    let back = other_of(&goal);
    let there = Store::open_with(&options, seams(bed)).await.unwrap();
    let options = StoreOptions::at(back.url());
    there.copy_to(&options, seams(bed), silent).await.unwrap();
    there.close().await;
    let there = Store::open_with(&options, seams(bed)).await.unwrap();
    assert_belongings(&there, &had).await;
    there.close().await;
}

/// A database of the kind that this one isn't, for the way back.
fn other_of(store: &TestStore) -> TestStore {
    match store.is_on_server() {
        true => TestStore::file(),
        false => TestStore::on_server().unwrap_or_else(TestStore::file),
    }
}

/// Ends every connection to a database but our own.
async fn cut_all(server: &str, database: &str) {
    let text = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    );
    run(server, &text).await.unwrap();
}

#[tokio::test]
async fn the_first_server_that_takes_writes_is_the_one() {
    let Some(bed) = Bed::postgres().await else {
        return;
    };
    let (server, database) = bed.server.clone().unwrap();
    let (before, after) = bed.url.split_once('@').unwrap();
    let several = format!("{before}@127.0.0.1:1,{after}");
    let store = Store::open(&several, clock()).await.unwrap();
    sample(&store).await;
    // Whatever was open is gone: the next one looks again, and nobody is told.
    cut_all(&server, &database).await;
    store
        .connection(&name())
        .commit(facts(vec![stated("7", blocked("a", "b"))]))
        .await
        .unwrap();
    assert_holds(&store).await;

    // The primary becomes a standby: what was refused so far is refused with its name, and goes on afterwards.
    let only_reads = format!("ALTER DATABASE {database} SET default_transaction_read_only = on");
    run(&server, &only_reads).await.unwrap();
    cut_all(&server, &database).await;
    let refused = Store::open(&several, clock()).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "store-unreachable");
    let told = refused.to_string();
    assert!(
        told.contains("127.0.0.1:1: ") && told.contains("takes no writes"),
        "{told}"
    );
    let connection = store.connection(&name());
    let waiting = connection.commit(facts(vec![stated("8", blocked("a", "b"))]));
    let writes_again = async {
        let text = format!("ALTER DATABASE {database} SET default_transaction_read_only = off");
        // The session that says so would inherit what it takes back.
        run(&server, &text).await.unwrap();
    };
    let (waited, ()) = tokio::join!(waiting, writes_again);
    waited.unwrap();
    assert_eq!(connection.entries_after(0, 100).await.unwrap().len(), 5);
    bed.end(store).await;
}

#[tokio::test]
async fn the_line_to_a_server_is_encrypted_and_the_server_is_who_it_says_or_nobody_speaks_to_it() {
    let Ok(named) = std::env::var("TIEOUT_TEST_POSTGRES_TLS") else {
        eprintln!("skipped: TIEOUT_TEST_POSTGRES_TLS names no server whose line is encrypted");
        return;
    };
    let (server, checked) = named.split_once('?').unwrap();
    let database = format!("tieout_encrypted_{}", std::process::id());
    run(server, &format!("CREATE DATABASE {database}"))
        .await
        .unwrap();
    let (server, _) = server.rsplit_once('/').unwrap();
    let url = format!("{server}/{database}?{checked}");
    let store = Store::open(&url, clock()).await.unwrap();
    sample(&store).await;
    assert_holds(&store).await;
    store.close().await;
    let refused = |url: String| async move {
        let refused = Store::open(&url, clock()).await.unwrap_err();
        assert_eq!(refused.code().as_str(), "store-unreachable");
        refused.to_string()
    };
    // Its certificate is for 127.0.0.1: under another name anybody could answer.
    let told = refused(url.replace("@127.0.0.1:", "@localhost:")).await;
    assert!(told.contains("localhost"), "{told}");
    // An authority that the server's certificate is not from.
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.pem");
    std::fs::write(&path, other.cert.pem()).unwrap();
    let roots = format!("sslmode=verify-full&sslrootcert={}", path.display());
    let told = refused(url.replace(checked, &roots)).await;
    assert!(told.contains("certificate"), "{told}");
}

#[tokio::test]
async fn a_transaction_that_is_left_is_taken_back_and_its_connection_lent_again() {
    let Some(bed) = Bed::postgres().await else {
        return;
    };
    let options = StoreOptions {
        writers: 1,
        ..StoreOptions::at(&bed.url)
    };
    let store = Store::open_with(&options, seams(&bed)).await.unwrap();
    let connection = sample(&store).await;
    let installation = store.installation();
    for turn in 0..20 {
        // Given up at some place or other.
        let note = Fact::Note {
            text: turn.to_string(),
        };
        let commit = installation.commit("x", vec![note]);
        drop(tokio::time::timeout(Duration::from_micros(200 * turn), commit).await);
        let left = connection.mark_all_due("bills");
        drop(tokio::time::timeout(Duration::from_micros(200 * turn), left).await);
    }
    connection
        .commit(facts(vec![stated("9", blocked("a", "b"))]))
        .await
        .unwrap();
    assert_holds(&store).await;
    bed.end(store).await;
}
