//! What a session keeps: limits, ends, times; what was broken off; replayed and exported episodes.

mod broken;
mod exported;
mod limits;
mod rerun;
mod resumed;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::Place;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/samples");
const DETECTION: &str = "scale_pod_zero_testbed-detection-1";

/// A shipped sample's folder.
fn sample(name: &str) -> String {
    format!("{SAMPLES}/{name}")
}

/// Every file below a folder that holds nothing measured.
fn records(folder: &Path) -> BTreeMap<PathBuf, String> {
    crate::episodes::records(folder)
}

fn json(place: &Place, file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(place.path(file)).unwrap()).unwrap()
}

fn lines(place: &Place, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(place.path(file)).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// An agent in a child process that answers each observation with the line of its number, and the
/// last one from then on; `before` is run first.
fn write_agent(place: &Place, before: &str, answers: &[&str]) {
    let mut script = format!(
        "{before}\nn=0\nwhile read -r line; do\ncase $line in *'\"type\":\"observation\"'*) n=$((n+1)); case $n in\n"
    );
    for (number, answer) in answers.iter().enumerate() {
        let number = match number + 1 {
            last if last == answers.len() => "*".to_owned(),
            number => number.to_string(),
        };
        script.push_str(&format!("{number}) {answer};;\n"));
    }
    script.push_str("esac;; esac\ndone\n");
    std::fs::write(place.path("agent.sh"), script).unwrap();
}

/// A shell command that answers with a call.
fn says(call: &str) -> String {
    let answer = serde_json::json!({ "response": call });
    format!("printf '%s\\n' '{answer}'")
}
