//! Whether a world in which syncs were killed ended as the one that nobody disturbed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::books::{Books, Item};

/// What a state says about its moment rather than about the books.
const OF_THE_MOMENT: [&str; 9] = [
    "now", "clock", "session", "sessions", "token", "tokens", "logins", "updated", "events",
];

/// What is wrong with a world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Records that are there more often than they may be.
    pub(crate) duplicates: Vec<String>,
    /// Records that are not there.
    pub(crate) lost: Vec<String>,
    /// Whatever else differs.
    pub(crate) differences: Vec<String>,
}

impl Findings {
    /// Whether nothing is wrong.
    pub(crate) fn none(&self) -> bool {
        self.duplicates.is_empty() && self.lost.is_empty() && self.differences.is_empty()
    }

    /// All of them, in words.
    pub(crate) fn told(&self) -> Vec<String> {
        let duplicates = self.duplicates.iter().map(|what| format!("twice: {what}"));
        let lost = self.lost.iter().map(|what| format!("lost: {what}"));
        let others = self
            .differences
            .iter()
            .map(|what| format!("differs: {what}"));
        duplicates.chain(lost).chain(others).collect()
    }
}

/// Compares the books of a disturbed world with those of an undisturbed one.
pub(crate) fn compare(wanted: &Books, found: &Books) -> Findings {
    let mut findings = Findings::default();
    let mut identities = BTreeSet::new();
    for item in found.items.iter().filter(|item| !item.identity.is_empty()) {
        if !identities.insert((item.kind, &item.identity)) {
            let what = format!("{} under {}: {}", item.kind, item.identity, item.says);
            findings.duplicates.push(what);
        }
    }
    let (wanted_counts, found_counts) = (counts(wanted), counts(found));
    for item in wanted_counts
        .keys()
        .chain(found_counts.keys())
        .collect::<BTreeSet<_>>()
    {
        let times = |counts: &BTreeMap<_, usize>| counts.get(item).copied().unwrap_or(0);
        let (before, now) = (times(&wanted_counts), times(&found_counts));
        let what = format!("{}: {}", item.0, item.1);
        if now > before {
            let list = if before == 0 {
                // Nothing of the kind was to be there: it may be the changed form of one that is lost.
                &mut findings.differences
            } else {
                &mut findings.duplicates
            };
            list.push(what);
        } else if now < before {
            findings.lost.push(what);
        }
    }
    let accounts: BTreeSet<_> = wanted.money.keys().chain(found.money.keys()).collect();
    for account in accounts {
        let (before, now) = (wanted.money.get(account), found.money.get(account));
        if before != now {
            let none = "nothing".to_owned();
            findings.differences.push(format!(
                "{account}: {}, killed: {}",
                before.unwrap_or(&none),
                now.unwrap_or(&none)
            ));
        }
    }
    findings
}

/// How often each thing is there.
fn counts(books: &Books) -> BTreeMap<(&'static str, &String), usize> {
    let mut counts = BTreeMap::new();
    for Item { kind, says, .. } in &books.items {
        *counts.entry((*kind, says)).or_default() += 1;
    }
    counts
}

/// Where two states differ, apart from what belongs to the moment.
pub(crate) fn compare_states(left: &Value, right: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    compare_at("", left, right, &mut differences);
    differences
}

fn compare_at(place: &str, left: &Value, right: &Value, differences: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let names: BTreeSet<_> = left.keys().chain(right.keys()).collect();
            for name in names
                .into_iter()
                .filter(|name| !OF_THE_MOMENT.contains(&name.as_str()))
            {
                let absent = Value::Null;
                let (left, right) = (left.get(name), right.get(name));
                let (left, right) = (left.unwrap_or(&absent), right.unwrap_or(&absent));
                compare_at(&format!("{place}/{name}"), left, right, differences);
            }
        }
        _ if left != right => differences.push(format!("{place}: {left}, killed: {right}")),
        _ => {}
    }
}

