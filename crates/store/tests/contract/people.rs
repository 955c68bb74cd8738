//! Users, sessions, tokens, sign-ins that fail, and the two-person rule.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tieout_domain::Clock as _;
use tieout_store::{
    ApprovalDecision, ApprovalStatus, Asked, Attempt, Commit, Fact, NewToken, NewUser, Role, Scope,
    SessionLimits, Store, StoreError, TokenChange, User, UserChange, UserEdit,
};

use crate::{Bed, assert_holds, facts, name};

const LIMITS: SessionLimits = SessionLimits {
    idle: Duration::from_secs(1800),
    whole: Duration::from_secs(12 * 3600),
};

fn new_user(name: &str, role: Role) -> NewUser {
    NewUser {
        name: name.to_owned(),
        display: format!("{name} Doe"),
        mail: format!("{name}@example.com"),
        role,
        subject: None,
        until: None,
        tenants: Vec::new(),
    }
}

pub(crate) async fn add(store: &Store, name: &str, role: Role) -> User {
    let password = store
        .hash_password(name, &format!("{name}'s long password").into())
        .unwrap();
    store
        .people()
        .add(&new_user(name, role), Some(&password), "user:root")
        .await
        .unwrap()
}

async fn open(store: &Store, user: &str) -> Result<SecretString, StoreError> {
    let people = store.people();
    people
        .open_session(user, LIMITS, "203.0.113.7", "a browser")
        .await
}

async fn is_open(store: &Store, secret: &SecretString) -> bool {
    let session = store.people().session(secret, LIMITS).await.unwrap();
    session.is_some()
}

pub(crate) async fn users_are_told_by_the_history(bed: &Bed, store: &Store) {
    let people = store.people();
    let jo = add(store, "jo", Role::Operator).await;
    assert!(jo.has_password && jo.may(Role::Operator) && !jo.may(Role::Approver));
    let taken = people
        .add(&new_user("jo", Role::Admin), None, "user:root")
        .await;
    assert_eq!(taken.unwrap_err().code().as_str(), "user-exists");
    let unfit = new_user("Jo\r\n", Role::Admin);
    let unfit = people.add(&unfit, None, "user:root");
    assert_eq!(unfit.await.unwrap_err().code().as_str(), "name-unfit");

    let edit = UserEdit {
        role: Some(Role::Approver),
        ..UserEdit::default()
    };
    let changed = people.change("jo", &edit, "user:root").await.unwrap();
    assert_eq!(
        (changed.role, changed.display.as_str()),
        (Role::Approver, "jo Doe")
    );
    // What changes nothing is no entry.
    people.change("jo", &edit, "user:root").await.unwrap();
    people.remove("jo", "user:ada").await.unwrap();
    let missing = people.change("jo", &edit, "user:root").await;
    assert_eq!(missing.unwrap_err().code().as_str(), "user-missing");

    let entries = store.installation().entries_after(0, 100).await.unwrap();
    let told: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.fact {
            Fact::User { change, role, .. } => Some((entry.actor.as_str(), *change, *role)),
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            ("user:root", UserChange::Added, Role::Operator),
            ("user:root", UserChange::Changed, Role::Approver),
            ("user:ada", UserChange::Removed, Role::Approver),
        ]
    );
    // A person's name and address are no part of what can't be erased, and a password is nowhere in it.
    let page = store.export(None).page(0, 100).await.unwrap();
    for exported in page {
        let body = exported.sealed.body;
        assert!(
            !["Doe", "example.com", "argon2"]
                .iter()
                .any(|word| body.contains(word)),
            "{body}"
        );
    }
    assert_holds(store).await;
    add(store, "jo", Role::Viewer).await;
    bed.run("UPDATE users SET role = 'admin'").await.unwrap();
    let found = store.verify().await.unwrap();
    assert_eq!(found.faults.len(), 1);
    assert!(
        found.faults[0].cause.contains("the user jo holds `admin`"),
        "{}",
        found.faults[0].cause
    );
}

