//! Receivables: customers, invoices, credit memos and payments, both ways.

mod books;
mod customers;
mod invoices;
mod payments;
mod properties;
