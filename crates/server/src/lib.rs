//! The face of tieout: pages, API, webhooks, metrics.
//!
//! It reads the store, asks the [desk](tieout_desk) for what people ask and decide, and asks the [`Program`] that
//! put it together for whatever needs a system: a run, a plan, a diagnosis. It never sees a system itself.
//!
//! What somebody sees is cut out in one place, [`view`], before anything is asked. Who may do what is decided in one
//! place, [`people`]: everything is behind a sign-in but what [`router`] names as
//! open, so that a page can't forget it.

pub mod api;
pub mod app;
pub mod assets;
pub mod counts;
pub mod health;
pub mod hooks;
pub mod mail;
pub mod metrics;
pub mod notices;
pub mod pages;
pub mod people;
pub mod program;
pub mod view;
pub mod webhooks;

use axum::Router;

pub use app::App;
pub use people::Person;
pub use program::{ConnectionInfo, CredentialInfo, Notification, OpenId, Program, SyncAsked};
pub use view::View;

/// Everything that is served.
pub fn router(app: App) -> Router {
    // What answers without a sign-in, and why.
    let open = Router::new()
        // Whoever watches the process asks these, and learns nothing but that it lives.
        .merge(health::routes())
        // The same for everybody, and nothing of a company is in it.
        .merge(assets::routes())
        // Whoever is not in yet must be able to come in.
        .merge(people::open_routes(&app))
        // Services have no sign-in; what they send is proven by a signature, or a secret path.
        .merge(webhooks::routes(&app));
    let closed = Router::new().merge(pages::routes());
    let closed = people::behind_a_sign_in(closed, &app);
    // Its refusals are for programs, also those of the sign-in.
    let api = api::routes(&app, |routes| people::behind_a_token(routes, &app));
    let watched = people::for_watchers(metrics::routes(), &app);
    let all = open.merge(closed).merge(api).merge(watched);
    people::with_headers(all, &app).with_state(app)
}
