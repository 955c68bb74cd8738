//! Taking a payment out of the books (scenarios 105–108, 117, 146).
//!
//! First a journal entry is written: debit the payment's cash account, credit its payables account with the
//! vendor on the line. Then the payment's applications move, in one write, from the bills to that line. The
//! payment itself stays, cash nets to zero, the bills are open again. Credits that it used are freed between the two
//! steps, each by a change of the credit itself: a saved payment doesn't show them.

use tieout_domain::code::Code;
use tieout_domain::document::{Application, Journal, JournalLine, Payment};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Key, Kind, RecordRef, RemoteId, Side};

use super::posted::{self, Standing};
use super::{NAME, REVERSAL, This, coding, freed};
use crate::period::{self, Book};
use crate::preferences::Reversals;
use crate::projection::{same_applications, same_money};
use crate::text::{LEDGER_MEMO_MAX, cut};
use crate::verdict::{accepted, amendment_key, blocked, conflict, hold};
use crate::{Link, Need, Seen, Step, Verdict};

/// Reverses each posting, one step after the other.
pub(super) fn decide(this: &This<'_>) -> Verdict {
    let mut how = "is reversed in the ledger";
    for link in this.postings() {
        if let Some(verdict) = freed::decide_without_cash(this, link) {
            return verdict;
        }
        if link.target.kind != Kind::Payment {
            continue;
        }
        match one(this, link) {
            Progress::Stop(verdict) => return verdict,
            Progress::ByHand => how = "was voided or deleted in the ledger too",
            Progress::Reversed => {}
        }
    }
    posted::reversed(this, how)
}

enum Progress {
    Reversed,
    ByHand,
    Stop(Verdict),
}

fn role_of(link: &Link) -> String {
    if link.role.is_empty() {
        REVERSAL.into()
    } else {
        format!("{REVERSAL}-{}", link.role)
    }
}

fn key_of(this: &This<'_>, link: &Link) -> Key {
    let base = if link.role.is_empty() {
        this.key()
    } else {
        this.key().with(&link.role)
    };
    base.with("rev")
}

fn one(this: &This<'_>, link: &Link) -> Progress {
    let journal = this.books.link(NAME, this.record, &role_of(link));
    let seen = match this.books.record(&link.target) {
        Some(Seen {
            document: Document::Payment(payment),
            gone: false,
            ..
        }) => payment,
        _ => return by_hand(this, journal),
    };
    if posted::is_undone(seen) {
        return by_hand(this, journal);
    }
    match journal {
        None => Progress::Stop(
            moved(this, link, seen).unwrap_or_else(|| write_journal(this, link, seen)),
        ),
        Some(journal) => {
            let to = onto(this, seen, journal);
            if same_applications(std::slice::from_ref(&to), &seen.applications) {
                return Progress::Reversed;
            }
            // Before the move: afterwards the posting no longer tells what it used.
            if let Some(verdict) = freed::decide(this, link) {
                return Progress::Stop(verdict);
            }
            move_application(this, link, seen, journal, to)
        }
    }
}

/// Somebody undid the posting in the ledger. A reversing entry that was written before it is one too many then.
fn by_hand(this: &This<'_>, journal: Option<&Link>) -> Progress {
    let code = Code::new("reversal-alone");
    let stands = |journal: &&Link| {
        let seen = this.books.record(&journal.target);
        seen.is_some_and(|seen| !seen.gone)
    };
    match journal.filter(stands) {
        Some(journal) if !accepted(this.books, NAME, this.record, &code) => {
            let cause = format!(
                "the posting of {} was voided or deleted in the ledger, and the journal entry {} that reverses it stands alone",
                this.label(),
                journal.target.id
            );
            Progress::Stop(blocked(code, cause))
        }
        _ => Progress::ByHand,
    }
}

/// The bills that a posting pays now: where it stands on none of them, it stands on a journal entry.
pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let postings = this
        .postings()
        .filter_map(|link| this.books.record(&link.target));
    postings
        .filter_map(|seen| match &seen.document {
            Document::Payment(payment) => Some(&payment.applications),
            _ => None,
        })
        .flatten()
        .map(|application| {
            let id = application.document.clone();
            Need::Record(RecordRef::new(Side::Ledger, Kind::Bill, id))
        })
        .collect()
}

/// A posting that stands on a journal entry already was reversed before the memory was lost (scenario 226).
fn moved(this: &This<'_>, link: &Link, seen: &Payment) -> Option<Verdict> {
    let [application] = seen.applications.as_slice() else {
        return None;
    };
    let bill = RecordRef::new(Side::Ledger, Kind::Bill, application.document.clone());
    let on_a_bill = this.books.record(&bill).is_some();
    let lost = link.applied.is_none();
    (lost && !on_a_bill && application.amount == seen.total).then(|| Verdict::Adopt {
        target: RecordRef::new(Side::Ledger, Kind::Journal, application.document.clone()),
        role: role_of(link),
        how: "the posting stands on it",
        key: Some(key_of(this, link)),
    })
}