pub(crate) async fn the_last_admin_stays(_: &Bed, store: &Store) {
    let people = store.people();
    add(store, "ada", Role::Admin).await;
    // One who can't sign in keeps nobody's users.
    people
        .add(&new_user("max", Role::Admin), None, "user:ada")
        .await
        .unwrap();
    let edits = [
        UserEdit {
            role: Some(Role::Approver),
            ..UserEdit::default()
        },
        UserEdit {
            disabled: Some(true),
            ..UserEdit::default()
        },
    ];
    for edit in &edits {
        let refused = people.change("ada", edit, "user:ada").await.unwrap_err();
        assert_eq!(refused.code().as_str(), "last-admin");
    }
    let refused = people.remove("ada", "user:ada").await.unwrap_err();
    assert_eq!(refused.code().as_str(), "last-admin");

    let subject = UserEdit {
        subject: Some("https://id.example.com 42".to_owned()),
        ..UserEdit::default()
    };
    people.change("max", &subject, "user:ada").await.unwrap();
    let max = people.user_by_subject("https://id.example.com 42").await;
    assert_eq!(max.unwrap().unwrap().name, "max");
    let taken = people.change("ada", &subject, "user:ada").await;
    assert_eq!(taken.unwrap_err().code().as_str(), "user-exists");
    people.change("ada", &edits[0], "user:max").await.unwrap();
    assert_holds(store).await;
}

pub(crate) async fn a_password_is_kept_as_a_hash_alone(_: &Bed, store: &Store) {
    let people = store.people();
    add(store, "jo", Role::Viewer).await;
    let kept = people.password("jo").await.unwrap().unwrap();
    assert!(kept.opens(&"jo's long password".into()));
    assert!(!kept.opens(&"jo's long passwore".into()) && !kept.is_outdated());
    assert_eq!(people.password("nobody").await.unwrap(), None);

    let other = store
        .hash_password("jo", &"another long one".into())
        .unwrap();
    people.rehash("jo", &other, &other).await.unwrap();
    let same = people.password("jo").await.unwrap().unwrap();
    assert!(same == kept, "it was changed by who didn't know it");
    people
        .set_password("jo", &other, None, "user:jo")
        .await
        .unwrap();
    let kept = people.password("jo").await.unwrap().unwrap();
    assert!(kept.opens(&"another long one".into()));

    let off = UserEdit {
        disabled: Some(true),
        ..UserEdit::default()
    };
    people.change("jo", &off, "user:root").await.unwrap();
    assert_eq!(people.password("jo").await.unwrap(), None);
    let again = store.hash_password("jo", &"jo".into()).unwrap_err();
    assert_eq!(again.code().as_str(), "password-unfit");
}

pub(crate) async fn a_session_ends_by_itself(bed: &Bed, store: &Store) {
    add(store, "jo", Role::Viewer).await;
    let idle = open(store, "jo").await.unwrap();
    let used = open(store, "jo").await.unwrap();
    assert_ne!(idle.expose_secret(), used.expose_secret());
    assert!(!is_open(store, &"0".repeat(64).into()).await);
    for _ in 0..2 {
        bed.clock.advance(Duration::from_secs(1700));
        assert!(is_open(store, &used).await);
    }
    assert!(!is_open(store, &idle).await, "it was not used for so long");
    for _ in 0..24 {
        bed.clock.advance(Duration::from_secs(1700));
        is_open(store, &used).await;
    }
    assert!(!is_open(store, &used).await, "no session is for ever");
    assert!(open(store, "nobody").await.is_err());
    open(store, "jo").await.unwrap();
    let left = store.people().sessions(LIMITS).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].source, "203.0.113.7");
    let signed_in = store.people().user("jo").await.unwrap().unwrap().signed_in;
    assert!(signed_in.is_some());
}

