//! The API, the gate and the webhooks over the real router and a real store; what needs a system is played.

// Helpers of tests aren't seen as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod behaviour;
mod contract;
mod deciding;
mod gate;
mod many;
mod metrics;
mod notices;
mod property;
mod schema;
mod stage;
mod tenants;
mod webhooks;
