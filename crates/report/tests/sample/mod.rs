//! A worked example: subsidiary 3 in US dollars at the end of June 2026, tied with exceptions.
//!
//! | leg | left | right | difference |
//! |---|---|---|---|
//! | 1 | G 412,906.18 | A 409,906.18 | 3,000.00, one journal entry |
//! | 2 | A 409,906.18 | B 371,190.43 | 38,715.75, 29 documents in seven categories |
//! | 3 | C -22,140.00 | K -22,140.00 | 0.00; two withdrawals of July make up the balance |
//! | 4 | opening 388,120.44 and what happened | closing 409,906.18 | 0.00 |

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "what is written here can be read, and each user takes what it needs"
)]

use std::collections::BTreeMap;

use tieout_domain::code::Code;
use tieout_domain::{Amount, Currency, Date, Kind, RecordRef, RemoteId, Side};
use tieout_flows::tie_out::{
    AccountName, Advisory, Aging, BasisLine, Category, Check, Completeness, Document, Extract,
    Figure, Flow, Item, Leg, LegReport, Method, Party, PeriodName, Report, Signal, Status,
};

/// An amount.
pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A day.
pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A document of one side.
pub(crate) fn document(side: Side, kind: Kind, id: &str, label: &str, sum: &str) -> Document {
    Document {
        record: RecordRef::new(side, kind, id),
        label: label.to_owned(),
        amount: amount(sum),
    }
}

/// The single amounts of a category, which of the two sides has a document, and what it is.
struct Group {
    category: Category,
    kind: Kind,
    sides: &'static [Side],
    amounts: &'static [&'static str],
    vendors: &'static [&'static str],
    cause: &'static str,
    code: Option<&'static str>,
    clears_by: Option<&'static str>,
    owner: &'static str,
    comment: &'static str,
}

const LEDGER: &[Side] = &[Side::Ledger];
const PLATFORM: &[Side] = &[Side::Platform];
const BOTH: &[Side] = &[Side::Ledger, Side::Platform];

/// The graver first, as a report has them.
const GROUPS: &[Group] = &[
    Group {
        category: Category::Blocked,
        kind: Kind::Bill,
        sides: LEDGER,
        amounts: &["2960.00", "1350.00"],
        vendors: &["Bäckerei Müller & Söhne GmbH", "Northwind Traders"],
        cause: "The bill's expense account 6400 has no mapping, so that it can't be sent.",
        code: Some("unmapped-account"),
        clears_by: None,
        owner: "j.doe",
        comment: "account is being mapped, goes out on July 2",
    },
    Group {
        category: Category::BillOnly,
        kind: Kind::Bill,
        sides: PLATFORM,
        amounts: &["-4100.00", "-2400.00"],
        vendors: &["Contoso Facilities, Inc.", "Señor Peña Imports"],
        cause: "Typed in on the platform by hand; no bill of the ledger stands behind it.",
        code: None,
        clears_by: None,
        owner: "m.lee",
        comment: "vendor asked for a copy; enter in NetSuite or archive",
    },
    Group {
        category: Category::PaidOut,
        kind: Kind::Bill,
        sides: BOTH,
        amounts: &["-5000.00"],
        vendors: &["Fabrikam Leasing"],
        cause: "Paid in the ledger by wire outside the platform on 2026-06-24, and still open on the platform, where it could be paid a second time.",
        code: None,
        clears_by: None,
        owner: "m.lee",
        comment: "approval withdrawn on the platform",
    },
    Group {
        category: Category::InFlight,
        kind: Kind::Payment,
        sides: BOTH,
        amounts: &[
            "2950.00", "2400.50", "2118.00", "1899.50", "1450.00", "1300.00", "1125.00", "975.00",
            "720.00", "450.00", "280.00",
        ],
        vendors: &["Adventure Works", "Tailspin Toys", "Wingtip Legal LLP"],
        cause: "Paid on the platform; the money hasn't arrived, so that the ledger doesn't have the payment yet.",
        code: None,
        clears_by: Some("2026-07-06"),
        owner: "",
        comment: "",
    },
    Group {
        category: Category::Queue,
        kind: Kind::Bill,
        sides: LEDGER,
        amounts: &[
            "3200.00", "2115.25", "1800.00", "1250.00", "900.00", "550.00",
        ],
        vendors: &["Lucerne Publishing", "Graphic Design Institute"],
        cause: "Approved after the last sync of the day.",
        code: None,
        clears_by: Some("2026-07-01"),
        owner: "",
        comment: "",
    },
    Group {
        category: Category::Excluded,
        kind: Kind::Bill,
        sides: LEDGER,
        amounts: &["6000.00", "3400.00", "1900.00", "1100.00"],
        vendors: &["Woodgrove Bank", "Employee: A. Łukasiewicz"],
        cause: "The vendor's category is left out by the configuration.",
        code: Some("excluded-category"),
        clears_by: None,
        owner: "",
        comment: "",
    },
    Group {
        category: Category::Currency,
        kind: Kind::Bill,
        sides: LEDGER,
        amounts: &["4022.50", "2500.00", "1500.00"],
        vendors: &["Škoda Servis s.r.o.", "Litware Oy"],
        cause: "In a currency that the platform doesn't pay from this account.",
        code: None,
        clears_by: None,
        owner: "",
        comment: "",
    },
];

