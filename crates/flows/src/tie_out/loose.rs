//! Leg 1: lines on the control account that no vendor's or customer's document stands behind.

use tieout_domain::subledger::{Posting, PostingKind};
use tieout_domain::{RecordRef, Side};

use super::input::Scope;
use super::rules::age;
use super::{Category, Document, Item};

/// Each as the difference that it makes: what adds to what is owed is more in the general ledger than in the
/// sub-ledger.
pub(super) fn items(loose: &[Posting], scope: &Scope) -> Vec<Item> {
    loose
        .iter()
        .map(|posting| {
            let category = match &posting.kind {
                PostingKind::Journal => Category::Journal,
                PostingKind::Revaluation => Category::Revaluation,
                _ => Category::OtherType,
            };
            let (title, amount) = (
                category.title_in(scope.book),
                scope.book.owed(posting.amount),
            );
            let memo = posting.memo.trim();
            let cause = if memo.is_empty() {
                title.to_owned()
            } else {
                format!("{title}: {memo}")
            };
            Item {
                category,
                ledger: Some(Document {
                    record: RecordRef::new(Side::Ledger, posting.kind.record(), posting.id.clone()),
                    label: posting.number.clone(),
                    amount,
                }),
                platform: None,
                vendor: String::new(),
                amount,
                date: posting.date,
                age_days: age(posting.date, scope.day),
                cause,
                code: None,
                clears_by: None,
                owner: String::new(),
                comment: String::new(),
            }
        })
        .collect()
}
