//! The sandbox as its clients see it: over HTTP, without a socket.

mod account;
mod asynchronous;
mod bodies;
mod limits;
mod panel;
mod payments;
mod queries;
mod records;
mod signing_in;
