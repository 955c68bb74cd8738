//! What a page of a list says about the next one: `Link` and `X-Total-Count` (README §Reading lists).

use http::HeaderMap;
use http::header::LINK;
use url::{Url, form_urlencoded};

/// The most records on a page.
pub(crate) const PAGE_MAX: u64 = 100;

/// Where a page says the list goes on, and how long it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Onward {
    /// The query of the next page; `None` where the list ends.
    pub(crate) next: Option<String>,
    /// How many records the list has in all, where it is told.
    pub(crate) total: Option<u64>,
}

impl Onward {
    /// Reads the headers of an answer to this query.
    ///
    /// Only the query of a link is taken: the path is known, and a link to another host would lead the key away.
    pub(crate) fn of(headers: &HeaderMap, asked: &str) -> Self {
        let links: Vec<(String, String)> = headers
            .get_all(LINK)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(links)
            .collect();
        let query_of = |wanted: &str| {
            let (_, target) = links.iter().find(|(relation, _)| relation == wanted)?;
            query(target)
        };
        let own = query_of("self");
        let next = query_of("next").filter(|next| {
            Some(next) != own.as_ref()
                && next != asked
                && page(next).is_none_or(|at| at > page(asked).unwrap_or(1))
        });
        let total = headers
            .get("x-total-count")
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Self { next, total }
    }

    /// How many records the list has, where a page that shows so many of them ends it before that: one that is full, or that
    /// is empty though another led to it. The page is held against the count that came with it, and against nothing that
    /// another page said: records go between two pages. Nor is the count alone believed: that it heeds a filter is documented
    /// nowhere.
    pub(crate) fn cut_short(&self, asked: &str, is_first: bool, shown: usize) -> Option<u64> {
        if self.next.is_some() {
            return None;
        }
        // Where a cursor led here, nothing tells how many came before.
        let nth = page(asked).or(is_first.then_some(1))?;
        let length = number(asked, "per_page").unwrap_or(PAGE_MAX);
        let shown = u64::try_from(shown).unwrap_or(u64::MAX);
        if shown < length && (shown > 0 || nth == 1) {
            return None;
        }
        let before = nth.saturating_sub(1).saturating_mul(length);
        let reached = before.saturating_add(shown);
        self.total.filter(|total| *total > reached)
    }
}

/// The number of the page that a query asks for.
fn page(query: &str) -> Option<u64> {
    number(query, "page")
}

/// A number in a query.
fn number(query: &str, wanted: &str) -> Option<u64> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == wanted)
        .and_then(|(_, value)| value.parse().ok())
}

/// The query of a link, absolute or not.
fn query(target: &str) -> Option<String> {
    let base = Url::parse("https://api.invoiced.com/").ok()?;
    let url = base.join(target).ok()?;
    url.query()
        .filter(|query| !query.is_empty())
        .map(str::to_owned)
}

