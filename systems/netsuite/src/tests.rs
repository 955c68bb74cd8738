//! Behaviour over a scripted transport.
