//! Which snapshots are published and which are held out.
//!
//! All incidents of a family go the same way: who has seen one variant of a fault knows the others. A control has no
//! fault to know, and both sides need some, so that each goes its own way.

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

/// Holds out a share of the families of incidents and of the controls, at least one of them and not all; the seed
/// decides which. A single control is published.
///
/// # Errors
/// When the share is none, or there are fewer than two families.
pub(crate) fn split(
    incidents: &[Recorded],
    controls: &[Recorded],
    share: f64,
    seed: u64,
) -> Result<Split, Failure> {
    if !(share > 0.0 && share < 1.0) {
        return Err(Failure::user(format!(
            "--held-out {share} is no share\nhint: a number between 0 and 1, such as 0.3"
        )));
    }
    let families: BTreeSet<&str> = incidents.iter().map(|one| one.family.as_str()).collect();
    if families.len() < 2 {
        return Err(Failure::user(
            "a split is by family, and there are fewer than two with a fault\nhint: name snapshots of several families",
        ));
    }
    let families = drawn(families, share, seed);
    let alone = drawn(
        controls.iter().map(|one| one.name.as_str()).collect(),
        share,
        seed,
    );
    let mut split = Split {
        public: Vec::new(),
        held_out: Vec::new(),
    };
    let incidents = incidents
        .iter()
        .map(|one| (one, families.contains(one.family.as_str())));
    let controls = controls
        .iter()
        .map(|one| (one, alone.contains(one.name.as_str())));
    for (one, is_drawn) in incidents.chain(controls) {
        let side = if is_drawn {
            &mut split.held_out
        } else {
            &mut split.public
        };
        side.push(one.dir.clone());
    }
    Ok(split)
}

/// A share of some names, at least one and not all; of a single one, none.
///
/// They are taken in the order of the SHA-256 of seed and name, so that adding one moves few others.
fn drawn(names: BTreeSet<&str>, share: f64, seed: u64) -> BTreeSet<&str> {
    let count = (names.len() as f64 * share).round() as usize;
    let count = count.max(1).min(names.len().saturating_sub(1));
    let digest = |name: &str| Sha256::digest(format!("{seed}\n{name}")).to_vec();
    let mut ordered: Vec<_> = names.into_iter().map(|name| (digest(name), name)).collect();
    ordered.sort();
    ordered
        .into_iter()
        .take(count)
        .map(|(_, name)| name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(names: &[&str]) -> Vec<Recorded> {
        let one = |name: &&str| Recorded {
            name: (*name).to_owned(),
            dir: (*name).into(),
            family: name[..1].to_owned(),
            variant: 1,
            label: None,
        };
        names.iter().map(one).collect()
    }

    fn all() -> Vec<Recorded> {
        recorded(&["a-1", "a-2", "b-1", "c-1", "c-2", "d-1"])
    }

    #[test]
    fn families_stay_together_and_a_seed_decides() {
        let all = all();
        let mut seen = BTreeSet::new();
        for seed in 0..20 {
            let first = split(&all, &[], 0.5, seed).unwrap();
            assert_eq!(first, split(&all, &[], 0.5, seed).unwrap());
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
            let held_out = split(&all, &[], share, 7).unwrap().held_out;
            let families: BTreeSet<&str> = held_out.iter().map(|dir| &dir.as_str()[..1]).collect();
            assert_eq!(families.len(), count, "{share}");
        }
        for share in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(split(&all, &[], share, 7).is_err());
        }
        assert!(split(&all[..2], &[], 0.5, 7).is_err());
    }

    #[test]
    fn both_sides_have_controls() {
        let controls = recorded(&["quiet-1", "quiet-2", "quiet-3"]);
        for seed in 0..20 {
            let split = split(&all(), &controls, 0.3, seed).unwrap();
            let held_out = split
                .held_out
                .iter()
                .filter(|dir| dir.as_str().starts_with("quiet"));
            assert_eq!(held_out.count(), 1, "{seed}");
        }
        let single = split(&all(), &controls[..1], 0.9, 7).unwrap();
        assert!(single.public.contains(&controls[0].dir));
    }
}
