//! Files that are attached to bills (scenarios 76 and 77): each follows its bill to the platform once, and never keeps the
//! bill waiting.
//!
//! The platform shows of a file its name alone and takes none away, so the name tells what was sent: the file's own for
//! its first version, with a number for each later one, and with its id where the bill has two files of one name. What
//! is taken off the bill in the ledger stays on the platform.

use tieout_domain::code::Code;
use tieout_domain::document::{Attachment, Bill, BillStatus};
use tieout_domain::port::Action;
use tieout_domain::{Document, Key, Kind, Outcome, RecordRef, RemoteId, Side, State};

use crate::bills::{self, OPENING};
use crate::verdict::{done_beside, ignored, noop, skipped, until_linked};
use crate::{Books, Flow, Link, Need, Step, Subject, Verdict};

/// The flow's name.
pub const NAME: &str = "documents";

/// How much of a fingerprint stands in a key.
const KEY_CHARS: usize = 16;

/// Sends the files of bills.
#[derive(Debug, Clone, Copy)]
pub struct Attachments;

impl Flow for Attachments {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[(Side::Ledger, Kind::Attachment)]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[(Side::Platform, Kind::Attachment)]
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        let Document::Attachment(file) = &subject.observed.document else {
            return Vec::new();
        };
        let record = subject.record;
        let bill = bill_of(file);
        let mut needs = vec![
            Need::Links(NAME, record.clone()),
            Need::Decisions(NAME, record.clone()),
            Need::Links(bills::NAME, bill.clone()),
            Need::Record(bill.clone()),
            Need::Matching(Side::Ledger, Kind::Attachment, file.bill.to_string()),
        ];
        needs.extend(copy_of(books, &bill).cloned().map(Need::Record));
        needs.extend(siblings(books, file).cloned().map(Need::Record));
        needs
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        match &subject.observed.document {
            Document::Attachment(file) if !subject.gone => This {
                record: subject.record,
                file,
                books,
            }
            .decide(),
            _ => Verdict::Elsewhere,
        }
    }
}

fn bill_of(file: &Attachment) -> RecordRef {
    RecordRef::new(Side::Ledger, Kind::Bill, file.bill.clone())
}

/// The platform's bill that stands for a ledger's, or for what of it was open at cut-over.
fn copy_of<'a>(books: &'a Books, bill: &RecordRef) -> Option<&'a RecordRef> {
    let link = |role| books.link(bills::NAME, bill, role);
    let link = link("").or_else(|| link(OPENING))?;
    Some(&link.target)
}

/// All files of the same bill.
fn siblings<'a>(books: &'a Books, file: &Attachment) -> impl Iterator<Item = &'a RecordRef> {
    let key = (Side::Ledger, Kind::Attachment, file.bill.to_string());
    books.matching.get(&key).into_iter().flatten()
}

/// A file of the ledger.
struct This<'a> {
    record: &'a RecordRef,
    file: &'a Attachment,
    books: &'a Books,
}