fn items() -> Vec<Item> {
    let mut items = vec![];
    let mut number = 7_200;
    for group in GROUPS {
        for (at, sum) in group.amounts.iter().enumerate() {
            number += 1;
            let prefix = match group.kind {
                Kind::Payment => "PMT",
                _ => "INV",
            };
            let side = |side: Side, id: String, sum: String| {
                group
                    .sides
                    .contains(&side)
                    .then(|| document(side, group.kind, &id, &format!("{prefix}-{number}"), &sum))
            };
            let open = sum.trim_start_matches('-').to_owned();
            // Where both have it, the one side owes all of it still, and the other nothing.
            let (here, there) = match group.sides {
                [Side::Ledger, Side::Platform] if sum.starts_with('-') => ("0".to_owned(), open),
                [Side::Ledger, Side::Platform] => (open, "0".to_owned()),
                _ => (open.clone(), open),
            };
            items.push(Item {
                category: group.category,
                ledger: side(Side::Ledger, number.to_string(), here),
                platform: side(Side::Platform, format!("00n01QRSTU{number}wxyz"), there),
                vendor: group.vendors[at % group.vendors.len()].to_owned(),
                amount: amount(sum),
                date: day(&format!("2026-06-{:02}", 29 - at)),
                age_days: 1 + i64::try_from(at).unwrap(),
                cause: group.cause.to_owned(),
                code: group.code.map(Code::from_text),
                clears_by: group.clears_by.map(day),
                owner: group.owner.to_owned(),
                comment: group.comment.to_owned(),
            });
        }
    }
    items.push(journal());
    items.push(transit("18940.00", "W-0701", "2026-07-01", 9));
    items.push(transit("3200.00", "W-0702", "2026-07-02", 2));
    items
}

fn journal() -> Item {
    Item {
        category: Category::Journal,
        ledger: Some(document(
            Side::Ledger,
            Kind::Journal,
            "1187",
            "JE-1187",
            "3000",
        )),
        platform: None,
        vendor: String::new(),
        amount: amount("3000"),
        date: day("2026-06-30"),
        age_days: 0,
        cause: "A journal entry on the control account without a vendor: \"accrue freight\"."
            .to_owned(),
        code: None,
        clears_by: None,
        owner: "j.doe".to_owned(),
        comment: "accrual, reversed on July 1".to_owned(),
    }
}

fn transit(sum: &str, label: &str, when: &str, payments: u32) -> Item {
    Item {
        category: Category::Transit,
        ledger: None,
        platform: Some(document(Side::Platform, Kind::Payment, label, label, sum)),
        vendor: String::new(),
        amount: amount(sum),
        date: day("2026-06-30"),
        age_days: 0,
        cause: format!("{payments} payments of June, withdrawn from the bank on {when}."),
        code: None,
        clears_by: Some(day(when)),
        owner: String::new(),
        comment: String::new(),
    }
}

fn figure(symbol: &str, label: &str, sum: &str) -> Figure {
    Figure {
        symbol: symbol.to_owned(),
        label: label.to_owned(),
        amount: amount(sum),
    }
}

fn leg(leg: Leg, left: Figure, right: Figure, difference: &str) -> LegReport {
    LegReport {
        leg,
        title: leg.title().to_owned(),
        left,
        right,
        difference: amount(difference),
        explained: amount(difference),
        residual: Amount::ZERO,
        flows: Vec::new(),
    }
}

