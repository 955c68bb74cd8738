//! The overview: all connections, what flows, and what is stuck.

use axum::extract::State;
use maud::{Markup, html};
use tieout_desk::exceptions;

use super::{Layout, PageError, page};
use crate::app::App;
use crate::people::Person;

/// The page.
pub(super) async fn show(State(app): State<App>, person: Person) -> Result<Markup, PageError> {
    let mut rows = Vec::new();
    for connection in app.program.connections() {
        let causes = exceptions::causes(&app.store.connection(&connection.name), false).await?;
        let stuck: u64 = causes.iter().map(exceptions::Cause::count).sum();
        rows.push((connection, stuck));
    }
    let layout = Layout {
        title: "Overview",
        person: &person,
        place: "/",
    };
    let content = html! {
        @if rows.is_empty() {
            p { "No connection yet." }
        } @else {
            ul { @for (connection, stuck) in &rows { li { (connection.name) ": " (stuck) " waiting" } } }
        }
    };
    Ok(page(&layout, &content))
}
