//! What metrics-server would serve at a moment, out of everything that was sampled of it.

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_datasets::rows::Usage;

/// How far the samples of one scrape of metrics-server lie apart: kubelets measure each container every 10 to 20 s.
const ONE_SCRAPE_NS: i64 = 40 * 1_000_000_000;

/// The newest row of every container and node; a pod that is gone has no usage any more.
///
/// metrics-server serves what its last scrape found. A container that was started again is left out
/// of it until it has been measured twice, whatever was known of the one before.
pub(super) fn newest(rows: Vec<Usage>, pods: &BTreeSet<(String, String)>) -> Vec<Usage> {
    let mut newest: BTreeMap<(String, String, String, String), Usage> = BTreeMap::new();
    for row in rows {
        let pod = (row.namespace.clone(), row.name.clone());
        if row.kind == "pod" && !pods.is_empty() && !pods.contains(&pod) {
            continue;
        }
        let key = (row.kind.clone(), pod.0, pod.1, row.container.clone());
        match newest.get(&key) {
            Some(known) if known.timestamp >= row.timestamp => {}
            _ => {
                newest.insert(key, row);
            }
        }
    }
    let last = newest.values().map(|row| row.timestamp).max();
    let oldest = last.unwrap_or_default().saturating_sub(ONE_SCRAPE_NS);
    newest.retain(|_, row| row.timestamp >= oldest);
    newest.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, seconds: i64) -> Usage {
        Usage {
            kind: "pod".to_owned(),
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            container: name.to_owned(),
            timestamp: seconds * 1_000_000_000,
            window_ms: 15_000,
            cpu_nanocores: seconds,
            memory_bytes: 0,
        }
    }

    #[test]
    fn what_the_last_scrape_did_not_find_is_left_out() {
        let rows = vec![
            row("geo", 100),
            row("geo", 115),
            row("geo", 130),
            row("rate", 90), // of the same scrape, just so
            row("user", 92),
            row("gone", 130),
        ];
        let pods = ["geo", "rate", "user"].map(|name| ("shop".to_owned(), name.to_owned()));
        let served: Vec<(String, i64)> = newest(rows, &BTreeSet::from(pods))
            .into_iter()
            .map(|row| (row.name, row.cpu_nanocores))
            .collect();
        let expected = [("geo", 130), ("rate", 90), ("user", 92)].map(|(n, s)| (n.to_owned(), s));
        assert_eq!(served, expected);
        let rows = vec![row("geo", 131), row("rate", 90)];
        assert_eq!(newest(rows, &BTreeSet::new()).len(), 1);
    }
}
