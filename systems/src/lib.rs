//! The registry: the only crate that lists the systems.
