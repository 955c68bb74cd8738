//! What JSON of BILL's has in common, read leniently: an unset reference may be absent, null, empty or all
//! zeros, a date may come with a time, a text may come as a number.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use tieout_domain::document::{Approval, Line, LineKind};
use tieout_domain::{Amount, Date, RemoteId, Timestamp};
use tieout_kit::wire::Exact;

use crate::text::{DESCRIPTION_MAX, cut};

/// What every record has.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Head {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) created_time: Option<String>,
    #[serde(default)]
    pub(crate) updated_time: Option<String>,
}

impl Head {
    pub(crate) fn updated(&self) -> Option<Timestamp> {
        self.updated_time.as_deref()?.parse().ok()
    }

    pub(crate) fn created(&self) -> Option<Timestamp> {
        self.created_time.as_deref()?.parse().ok()
    }
}

/// A text: null and absent are empty, a number is its digits.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
        return Ok(String::new());
    };
    match raw.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw.get()).map_err(D::Error::custom),
        Some(b'-' | b'0'..=b'9' | b't' | b'f') => Ok(raw.get().to_owned()),
        _ => Err(D::Error::custom("a text was expected")),
    }
}

/// A list, or one thing for a list of one, or null for none.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
        return Ok(Vec::new());
    };
    if raw.get().starts_with('[') {
        serde_json::from_str(raw.get()).map_err(D::Error::custom)
    } else {
        serde_json::from_str(raw.get())
            .map(|one| vec![one])
            .map_err(D::Error::custom)
    }
}

/// A reference, if it is set.
pub(crate) fn reference(id: &str) -> Option<RemoteId> {
    let id = id.trim();
    let unset = id.is_empty() || id.bytes().all(|b| b == b'0');
    (!unset).then(|| id.into())
}

/// A plain day, with or without a time behind it.
pub(crate) fn day(text: &str, field: &str) -> Result<Date, String> {
    text.get(..10)
        .and_then(|day| day.parse().ok())
        .ok_or_else(|| format!("`{field}` is `{text}`, no date"))
}

/// Parts of a bill's or credit's line by which it is sorted in the books.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Classifications {
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) chart_of_account_id: String,
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) accounting_class_id: String,
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) department_id: String,
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) location_id: String,
}

/// A line as BILL shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineShown {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default)]
    amount: Option<Exact>,
    #[serde(default)]
    quantity: Option<Exact>,
    #[serde(default)]
    price: Option<Exact>,
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default)]
    classifications: Option<Classifications>,
}

impl LineShown {
    fn line(&self) -> Result<Line, String> {
        let amount = match (self.amount, self.quantity, self.price) {
            (Some(amount), _, _) => amount.0,
            (None, Some(quantity), Some(price)) => quantity
                .0
                .decimal()
                .checked_mul(price.0.decimal())
                .map(Amount::new)
                .ok_or("a line's `quantity` times `price` is too large")?,
            _ => return Err(format!("line `{}` has no amount", self.id)),
        };
        let classifications = self.classifications.clone().unwrap_or_default();
        Ok(Line {
            id: reference(&self.id),
            line_kind: LineKind::Expense,
            account: reference(&classifications.chart_of_account_id),
            amount,
            memo: self.description.clone(),
            department: reference(&classifications.department_id),
            class: reference(&classifications.accounting_class_id),
            location: reference(&classifications.location_id),
        })
    }
}

/// A line as it is written.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LineWritten {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<RemoteId>,
    amount: Exact,
    description: String,
    classifications: Classifications,
}

impl LineWritten {
    /// The line, under this id of BILL's (a new one without).
    pub(crate) fn new(line: &Line, id: Option<RemoteId>) -> Self {
        let word = |id: &Option<RemoteId>| {
            id.as_ref()
                .map(|id| id.as_str().to_owned())
                .unwrap_or_default()
        };
        Self {
            id,
            amount: Exact(line.amount),
            description: cut(line.memo.trim(), DESCRIPTION_MAX),
            classifications: Classifications {
                chart_of_account_id: word(&line.account),
                accounting_class_id: word(&line.class),
                department_id: word(&line.department),
                location_id: word(&line.location),
            },
        }
    }
}

/// The lines of an amendment under the ids that they have over there: by their own id, else by equal
/// content, else in order. A line beyond those is new.
///
/// The answer tells whether the same lines remain, no more and no fewer, and lose no classification: then
/// a PATCH will do. A PUT removes each line whose id is left out.
pub(crate) fn under_their_ids(wanted: &[Line], there: &[Line]) -> (Vec<LineWritten>, bool) {
    let mut free: Vec<&Line> = there.iter().filter(|line| line.id.is_some()).collect();
    let same_lines = wanted.len() == there.len() && free.len() == there.len();
    let mut chosen: Vec<Option<&Line>> = vec![None; wanted.len()];
    let alike = |a: &Line, b: &Line| {
        (
            a.amount,
            &a.account,
            &a.department,
            &a.class,
            &a.location,
            a.memo.trim(),
        ) == (
            b.amount,
            &b.account,
            &b.department,
            &b.class,
            &b.location,
            b.memo.trim(),
        )
    };
    let by_id = |a: &Line, b: &Line| a.id.is_some() && a.id == b.id;
    let any = |_: &Line, _: &Line| true;
    for fits in [&by_id as &dyn Fn(&Line, &Line) -> bool, &alike, &any] {
        for (line, chosen) in wanted.iter().zip(&mut chosen) {
            if chosen.is_none()
                && let Some(at) = free.iter().position(|there| fits(line, there))
            {
                *chosen = Some(free.remove(at));
            }
        }
    }
    let cleared = |wanted: &Line, there: &Line| {
        (there.account.is_some() && wanted.account.is_none())
            || (there.department.is_some() && wanted.department.is_none())
            || (there.class.is_some() && wanted.class.is_none())
            || (there.location.is_some() && wanted.location.is_none())
    };
    let patch = same_lines
        && wanted
            .iter()
            .zip(&chosen)
            .all(|(line, there)| there.is_some_and(|t| !cleared(line, t)));
    let written = wanted
        .iter()
        .zip(&chosen)
        .map(|(line, there)| LineWritten::new(line, there.and_then(|there| there.id.clone())))
        .collect();
    (written, patch)
}

