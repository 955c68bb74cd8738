//! The documents of a world: bills, credits, payments, and how they are applied.

use jiff::civil::Date;
use rusqlite::params;
use rust_decimal::Decimal;
use tieout_kit::fake::world::{self};

use super::{BEFORE_ENTITIES, BEFORE_TRANSACTIONS, Loaded, Loader, id, vendor_id};
use crate::ledger::apply::{link_seeded, settle};
use crate::ledger::post::{self, Header, Row};
use crate::ledger::{
    Approval, BillKind, LedgerError, LineIn, LineKind, PaymentKind, entity, payment,
};
use crate::records::payments::blank;

impl Loader<'_> {
    pub(super) fn next(&mut self) -> i64 {
        self.last_transaction += 1;
        self.last_transaction
    }

    fn period_of(&self, date: Date) -> Result<i64, LedgerError> {
        self.periods
            .iter()
            .find(|(start, end, _)| *start <= date && date <= *end)
            .map(|(_, _, id)| *id)
            .ok_or(LedgerError::NoPeriod(date))
    }

    fn payables(&self) -> i64 {
        let found =
            self.world.accounts.iter().position(|account| {
                account.kind == "AcctPay" && !account.summary && !account.inactive
            });
        found.map_or(1, id)
    }

    /// What all documents have in common.
    pub(super) fn header(
        &self,
        new: i64,
        kind: &'static str,
        entity: i64,
        subsidiary: usize,
        date: Date,
        currency: world::Currency,
    ) -> Result<Header, LedgerError> {
        let at = self.at(date, usize::try_from(new).unwrap_or(0));
        Ok(Header {
            id: new,
            kind,
            number: None,
            entity: Some(entity),
            date,
            due: None,
            approval: None,
            currency: self.currency(currency),
            rate: Decimal::ONE,
            total: Decimal::ZERO,
            memo: None,
            terms: None,
            period: self.period_of(date)?,
            posting: true,
            external_id: None,
            other_reference: None,
            account: Some(self.payables()),
            subsidiary: self.subsidiary(subsidiary),
            payment_hold: false,
            extra: None,
            created: at.clone(),
            modified: at,
        })
    }

    fn body(&self, kind: BillKind, lines: &[world::Line], sign: Decimal) -> Vec<Row> {
        let dimension = |position: Option<usize>| {
            position.and_then(|position| self.dimensions.get(position).copied())
        };
        lines
            .iter()
            .enumerate()
            .map(|(position, line)| {
                let account = id(line.account);
                let read = LineIn {
                    kind: match line.kind {
                        world::LineKind::Expense => LineKind::Expense,
                        world::LineKind::Item(item, quantity) => LineKind::Item {
                            item: id(item),
                            quantity: Decimal::from(quantity),
                        },
                        world::LineKind::Tax => LineKind::Tax,
                    },
                    account: Some(account),
                    amount: line.amount * sign,
                    memo: line.memo.clone().filter(|memo| !memo.is_empty()),
                    department: dimension(line.department),
                    class: dimension(line.class),
                    location: dimension(line.location),
                    extra: None,
                };
                crate::ledger::bill::seeded_row(kind, &read, id(position), account)
            })
            .collect()
    }

    pub(super) fn bills(&mut self) -> Result<(), LedgerError> {
        let world = self.world;
        for bill in &world.bills {
            let new = self.next();
            let signed = bill.total();
            let credit = signed.is_sign_negative() && !signed.is_zero();
            let kind = if credit {
                BillKind::VendorCredit
            } else {
                BillKind::VendorBill
            };
            let total = signed.abs();
            let approval = match bill.approval {
                world::Approval::Pending => Approval::Pending,
                world::Approval::Approved => Approval::Approved,
                world::Approval::Rejected => Approval::Rejected,
            };
            let sign = if credit {
                Decimal::NEGATIVE_ONE
            } else {
                Decimal::ONE
            };
            let header = Header {
                number: Some(bill.number.clone()).filter(|number| !number.is_empty()),
                due: (!credit).then_some(bill.due),
                approval: (!credit).then(|| approval.id()),
                rate: bill.rate,
                total: signed,
                memo: bill.memo.clone().filter(|memo| !memo.is_empty()),
                terms: world
                    .vendors
                    .get(bill.vendor)
                    .and_then(|vendor| vendor.terms)
                    .map(id),
                posting: credit || approval == Approval::Approved,
                other_reference: bill.purchase_order.clone(),
                payment_hold: bill.payment_hold,
                ..self.header(
                    new,
                    kind.code(),
                    vendor_id(bill.vendor),
                    bill.subsidiary,
                    bill.date,
                    bill.currency,
                )?
            };
            self.write(&header, kind, &bill.lines, sign, total)?;
            self.loaded.push(Loaded {
                id: new,
                kind,
                date: bill.date,
                rate: bill.rate,
            });
        }
        Ok(())
    }

    fn write(
        &self,
        header: &Header,
        kind: BillKind,
        lines: &[world::Line],
        sign: Decimal,
        total: Decimal,
    ) -> Result<(), LedgerError> {
        let payables = self.payables();
        let mut rows = vec![Row {
            line: 0,
            main: true,
            account: payables,
            amount: if kind == BillKind::VendorBill {
                -total
            } else {
                total
            },
            memo: header.memo.clone(),
            ..Row::default()
        }];
        rows.extend(self.body(kind, lines, sign));
        post::write(self.connection, header, &rows)
    }

    /// The rate of the first bill settled, or the list's.
    pub(super) fn rate(
        &self,
        applied: &[(usize, Decimal)],
        currency: world::Currency,
        subsidiary: usize,
    ) -> Decimal {
        let base = self
            .world
            .subsidiaries
            .get(subsidiary)
            .map(|subsidiary| subsidiary.currency);
        if base == Some(currency) {
            return Decimal::ONE;
        }
        if let Some(loaded) = applied.first().and_then(|(bill, _)| self.loaded.get(*bill)) {
            return loaded.rate;
        }
        let own = self.listed_rate(currency);
        let base = base.map_or(Decimal::ONE, |base| self.listed_rate(base));
        own.checked_div(base).unwrap_or(Decimal::ONE).round_dp(6)
    }

    fn link(
        &self,
        payer: (i64, &'static str, Date),
        applied: &[(usize, Decimal)],
    ) -> Result<(), LedgerError> {
        let date = payer.2.to_string();
        let at = self.at(payer.2, usize::try_from(payer.0).unwrap_or(0));
        for (bill, amount) in applied {
            let Some(loaded) = self.loaded.get(*bill) else {
                continue;
            };
            if loaded.kind != BillKind::VendorBill || amount.is_zero() {
                continue;
            }
            let doc = (loaded.id, loaded.kind.code(), loaded.date.to_string());
            link_seeded(
                self.connection,
                (payer.0, payer.1, &date),
                (doc.0, doc.1, &doc.2),
                *amount,
                &at,
            )?;
        }
        Ok(())
    }

    pub(super) fn credits(&mut self) -> Result<(), LedgerError> {
        let world = self.world;
        for credit in &world.credits {
            let new = self.next();
            let kind = BillKind::VendorCredit;
            let total = credit.total();
            let header = Header {
                number: Some(credit.number.clone()).filter(|number| !number.is_empty()),
                rate: self.rate(&credit.applied, credit.currency, credit.subsidiary),
                total: -total,
                ..self.header(
                    new,
                    kind.code(),
                    vendor_id(credit.vendor),
                    credit.subsidiary,
                    credit.date,
                    credit.currency,
                )?
            };
            self.write(&header, kind, &credit.lines, Decimal::ONE, total)?;
            self.link((new, kind.code(), credit.date), &credit.applied)?;
        }
        Ok(())
    }

    pub(super) fn payments(&mut self) -> Result<(), LedgerError> {
        let world = self.world;
        for paid in &world.payments {
            let new = self.next();
            let kind = PaymentKind::VendorPayment;
            let bank = id(paid.account);
            let header = Header {
                number: Some(paid.number.clone()).filter(|number| !number.is_empty()),
                rate: self.rate(&paid.applied, paid.currency, paid.subsidiary),
                total: -paid.total(),
                account: Some(bank),
                ..self.header(
                    new,
                    kind.code(),
                    vendor_id(paid.vendor),
                    paid.subsidiary,
                    paid.date,
                    paid.currency,
                )?
            };
            self.link((new, kind.code(), paid.date), &paid.applied)?;
            let described = blank(kind, vendor_id(paid.vendor));
            let rows = payment::rows(
                self.connection,
                &header,
                &described,
                bank,
                self.payables(),
                paid.total(),
            )?;
            post::write(self.connection, &header, &rows)?;
        }
        Ok(())
    }

    /// What follows from all the rest: paid and unpaid, balances, the next ids.
    pub(super) fn finish(&self) -> Result<(), LedgerError> {
        for transaction in BEFORE_TRANSACTIONS + 1..=self.last_transaction {
            settle(self.connection, transaction)?;
        }
        let entities = self.world.vendors.len() + self.world.receivables.customers.len();
        for position in 0..entities {
            entity::rebalance(self.connection, Some(vendor_id(position)))?;
        }
        let entities = BEFORE_ENTITIES + i64::try_from(entities).unwrap_or(0);
        let families = [("transaction", self.last_transaction), ("entity", entities)];
        for (family, last) in families {
            self.connection.execute(
                "INSERT INTO x_counter (name, value) VALUES (?1, ?2)",
                params![family, last],
            )?;
        }
        let lists = [
            "account",
            "subsidiary",
            "department",
            "classification",
            "location",
            "currency",
            "term",
            "item",
            "accountingperiod",
            "vendorcategory",
        ];
        for table in lists {
            self.connection.execute(
                &format!(
                    "INSERT INTO x_counter (name, value)
                     SELECT '{table}', COALESCE(MAX(id), 0) FROM {table}"
                ),
                [],
            )?;
        }
        Ok(())
    }
}
