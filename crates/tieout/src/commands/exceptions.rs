//! `tieout exceptions`: what waits for a person, grouped by cause, and what a person decides.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Money, RecordRef, State};
use tieout_store::{Commit, ConnectionStore, Due, ExceptionGroup, Fact, Item, ItemFilter};

use super::audit::find;
use crate::assemble::{actor, flow_names};
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;

/// What `exceptions` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ExceptionsArgs {
    /// Which connections; all if none is named.
    #[arg(value_name = "CONN")]
    pub connections: Vec<String>,
    /// Show too what waits for something that resolves by itself.
    #[arg(long)]
    pub all: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Leaves records alone from now on: SKIPPED(ignored).
    Ignore(Chosen),
    /// Looks at records again, and takes back what was decided about them.
    Retry(Chosen),
    /// Says what a record is: linked to one over there, to be created, or accepted as it is.
    Resolve {
        #[command(flatten)]
        chosen: Chosen,
        /// It is this record over there, as SIDE/KIND/ID.
        #[arg(long, value_name = "SIDE/KIND/ID", conflicts_with_all = ["create", "accept"])]
        link: Option<RecordRef>,
        /// It has no counterpart: create it.
        #[arg(long, conflicts_with = "accept")]
        create: bool,
        /// The warning is understood: go on.
        #[arg(long)]
        accept: bool,
    },
}

#[derive(Debug, Args)]
struct Chosen {
    /// Records by SIDE/KIND/ID, id or number.
    #[arg(value_name = "RECORD")]
    records: Vec<String>,
    /// All records of this group, as `exceptions --json` names it.
    #[arg(long)]
    group: Option<String>,
    /// All records with this code.
    #[arg(long)]
    code: Option<String>,
    /// Why: goes into the history.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Only of this connection.
    #[arg(long, value_name = "CONN")]
    connection: Option<String>,
}

/// How many items are read at once.
const PAGE: u32 = 1000;

/// Lists what waits, or records what a person decides.
pub async fn run(global: &Global, args: &ExceptionsArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    match &args.action {
        None => list(global, &home, args).await,
        Some(Action::Ignore(chosen)) => decide(global, &home, chosen, "ignore").await,
        Some(Action::Retry(chosen)) => decide(global, &home, chosen, "").await,
        Some(Action::Resolve {
            chosen,
            link,
            create,
            accept,
        }) => {
            let decision = match (link, create, accept) {
                (Some(target), ..) => format!("link {target}"),
                (None, true, _) => "create".to_owned(),
                (None, false, true) => "accept".to_owned(),
                _ => {
                    let cause = "say what it is: --link SIDE/KIND/ID, --create or --accept";
                    return Err(Failure::usage(Code::new("usage"), cause));
                }
            };
            decide(global, &home, chosen, &decision).await
        }
    }
}

/// One cause with all its effects, over the flows.
struct Cause {
    state: State,
    code: Option<Code>,
    group: String,
    groups: Vec<ExceptionGroup>,
}

impl Cause {
    fn count(&self) -> u64 {
        self.groups.iter().map(|group| group.count).sum()
    }

    fn first(&self) -> Option<&ExceptionGroup> {
        self.groups.iter().min_by_key(|group| group.oldest)
    }

    fn amounts(&self) -> Vec<Money> {
        let mut sums = BTreeMap::new();
        for money in self.groups.iter().flat_map(|group| &group.amounts) {
            let sum = sums
                .entry(money.currency)
                .or_insert(tieout_domain::Amount::ZERO);
            *sum = [*sum, money.amount].into_iter().sum();
        }
        sums.into_iter()
            .map(|(currency, amount)| amount.of(currency))
            .collect()
    }
}

/// Groups that share a cause are one; records without a shared cause stand alone by code.
fn causes(groups: Vec<ExceptionGroup>) -> Vec<Cause> {
    let mut causes: BTreeMap<(Option<Code>, String, u8), Cause> = BTreeMap::new();
    for group in groups {
        let shared = !group.group.is_empty();
        // What shares a cause is one exception, whatever state the flows give it.
        let rank = if shared { 0 } else { group.state as u8 };
        let key = (group.code.clone(), group.group.clone(), rank);
        let cause = causes.entry(key).or_insert_with(|| Cause {
            state: group.state,
            code: group.code.clone(),
            group: group.group.clone(),
            groups: Vec::new(),
        });
        cause.groups.push(group);
    }
    causes.into_values().collect()
}

async fn list(global: &Global, home: &Home, args: &ExceptionsArgs) -> Result<Exit, Failure> {
    let mut all = Vec::new();
    let mut waiting = false;
    for (name, _) in home.config.chosen(&args.connections)? {
        let causes = causes(home.store.connection(name).exceptions(args.all).await?);
        waiting |= causes.iter().any(|cause| cause.state.needs_a_person());
        if !global.json {
            print(name.as_str(), &causes);
        }
        let causes: Vec<_> = causes.iter().map(json_of).collect();
        all.push(json!({"connection": name, "exceptions": causes}));
    }
    if global.json {
        output::json(&json!({ "connections": all }));
    }
    Ok(if waiting {
        Exit::Exceptions
    } else {
        Exit::Done
    })
}

