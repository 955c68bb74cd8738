//! What is there on both sides before the first sync: how much, what matches already, and what a person
//! says about the rest.

use tieout_domain::document::AccountKind;
use tieout_domain::{Document, Kind, Side};
use tieout_engine::{Connection, Plan};
use tieout_store::{Commit, Due, Fact};

use super::talk::{ask, say};
use crate::failure::Failure;

/// How many of a long list are shown.
pub(super) const SHOWN: usize = 20;

/// How many accounts are looked through for one to pay from.
const ACCOUNTS: u32 = 1000;

/// How many records each side has, and what of them is open.
pub(super) async fn counts(connection: &Connection) -> Result<(), Failure> {
    for kind in [
        Kind::Account,
        Kind::Vendor,
        Kind::Bill,
        Kind::VendorCredit,
        Kind::Payment,
    ] {
        let mut told = Vec::new();
        for side in [Side::Ledger, Side::Platform] {
            let totals = connection.store.totals(side, kind).await?;
            let open: Vec<_> = totals
                .by_currency
                .iter()
                .filter(|total| !total.open.is_zero())
                .filter_map(|total| Some(total.open.of(total.currency?).to_string()))
                .collect();
            let open = if open.is_empty() {
                String::new()
            } else {
                format!(" (open: {})", open.join(", "))
            };
            let system = &connection.sides.of(side).system;
            told.push(format!("{system} {}{open}", totals.count));
        }
        say(&format!("  {kind}: {}", told.join(", ")));
    }
    Ok(())
}

/// What would be linked and created, and what waits for a person's word, asked for one by one.
pub(super) async fn matches(connection: &Connection, plan: &Plan) -> Result<(), Failure> {
    for flow in &plan.flows {
        let of = |action: &str| {
            let fits =
                |step: &&tieout_engine::PlannedStep| step.flow == *flow && step.action == action;
            plan.steps.iter().filter(fits).count()
        };
        let (linked, created) = (of("link"), of("create"));
        if linked + created > 0 {
            say(&format!(
                "  {flow}: {linked} match already and are linked, {created} are created"
            ));
        }
    }
    if plan.choices.is_empty() {
        say("Nothing has to be decided about what is there already.");
        return Ok(());
    }
    say(&format!(
        "{} resemble something that is there:",
        plan.choices.len()
    ));
    for choice in &plan.choices {
        let question = format!(
            "{} ({}): {}\n`link SIDE/KIND/ID`, `create`, `ignore`; nothing leaves it for later",
            choice.label, choice.record, choice.cause
        );
        let decision = loop {
            let answer = ask(connection.store.name(), &question)?;
            let linked = answer.strip_prefix("link ").map(str::trim);
            if linked.is_some_and(|target| target.parse::<tieout_domain::RecordRef>().is_ok())
                || matches!(answer.as_str(), "" | "create" | "ignore")
            {
                break answer;
            }
        };
        if decision.is_empty() {
            continue;
        }
        let (flow, record) = (choice.flow.clone(), choice.record.clone());
        let commit = Commit {
            actor: connection.actor.clone(),
            facts: vec![Fact::Decided {
                flow: flow.clone(),
                record: record.clone(),
                decision,
                reason: "decided while connecting".to_owned(),
            }],
            due: vec![Due { flow, record }],
            ..Commit::default()
        };
        connection.store.commit(commit).await?;
    }
    Ok(())
}

/// The ledger's accounts that payments can be posted from.
pub(super) async fn payment_accounts(connection: &Connection) -> Result<(), Failure> {
    let page = connection
        .store
        .records_page(Side::Ledger, Kind::Account, None, ACCOUNTS)
        .await?;
    say("Accounts of type Bank:");
    for record in page.iter().filter(|record| !record.gone) {
        if let Document::Account(account) = &record.observed.document
            && account.account_kind == AccountKind::Bank
            && !account.inactive
        {
            say(&format!(
                "  {} (internal id {})",
                account.label(),
                record.observed.id
            ));
        }
    }
    Ok(())
}
