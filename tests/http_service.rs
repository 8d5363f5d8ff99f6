//! AIOpsLab's HTTP service and the step API, on a running `aiopslab serve`.

mod contract;
mod documents;
mod many;
mod refusals;
mod server;
mod steps;
mod upstream;

use std::path::Path;

use serde_json::Value;

const SAMPLE: &str = "scale_pod_zero_testbed-1";
const DETECTION: &str = "scale_pod_zero_testbed-detection-1";
const LOCALIZATION: &str = "scale_pod_zero_testbed-localization-1";

fn file(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
