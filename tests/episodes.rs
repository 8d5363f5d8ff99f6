//! Whole episodes.
