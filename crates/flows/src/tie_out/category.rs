//! Why the two sets of books may differ: a closed list. What none of these explains is the residual, which is
//! printed and never plugged.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tieout_domain::subledger::Book;

/// One of the comparisons that must each close to 0.00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// General ledger against the sub-ledger's open items.
    Ledger,
    /// Sub-ledger against the platform's open items.
    Platform,
    /// The clearing account against the payments whose money is under way.
    Clearing,
    /// The opening balance plus what happened against the closing balance.
    RollForward,
    /// What the platform paid out against the ledger's deposits of it.
    Payouts,
}

impl Leg {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::Ledger,
        Self::Platform,
        Self::Clearing,
        Self::RollForward,
        Self::Payouts,
    ];

    /// 1 to 5.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Ledger => 1,
            Self::Platform => 2,
            Self::Clearing => 3,
            Self::RollForward => 4,
            Self::Payouts => 5,
        }
    }

    /// What is held against what.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Ledger => "General ledger and sub-ledger",
            Self::Platform => "Sub-ledger and platform",
            Self::Clearing => "Clearing account",
            Self::RollForward => "Roll-forward",
            Self::Payouts => "Payouts and deposits",
        }
    }
}

impl Serialize for Leg {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for Leg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Self::ALL
            .into_iter()
            .find(|leg| leg.number() == number)
            .ok_or_else(|| {
                serde::de::Error::custom(format!("{number} is no leg; there are 1 to 5"))
            })
    }
}

/// How grave a category is. The order is the precedence in which a difference is given its one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gravity {
    /// Money is wrong, or about to be.
    Critical,
    /// Somebody must put it right.
    Error,
    /// It goes away by itself.
    Timing,
    /// Left out by a rule; normal.
    Scope,
    /// A matter of rates, discounts and cents.
    Valuation,
    /// Somebody must look at it; nothing need be wrong.
    Review,
}

impl Gravity {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Timing => "timing",
            Self::Scope => "scope",
            Self::Valuation => "valuation",
            Self::Review => "review",
        }
    }
}

