//! The receivables of a world: items that are sold, customers, invoices, credit memos, customers' payments.

use rusqlite::params;
use rust_decimal::Decimal;
use tieout_kit::fake::world::receivables::{self as sold, SaleItemKind, SaleLine};
use tieout_kit::fake::world::{self};

use super::{BEFORE_ENTITIES, Loader, addresses, id};
use crate::ledger::apply::link_seeded;
use crate::ledger::bill::seeded_row;
use crate::ledger::post::{self, Header, Row};
use crate::ledger::{
    Approval, BillKind, EntityIn, EntityKind, LedgerError, LineIn, LineKind, PaymentKind, entity,
    payment, undeposited,
};
use crate::records::payments::blank;

/// What an invoice is booked under: its id and its date.
type Booked = (i64, String);

impl Loader<'_> {
    /// Nothing where the world sells nothing: not even the account Undeposited Funds.
    pub(super) fn receivables(&mut self) -> Result<(), LedgerError> {
        let world = self.world;
        let sold = &world.receivables;
        if sold.customers.is_empty() {
            return Ok(());
        }
        let last: i64 = self
            .connection
            .query_row("SELECT MAX(id) FROM account", [], |row| row.get(0))?;
        let made = self.at(self.beginning(), 0);
        undeposited::insert(self.connection, last + 1, &made)?;
        self.sale_items()?;
        self.customers()?;
        let invoices = self.invoices()?;
        self.credit_memos(&invoices)?;
        self.customer_payments(&invoices, last + 1)
    }

    fn customer_id(&self, position: usize) -> i64 {
        BEFORE_ENTITIES + id(self.world.vendors.len() + position)
    }

    fn item_id(&self, position: usize) -> i64 {
        id(self.world.items.len() + position)
    }

    fn receivable(&self) -> i64 {
        let found =
            self.world.accounts.iter().position(|account| {
                account.kind == "AcctRec" && !account.summary && !account.inactive
            });
        found.map_or(1, id)
    }

    fn sale_items(&self) -> Result<(), LedgerError> {
        for (position, item) in self.world.receivables.items.iter().enumerate() {
            let (sort, subtype) = match item.kind {
                SaleItemKind::NonInventory => ("NonInvtPart", Some("Sale")),
                SaleItemKind::Service => ("Service", Some("Sale")),
                SaleItemKind::OtherCharge => ("OthCharge", Some("Sale")),
                SaleItemKind::Discount => ("Discount", None),
            };
            self.connection.execute(
                "INSERT INTO item (id, itemid, displayname, fullname, itemtype, subtype, incomeaccount,
                 isinactive, createddate, lastmodifieddate) VALUES (?1,?2,?2,?2,?3,?4,?5,'F',?6,?6)",
                params![
                    self.item_id(position),
                    item.name,
                    sort,
                    subtype,
                    id(item.account),
                    self.at(self.beginning(), position)
                ],
            )?;
        }
        Ok(())
    }

    fn customers(&self) -> Result<(), LedgerError> {
        for (position, customer) in self.world.receivables.customers.iter().enumerate() {
            let made = self.at(self.beginning(), position);
            let described = self.customer(customer);
            let id = self.customer_id(position);
            entity::write(self.connection, id, &described, &made, &made)?;
        }
        Ok(())
    }

    fn customer(&self, customer: &sold::Customer) -> EntityIn {
        let company = customer.person.is_none().then(|| customer.name.clone());
        EntityIn {
            entity_id: Some(customer.number.clone()),
            company_name: company,
            is_person: customer.person.is_some(),
            first_name: customer.person.as_ref().map(|(first, _)| first.clone()),
            last_name: customer.person.as_ref().map(|(_, last)| last.clone()),
            email: customer.email.clone(),
            phone: customer.phone.clone(),
            terms: customer.terms.map(id),
            currency: Some(self.currency(customer.currency)),
            subsidiaries: self.subsidiaries_of(&customer.subsidiaries),
            parent: customer.parent.map(|parent| self.customer_id(parent)),
            inactive: customer.inactive,
            addresses: addresses(&customer.name, customer.address.as_ref()),
            ..EntityIn::blank(EntityKind::Customer)
        }
    }

    /// The rows of a document of sales, its line in A/R first.
    fn sale_rows(&self, kind: BillKind, header: &Header, lines: &[SaleLine]) -> Vec<Row> {
        let total = sold::total(lines);
        let sign = if kind == BillKind::Invoice {
            Decimal::ONE
        } else {
            Decimal::NEGATIVE_ONE
        };
        let mut rows = vec![Row {
            main: true,
            account: self.receivable(),
            amount: total * sign,
            memo: header.memo.clone(),
            ..Row::default()
        }];
        for (number, line) in (1..).zip(lines) {
            let account = self.world.receivables.items.get(line.item);
            let account = account.map_or(1, |item| id(item.account));
            let read = LineIn {
                kind: LineKind::Item {
                    item: self.item_id(line.item),
                    quantity: line.quantity,
                },
                account: Some(account),
                amount: line.amount,
                memo: line.description.clone(),
                department: None,
                class: None,
                location: None,
                extra: None,
            };
            rows.push(seeded_row(kind, &read, number, account));
        }
        rows
    }

    fn invoices(&mut self) -> Result<Vec<Booked>, LedgerError> {
        let world = self.world;
        let mut booked = Vec::with_capacity(world.receivables.invoices.len());
        for invoice in &world.receivables.invoices {
            let new = self.next();
            let kind = BillKind::Invoice;
            let approval = match invoice.approval {
                world::Approval::Pending => Approval::Pending,
                world::Approval::Approved => Approval::Approved,
                world::Approval::Rejected => Approval::Rejected,
            };
            let customer = &world.receivables.customers[invoice.customer];
            let header = Header {
                number: Some(invoice.number.clone()),
                due: Some(invoice.due),
                approval: Some(approval.id()),
                rate: invoice.rate,
                total: sold::total(&invoice.lines),
                memo: invoice.memo.clone(),
                terms: customer.terms.map(id),
                posting: approval == Approval::Approved,
                other_reference: invoice.purchase_order.clone(),
                account: Some(self.receivable()),
                ..self.header(
                    new,
                    kind.code(),
                    self.customer_id(invoice.customer),
                    invoice.subsidiary,
                    invoice.date,
                    invoice.currency,
                )?
            };
            let rows = self.sale_rows(kind, &header, &invoice.lines);
            post::write(self.connection, &header, &rows)?;
            if invoice.voided {
                post::void_in_place(self.connection, new)?;
            }
            booked.push((new, invoice.date.to_string()));
        }
        Ok(booked)
    }

    /// Links what was applied to invoices.
    fn settle_invoices(
        &self,
        header: &Header,
        applied: &[(usize, Decimal)],
        invoices: &[Booked],
    ) -> Result<(), LedgerError> {
        let date = header.date.to_string();
        for (invoice, amount) in applied {
            let Some((doc, day)) = invoices.get(*invoice) else {
                continue;
            };
            link_seeded(
                self.connection,
                (header.id, header.kind, &date),
                (*doc, BillKind::Invoice.code(), day),
                *amount,
                &header.modified,
            )?;
        }
        Ok(())
    }

    fn credit_memos(&mut self, invoices: &[Booked]) -> Result<(), LedgerError> {
        let world = self.world;
        for memo in &world.receivables.credit_memos {
            let new = self.next();
            let kind = BillKind::CreditMemo;
            let header = Header {
                number: Some(memo.number.clone()),
                rate: memo.rate,
                total: -sold::total(&memo.lines),
                account: Some(self.receivable()),
                ..self.header(
                    new,
                    kind.code(),
                    self.customer_id(memo.customer),
                    memo.subsidiary,
                    memo.date,
                    memo.currency,
                )?
            };
            let rows = self.sale_rows(kind, &header, &memo.lines);
            post::write(self.connection, &header, &rows)?;
            self.settle_invoices(&header, &memo.applied, invoices)?;
        }
        Ok(())
    }

    fn customer_payments(&mut self, invoices: &[Booked], funds: i64) -> Result<(), LedgerError> {
        let world = self.world;
        for paid in &world.receivables.payments {
            let new = self.next();
            let kind = PaymentKind::CustomerPayment;
            let account = paid.account.map_or(funds, id);
            let customer = self.customer_id(paid.customer);
            let header = Header {
                number: Some(format!("PYMT{new}")),
                other_reference: paid.check_number.clone(),
                rate: paid.rate,
                total: paid.total,
                account: Some(account),
                ..self.header(
                    new,
                    kind.code(),
                    customer,
                    paid.subsidiary,
                    paid.date,
                    paid.currency,
                )?
            };
            self.settle_invoices(&header, &paid.applied, invoices)?;
            let rows = payment::rows(
                self.connection,
                &header,
                &blank(kind, customer),
                account,
                self.receivable(),
                paid.total,
            )?;
            post::write(self.connection, &header, &rows)?;
        }
        Ok(())
    }
}
