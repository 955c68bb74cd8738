//! Recognising a record: the key under which records that might be the same are found, what a lost write
//! has made, and which accounts and dimensions belong together.

mod judge;
mod key;
mod suggest;

pub use judge::{Judgement, judge, recognise};
pub use key::{
    account_number_key, document_number_key, invoice_paid_key, match_key, normalised_name,
    normalised_number, payment_key,
};
pub use suggest::{Confidence, Suggestion, suggest};
