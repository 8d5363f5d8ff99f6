//! Which snapshots are published and which are held out.
//!
//! All snapshots of a family go the same way: who has seen one variant of a fault knows the others.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use sha2::{Digest, Sha256};

use crate::exit::Failure;
use crate::library::Recorded;

/// Two sets of snapshots.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// To be published.
    pub(crate) public: Vec<Utf8PathBuf>,
    /// To be held out.
    pub(crate) held_out: Vec<Utf8PathBuf>,
}

/// Holds out a share of the families, at least one and not all; the seed decides which.
///
/// Families are taken in the order of the SHA-256 of seed and name, so that adding one moves few others.
///
/// # Errors
/// When the share is none, or there are fewer than two families.
pub(crate) fn split(all: &[Recorded], share: f64, seed: u64) -> Result<Split, Failure> {
    if !(share > 0.0 && share < 1.0) {
        return Err(Failure::user(format!(
            "--held-out {share} is no share\nhint: a number between 0 and 1, such as 0.3"
        )));
    }
    let families: BTreeSet<&str> = all.iter().map(|one| one.family.as_str()).collect();
    if families.len() < 2 {
        return Err(Failure::user(
            "a split is by family, and there are fewer than two\nhint: name snapshots of several families",
        ));
    }
    let count = (families.len() as f64 * share).round() as usize;
    let count = count.clamp(1, families.len() - 1);
    let mut drawn: Vec<_> = families
        .into_iter()
        .map(|family| (Sha256::digest(format!("{seed}\n{family}")).to_vec(), family))
        .collect();
    drawn.sort();
    drawn.truncate(count);
    let is_drawn = |one: &&Recorded| drawn.iter().any(|(_, family)| *family == one.family);
    let (held_out, public): (Vec<_>, Vec<_>) = all.iter().partition(is_drawn);
    let dirs = |side: Vec<&Recorded>| side.into_iter().map(|one| one.dir.clone()).collect();
    Ok(Split {
        public: dirs(public),
        held_out: dirs(held_out),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Recorded> {
        let names = ["a-1", "a-2", "b-1", "c-1", "c-2", "d-1"];
        let one = |name: &&str| Recorded {
            name: (*name).to_owned(),
            dir: (*name).into(),
            family: name[..1].to_owned(),
            variant: 1,
            label: None,
        };
        names.iter().map(one).collect()
    }

    #[test]
    fn families_stay_together_and_a_seed_decides() {
        let all = all();
        let mut seen = BTreeSet::new();
        for seed in 0..20 {
            let first = split(&all, 0.5, seed).unwrap();
            assert_eq!(first, split(&all, 0.5, seed).unwrap());
            let families = |side: &[Utf8PathBuf]| -> BTreeSet<String> {
                side.iter()
                    .map(|dir| dir.as_str()[..1].to_owned())
                    .collect()
            };
            let (public, held_out) = (families(&first.public), families(&first.held_out));
            assert_eq!((public.len(), held_out.len()), (2, 2));
            assert!(public.is_disjoint(&held_out));
            assert_eq!(first.public.len() + first.held_out.len(), all.len());
            seen.insert(format!("{held_out:?}"));
        }
        assert!(seen.len() > 2, "{seen:?}");
    }

    #[test]
    fn a_side_is_never_empty() {
        let all = all();
        for (share, count) in [(0.01, 1), (0.25, 1), (0.99, 3)] {
            let held_out = split(&all, share, 7).unwrap().held_out;
            let families: BTreeSet<&str> = held_out.iter().map(|dir| &dir.as_str()[..1]).collect();
            assert_eq!(families.len(), count, "{share}");
        }
        for share in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(split(&all, share, 7).is_err());
        }
        assert!(split(&all[..2], 0.5, 7).is_err());
    }
}
