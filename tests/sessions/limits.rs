//! An agent may take what it may take; why an episode ended is told, and what was measured is apart.

use serde_json::{Value, json};

use super::{DETECTION, json, lines, sample, says, write_agent};
use crate::program::Place;

const AGENT: &str = "exec:sh agent.sh";
const FOLDER: &str = "out/exec-sh-agent.sh/scale_pod_zero_testbed-detection-1-r1";

/// One episode of an agent that says what each response took, and never submits.
fn limited(further: &[&str]) -> (Place, String) {
    let place = Place::new();
    let call = json!({
        "response": "get_logs(\"hotel-testbed\", \"geo\")",
        "usage": {"input_tokens": 40, "output_tokens": 20, "cost_usd": 0.25},
    });
    write_agent(&place, "", &[&format!("printf '%s\\n' '{call}'")]);
    let told = evaluated(&place, further);
    (place, told)
}

fn evaluated(place: &Place, further: &[&str]) -> String {
    let sample = sample("scale_pod_zero_testbed-1");
    let mut arguments = vec!["eval", &sample, "--problem", DETECTION, "--agent", AGENT];
    arguments.extend(["--out", "out"]);
    arguments.extend(further);
    place.ok(&arguments)
}

fn ended(place: &Place) -> (Value, usize) {
    let records = lines(place, &format!("{FOLDER}/transcript.jsonl"));
    let end = records.last().unwrap();
    assert_eq!(end["record"], "end");
    (end["end_reason"].clone(), records.len() - 2)
}

#[test]
fn an_episode_ends_at_its_limits_and_says_at_which() {
    for (further, reason, steps) in [
        (&["--max-steps", "3"], "step_limit", 3),
        (&["--max-tokens", "120"], "token_limit", 2),
        (&["--max-cost", "0.3"], "cost_limit", 2),
    ] {
        let (place, told) = limited(further);
        assert_eq!(ended(&place), (json!(reason), steps));
        let header = &lines(&place, &format!("{FOLDER}/transcript.jsonl"))[0];
        let key = further[0].trim_start_matches("--").replace('-', "_");
        let key = if key == "max_cost" {
            "max_cost_usd"
        } else {
            &key
        };
        assert_eq!(header[key].as_f64(), further[1].parse().ok(), "{header}");
        let result = json(&place, &format!("{FOLDER}/result.json"));
        assert_eq!(result["end_reason"], reason);
        assert_eq!(result.get("not_reproducible"), None);
        assert!(!told.contains("not reproducible"), "{told}");
    }
}

#[test]
fn what_the_wall_clock_limits_is_marked_as_not_reproducible() {
    let place = Place::new();
    // It reads and never answers.
    std::fs::write(place.path("agent.sh"), "cat >/dev/null\n").unwrap();
    let told = evaluated(&place, &["--max-seconds", "1"]);
    assert_eq!(ended(&place), (json!("time_limit"), 0));
    assert!(
        told.contains("not reproducible: its time on the wall"),
        "{told}"
    );
    for file in [
        format!("{FOLDER}/result.json"),
        "out/summary.json".to_owned(),
    ] {
        let because = &json(&place, &file)["not_reproducible"];
        assert!(
            because.as_str().unwrap().contains("max_seconds"),
            "{file}: {because}"
        );
    }
    // And stays so when it is scored again.
    std::fs::remove_file(place.path(&format!("{FOLDER}/result.json"))).unwrap();
    place.ok(&["score", "out", "--write"]);
    for file in [
        format!("{FOLDER}/result.json"),
        "out/summary.json".to_owned(),
    ] {
        assert!(
            json(&place, &file)["not_reproducible"].is_string(),
            "{file}"
        );
    }
}

#[test]
fn what_is_measured_has_a_header_a_line_for_each_step_and_totals() {
    let (place, _) = limited(&["--max-steps", "2"]);
    let timing = lines(&place, &format!("{FOLDER}/timing.jsonl"));
    let records: Vec<&str> = timing
        .iter()
        .filter_map(|line| line["record"].as_str())
        .collect();
    assert_eq!(records, ["header", "step", "step", "end"]);
    let (header, end) = (&timing[0], &timing[3]);
    assert_eq!(header["version"], 1);
    assert_eq!(header["host"]["aiopslab"], env!("CARGO_PKG_VERSION"));
    assert_eq!(header["host"]["os"], std::env::consts::OS);
    assert!(header["host"]["cpus"].as_u64().unwrap() > 0);
    let moment = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(moment(&header["started"]) < moment(&end["ended"]));
    let sum: f64 = timing[1..3]
        .iter()
        .map(|step| step["agent_ms"].as_f64().unwrap())
        .sum();
    assert!((end["agent_ms"].as_f64().unwrap() - sum).abs() < 1e-6);
    assert!(end["elapsed_ms"].as_f64().unwrap() >= sum);
    assert_eq!(
        end["usage"],
        json!({"input_tokens": 80, "output_tokens": 40, "cost_usd": 0.5})
    );
    assert_eq!(
        end["usage"],
        json(&place, &format!("{FOLDER}/result.json"))["usage"]
    );
}

#[test]
fn a_limit_of_nothing_is_refused_and_names_where_it_stands() {
    let place = Place::new();
    place.refused(&["eval", "--max-cost", "0"], &["max_cost (flag)", "hint:"]);
    std::fs::write(place.path("aiopslab.toml"), "max_tokens = 0\n").unwrap();
    place.refused(&["eval"], &["max_tokens (file aiopslab.toml)"]);
}

#[test]
fn limits_that_did_not_bind_are_told() {
    let place = Place::new();
    write_agent(&place, "", &[&says("submit(\"Yes\")")]);
    let sample = sample("scale_pod_zero_testbed-1");
    let ran = place.run(&[
        "eval",
        &sample,
        "--problem",
        DETECTION,
        "--agent",
        AGENT,
        "--max-cost",
        "1",
    ]);
    assert!(
        ran.stderr.contains("the cost of 1 episodes is not known"),
        "{}",
        ran.stderr
    );
}