fn write_journal(this: &This<'_>, link: &Link, seen: &Payment) -> Verdict {
    let label = this.label();
    if this.books.preferences.transactions.reversals == Reversals::Person {
        let cause = format!(
            "{label} was undone on the platform: void its posting {} (id {}) in the ledger",
            seen.label(),
            link.target.id
        );
        return blocked(Code::new("reverse-by-hand"), cause);
    }
    if let Standing::Changed(verdict) = posted::standing(this, link) {
        return verdict;
    }
    let credits = freed::may_be(this, link);
    if let Err(why) =
        period::applications_may_move(Book::Payables, seen.date, this.books).and(credits)
    {
        let cause = format!(
            "{label} was undone on the platform, but its posting of {} can't be moved: {why}",
            seen.date
        );
        return blocked(Code::new("reversal-forbidden"), cause);
    }
    let Some(posting) = period::of_reversal(Book::Payables, seen.date, this.books) else {
        let cause = format!(
            "{label} was undone on the platform, and no posting period is open for its reversal"
        );
        return hold(Code::new("period-missing"), cause);
    };
    let applied = match &link.applied {
        Some(Document::Payment(applied)) => Some(applied),
        _ => None,
    };
    let cash = seen
        .account
        .as_ref()
        .or_else(|| applied.and_then(|applied| applied.account.as_ref()));
    let payables = payables_account(this, seen, applied);
    let (Some(cash), Some(payables)) = (cash, payables) else {
        let cause = format!(
            "{label}: the cash or payables account of its posting {} is not known",
            link.target.id
        );
        return blocked(Code::new("reversal-accounts-unknown"), cause);
    };
    let key = key_of(this, link);
    let memo = cut(
        &format!("Reversal of {}: undone on the platform", seen.label()),
        LEDGER_MEMO_MAX,
    );
    let line = |account: &RemoteId, debit, credit, vendor| JournalLine {
        account: account.clone(),
        debit,
        credit,
        vendor,
        memo: memo.clone(),
        line: None,
    };
    let coding = coding::of(this.books);
    let journal = Journal {
        number: String::new(),
        date: posting.date,
        currency: seen.currency,
        // What cash lost it is given back, in base currency too (scenario 102).
        funded: seen
            .funded
            .or_else(|| applied.and_then(|applied| applied.funded)),
        subsidiary: seen
            .subsidiary
            .clone()
            .or_else(|| this.books.connection.subsidiary.clone()),
        department: coding.department,
        class: coding.class,
        location: coding.location,
        memo: memo.clone(),
        lines: vec![
            line(cash, seen.total, Amount::ZERO, None),
            line(
                &payables,
                Amount::ZERO,
                seen.total,
                Some(seen.vendor.clone()),
            ),
        ],
        external_id: Some(key.clone()),
    };
    Verdict::Write(Box::new(Step {
        side: Side::Ledger,
        action: Action::Create,
        role: role_of(link),
        target: None,
        document: Document::Journal(journal),
        expect: None,
        key,
        because: "the platform has undone the payment".into(),
    }))
}

fn payables_account(
    this: &This<'_>,
    seen: &Payment,
    applied: Option<&Payment>,
) -> Option<RemoteId> {
    let own = seen
        .payables_account
        .clone()
        .or_else(|| applied?.payables_account.clone());
    own.or_else(|| {
        seen.applications.iter().find_map(|application| {
            let bill = RecordRef::new(Side::Ledger, Kind::Bill, application.document.clone());
            match this.books.record(&bill).map(|seen| &seen.document) {
                Some(Document::Bill(bill)) => bill.payables_account.clone(),
                _ => None,
            }
        })
    })
}

/// The number of the journal's line on the payables account, once the ledger has told it.
fn payables_line(this: &This<'_>, journal: &Link) -> Option<u32> {
    let line = |document: &Document| match document {
        Document::Journal(journal) => journal
            .lines
            .iter()
            .find(|line| line.vendor.is_some() && line.credit.is_positive())
            .and_then(|line| line.line),
        _ => None,
    };
    let seen = this
        .books
        .record(&journal.target)
        .and_then(|seen| line(&seen.document));
    seen.or_else(|| journal.applied.as_ref().and_then(line))
}

/// The application to the reversing journal that takes the place of those to the bills.
fn onto(this: &This<'_>, seen: &Payment, journal: &Link) -> Application {
    Application {
        document: journal.target.id.clone(),
        line: payables_line(this, journal),
        amount: seen.total,
        discount: Amount::ZERO,
        credits: Vec::new(),
    }
}

fn move_application(
    this: &This<'_>,
    link: &Link,
    seen: &Payment,
    journal: &Link,
    application: Application,
) -> Progress {
    let label = this.label();
    if this
        .books
        .record(&journal.target)
        .is_some_and(|journal| journal.gone)
    {
        let cause = format!(
            "the journal entry {} that reverses {label} was deleted in the ledger",
            journal.target.id
        );
        return Progress::Stop(blocked(Code::new("reversal-deleted"), cause));
    }
    if let Some(Document::Payment(applied)) = &link.applied
        && !same_money(applied, seen)
    {
        let cause = format!(
            "the posting {} of {label} was changed by hand while it was reversed",
            link.target.id
        );
        return Progress::Stop(conflict(Code::new("edited-by-hand"), cause));
    }
    if let Err(why) = period::applications_may_move(Book::Payables, seen.date, this.books) {
        let cause = format!(
            "{label}: journal entry {} is written, but the posting {} can't be moved to it: {why}",
            journal.target.id, link.target.id
        );
        return Progress::Stop(blocked(Code::new("reversal-forbidden"), cause));
    }
    let document = Document::Payment(Payment {
        applications: vec![application],
        ..seen.clone()
    });
    Progress::Stop(Verdict::Write(Box::new(Step {
        side: Side::Ledger,
        action: Action::Amend,
        role: link.role.clone(),
        target: Some(link.target.id.clone()),
        key: amendment_key(&this.key(), &document),
        document,
        expect: Some(Document::Payment(seen.clone())),
        because: "the bills it paid are open again".into(),
    })))
}