pub(crate) async fn a_session_ends_with_what_it_rests_on(_: &Bed, store: &Store) {
    let people = store.people();
    add(store, "ada", Role::Admin).await;
    add(store, "jo", Role::Operator).await;
    let other = open(store, "ada").await.unwrap();

    let kept = open(store, "jo").await.unwrap();
    let renamed = UserEdit {
        display: Some("Jo R. Doe".to_owned()),
        ..UserEdit::default()
    };
    people.change("jo", &renamed, "user:ada").await.unwrap();
    assert!(is_open(store, &kept).await);
    let (session, _) = people.session(&kept, LIMITS).await.unwrap().unwrap();
    let second = open(store, "jo").await.unwrap();
    let password = store.hash_password("jo", &"quite another one".into());
    people
        .set_password("jo", &password.unwrap(), Some(&session.id), "user:jo")
        .await
        .unwrap();
    assert!(is_open(store, &kept).await && !is_open(store, &second).await);

    people.end_session(&session.id).await.unwrap();
    assert!(!is_open(store, &kept).await);
    for edit in [
        UserEdit {
            role: Some(Role::Viewer),
            ..UserEdit::default()
        },
        UserEdit {
            disabled: Some(true),
            ..UserEdit::default()
        },
    ] {
        let secret = open(store, "jo").await.unwrap();
        people.change("jo", &edit, "user:ada").await.unwrap();
        assert!(!is_open(store, &secret).await);
    }
    assert!(open(store, "jo").await.is_err(), "jo is disabled");
    let on = UserEdit {
        disabled: Some(false),
        ..UserEdit::default()
    };
    people.change("jo", &on, "user:ada").await.unwrap();
    let secret = open(store, "jo").await.unwrap();
    people.sign_out("jo", "user:ada").await.unwrap();
    assert!(!is_open(store, &secret).await);
    let secret = open(store, "jo").await.unwrap();
    people.remove("jo", "user:ada").await.unwrap();
    assert!(!is_open(store, &secret).await);
    assert!(is_open(store, &other).await, "it is somebody else's");
    assert_holds(store).await;
}

pub(crate) async fn a_token_is_good_while_its_owner_is(bed: &Bed, store: &Store) {
    let people = store.people();
    add(store, "ada", Role::Admin).await;
    add(store, "jo", Role::Operator).await;
    let now = jiff_now(store).await;
    let new = NewToken {
        name: "nightly".to_owned(),
        user: "jo".to_owned(),
        scope: Scope::Operate,
        expires: Some(now + Duration::from_secs(3600)),
        tenants: Vec::new(),
    };
    let secret = people.make_token(&new, "user:jo").await.unwrap();
    let taken = people.make_token(&new, "user:jo").await.unwrap_err();
    assert_eq!(taken.code().as_str(), "token-exists");
    let (token, owner) = people.token(&secret).await.unwrap().unwrap();
    assert_eq!(
        (token.actor().as_str(), token.scope, owner.name.as_str()),
        ("token:nightly", Scope::Operate, "jo")
    );
    assert!(people.tokens().await.unwrap()[0].used.is_some());
    assert_eq!(people.token(&"tieout_0".into()).await.unwrap(), None);

    let disabled = |off| UserEdit {
        disabled: Some(off),
        ..UserEdit::default()
    };
    people
        .change("jo", &disabled(true), "user:ada")
        .await
        .unwrap();
    assert_eq!(people.token(&secret).await.unwrap(), None);
    people
        .change("jo", &disabled(false), "user:ada")
        .await
        .unwrap();
    assert!(people.token(&secret).await.unwrap().is_some());
    bed.clock.advance(Duration::from_secs(3600));
    assert_eq!(people.token(&secret).await.unwrap(), None, "it is over");

    let lasting = NewToken {
        name: "board".to_owned(),
        expires: None,
        ..new
    };
    let secret = people.make_token(&lasting, "user:jo").await.unwrap();
    people.revoke_token("nightly", "user:ada").await.unwrap();
    let missing = people.revoke_token("nightly", "user:ada").await;
    assert_eq!(missing.unwrap_err().code().as_str(), "token-missing");
    people.remove("jo", "user:ada").await.unwrap();
    assert_eq!(people.token(&secret).await.unwrap(), None);
    let entries = store.installation().entries_after(0, 100).await.unwrap();
    let revoked = entries.iter().filter(|entry| {
        matches!(
            &entry.fact,
            Fact::Token {
                change: TokenChange::Revoked,
                ..
            }
        ) && entry.actor == "user:ada"
    });
    assert_eq!(
        revoked.count(),
        2,
        "those of a removed user are told of, too"
    );
    let shown = format!("{entries:?}");
    assert!(!shown.contains(secret.expose_secret()));
    assert_holds(store).await;
}

async fn jiff_now(store: &Store) -> tieout_domain::Timestamp {
    let user = store.people().user("ada").await.unwrap().unwrap();
    user.created
}

