//! The texts of the subledger's queries (README §Control accounts).
//!
//! Only what SuiteQL is documented to take: joins, inline views with `GROUP BY`, `CASE`, `COALESCE`, `ABS`. An
//! aggregate stands in an inline view, and what is selected from it outside; so the moment of asking can be
//! selected beside it.

use serde::{Deserialize, Serialize};
use tieout_domain::subledger::{Basis, Book};
use tieout_domain::{Date, RemoteId};

use crate::suiteql::id_list;

/// Columns that an account may lack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Has {
    /// Without several currencies there is no `transaction.currency`.
    pub(super) currency: bool,
    /// Without several books there may be no `accountingbook`; then every line stands there once.
    pub(super) book: bool,
    pub(super) external_id: bool,
    /// Whether the moment of asking can be selected.
    pub(super) clock: bool,
}

/// The place of a posting in the order of pages: its transaction, account and party (`0` for none).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct After {
    pub(super) id: i64,
    pub(super) account: i64,
    pub(super) party: i64,
}

/// Which postings a query is about: those after a place, of transactions below an id.
///
/// The service adds up what the inline views name before it cuts off a page. Without an upper end every page
/// would cost as much as all that are left, and many open items the square of it. For the same reason each table
/// with a transaction's id is held to the stretch, and not only the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The last posting of the page before.
    pub(super) after: After,
    /// The first transaction id that is no longer asked for; `None` asks for all that are left.
    pub(super) end: Option<i64>,
}

impl Stretch {
    /// The condition on a column that holds a transaction's id.
    fn holds(&self, id: &str) -> String {
        let below = self
            .end
            .map(|end| format!(" AND {id} < {end}"))
            .unwrap_or_default();
        format!(" AND {id} >= {}{below}", self.after.id)
    }
}

/// Whose lines are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Party {
    /// Lines with a vendor, or in receivables a customer.
    Somebody,
    /// Lines without one.
    Nobody,
    /// All lines.
    Any,
}

/// What the ledger calls the two books' documents and parties.
struct Words {
    /// The table of parties.
    party: &'static str,
    /// Documents that are settled by their main line.
    documents: &'static str,
    /// Credits that a payment or refund can use up.
    credits: &'static str,
    /// How an application counts for the document that is paid, and the other way for the one that pays: a bill is
    /// below zero on its account, an invoice above.
    settles: &'static str,
}

fn words(book: Book) -> Words {
    match book {
        Book::Payables => Words {
            party: "vendor",
            documents: "'VendBill', 'VendCred'",
            credits: "= 'VendCred'",
            settles: "+",
        },
        Book::Receivables => Words {
            party: "customer",
            documents: "'CustInvc', 'CustCred'",
            credits: "IN ('CustCred', 'CustPymt')",
            settles: "-",
        },
    }
}

/// What all queries of one call have in common.
pub(super) struct Scope<'a> {
    pub(super) book: Book,
    pub(super) accounts: &'a [RemoteId],
    pub(super) subsidiary: Option<&'a RemoteId>,
    pub(super) has: Has,
}

/// A day as a literal.
fn day(date: Date) -> String {
    format!("TO_DATE('{date}', 'YYYY-MM-DD')")
}

/// The condition that a transaction belongs to the days up to this one.
fn within(transaction: &str, period: &str, until: Date, basis: Basis) -> String {
    match basis {
        Basis::Period => format!("{period}.enddate <= {}", day(until)),
        Basis::Day => format!("{transaction}.trandate <= {}", day(until)),
    }
}

