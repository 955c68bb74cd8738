//! Vendors: made when a bill needs them, never earlier (scenarios 1–32).
//!
//! The link is by id, not by name. A vendor that has bills in a second currency gets a second counterpart,
//! whose link has the currency as its role (scenario 20).

mod by_bills;
pub(crate) mod name;
mod recognise;

use tieout_domain::code::Code;
use tieout_domain::document::{Address, Vendor};
use tieout_domain::port::Action;
use tieout_domain::{Currency, Document, Key, Kind, Outcome, RecordRef, Side, State, WaitsFor};

use crate::matching::normalised_name;
use crate::projection::{same_profile, same_writable};
use crate::verdict::{
    accepted, amendment_key, blocked, done, done_with, hold, ignored, noop, refused_link, skipped,
};
use crate::{Books, Decided, Flow, Link, Need, Step, Subject, Verdict};

/// The flow's name.
pub const NAME: &str = "vendors";

/// Carries vendors of the ledger to the platform.
#[derive(Debug, Clone, Copy)]
pub struct Vendors;

/// The country of a vendor that has none in the ledger: the home of the platform's organizations.
const HOME_COUNTRY: &str = "US";

/// The address for remittances: the ledger's, else what the platform has. The platform takes no new vendor
/// without one, so that at least a country is named; a street is never made up (scenario 27).
fn address(ours: Option<&Address>, there: Option<&Vendor>) -> Option<Address> {
    let known = |address: &&Address| **address != Address::default();
    let ours = ours.filter(known);
    let country = match there {
        None => HOME_COUNTRY,
        Some(there) => there
            .address
            .as_ref()
            .map_or("", |address| address.country.as_str()),
    };
    let mut address = match there {
        None => ours.cloned().unwrap_or_default(),
        Some(there) => ours.or(there.address.as_ref()).cloned()?,
    };
    if address.country.trim().is_empty() {
        country.clone_into(&mut address.country);
    }
    Some(address)
}

/// The reference under which bills wait for a vendor's link.
fn demand(vendor: &RecordRef) -> String {
    WaitsFor::Link(NAME.to_owned(), vendor.clone()).to_string()
}

/// The reference that open bills of a vendor leave, so that it is not archived under them (scenario 8).
pub(crate) const OPEN_BILLS: &str = "vendors-open";

fn open_bills(vendor: &RecordRef) -> String {
    WaitsFor::Link(OPEN_BILLS.to_owned(), vendor.clone()).to_string()
}

/// The role of the link of a vendor's counterpart for bills in this currency.
pub(crate) fn role(vendor: Option<&Vendor>, currency: Currency, home: Currency) -> String {
    let own = vendor.and_then(|vendor| vendor.currency).unwrap_or(home);
    if own == currency {
        String::new()
    } else {
        currency.code().to_owned()
    }
}

/// Whether a scope rule keeps a vendor out, with its bills (scenarios 18, 28, 31).
pub(crate) fn out_of_scope(vendor: &Vendor, books: &Books) -> Option<(Code, String)> {
    let excluded = &books.preferences.transactions.exclude_categories;
    let category = normalised_name(&vendor.category);
    if !category.is_empty()
        && excluded
            .iter()
            .any(|rule| normalised_name(rule) == category)
    {
        let cause = format!(
            "vendor {} is of category {}, which stays out",
            vendor.name, vendor.category
        );
        return Some((Code::new("out-of-scope"), cause));
    }
    let subsidiary = books.connection.subsidiary.as_ref()?;
    if !vendor.subsidiaries.is_empty() && !vendor.subsidiaries.contains(subsidiary) {
        let cause = format!(
            "vendor {} is not assigned to subsidiary {subsidiary}",
            vendor.name
        );
        return Some((Code::new("other-subsidiary"), cause));
    }
    None
}

