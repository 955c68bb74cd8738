//! Guides: what a person does in a vendor's own pages to come by a credential, or to renew it.

use axum::extract::Path;
use maud::{Markup, html};

use super::super::parts::badge::Tone;
use super::super::parts::{self, Address, notice};
use super::super::{Layout, PageError, page_under};
use super::set_address;
use crate::people::{Person, Role};
use crate::program::{GuideInfo, GuideStep};
use crate::view::View;

/// The guides to a kind of credential.
pub(super) fn address(kind: &str) -> Address {
    Address::of(["credentials", "guides", kind])
}

pub(super) async fn show(
    view: View,
    person: Person,
    Path(kind): Path<String>,
) -> Result<Markup, PageError> {
    person.must(Role::Admin)?;
    let mut kinds = view.program.credential_kinds().into_iter();
    let kind = kinds
        .find(|known| known.name == kind)
        .ok_or(PageError::Missing)?;
    let content = html! {
        @if kind.guides.is_empty() { (notice::empty("There is no guide to this kind.", "")) }
        @for guide in &kind.guides { (steps(kind.name, guide)) }
        p { a.button href=(set_address(kind.name, "")) { "Enter the new value" } }
    };
    let layout = Layout {
        title: &format!("{}: {}", kind.system, kind.name),
        person: &person,
        place: "/credentials",
    };
    Ok(page_under(
        &parts::crumbs(&[(Address::of(["credentials"]), "Credentials")]),
        &layout,
        &content,
    ))
}

fn steps(kind: &str, guide: &GuideInfo) -> Markup {
    html! {
        section {
            h2 {
                @if !guide.renewal { "The first one" }
                @else if guide.from == kind { "Renewal" }
                @else { "Moving over from " (guide.from) }
            }
            @if guide.renewal {
                p.soft { "A renewal that is begun from the list of credentials walks through it and proves each step; writes are paused meanwhile, and no link is lost." }
            }
            (list(&guide.steps))
        }
    }
}

/// The steps, in order.
pub(in crate::pages) fn list(steps: &[GuideStep]) -> Markup {
    html! { ol.steps { @for step in steps { li { strong { (step.title) } (what(step)) } } } }
}

/// What to do at a step. The warning comes before the page that it is about: a secret that is shown once.
pub(in crate::pages) fn what(step: &GuideStep) -> Markup {
    html! {
            @if !step.warning.is_empty() {
                (notice::notice(Tone::Wait, &html! { p { "Mind before you go there: " (step.warning) } }))
            }
            @if !step.menu.is_empty() { p { code { (step.menu) } } }
            @if !step.instructions.is_empty() {
                ul { @for instruction in step.instructions { li { (instruction) } } }
            }
    }
}
