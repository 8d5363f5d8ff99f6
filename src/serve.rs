//! Recorded systems over their own wire protocols, so that unmodified clients work on them.
//!
//! A module per protocol holds its codec and its status codes; what is answered comes from
//! `aiopslab-replay`. [`listener`] accepts connections, [`tls`] secures them.

pub mod kubernetes;
pub mod listener;
pub mod tls;
