//! SQL over the protocol of PostgreSQL, on a running `aiopslab serve --pgwire`.

mod answers;
mod server;
mod sessions;
