//! The `aiopslab` program.
fn main() {}
