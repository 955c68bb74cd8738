//! The NetSuite sandbox: SuiteQL executed for real, records, authentication, limits.

mod ledger;
mod load;
mod schema;
mod suiteql;
