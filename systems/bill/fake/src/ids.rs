//! Identifiers: a prefix that tells the kind, and seventeen opaque characters (README §Identifiers).
//!
//! A record's identifier is computed from its place in its table and back, so that the sandbox keeps
//! small integers only, and the same seed gives the same identifiers.

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Organization,
    User,
    Vendor,
    Bill,
    BillLine,
    Payment,
    BillPayment,
    Void,
    Credit,
    CreditLine,
    Account,
    Class,
    Department,
    Location,
    Job,
    Employee,
    Item,
    Customer,
    Invoice,
    InvoiceLine,
    ReceivedPayment,
    CreditMemo,
    Bank,
    Card,
    Document,
    Upload,
    Attachment,
    Term,
    Policy,
    RecurringBill,
    Setup,
}

impl Kind {
    /// The three characters an identifier starts with.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Organization => "008",
            Self::User => "006",
            Self::Vendor => "009",
            Self::Bill => "00n",
            Self::BillLine => "bli",
            Self::Payment => "stp",
            Self::BillPayment => "blp",
            Self::Void => "vpr",
            Self::Credit => "vcr",
            Self::CreditLine => "vci",
            Self::Account => "0ca",
            Self::Class => "cls",
            Self::Department => "0de",
            Self::Location => "loc",
            Self::Job => "job",
            Self::Employee => "emp",
            Self::Item => "0ii",
            Self::Customer => "0cu",
            Self::Invoice => "00e",
            Self::InvoiceLine => "ili",
            Self::ReceivedPayment => "0rp",
            Self::CreditMemo => "0cm",
            Self::Bank => "bac",
            Self::Card => "cac",
            Self::Document => "00h",
            Self::Upload => "0du",
            Self::Attachment => "att",
            Self::Term => "00p",
            Self::Policy => "apl",
            Self::RecurringBill => "rbl",
            Self::Setup => "mfa",
        }
    }
}

const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// 36 to the ninth: how many records of a kind have an identifier.
const SPACE: u128 = 101_559_956_668_416;
/// Prime to 36, so that multiplication by it can be undone.
const SPREAD: u128 = 40_692_876_543_211;

/// Turns places into identifiers of one organization, and back.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    tag: String,
    back: u128,
}

impl Ids {
    /// The identifiers of the organization that a seed makes.
    pub(crate) fn new(seed: u64) -> Self {
        let mut tag = String::from("01");
        let mut rest = Random::new(seed ^ 0x0B11).next();
        for _ in 0..6 {
            tag.push(char::from(ALPHABET[(rest % 36) as usize]));
            rest /= 36;
        }
        Self {
            tag,
            back: inverse(),
        }
    }

    /// The identifier of the record at a place.
    pub(crate) fn text(&self, kind: Kind, place: u32) -> String {
        let mut rest = (u128::from(place) + 1) * SPREAD % SPACE;
        let mut end = [b'0'; 9];
        for digit in end.iter_mut().rev() {
            *digit = ALPHABET[(rest % 36) as usize];
            rest /= 36;
        }
        let mut text = String::with_capacity(20);
        text.push_str(kind.prefix());
        text.push_str(&self.tag);
        text.extend(end.iter().map(|digit| char::from(*digit)));
        text
    }

    /// The place an identifier stands for, if it is of this kind and organization.
    pub(crate) fn place(&self, kind: Kind, id: &str) -> Option<u32> {
        let digits = id.strip_prefix(kind.prefix())?.strip_prefix(&*self.tag)?;
        if digits.len() != 9 {
            return None;
        }
        let mut number = 0u128;
        for digit in digits.bytes() {
            let value = ALPHABET.iter().position(|letter| *letter == digit)?;
            number = number * 36 + value as u128;
        }
        let place = number * self.back % SPACE;
        u32::try_from(place.checked_sub(1)?).ok()
    }
}

fn inverse() -> u128 {
    let (mut r, mut next_r) = (SPACE as i128, SPREAD as i128);
    let (mut t, mut next_t) = (0i128, 1i128);
    while next_r != 0 {
        let quotient = r / next_r;
        (r, next_r) = (next_r, r - quotient * next_r);
        (t, next_t) = (next_t, t - quotient * next_t);
    }
    t.rem_euclid(SPACE as i128) as u128
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Starts the row of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Letters and digits for keys and tokens.
    pub(crate) fn token(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(ALPHABET[(self.next() % 36) as usize]))
            .collect()
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let bytes = (u128::from(self.next()) << 64) | u128::from(self.next());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes())
            .into_uuid()
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_lead_back_to_their_record() {
        let ids = Ids::new(7);
        for place in [0, 1, 2, 99_999, u32::MAX] {
            let id = ids.text(Kind::Bill, place);
            assert_eq!(id.len(), 20);
            assert!(id.starts_with("00n01"));
            assert_eq!(ids.place(Kind::Bill, &id), Some(place));
            assert_eq!(ids.place(Kind::Vendor, &id), None);
            assert_eq!(ids.place(Kind::Bill, &id.to_lowercase()), None);
        }
        assert_eq!(
            ids.place(Kind::Bill, &Ids::new(8).text(Kind::Bill, 0)),
            None
        );
    }
}
