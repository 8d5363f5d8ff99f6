//! A snapshot served as an environment that an agent acts on.
