//! The face of tieout: pages, API, webhooks, metrics.
//!
//! It reads the store, asks the [desk](tieout_desk) for what people ask and decide, and asks the [`Program`] that
//! put it together for whatever needs a system: a run, a plan, a diagnosis. It never sees a system itself.
//!
//! Who may do what is decided in one place, [`people`]: everything is behind a sign-in but what [`router`] names as
//! open, so that a page can't forget it.

pub mod app;
pub mod assets;
pub mod health;
pub mod pages;
pub mod people;
pub mod program;

use axum::Router;

pub use app::App;
pub use people::Person;
pub use program::{ConnectionInfo, Program, SyncAsked};

/// Everything that is served.
pub fn router(app: App) -> Router {
    // What answers without a sign-in, and why.
    let open = Router::new()
        // Whoever watches the process asks these, and learns nothing but that it lives.
        .merge(health::routes())
        // The same for everybody, and nothing of a company is in it.
        .merge(assets::routes())
        // Whoever is not in yet must be able to come in.
        .merge(people::open_routes());
    let closed = Router::new().merge(pages::routes());
    let closed = people::behind_a_sign_in(closed, &app);
    people::with_headers(open.merge(closed), &app).with_state(app)
}
