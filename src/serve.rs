//! Recorded systems over their own wire protocols, so that unmodified clients work on them; and their
//! problems to agents that attach from outside.
//!
//! A module per protocol holds its codec and its status codes. What a recorded cluster answers comes
//! from `aiopslab-replay`; the [`episodes`] that agents drive have one owner, whichever protocol they
//! speak, and people's SQL over [`pgwire`] is that of `aiopslab sql`. [`listener`] accepts connections, [`tls`] secures them, [`access`] says who may ask,
//! [`workers`] compute apart from those who answer.

pub mod access;
pub mod episodes;
pub mod http;
pub mod kubernetes;
pub mod listener;
pub mod mcp;
pub mod pgwire;
mod refused;
pub mod tls;
pub mod workers;
