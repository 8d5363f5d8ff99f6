//! Predictions in other projects' forms, scored as they score them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{Place, is_interop};

fn place(files: &[(&str, &str)]) -> Place {
    let place = Place::new();
    for (name, text) in files {
        let path = place.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    place
}

fn score(place: &Place, scorer: &str, paths: &[&str]) -> Value {
    let mut arguments = vec!["score", "--as", scorer, "--json"];
    arguments.extend(paths);
    serde_json::from_str(&place.ok(&arguments)).unwrap()
}

fn last(report: &Value) -> &Value {
    &report["groups"].as_array().unwrap().last().unwrap()["figures"]
}

const QUERY: &str = "task_index,instruction,scoring_points
task_3,who?,The only predicted root cause component is geo
task_1,when?,\"The only root cause occurrence time is within 1 minutes (i.e., <=1min) of 2021-03-04 14:57:00\"
";
const PREDICTION: &str = "prediction
\"{\"\"root cause component\"\": \"\"geo\"\"}\"
\"{\"\"root cause occurrence datetime\"\": \"\"2021-03-04 14:59:00\"\"}\"
";

#[test]
fn openrca_by_its_questions() {
    let place = place(&[("predictions.csv", PREDICTION), ("query.csv", QUERY)]);
    let report = score(&place, "openrca", &["predictions.csv", "query.csv"]);
    assert_eq!(
        (&report["as"], &report["proven"]),
        (&json!("openrca"), &json!(true))
    );
    assert_eq!(last(&report)["accuracy"], 0.5);
    let told = place.ok(&["score", "--as", "openrca", "predictions.csv", "query.csv"]);
    assert!(
        told.contains("openrca ") && !told.contains("unproven"),
        "{told}"
    );

    let refused = |paths: [&str; 2], says: &[&str]| {
        let mut arguments = vec!["score", "--as", "openrca"];
        arguments.extend(paths);
        place.refused(&arguments, says);
    };
    refused(
        ["query.csv", "query.csv"],
        &["query.csv, line 1: there is no column \"prediction\""],
    );
    refused(
        ["predictions.csv", "nowhere.csv"],
        &["nowhere.csv can't be read"],
    );
    fs::write(place.path("short.csv"), QUERY.lines().next().unwrap()).unwrap();
    refused(
        ["predictions.csv", "short.csv"],
        &["predictions.csv, line 3: there are 2 predictions, and 0 questions"],
    );
}

#[test]
fn rcaeval_from_a_file_or_from_what_its_program_left() {
    let place = place(&[
        (
            "results/cart_cpu_1.json",
            r#"{"0": ["cart_cpu", "front_mem"]}"#,
        ),
        (
            "results/cart_delay_1.json",
            r#"{"0": ["front_mem", "cart_latency"]}"#,
        ),
        ("results/cart_delay_2_failed.json", r#"{"error": "no"}"#),
        (
            "ranks.jsonl",
            "{\"case\": \"a\", \"ranks\": [\"cart_cpu\"]}\n",
        ),
        (
            "truth.jsonl",
            "{\"case\": \"a\", \"service\": \"cart\", \"fault\": \"cpu\", \"services\": 4, \"indicators\": 8}\n",
        ),
    ]);
    let report = score(&place, "rcaeval", &["results"]);
    assert_eq!(report["proven"], false);
    assert_eq!(last(&report)["AC@1"], json!(1.0 / 3.0));
    assert_eq!(last(&report)["AC@3"], json!(2.0 / 3.0));
    assert_eq!(last(&report)["lift"], Value::Null);
    let report = score(&place, "rcaeval", &["ranks.jsonl", "truth.jsonl"]);
    assert_eq!(last(&report)["chance"], 0.375);
    assert_eq!(last(&report)["lift"], 0.625);
    let told = place.ok(&["score", "--as", "rcaeval", "results"]);
    assert!(
        told.contains("rcaeval (unproven)") && told.contains("delay, fine"),
        "{told}"
    );
    place.refused(
        &["score", "--as", "rcaeval", "ranks.jsonl"],
        &["the case \"a\"", "hint: "],
    );
    fs::write(place.path("ranks.jsonl"), "\n{\"case\": 1}\n").unwrap();
    place.refused(
        &["score", "--as", "rcaeval", "ranks.jsonl", "truth.jsonl"],
        &["ranks.jsonl, line 2: it is of another form"],
    );
}

#[test]
fn petshop_and_nezha_by_their_folders() {
    let target = r#"{"target": {"node": "PetSite", "metric": "latency", "agg": "Average", "timestamp": 1}, "root_cause": {"node": "pay", "metric": null}}"#;
    let fault = r#"{"08": [{"inject_time": "2023-01-29 08:43:04", "inject_timestamp": "1", "inject_pod": "a-1-1", "inject_type": "return"}]}"#;
    let place = place(&[
        ("dataset/low_traffic/test/issue_0/target.json", target),
        (
            "pets.jsonl",
            "{\"case\": \"low_traffic/test/issue_0\", \"causes\": [{\"node\": \"pay\", \"score\": 1}]}\n",
        ),
        (
            "nezha/rca_data/2023-01-29/2023-01-29-fault_list.json",
            fault,
        ),
        (
            "nezha/construct_data/root_cause_ts.json",
            r#"{"a": {"return": "x_y"}}"#,
        ),
        (
            "results.jsonl",
            "{\"inject_time\": \"2023-01-29 08:43:04\", \"results\": [{\"pod\": \"a-1-1\", \"score\": 1, \"deepth\": 3, \"source\": \"x\", \"target\": \"z\"}]}\n",
        ),
    ]);
    let report = score(&place, "petshop", &["pets.jsonl", "dataset"]);
    assert_eq!(last(&report)["recall@1"], 1.0);
    let report = score(&place, "nezha", &["results.jsonl", "nezha"]);
    assert_eq!(
        (&last(&report)["AS@1"], &last(&report)["AIS@5"]),
        (&json!(1.0), &json!(0.0))
    );
    let list = "nezha/rca_data/2023-01-29/2023-01-29-fault_list.json";
    assert_eq!(
        last(&score(&place, "nezha", &["results.jsonl", list]))["AIS@5"],
        Value::Null
    );
    place.refused(
        &["score", "--as", "petshop", "pets.jsonl"],
        &["the truth is missing", "hint: "],
    );
    place.refused(
        &["score", "--as", "petshop", "pets.jsonl", "nezha"],
        &["there is nothing to score in nezha"],
    );
    place.refused_as_usage(&["score", "pets.jsonl", "dataset"], &["--as <PROJECT>"]);
    place.refused_as_usage(
        &["score", "--as", "petshop", "pets.jsonl", "--write"],
        &["cannot be used with"],
    );
}

/// The real lists and targets, where they lie (`../shared/data`): every fault and issue is read.
#[test]
fn the_truths_of_petshop_and_nezha_are_read_whole() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !data.is_dir() {
        assert!(!is_interop(), "{} is not there", data.display());
        println!("skipped: {} is not there", data.display());
        return;
    }
    let place = place(&[("none.jsonl", "")]);
    for (scorer, folder, cases) in [("petshop", "petshop/dataset", 26), ("nezha", "nezha", 52)] {
        let truth = data.join(folder);
        let report = score(&place, scorer, &["none.jsonl", truth.to_str().unwrap()]);
        let all = report["groups"].as_array().unwrap().last().unwrap();
        assert_eq!(all["cases"], cases, "{scorer}");
        assert_eq!(report["cases"].as_array().unwrap().len(), cases);
    }
}
