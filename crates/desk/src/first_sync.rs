//! The first sync to the ledger: what began on a platform of receivables before anything was written to the ledger. How
//! much that is is shown, and asked about once (scenario 171).

use std::collections::BTreeMap;

use serde_json::Value;
use tieout_domain::Money;
use tieout_engine::Extent;
use tieout_flows::Preferences;
use tieout_flows::preferences::FirstSync;

/// The preference that is the yes.
pub const YES: &str = "receivables.first_sync";
/// Its value then.
pub const ALL: &str = "all";
/// The switch that begins it.
pub const SWITCH: &str = "receivables.reconcile";

/// Whether a change of preferences begins to write to the ledger, and nobody has said yes to how much that is.
#[must_use]
pub fn is_asked(before: &Preferences, after: &Preferences) -> bool {
    let (before, after) = (&before.receivables, &after.receivables);
    !before.reconcile && after.reconcile && after.first_sync == FirstSync::Ask
}

/// The same of values that are to be changed, beside those that stand.
#[must_use]
pub fn is_asked_by(changes: &BTreeMap<String, Value>, standing: &Value) -> bool {
    let on = changes.get(SWITCH).and_then(Value::as_bool);
    let yes = changes.get(YES).unwrap_or(standing);
    on == Some(true) && yes.as_str() != Some(ALL)
}

/// What a connection's preferences are while it is looked how much that is.
#[must_use]
pub fn looked_at(preferences: &Preferences) -> Preferences {
    let mut asking = preferences.clone();
    asking.receivables.reconcile = true;
    asking.receivables.first_sync = FirstSync::Ask;
    asking
}

/// How much it is, in words: `37 invoices (1,234.00 USD and 50.00 CAD), 2 credit-memos (10.00 USD)`.
#[must_use]
pub fn words(extents: &[Extent]) -> String {
    if extents.is_empty() {
        return "nothing".to_owned();
    }
    let told = extents.iter().map(|extent| {
        let Extent {
            flow,
            count,
            amounts,
        } = extent;
        let name = match (count, flow.strip_suffix('s')) {
            (1, Some(one)) => one,
            _ => flow,
        };
        if amounts.is_empty() {
            format!("{count} {name}")
        } else {
            let amounts: Vec<String> = amounts.iter().map(Money::to_string).collect();
            format!("{count} {name} ({})", amounts.join(" and "))
        }
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use tieout_domain::{Amount, Currency};

    use super::*;

    fn extent(flow: &str, count: u64, amount: Option<&str>) -> Extent {
        let amount = amount.map(|text| text.parse::<Amount>().unwrap().of(Currency::USD));
        Extent {
            flow: flow.to_owned(),
            count,
            amounts: amount.into_iter().collect(),
        }
    }

    #[test]
    fn s171_how_much_it_is_is_told_by_count_and_amount() {
        assert_eq!(words(&[]), "nothing");
        let some = [
            extent("customers", 3, None),
            extent("invoices", 1, Some("1234.5")),
        ];
        assert_eq!(words(&some), "3 customers, 1 invoice (1,234.50 USD)");
    }

    #[test]
    fn s171_it_is_asked_once_and_only_when_writing_is_switched_on() {
        let off = Preferences::default();
        let on = looked_at(&off);
        assert!(is_asked(&off, &on));
        assert!(!is_asked(&on, &on));
        let mut confirmed = on.clone();
        confirmed.receivables.first_sync = FirstSync::All;
        assert!(!is_asked(&off, &confirmed));
        let switch = BTreeMap::from([(SWITCH.to_owned(), Value::from(true))]);
        assert!(is_asked_by(&switch, &"ask".into()));
        assert!(!is_asked_by(&switch, &"all".into()));
        let mut yes = switch.clone();
        yes.insert(YES.to_owned(), ALL.into());
        assert!(!is_asked_by(&yes, &"ask".into()));
    }
}
