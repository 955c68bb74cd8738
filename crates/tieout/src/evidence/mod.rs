//! The evidence pack: a month's history in files that can be read and checked without tieout.
//!
//! Everything is written as it is read: the files may be large, the memory stays small.

pub mod catalogue;
pub mod files;
pub mod index;
pub mod registers;
pub mod table;
