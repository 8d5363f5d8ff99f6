//! A map that does not grow in memory: beyond a number of entries all of them are in a file.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::io;
use std::mem;

use camino::Utf8PathBuf;
use redb::{Builder, Durability, Key, ReadableTable, TableDefinition, Value, WriteTransaction};

use crate::error::{Result, SnapshotError};

/// Most entries of a map that are held in memory.
const HELD: usize = 1 << 18;
/// How much of the file is held in memory (bytes).
const CACHE: usize = 32 << 20;

/// What is its own encoding's value: numbers, and tuples of them.
pub(super) trait Plain: for<'a> Value<SelfType<'a> = Self> + Copy + 'static {}

impl<T: for<'a> Value<SelfType<'a> = T> + Copy + 'static> Plain for T {}

/// Entries by key.
pub(super) struct Spilled<K: Key + 'static, V: Value + 'static> {
    path: Utf8PathBuf,
    most: usize,
    held: HashMap<K, V>,
    /// None: they are all held.
    file: Option<Spill<K, V>>,
}

/// Entries in a file, which nobody reads after this process: nothing is ever committed.
struct Spill<K: Key + 'static, V: Value + 'static> {
    entries: WriteTransaction,
    table: TableDefinition<'static, K, V>,
}

impl<K: Plain + Key + Eq + Hash + Ord, V: Plain + Default> Spilled<K, V> {
    /// A map whose file, should it need one, is at a path where there is none.
    pub(super) fn new(path: Utf8PathBuf) -> Self {
        Self::holding(HELD, path)
    }

    fn holding(most: usize, path: Utf8PathBuf) -> Self {
        Self {
            path,
            most,
            held: HashMap::new(),
            file: None,
        }
    }

    /// Changes the value of a key, which is the default before.
    pub(super) fn update<R>(&mut self, key: K, change: impl FnOnce(&mut V) -> R) -> Result<R> {
        if self.file.is_none() {
            if self.held.len() < self.most || self.held.contains_key(&key) {
                return Ok(change(self.held.entry(key).or_default()));
            }
            let held = mem::take(&mut self.held);
            self.file = Some(Spill::of(held, &self.path).map_err(self.failed("write"))?);
        }
        match &self.file {
            Some(file) => file.update(key, change).map_err(self.failed("write")),
            // It was made just now.
            None => Ok(change(&mut V::default())),
        }
    }

    /// Shows every entry, in no order that means anything.
    pub(super) fn for_each(&self, mut see: impl FnMut(V)) -> Result<()> {
        match &self.file {
            Some(file) => file.for_each(see).map_err(self.failed("read")),
            None => {
                self.held.values().copied().for_each(&mut see);
                Ok(())
            }
        }
    }

    fn failed(&self, action: &'static str) -> impl Fn(redb::Error) -> SnapshotError {
        move |cause| {
            let cause = match cause {
                redb::Error::Io(cause) => cause,
                other => io::Error::other(other),
            };
            SnapshotError::io(action, &self.path, cause)
        }
    }
}

impl<K: Plain + Key + Ord, V: Plain + Default> Spill<K, V> {
    fn of(held: HashMap<K, V>, path: &Utf8PathBuf) -> std::result::Result<Self, redb::Error> {
        let file = Builder::new().set_cache_size(CACHE).create(path)?;
        let mut entries = file.begin_write()?;
        entries.set_durability(Durability::None)?;
        let table = TableDefinition::new("entries");
        let mut held: Vec<_> = held.into_iter().collect();
        // Neighbours go into one page.
        held.sort_unstable_by_key(|(key, _)| *key);
        let mut rows = entries.open_table(table)?;
        for (key, value) in held {
            rows.insert(key, value)?;
        }
        drop(rows);
        Ok(Self { entries, table })
    }

    fn update<R>(
        &self,
        key: K,
        change: impl FnOnce(&mut V) -> R,
    ) -> std::result::Result<R, redb::Error> {
        let mut rows = self.entries.open_table(self.table)?;
        let mut value = rows
            .get(key)?
            .map(|value| value.value())
            .unwrap_or_default();
        let result = change(&mut value);
        rows.insert(key, value)?;
        Ok(result)
    }

    fn for_each(&self, mut see: impl FnMut(V)) -> std::result::Result<(), redb::Error> {
        for entry in self.entries.open_table(self.table)?.iter()? {
            see(entry?.1.value());
        }
        Ok(())
    }
}

impl<K: Key, V: Value> fmt::Debug for Spilled<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Spilled")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8Path;

    #[test]
    fn entries_in_a_file_are_those_that_would_be_held() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let few = dir.join("few.redb");
        let mut held: Spilled<(u128, u64), (u32, Option<i64>)> =
            Spilled::new(dir.join("none.redb"));
        let mut spilled = Spilled::holding(100, few.clone());
        let mut twice = 0;
        for number in 0..5_000_u64 {
            let key = (u128::from(number * 7_919 % 709) << 70, number % 3);
            let add = |value: &mut (u32, Option<i64>)| {
                *value = (value.0 + 1, Some(number as i64 - 2_500));
                value.0
            };
            let count = held.update(key, add).unwrap();
            assert_eq!(spilled.update(key, add).unwrap(), count);
            twice += u64::from(count == 2);
            assert_eq!(few.exists(), number >= 100, "{number}");
        }
        assert!(twice > 0);
        let all = |map: &Spilled<_, (u32, Option<i64>)>| {
            let mut values = Vec::new();
            map.for_each(|value| values.push(value)).unwrap();
            values.sort_unstable();
            values
        };
        assert_eq!(all(&spilled), all(&held));
        assert!(!dir.join("none.redb").exists());
    }

    #[test]
    fn a_file_that_cannot_be_made_is_told() {
        let mut map = Spilled::<u128, u32>::holding(1, "/nowhere/at-all.redb".into());
        map.update(1, |count| *count += 1).unwrap();
        let error = map.update(2, |count| *count += 1).unwrap_err();
        assert!(
            error.to_string().contains("/nowhere/at-all.redb"),
            "{error}"
        );
    }
}
