//! Receivables: what customers owe and pay. A connection of payables reads and writes nothing of this.

mod credit_memos;
mod customers;
mod deposits;
mod invoices;
mod items;
mod payments;
mod refunds;
mod sales_lines;
mod terms;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use tieout_domain::Kind;
use tieout_domain::port::{Read, Write};

use crate::call::Client;
use crate::port::reader;
pub(crate) use payments::is_undeposited_funds;

/// Fills the ports of receivables.
pub(crate) fn fill(
    client: &Arc<Client>,
    read: &mut BTreeMap<Kind, Arc<dyn Read>>,
    write: &mut BTreeMap<Kind, Arc<dyn Write>>,
) {
    read.insert(Kind::Customer, reader(client, customers::Customers));
    read.insert(Kind::Invoice, reader(client, invoices::Invoices));
    read.insert(Kind::CreditMemo, reader(client, credit_memos::CreditMemos));
    read.insert(Kind::CustomerPayment, reader(client, payments::Receipts));
    read.insert(Kind::CustomerRefund, reader(client, refunds::Refunds));
    read.insert(Kind::Deposit, reader(client, deposits::Deposits));
    read.insert(Kind::Item, reader(client, items::Items));
    read.insert(Kind::Terms, reader(client, terms::AllTerms));
    write.extend(write::writers(client));
}