/// What a plan would still write, in words. A plan that can't be read is no empty one.
pub(crate) fn left_to_do(printed: &str) -> Vec<String> {
    let Ok(value) = serde_json::from_str::<Value>(printed) else {
        return vec![format!("the plan is no JSON: {printed}")];
    };
    let Some(plans) = value.get("plans").and_then(Value::as_array) else {
        return vec![format!("there is no plan in {printed}")];
    };
    if plans.is_empty() {
        return vec!["no connection was planned".to_owned()];
    }
    let mut left = Vec::new();
    for plan in plans {
        match plan.get("steps").and_then(Value::as_array) {
            Some(steps) => left.extend(steps.iter().map(|step| format!("left to write: {step}"))),
            None => left.push(format!("a plan without steps: {plan}")),
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(kind: &'static str, identity: &str, says: &str) -> Item {
        Item {
            kind,
            identity: identity.to_owned(),
            says: says.to_owned(),
        }
    }

    fn books() -> Books {
        Books {
            items: vec![
                item("bill bill", "ns:1:2", "ns:1:2, amount 5"),
                item("bill vendor", "", "Ada, archived false"),
                item(
                    "netsuite payment",
                    "bill_8_a",
                    "total -5, applied [Payment 2 5]",
                ),
                item(
                    "netsuite payment",
                    "bill_8_b",
                    "total -5, applied [Payment 2 5]",
                ),
            ],
            money: BTreeMap::from([("account 1090 in currency 1".to_owned(), "-10".to_owned())]),
        }
    }

    #[test]
    fn the_same_books_have_no_findings_whatever_their_ids() {
        let mut other = books();
        other.items[2].identity = "bill_8_z".to_owned();
        assert!(compare(&books(), &other).none());
    }

    #[test]
    fn a_second_record_is_found_by_its_identity_and_by_what_it_says() {
        for at in 0..4 {
            let mut broken = books();
            let twice = broken.items[at].clone();
            broken.items.push(twice);
            assert!(!compare(&books(), &broken).duplicates.is_empty(), "{at}");
            // Under another identity it is still one too many.
            broken.items[4].identity = "another".to_owned();
            assert_eq!(compare(&books(), &broken).duplicates.len(), 1, "{at}");
        }
    }

    #[test]
    fn a_second_record_that_says_something_else_is_found_by_its_identity() {
        let mut broken = books();
        broken
            .items
            .push(item("bill bill", "ns:1:2", "ns:1:2, amount 6"));
        let findings = compare(&books(), &broken);
        assert_eq!(findings.duplicates.len(), 1);
        assert_eq!(findings.differences.len(), 1);
    }

    #[test]
    fn a_lost_record_is_found() {
        for at in 0..4 {
            let mut broken = books();
            broken.items.remove(at);
            assert_eq!(compare(&books(), &broken).lost.len(), 1, "{at}");
        }
    }

    #[test]
    fn a_lost_or_doubled_application_is_found() {
        for applied in [
            "applied []",
            "applied [Payment 2 5, Payment 2 5]",
            "applied [Payment 3 5]",
        ] {
            let mut broken = books();
            broken.items[2].says = format!("total -5, {applied}");
            let findings = compare(&books(), &broken);
            assert_eq!(findings.lost.len(), 1);
            assert_eq!(findings.differences.len(), 1);
        }
    }

    #[test]
    fn money_that_moved_is_found() {
        let account = "account 1090 in currency 1";
        let mut moved = books();
        moved.money.insert(account.to_owned(), "-15".to_owned());
        let mut gone = books();
        gone.money.clear();
        let mut elsewhere = books();
        let other = "account 1000 in currency 1".to_owned();
        elsewhere.money.insert(other, "-5".to_owned());
        for broken in [moved, gone, elsewhere] {
            assert_eq!(compare(&books(), &broken).differences.len(), 1);
        }
    }

    #[test]
    fn states_are_compared_apart_from_their_moment() {
        let left = json!({"bill": {"bills": {"count": 3}, "sessions": 1}, "now": "a"});
        let same = json!({"bill": {"bills": {"count": 3}, "sessions": 9}, "now": "b"});
        let other = json!({"bill": {"bills": {"count": 4}}});
        assert!(compare_states(&left, &same).is_empty());
        assert_eq!(
            compare_states(&left, &other),
            ["/bill/bills/count: 3, killed: 4"]
        );
    }

    #[test]
    fn a_plan_with_something_left_is_no_empty_one() {
        assert!(left_to_do(r#"{"plans":[{"steps":[]}]}"#).is_empty());
        for broken in [
            r#"{"plans":[{"steps":[{"flow":"bills"}]}]}"#,
            r#"{"plans":[]}"#,
            r#"{"plans":[{}]}"#,
            "",
        ] {
            assert_eq!(left_to_do(broken).len(), 1, "{broken}");
        }
    }
}
