//! Names and numbers as they come, and those that break things.
//!
//! Companies' names are made of invented words; among them are names that real ledgers have printed and
//! that are known to break software. Persons, addresses, telephones and e-mail are all invented.

use super::draw::{Dice, mixed, mixed_below};

/// Company names as found in published ledgers (city and council payments), and a few made for the same
/// purpose: markup, quotes, brackets, backslashes, mojibake, control characters, blanks, digits alone,
/// spellings that differ in case only, 101 characters, a placeholder's typo, right-to-left, zero-width
/// and four-byte characters.
pub(super) const HARD: [&str; 34] = [
    "MSFT *<E0200B8X0P>",
    "TOYS ''R\" US LIMITED",
    "Allied Publicity Services (M\\cr) Lt",
    "RENTOKIL INITIAL UK LTD [PEST CTRL]",
    "R\u{d6}CHLING ENGINEERING PLASTICS UKLTD",
    "DAC Beachcroft LLP",
    "Dac Beachcroft Llp",
    "-PEACHES  CREAM",
    "@RETAIL",
    "-FEDEX-*81468447",
    "3663",
    "EY",
    "R\u{c3}\u{b6}CHLING ENGINEERING PLASTICS UKLTD",
    "R\u{c3}\u{96}CHLING ENGINEERING PLASTICS UKLTD",
    "BARNARDO\\xB4S",
    "IT\u{d5}S DESIGNS LTD",
    "C\u{ef}ART ART TRANSPORT",
    "D\u{2019}Vine Catering Est 2017 Ltd",
    "Papak\u{e5}ta Ltd",
    "INSTITUTO SUPERIOR T\u{c9}CNICO",
    "Cr\u{e9}ation Baumann",
    "SCARLETTS CAF\u{c9} BAR",
    "jpi media publishing ltd",
    "jpimedia publishing limited",
    "Aden House Ltd T/A Aden Mount Nursing Home",
    "BAAF - In Administration",
    "THE BISHOP KONSTANT CATHOLIC ACADEMY TRUST T/A ST THOMAS A BECKETCATHOLIC SCHOOL, A VOLUNTARY ACADEMY",
    "REDCATED PERSONAL DATA",
    "Pizza \u{1f355} & Caf\u{e9} \u{2615}\u{fe0f} Lunchbox",
    "\u{645}\u{637}\u{628}\u{639}\u{629} \u{627}\u{644}\u{646}\u{648}\u{631}",
    "Zero\u{200b}Width Fittings Ltd",
    "\u{20bb7}\u{91ce}\u{5c4b} Trading",
    "Null Island Surveying, Inc.",
    "O'Quarry & Sons; DROP SHIPPING",
];

/// Invoice numbers that software damages, all as printed on real invoices.
pub(super) const ODD_NUMBERS: [&str; 6] = [
    "2.86E+11",
    "0910*001",
    "LS08001:8/4",
    "1014684228+101421992",
    "15NOV-12DEC",
    "10 FF",
];