macro_rules! categories {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $gravity:ident, $leg:ident, $title:literal;)*) => {
        /// The cause of a difference. A difference has exactly one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Category {
            $(#[doc = $title] $(#[$doc])* $name,)*
        }

        impl Category {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its code, as printed: `T-QUEUE`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How grave it is.
            #[must_use]
            pub fn gravity(self) -> Gravity {
                match self { $(Self::$name => Gravity::$gravity,)* }
            }

            /// The leg whose difference it explains.
            #[must_use]
            pub fn leg(self) -> Leg {
                match self { $(Self::$name => Leg::$leg,)* }
            }

            /// What it means, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

categories! {
    Double = "E-DOUBLE", Critical, Platform, "paid on both sides by different payments";
    Ghost = "E-GHOST", Critical, Platform, "deleted or voided in the ledger, alive on the platform";
    Revived = "E-REVIVED", Critical, Platform, "undone on the platform, still paid in the ledger";
    Duplicate = "E-DUP", Critical, Platform, "suspected duplicate bill";
    Failed = "AR-FAILED", Critical, Platform, "failed after it had succeeded, and not taken back in the ledger";
    Blocked = "E-BLOCKED", Error, Platform, "its way to the other side is blocked";
    BillOnly = "E-BILLONLY", Error, Platform, "exists on the platform only";
    Amount = "E-AMOUNT", Error, Platform, "a linked pair whose amounts differ";
    PaidOut = "E-PAIDOUT", Error, Platform, "paid in the ledger outside the platform, still open there";
    Unposted = "E-UNPOSTED", Error, Platform, "paid on the platform, and not posted in time";
    Link = "E-LINK", Error, Platform, "an ambiguous or lost link";
    StandAlone = "AR-STANDALONE", Error, Platform, "an invoice or credit that exists on the platform only";
    ChargeBack = "AR-CHARGEBACK", Error, Platform, "money that went back to the customer by a dispute or a refund";
    LateEdit = "AR-LATEEDIT", Error, Platform, "changed where it began after it was paid on the other side";
    OneSided = "AR-CREDIT", Error, Platform, "a credit that is applied on one side only, and not carried over in time";
    Archived = "AR-ARCHIVE", Error, Platform, "closed, voided or archived on the platform, and open in the ledger";
    Queue = "T-QUEUE", Timing, Platform, "approved, not sent yet";
    InFlight = "T-INFLIGHT", Timing, Platform, "paid on the platform, not posted yet";
    CutOff = "T-CUTOFF", Timing, Platform, "recorded in another period on one side";
    Credit = "T-CREDIT", Timing, Platform, "a credit or its application on one side only";
    Void = "T-VOID", Timing, Platform, "a void or return that waits for a decision";
    Excluded = "S-SCOPE", Scope, Platform, "left out by rule";
    CutOver = "S-CUTOVER", Scope, Platform, "from before go-live, or prepaid";
    Currency = "S-CCY", Scope, Platform, "in a currency that the platform can't pay";
    Zero = "S-ZERO", Scope, Platform, "zero, or handled as a credit";
    PreCut = "AR-PRECUT", Scope, Platform, "from before go-live, or settled before it reached the platform";
    Exchange = "V-FX", Valuation, Platform, "the same in its currency, not in the base currency";
    Discount = "V-DISC", Valuation, Platform, "a discount taken on one side";
    Rounding = "V-ROUND", Valuation, Platform, "a cent";
    Unapplied = "AR-UNAPPLIED", Review, Platform, "money on account on one side only";
    Surcharge = "AR-FEE", Review, Platform, "a surcharge that is billed in the ledger alone";
    Journal = "L1-JE", Review, Ledger, "a journal entry on the control account without a vendor";
    Revaluation = "L1-REVAL", Review, Ledger, "revaluation of foreign currency";
    OtherType = "L1-OTHER", Review, Ledger, "another kind of transaction on the control account";
    Transit = "C-TRANSIT", Timing, Clearing, "the money is withdrawn after the end of the period";
    FundingFailed = "C-FUNDFAIL", Review, Clearing, "the funding failed: owed to the platform";
    Fee = "C-FEE", Review, Clearing, "a fee";
    ClearingExchange = "C-FX", Review, Clearing, "a difference of exchange";
    Offline = "C-OFFLINE", Review, Clearing, "booked to clearing, and never went through the platform";
    PayoutMissing = "P-MISSING", Error, Payouts, "a payout that arrived, and is in no deposit of the ledger";
    PayoutAmount = "P-AMOUNT", Error, Payouts, "a payout that was deposited with another amount than arrived";
    PayoutOpen = "P-OPEN", Timing, Payouts, "a payout that arrived, and is not deposited yet";
    PayoutLater = "P-LATER", Timing, Payouts, "a payout that arrived in the period, and was deposited after it";
}

impl Category {
    /// What it means in a book, in a few words: some are said of vendors in payables, and of customers here.
    #[must_use]
    pub fn title_in(self, book: Book) -> &'static str {
        match (book, self) {
            (Book::Receivables, Self::Journal) => {
                "a journal entry on the control account without a customer"
            }
            (Book::Receivables, Self::Transit) => "received, and not deposited yet",
            (Book::Receivables, Self::Offline) => {
                "received in the ledger, and never went through the platform"
            }
            (Book::Receivables, Self::Fee) => {
                "no payment: an entry, or a deposit of another amount"
            }
            _ => self.title(),
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for Category {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|category| category.code() == text)
            .ok_or_else(|| format!("`{text}` is no category"))
    }
}

impl Serialize for Category {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Category {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_back_as_its_category_and_no_two_share_one() {
        for category in Category::ALL {
            assert_eq!(category.code().parse(), Ok(*category));
            let json = serde_json::to_string(category).unwrap();
            assert_eq!(serde_json::from_str::<Category>(&json).unwrap(), *category);
        }
        let codes: std::collections::BTreeSet<_> =
            Category::ALL.iter().map(|one| one.code()).collect();
        assert_eq!(codes.len(), Category::ALL.len());
        assert!("E-OTHER".parse::<Category>().is_err(), "there is no other");
    }

    #[test]
    fn graver_causes_come_first() {
        let order: Vec<Gravity> = Category::ALL
            .iter()
            .filter(|category| category.leg() == Leg::Platform)
            .map(|category| category.gravity())
            .collect();
        assert!(order.is_sorted());
    }
}
