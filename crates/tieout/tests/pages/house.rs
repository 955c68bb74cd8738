//! A home that has synced, and its pages on a port of loopback.

use std::sync::Arc;

use axum::Extension;
use tieout::seams::WallClock;
use tieout_server::app::Outside;
use tieout_server::people::Role;
use tieout_server::{App, Person};

use crate::stage::Stage;

/// A stage with its pages.
pub(crate) struct House {
    pub(crate) stage: Stage,
    pub(crate) base: String,
}

impl House {
    /// A small world after a sync, some payments and one more sync, seen by somebody who may do everything.
    pub(crate) async fn new() -> Self {
        let stage = Stage::new().await;
        stage.try_sync().await;
        let pairs = stage.open_pairs().await;
        let bills: Vec<_> = pairs.iter().take(3).map(|(_, bill)| bill.clone()).collect();
        for bill in bills {
            stage.pay(&[bill], None, "PROCESSED").await;
        }
        stage.try_sync().await;
        let base = serve(&stage).await;
        Self { stage, base }
    }

    /// Every page, by a name for its picture.
    pub(crate) async fn pages(&self) -> Vec<(&'static str, String)> {
        vec![("overview", "/".to_owned())]
    }
}

async fn serve(stage: &Stage) -> String {
    let person = Person {
        name: "casey".to_owned(),
        role: Role::Admin,
        form_token: "token".to_owned(),
    };
    let app = App {
        store: stage.home.store.clone(),
        program: Arc::new(crate::house::program::Stand::of(stage)),
        clock: Arc::new(WallClock),
        outside: Arc::new(Outside::default()),
    };
    let router = tieout_server::router(app).layer(Extension(person));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    base
}

mod program {
    use async_trait::async_trait;
    use tieout_desk::DeskError;
    use tieout_domain::{ConnectionName, RecordRef};
    use tieout_server::{ConnectionInfo, Program, SyncAsked};

    use crate::stage::Stage;

    /// What stands in for the program: its connection as it is, and runs that are only noted down.
    pub(super) struct Stand {
        connection: ConnectionInfo,
    }

    impl Stand {
        pub(super) fn of(stage: &Stage) -> Self {
            let connection = &stage.connection;
            Self {
                connection: ConnectionInfo {
                    name: connection.store.name().clone(),
                    pair: "netsuite-bill".to_owned(),
                    enabled: true,
                    ledger: "NetSuite".to_owned(),
                    platform: "BILL".to_owned(),
                    time_zone: connection.time_zone.clone(),
                    schedule: Some("every 15 minutes".to_owned()),
                    flows: connection
                        .flows
                        .iter()
                        .map(|flow| flow.name().to_owned())
                        .collect(),
                    next_run: None,
                    running: false,
                },
            }
        }
    }

    #[async_trait]
    impl Program for Stand {
        fn connections(&self) -> Vec<ConnectionInfo> {
            vec![self.connection.clone()]
        }

        async fn sync(&self, _: &ConnectionName, _: SyncAsked) -> Result<(), DeskError> {
            Ok(())
        }

        async fn stays_paused(&self, _: &ConnectionName) -> Result<(), DeskError> {
            Ok(())
        }

        fn address(&self, _: &ConnectionName, _: &RecordRef) -> Option<String> {
            None
        }

        async fn not_ready(&self) -> Vec<String> {
            Vec::new()
        }
    }
}
