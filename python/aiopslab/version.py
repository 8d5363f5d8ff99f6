"""The version: the workspace's (a test compares it with `Cargo.toml`)."""

__version__ = "0.1.0"
