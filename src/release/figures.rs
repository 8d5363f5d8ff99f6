//! What is measured on the snapshots of a release.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::library::Library;
use crate::settings::Settings;

/// Measures the snapshots of a release.
pub(crate) async fn figures(
    _library: &Library,
    _settings: &Settings,
    snapshots: &[Utf8PathBuf],
) -> Result<BTreeMap<String, Value>, Failure> {
    Ok(BTreeMap::from([(
        "snapshots".to_owned(),
        json!(snapshots.len()),
    )]))
}
