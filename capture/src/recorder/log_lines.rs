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
    /// The log was opened again, and nothing that was seen has come again yet.
    unproven: bool,
}

/// What a line is to what was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// It was read before.
    Repeated,
    /// It follows what was read before.
    New,
    /// It is new, and the last line before it, at this time, is not in the log any more: the log was
    /// rotated, and there may have been others in between.
    After(i64),
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
        self.unproven = true;
        // The server may cut off the fraction; the two streams of a container may be out of order.
        Some(latest - 2 * SECOND)
    }

    /// When the latest line was written.
    pub(super) fn latest(&self) -> Option<i64> {
        self.latest
    }

    /// Whether nothing has come again since the log was opened again: the last line has always to.
    pub(super) fn is_unproven(&self) -> bool {
        self.unproven
    }

    /// Whether a line would be the first after a rotation.
    pub(super) fn is_a_break(&self, timestamp: i64, message: &[u8]) -> bool {
        let is_known = self.expected.contains_key(&key(timestamp, message));
        self.unproven && !is_known && timestamp >= self.horizon
    }

    /// Says what a line is, and remembers it.
    pub(super) fn take(&mut self, timestamp: i64, message: &[u8]) -> Line {
        let key = key(timestamp, message);
        if let Some(times) = self.expected.get_mut(&key) {
            *times -= 1;
            if *times == 0 {
                self.expected.remove(&key);
            }
            self.unproven = false;
            return Line::Repeated;
        }
        if timestamp < self.horizon {
            self.unproven = false;
            return Line::Repeated;
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(key);
        let before = self.latest;
        self.latest = Some(before.map_or(timestamp, |latest| latest.max(timestamp)));
        match before.filter(|_| std::mem::take(&mut self.unproven)) {
            Some(before) => Line::After(before),
            None => Line::New,
        }
    }
}

fn key(timestamp: i64, message: &[u8]) -> (i64, u64) {
    let mut hasher = DefaultHasher::new();
    message.hash(&mut hasher);
    (timestamp, hasher.finish())
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

    fn take_all(dedup: &mut Dedup, lines: &[(i64, &str)]) -> Vec<Line> {
        let lines = lines.iter();
        lines
            .map(|(at, line)| dedup.take(at * SECOND, line.as_bytes()))
            .collect()
    }

    #[test]
    fn repeated_lines_are_known_and_equal_ones_are_counted() {
        let mut dedup = Dedup::default();
        let first = take_all(&mut dedup, &[(1, "a"), (5, "b"), (5, "b")]);
        assert_eq!(first, [Line::New; 3]);
        assert_eq!(dedup.rewind(), Some(3 * SECOND));
        let again = take_all(&mut dedup, &[(5, "b"), (5, "b"), (5, "b"), (6, "c")]);
        let (old, new) = (Line::Repeated, Line::New);
        assert_eq!(again, [old, old, new, new]);
        // Without a reconnect nothing is expected to come again.
        assert_eq!(dedup.take(6 * SECOND, b"c"), Line::New);
    }

    #[test]
    fn what_is_older_than_memory_was_seen() {
        let mut dedup = Dedup::default();
        for at in 0..5000 {
            dedup.take(at, b"x");
        }
        dedup.rewind();
        assert_eq!(dedup.take(3, b"x"), Line::Repeated);
        assert_eq!(dedup.take(4999, b"x"), Line::Repeated);
        assert_eq!(dedup.take(5000, b"x"), Line::New);
    }

    #[test]
    fn a_log_that_was_rotated_while_nobody_read_it_does_not_repeat_its_last_line() {
        let mut dedup = Dedup::default();
        take_all(&mut dedup, &[(1, "a"), (5, "b")]);
        dedup.rewind();
        assert!(dedup.is_unproven());
        let after = take_all(&mut dedup, &[(9, "x"), (9, "y")]);
        assert_eq!(after, [Line::After(5 * SECOND), Line::New]);
        dedup.rewind();
        take_all(&mut dedup, &[(9, "y")]);
        assert!(!dedup.is_unproven());
        // Nothing was read before: there is nothing to repeat.
        let mut fresh = Dedup::default();
        assert_eq!(fresh.rewind(), None);
        assert_eq!(take_all(&mut fresh, &[(9, "x")]), [Line::New]);
    }
}
