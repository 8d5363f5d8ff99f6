//! Language models against a scripted server on loopback: every way in which an endpoint can fail, and whole
//! evaluations that are recorded and replayed. Nothing here is a model's result.

mod answers;
mod judge;

use serde_json::Value;

use self::answers::{Ends, calls, refuses, said, says, says_and_ends, streams, turns};
use crate::program::{Place, Ran};
use crate::server::{Seen, Server};

const PROBLEM: &str = "k8s_target_port_misconfig_testbed-detection-1";
/// One problem of each task that a recording can be asked.
const PROBLEMS: [&str; 6] = [
    "--problem",
    PROBLEM,
    "--problem",
    "k8s_target_port_misconfig_testbed-localization-1",
    "--problem",
    "k8s_target_port_misconfig_testbed-analysis-1",
];
const YES: &str = "```\nsubmit(\"Yes\")\n```";
const LOOK: &str = "```\nexec_shell(\"kubectl get pods -A -o yaml\")\n```";
const KEY: &str = "sk-never-shown-4711";

/// A folder whose settings name the server, with further lines of `[llm]`.
fn place(server: &Server, further: &str) -> Place {
    let place = Place::new();
    std::fs::write(place.path("key"), format!("{KEY}\n")).unwrap();
    let settings = format!(
        "[llm]\nbase_url = \"script:http://{}/v1\"\napi_key_file = \"key\"\nretry_wait = 0.001\n{further}\n",
        server.address
    );
    std::fs::write(place.path("aiopslab.toml"), settings).unwrap();
    place
}

/// Evaluates on one problem; the episode's result and its transcript.
fn evaluate(place: &Place, further: &[&str]) -> (Value, Vec<Value>, Ran) {
    let mut arguments = vec![
        "eval",
        "--problem",
        PROBLEM,
        "--agent",
        "llm:scripted",
        "--out",
        "one",
        "--json",
    ];
    arguments.extend(further);
    let ran = place.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    let own = summary["episodes"].as_array().unwrap().iter();
    let episode = own
        .clone()
        .find(|one| one["agent"].as_str().unwrap().starts_with("llm:"))
        .unwrap();
    let folder = place.path("one").join(episode["folder"].as_str().unwrap());
    let text = std::fs::read_to_string(folder.join("transcript.jsonl")).unwrap();
    let transcript = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let result = std::fs::read_to_string(folder.join("result.json")).unwrap();
    (
        serde_json::from_str(&result).unwrap(),
        transcript.collect(),
        ran,
    )
}

fn end(transcript: &[Value]) -> &Value {
    transcript.last().unwrap()
}

#[test]
fn what_passes_is_tried_again() {
    let server = Server::start(|_, number| match number {
        0 => refuses(429, "rate_limit_exceeded", "slow down"),
        1 => refuses(500, "", "oops"),
        2 => refuses(409, "", "busy"),
        3 => streams("```\nsub", Ends::Cut),
        4 => streams("```\nsub", Ends::Never),
        _ => streams(YES, Ends::Well),
    });
    let place = place(&server, "stream = true\ntimeout = 0.3");
    let (result, transcript, _) = evaluate(&place, &[]);
    assert_eq!(end(&transcript)["end_reason"], "submitted");
    assert_eq!(transcript[1]["response"], YES);
    assert_eq!(result["usage"]["input_tokens"], 7);
    let seen = server.seen();
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|one| one.body == seen[0].body));
    assert_eq!(seen[0].body["stream_options"]["include_usage"], true);
}

#[test]
fn what_lasts_is_not_and_the_key_is_nowhere() {
    let server = Server::start(|seen, _| {
        let key = seen.headers["authorization"].to_str().unwrap();
        refuses(401, "invalid_api_key", &format!("wrong key: {key}"))
    });
    let place = place(&server, "");
    let (_, transcript, ran) = evaluate(&place, &["--verbose"]);
    assert_eq!(end(&transcript)["end_reason"], "agent_failed");
    let error = end(&transcript)["error"].as_str().unwrap();
    assert!(error.contains("401") && error.contains("hint:"), "{error}");
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].headers["authorization"], format!("Bearer {KEY}"));
    let config = place.run(&["config"]);
    assert!(config.stdout.contains("llm.api_key"));
    let mut told = format!("{}{}{}", ran.stdout, ran.stderr, config.stdout);
    for name in ["transcript.jsonl", "result.json", "timing.jsonl"] {
        let folder = place.path("one/llm-scripted-scripted-no-model");
        told += &std::fs::read_to_string(folder.join(format!("{PROBLEM}-r1")).join(name)).unwrap();
    }
    assert!(!told.contains(KEY), "{told}");
}

