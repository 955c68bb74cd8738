//! One file per command.

pub mod audit;
pub mod connect;
pub mod credentials;
pub mod demo;
pub mod exceptions;
pub mod explain;
pub mod init;
pub mod map;
pub mod ping;
pub mod preferences;
pub mod replay;
pub mod runs;
pub mod sandbox;
pub mod sync;
