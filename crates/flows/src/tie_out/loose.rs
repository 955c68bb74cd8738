//! Leg 1: lines on the control account that no vendor's document stands behind.

use tieout_domain::subledger::{Posting, PostingKind};
use tieout_domain::{Kind, RecordRef, Side};

use super::input::Scope;
use super::{Category, Document, Item, explain};

/// Each as the difference that it makes: a credit to the control account is more in the general ledger than
/// in the sub-ledger.
pub(super) fn items(loose: &[Posting], scope: &Scope) -> Vec<Item> {
    loose
        .iter()
        .map(|posting| {
            let (category, kind) = match &posting.kind {
                PostingKind::Journal => (Category::Journal, Kind::Journal),
                PostingKind::Revaluation => (Category::Revaluation, Kind::Journal),
                PostingKind::Bill => (Category::OtherType, Kind::Bill),
                PostingKind::VendorCredit => (Category::OtherType, Kind::VendorCredit),
                PostingKind::Payment => (Category::OtherType, Kind::Payment),
                PostingKind::Other(_) => (Category::OtherType, Kind::Journal),
            };
            let memo = posting.memo.trim();
            let cause = if memo.is_empty() {
                category.title().to_owned()
            } else {
                format!("{}: {memo}", category.title())
            };
            Item {
                category,
                ledger: Some(Document {
                    record: RecordRef::new(Side::Ledger, kind, posting.id.clone()),
                    label: posting.number.clone(),
                    amount: -posting.amount,
                }),
                platform: None,
                vendor: String::new(),
                amount: -posting.amount,
                date: posting.date,
                age_days: explain::age(posting.date, scope.day),
                cause,
                code: None,
                clears_by: None,
                owner: String::new(),
                comment: String::new(),
            }
        })
        .collect()
}