/// Relations and targets of a `Link` header (RFC 8288 §3). A comma within `<…>` or quotes parts nothing.
fn links(header: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = header;
    while let Some((_, from)) = rest.split_once('<') {
        let Some((target, after)) = from.split_once('>') else {
            break;
        };
        let mut quoted = false;
        let end = after
            .char_indices()
            .find(|(_, c)| {
                quoted ^= *c == '"';
                *c == ',' && !quoted
            })
            .map_or(after.len(), |(at, _)| at);
        for parameter in after[..end].split(';') {
            let Some((name, value)) = parameter.split_once('=') else {
                continue;
            };
            if name.trim().eq_ignore_ascii_case("rel") {
                let relations = value.trim().trim_matches('"').split_ascii_whitespace();
                found.extend(relations.map(|one| (one.to_ascii_lowercase(), target.to_owned())));
            }
        }
        rest = &after[end..];
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn onward(link: &str, asked: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Ok(value) = link.parse() {
            headers.insert(LINK, value);
        }
        Onward::of(&headers, asked).next
    }

    #[test]
    fn a_list_goes_on_where_its_link_says_so() {
        let link = r#"<https://api.invoiced.com/invoices?page=1>; rel="self", <https://api.invoiced.com/invoices?page=2&filter%5Bx%5D=a%2Cb>; rel="next", <https://api.invoiced.com/invoices?page=9>; rel="last""#;
        assert_eq!(
            onward(link, "per_page=100").as_deref(),
            Some("page=2&filter%5Bx%5D=a%2Cb")
        );
        // Another host's link is followed on our own.
        let elsewhere = r#"<https://evil.example/x?page=2>;rel=next"#;
        assert_eq!(onward(elsewhere, "page=1").as_deref(), Some("page=2"));
        assert_eq!(
            onward(r#"</invoices?page=3>; REL="prev next""#, "page=2").as_deref(),
            Some("page=3")
        );
    }

    #[test]
    fn a_list_ends_in_each_of_the_documented_ways() {
        for (link, asked) in [
            ("", "page=1"),
            (r#"<https://h/i?page=1>; rel="self""#, "page=1"),
            // Equal to itself.
            (
                r#"<https://h/i?page=2>; rel="self", <https://h/i?page=2>; rel="next""#,
                "page=1",
            ),
            (r#"<https://h/i?page=2>; rel="next""#, "page=2"),
            // Seen already.
            (r#"<https://h/i?page=1>; rel="next""#, "page=2"),
            (
                r#"<https://h/i?per_page=100&page=1>; rel="next""#,
                "per_page=100",
            ),
            (r#"<https://h/i>; rel="next""#, "page=1"),
            (r#"<https://h/i?page=2; rel="next""#, "page=1"),
        ] {
            assert_eq!(onward(link, asked), None, "{link}");
        }
    }

    #[test]
    fn a_page_that_ends_a_list_before_its_count_is_told_from_the_last_one() {
        let cut_short = |asked: &str, is_first: bool, shown: usize, total: Option<u64>| {
            let last = Onward { next: None, total };
            last.cut_short(asked, is_first, shown).is_some()
        };
        for (asked, is_first, shown, total) in [
            ("per_page=100&sort=x", true, 100, 101),
            ("page=3&per_page=100", false, 0, 201),
            ("page=3&per_page=25", false, 25, 76),
            ("page=2", false, 0, 101),
        ] {
            assert!(cut_short(asked, is_first, shown, Some(total)), "{asked}");
            let whole = Some(total - 1);
            assert!(!cut_short(asked, is_first, shown, whole), "{asked}");
            assert!(!cut_short(asked, is_first, shown, None), "{asked}");
        }
        // A last page that is neither full nor empty, and a list without any, are what they look like.
        assert!(!cut_short("page=2&per_page=100", false, 30, Some(900)));
        assert!(!cut_short("per_page=100", true, 0, Some(900)));
        // A cursor tells no place.
        assert!(!cut_short("cursor=b&per_page=100", false, 1, Some(900)));
        let onward = Onward {
            next: Some("page=2".to_owned()),
            total: Some(900),
        };
        assert_eq!(onward.cut_short("per_page=100", true, 100), None);
    }

    proptest! {
        /// A service that tells the truth is believed: no page of its lists is taken for one that was cut.
        #[test]
        fn no_page_of_a_whole_list_is_cut_short(total in 0_u64..500, length in 1_u64..100, nth in 1_u64..20) {
            let before = (nth - 1) * length;
            let shown = total.saturating_sub(before).min(length);
            let asked = format!("page={nth}&per_page={length}");
            let next = (before + shown < total).then(|| format!("page={}", nth + 1));
            let onward = Onward { next, total: Some(total) };
            let shown = usize::try_from(shown).unwrap();
            prop_assert_eq!(onward.cut_short(&asked, false, shown), None);
        }

        /// Whatever a service answers, the number of the page only grows: no list is read round and round.
        #[test]
        fn pages_only_go_forward(link in "[<>;,=a-z\"?& 0-9]{0,60}", nth in 0_u64..20, asked in 1_u64..20) {
            let _ = onward(&link, "page=1");
            let link = format!("<https://h/i?per_page=100&page={nth}>; rel=\"next\"");
            let next = onward(&link, &format!("per_page=100&page={asked}"));
            prop_assert_eq!(next.is_some(), nth > asked);
        }
    }
}
