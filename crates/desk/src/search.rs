//! From the words of a message to the pages that explain it.

use std::collections::BTreeSet;

use tieout_domain::code::{Code, Page};

/// How many pages are worth reading when none was written for the message.
const NEAREST: usize = 5;

/// The pages that name this message under `## Also seen as`; if there are none, those that have most of its
/// words. The likeliest first.
#[must_use]
pub fn pages(message: &str) -> Vec<&'static str> {
    let asked = words(message);
    let mut named: Vec<_> = scored(|page| {
        let best = page
            .also_seen_as()
            .filter_map(|known| alike(&asked, &words(known)));
        best.max().unwrap_or_default()
    });
    if named.is_empty() {
        named = scored(|page| {
            let text = words(page.text());
            let found = asked.iter().filter(|word| text.contains(*word)).count();
            // One word is everywhere, and a page with a third of them is about something else.
            let enough = found >= 2 && found * 2 > asked.len();
            if enough { found } else { 0 }
        });
        named.truncate(NEAREST);
    }
    named
}

fn scored(score: impl Fn(Page) -> usize) -> Vec<&'static str> {
    let mut found: Vec<_> = Page::names()
        .into_iter()
        .filter_map(|name| Some((score(Code::from_text(name).page()?), name)))
        .filter(|(score, _)| *score > 0)
        .collect();
    found.sort_by_key(|(score, name)| (std::cmp::Reverse(*score), *name));
    found.into_iter().map(|(_, name)| name).collect()
}

/// How many words the two share, if one has nearly all of the other's.
fn alike(asked: &BTreeSet<String>, known: &BTreeSet<String>) -> Option<usize> {
    let shared = asked.intersection(known).count();
    let shorter = asked.len().min(known.len());
    let code = shorter == 1 && asked.union(known).any(|word| word.contains(['_', '-']));
    let enough = shared * 5 >= shorter * 4 && (shared >= 2 || code);
    (shared > 0 && enough).then_some(shared)
}

/// The words that tell something, in lower case.
fn words(text: &str) -> BTreeSet<String> {
    const EMPTY: [&str; 16] = [
        "the", "a", "an", "is", "are", "or", "and", "of", "to", "in", "your", "for", "not", "has",
        "was", "be",
    ];
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty() && !EMPTY.contains(word))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_another_sync_leads_to_each_of_its_causes() {
        for asked in [
            "Your login credentials are invalid/expired",
            "NetSuite Sync Error: Sync didn't finish successfully! Your login credentials are invalid/expired",
        ] {
            let found = pages(asked);
            for code in [
                "invalid-login",
                "subsidiary-missing",
                "permission-missing",
                "wrong-password",
            ] {
                assert!(found.contains(&code), "{asked}: {found:?}");
            }
        }
    }

    #[test]
    fn the_services_own_codes_lead_to_their_pages() {
        for (asked, code) in [
            ("BDC_1144", "hourly-limit"),
            (
                "BDC_1322: Max number of concurrent requests",
                "concurrency-limit",
            ),
            ("BDC_1102", "wrong-developer-key"),
            ("INVALID_LOGIN_ATTEMPT", "invalid-login"),
        ] {
            assert_eq!(pages(asked).first(), Some(&code), "{asked}");
        }
    }

    #[test]
    fn what_no_page_is_near_to_finds_none() {
        assert!(pages("xyzzy plugh").is_empty());
        assert!(pages("unmaped-acount").is_empty());
    }
}
