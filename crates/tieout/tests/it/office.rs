//! The service's own pages over a stage, seen by whoever the test says.

use std::sync::Arc;

use axum::body::Body;
use axum::{Extension, Router};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use tieout::serve::Service;
use tieout_server::Person;
use tieout_server::people::Role;
use tower::ServiceExt as _;

use crate::stage::Stage;

/// A stage and its pages.
pub(crate) struct Office {
    pub(crate) stage: Stage,
    pub(crate) router: Router,
    pub(crate) service: Arc<Service>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Where it leads, if it leads somewhere.
    pub(crate) to: String,
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Answer {
    /// The page, which has to be there.
    pub(crate) fn page(self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.text
    }

    /// Where the act led back to.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.to
    }
}

impl Office {
    pub(crate) async fn over(stage: Stage) -> Self {
        let service = Service::new(stage.restarted_home().await).await.unwrap();
        Self {
            router: Arc::clone(&service).router(),
            service,
            stage,
        }
    }

    /// A small world after a sync.
    pub(crate) async fn new() -> Self {
        let stage = Stage::new().await;
        stage.try_sync().await;
        Self::over(stage).await
    }

    async fn send(&self, who: (&str, Role), request: Request<Body>) -> Answer {
        let (name, role) = who;
        let person = Person {
            name: name.to_owned(),
            role,
            form_token: "token".to_owned(),
            token: None,
            reach: tieout_domain::Reach::All,
        };
        let router = self.router.clone().layer(Extension(person));
        let response = router.oneshot(request).await.unwrap();
        let header = |name| {
            let value = response.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let (to, kind) = (header(header::LOCATION), header(header::CONTENT_TYPE));
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer {
            status,
            to,
            kind,
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub(crate) async fn get(&self, who: (&str, Role), path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).unwrap();
        self.send(who, request).await
    }

    pub(crate) async fn post(
        &self,
        who: (&str, Role),
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.send(who, request).await
    }
}
