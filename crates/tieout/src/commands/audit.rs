//! `tieout audit`: one record's whole life, and the check of the history.

use clap::{Args, Subcommand};
use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::{Kind, RecordRef, Side};
use tieout_store::{ConnectionStore, Entry, Fact, Item, Link, Mirrored, Verification};

use crate::assemble::flow_names;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::story;

/// What `audit` takes.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
pub struct AuditArgs {
    /// Something other than a record's life or the check.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// A record by SIDE/KIND/ID, id, number, name or external id, of either side; or `verify`.
    #[arg(value_name = "RECORD", required = true)]
    pub record: Option<String>,
    /// Only of this connection.
    #[arg(long, value_name = "CONN")]
    pub connection: Option<String>,
}

/// What else an auditor asks for.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// A month's evidence as files that can be read and checked without tieout.
    Export(super::export::ExportArgs),
    /// Takes a person's values out of the history, which still verifies.
    Erase(super::erase::EraseArgs),
}

/// How many records one name may stand for.
const FOUND_MAX: u32 = 20;

/// The word of what is said of a mapping.
const MAPPED: &str = "mapped";

/// How many entries are read at once.
const PAGE: u32 = 1000;

/// Tells a record's life, verifies the history, exports a month of it, or erases a person's values.
pub async fn run(global: &Global, args: &AuditArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.action {
        None => {}
        Some(Action::Export(args)) => return super::export::run(global, &home, args).await,
        Some(Action::Erase(args)) => return super::erase::run(global, &home, args).await,
    }
    let sought = args.record.as_deref().unwrap_or_default();
    if sought == "verify" {
        return Ok(verify(global, &home.store.verify().await?));
    }
    let mut told = Vec::new();
    let names: Vec<String> = args.connection.iter().cloned().collect();
    for (name, _) in home.config.chosen(&names)? {
        let store = home.store.connection(name);
        for record in find(&store, sought).await? {
            let life = life(&store, record).await?;
            if !global.json {
                life.print(name.as_str());
            }
            told.push(json!({
                "connection": name, "record": life.record, "now": life.now, "states": life.items,
                "links": life.links, "history": life.history,
            }));
        }
    }
    if told.is_empty() {
        let cause = format!("`{sought}` is no record that is known");
        return Err(Failure::usage(Code::new("unknown-record"), cause));
    }
    if global.json {
        output::json(&json!({ "records": told }));
    }
    Ok(Exit::Done)
}

/// The records that a text names.
pub async fn find(store: &ConnectionStore, text: &str) -> Result<Vec<RecordRef>, Failure> {
    if let Ok(record) = text.parse::<RecordRef>() {
        let ids = [record.id.clone()];
        let known = store.known(record.side, record.kind, &ids).await?;
        // What was made and is never read, a reversing journal entry, is known by its link alone.
        let told = !known.is_empty()
            || !store
                .links_to(std::slice::from_ref(&record))
                .await?
                .is_empty();
        return Ok(if told { vec![record] } else { Vec::new() });
    }
    Ok(store
        .find(text, FOUND_MAX)
        .await?
        .into_iter()
        .map(|(record, _)| record)
        .collect())
}

/// Everything that is known of a record.
struct Life {
    record: RecordRef,
    now: Option<Mirrored>,
    items: Vec<Item>,
    links: Vec<Link>,
    history: Vec<Entry>,
}

async fn life(store: &ConnectionStore, record: RecordRef) -> Result<Life, Failure> {
    let one = std::slice::from_ref(&record);
    let mut links = store.links_to(one).await?;
    // A counterpart's life is told with the record that it stands for.
    let origin = links
        .first()
        .map_or_else(|| record.clone(), |link| link.record.clone());
    let mut items = Vec::new();
    for flow in flow_names() {
        items.extend(
            store
                .items(flow, std::slice::from_ref(&origin))
                .await?
                .into_values(),
        );
        links.extend(store.links(flow, std::slice::from_ref(&origin)).await?);
    }
    links.sort_by(|a, b| (&a.flow, &a.record, &a.role).cmp(&(&b.flow, &b.record, &b.role)));
    links.dedup_by(|a, b| (&a.flow, &a.record, &a.role) == (&b.flow, &b.record, &b.role));
    let mut history = store.history(&record).await?;
    if origin != record {
        history.extend(store.history(&origin).await?);
    }
    history.extend(mappings(store, &record).await?);
    history.sort_by_key(|entry| entry.seq);
    history.dedup_by_key(|entry| entry.seq);
    let ids = [record.id.clone()];
    let now = store
        .records(record.side, record.kind, &ids)
        .await?
        .remove(&record.id);
    Ok(Life {
        record,
        now,
        items,
        links,
        history,
    })
}