const STARTS: [&str; 40] = [
    "Bel", "Bran", "Cal", "Cor", "Dar", "Del", "Dun", "Elm", "Far", "Fen", "Gar", "Gil", "Hal",
    "Har", "Ist", "Jun", "Kel", "Kor", "Lan", "Lor", "Mar", "Mel", "Nor", "Nev", "Oak", "Orl",
    "Pel", "Quil", "Ren", "Rov", "Sal", "Sten", "Tal", "Tor", "Ul", "Ver", "Wen", "Wil", "Yar",
    "Zel",
];
const ENDS: [&str; 32] = [
    "brook", "bury", "croft", "dale", "dane", "den", "dor", "fast", "field", "ford", "gate",
    "grove", "ham", "holt", "hurst", "kin", "land", "leigh", "lock", "mere", "mont", "ner",
    "quist", "ridge", "rix", "stead", "thorn", "vale", "van", "wick", "worth", "zane",
];
const TRADES: [&str; 40] = [
    "Supply",
    "Office Products",
    "Electric",
    "Plumbing",
    "Freight",
    "Logistics",
    "Software",
    "Hosting",
    "Legal",
    "Advisors",
    "Staffing",
    "Catering",
    "Landscape",
    "Roofing",
    "Printing",
    "Packaging",
    "Janitorial",
    "Security",
    "Telecom",
    "Networks",
    "Insurance",
    "Media",
    "Design",
    "Signs",
    "Steel",
    "Concrete",
    "Motors",
    "Tire & Auto",
    "Equipment Rental",
    "Tool & Die",
    "Laboratories",
    "Medical",
    "Water",
    "Energy",
    "Properties",
    "Travel",
    "Books",
    "Furniture",
    "Research",
    "Paper",
];
const FORMS: [&str; 12] = [
    "Inc.",
    "LLC",
    "Co.",
    "Corp",
    "Ltd",
    "& Sons",
    "Group",
    "Partners LLP",
    "(US) Inc",
    "- West",
    "Inc",
    "International",
];
const FIRST_NAMES: [&str; 20] = [
    "Abrielle", "Bexley", "Corvin", "Dariella", "Eskil", "Fenna", "Gorran", "Hollis", "Ilvie",
    "Jorun", "Kestra", "Lorcan", "Mirelle", "Nevin", "Orla", "Perrin", "Quilla", "Rosk", "Sunniva",
    "Tamsin",
];
const STREETS: [&str; 16] = [
    "Larchmere",
    "Old Mill",
    "Harbor",
    "Quarry",
    "Commerce",
    "Foundry",
    "Depot",
    "Juniper",
    "Granite",
    "Meadowlark",
    "Summit",
    "Canal",
    "Orchard",
    "Beacon",
    "Prairie",
    "Wharf",
];
/// City, state, first three digits of its postal codes, area code of its telephones.
const PLACES: [(&str, &str, &str, &str); 12] = [
    ("New York", "NY", "100", "212"),
    ("Austin", "TX", "787", "512"),
    ("Portland", "OR", "972", "503"),
    ("Chicago", "IL", "606", "312"),
    ("Boston", "MA", "021", "617"),
    ("Denver", "CO", "802", "303"),
    ("Atlanta", "GA", "303", "404"),
    ("Seattle", "WA", "981", "206"),
    ("Columbus", "OH", "432", "614"),
    ("Nashville", "TN", "372", "615"),
    ("Phoenix", "AZ", "850", "602"),
    ("Tampa", "FL", "336", "813"),
];

/// An invented word, capitalised.
fn word(dice: &mut Dice) -> String {
    let middle = if dice.per_mille(250) { "a" } else { "" };
    let start = STARTS[dice.below(STARTS.len())];
    let end = ENDS[dice.below(ENDS.len())];
    format!("{start}{middle}{end}")
}

/// An invented company name, with the signs that such names have.
pub(super) fn company(dice: &mut Dice) -> String {
    let trade = TRADES[dice.below(TRADES.len())];
    let form = FORMS[dice.below(FORMS.len())];
    let first = word(dice);
    let name = match dice.below(20) {
        0 => format!("{first} & {} {trade}", word(dice)),
        1 => format!("{first}-{} {trade} {form}", word(dice)),
        2 => format!("{first}'s {trade}"),
        3 => format!("{first} {trade} T/A {} {form}", word(dice)),
        4 => format!("The {first} {trade} {form}"),
        5 => format!("{first} {trade} #{}", 1 + dice.below(400)),
        6 => format!("{first} {} {trade} {form}", word(dice)),
        _ => format!("{first} {trade} {form}"),
    };
    match dice.below(12) {
        0 | 1 => name.to_uppercase(),
        2 => name.replacen(' ', "  ", 1),
        _ => name,
    }
}

/// Another spelling of a name: what a second clerk would have typed.
pub(super) fn respelt(name: &str, dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => name.to_uppercase(),
        1 => name.replace(" & ", " and "),
        2 => name.replacen(' ', "  ", 1),
        _ => name.trim_end_matches(['.', ' ']).to_owned(),
    }
}

