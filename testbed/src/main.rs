//! A small microservice application to break: hotel booking with real stores.
fn main() {}
