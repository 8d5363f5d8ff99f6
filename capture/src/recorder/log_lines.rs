//! Lines as the kubelet serves them, and which of them were seen before.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{SECOND, nanoseconds};

/// How many of the last lines are remembered, to know them again after a reconnect.
const REMEMBERED: usize = 4096;

/// Splits the kubelet's time stamp from a line.
pub(super) fn split(line: &[u8]) -> Option<(i64, &[u8])> {
    let end = line
        .iter()
        .position(|byte| *byte == b' ')
        .unwrap_or(line.len());
    let timestamp = nanoseconds(std::str::from_utf8(&line[..end]).ok()?)?;
    Some((timestamp, line.get(end + 1..).unwrap_or_default()))
}

/// Knows the lines that a log repeats when it is opened again somewhat earlier.
#[derive(Debug, Default)]
pub(super) struct Dedup {
    recent: VecDeque<(i64, u64)>,
    latest: Option<i64>,
    /// Before this, everything was seen.
    horizon: i64,
    /// What may come again, with how often.
    expected: BTreeMap<(i64, u64), usize>,
}

impl Dedup {
    /// Returns where to read from, and expects the lines from there on to come again.
    pub(super) fn rewind(&mut self) -> Option<i64> {
        let latest = self.latest?;
        self.expected.clear();
        for key in &self.recent {
            *self.expected.entry(*key).or_default() += 1;
        }
        self.horizon = match self.recent.front() {
            Some((oldest, _)) if self.recent.len() == REMEMBERED => *oldest,
            _ => i64::MIN,
        };
        // The server may cut off the fraction; the two streams of a container may be out of order.
        Some(latest - 2 * SECOND)
    }

    /// Says whether a line is new, and remembers it.
    pub(super) fn is_new(&mut self, timestamp: i64, message: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        message.hash(&mut hasher);
        let key = (timestamp, hasher.finish());
        if let Some(times) = self.expected.get_mut(&key) {
            *times -= 1;
            if *times == 0 {
                self.expected.remove(&key);
            }
            return false;
        }
        if timestamp < self.horizon {
            return false;
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(key);
        self.latest = Some(
            self.latest
                .map_or(timestamp, |latest| latest.max(timestamp)),
        );
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_stamp_is_split_off_and_bytes_are_kept() {
        let (timestamp, message) = split(b"2026-11-23T08:00:00.123456789Z a \xff b").unwrap();
        assert_eq!(timestamp % SECOND, 123_456_789);
        assert_eq!(message, b"a \xff b");
        assert_eq!(split(b"2026-11-23T08:00:00Z ").unwrap().1, b"");
        assert_eq!(split(b"2026-11-23T08:00:00Z").unwrap().1, b"");
        assert_eq!(split(b"unable to retrieve container logs"), None);
    }

    #[test]
    fn repeated_lines_are_known_and_equal_ones_are_counted() {
        let mut dedup = Dedup::default();
        let first: Vec<_> = [(1, "a"), (5, "b"), (5, "b")]
            .iter()
            .map(|(at, line)| dedup.is_new(at * SECOND, line.as_bytes()))
            .collect();
        assert_eq!(first, [true, true, true]);
        assert_eq!(dedup.rewind(), Some(3 * SECOND));
        let again: Vec<_> = [(5, "b"), (5, "b"), (5, "b"), (6, "c")]
            .iter()
            .map(|(at, line)| dedup.is_new(at * SECOND, line.as_bytes()))
            .collect();
        assert_eq!(again, [false, false, true, true]);
        // Without a reconnect nothing is expected to come again.
        assert!(dedup.is_new(6 * SECOND, b"c"));
    }

    #[test]
    fn what_is_older_than_memory_was_seen() {
        let mut dedup = Dedup::default();
        for at in 0..5000 {
            dedup.is_new(at, b"x");
        }
        dedup.rewind();
        assert!(!dedup.is_new(3, b"x"));
        assert!(!dedup.is_new(4999, b"x"));
        assert!(dedup.is_new(5000, b"x"));
    }
}