/// Where an approval stands. The word missing means that nobody was asked.
pub(crate) fn approval(word: &str) -> Approval {
    match word {
        "" | "UNASSIGNED" => Approval::Unassigned,
        "ASSIGNED" | "APPROVING" => Approval::Pending,
        "APPROVED" => Approval::Approved,
        "DENIED" => Approval::Denied,
        other => Approval::Other(other.to_owned()),
    }
}

/// A document's lines.
pub(crate) fn lines(shown: &[LineShown]) -> Result<Vec<Line>, String> {
    shown.iter().map(LineShown::line).collect()
}

/// Whether nothing that is shown speaks against a document's amounting to this.
pub(crate) fn may_total(told: Option<Exact>, shown: &[LineShown], wanted: Amount) -> bool {
    match told {
        Some(amount) => amount.0 == wanted,
        None if shown.is_empty() => true,
        None => {
            let sum = lines(shown).and_then(|lines| total(None, &lines));
            sum.is_ok_and(|sum| sum == wanted)
        }
    }
}

/// What a document amounts to: as it says, or else as its lines do.
///
/// # Errors
/// If nothing tells: it is not a document of zero.
pub(crate) fn total(told: Option<Exact>, lines: &[Line]) -> Result<Amount, String> {
    match told {
        Some(amount) => Ok(amount.0),
        None if lines.is_empty() => Err("`amount` is missing".to_owned()),
        None => {
            Amount::total(lines.iter().map(|line| line.amount)).map_err(|error| error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_shows_neither_an_amount_nor_lines_is_not_worth_zero() {
        assert_eq!(total(None, &[]), Err("`amount` is missing".to_owned()));
        let shown: LineShown = serde_json::from_str(r#"{"id":"bli1","amount":"10"}"#).unwrap();
        let (ten, one) = (Amount::new(10.into()), Amount::new(1.into()));
        let sum = total(None, &lines(std::slice::from_ref(&shown)).unwrap());
        assert_eq!(sum, Ok(ten));
        assert!(may_total(None, std::slice::from_ref(&shown), ten));
        assert!(!may_total(None, std::slice::from_ref(&shown), one));
        assert!(may_total(Some(Exact(one)), &[shown], one));
        assert!(may_total(None, &[], one), "nothing speaks against it");
    }

    fn line(id: Option<u8>, amount: i64, department: bool) -> Line {
        Line {
            id: id.map(|id| format!("bli{id}").into()),
            line_kind: LineKind::Expense,
            account: Some("0ca1".into()),
            amount: Amount::new(amount.into()),
            memo: String::new(),
            department: department.then(|| "0de1".into()),
            class: None,
            location: None,
        }
    }

    proptest! {
        #[test]
        fn no_line_is_lost_doubled_or_given_an_id_that_is_not_there(
            there in proptest::collection::vec((-3_i64..3, any::<bool>()), 0..6),
            wanted in proptest::collection::vec((-3_i64..3, any::<bool>()), 0..6),
        ) {
            let there: Vec<_> = there
                .iter()
                .zip(0_u8..)
                .map(|((amount, department), id)| line(Some(id), *amount, *department))
                .collect();
            let wanted: Vec<_> =
                wanted.iter().map(|(amount, department)| line(None, *amount, *department)).collect();
            let (written, patch) = under_their_ids(&wanted, &there);
            prop_assert_eq!(written.len(), wanted.len());
            let ids: Vec<_> = written.iter().filter_map(|line| line.id.clone()).collect();
            let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
            prop_assert_eq!(distinct.len(), ids.len());
            prop_assert_eq!(ids.len(), wanted.len().min(there.len()));
            prop_assert!(ids.iter().all(|id| there.iter().any(|line| line.id.as_ref() == Some(id))));
            prop_assert!(!patch || wanted.len() == there.len());
            for (written, wanted) in written.iter().zip(&wanted) {
                prop_assert_eq!(written.amount.0, wanted.amount);
            }
        }
    }

    #[test]
    fn unset_references_and_days_with_times() {
        for unset in ["", " ", "00000000000000000000"] {
            assert_eq!(reference(unset), None);
        }
        assert_eq!(reference("0de1"), Some("0de1".into()));
        let day_of = |text| day(text, "date").map(|day| day.to_string());
        assert_eq!(
            day_of("2026-06-12T00:00:00.000+00:00"),
            Ok("2026-06-12".to_owned())
        );
        assert!(day_of("12.06.2026").is_err() && day_of("").is_err());
    }
}
