//! The scenarios of the payables pair that can be decided without I/O, each against a small world that
//! applies what the flows want to write.

mod bills;
mod lists;
mod outside;
mod payments;
mod properties;
mod vendors;
mod world;
