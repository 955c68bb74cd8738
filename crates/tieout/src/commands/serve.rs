//! `tieout serve`: schedules, webhooks, pages and API, until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tieout_domain::code::Code;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::sandbox::told_to_stop;
use crate::serve::{Service, host_name, notify};

/// What `serve` takes.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// What this node is called among others that serve from the same store; the host's name if none is given.
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
}

/// How long runs that are on may take to end by themselves after the service was told to stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long answers that are being sent may take then.
const ANSWERS: Duration = Duration::from_secs(5);
/// How long the collector may take for the last spans.
const TRACES: Duration = Duration::from_secs(5);

/// Serves until told to stop: then nothing new begins, and runs that are on end. Told a second time, it ends at once;
/// the next run finds what was left without an answer.
pub async fn run(global: &Global, args: &ServeArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let listener = bind(&home.config.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| cannot_listen(&home.config.listen, &error))?;
    let node = args.node.clone().unwrap_or_else(host_name);
    let service = Service::named(home, node).await?;
    let (stop, stopped) = watch::channel(false);
    let router = service
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, router).with_graceful_shutdown(until(stopped));
    let mut served = tokio::spawn(served.into_future());
    let runs = Arc::clone(&service);
    let threads = Threads::new()?;
    let mut working =
        threads.spawn(async move { runs.scheduler.work(runs.clone(), PATIENCE).await });
    let living = tokio::spawn(Arc::clone(&service).live());
    let hearing = tokio::spawn(Arc::clone(&service).hear());
    let sharing = tokio::spawn(Arc::clone(&service).share());
    let watching = tokio::spawn(Arc::clone(&service).watch());
    let telling = tokio::spawn(Arc::clone(&service).tell());
    let subscribing = tokio::spawn(Arc::clone(&service).subscribe());
    let (over, told) = watch::channel(false);
    let tracing = tokio::spawn(Arc::clone(&service).trace(until(told)));
    tell(global, address);
    notify::ready();
    told_to_stop().await;
    notify::stopping();
    service.scheduler.drain();
    watching.abort();
    telling.abort();
    subscribing.abort();
    if !global.quiet {
        eprintln!("stopping: nothing new begins; a second signal ends it at once");
    }
    tokio::select! {
        _ = &mut working => {}
        () = told_to_stop() => return Ok(Exit::Failed),
    }
    let _ = stop.send(true);
    if tokio::time::timeout(ANSWERS, &mut served).await.is_err() {
        served.abort();
    }
    living.abort();
    sharing.abort();
    hearing.abort();
    service.leave().await;
    // The last spans are those of the last runs and answers.
    let _ = over.send(true);
    let _ = tokio::time::timeout(TRACES, tracing).await;
    service.home.store.close().await;
    Ok(Exit::Done)
}

/// Threads of their own for the runs: one that has much to think over keeps no page and no notification waiting.
struct Threads(Option<Runtime>);

impl Threads {
    fn new() -> Result<Self, Failure> {
        let built = Builder::new_multi_thread()
            .enable_all()
            .thread_name("runs")
            .build();
        let unbuilt = |error| {
            let cause = format!("threads for the runs can't be started: {error}");
            Failure::failed(Code::new("threads-refused"), cause)
        };
        Ok(Self(Some(built.map_err(unbuilt)?)))
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        match &self.0 {
            Some(runtime) => runtime.spawn(work),
            None => tokio::spawn(work),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Whatever is still on there is at its end: nobody waits for it.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

async fn bind(listen: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(listen)
        .await
        .map_err(|error| cannot_listen(listen, &error))
}

fn cannot_listen(listen: &str, error: &std::io::Error) -> Failure {
    let cause = format!("`server.listen`: can't listen on {listen}: {error}");
    Failure::failed(Code::new("port-taken"), cause)
}

fn tell(global: &Global, address: SocketAddr) {
    let address = format!("http://{address}");
    if global.json {
        output::json(&json!({"listening": address}));
    } else {
        output::line(&format!("listening on {address}"));
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that nobody is left who could stop it.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