fn legs() -> Vec<LegReport> {
    let flow = |label: &str, count: u64, sum: &str, platform: u64, there: &str| Flow {
        label: label.to_owned(),
        ledger_count: count,
        ledger_amount: amount(sum),
        platform_count: platform,
        platform_amount: amount(there),
    };
    let closing = || figure("A", "sub-ledger, open items", "409906.18");
    let mut roll = leg(
        Leg::RollForward,
        figure(
            "R",
            "opening balance 388,120.44 and what happened in the period",
            "409906.18",
        ),
        closing(),
        "0",
    );
    roll.flows = vec![
        flow("bills", 143, "214775.90", 137, "205990.65"),
        flow("credits", 5, "-3210.00", 5, "-3210.00"),
        flow("payments", 97, "-189780.16", 108, "-205448.16"),
    ];
    vec![
        leg(
            Leg::Ledger,
            figure("G", "general ledger 2000 Accounts Payable", "412906.18"),
            closing(),
            "3000",
        ),
        leg(
            Leg::Platform,
            closing(),
            figure("B", "platform, open bills", "371190.43"),
            "38715.75",
        ),
        leg(
            Leg::Clearing,
            figure("C", "clearing account 1090 BILL Clearing", "-22140"),
            figure("K", "payments whose money is under way", "-22140"),
            "0",
        ),
        roll,
    ]
}

fn extract(what: &str, query: &str, rows: u64, total: &str, hash: &str) -> Extract {
    Extract {
        what: what.to_owned(),
        query: query.to_owned(),
        started: "2026-07-01T06:00:05Z".parse().unwrap(),
        ended: "2026-07-01T06:00:41Z".parse().unwrap(),
        server_time: "2026-06-30 23:00:40".to_owned(),
        rows,
        total: amount(total),
        last_page_seen: true,
        sha256: hash.repeat(16),
    }
}

fn completeness() -> Completeness {
    let check = |what: &str, expected: &str| Check {
        what: what.to_owned(),
        expected: expected.to_owned(),
        found: expected.to_owned(),
        holds: true,
    };
    let states = [
        ("in step", 168),
        ("waiting", 17),
        ("blocked", 2),
        ("out of scope", 7),
    ];
    let states: BTreeMap<_, _> = states
        .into_iter()
        .map(|(state, count)| (state.to_owned(), count))
        .collect();
    Completeness {
        extracts: vec![
            extract(
                "general ledger balances",
                "SELECT tal.account, t.currency, SUM(NVL(tal.amount, 0)) AS base, COUNT(*) AS lines\nFROM transactionaccountingline tal\n  JOIN transaction t ON t.id = tal.transaction\nWHERE tal.posting = 'T' AND tal.account IN (111)\n  AND t.postingperiod IN (SELECT id FROM accountingperiod WHERE enddate <= TO_DATE('2026-06-30', 'YYYY-MM-DD'))\nGROUP BY tal.account, t.currency",
                1,
                "412906.18",
                "c0ff",
            ),
            extract(
                "sub-ledger, open items",
                "SELECT t.id, t.tranid, t.trandate, t.entity, tal.amountunpaid FROM transaction t JOIN transactionaccountingline tal ON tal.transaction = t.id WHERE tal.account IN (111) AND t.id > 0 ORDER BY t.id",
                187,
                "409906.18",
                "beef",
            ),
            extract(
                "platform, open bills",
                "GET /v3/bills?filters=archived:eq:false&max=100",
                171,
                "371190.43",
                "feed",
            ),
        ],
        checks: vec![
            check("open items, counted by the ledger itself", "187"),
            check("open items, added up by the ledger itself", "409,906.18"),
            check(
                "the report's own items add up to the difference",
                "38,715.75",
            ),
        ],
        states: [("bills".to_owned(), states)].into(),
        window_seconds: 36,
        version: "0.1.0".to_owned(),
        rules: "sha256:5f0d9a".to_owned(),
    }
}