impl Scope<'_> {
    /// `FROM … WHERE …`: posting lines on the accounts.
    ///
    /// A party on the line counts before the transaction's: a journal entry has its parties on lines only.
    fn lines(&self, joins: &str, party: Party, condition: &str) -> String {
        // The primary book has the id 1; other books repeat every line.
        let book = if self.has.book {
            " AND tal.accountingbook = 1"
        } else {
            ""
        };
        let parties = words(self.book).party;
        let party = match party {
            Party::Somebody => " AND (el.id IS NOT NULL OR et.id IS NOT NULL)",
            Party::Nobody => " AND el.id IS NULL AND et.id IS NULL",
            Party::Any => "",
        };
        let subsidiary = self
            .subsidiary
            .map(|id| format!(" AND tl.subsidiary = {id}"))
            .unwrap_or_default();
        format!(
            "FROM transaction t JOIN transactionline tl ON tl.transaction = t.id \
             JOIN transactionaccountingline tal ON tal.transaction = tl.transaction \
             AND tal.transactionline = tl.id{book} \
             JOIN accountingperiod p ON p.id = t.postingperiod \
             LEFT JOIN {parties} el ON el.id = tl.entity LEFT JOIN {parties} et ON et.id = t.entity{joins} \
             WHERE tal.posting = 'T' AND tal.account IN ({}){subsidiary}{party} AND {condition}",
            id_list(self.accounts)
        )
    }

    fn asked(&self) -> &'static str {
        if self.has.clock {
            ", TO_CHAR(CURRENT_TIMESTAMP, 'YYYY-MM-DD HH24:MI:SS') AS asked"
        } else {
            ""
        }
    }

    /// The currency as a column of an inline view, and as a term of its `GROUP BY`.
    fn currency(&self) -> (&'static str, &'static str) {
        if self.has.currency {
            ("t.currency AS currency, ", "t.currency")
        } else {
            ("", "")
        }
    }

    /// The currency, selected from the inline view `s`.
    fn own_currency(&self) -> &'static str {
        if self.has.currency {
            "s.currency AS currency, "
        } else {
            ""
        }
    }

    /// See [`Subledger::balances`](tieout_domain::subledger::Subledger::balances).
    pub(super) fn balances(&self, until: Date, basis: Basis) -> String {
        let (currency, by) = self.currency();
        let by = if by.is_empty() { "" } else { ", t.currency" };
        let lines = self.lines("", Party::Any, &within("t", "p", until, basis));
        format!(
            "SELECT s.account AS account, {}s.amount AS amount, s.base AS base, s.lines AS lines{} \
             FROM (SELECT tal.account AS account, {currency}SUM(COALESCE(tl.foreignamount, 0)) AS amount, \
             SUM(tal.amount) AS base, COUNT(*) AS lines {lines} GROUP BY tal.account{by}) s \
             ORDER BY s.account",
            self.own_currency(),
            self.asked(),
        )
    }

    /// See [`Subledger::movements`](tieout_domain::subledger::Subledger::movements).
    pub(super) fn movements(&self, from: Date, until: Date, basis: Basis) -> String {
        let (currency, by) = self.currency();
        let by = if by.is_empty() { "" } else { ", t.currency" };
        let until = within("t", "p", until, basis);
        let span = match basis {
            Basis::Period => format!("p.enddate >= {} AND {until}", day(from)),
            Basis::Day => format!("t.trandate >= {} AND {until}", day(from)),
        };
        let lines = self.lines("", Party::Somebody, &span);
        format!(
            "SELECT s.type AS type, {}s.amount AS amount, s.documents AS documents{} \
             FROM (SELECT t.type AS type, {currency}SUM(COALESCE(tl.foreignamount, 0)) AS amount, \
             COUNT(DISTINCT t.id) AS documents {lines} GROUP BY t.type{by}) s ORDER BY s.type",
            self.own_currency(),
            self.asked(),
        )
    }

    /// Documents with what is open of each: an inline view of `id`, `account`, `party`, `amount`, `memo` and
    /// `openamount`.
    ///
    /// A journal entry is applied line by line, any other document as a whole: its applications count on the
    /// main line of a bill, an invoice or a credit, and on the only control line of whatever else there is.
    fn open(&self, until: Date, basis: Basis, stretch: Option<&Stretch>) -> String {
        let held = |id: &str| stretch.map(|stretch| stretch.holds(id)).unwrap_or_default();
        let links = |own: Own, by_line: bool| self.applied(own, by_line, until, basis, &held);
        let Words {
            documents, settles, ..
        } = words(self.book);
        let joins = format!(
            " LEFT JOIN ({}) pl ON pl.doc = t.id AND pl.line = tl.id \
             LEFT JOIN ({}) nl ON nl.doc = t.id AND nl.line = tl.id",
            links(Own::Previous, true),
            links(Own::Next, true),
        );
        let condition = format!(
            "{}{}{}",
            within("t", "p", until, basis),
            held("t.id"),
            held("tal.transaction")
        );
        let lines = self.lines(&joins, Party::Somebody, &condition);
        format!(
            "SELECT g.id AS id, g.account AS account, g.party AS party, g.amount AS amount, \
             g.memo AS memo, g.amount {settles} g.applied {settles} CASE WHEN g.whole = 'T' \
             THEN COALESCE(pd.amount, 0) - COALESCE(nd.amount, 0) ELSE 0 END AS openamount \
             FROM (SELECT t.id AS id, tal.account AS account, COALESCE(el.id, et.id) AS party, \
             SUM(COALESCE(tl.foreignamount, 0)) AS amount, MAX(tl.memo) AS memo, \
             SUM(COALESCE(pl.amount, 0) - COALESCE(nl.amount, 0)) AS applied, \
             MAX(CASE WHEN t.type = 'Journal' THEN 'F' \
             WHEN t.type IN ({documents}) THEN tl.mainline ELSE 'T' END) AS whole \
             {lines} GROUP BY t.id, tal.account, COALESCE(el.id, et.id)) g \
             LEFT JOIN ({}) pd ON pd.doc = g.id LEFT JOIN ({}) nd ON nd.doc = g.id",
            links(Own::Previous, false),
            links(Own::Next, false),
        )
    }

    /// See [`Subledger::open_items`](tieout_domain::subledger::Subledger::open_items).
    pub(super) fn open_items(
        &self,
        until: Date,
        basis: Basis,
        stretch: &Stretch,
        page: usize,
    ) -> String {
        let open = self.open(until, basis, Some(stretch));
        self.listed(&open, "g.openamount <> 0", None, &stretch.after, page)
    }

    /// See [`Subledger::open_totals`](tieout_domain::subledger::Subledger::open_totals).
    pub(super) fn open_totals(&self, until: Date, basis: Basis) -> String {
        let (currency, by) = self.currency();
        let by = if by.is_empty() {
            ""
        } else {
            " GROUP BY t.currency"
        };
        format!(
            "SELECT {}s.amount AS amount, s.documents AS documents{} \
             FROM (SELECT {currency}SUM(o.openamount) AS amount, COUNT(*) AS documents \
             FROM ({}) o JOIN transaction t ON t.id = o.id WHERE o.openamount <> 0{by}) s \
             ORDER BY s.documents",
            self.own_currency(),
            self.asked(),
            self.open(until, basis, None),
        )
    }

    /// Postings up to the day, added up by transaction, account and party.
    pub(super) fn postings(
        &self,
        party: Party,
        until: Date,
        basis: Basis,
        stretch: &Stretch,
        page: usize,
    ) -> String {
        let within = within("t", "p", until, basis);
        let (own, line) = (stretch.holds("t.id"), stretch.holds("tal.transaction"));
        let condition = format!("{within}{own}{line}");
        let lines = self.lines("", party, &condition);
        let sums = format!(
            "SELECT t.id AS id, tal.account AS account, COALESCE(el.id, et.id, 0) AS party, \
             SUM(COALESCE(tl.foreignamount, 0)) AS amount, MAX(tl.memo) AS memo, \
             SUM(COALESCE(tl.foreignamount, 0)) AS openamount \
             {lines} GROUP BY t.id, tal.account, COALESCE(el.id, et.id, 0)"
        );
        // Lines that cancel out, such as those of a voided entry, stand for nothing that was left over.
        let condition = match party {
            Party::Nobody => "g.amount <> 0",
            Party::Somebody | Party::Any => "g.id IS NOT NULL",
        };
        // Only receivables are kept where a deposit takes them away.
        let taken = (self.book == Book::Receivables && party == Party::Any)
            .then(|| taken(until, basis, stretch));
        self.listed(&sums, condition, taken.as_deref(), &stretch.after, page)
    }

    /// What was applied to documents, or by them: an inline view of `doc`, `amount` and, by line, `line`.
    ///
    /// The document itself is held against the day by the query around; here the one on the other side is. An
    /// amount counts by its size. Where a credit stands on the paid side, a payment has used it up: there the
    /// credit gives, and the payment takes.
    fn applied(
        &self,
        own: Own,
        by_line: bool,
        until: Date,
        basis: Basis,
        held: &impl Fn(&str) -> String,
    ) -> String {
        let (own, other, paid) = match own {
            Own::Previous => ("previous", "next", "d"),
            Own::Next => ("next", "previous", "o"),
        };
        let (line, by) = if by_line {
            (format!("k.{own}line AS line, "), format!(", k.{own}line"))
        } else {
            (String::new(), String::new())
        };
        let journal = if by_line { "=" } else { "<>" };
        let held = held(&format!("k.{own}doc"));
        let credits = words(self.book).credits;
        format!(
            "SELECT k.{own}doc AS doc, {line}SUM(CASE WHEN {paid}.type {credits} \
             THEN 0 - ABS(k.foreignamount) ELSE ABS(k.foreignamount) END) AS amount \
             FROM nexttransactionlinelink k JOIN transaction d ON d.id = k.{own}doc \
             JOIN transaction o ON o.id = k.{other}doc \
             JOIN accountingperiod op ON op.id = o.postingperiod \
             WHERE k.linktype = 'Payment' AND d.type {journal} 'Journal' AND o.posting = 'T' \
             AND {}{held} GROUP BY k.{own}doc{by}",
            within("o", "op", until, basis)
        )
    }

    /// The newest transaction of the account.
    pub(super) fn newest() -> String {
        "SELECT MAX(t.id) AS newest FROM transaction t".to_owned()
    }

    /// A page of what an inline view adds up, with what its transactions say.
    fn listed(
        &self,
        view: &str,
        condition: &str,
        taken: Option<&str>,
        after: &After,
        page: usize,
    ) -> String {
        let After { id, account, party } = after;
        let further = format!(
            " AND (g.id > {id} OR (g.id = {id} AND (g.account > {account} \
             OR (g.account = {account} AND g.party > {party}))))"
        );
        let (deposit, taken) = match taken {
            Some(view) => (
                "dp.deposit AS deposit, ",
                format!(" LEFT JOIN ({view}) dp ON dp.doc = g.id"),
            ),
            None => ("", String::new()),
        };
        let parties = words(self.book).party;
        let currency = if self.has.currency {
            "t.currency AS currency, "
        } else {
            ""
        };
        let external_id = if self.has.external_id {
            "t.externalid AS externalid, "
        } else {
            ""
        };
        format!(
            "SELECT g.id AS id, t.type AS type, g.account AS account, t.tranid AS tranid, {external_id}\
             {currency}{deposit}g.party AS party, COALESCE(e.companyname, e.altname, e.entityid) AS partyname, \
             TO_CHAR(t.trandate, 'YYYY-MM-DD') AS trandate, TO_CHAR(t.duedate, 'YYYY-MM-DD') AS duedate, \
             TO_CHAR(p.enddate, 'YYYY-MM-DD') AS periodend, g.amount AS amount, \
             g.openamount AS openamount, COALESCE(t.memo, g.memo) AS memo{} \
             FROM ({view}) g JOIN transaction t ON t.id = g.id \
             JOIN accountingperiod p ON p.id = t.postingperiod LEFT JOIN {parties} e ON e.id = g.party{taken} \
             WHERE {condition}{further} ORDER BY g.id, g.account, g.party \
             FETCH FIRST {page} ROWS ONLY",
            self.asked(),
        )
    }
}

/// On which side of an application the document stands that it is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    /// It is paid.
    Previous,
    /// It pays.
    Next,
}

/// Which deposit has taken which payment by then: an inline view of `doc` and `deposit`. What such links are called is
/// not documented: the type of what they lead to tells them.
fn taken(until: Date, basis: Basis, stretch: &Stretch) -> String {
    format!(
        "SELECT k.previousdoc AS doc, MAX(k.nextdoc) AS deposit FROM nexttransactionlinelink k \
         JOIN transaction o ON o.id = k.nextdoc JOIN accountingperiod op ON op.id = o.postingperiod \
         WHERE o.type = 'Deposit' AND o.posting = 'T' AND {}{} GROUP BY k.previousdoc",
        within("o", "op", until, basis),
        stretch.holds("k.previousdoc")
    )
}