impl This<'_> {
    fn decide(&self) -> Verdict {
        if let Some(verdict) = ignored(self.books, NAME, self.record) {
            return verdict;
        }
        let copy = self.copy();
        let is_there = |sent: &Attachment| copy.is_none_or(|copy| copy.id == sent.bill);
        let mut versions = self.versions();
        if versions.any(|sent| sent.sha256 == self.file.sha256 && is_there(sent)) {
            return done_beside(bills::NAME, &bill_of(self.file));
        }
        let label = self.label();
        if !self.books.preferences.transactions.attachments {
            let cause = format!("{label}: sending files is switched off");
            return skipped(Code::new("documents-off"), cause);
        }
        if let Some(twin) = self.twin() {
            let cause = format!(
                "{label} is the same as {}, which is attached too",
                twin.name
            );
            return noop(Code::new("same-file"), cause);
        }
        if self.is_void() {
            let cause = format!("{label} is of a bill that stands in the ledger no more");
            return noop(Code::new("voided"), cause);
        }
        match copy {
            Some(copy) => self.send(&copy.id),
            None => self.without_bill(),
        }
    }

    /// Whether its bill was voided or deleted: the ledger lists the files of such a bill no more, and nobody
    /// pays it by them.
    fn is_void(&self) -> bool {
        let Some(bill) = self.books.record(&bill_of(self.file)) else {
            return false;
        };
        let Document::Bill(document) = &bill.document else {
            return false;
        };
        let void = matches!(document.status, BillStatus::Voided | BillStatus::Cancelled);
        bill.gone || void
    }

    fn label(&self) -> String {
        format!("file {} of bill {}", self.file.name, self.file.bill)
    }

    /// What was sent of it, one for each version.
    fn versions(&self) -> impl Iterator<Item = &Attachment> {
        let links = self.books.links_of(NAME, self.record).iter();
        links.filter_map(|link: &Link| match &link.applied {
            Some(Document::Attachment(sent)) => Some(sent),
            _ => None,
        })
    }

    /// The other files of the bill.
    fn others(&self) -> impl Iterator<Item = &Attachment> {
        let all = siblings(self.books, self.file);
        let others = all.filter(|record| *record != self.record);
        let seen = others.filter_map(|record| self.books.record(record).filter(|seen| !seen.gone));
        seen.filter_map(|seen| match &seen.document {
            Document::Attachment(other) => Some(other),
            _ => None,
        })
    }

    /// One that comes before it and holds the same.
    fn twin(&self) -> Option<&Attachment> {
        let mut before = self.others().filter(|other| turn(other) < turn(self.file));
        before.find(|other| !other.sha256.is_empty() && other.sha256 == self.file.sha256)
    }

    fn copy(&self) -> Option<&RecordRef> {
        let copy = copy_of(self.books, &bill_of(self.file))?;
        let seen = self.books.record(copy).filter(|seen| !seen.gone)?;
        let Document::Bill(Bill { status, .. }) = &seen.document else {
            return None;
        };
        (*status != BillStatus::Archived).then_some(copy)
    }

    fn without_bill(&self) -> Verdict {
        let cause = format!("{} waits for its bill to be on the platform", self.label());
        let outcome = Outcome::because(State::Skipped, Code::new("waits-for-bill"), cause);
        Verdict::Rest(until_linked(outcome, bills::NAME, &bill_of(self.file)))
    }

    /// The name over there, which no other file of the bill and no other version bears.
    fn name(&self, bill: &RemoteId) -> String {
        let (stem, ending) = match self.file.name.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
            _ => (self.file.name.as_str(), String::new()),
        };
        let mut name = stem.to_owned();
        let namesake = |other: &Attachment| other.name.eq_ignore_ascii_case(&self.file.name);
        if let Some(file) = &self.file.file
            && self.others().any(namesake)
        {
            name.push_str(&format!(" [{file}]"));
        }
        let before = self.versions().filter(|sent| sent.bill == *bill).count();
        if before > 0 {
            name.push_str(&format!(" ({})", before + 1));
        }
        name + &ending
    }

    /// The key of this version of the file on this bill of the platform.
    fn key(&self, bill: &RemoteId) -> Key {
        let key = self
            .books
            .connection
            .ledger_key(&self.file.bill)
            .with("file");
        let file = self.file.file.as_ref().map_or("", RemoteId::as_str);
        let version: String = self.file.sha256.chars().take(KEY_CHARS).collect();
        key.with(file).with(&version).with(bill.as_str())
    }

    fn send(&self, bill: &RemoteId) -> Verdict {
        let role = match self.books.links_of(NAME, self.record).len() {
            0 => String::new(),
            sent => (sent + 1).to_string(),
        };
        let document = Document::Attachment(Attachment {
            bill: bill.clone(),
            name: self.name(bill),
            ..self.file.clone()
        });
        Verdict::Write(Box::new(Step {
            side: Side::Platform,
            action: Action::Create,
            role,
            target: None,
            document,
            expect: None,
            key: self.key(bill),
            because: "it is attached to the bill in the ledger".to_owned(),
        }))
    }
}

/// In which order the files of a bill come: by their ids, which are numbers.
fn turn(file: &Attachment) -> (usize, &str) {
    let id = file.file.as_ref().map_or("", RemoteId::as_str);
    (id.len(), id)
}
