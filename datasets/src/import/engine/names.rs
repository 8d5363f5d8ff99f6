//! Names of foreign sources, as the snapshot's tables and query languages have them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::sheet::{Metadata, Series};
use crate::files;

/// The service of a pod that a Deployment made: its name without the two generated parts at its end.
/// Any other name is left as it is.
pub(in crate::import) fn service_of_pod(pod: &str) -> String {
    let mut parts = pod.rsplitn(3, '-');
    let (Some(suffix), Some(hash), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return pod.to_owned();
    };
    // Both are written in letters and digits that form no words.
    let is_generated = |text: &str| {
        text.bytes()
            .all(|byte| b"bcdfghjklmnpqrstvwxz0123456789".contains(&byte))
    };
    let has_digit = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    let is_hash = (6..=10).contains(&hash.len()) && is_generated(hash) && has_digit(hash);
    match suffix.len() == 5 && is_generated(suffix) && is_hash {
        true => name.to_owned(),
        false => pod.to_owned(),
    }
}

/// An opaque name for what a path gives away: 8 hexadecimal digits of HMAC-SHA256 of it with a key.
pub(in crate::import) fn opaque(path: &str, key: &str) -> String {
    let mut digits = match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
        Ok(mut mac) => {
            mac.update(path.as_bytes());
            files::hex(&mac.finalize().into_bytes())
        }
        // HMAC takes keys of any length.
        Err(_) => String::new(),
    };
    digits.truncate(8);
    digits
}

/// A name that PromQL takes, and the unit that stands in brackets at the end: `CpuUsage(m)`.
pub(in crate::import) fn metric(text: &str) -> (String, Option<String>) {
    let unit = text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once('('));
    let mut name = String::new();
    for letter in text.replace('%', "percent").chars() {
        let is_allowed = letter.is_ascii_alphanumeric() || letter == ':';
        match is_allowed {
            true => name.push(letter),
            false if !name.ends_with('_') => name.push('_'),
            false => {}
        }
    }
    let mut name = name.trim_matches('_').to_owned();
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    (name, unit.map(|(_, unit)| unit.to_owned()))
}

/// A series that is called what the source calls it.
pub(in crate::import) fn series(text: &str, labels: &[(&str, &str)]) -> Series {
    let (name, unit) = metric(text);
    let mut labels: Vec<_> = labels
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    labels.sort();
    let metadata = Some(Metadata {
        name: name.clone(),
        kind: None,
        help: Some(format!("{text} of the source")),
        unit,
    });
    Series {
        name,
        labels,
        metadata,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_have_services() {
        let service = |pod: &str| service_of_pod(pod);
        assert_eq!(
            service("ts-food-service-f5756978c-k8vqf"),
            "ts-food-service"
        );
        assert_eq!(service("cartservice-579f59597d-wc2lz"), "cartservice");
        assert_eq!(
            service("ts-station-food-service-dc4d75dd-fw6ft"),
            "ts-station-food-service"
        );
        assert_eq!(service("redis-cart-0"), "redis-cart-0");
        assert_eq!(service("ts-auth-service"), "ts-auth-service");
        assert_eq!(service("frontend"), "frontend");
    }

    #[test]
    fn metrics_have_names_and_units() {
        let unit = |text: &str| Some(text.to_owned());
        assert_eq!(metric("CpuUsage(m)"), ("CpuUsage_m".to_owned(), unit("m")));
        assert_eq!(
            metric("PodSuccessRate(%)"),
            ("PodSuccessRate_percent".to_owned(), unit("%"))
        );
        assert_eq!(metric("latency-90"), ("latency_90".to_owned(), None));
        assert_eq!(metric("5xx rate"), ("_5xx_rate".to_owned(), None));
    }
}
