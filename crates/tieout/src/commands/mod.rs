//! One file per command.

pub mod audit;
pub mod backup;
pub mod connect;
pub mod credentials;
pub mod demo;
pub mod disconnect;
pub mod doctor;
pub mod erase;
pub mod exceptions;
pub mod explain;
pub mod export;
pub mod init;
pub mod map;
pub mod pause;
pub mod ping;
pub mod preferences;
pub mod reconnect;
pub mod recover;
pub mod replay;
pub mod rotate_key;
pub mod runs;
pub mod sandbox;
pub mod support_bundle;
pub mod sync;
pub mod tie_out;
pub mod users;
