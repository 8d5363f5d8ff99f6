//! AIOpsLab's own four endpoints.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::server::Server;
use super::{DETECTION, SAMPLE, file};
use crate::program::Place;
use crate::upstream_keys;

#[tokio::test]
async fn the_four_endpoints_of_aiopslab_have_its_shapes() {
    let place = Place::new();
    std::fs::write(
        place.path("script"),
        "```\nexec_shell(\"echo seen\")\n```\n---\n```\nsubmit(\"Yes\")\n```\n",
    )
    .unwrap();
    let server = Server::start(
        &place,
        &[SAMPLE, "--out", "out", "--agent", "scripted:script"],
    );
    let problems = server.get("/problems").await;
    assert!(
        problems.as_array().unwrap().contains(&json!(DETECTION)),
        "{problems}"
    );
    let agents = server.get("/agents").await;
    for agent in ["baseline:doctor", "baseline:constant", "scripted:script"] {
        assert!(
            agents.as_array().unwrap().contains(&json!(agent)),
            "{agents}"
        );
    }
    let simulated = server.post("/simulate", json!({"problem_id": DETECTION, "agent_name": "scripted:script", "max_steps": null, "top_p": 1.0})).await;
    let keys: Vec<&str> = simulated
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "agent",
            "session_id",
            "problem_id",
            "start_time",
            "end_time",
            "trace",
            "results"
        ]
    );
    let roles: Vec<&str> = simulated["trace"]
        .as_array()
        .unwrap()
        .iter()
        .map(|said| said["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "user", "assistant", "env", "assistant"]);
    let results = &simulated["results"];
    let told = upstream_keys::check("detection", results);
    let time = |key: &str| simulated[key].as_f64().unwrap();
    let took = time("end_time") - time("start_time");
    assert!(told > 0.0 && (told - took).abs() < 0.1, "{told} {took}");
    assert_eq!(results["Detection Accuracy"], "Correct");
    // By OpenAI's own tiktoken, of the two responses as one text.
    assert_eq!(results["out_tokens"], 16);
    assert!(
        place
            .path(&format!("out/scripted-script/{DETECTION}-r1/result.json"))
            .is_file()
    );
    for body in [
        json!({"problem_id": DETECTION, "agent_name": "exec:true"}),
        json!({"problem_id": "nosuch", "agent_name": "baseline:doctor"}),
    ] {
        server.ask(Method::POST, "/simulate", Some(body), 404).await;
    }
}

#[tokio::test]
async fn a_simulation_is_told_what_it_can_not_have() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE, "--out", "out"]);
    for (body, says) in [
        (json!({"problem_id": DETECTION}), "baseline:doctor"),
        (
            json!({"problem_id": DETECTION, "agent_name": "baseline:doctor", "max_step": 3}),
            "max_step",
        ),
    ] {
        let refused = server.ask(Method::POST, "/simulate", Some(body), 400).await;
        assert!(refused.to_string().contains(says), "{refused}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_simulation_ends_when_its_time_is_over() {
    let place = Place::new();
    let agent = "exec:exec sleep 600";
    let limits = [("AIOPSLAB_MAX_SECONDS", "1")];
    let arguments = [SAMPLE, "--out", "out", "--agent", agent];
    let server = Server::start_with(&place, &arguments, &limits);
    let body = json!({"problem_id": DETECTION, "agent_name": agent});
    server.post("/simulate", body).await;
    let folder = place.path(&format!("out/exec-exec-sleep-600/{DETECTION}-r1"));
    assert_eq!(
        file(&folder.join("result.json"))["end_reason"],
        "time_limit"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_simulation_does_not_hold_up_the_end() {
    let place = Place::new();
    let arguments = [SAMPLE, "--out", "out", "--agent", "exec:exec sleep 600"];
    let mut server = Server::start(&place, &arguments);
    let url = format!("{}/simulate", server.url);
    let body = json!({"problem_id": DETECTION, "agent_name": "exec:exec sleep 600"});
    let simulated = tokio::spawn(reqwest::Client::new().post(url).json(&body).send());
    let folder = place.path(&format!("out/exec-exec-sleep-600/{DETECTION}-r1"));
    while !folder.join("transcript.jsonl").exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stopped = std::process::Command::new("kill")
        .arg(server.process.id().to_string())
        .status();
    assert!(stopped.unwrap().success());
    let begun = Instant::now();
    assert!(
        server.process.wait().unwrap().success(),
        "SIGTERM ends it well"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(300),
        "it waited for its agent"
    );
    assert_eq!(
        file(&folder.join("result.json"))["end_reason"],
        "interrupted"
    );
    drop(simulated.await);
}