/// The worked example.
pub(crate) fn report() -> Report {
    let aging = |bucket: &str, ledger: &str, platform: &str| Aging {
        bucket: bucket.to_owned(),
        ledger: amount(ledger),
        platform: amount(platform),
    };
    Report {
        status: Status::TiedWithExceptions,
        reasons: vec![
            "5 differences wait for a person: 2 E-BLOCKED, 2 E-BILLONLY, 1 E-PAIDOUT; each has an owner and a comment".to_owned(),
        ],
        connection: "us-payables".to_owned(),
        ledger: Party {
            system: "netsuite".to_owned(),
            account: "1234567".to_owned(),
            part: "subsidiary 3".to_owned(),
        },
        platform: Party {
            system: "bill".to_owned(),
            account: "00801ABCDEFGHIJK".to_owned(),
            part: String::new(),
        },
        accounts: vec![AccountName {
            id: RemoteId::new("111"),
            label: "2000 Accounts Payable".to_owned(),
        }],
        clearing: vec![AccountName {
            id: RemoteId::new("119"),
            label: "1090 BILL Clearing".to_owned(),
        }],
        currency: Currency::USD,
        period: PeriodName {
            id: RemoteId::new("206"),
            name: "Jun 2026".to_owned(),
            start: day("2026-06-01"),
            end: day("2026-06-30"),
            state: "locked".to_owned(),
        },
        day: day("2026-06-30"),
        method: Method::RollBack,
        made_at: "2026-07-01T06:01:12Z".parse().unwrap(),
        residuals: Leg::ALL.map(|leg| (leg, Amount::ZERO)).into(),
        legs: legs(),
        items: items(),
        basis: vec![BasisLine {
            document: document(Side::Ledger, Kind::Bill, "7190", "INV-7190", "1480"),
            vendor: "Proseware".to_owned(),
            date: day("2026-07-01"),
            posted: day("2026-06-30"),
            amount: amount("-1480"),
        }],
        basis_difference: amount("-1480"),
        advisories: vec![Advisory {
            signal: Signal::SameAmount,
            ledger: Some(document(Side::Ledger, Kind::Payment, "7412", "P2201", "640")),
            platform: Some(document(Side::Platform, Kind::Payment, "stp01xyz", "P2201", "640")),
            vendor: "Proseware".to_owned(),
            date: day("2026-06-24"),
            words: "640.00 USD went to the same vendor on 2026-06-03 already, as payment P2107"
                .to_owned(),
        }],
        aging: vec![
            aging("not due", "301220.68", "270004.93"),
            aging("1 to 30 days", "92685.50", "88185.50"),
            aging("31 to 60 days", "16000.00", "13000.00"),
            aging("over 60 days", "0", "0"),
        ],
        base: None,
        signatures: Vec::new(),
        completeness: completeness(),
        notices: vec!["segregation of duties waived: preparer and reviewer may be the same person".to_owned()],
    }
}

/// The same with this many further timing differences, and none explained twice.
pub(crate) fn large(count: u32) -> Report {
    let mut report = report();
    for number in 0..count {
        let label = format!("LARGE-{number:05}");
        report.items.push(Item {
            category: Category::Queue,
            ledger: Some(document(
                Side::Ledger,
                Kind::Bill,
                &format!("9{number:05}"),
                &label,
                "1.01",
            )),
            platform: None,
            vendor: format!("Vendor {number:05}"),
            amount: amount("1.01"),
            date: day("2026-06-30"),
            age_days: 0,
            cause: "Approved after the last sync of the day.".to_owned(),
            code: None,
            clears_by: None,
            owner: String::new(),
            comment: String::new(),
        });
    }
    report
}

/// Makes it a report that can't be signed, with texts that somebody chose to do harm.
pub(crate) fn spoil(report: &mut Report) {
    report.status = Status::Incomplete;
    report.reasons = vec![
        "leg 2: 1,250,000.01 is not explained".to_owned(),
        "platform, open bills: the last page was not seen".to_owned(),
    ];
    let leg = &mut report.legs[1];
    leg.residual = amount("-1250000.01");
    leg.difference = amount("-1211284.26");
    report.residuals.insert(Leg::Platform, leg.residual);
    report.completeness.extracts[2].last_page_seen = false;
    report.completeness.checks[0].holds = false;
    report.completeness.checks[0].found = "186".to_owned();
    let item = &mut report.items[0];
    item.vendor = HARM.to_owned();
    item.cause = format!(
        "{} {}",
        "A long cause. ".repeat(60),
        "unbreakable".repeat(30)
    );
    item.owner = "=HYPERLINK(\"http://example.com\")".to_owned();
    item.comment = "@SUM(1+1)*cmd|' /C calc'!A0".to_owned();
    item.amount = amount("-12345678901234.56");
    if let Some(document) = &mut item.ledger {
        document.record.id = RemoteId::new("X".repeat(60));
        document.label = "-2+3".to_owned();
    }
}

/// A vendor's name that wants to be a script, a command to the terminal and text from right to left.
pub(crate) const HARM: &str = "<script>alert('x')</script> & \"Co\" \u{1b}[2J\u{7}\u{202e}東京 Ltd";
