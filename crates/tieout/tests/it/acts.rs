//! What people do on either side, and what became of it, in one line each.

use serde_json::{Value, json};
use tieout_domain::document::{Bill, Payment, VendorCredit};
use tieout_domain::{Amount, Document, Kind, RecordRef, RemoteId, Side};
use tieout_engine::RunReport;
use tieout_engine::compare::compare;
use tieout_store::{Commit, Due, Fact};

use crate::stage::Stage;

pub(crate) fn ledger(kind: Kind, id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Ledger, kind, id.clone())
}

pub(crate) fn platform(kind: Kind, id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Platform, kind, id.clone())
}

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

impl Stage {
    /// A person in NetSuite makes a record.
    pub(crate) async fn enter(&self, record: &str, fields: Value) -> RemoteId {
        let path = format!("/control/netsuite/{record}");
        let made = self.panel.post(&path, &fields.to_string()).await.unwrap();
        RemoteId::from(made["id"].as_str().unwrap())
    }

    /// A person in NetSuite edits a record.
    pub(crate) async fn edit(&self, record: &str, id: &RemoteId, fields: Value) {
        self.in_netsuite(record, id, json!({"action": "edit", "fields": fields}))
            .await;
    }

    /// A person in BILL does something.
    pub(crate) async fn in_bill(&self, path: &str, body: Value) -> Value {
        let path = format!("/control/bill/{path}");
        self.panel.post(&path, &body.to_string()).await.unwrap()
    }

    /// A person in BILL pays bills, using credits.
    pub(crate) async fn pay_with(&self, body: Value) -> RemoteId {
        RemoteId::from(self.in_bill("pay", body).await["id"].as_str().unwrap())
    }

    /// A person decides about a record, as `tieout exceptions` would.
    pub(crate) async fn decide(&self, flow: &str, record: &RecordRef, decision: &str) {
        let (flow, record) = (flow.to_owned(), record.clone());
        let fact = Fact::Decided {
            flow: flow.clone(),
            record: record.clone(),
            decision: decision.to_owned(),
            reason: "a test's".to_owned(),
        };
        let commit = Commit {
            actor: "test".to_owned(),
            facts: vec![fact],
            due: vec![Due { flow, record }],
            ..Commit::default()
        };
        self.connection.store.commit(commit).await.unwrap();
    }

    /// A record's state in a flow: `BLOCKED(already-paid)`.
    pub(crate) async fn state_of(&self, flow: &str, record: &RecordRef) -> String {
        self.item(flow, record).await.outcome.to_string()
    }

    pub(crate) async fn payment_state(&self, id: &RemoteId) -> String {
        self.state_of("bill-payments", &platform(Kind::Payment, id))
            .await
    }

    pub(crate) async fn bill_of(&self, record: &RecordRef) -> Bill {
        match self.record(record).await.observed.document {
            Document::Bill(bill) => bill,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn ledger_bill(&self, id: &RemoteId) -> Bill {
        self.bill_of(&ledger(Kind::Bill, id)).await
    }

    pub(crate) async fn platform_bill(&self, id: &RemoteId) -> Bill {
        self.bill_of(&platform(Kind::Bill, id)).await
    }

    pub(crate) async fn ledger_credit(&self, id: &RemoteId) -> VendorCredit {
        match self
            .record(&ledger(Kind::VendorCredit, id))
            .await
            .observed
            .document
        {
            Document::VendorCredit(credit) => credit,
            other => panic!("{other:?}"),
        }
    }

    /// What a flow has linked a record to.
    pub(crate) async fn target(&self, flow: &str, record: &RecordRef) -> Option<RecordRef> {
        let links = self
            .connection
            .store
            .links(flow, std::slice::from_ref(record))
            .await
            .unwrap();
        links
            .into_iter()
            .find(|link| link.role.is_empty())
            .map(|link| link.target)
    }

    /// Payments that were posted to the ledger.
    pub(crate) async fn postings(&self) -> Vec<(RemoteId, Payment)> {
        let records = self.records(Side::Ledger, Kind::Payment).await;
        records
            .into_iter()
            .filter(|record| !record.gone)
            .filter_map(|record| match record.observed.document {
                Document::Payment(payment) if payment.external_id.is_some() => {
                    Some((record.observed.id, payment))
                }
                _ => None,
            })
            .collect()
    }

    pub(crate) async fn only_posting(&self) -> (RemoteId, Payment) {
        let mut postings = self.postings().await;
        assert_eq!(postings.len(), 1, "{postings:#?}");
        postings.remove(0)
    }

    /// The latest bill that is open on both sides, and its vendor in the ledger: its period is open.
    pub(crate) async fn an_open_bill(&self) -> (RemoteId, RemoteId, RemoteId) {
        let mut found = Vec::new();
        for (ledger, platform) in self.open_pairs().await {
            let bill = self.ledger_bill(&ledger).await;
            if bill.total > amount("50") && bill.currency == tieout_domain::Currency::USD {
                found.push((bill.date, ledger, platform, bill.vendor));
            }
        }
        let (_, ledger, platform, vendor) = found.into_iter().max().expect("an open bill");
        (ledger, platform, vendor)
    }

    /// The sides agree, and nothing is left to write.
    pub(crate) async fn assert_tied(&self) {
        let comparison = compare(&self.connection.store).await.unwrap();
        assert!(comparison.agrees(), "{comparison:#?}");
        self.assert_no_duplicates().await;
        self.assert_quiet().await;
    }

    /// Two syncs: the second one writes nothing.
    pub(crate) async fn sync_twice(&self) -> RunReport {
        let report = self.sync().await;
        let again = self.sync().await;
        assert_eq!(again.written, 0);
        report
    }
}

impl Stage {
    /// A person enters a vendor credit in NetSuite.
    pub(crate) async fn credit(&self, vendor: &RemoteId, number: &str, amount: f64) -> RemoteId {
        let fields = json!({"entity": vendor, "tranId": number, "amount": amount});
        self.enter("vendorcredit", fields).await
    }

    /// An expense account that can be posted to, and has its counterpart.
    pub(crate) async fn ledger_account(&self) -> RemoteId {
        let (bill, ..) = self.an_open_bill().await;
        self.ledger_bill(&bill).await.lines[0]
            .account
            .clone()
            .unwrap()
    }
}

impl Stage {
    /// Another vendor that is linked and active.
    pub(crate) async fn another_vendor(&self, vendor: &RemoteId) -> RemoteId {
        for (bill, _) in self.open_pairs().await {
            let bill = self.ledger_bill(&bill).await;
            if bill.vendor != *vendor && bill.currency == tieout_domain::Currency::USD {
                return bill.vendor;
            }
        }
        panic!("no other vendor")
    }
}

impl Stage {
    /// Closes the posting period of a day.
    pub(crate) async fn close_period(&self, day: tieout_domain::Date) {
        let path = format!("/control/netsuite/periods/{}", day.strftime("%b%%20%Y"));
        let body = json!({"state": "closed"}).to_string();
        self.panel.post(&path, &body).await.unwrap();
    }

    /// The process date of a payment of the platform, as BILL tells it.
    pub(crate) async fn payment_day(&self, payment: &RemoteId) -> tieout_domain::Date {
        let reader = self
            .connection
            .sides
            .reader(Side::Platform, Kind::Payment)
            .unwrap();
        let found = reader.fetch(std::slice::from_ref(payment)).await.unwrap();
        found[0].document.date().unwrap()
    }
}
