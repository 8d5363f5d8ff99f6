//! Real data sets (`../shared/data`): what an import says that it did is what a script of Python finds
//! in the files by other means. Runs with `AIOPSLAB_INTEROP=1`.

mod generic;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::{Place, is_interop};

fn data(name: &str) -> Option<PathBuf> {
    if !is_interop() {
        println!("skipped: AIOPSLAB_INTEROP is not 1");
        return None;
    }
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")).join(name);
    assert!(dir.is_dir(), "no {}", dir.display());
    Some(dir)
}

pub(crate) fn counted(format: &str, source: &Path) -> BTreeMap<String, Value> {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/interop/import_counts.py"
    );
    let output = Command::new("python3")
        .args([script, format])
        .arg(source)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Imports, compares every count with the script's, looks into the tables, and imports again.
/// Hands back the report.
fn imported(place: &Place, format: &str, source: &Path) -> Value {
    let source_text = source.to_str().unwrap();
    let run = |out: &str| place.ok(&["import", format, source_text, "--out", out, "--json"]);
    let report: Value = serde_json::from_str(&run("a")).unwrap();
    let counts = counted(format, source);
    let incidents = report["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), counts.len(), "incidents");
    for incident in incidents {
        let snapshot = incident["snapshot"].as_str().unwrap();
        // A source that is one recording becomes the folder itself.
        let name = snapshot.strip_prefix("a").unwrap().trim_matches('/');
        let name = name.strip_suffix("-1").unwrap_or(name);
        compare(place, snapshot, &incident["report"], &counts[name]);
    }
    run("b");
    same_bytes(&place.path("a"), &place.path("b"));
    report
}

fn compare(place: &Place, snapshot: &str, report: &Value, counts: &Value) {
    let mut written = 0;
    for (kind, expected) in counts["rows"].as_object().unwrap() {
        let tally = &report["rows"][kind];
        let mut sum = 0;
        for what in ["written", "quarantined", "outside"] {
            assert_eq!(tally[what], expected[what], "{snapshot}: {kind} {what}");
            sum += tally[what].as_u64().unwrap();
        }
        assert_eq!(tally["read"], sum, "{snapshot}: {kind} adds up");
        assert_eq!(tally["read"], expected["read"], "{snapshot}: {kind} read");
        written += tally["written"].as_u64().unwrap();
    }
    let kinds = |of: &Value| of["rows"].as_object().unwrap().len();
    assert_eq!(kinds(report), kinds(counts), "{snapshot}: kinds of rows");
    let defects = report["defects"].as_array().unwrap().iter();
    let defects: BTreeMap<&str, &Value> = defects
        .map(|one| (one["name"].as_str().unwrap(), &one["count"]))
        .collect();
    let expected = counts["defects"].as_object().unwrap().iter();
    let expected: BTreeMap<&str, &Value> = expected
        .map(|(name, count)| (name.as_str(), count))
        .collect();
    assert_eq!(defects, expected, "{snapshot}: defects");
    place.ok(&["snapshot", "verify", snapshot]);
    let rows = |table: &str| -> u64 {
        let statement = format!("select count(*) as n from {table}");
        let said = place.ok(&["sql", "-s", snapshot, "--format", "json", &statement]);
        let row: Value = serde_json::from_str(said.trim()).unwrap();
        row["n"].as_u64().unwrap()
    };
    let of_kinds = |kinds: [&str; 2]| -> u64 {
        let written = kinds.map(|kind| report["rows"][kind]["written"].as_u64());
        written.into_iter().flatten().sum()
    };
    assert_eq!(rows("log_lines"), of_kinds(["log rows", "log records"]));
    assert_eq!(rows("raw.spans"), of_kinds(["span rows", "spans"]));
    assert_eq!(rows("metric_samples"), counts["samples"].as_u64().unwrap());
    let quarantined = report["rows"].as_object().unwrap().values();
    let quarantined: u64 = quarantined
        .map(|tally| tally["quarantined"].as_u64().unwrap())
        .sum();
    println!("{snapshot}: {written} rows written, {quarantined} quarantined: equal");
}

fn same_bytes(one: &Path, other: &Path) {
    let names = |dir: &Path| -> Vec<_> {
        let entries = dir.read_dir().unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(one), names(other));
    for name in names(one) {
        let (one, other) = (one.join(&name), other.join(&name));
        if one.is_dir() {
            same_bytes(&one, &other);
        } else {
            let read = |path: &Path| std::fs::read(path).unwrap();
            assert!(read(&one) == read(&other), "{} differs", one.display());
        }
    }
}

#[test]
fn nezha_is_what_its_files_hold() {
    let Some(source) = data("nezha") else { return };
    let place = Place::new();
    let report = imported(&place, "nezha", &source);
    let left_out = report["left_out"].as_array().unwrap();
    assert_eq!(report["incidents"].as_array().unwrap().len(), 4);
    assert!(left_out.len() > 40, "labels of minutes that are not there");

    // What is true is not among what an agent sees, and is what is asked for.
    let snapshot = "a/nezha-2023-01-29T0934Z-1";
    let truth = std::fs::read_to_string(place.path(&format!("{snapshot}/withheld/truth.json")));
    assert!(truth.unwrap().contains("ts-food-service"));
    let said = place.ok(&["eval", "a", "--agent", "baseline:random", "--json"]);
    let summary: Value = serde_json::from_str(&said).unwrap();
    let asked: Vec<&str> = summary["episodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["problem"].as_str())
        .collect();
    for task in ["detection", "localization"] {
        let id = format!("nezha-2023-01-29T1004Z-{task}-1");
        assert!(asked.contains(&id.as_str()), "{asked:?}");
    }

    // No objects were collected: nobody knows whether there are pods.
    let pods = place.run(&["shell", snapshot, "-c", "kubectl get pods -n train-ticket"]);
    let said = format!("{}{}", pods.stdout, pods.stderr);
    assert!(!said.contains("No resources found"), "{said}");
    let lines = "select service, count(*) as lines from log_lines where service = 'ts-food-service' group by service";
    let said = place.ok(&["sql", "-s", snapshot, "--format", "csv", lines]);
    assert!(said.contains("ts-food-service,"), "{said}");
}

#[test]
fn petshop_is_what_its_files_hold() {
    let Some(source) = data("petshop") else {
        return;
    };
    let place = Place::new();
    let report = imported(&place, "petshop", &source.join("dataset"));
    let incidents = report["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 27, "26 issues, and a control");
    let asked: Vec<&str> = incidents
        .iter()
        .flat_map(|one| one["problems"].as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    let of = |task: &str| asked.iter().filter(|id| id.contains(task)).count();
    assert_eq!((of("-detection-"), of("-localization-")), (27, 26));
}

/// A folder that AIOpsLab itself has written.
#[test]
fn an_export_of_aiopslab_is_what_its_files_hold() {
    let Some(source) = data("aiopslab-actions") else {
        return;
    };
    let place = Place::new();
    let unpacked = place.path("exported");
    std::fs::create_dir(&unpacked).unwrap();
    let archive = source.join("files.tar.gz");
    let tar = Command::new("tar")
        .arg("-xzf")
        .arg(archive)
        .arg("-C")
        .arg(&unpacked)
        .status();
    assert!(tar.unwrap().success());
    let report = imported(&place, "aiopslab-export", &unpacked);
    assert_eq!(
        report["incidents"][0]["problems"].as_array().unwrap().len(),
        0
    );
}

/// A case of RCAEval, written here: no real one is at hand.
#[test]
fn a_case_is_imported_asked_and_called_unproven() {
    let place = Place::new();
    let case = place.path("RE1-OB/cartservice_cpu/1");
    std::fs::create_dir_all(&case).unwrap();
    std::fs::write(case.join("inject_time.txt"), "1674984842\n").unwrap();
    let metrics = "time,cartservice_cpu\n1674984840,0.5\n1674984841,0.5\n1674984843,9\nx,1\n";
    std::fs::write(case.join("data.csv"), metrics).unwrap();
    let said = place.ok(&["import", "rcaeval", "RE1-OB", "--out", "o", "--key", "k"]);
    assert!(said.contains("unproven"), "{said}");
    assert!(said.contains("1 quarantined unreadable_value"), "{said}");
    let made = place.path("o").read_dir().unwrap();
    let names: Vec<String> = made
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "import.json")
        .collect();
    let [name] = names.as_slice() else {
        panic!("{names:?}")
    };
    assert!(!name.contains("cart") && !name.contains("cpu"), "{name}");
    let snapshot = format!("o/{name}");
    let lists = place.ok(&["eval", "o", "--agent", "baseline:constant", "--json"]);
    assert!(lists.contains("-localization-1"), "{lists}");
    // Before the fault, the sample of the fault is not there yet.
    let count = |clock: &str| {
        let statement = "select count(*) as n from metrics";
        let arguments = ["sql", "-s", &snapshot, "--clock", clock, "--format", "csv"];
        place.ok(&[&arguments[..], &[statement]].concat())
    };
    assert!(
        count("before-fault").contains('2'),
        "{}",
        count("before-fault")
    );
    assert!(count("end").contains('3'), "{}", count("end"));

    place.refused(
        &["import", "rcaeval", "o", "--out", "p"],
        &["RCAEval", "inject_time.txt"],
    );
    let at = ["--at", "2026-01-31T12:00:00Z"];
    let arguments = ["import", "rcaeval", "RE1-OB", "--out", "p"];
    place.refused(&[&arguments[..], &at].concat(), &["--at is for"]);
    place.refused(
        &["import", "rcaeval", "RE1-OB", "--out", "o", "--key", "k"],
        &["not empty"],
    );
}

/// Cases of RCAEval, written here: one without a row that can be taken, one whose file can't be read,
/// and a good one.
#[test]
fn a_bad_incident_is_left_out_and_costs_no_other() {
    let place = Place::new();
    let case = |name: &str| {
        let case = place.path(&format!("RE1-OB/{name}/1"));
        std::fs::create_dir_all(&case).unwrap();
        std::fs::write(case.join("inject_time.txt"), "1674984842\n").unwrap();
        case
    };
    let names = |folder: &str| {
        let entries = place.path(folder).read_dir().unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<Vec<String>>()
    };
    let metrics = "time,adservice_cpu\nx,1\n";
    std::fs::write(case("adservice_cpu").join("data.csv"), metrics).unwrap();
    place.refused(
        &["import", "rcaeval", "RE1-OB", "--out", "bad"],
        &[
            "nothing in RE1-OB could be imported, 1 left out",
            "rows quarantined: 1 (unreadable_value at adservice_cpu/1/data.csv",
            "hint: bad/import.json says why",
        ],
    );
    assert_eq!(names("bad"), ["import.json"]);

    // A folder can be opened, and not be read.
    std::fs::create_dir(case("cartservice_mem").join("data.csv")).unwrap();
    let metrics = "time,cartservice_cpu\n1674984840,0.5\n1674984843,9\n";
    std::fs::write(case("cartservice_cpu").join("data.csv"), metrics).unwrap();
    let said = place.ok(&["import", "rcaeval", "RE1-OB", "--out", "o", "--json"]);
    let report: Value = serde_json::from_str(&said).unwrap();
    let [good] = report["incidents"].as_array().unwrap().as_slice() else {
        panic!("{said}")
    };
    assert_eq!(good["problems"].as_array().unwrap().len(), 2, "{good}");
    let snapshot = good["snapshot"].as_str().unwrap();
    let read = |path: &str| std::fs::read_to_string(place.path(path)).unwrap();
    let truth = read(&format!("{snapshot}/withheld/truth.json"));
    assert!(truth.contains("cartservice"), "{truth}");
    let left_out = report["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 2, "{said}");
    for reason in ["no row could be taken", "cartservice_mem/1/data.csv"] {
        let mut all = left_out.iter().map(|one| one["reason"].as_str().unwrap());
        assert!(all.any(|one| one.contains(reason)), "{said}");
    }
    let kept: Value = serde_json::from_str(&read("o/import.json")).unwrap();
    assert_eq!(kept["left_out"], report["left_out"]);
    assert_eq!(names("o").len(), 2, "nothing stays of what was left out");
}

/// A case with all three kinds of data, in which `cart` fails from the injection on.
fn failing_case(place: &Place) -> String {
    const INJECTED: i64 = 1_674_984_842;
    let case = place.path("RE2-OB/cart_delay/1");
    std::fs::create_dir_all(&case).unwrap();
    let mut metrics = "time,cart_latency-90,ad_latency-90\n".to_owned();
    let mut logs = "time,timestamp,container_name,message,level,req_path,error\n".to_owned();
    let mut traces = "time,traceID,spanID,serviceName,methodName,operationName,startTimeMillis,startTime,duration,statusCode,parentSpanID\n".to_owned();
    for second in -120..120 {
        let (at, is_bad) = (INJECTED + second, second >= 0);
        // Something has to vary a little for there to be a usual range.
        let usual = 10 + second.rem_euclid(3);
        let cart = if is_bad { 900 } else { usual };
        metrics.push_str(&format!("{at},{cart},{usual}\n"));
        let says = if is_bad {
            "ERROR no answer in time"
        } else {
            "served"
        };
        logs.push_str(&format!("00:00,{at}000000000,cart,{says},,,\n"));
        logs.push_str(&format!("00:00,{at}000000000,ad,served,,,\n"));
        let code = if is_bad { 14.0 } else { 0.0 };
        let trace = format!("{:032x}", at);
        for (span, service, parent) in [("1", "front", ""), ("2", "cart", "1"), ("3", "ad", "1")] {
            let code = if service == "ad" { 0.0 } else { code };
            let parent = if parent.is_empty() {
                String::new()
            } else {
                format!("{:016x}", 1)
            };
            let span = format!("{:016x}", span.parse::<u8>().unwrap());
            let took = if service == "cart" {
                cart * 1000
            } else {
                12_000
            };
            traces.push_str(&format!(
                "00:00,{trace},{span},{service},Get,Get,0,{at}000000,{took},{code},{parent}\n"
            ));
        }
    }
    for (name, text) in [
        ("metrics.csv", metrics),
        ("logs.csv", logs),
        ("traces.csv", traces),
    ] {
        std::fs::write(case.join(name), text).unwrap();
    }
    std::fs::write(case.join("inject_time.txt"), INJECTED.to_string()).unwrap();
    place.ok(&["import", "rcaeval", "RE2-OB", "--out", "cases"]);
    let mut made = place.path("cases").read_dir().unwrap();
    let folder = made.find(|entry| entry.as_ref().unwrap().path().is_dir());
    let folder = folder.unwrap().unwrap().file_name();
    format!("cases/{}", folder.to_str().unwrap())
}

/// Without Kubernetes' objects, services are known by the names in logs, spans and metrics.
#[test]
fn an_imported_case_answers_the_actions() {
    let place = Place::new();
    let snapshot = failing_case(&place);
    let manifest = std::fs::read_to_string(place.path(&format!("{snapshot}/manifest.json")));
    let manifest: Value = serde_json::from_str(&manifest.unwrap()).unwrap();
    let namespace = manifest["namespaces"][0].as_str().unwrap();
    let calls = [
        format!("get_logs(\"{namespace}\", \"cart\")"),
        format!("get_logs(\"{namespace}\", \"nobody\")"),
        format!("get_metrics(\"{namespace}\", 5)"),
        "read_metrics(\"/aiopslab/metrics_output/call-0003/container/kpi_latency_90.csv\")"
            .to_owned(),
        format!("get_traces(\"{namespace}\", 5)"),
        format!("exec_shell(\"kubectl get pods -n {namespace}\")"),
        "submit([\"cart\"])".to_owned(),
    ];
    let script: Vec<String> = calls
        .iter()
        .map(|call| format!("```\n{call}\n```\n"))
        .collect();
    std::fs::write(place.path("script"), script.join("---\n")).unwrap();
    let said = place.ok(&[
        "eval",
        &snapshot,
        "--task",
        "localization",
        "--agent",
        "scripted:script",
        "--out",
        "out",
        "--json",
    ]);
    let summary: Value = serde_json::from_str(&said).unwrap();
    let ours = &summary["episodes"][0];
    assert_eq!(ours["success"], true, "{ours}");
    let folder = ours["folder"].as_str().unwrap();
    let transcript = std::fs::read_to_string(place.path(&format!("out/{folder}/transcript.jsonl")));
    let steps: Vec<Value> = transcript
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|record: &Value| record["record"] == "step")
        .collect();
    let expected = [
        ("partial", "ERROR no answer in time"),
        ("empty", "Services with pods: ad, cart"),
        ("partial", "kpi_latency_90.csv"),
        ("answered", "cart"),
        ("partial", "traces.csv"),
        ("not_captured", "not available"),
    ];
    for (step, (verdict, says)) in steps.iter().zip(expected) {
        let observation = step["observation"].as_str().unwrap();
        assert_eq!(step["verdict"], verdict, "{step}");
        assert!(observation.contains(says), "{says}: {observation}");
    }
}

#[test]
fn algorithms_rank_the_components_of_an_imported_case() {
    let place = Place::new();
    failing_case(&place);
    let said = place.ok(&["eval", "cases", "--algorithm", "all", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let rankings = said["rankings"].as_array().unwrap();
    assert_eq!(rankings.len(), 3, "{said}");
    for ranking in rankings {
        assert_eq!(ranking["ranked"][0], "cart", "{ranking}");
        assert_eq!(ranking["place"], 1, "{ranking}");
    }
    assert_eq!(said["algorithms"][0]["figures"]["ac_at_1"], 1.0);
    let table = place.ok(&["eval", "cases", "--algorithm", "logs"]);
    assert!(table.contains("AC@1") && table.contains("100.0"), "{table}");
    place.refused(
        &["eval", "cases", "--algorithm", "baro"],
        &["baro", "metrics, traces, logs"],
    );
    // A recording of nothing wrong has nobody to be ranked.
    let quiet = place.ok(&["eval", "noop_detection_testbed-1", "--algorithm", "logs"]);
    assert!(quiet.contains("nobody was at fault"), "{quiet}");
}