impl Flow for Vendors {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[(Side::Ledger, Kind::Vendor)]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[(Side::Platform, Kind::Vendor)]
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        let record = subject.record;
        let Document::Vendor(vendor) = &subject.observed.document else {
            return Vec::new();
        };
        let mut needs = vec![
            Need::Links(NAME, record.clone()),
            Need::Decisions(NAME, record.clone()),
            Need::Waiting(demand(record)),
            Need::Waiting(open_bills(record)),
        ];
        if let Some(Decided::Link(target)) = books.decided(NAME, record) {
            needs.push(Need::Record(target.clone()));
            needs.push(Need::LinkedTo(target.clone()));
        }
        let links = books.links_of(NAME, record);
        needs.extend(links.iter().map(|link| Need::Record(link.target.clone())));
        if !links.is_empty() || books.waiting.contains(&demand(record)) {
            needs.push(Need::Matching(
                Side::Ledger,
                Kind::Vendor,
                normalised_name(&vendor.name),
            ));
        }
        if books.waiting.contains(&demand(record)) {
            needs.extend(by_bills::needs(record, books));
            needs.extend(recognise::needs(record, vendor, books));
        }
        needs
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        let Document::Vendor(vendor) = &subject.observed.document else {
            return noop(Code::new("other-kind"), "not a vendor");
        };
        if let Some(verdict) = ignored(books, NAME, subject.record) {
            return verdict;
        }
        let this = This {
            record: subject.record,
            vendor,
            gone: subject.gone,
            books,
        };
        match this.missing_role() {
            Some(role) => this.unlinked(&role),
            None => this.linked(),
        }
    }
}

/// The vendor at hand.
struct This<'a> {
    record: &'a RecordRef,
    vendor: &'a Vendor,
    gone: bool,
    books: &'a Books,
}