#[test]
fn an_endpoint_that_stays_down_ends_the_episode_after_all_attempts() {
    let server = Server::start(|_, _| refuses(503, "", "later"));
    let place = place(&server, "attempts = 3");
    let (_, transcript, _) = evaluate(&place, &[]);
    let error = end(&transcript)["error"].as_str().unwrap();
    assert!(
        error.contains("503") && error.contains("the last of 3 attempts"),
        "{error}"
    );
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn a_request_that_was_too_long_is_made_shorter_once() {
    let server = Server::start(|seen, number| match (turns(seen), number) {
        (0, _) => says(LOOK),
        (_, 1) => refuses(400, "context_length_exceeded", "too much"),
        _ => says(YES),
    });
    let place = place(&server, "");
    let (_, transcript, _) = evaluate(&place, &[]);
    assert_eq!(end(&transcript)["end_reason"], "submitted");
    let seen = server.seen();
    let length = |seen: &Seen| said(seen).iter().map(|text| text.len()).sum::<usize>();
    assert!(length(&seen[2]) < length(&seen[1]) * 2 / 3);
    assert_eq!(
        said(&seen[1])[..2],
        said(&seen[2])[..2],
        "system prompt and task stay"
    );
    assert!(said(&seen[2])[3].contains("bytes were left out here"));
}

#[test]
fn an_answer_that_was_cut_off_is_told_so() {
    let server = Server::start(|_, number| match number {
        0 => says_and_ends("I think and think", "length"),
        _ => says(YES),
    });
    let place = place(&server, "");
    let (_, transcript, _) = evaluate(&place, &[]);
    assert_eq!(transcript[1]["verdict"], "invalid");
    assert!(said(&server.seen()[1])[3].contains("cut off"));
}

#[test]
fn tools_are_called_and_what_is_no_good_call_is_answered_like_any_other() {
    let server = Server::start(|_, number| match number {
        0 => calls(&[("exec_shell", r#"{"command": "kubectl get pods -A"}"#)]),
        1 => calls(&[("get_logs", r#"{"namespace": "hotel-te"#)]),
        2 => calls(&[
            ("submit", r#"{"has_anomaly": "Yes"}"#),
            ("submit", r#"{"has_anomaly": "No"}"#),
        ]),
        3 => calls(&[("read_minds", "{}")]),
        4 => says("I am done"),
        _ => calls(&[("submit", r#"{"has_anomaly": "Yes"}"#)]),
    });
    let place = place(&server, "strategy = \"react\"");
    let (result, transcript, _) = evaluate(&place, &["--llm-tools"]);
    let verdicts: Vec<_> = transcript[1..7]
        .iter()
        .map(|step| &step["verdict"])
        .collect();
    assert_eq!(
        verdicts,
        [
            "answered", "invalid", "invalid", "invalid", "invalid", "answered"
        ]
    );
    assert_eq!(
        transcript[1]["response"],
        "```\nexec_shell(\"kubectl get pods -A\")\n```"
    );
    assert_eq!(end(&transcript)["solution"], "Yes");
    assert_eq!(
        result["usage"]["estimated"], true,
        "the server told no usage"
    );
    let seen = server.seen();
    let tools = seen[0].body["tools"].as_array().unwrap();
    let names: Vec<_> = tools
        .iter()
        .map(|tool| tool["function"]["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"get_logs") && names.contains(&"submit") && !names.contains(&"query_sql")
    );
    // Each call has its answer, in the order of the calls.
    let ids: Vec<_> = seen[3].body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["tool_call_id"].as_str())
        .collect();
    assert_eq!(ids, ["call-0", "call-0", "call-0", "call-1"]);
}

#[test]
fn azure_has_another_path_and_another_header() {
    let server = Server::start(|_, _| says(YES));
    let place = Place::new();
    std::fs::write(place.path("key"), KEY).unwrap();
    let settings = format!(
        "[llm]\nbase_url = \"script:http://{}\"\napi_key_file = \"key\"\nazure_api_version = \"2024-10-21\"\n[llm.parameters]\ntemperature = 0\nmax_tokens = 500\n",
        server.address
    );
    std::fs::write(place.path("aiopslab.toml"), settings).unwrap();
    let (_, transcript, _) = evaluate(&place, &[]);
    let seen = &server.seen()[0];
    assert_eq!(
        seen.uri,
        "/openai/deployments/scripted/chat/completions?api-version=2024-10-21"
    );
    assert_eq!(seen.headers["api-key"], KEY);
    assert!(!seen.headers.contains_key("authorization"));
    assert_eq!(seen.body["max_tokens"], 500);
    let settings = &transcript[0]["agent_settings"];
    assert_eq!(settings["parameters"]["temperature"], 0);
    assert_eq!(settings["strategy"]["name"], "shell");
    assert_eq!(settings["strategy"]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn what_hindsight_says_is_in_the_request_for_the_action() {
    let server = Server::start(|seen, _| {
        let asks_for_hindsight = said(seen).last().unwrap().contains("Do not act yet");
        match (asks_for_hindsight, turns(seen)) {
            (true, _) => says("The pods do run, look at the ports."),
            (false, 0) => says(LOOK),
            (false, _) => says(YES),
        }
    });
    let place = place(&server, "[llm.prices.scripted]\ninput = 1\noutput = 10");
    let (result, transcript, _) = evaluate(&place, &["--strategy", "flash"]);
    assert_eq!(transcript.len(), 4, "header, two steps and the end");
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(said(&seen[2]).last().unwrap().contains("look at the ports"));
    // It is no part of what was said: the next request does not repeat it.
    assert_eq!(said(&seen[1])[..3], said(&seen[2])[..3]);
    assert!(transcript[0]["agent"].as_str().unwrap().contains("@flash"));
    // What it was asked and answered is in the record, of the step that it came before, and on the page.
    assert_eq!(transcript[1].get("thoughts"), None);
    let thoughts = transcript[2]["thoughts"].as_array().unwrap();
    assert_eq!(thoughts.len(), 1);
    assert_eq!(thoughts[0]["name"], "hindsight");
    let asked = thoughts[0]["ask"].as_str().unwrap();
    assert!(asked.starts_with("Do not act yet."), "{asked}");
    assert!(said(&seen[1]).last().unwrap().ends_with(asked));
    let answered = "The pods do run, look at the ports.";
    assert_eq!(thoughts[0]["answer"], answered);
    place.ok(&["report", "one", "--html", "one.html"]);
    let page = std::fs::read_to_string(place.path("one.html")).unwrap();
    assert_eq!(page.matches("asked before step 2: hindsight").count(), 1);
    assert!(page.contains("Do not act yet.") && page.contains(answered));
    // Replayed, nobody is asked, and no answer is another for it.
    let told = place.ok(&["rerun", "one"]);
    assert!(told.contains(": 0 answers changed"), "{told}");
    // Three requests of 1000 tokens in and 100 out.
    assert_eq!(result["usage"]["output_tokens"], 300);
    assert!((result["usage"]["cost_usd"].as_f64().unwrap() - 0.006).abs() < 1e-9);
}

#[test]
fn a_strategy_of_the_user_s_is_taken_and_its_mistakes_are_named() {
    let server = Server::start(|_, _| says(YES));
    let place = place(&server, "");
    let shipped = place.ok(&["config", "--strategy", "plan"]);
    std::fs::write(
        place.path("mine.toml"),
        shipped.replace("Begin.", "Off you go."),
    )
    .unwrap();
    let (_, transcript, _) = evaluate(&place, &["--strategy", "mine.toml"]);
    assert_eq!(transcript[1]["thoughts"][0]["name"], "plan");
    let seen = server.seen();
    assert!(said(&seen[0])[1].starts_with("Off you go."));
    assert!(said(&seen[0])[1].contains("Make a plan"));
    std::fs::write(
        place.path("wrong.toml"),
        "about = ''\nsystem = '{{ plan }}'\ntask = ''\n",
    )
    .unwrap();
    let eval = |strategy| ["eval", "--agent", "llm:scripted", "--strategy", strategy];
    place.refused(
        &eval("wrong.toml"),
        &["wrong.toml:2: there is no variable \"plan\""],
    );
    place.refused(&eval("nowhere.toml"), &["there is no strategy", "hint:"]);
}

#[test]
fn a_whole_evaluation_is_repeated_without_the_server() {
    let answer = |seen: &Seen, _: usize| {
        let told = said(seen)[0].to_owned();
        let submits = if told.contains("whether anything is wrong") {
            YES
        } else if told.contains("in which of its services") {
            "```\nsubmit([\"geo\"])\n```"
        } else {
            "```\nsubmit({\"system_level\": \"Virtualization\", \"fault_type\": \"Misconfiguration\"})\n```"
        };
        match turns(seen) {
            0 => says(LOOK),
            _ => says(submits),
        }
    };
    let server = Server::start(answer);
    let place = place(&server, "");
    let eval = |out: &str, jobs: &str, flag: &str| {
        let mut arguments = vec!["eval", "--agent", "llm:scripted", "--repeat", "2"];
        arguments.extend(PROBLEMS);
        arguments.extend(["--out", out, "--jobs", jobs, flag, "answers.jsonl"]);
        place.ok(&arguments)
    };
    eval("recorded", "2", "--llm-record");
    assert!(!server.seen().is_empty());
    drop(server);
    eval("replayed", "1", "--llm-replay");
    let records = |out: &str| crate::episodes::records(&place.path(out));
    let recorded = records("recorded");
    assert!(recorded.len() > 40, "only {} files", recorded.len());
    assert_eq!(recorded, records("replayed"));
    // What is not in the record is an error that says so, and nobody is asked.
    let other = [
        "eval",
        "--agent",
        "llm:scripted",
        "--problem",
        PROBLEM,
        "--repeat",
        "3",
        "--out",
        "more",
        "--json",
        "--llm-replay",
        "answers.jsonl",
    ];
    let summary: Value = serde_json::from_str(&place.ok(&other)).unwrap();
    let third = summary["episodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["repeat"] == 3)
        .unwrap();
    assert_eq!(third["end"], "agent_failed");
    assert!(
        third["error"]
            .as_str()
            .unwrap()
            .contains("is not in the record answers.jsonl"),
        "{third}"
    );
}

#[test]
fn the_scripted_agent_needs_no_network_and_is_called_what_it_is() {
    let place = Place::new();
    // Wherever models are asked: it is none.
    std::fs::write(
        place.path("aiopslab.toml"),
        "[llm]\nbase_url = \"https://192.0.2.1/v1\"\n",
    )
    .unwrap();
    let mut arguments = vec!["eval", "--agent", "llm:scripted", "--json"];
    arguments.extend(PROBLEMS);
    let summary: Value = serde_json::from_str(&place.ok(&arguments)).unwrap();
    let own: Vec<_> = summary["episodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["agent"] == "llm:scripted (scripted, no model)")
        .collect();
    assert_eq!(own.len(), 3);
    assert!(
        own.iter()
            .all(|one| one["end"] == "submitted" && one["steps"] == 2)
    );
    std::fs::write(
        place.path("script.toml"),
        format!("[[answer]]\nsay = '''{YES}'''\n"),
    )
    .unwrap();
    std::fs::write(
        place.path("aiopslab.toml"),
        "[llm]\nbase_url = \"script:script.toml\"\n",
    )
    .unwrap();
    let (_, transcript, _) = evaluate(&place, &[]);
    assert_eq!(transcript.len(), 3);
    place.refused(
        &["eval", "--agent", "llm:gpt-4o"],
        &["llm.base_url is a script", "hint:"],
    );
}