pub(crate) async fn failed_sign_ins_wait_longer_each_time(bed: &Bed, store: &Store) {
    let people = store.people();
    for _ in 0..3 {
        let attempt = people.attempt("user:jo", 2).await.unwrap();
        assert_eq!(attempt, Attempt::Counted);
    }
    let Attempt::Wait(until) = people.attempt("user:jo", 2).await.unwrap() else {
        panic!("the third failure has no wait");
    };
    let again = people.attempt("user:jo", 2).await.unwrap();
    assert_eq!(again, Attempt::Wait(until), "waiting is no failure");
    assert_eq!(
        people.attempt("from:203.0.113.7", 2).await.unwrap(),
        Attempt::Counted
    );
    bed.clock.advance(Duration::from_secs(2));
    assert_eq!(
        people.attempt("user:jo", 2).await.unwrap(),
        Attempt::Counted
    );
    bed.clock.advance(Duration::from_secs(3));
    assert!(matches!(
        people.attempt("user:jo", 2).await.unwrap(),
        Attempt::Wait(_)
    ));
    people.forgive_attempt("user:jo").await.unwrap();
    assert_eq!(
        people.attempt("user:jo", 2).await.unwrap(),
        Attempt::Counted
    );
    people.clear_attempts("user:jo").await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            people.attempt("user:jo", 2).await.unwrap(),
            Attempt::Counted
        );
    }
    bed.clock.advance(Duration::from_secs(25 * 3600));
    assert_eq!(
        people.attempt("user:jo", 2).await.unwrap(),
        Attempt::Counted
    );
    assert_eq!(
        people.attempt("user:jo", 2).await.unwrap(),
        Attempt::Counted
    );
}

pub(crate) async fn who_asks_does_not_approve(bed: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let asked = Asked {
        what: "mapping".to_owned(),
        subject: "account/1090".to_owned(),
        proposal: json!({"to": "0ac", "name": "Clearing"}),
        reason: "it is the clearing account".to_owned(),
    };
    let id = connection
        .ask_approval(&asked, "jo", "user:jo")
        .await
        .unwrap();
    let twice = connection.ask_approval(&asked, "ada", "user:ada").await;
    assert_eq!(twice.unwrap_err().code().as_str(), "approval-open");

    let follows = |text: &str| Commit {
        actor: "user:ada".to_owned(),
        ..facts(vec![Fact::Note {
            text: text.to_owned(),
        }])
    };
    let decide = |id, decision, user: &'static str| {
        let connection = connection.clone();
        async move {
            let then = follows("done");
            connection
                .decide_approval(id, decision, user, "seen", then)
                .await
        }
    };
    let own = decide(id, ApprovalDecision::Approved, "jo").await;
    assert_eq!(own.unwrap_err().code().as_str(), "approval-by-asker");
    // Also past the look that comes first.
    let behind = connection
        .commit(facts(vec![Fact::ApprovalDecided {
            request: id,
            decision: ApprovalDecision::Approved,
            user: "jo".to_owned(),
            reason: String::new(),
        }]))
        .await;
    assert_eq!(behind.unwrap_err().code().as_str(), "store-contradiction");
    decide(id, ApprovalDecision::Approved, "ada").await.unwrap();
    let again = decide(id, ApprovalDecision::Declined, "ada").await;
    assert_eq!(again.unwrap_err().code().as_str(), "approval-closed");
    let never = decide(999, ApprovalDecision::Declined, "ada").await;
    assert_eq!(never.unwrap_err().code().as_str(), "approval-closed");

    let approval = connection.approval(id).await.unwrap().unwrap();
    assert_eq!(approval.status, ApprovalStatus::Approved);
    assert_eq!(approval.proposal, asked.proposal);
    assert_eq!(approval.decided_by.as_deref(), Some("ada"));
    let notes = connection.entries_after(0, 100).await.unwrap();
    let notes = notes
        .iter()
        .filter(|entry| matches!(entry.fact, Fact::Note { .. }))
        .count();
    assert_eq!(notes, 1, "what follows is recorded with the approval alone");

    let second = connection
        .ask_approval(&asked, "jo", "token:ci")
        .await
        .unwrap();
    assert_eq!(connection.open_approvals().await.unwrap()[0].id, second);
    connection
        .decide_approval(
            second,
            ApprovalDecision::Declined,
            "jo",
            "",
            Commit::default(),
        )
        .await
        .unwrap();
    assert!(connection.open_approvals().await.unwrap().is_empty());
    let decided = connection.decided_approvals(10).await.unwrap();
    assert_eq!(decided.len(), 2);
    assert_holds(store).await;
    bed.run("UPDATE approvals SET asked_by = 'max'")
        .await
        .unwrap();
    assert_eq!(store.verify().await.unwrap().faults.len(), 1);
}

