//! A live cluster recorded into a snapshot.
