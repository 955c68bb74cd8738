//! What an invoice has no field for there stands in its memo: its date, the customer's purchase order, and tieout's mark
//! where there is no external id (README §Invoices).

use jiff::civil::Date;
use tieout_domain::Marker;

const BEGINS: &str = "[dated ";
const ORDER: &str = "PO ";

/// A memo, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Memo {
    /// What people wrote.
    pub(crate) text: String,
    /// The invoice's date; `None` where nobody wrote it.
    pub(crate) date: Option<Date>,
    /// The purchase order; empty if there is none.
    pub(crate) purchase_order: String,
    /// tieout's mark.
    pub(crate) marker: Option<Marker>,
}

impl Memo {
    /// The memo in one line: `Second delivery [dated 2026-06-12; ns:1234567:4711; PO 88]`.
    pub(crate) fn written(&self) -> String {
        let text = self.text.trim();
        let Some(date) = self.date else {
            let marker = self.marker.as_ref().map(Marker::to_string);
            return [text, marker.as_deref().unwrap_or_default()]
                .join(" ")
                .trim()
                .to_owned();
        };
        let mut parts = vec![format!("{BEGINS}{date}")];
        parts.extend(self.marker.as_ref().map(Marker::to_string));
        let order = self.purchase_order.trim();
        if !order.is_empty() {
            parts.push(format!("{ORDER}{order}"));
        }
        format!("{text} {}]", parts.join("; ")).trim().to_owned()
    }

    /// Takes a memo apart that people may have added to.
    pub(crate) fn read(memo: &str) -> Self {
        Self::apart(memo).unwrap_or_else(|| Self {
            text: memo.trim().to_owned(),
            marker: Marker::find_in(memo),
            ..Self::default()
        })
    }

    fn apart(memo: &str) -> Option<Self> {
        let (before, rest) = memo.rsplit_once(BEGINS)?;
        let (inside, after) = rest.rsplit_once(']')?;
        let (date, rest) = match inside.split_once("; ") {
            None => (inside, ""),
            Some((date, rest)) => (date, rest),
        };
        let (marker, order) = match rest.split_once("; ") {
            Some((first, rest)) if first.starts_with("ns:") => (Marker::find_in(first), rest),
            _ if rest.starts_with("ns:") => (Marker::find_in(rest), ""),
            _ => (None, rest),
        };
        let text = match (before.trim(), after.trim()) {
            (before, "") => before.to_owned(),
            ("", after) => after.to_owned(),
            (before, after) => format!("{before} {after}"),
        };
        Some(Self {
            text,
            date: Some(date.parse().ok()?),
            purchase_order: order.strip_prefix(ORDER).unwrap_or_default().to_owned(),
            marker,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_wrote_themselves_stays_theirs() {
        let read = Memo::read(" Thank you (ns:1234567:4711) ");
        assert_eq!(read.text, "Thank you (ns:1234567:4711)");
        assert_eq!(read.marker, Marker::find_in("ns:1234567:4711"));
        assert_eq!(read.date, None);
        assert_eq!(
            Memo::read("Second [dated 2026-06-12; ns:1:2; PO 88; b] of two"),
            Memo {
                text: "Second of two".to_owned(),
                date: "2026-06-12".parse().ok(),
                purchase_order: "88; b".to_owned(),
                marker: Marker::find_in("ns:1:2"),
            }
        );
        let broken = "see [dated soon]";
        assert_eq!(Memo::read(broken).text, broken);
        assert_eq!(Memo::default().written(), "");
    }

    proptest! {
        #[test]
        fn a_memo_comes_back_as_it_was(
            text in "[a-zA-Z0-9 ()\\[\\];:é.-]{0,30}",
            day in prop::option::of(1_i8..28),
            order in "[A-Z0-9 ;()-]{0,12}",
            marked in any::<bool>(),
        ) {
            let memo = Memo {
                text: text.trim().to_owned(),
                date: day.map(|day| jiff::civil::date(2026, 6, day)),
                purchase_order: day.map(|_| order.trim().to_owned()).unwrap_or_default(),
                marker: marked.then(|| Marker::find_in("ns:1234567_SB1:4711")).flatten(),
            };
            let read = Memo::read(&memo.written());
            if memo.date.is_some() {
                prop_assert_eq!(read, memo);
            } else {
                prop_assert_eq!(read.marker, memo.marker);
            }
        }
    }
}
