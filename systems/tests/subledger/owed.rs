//! The control accounts of receivables, and undeposited funds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tieout_domain::subledger::{Basis, Book, PostingKind};
use tieout_domain::{Amount, Document, Kind, RemoteId};

use crate::receivables::sold;
use crate::stage::Stage;

async fn selling(one_world: bool) -> Stage {
    Stage::with(&sold(one_world), json!({"receivables": true})).await
}

#[tokio::test]
async fn what_customers_owe_is_open_as_their_documents_say_and_comes_to_the_general_ledger() {
    for one_world in [true, false] {
        let stage = selling(one_world).await;
        assert_eq!(stage.ledger.book(), Book::Receivables);
        for until in ["2026-03-31", "2026-05-31", "2026-07-31"] {
            stage.assert_ties(until).await;
        }
        let open = stage.open("2026-07-31", Basis::Period).await;
        let kinds: BTreeSet<&PostingKind> = open.iter().map(|one| &one.kind).collect();
        assert!(kinds.contains(&PostingKind::Invoice) && kinds.contains(&PostingKind::CreditMemo));
        assert!(
            open.iter()
                .all(|one| one.party.is_some() && !one.party_name.is_empty())
        );
        let told: BTreeMap<&RemoteId, Amount> = open
            .iter()
            .filter(|one| one.kind == PostingKind::Invoice)
            .map(|one| (&one.id, one.open))
            .collect();
        let (read, ..) = stage.read(Kind::Invoice, None).await;
        let owed: BTreeMap<&RemoteId, Amount> = read
            .iter()
            .filter_map(|one| match &one.document {
                Document::Invoice(invoice) if invoice.open.is_positive() => told
                    .contains_key(&one.id)
                    .then_some((&one.id, invoice.open)),
                _ => None,
            })
            .collect();
        assert_eq!(told, owed);
        assert!(told.len() > 20, "{}", told.len());
    }
}

#[tokio::test]
async fn a_payment_among_undeposited_funds_names_the_deposit_that_has_taken_it_by_then() {
    let stage = selling(true).await;
    let funds = stage.ledger.undeposited_funds().await.unwrap();
    let [(funds, label)] = &funds[..] else {
        panic!("{funds:?}")
    };
    assert!(label.ends_with("Undeposited Funds"), "{label}");
    let open = stage.open("2026-05-31", Basis::Period).await;
    let owed = open.iter().find(|one| one.kind == PostingKind::Invoice);
    let body = json!({"invoices": [owed.unwrap().id], "date": "2026-05-31", "amount": "1.25"});
    let payment = RemoteId::from(stage.person("customerpayment", body).await);
    let deposit = json!({
        "account": stage.account("1000").await, "date": "2026-06-02",
        "payment": {"items": [{"id": payment.as_str().parse::<i64>().unwrap(), "deposit": true}]},
    });
    let deposit = RemoteId::from(stage.person("deposit", deposit).await);
    let accounts = [funds.clone()];
    let found = |postings: &[tieout_domain::subledger::Posting]| {
        let one = postings.iter().find(|one| one.id == payment).cloned();
        one.unwrap()
    };
    let may = stage.postings(&accounts, "2026-05-31").await;
    assert_eq!(found(&may).deposit, None);
    assert_eq!(found(&may).amount.to_string(), "1.25");
    assert!(may.iter().all(|one| one.id != deposit));
    let june = stage.postings(&accounts, "2026-06-30").await;
    assert_eq!(found(&june).deposit, Some(deposit.clone()));
    let taken: Vec<_> = june.iter().filter(|one| one.id == deposit).collect();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].kind, PostingKind::Deposit);
    assert_eq!(taken[0].amount.to_string(), "-1.25");
    // Asked by the day, the deposit counts from its own day on.
    let first = stage.postings_by(Basis::Day, &accounts, "2026-06-01").await;
    assert_eq!(found(&first).deposit, None);
}
