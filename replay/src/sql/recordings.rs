//! What a query's functions know of the snapshots that it goes over: their *now* and their windows.

use aiopslab_datasets::snapshot::Snapshot;

use crate::clock::{Clock, nanoseconds, time_at};
use crate::error::Result;

/// The snapshots of a session, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    all: Vec<Recording>,
}

/// A snapshot at a moment.
#[derive(Debug)]
pub(super) struct Recording {
    /// Its name: the value of the column `snapshot`.
    pub(super) name: String,
    /// *now*, in nanoseconds since the epoch.
    pub(super) now: i64,
    /// When the recording begins, likewise.
    pub(super) from: i64,
    /// When the fault was injected; none where it is not known, or there was none.
    pub(super) injected: Option<i64>,
    /// When it was as it should be; none where it is not known.
    pub(super) baseline: Option<Window>,
    /// When the fault was there; none where it is not known, or there was none.
    pub(super) fault: Option<Window>,
}

/// Nanoseconds since the epoch, half open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Window {
    pub(super) fn contains(self, moment: i64) -> bool {
        (self.from..self.to).contains(&moment)
    }
}

/// The two windows of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum WindowName {
    Baseline,
    Fault,
}

impl WindowName {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Fault => "fault",
        }
    }
}

impl Recording {
    fn of(name: &str, snapshot: &Snapshot, clock: Clock) -> Result<Self> {
        let windows = match snapshot.has_withheld() {
            true => snapshot.find_withheld_json("windows")?,
            false => None,
        };
        // Where a time can't be understood, everything but the windows can still be asked.
        let moment = |pointer: &str| time_at(windows.as_ref()?, pointer).ok().flatten();
        let window = |name: &str| {
            Some(Window {
                from: moment(&format!("/{name}/from"))?,
                to: moment(&format!("/{name}/to"))?,
            })
        };
        Ok(Self {
            name: name.to_owned(),
            now: clock.resolve(snapshot)?,
            from: nanoseconds(snapshot.manifest().observed.from),
            injected: moment("/injected"),
            baseline: window("baseline"),
            fault: window("fault"),
        })
    }

    pub(super) fn window(&self, name: WindowName) -> Option<Window> {
        match name {
            WindowName::Baseline => self.baseline,
            WindowName::Fault => self.fault,
        }
    }
}

impl Recordings {
    /// Resolves the clock in each snapshot.
    pub(super) fn of(snapshots: &[(String, Snapshot)], clock: Clock) -> Result<Self> {
        let all = snapshots
            .iter()
            .map(|(name, snapshot)| Recording::of(name, snapshot, clock))
            .collect::<Result<_>>()?;
        Ok(Self { all })
    }

    pub(super) fn all(&self) -> &[Recording] {
        &self.all
    }

    /// The recording of this name.
    pub(super) fn named(&self, name: &str) -> Option<&Recording> {
        let at = self.all.binary_search_by(|one| one.name.as_str().cmp(name));
        self.all.get(at.ok()?)
    }

    /// The one recording, where there is no other.
    pub(super) fn only(&self) -> Option<&Recording> {
        match &self.all[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// *now*, where it is the same in all.
    pub(super) fn now(&self) -> Option<i64> {
        let first = self.all.first()?.now;
        self.all.iter().all(|one| one.now == first).then_some(first)
    }

    /// Whether any window of theirs is known.
    pub(super) fn know_windows(&self) -> bool {
        self.all
            .iter()
            .any(|one| one.baseline.is_some() || one.fault.is_some())
    }
}
