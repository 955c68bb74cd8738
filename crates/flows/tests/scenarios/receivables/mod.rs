//! Receivables: customers, invoices, credit memos and payments, both ways.

mod books;
mod by_invoice;
mod credits;
mod customers;
mod invoices;
mod payments;
mod properties;
