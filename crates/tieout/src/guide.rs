//! A guide on the screen: what a person does in a vendor's own pages, step by step, each warning before the
//! page that it is about.

use tieout_kit::guide::{Guide, Purpose, Step};
use tieout_kit::system::{CredentialKind, System};

/// The guide to a kind of credential, where the system brings one along.
#[must_use]
pub fn find(system: &System, kind: &CredentialKind, purpose: Purpose) -> Option<&'static Guide> {
    system
        .guides
        .iter()
        .find(|guide| guide.credential == kind.name && guide.purpose == purpose)
}

/// The guide's text.
#[must_use]
pub fn text(guide: &Guide) -> String {
    let count = guide.steps.len();
    guide
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| one(step, at + 1, count))
        .collect::<Vec<_>>()
        .join("\n")
}

fn one(step: &Step, number: usize, count: usize) -> String {
    let mut text = format!("  {number}/{count} {}\n", step.title);
    if !step.warning.is_empty() {
        text.push_str(&format!(
            "      Mind before you go there: {}\n",
            step.warning
        ));
    }
    if !step.menu.is_empty() {
        text.push_str(&format!("      {}\n", step.menu));
    }
    for instruction in step.instructions {
        text.push_str(&format!("      - {instruction}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warning_comes_before_the_page_it_is_about() {
        const GUIDE: Guide = Guide {
            credential: "x",
            purpose: Purpose::Setup,
            from: "x",
            steps: &[Step {
                id: "key",
                title: "Make the key",
                menu: "Setup > Keys",
                instructions: &["Click New", "Copy the key"],
                warning: "it is shown once",
                yields: &["key"],
                proof: tieout_kit::guide::Proof::Given,
            }],
        };
        let text = text(&GUIDE);
        let at = |word: &str| text.find(word).unwrap();
        assert!(at("1/1 Make the key") < at("shown once"), "{text}");
        assert!(at("shown once") < at("Setup > Keys"), "{text}");
        assert!(at("Setup > Keys") < at("Copy the key"), "{text}");
    }
}
