//! Short ways to make a tie-out's input.

use std::collections::BTreeMap;

use tieout_domain::code::Code;
use tieout_domain::subledger::{Book, Posting, PostingKind};
use tieout_domain::{Amount, Currency, Date, Kind, RecordRef, Side, State, Timestamp};
use tieout_flows::tie_out::input::{
    Cleared, Effect, EffectKind, Held, Input, Note, Pair, Presence, RollForward, Scope, Standing,
};
use tieout_flows::tie_out::{AccountName, Completeness, Document, Flow, Method, Party, PeriodName};

pub(crate) fn amount(text: &str) -> Amount {
    text.replace(',', "").parse().unwrap()
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn scope() -> Scope {
    Scope {
        book: Book::Payables,
        connection: "acme-us".to_owned(),
        ledger: Party {
            system: "netsuite".to_owned(),
            account: "1234567_SB1".to_owned(),
            part: "subsidiary 3".to_owned(),
        },
        platform: Party {
            system: "bill".to_owned(),
            account: "00801ABC".to_owned(),
            part: String::new(),
        },
        accounts: vec![AccountName {
            id: "200".into(),
            label: "2000 Accounts Payable".to_owned(),
        }],
        clearing: vec![AccountName {
            id: "195".into(),
            label: "1095 Money Out Clearing".to_owned(),
        }],
        currency: Currency::USD,
        period: PeriodName {
            id: "106".into(),
            name: "Jun 2026".to_owned(),
            start: day("2026-06-01"),
            end: day("2026-06-30"),
            state: "open".to_owned(),
        },
        day: day("2026-06-30"),
        method: Method::RollBack,
        made_at: "2026-07-01T12:00:00Z".parse::<Timestamp>().unwrap(),
        grace_days: 5,
    }
}

/// Nothing on either side.
pub(crate) fn empty() -> Input {
    Input {
        scope: scope(),
        control: Amount::ZERO,
        loose: Vec::new(),
        pairs: Vec::new(),
        effects: Vec::new(),
        clearing: Amount::ZERO,
        cleared: Vec::new(),
        payouts: Vec::new(),
        settlements: None,
        roll_forward: RollForward::default(),
        basis: Vec::new(),
        valuation: None,
        notes: BTreeMap::new(),
        completeness: Completeness::default(),
        notices: Vec::new(),
    }
}

pub(crate) fn bill(side: Side, id: &str) -> RecordRef {
    RecordRef::new(side, Kind::Bill, id)
}

pub(crate) fn payment(side: Side, id: &str) -> RecordRef {
    RecordRef::new(side, Kind::Payment, id)
}

/// A bill that one side holds: what it came to, and what of it is open.
pub(crate) fn held(side: Side, id: &str, total: Amount, open: Amount) -> Held {
    Held {
        record: bill(side, id),
        kind: PostingKind::Bill,
        label: format!("INV-{id}"),
        date: day("2026-06-28"),
        due: Some(day("2026-07-28")),
        total,
        open,
        presence: Presence::There,
    }
}

pub(crate) fn standing(state: State, code: &str) -> Standing {
    Standing {
        state,
        code: (!code.is_empty()).then(|| Code::from_text(code)),
        cause: format!("because of {code}"),
        since: day("2026-06-29"),
    }
}

pub(crate) fn pair(
    ledger: Option<Held>,
    platform: Option<Held>,
    standing: Option<Standing>,
) -> Pair {
    Pair {
        customer: None,
        ledger,
        platform,
        vendor: "Acme Paper".to_owned(),
        standing,
        posted_by_us: false,
        discount: Amount::ZERO,
    }
}

/// A bill that is open on both sides: this much here, that much there, of the same total.
pub(crate) fn linked(id: &str, total: &str, here: &str, there: &str) -> Pair {
    pair(
        Some(held(Side::Ledger, id, amount(total), amount(here))),
        Some(held(
            Side::Platform,
            &format!("b{id}"),
            amount(total),
            amount(there),
        )),
        Some(standing(State::Done, "")),
    )
}

/// A bill of the ledger alone.
pub(crate) fn only_here(id: &str, open: &str, standing: Standing) -> Pair {
    let held = held(Side::Ledger, id, amount(open), amount(open));
    pair(Some(held), None, Some(standing))
}

/// A payment that one side counts, of these bills by the counting side's ids.
pub(crate) fn effect(
    kind: EffectKind,
    id: &str,
    parts: &[(&str, &str)],
    standing: Option<Standing>,
) -> Effect {
    let of_platform = matches!(
        kind,
        EffectKind::PaidOnPlatform | EffectKind::PostedLater | EffectKind::CreditOnPlatform
    );
    let side = if of_platform {
        Side::Platform
    } else {
        Side::Ledger
    };
    let total: Amount = parts.iter().map(|(_, part)| amount(part)).sum();
    let document = Document {
        record: payment(side, id),
        label: format!("payment {id}"),
        amount: total,
    };
    Effect {
        kind,
        ledger: (!of_platform).then(|| document.clone()),
        platform: of_platform.then_some(document),
        vendor: "Acme Paper".to_owned(),
        date: day("2026-06-29"),
        parts: parts
            .iter()
            .map(|(id, part)| (bill(side, id), amount(part)))
            .collect(),
        unplaced: None,
        supposed: Vec::new(),
        standing,
    }
}

pub(crate) fn posting(id: &str, kind: PostingKind, date: &str, debit: &str) -> Posting {
    Posting {
        id: id.into(),
        kind,
        account: "195".into(),
        number: id.to_owned(),
        external_id: None,
        party: None,
        party_name: String::new(),
        date: day(date),
        due: None,
        period_end: day("2026-06-30"),
        currency: Currency::USD,
        amount: amount(debit),
        open: amount(debit),
        memo: String::new(),
        deposit: None,
    }
}

pub(crate) fn cleared(posting: Posting, ours: bool) -> Cleared {
    Cleared {
        posting,
        ours,
        owed: false,
    }
}

pub(crate) fn flow(label: &str, count: u64, sum: &str) -> Flow {
    Flow {
        label: label.to_owned(),
        ledger_count: count,
        ledger_amount: amount(sum),
        platform_count: count,
        platform_amount: amount(sum),
    }
}

pub(crate) fn note(owner: &str, comment: &str) -> Note {
    Note {
        owner: owner.to_owned(),
        comment: comment.to_owned(),
    }
}

/// The control account and the roll-forward that go with the documents, so that legs 1 and 4 close.
pub(crate) fn close(input: &mut Input) {
    let open: Amount = input
        .pairs
        .iter()
        .filter_map(|pair| pair.ledger.as_ref())
        .filter(|held| held.presence == Presence::There)
        .map(|held| held.open)
        .sum();
    let loose: Amount = input.loose.iter().map(|one| -one.amount).sum();
    input.control = [open, loose].into_iter().sum();
    input.roll_forward.opening = open;
    input.clearing = input.cleared.iter().map(|one| one.posting.amount).sum();
}