/// First and last name of an invented person.
pub(super) fn person(dice: &mut Dice) -> (String, String) {
    let first = FIRST_NAMES[dice.below(FIRST_NAMES.len())];
    (first.to_owned(), word(dice))
}

/// An address that is nowhere, and a telephone number that is nobody's (555-01xx).
pub(super) fn place(dice: &mut Dice) -> (super::Address, String) {
    let (city, state, zip, area) = PLACES[dice.below(PLACES.len())];
    let street = STREETS[dice.below(STREETS.len())];
    let suite = dice
        .per_mille(250)
        .then(|| format!("Suite {}", 100 + dice.below(800)));
    let address = super::Address {
        line1: format!("{} {street} Street", 1 + dice.below(9800)),
        line2: suite,
        city: city.to_owned(),
        state: state.to_owned(),
        zip: format!("{zip}{:02}", dice.below(100)),
        country: "US".to_owned(),
    };
    (address, format!("({area}) 555-01{:02}", dice.below(100)))
}

/// An e-mail address under one of the domains that are reserved for examples.
pub(super) fn email(vendor: usize) -> String {
    let end = ["com", "net", "org"][mixed_below(vendor as u64, 3)];
    format!("billing.v{vendor:05}@example.{end}")
}

/// The number of a vendor's invoice: each vendor keeps to its own style, in the shares that were measured
/// on two councils' ledgers. Two of one vendor's are never the same.
pub(super) fn invoice_number(vendor: u64, sequence: u64) -> String {
    let own = mixed(vendor ^ 0xA5A5);
    let start = 100 + own % 90_000;
    let number = start + sequence * (1 + own % 7);
    let letters = ["INV", "SI", "A", "CI", "HQ", "BX"][mixed_below(own, 6)];
    let year = 24 + own % 3;
    match mixed(own) % 1000 {
        0..=436 => format!("{number}"),
        437..=676 => format!("{letters}{number:06}"),
        677..=795 if own.is_multiple_of(3) => format!("{number}.{year}"),
        677..=795 => format!("{letters}-{number}"),
        796..=886 => format!("{letters} {number}"),
        887..=929 => format!("{number:010}"),
        930..=969 => format!("{number}/{year}"),
        970..=988 => format!("{letters}-{number}/{year}"),
        _ => match usize::try_from(sequence)
            .ok()
            .and_then(|at| ODD_NUMBERS.get(at))
        {
            Some(odd) => (*odd).to_owned(),
            None => format!("{number}*{year}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_vendors_numbers_are_all_different() {
        for vendor in 0..500 {
            let numbers: HashSet<String> = (0..200).map(|at| invoice_number(vendor, at)).collect();
            assert_eq!(numbers.len(), 200, "vendor {vendor}");
        }
    }

    #[test]
    fn numbers_come_in_every_style() {
        let numbers: Vec<String> = (0..2000).map(|vendor| invoice_number(vendor, 0)).collect();
        let share = |wanted: fn(&String) -> bool| numbers.iter().filter(|n| wanted(n)).count();
        let digits = share(|n| !n.starts_with('0') && n.chars().all(|c| c.is_ascii_digit()));
        assert!((740..1010).contains(&digits), "{digits}");
        assert!(share(|n| n.starts_with('0') && n.chars().all(|c| c.is_ascii_digit())) > 40);
        assert!(share(|n| n.contains(' ')) > 100);
        assert!(share(|n| n.contains('/')) > 40);
        assert!(share(|n| n.contains(['*', '+', ':'])) > 5);
    }

    #[test]
    fn invented_company_names_seldom_repeat() {
        let mut dice = Dice::new(1, 1);
        let names: HashSet<String> = (0..10_000).map(|_| company(&mut dice)).collect();
        assert!(names.len() > 9_900, "{}", names.len());
    }
}
