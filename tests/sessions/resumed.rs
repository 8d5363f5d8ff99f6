//! Killed, stopped and resumed: the records are those of an undisturbed run, and nothing ran twice.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use super::{SAMPLES, json, records, says, write_agent};
use crate::program::Place;

const AGENT: &str = "exec:sh agent.sh";
const JOBS: usize = 2;

/// Asks for every detection problem of the samples, the agent and the baselines.
fn arguments(out: &str) -> Vec<&str> {
    let asked = ["eval", SAMPLES, "--task", "detection", "--agent", AGENT];
    let mut arguments = asked.to_vec();
    arguments.extend(["--jobs", "2", "--out", out, "--resume"]);
    arguments
}

/// A place with an agent that writes a line to `log` in each of its episodes.
fn place() -> Place {
    let place = Place::new();
    let look = says("exec_shell(\"kubectl get pods -n hotel-testbed\")");
    write_agent(
        &place,
        "echo began >>log",
        &[&look, &look, &says("submit(\"Yes\")")],
    );
    place
}

fn start(place: &Place, out: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_aiopslab"))
        .args(arguments(out))
        .current_dir(place.path(""))
        .env_remove("AIOPSLAB_SNAPSHOTS")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// How many episodes the agent began.
fn begun(place: &Place) -> usize {
    std::fs::read_to_string(place.path("log")).map_or(0, |log| log.lines().count())
}

/// Each finished episode of the agent, with the time at which its transcript was last written.
fn finished(place: &Place, out: &str) -> BTreeMap<PathBuf, SystemTime> {
    let Ok(folders) = std::fs::read_dir(place.path(out).join("exec-sh-agent.sh")) else {
        return BTreeMap::new();
    };
    let folders = folders.map(|entry| entry.unwrap().path());
    let finished = folders.filter(|folder| folder.join("result.json").exists());
    let written = |folder: &PathBuf| {
        let transcript = folder.join("transcript.jsonl").metadata();
        transcript.unwrap().modified().unwrap()
    };
    finished
        .map(|folder| (folder.clone(), written(&folder)))
        .collect()
}

/// Waits until the agent has begun so many episodes, or all is done.
fn await_begun(place: &Place, child: &mut Child, episodes: usize) {
    while begun(place) < episodes && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn undisturbed(place: &Place) -> BTreeMap<PathBuf, String> {
    place.ok(&arguments("whole"));
    std::fs::remove_file(place.path("log")).unwrap();
    records(&place.path("whole"))
}

#[test]
fn killed_at_random_moments_an_evaluation_ends_as_if_nothing_had_happened() {
    let place = place();
    let whole = undisturbed(&place);
    // The moments are random, and the same in every run of the test.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut kills = 0;
    let mut before: BTreeMap<PathBuf, SystemTime> = BTreeMap::new();
    for _ in 0..6 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let mut child = start(&place, "out");
        let enough = begun(&place) + usize::try_from(random >> 62).unwrap();
        await_begun(&place, &mut child, enough);
        std::thread::sleep(Duration::from_micros((random >> 32) % 40_000));
        child.kill().unwrap();
        let killed = !child.wait().unwrap().success();
        kills += usize::from(killed);
        let now = finished(&place, "out");
        for (folder, written) in &before {
            assert_eq!(
                now.get(folder),
                Some(written),
                "{} ran again",
                folder.display()
            );
        }
        before = now;
    }
    assert!(kills >= 4, "only {kills} kills came in time");
    place.ok(&arguments("out"));
    let now = finished(&place, "out");
    for (folder, written) in &before {
        assert_eq!(
            now.get(folder),
            Some(written),
            "{} ran again",
            folder.display()
        );
    }
    // Only what was under way at a kill began once more.
    assert!(begun(&place) <= now.len() + kills * JOBS);
    assert_eq!(records(&place.path("out")), whole);

    // Nothing is left to do.
    let begun_before = begun(&place);
    place.ok(&arguments("out"));
    assert_eq!(begun(&place), begun_before);
    assert_eq!(records(&place.path("out")), whole);
}

#[cfg(unix)]
#[test]
fn stopped_by_a_signal_it_keeps_and_tells_what_is_done() {
    let place = place();
    let whole = undisturbed(&place);
    let mut child = start(&place, "out");
    await_begun(&place, &mut child, 4);
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(status.success());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("stopping: what is finished is kept"),
        "{told}"
    );
    assert!(told.contains("--resume --out out"), "{told}");
    let summary = json(&place, "out/summary.json");
    let done = summary["episodes"].as_array().unwrap().len();
    let asked = serde_json::from_str::<serde_json::Value>(&whole[&PathBuf::from("summary.json")]);
    let asked = asked.unwrap()["episodes"].as_array().unwrap().len();
    assert!(done >= 1);
    assert_eq!(summary["unfinished"], asked - done);
    place.ok(&arguments("out"));
    assert_eq!(records(&place.path("out")), whole);
}

#[test]
fn only_the_same_evaluation_is_resumed() {
    let place = place();
    let sample = super::sample("scale_pod_zero_testbed-1");
    let eval = |further: &[&'static str]| {
        let mut arguments = vec!["eval".to_owned(), sample.clone()];
        arguments.extend(["--agent", "baseline:constant", "--out", "out"].map(str::to_owned));
        arguments.extend(further.iter().map(|one| (*one).to_owned()));
        arguments
    };
    let refused = |further: &[&'static str], says: &[&str]| {
        let arguments = eval(further);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        place.refused(&arguments, says);
    };
    let first = eval(&[]);
    place.ok(&first.iter().map(String::as_str).collect::<Vec<_>>());
    refused(&[], &["out is not empty", "--resume"]);
    refused(
        &["--resume", "--max-steps", "20"],
        &["max_steps was 30, is 20", "hint:", "--out"],
    );
    refused(&["--resume", "--task", "detection"], &["not asked now"]);
    refused(
        &["--resume", "--actions", "extended"],
        &["action_set was \"upstream\""],
    );
    let transcript = "out/baseline-constant/scale_pod_zero_testbed-detection-1-r1/transcript.jsonl";
    let text = std::fs::read_to_string(place.path(transcript)).unwrap();
    let version = format!(r#""aiopslab":"{}""#, env!("CARGO_PKG_VERSION"));
    std::fs::write(
        place.path(transcript),
        text.replace(&version, r#""aiopslab":"0.0.1""#),
    )
    .unwrap();
    refused(&["--resume"], &["versions.aiopslab was \"0.0.1\""]);
    place.refused_as_usage(&["eval", "--resume"], &["--out"]);
}

#[test]
fn a_problem_on_two_snapshots_is_two_episodes() {
    let place = Place::new();
    let original = super::sample("scale_pod_zero_testbed-1");
    let version = place.path("version");
    std::fs::create_dir_all(&version).unwrap();
    super::rerun::altered(camino::Utf8Path::from_path(&version).unwrap());
    // The second path again is no third one.
    place.ok(&[
        "eval",
        &original,
        "version",
        "version",
        "--task",
        "detection",
        "--agent",
        "baseline:constant",
        "--out",
        "out",
    ]);
    let summary = json(&place, "out/summary.json");
    assert_eq!(summary["snapshots"], 2);
    let episodes = summary["episodes"].as_array().unwrap();
    let folders: std::collections::BTreeSet<&str> = episodes
        .iter()
        .map(|one| one["folder"].as_str().unwrap())
        .collect();
    assert_eq!((episodes.len(), folders.len()), (6, 6), "{folders:?}");
}
