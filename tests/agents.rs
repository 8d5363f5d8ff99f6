//! Agents behind an address and at a terminal.

use std::process::Command;

use assert_cmd::cargo::CommandCargoExt;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::Value;

use crate::program::Place;
use crate::server::Server;

const PROBLEM: &str = "k8s_target_port_misconfig_testbed-detection-1";

/// The one episode of an agent that is no baseline.
fn episode(place: &Place, agent: &str) -> Value {
    let arguments = ["eval", "--problem", PROBLEM, "--agent", agent, "--json"];
    let summary: Value = serde_json::from_str(&place.ok(&arguments)).unwrap();
    summary["episodes"][0].clone()
}

#[test]
fn an_agent_behind_an_address_gets_the_messages_of_a_session() {
    let server = Server::start(|seen, _| match seen.body["type"].as_str() {
        Some("start") => StatusCode::NO_CONTENT.into_response(),
        _ => r#"{"response": "submit(\"Yes\")", "usage": {"input_tokens": 5, "output_tokens": 2}}"#
            .into_response(),
    });
    let url = format!("http://{}/act", server.address);
    let place = Place::new();
    let episode = episode(&place, &url);
    assert_eq!(episode["agent"], format!("http:{url}"));
    assert_eq!(episode["end"], "submitted");
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].uri, "/act");
    assert_eq!(seen[0].body["task"], "detection");
    assert!(seen[0].body["actions"].is_array());
    assert_eq!(seen[0].body["session"], seen[1].body["session"]);
    assert_eq!(seen[1].body["observation"], "Please take the next action");
    let told = seen[0].body.to_string();
    assert!(!told.contains("misconfig"), "{told}");
}

#[test]
fn what_is_wrong_with_an_agent_behind_an_address_ends_its_episode() {
    for (status, body, says) in [
        (
            500,
            "it is broken",
            "answered 500 Internal Server Error: it is broken",
        ),
        (200, "[1, 2]", "hint: an answer is JSON"),
        (302, "", "answered 302 Found"),
    ] {
        let server = Server::start(move |seen, _| match seen.body["type"].as_str() {
            Some("start") => "".into_response(),
            _ => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        });
        let place = Place::new();
        let episode = episode(&place, &format!("http://{}/", server.address));
        assert_eq!(episode["end"], "agent_failed");
        assert!(
            episode["error"].as_str().unwrap().contains(says),
            "{episode}"
        );
    }
    let place = Place::new();
    let gone = episode(&place, "http:http://127.0.0.1:9/");
    assert!(
        gone["error"].as_str().unwrap().contains("can't be reached"),
        "{gone}"
    );
    place.refused(
        &["eval", "--agent", "https://me:secret@host/"],
        &["no good address"],
    );
}

#[test]
fn a_person_needs_a_terminal_and_one_episode_at_a_time() {
    let place = Place::new();
    place.refused(
        &["eval", "--agent", "human", "--jobs", "1"],
        &["human is for a terminal"],
    );
}

/// Types at a program on a terminal: waits for each prompt, types the line, and prints what was shown.
const TYPIST: &str = r#"
import os, pty, sys
lines = [line.encode() for line in sys.argv[1].split("|")]
process, terminal = pty.fork()
if process == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown, number = b"", 1
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    shown += part
    if lines and b"%d> " % number in shown:
        line = lines.pop(0)
        if not line.startswith(b"help"):
            number += 1
        else:
            shown = shown.replace(b"%d> " % number, b"")
        os.write(terminal, line)
sys.stdout.write(shown.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"#;

#[test]
fn a_person_at_a_terminal_is_told_and_asked() {
    let place = Place::new();
    let program = Command::cargo_bin("aiopslab").unwrap();
    // Tab completes a name; the call needs no fence; the last answer is Ctrl-D.
    let typed = "help get_logs\r|exec_sh\t\"kubectl get pods -A\")\r|\u{4}";
    let output = Command::new("python3")
        .args(["-c", TYPIST, typed])
        .arg(program.get_program())
        .args([
            "eval",
            "--agent",
            "human",
            "--jobs",
            "1",
            "--problem",
            PROBLEM,
            "--out",
            "out",
        ])
        .current_dir(place.path(""))
        .env("HOME", place.path(""))
        .env("TERM", "xterm")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{shown}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in [
        "Service: Hotel Testbed",
        "Reads the log of a service",
        "NAMESPACE",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let folder = place.path("out/human").join(format!("{PROBLEM}-r1"));
    let transcript = std::fs::read_to_string(folder.join("transcript.jsonl")).unwrap();
    let lines: Vec<Value> = transcript
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines[1]["response"],
        "```\nexec_shell(\"kubectl get pods -A\")\n```"
    );
    assert_eq!(lines[1]["verdict"], "answered");
    assert!(lines[2]["error"].as_str().unwrap().contains("gave up"));
}
