//! The API over the real router and a real store; what needs a system is played.

mod behaviour;
mod contract;
mod metrics;
mod notices;
mod property;
mod schema;
mod stage;
