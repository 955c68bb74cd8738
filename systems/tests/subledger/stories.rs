//! Stories by chance: whatever people book, apply and void, every month end ties.

use serde_json::{Value, json};
use tieout_domain::subledger::Basis;

use crate::stage::{Stage, bare, day};

/// Numbers that look like chance: the same seed, the same story.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = self.below(of.len());
        &of[at]
    }

    fn day(&mut self) -> String {
        let days = ["01", "02", "15", "28", "30"];
        format!("2026-0{}-{}", 3 + self.below(4), self.one(&days))
    }

    fn amount(&mut self) -> String {
        format!("{}.{:02}", 1 + self.below(200), self.below(100))
    }
}

/// Documents of one vendor each.
#[derive(Default)]
struct Made {
    bills: Vec<(usize, String)>,
    credits: Vec<(usize, String)>,
    payments: Vec<String>,
    /// Entries: line 1 is a debit or a credit of this vendor.
    debts: Vec<(usize, String)>,
    claims: Vec<(usize, String)>,
}

async fn tried(stage: &Stage, path: &str, body: Value) -> Option<String> {
    let path: Vec<&str> = path.split('/').collect();
    let told = stage.fake.control(&path, body).await.ok()?;
    Some(told["id"].as_str()?.to_owned())
}

async fn step(stage: &Stage, chance: &mut Chance, made: &mut Made, vendors: &[String]) {
    let (payable, bank) = (stage.account("2000").await, stage.account("1000").await);
    let nth = chance.below(vendors.len());
    let (vendor, date, amount) = (&vendors[nth], chance.day(), chance.amount());
    let document = json!({"vendor": vendor, "number": date, "date": date, "amount": amount});
    match chance.below(10) {
        0..=2 => {
            let bill = stage.person("vendorbill", document).await;
            made.bills.push((nth, bill));
        }
        3 => {
            let credit = stage.person("vendorcredit", document).await;
            made.credits.push((nth, credit));
        }
        4 => {
            let debt = [
                (
                    payable.as_str(),
                    format!("-{amount}"),
                    Some(vendor.as_str()),
                ),
                (bank.as_str(), amount, None),
            ];
            let lines = debt
                .each_ref()
                .map(|line| (line.0, line.1.as_str(), line.2));
            made.debts.push((nth, stage.journal(&date, &lines).await));
        }
        5 => {
            let who = Some(vendor.as_str()).filter(|_| chance.below(3) > 0);
            let claim = [
                (payable.as_str(), amount.clone(), who),
                (
                    payable.as_str(),
                    format!("-{amount}"),
                    Some(chance.one(vendors).as_str()),
                ),
            ];
            let lines = claim
                .each_ref()
                .map(|line| (line.0, line.1.as_str(), line.2));
            let entry = stage.journal(&date, &lines).await;
            if who.is_some() {
                made.claims.push((nth, entry));
            }
        }
        6 if !made.payments.is_empty() => {
            let payment = chance.one(&made.payments);
            tried(
                stage,
                &format!("vendorpayment/{payment}"),
                json!({"action": "void"}),
            )
            .await;
        }
        _ => {
            let paid = [made.bills.as_slice(), made.debts.as_slice()].concat();
            if paid.is_empty() {
                return;
            }
            let (of, document) = chance.one(&paid).clone();
            let part = format!("{}.{:02}", 2 + chance.below(20), chance.below(100));
            let mut body = json!({"vendor": vendors[of], "date": date, "account": bank,
                "apply": [{"doc": document, "apply": true, "amount": part}]});
            let used = [made.credits.as_slice(), made.claims.as_slice()].concat();
            let used: Vec<_> = used.iter().filter(|(whose, _)| *whose == of).collect();
            if !used.is_empty() && chance.below(2) == 0 {
                let (_, credit) = *chance.one(&used);
                body["credit"] = json!([{"doc": credit, "apply": true, "amount": "1.01"}]);
            }
            made.payments
                .extend(tried(stage, "vendorpayment", body).await);
        }
    }
}

#[tokio::test]
async fn whatever_is_booked_applied_and_voided_every_month_end_ties() {
    for seed in 1..=6 {
        let stage = Stage::new(&bare(seed % 2 == 0)).await;
        let by_journal = json!({"void_by_journal": seed % 3 == 0});
        stage.person("switches", by_journal).await;
        let mut vendors = Vec::new();
        for nth in 0..3 {
            vendors.push(stage.vendor(nth).await);
        }
        let mut chance = Chance(seed);
        let mut made = Made::default();
        for _ in 0..120 {
            step(&stage, &mut chance, &mut made, &vendors).await;
        }
        for kind in ["VendBill", "VendCred", "VendPymt", "Journal"] {
            let applied = stage
                .value(&format!(
                    "SELECT COUNT(*) AS links FROM nexttransactionlinelink \
                     WHERE nexttype = '{kind}' OR previoustype = '{kind}'"
                ))
                .await;
            assert_ne!(applied, "0", "{seed}: {kind} is never applied");
        }
        for until in [
            "2026-02-28",
            "2026-03-31",
            "2026-04-30",
            "2026-05-31",
            "2026-06-30",
            "2026-07-31",
        ] {
            stage.assert_ties(until).await;
        }
        // Nothing lies outside of the last day, so by day and by period are the same.
        let by_day = stage.open("2026-12-31", Basis::Day).await;
        assert_eq!(by_day, stage.open("2026-12-31", Basis::Period).await);
        assert!(by_day.iter().all(|row| row.period_end <= day("2026-07-31")));
    }
}