pub(crate) async fn somebody_with_a_last_day_is_a_user_until_then(bed: &Bed, store: &Store) {
    let people = store.people();
    add(store, "ada", Role::Admin).await;
    let until = bed.clock.now() + Duration::from_secs(3600);
    let mut new = new_user("support", Role::Admin);
    new.until = Some(until);
    let password = store.hash_password("support", &"a long password".into());
    let added = people.add(&new, Some(&password.unwrap()), "user:ada").await;
    assert_eq!(added.unwrap().until, Some(until));
    // Who goes by themselves can't be the last one to keep the users.
    let last = people.remove("ada", "user:ada").await;
    assert_eq!(last.unwrap_err().code().as_str(), "last-admin");
    bed.clock.advance(Duration::from_secs(1800));
    let secret = open(store, "support").await.unwrap();
    assert!(is_open(store, &secret).await);
    assert!(people.password("support").await.unwrap().is_some());
    bed.clock.advance(Duration::from_secs(1799));
    assert!(is_open(store, &secret).await);
    bed.clock.advance(Duration::from_secs(1));
    assert!(!is_open(store, &secret).await);
    assert!(people.password("support").await.unwrap().is_none());
    assert!(open(store, "support").await.is_err());
    let stays = UserEdit {
        until: Some(None),
        ..UserEdit::default()
    };
    people.change("support", &stays, "user:ada").await.unwrap();
    assert!(open(store, "support").await.is_ok());
    assert_holds(store).await;
}

pub(crate) async fn s247_who_was_removed_is_erased_and_the_chain_holds(bed: &Bed, store: &Store) {
    let people = store.people();
    add(store, "ada", Role::Admin).await;
    add(store, "jo", Role::Operator).await;
    let early = people.erase("jo", "user:ada").await;
    assert_eq!(early.unwrap_err().code().as_str(), "user-still-there");
    let edit = UserEdit {
        subject: Some("0a1b-at-the-provider".to_owned()),
        ..UserEdit::default()
    };
    people.change("jo", &edit, "user:jo").await.unwrap();
    assert_holds(store).await;
    people.attempt("user:jo", 2).await.unwrap();
    people.remove("jo", "user:ada").await.unwrap();
    assert_eq!(people.erase("jo", "user:ada").await.unwrap(), 3);
    let nobody = people.erase("mo", "user:ada").await;
    assert_eq!(nobody.unwrap_err().code().as_str(), "user-missing");
    let entries = store.installation().entries_after(0, 100).await.unwrap();
    let told = format!("{entries:?}");
    assert!(
        !["jo Doe", "jo@example.com", "at-the-provider"]
            .iter()
            .any(|word| told.contains(word)),
        "{told}"
    );
    // Who did what stays, as the book says: the name is part of what the chain's hashes are made of.
    assert!(entries.iter().any(|entry| entry.actor == "user:jo"));
    let tries = bed
        .run("DELETE FROM attempts WHERE name = 'user:jo'")
        .await
        .unwrap();
    assert_eq!(tries, 0);
    assert!(
        told.contains("ada Doe") && told.contains("UserErased"),
        "{told}"
    );
    assert_holds(store).await;
}

pub(crate) async fn a_sign_in_that_was_begun_elsewhere_ends_once(_: &Bed, store: &Store) {
    let people = store.people();
    assert!(people.finish_sign_in("one").await.unwrap());
    assert!(!people.finish_sign_in("one").await.unwrap());
    assert!(people.finish_sign_in("two").await.unwrap());
}

pub(crate) async fn what_leaves_no_entry_is_remembered_by_its_moment(_: &Bed, store: &Store) {
    assert_eq!(
        store.moments().await.unwrap(),
        tieout_store::Moments::default()
    );
    store.backed_up().await.unwrap();
    store.credential_used("acme-bill").await.unwrap();
    store.credential_used("acme-bill").await.unwrap();
    store.webhooks_kept().await.unwrap();
    let moments = store.moments().await.unwrap();
    assert!(moments.backup.is_some() && moments.webhooks.is_some());
    assert!(moments.credentials.keys().eq(["acme-bill"]));
}