impl This<'_> {
    fn waited_for(&self) -> bool {
        self.books.waiting.contains(&demand(self.record))
    }

    fn links(&self) -> &[Link] {
        self.books.links_of(NAME, self.record)
    }

    /// The role of the counterpart that is still to be found or made; `None` if nothing is.
    fn missing_role(&self) -> Option<String> {
        if self.links().is_empty() {
            return Some(self.first_role());
        }
        // A bill waits although there is a counterpart: unless that one is archived, another currency's
        // is meant.
        let usable = self.links().iter().all(|link| {
            self.books
                .record(&link.target)
                .is_some_and(|there| !there.gone && !crate::lists::inactive(&there.document))
        });
        if !self.waited_for() || !usable || self.gone || self.vendor.inactive {
            return None;
        }
        let home = self.books.connection.home_currency;
        let roles = self
            .currencies()
            .map(|currency| role(Some(self.vendor), currency, home));
        roles
            .into_iter()
            .find(|role| self.books.link(NAME, self.record, role).is_none())
    }

    fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.books
            .preferences
            .transactions
            .currencies
            .iter()
            .copied()
    }

    /// The vendor's own currency if the platform can pay it, else the first one it can.
    fn first_role(&self) -> String {
        let home = self.books.connection.home_currency;
        let own = self.vendor.currency.unwrap_or(home);
        if self.currencies().any(|currency| currency == own) {
            return String::new();
        }
        self.currencies()
            .next()
            .map_or_else(String::new, |first| role(Some(self.vendor), first, home))
    }

    fn unlinked(&self, role: &str) -> Verdict {
        if !self.waited_for() || self.gone {
            if let Some((code, cause)) = out_of_scope(self.vendor, self.books) {
                return skipped(code, cause);
            }
            let cause = format!("no approved bill needs vendor {} yet", self.vendor.name);
            return skipped(Code::new("not-used"), cause);
        }
        let decided = self.books.decided(NAME, self.record);
        let found = match decided {
            Some(Decided::Link(_) | Decided::Create) => recognise::Found::None,
            // What was on the platform once is linked, whatever the rules say by now.
            _ => by_bills::find(self.record, self.vendor, role, self.books),
        };
        if !matches!(found, recognise::Found::None) {
            return self.found(found, role);
        }
        if let Some((code, cause)) = out_of_scope(self.vendor, self.books) {
            return skipped(code, cause);
        }
        if self.vendor.inactive {
            let cause = format!(
                "vendor {} is inactive in the ledger, and an open bill needs it",
                self.vendor.name
            );
            return blocked(Code::new("vendor-inactive"), cause);
        }
        let found = match decided {
            Some(Decided::Link(target)) if target.kind == Kind::Vendor => {
                let label = format!("vendor {}", self.vendor.name);
                if let Some(verdict) = refused_link(self.books, &label, self.record, target) {
                    return verdict;
                }
                recognise::Found::One(target.clone(), "a person's choice")
            }
            Some(Decided::Create) => recognise::Found::None,
            _ => recognise::find(self.record, self.vendor, role, self.books),
        };
        self.found(found, role)
    }

    fn found(&self, found: recognise::Found, role: &str) -> Verdict {
        match found {
            recognise::Found::One(target, how) => Verdict::Adopt {
                target,
                role: role.to_owned(),
                how,
                key: Some(self.key(role)),
            },
            recognise::Found::Unsure(cause) => {
                let outcome = Outcome::because(State::Blocked, Code::new("choose-vendor"), cause);
                Verdict::Rest(outcome.grouped(format!("choose-vendor:{}", self.record.id)))
            }
            recognise::Found::None => Verdict::Write(Box::new(Step {
                side: Side::Platform,
                action: Action::Create,
                role: role.to_owned(),
                target: None,
                document: Document::Vendor(self.wanted(role, None)),
                expect: None,
                key: self.key(role),
                because: "an approved bill needs it".into(),
            })),
        }
    }

    fn key(&self, role: &str) -> Key {
        let connection = &self.books.connection;
        let base = [
            connection.ledger_prefix,
            &connection.ledger_account,
            "vendor",
            self.record.id.as_str(),
        ];
        if role.is_empty() {
            Key::of(base)
        } else {
            Key::of(base).with(role)
        }
    }

    /// The vendor in the platform's terms. Bank details, 1099 data and the printed payee stay the
    /// platform's (scenarios 4, 12, 26); what the ledger leaves empty does too.
    fn wanted(&self, role: &str, there: Option<&Vendor>) -> Vendor {
        let ours = self.vendor;
        let keep = |own: &str, other: fn(&Vendor) -> &String| {
            let own = own.trim();
            if own.is_empty() {
                there.map(other).cloned().unwrap_or_default()
            } else {
                own.to_owned()
            }
        };
        let person = ours
            .person
            .clone()
            .filter(|(first, last)| !first.trim().is_empty() && !last.trim().is_empty());
        Vendor {
            name: name::on_platform(self.record, ours, role, self.books),
            number: String::new(),
            person,
            payee: there
                .and_then(|there| there.payee.clone())
                .or_else(|| ours.payee.clone()),
            email: keep(&ours.email, |v| &v.email),
            phone: keep(&ours.phone, |v| &v.phone),
            address: address(ours.address.as_ref(), there),
            account_number: keep(&crate::text::cut(&ours.account_number, 100), |v| {
                &v.account_number
            }),
            currency: if role.is_empty() {
                ours.currency.or(Some(self.books.connection.home_currency))
            } else {
                role.parse().ok()
            },
            tax_id_last4: there
                .map(|there| there.tax_id_last4.clone())
                .unwrap_or_default(),
            form_1099: there.is_some_and(|there| there.form_1099),
            subsidiaries: Vec::new(),
            category: String::new(),
            inactive: false,
            login_access: false,
            self_managed: there.is_some_and(|there| there.self_managed),
            payable_electronically: there.is_some_and(|there| there.payable_electronically),
        }
    }

    /// Every counterpart is looked at; the first that needs something is the vendor's state.
    fn linked(&self) -> Verdict {
        let mut calm = None;
        for link in self.links() {
            let verdict = self.counterpart(link);
            match &verdict {
                Verdict::Rest(outcome)
                    if !outcome.state.needs_a_person() && outcome.state != State::Hold =>
                {
                    if calm.is_none() || outcome.code.is_some() {
                        calm = Some(verdict);
                    }
                }
                _ => return verdict,
            }
        }
        calm.unwrap_or_else(done)
    }

    fn counterpart(&self, link: &Link) -> Verdict {
        let name = &self.vendor.name;
        let there = match self.books.record(&link.target) {
            Some(seen) if !seen.gone => &seen.document,
            _ => {
                let cause = format!(
                    "vendor {name} leads to {}, which is no longer there",
                    link.target.id
                );
                return blocked(Code::new("counterpart-gone"), cause);
            }
        };
        let Document::Vendor(there_vendor) = there else {
            return blocked(
                Code::new("counterpart-gone"),
                format!("{} is no vendor", link.target),
            );
        };
        let open = self.books.waiting.contains(&open_bills(self.record));
        let accepts = |code: &Code| accepted(self.books, NAME, self.record, code);
        let merged = Code::new("vendor-merged");
        if self.gone && open && !accepts(&merged) {
            let cause = format!(
                "vendor {name} is gone from the ledger while bills of it are open: it was merged into another; \
                 link that one to {} on the platform",
                there_vendor.name
            );
            return blocked(merged, cause);
        }
        if self.gone || self.vendor.inactive {
            let code = Code::new("vendor-has-open-bills");
            let waits = open && !self.gone && !accepts(&code);
            return match (there_vendor.inactive, waits) {
                (true, _) => done(),
                (false, true) => hold(
                    code,
                    format!(
                        "vendor {name} is inactive in the ledger, but bills of it are still open"
                    ),
                ),
                (false, false) => self.put_away(link, there_vendor, there, true),
            };
        }
        if there_vendor.inactive {
            let ours = matches!(&link.applied, Some(Document::Vendor(applied)) if applied.inactive);
            let (needed, idle) = (
                Code::new("vendor-archived"),
                Code::new("archived-on-platform"),
            );
            if ours || accepts(&needed) || accepts(&idle) {
                return self.put_away(link, there_vendor, there, false);
            }
            if !self.waited_for() {
                return noop(
                    idle,
                    format!("vendor {name} was archived on the platform; no bill needs it now"),
                );
            }
            let cause = format!(
                "vendor {name} was archived on the platform, and a bill needs it: restore it?"
            );
            let outcome = Outcome::because(State::Blocked, needed, cause);
            return Verdict::Rest(outcome.grouped(format!("vendor-archived:{}", self.record.id)));
        }
        self.profile(link, there_vendor, there)
    }

    fn put_away(&self, link: &Link, there: &Vendor, expect: &Document, away: bool) -> Verdict {
        let document = Document::Vendor(Vendor {
            inactive: away,
            ..there.clone()
        });
        let word = if away { "archive" } else { "restore" };
        Verdict::Write(Box::new(Step {
            side: Side::Platform,
            action: if away {
                Action::Archive
            } else {
                Action::Restore
            },
            role: link.role.clone(),
            target: Some(link.target.id.clone()),
            key: amendment_key(&self.key(&link.role), &(word, &document)),
            document,
            expect: Some(expect.clone()),
            because: if away {
                "it is inactive in the ledger"
            } else {
                "it is active in the ledger"
            }
            .into(),
        }))
    }

    fn profile(&self, link: &Link, there_vendor: &Vendor, there: &Document) -> Verdict {
        let wanted = self.wanted(&link.role, Some(there_vendor));
        let same = same_writable(&Document::Vendor(wanted.clone()), there);
        if same {
            return self.payable(&wanted);
        }
        if there_vendor.self_managed {
            let cause = format!(
                "vendor {} manages its own profile on the platform",
                self.vendor.name
            );
            return noop(Code::new("self-managed"), cause);
        }
        if let Some(Document::Vendor(applied)) = &link.applied {
            let ledger_unchanged = wanted.name == applied.name
                && same_profile(&self.wanted(&link.role, Some(applied)), applied);
            if ledger_unchanged {
                let cause = format!(
                    "vendor {} was changed on the platform; its name there is {}; the ledger's next change prevails",
                    wanted.name, there_vendor.name
                );
                return noop(Code::new("platform-drift"), cause);
            }
        }
        let document = Document::Vendor(wanted);
        Verdict::Write(Box::new(Step {
            side: Side::Platform,
            action: Action::Amend,
            role: link.role.clone(),
            target: Some(link.target.id.clone()),
            key: amendment_key(&self.key(&link.role), &document),
            document,
            expect: Some(there.clone()),
            because: format!(
                "the ledger's vendor changed; the name was {}",
                there_vendor.name
            ),
        }))
    }

    /// Notes what a check would lack (scenario 27).
    fn payable(&self, wanted: &Vendor) -> Verdict {
        let nothing = Address::default();
        let address = wanted.address.as_ref().unwrap_or(&nothing);
        let missing: Vec<&str> = [
            ("street", &address.line1),
            ("city", &address.city),
            ("postal code", &address.zip),
            ("country", &address.country),
        ]
        .into_iter()
        .filter(|(_, field)| field.trim().is_empty())
        .map(|(name, _)| name)
        .collect();
        if missing.is_empty() {
            return done();
        }
        let cause = format!(
            "vendor {} can't be paid by check: {} missing in its address",
            wanted.name,
            match missing.as_slice() {
                [one] => format!("the {one} is"),
                [most @ .., last] => format!("{} and {last} are", most.join(", ")),
                [] => String::new(),
            }
        );
        done_with(Code::new("not-payable-by-check"), cause)
    }
}
