//! How much an installation of ten thousand connections costs a node that has nothing to do, and how soon its pages answer:
//! on PostgreSQL, with a year of history for each.
//!
//! One connection really syncs a company's year; the others are copies of its rows, made by the database itself. The copies'
//! chains are no chains (a hash covers the connection's name), which neither schedules nor pages look at.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use clap::Args;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Method, Response};
use tieout_kit::Transport as _;
use tieout_kit::transport::Network;

use crate::home::{CONNECTION, Home, Manner};
use crate::nodes::cluster::Cluster;
use crate::nodes::node::Node;
use crate::postgres;
use crate::sandbox::Sandbox;
use crate::workspace::Workspace;

/// Who looks at the pages.
const VISITOR: (&str, &str) = ("visitor", "a long password of nobody's");

/// How long the node may take to listen, and a page to answer.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct ManyArguments {
    /// How many connections.
    #[arg(long, default_value_t = 10_000)]
    connections: u32,
    /// How many bills each has had in its year.
    #[arg(long, default_value_t = 60)]
    bills: u32,
    /// How many runs each has had in its year, beside the first.
    #[arg(long, default_value_t = 52)]
    runs: u32,
    /// For how many seconds the idle node is watched.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How often each page is asked for.
    #[arg(long, default_value_t = 100)]
    requests: u32,
    /// Use the development build.
    #[arg(long)]
    debug: bool,
    /// Use this program, and build none.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Measures, and prints.
pub(crate) fn run(workspace: &Workspace, arguments: &ManyArguments) -> Result<bool> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => workspace.tieout(!arguments.debug)?,
    };
    let cluster = Cluster::start(&postgres::programs()?, false)?;
    let size = [
        "--seed=1".to_owned(),
        format!("--bills={}", arguments.bills),
        format!("--vendors={}", (arguments.bills / 4).max(10)),
    ];
    let sandbox = Sandbox::start(&program, &size)?;
    let address = format!(
        "postgres://tieout@127.0.0.1:{}/postgres",
        cluster.primary_port()
    );
    let alone = Home::connected_to(&program, &sandbox, Manner::default(), &address)?;
    for _ in 0..=arguments.runs {
        alone.sync()?;
    }
    let (name, password) = VISITOR;
    let add = ["users", "add", name, "--role", "admin"];
    alone.must(&add, Some(&format!("{password}\n")))?;
    drop(sandbox);
    copy(&cluster, arguments.connections)?;
    let text = std::fs::read_to_string(alone.path().join("tieout.toml"))?;
    let many = alone.beside(&configuration(&text, arguments.connections)?)?;
    let mut node = Node::new("many".to_owned(), many, Vec::new());
    let start = Instant::now();
    node.start()?;
    let listening = listening(&mut node)?;
    println!("it listens after {:.1} s", start.elapsed().as_secs_f64());
    idle(&cluster, &node, arguments.seconds)?;
    let visitor = Visitor::sign_in(&listening)?;
    pages(&visitor, arguments)?;
    Ok(true)
}

/// Copies the one connection's rows for as many others as are wanted.
fn copy(cluster: &Cluster, connections: u32) -> Result<()> {
    let start = Instant::now();
    let told = cluster.ask(
        "SELECT table_name, string_agg(column_name, ' ' ORDER BY ordinal_position) \
         FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name",
    )?;
    let mut rows = 0;
    for line in told.lines() {
        let Some((table, columns)) = line.split_once('\t') else {
            continue;
        };
        let columns: Vec<&str> = columns.split(' ').collect();
        let owner = ["connection", "chain"]
            .into_iter()
            .find(|name| columns.contains(name));
        // A lease is held by nobody.
        let (Some(owner), false) = (owner, table == "leases") else {
            continue;
        };
        let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
        let values = columns.iter().map(|name| match *name == owner {
            true => format!("'{CONNECTION}-' || lpad(n::text, 5, '0')"),
            false => format!("\"{name}\""),
        });
        let sql = format!(
            "INSERT INTO \"{table}\" ({}) SELECT {} FROM \"{table}\", generate_series(1, {}) AS n \
             WHERE \"{owner}\" = '{CONNECTION}'",
            names.join(", "),
            values.collect::<Vec<_>>().join(", "),
            connections - 1
        );
        let done = cluster.ask(&sql)?;
        let copied: u64 = done.trim().rsplit(' ').next().unwrap_or("0").parse()?;
        rows += copied;
    }
    cluster.ask("ANALYZE")?;
    let held = cluster.ask("SELECT pg_database_size(current_database()) / 1000000")?;
    println!(
        "{connections} connections, {rows} rows and {} MB, were copied in {} s",
        held.trim(),
        start.elapsed().as_secs()
    );
    Ok(())
}

