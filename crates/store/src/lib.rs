//! The memory of tieout: history, links, work, sealed credentials, on SQLite and PostgreSQL.