fn print(connection: &str, causes: &[Cause]) {
    if causes.is_empty() {
        output::line(&format!("{connection}: nothing waits for a person"));
    }
    for cause in causes {
        let Some(first) = cause.first() else { continue };
        let code = cause.code.as_ref();
        let page = code.and_then(Code::page);
        let title = page.map_or("", |page| page.title());
        let amounts: Vec<_> = cause.amounts().iter().map(ToString::to_string).collect();
        let amounts = if amounts.is_empty() {
            String::new()
        } else {
            format!(", {}", amounts.join(" and "))
        };
        output::line(&format!(
            "{connection}: {} × {}({}): {title}{amounts}, oldest {:.0}",
            cause.count(),
            cause.state,
            code.map(ToString::to_string).unwrap_or_default(),
            first.oldest
        ));
        output::line(&format!("  {}", first.cause));
        for group in &cause.groups {
            let more = if group.count > group.labels.len() as u64 {
                ", …"
            } else {
                ""
            };
            let named: Vec<_> = group
                .labels
                .iter()
                .zip(&group.records)
                .map(|(label, record)| format!("{label} ({record})"))
                .collect();
            output::line(&format!("  {}: {}{more}", group.flow, named.join(", ")));
        }
        if let Some(page) = page {
            output::line(&format!("  fix ({}): {}", page.who(), page.fix()));
        }
    }
}

fn json_of(cause: &Cause) -> Value {
    let page = cause.code.as_ref().and_then(Code::page);
    json!({
        "state": cause.state,
        "code": cause.code,
        "group": cause.group,
        "title": page.map_or("", |page| page.title()),
        "count": cause.count(),
        "amounts": cause.amounts(),
        "oldest": cause.first().map(|group| group.oldest),
        "cause": cause.first().map(|group| group.cause.as_str()),
        "fix": page.map(|page| page.fix()).unwrap_or_default(),
        "who": page.map_or("", |page| page.who()),
        "flows": cause.groups,
    })
}

/// Records a person's decision and makes the records due.
async fn decide(
    global: &Global,
    home: &Home,
    chosen: &Chosen,
    decision: &str,
) -> Result<Exit, Failure> {
    let names: Vec<String> = chosen.connection.iter().cloned().collect();
    let mut decided = Vec::new();
    for (name, _) in home.config.chosen(&names)? {
        let store = home.store.connection(name);
        let items = chosen_items(&store, chosen).await?;
        for page in items.chunks(PAGE as usize) {
            let mut commit = Commit {
                actor: actor(),
                ..Commit::default()
            };
            for item in page {
                commit.facts.push(Fact::Decided {
                    flow: item.flow.clone(),
                    record: item.record.clone(),
                    decision: decision.to_owned(),
                    reason: chosen.reason.clone(),
                });
                commit.due.push(Due {
                    flow: item.flow.clone(),
                    record: item.record.clone(),
                });
                decided.push(format!("{name}: {} ({})", item.label, item.record));
            }
            store.commit(commit).await?;
        }
    }
    if decided.is_empty() {
        let cause = "none of these is an exception of any connection".to_owned();
        return Err(Failure::usage(Code::new("unknown-record"), cause));
    }
    if global.json {
        output::json(&json!({ "decided": decided }));
    } else if !global.quiet {
        decided.iter().for_each(|text| output::line(text));
        output::line("the next sync acts on it");
    }
    Ok(Exit::Done)
}

/// The items that were chosen: by name, by group, by code. A name that stands for several is refused.
async fn chosen_items(store: &ConnectionStore, chosen: &Chosen) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::new();
    for text in &chosen.records {
        let found = find(store, text).await?;
        let mut named = Vec::new();
        for flow in flow_names() {
            named.extend(store.items(flow, &found).await?.into_values());
        }
        if named.len() > 1 && text.parse::<RecordRef>().is_err() {
            let which: Vec<_> = named.iter().map(|item| item.record.to_string()).collect();
            let cause = format!("`{text}` stands for {}; say which one", which.join(", "));
            return Err(Failure::usage(Code::new("unknown-record"), cause));
        }
        items.extend(named);
    }
    if chosen.group.is_none() && chosen.code.is_none() {
        return Ok(items);
    }
    let filter = ItemFilter {
        code: chosen.code.as_ref().map(Code::from_text),
        group: chosen.group.clone(),
        states: State::ALL
            .into_iter()
            .filter(|state| state.needs_a_person())
            .collect(),
        ..ItemFilter::default()
    };
    let mut after: Option<(String, RecordRef)> = None;
    loop {
        let from = after.as_ref().map(|(flow, record)| (flow.as_str(), record));
        let page = store.items_page(&filter, from, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(items);
        };
        after = Some((last.flow.clone(), last.record.clone()));
        items.extend(page);
    }
}
