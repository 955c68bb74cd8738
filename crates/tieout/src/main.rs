//! The command line of tieout.
fn main() {}