/// What was said of the record's mapping, and of mappings to it.
async fn mappings(store: &ConnectionStore, record: &RecordRef) -> Result<Vec<Entry>, Failure> {
    let mut found = Vec::new();
    let lists = [Kind::Account, Kind::FundingAccount];
    if !lists.contains(&record.kind) && !Kind::DIMENSIONS.contains(&record.kind) {
        return Ok(found);
    }
    let mut after = 0;
    loop {
        let page = store.entries_of(MAPPED, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = last.seq;
        found.extend(
            page.into_iter()
                .filter(|entry| is_mapping_of(entry, record)),
        );
    }
}

/// A ledger's list is mapped to the platform's; a funding account, the platform's, to an account of the ledger.
fn is_mapping_of(entry: &Entry, record: &RecordRef) -> bool {
    let Fact::Mapped { kind, from, to, .. } = &entry.fact else {
        return false;
    };
    let funding = kind == Kind::FundingAccount.as_str();
    let (first, second) = if funding {
        (Side::Platform, Side::Ledger)
    } else {
        (Side::Ledger, Side::Platform)
    };
    let target = if funding {
        Kind::Account.as_str()
    } else {
        kind.as_str()
    };
    let is_from = record.side == first && record.kind.as_str() == kind && record.id == *from;
    let is_to = record.side == second
        && record.kind.as_str() == target
        && to.as_ref().is_some_and(|to| record.id == *to);
    is_from || is_to
}

impl Life {
    fn print(&self, connection: &str) {
        let label = self
            .now
            .as_ref()
            .map(|now| now.observed.document.label())
            .unwrap_or_default();
        let amount = self
            .now
            .as_ref()
            .and_then(|now| now.observed.document.amount())
            .map(|amount| format!(", {amount}"))
            .unwrap_or_default();
        let gone = if self.now.as_ref().is_some_and(|now| now.gone) {
            ", deleted there"
        } else {
            ""
        };
        output::line(&format!(
            "{connection}: {label} ({}{amount}{gone})",
            self.record
        ));
        for item in &self.items {
            let cause = &item.outcome.cause;
            let cause = if cause.is_empty() {
                String::new()
            } else {
                format!(": {cause}")
            };
            output::line(&format!(
                "  {}: {} since {:.0}{cause}",
                item.flow, item.outcome, item.since
            ));
        }
        for link in &self.links {
            let role = if link.role.is_empty() {
                String::new()
            } else {
                format!(" ({})", link.role)
            };
            output::line(&format!(
                "  {}: {} stands for {}{role}, by {}",
                link.flow, link.target, link.record, link.how
            ));
        }
        story::life(&self.history)
            .iter()
            .for_each(|text| output::line(text));
    }
}

fn verify(global: &Global, verification: &Verification) -> Exit {
    if global.json {
        output::json(verification);
    } else {
        for chain in &verification.chains {
            output::line(&format!(
                "{}: {} entries, {}",
                chain.chain, chain.entries, chain.hash
            ));
        }
        for fault in &verification.faults {
            let entry = fault
                .seq
                .map(|seq| format!(" entry {seq}"))
                .unwrap_or_default();
            output::line(&format!("{}{entry}: {}", fault.chain, fault.cause));
        }
        output::line(if verification.holds() {
            "the history holds"
        } else {
            "the history is broken"
        });
    }
    if verification.holds() {
        Exit::Done
    } else {
        Exit::Failed
    }
}