/// The one connection's table for all, and none of them due.
fn configuration(text: &str, connections: u32) -> Result<String> {
    let mut root: toml::Table = text.parse()?;
    let all = root
        .get_mut("connections")
        .and_then(toml::Value::as_table_mut);
    let all = all.context("the configuration has no connections")?;
    let one = all.get_mut(CONNECTION).and_then(toml::Value::as_table_mut);
    let one = one.context("the configuration lacks the connection")?;
    one.insert("schedule".to_owned(), "0 3 1 1 *".into());
    one.insert("whole".to_owned(), "never".into());
    let one = one.clone();
    for number in 1..connections {
        all.insert(format!("{CONNECTION}-{number:05}"), one.clone().into());
    }
    let listen = [("listen".to_owned(), "127.0.0.1:0".into())];
    root.insert("server".to_owned(), toml::Table::from_iter(listen).into());
    Ok(toml::to_string(&root)?)
}

fn listening(node: &mut Node) -> Result<String> {
    let start = Instant::now();
    loop {
        if let Some(address) = node.listening() {
            return Ok(address);
        }
        if start.elapsed() > PATIENCE {
            bail!(
                "the node doesn't listen: {}",
                std::fs::read_to_string(node.log())?
            );
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What a node costs that has nothing to do.
fn idle(cluster: &Cluster, node: &Node, seconds: u64) -> Result<()> {
    let spent = |used: Option<(f64, u64)>| used.map_or(0.0, |(processor, _)| processor);
    let (before, database) = (spent(node.used()), cluster.processor()?);
    std::thread::sleep(Duration::from_secs(seconds));
    let took = spent(node.used()) - before;
    let database = cluster.processor()? - database;
    #[allow(clippy::cast_precision_loss, reason = "a share of a minute")]
    let share = |spent: f64| 100.0 * spent / seconds as f64;
    println!(
        "idle for {seconds} s: the node takes {:.1} % of a processor, the database {:.1} %; the node holds {} MB",
        share(took),
        share(database),
        node.used().map_or(0, |(_, held)| held)
    );
    Ok(())
}

fn pages(visitor: &Visitor, arguments: &ManyArguments) -> Result<()> {
    let one = |nth: u32| format!("{CONNECTION}-{:05}", 1 + nth % (arguments.connections - 1));
    type Page = (&'static str, Box<dyn Fn(u32) -> String>);
    let last = arguments.connections - 1;
    let of = move |nth: u32| format!("{CONNECTION}-{:05}", 1 + nth.wrapping_mul(7919) % last);
    let pages: [Page; 4] = [
        ("overview", Box::new(|_| "/".to_owned())),
        (
            "connection",
            Box::new(move |nth| format!("/connections/{}", of(nth))),
        ),
        ("exceptions", Box::new(|_| "/exceptions".to_owned())),
        ("search", Box::new(|nth| format!("/records?q=INV-{nth}"))),
    ];
    visitor.get(&format!("/connections/{}", one(0)))?;
    let mut told = BTreeMap::new();
    for (name, address) in &pages {
        let mut took = Vec::new();
        for nth in 0..arguments.requests {
            let start = Instant::now();
            let status = visitor.get(&address(nth))?.status();
            took.push(start.elapsed());
            if !status.is_success() {
                bail!("{name} answers {status}");
            }
            // A page that slow needs no more figures.
            if took.iter().sum::<Duration>() > PATIENCE / 5 {
                break;
            }
        }
        took.sort();
        let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
        told.insert(*name, (at(50), at(99), took.len()));
    }
    for (name, (middle, slow, asked)) in told {
        println!("{name}: p50 {middle:.0?}, p99 {slow:.0?} of {asked} requests");
    }
    Ok(())
}

/// Somebody at the pages.
struct Visitor {
    runtime: tokio::runtime::Runtime,
    network: Network,
    base: String,
    cookie: String,
}

impl Visitor {
    fn sign_in(base: &str) -> Result<Self> {
        let mut visitor = Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            network: Network::new().map_err(anyhow::Error::msg)?,
            base: base.to_owned(),
            cookie: String::new(),
        };
        let (name, password) = VISITOR;
        let form = format!(
            "name={name}&password={}",
            password.replace(' ', "+").replace('\'', "%27")
        );
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(format!("{base}/sign-in"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form))?;
        let answer = visitor.send(request)?;
        let given = answer.headers().get(SET_COOKIE);
        let given = given.and_then(|given| given.to_str().ok());
        let cookie = given.and_then(|given| given.split(';').next());
        visitor.cookie = cookie.context("the sign-in was refused")?.to_owned();
        Ok(visitor)
    }

    fn get(&self, path: &str) -> Result<Response<Bytes>> {
        let request = http::Request::builder()
            .uri(format!("{}{path}", self.base))
            .header(COOKIE, &self.cookie)
            .body(Bytes::new())?;
        self.send(request)
    }

    fn send(&self, request: http::Request<Bytes>) -> Result<Response<Bytes>> {
        let sent = self.runtime.block_on(self.network.send(request, PATIENCE));
        sent.map_err(|lost| anyhow::anyhow!("a page: {lost}"))
    }
}
