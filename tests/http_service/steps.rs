//! Episodes over the step API: opened, acted in, scored, and left alone.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::server::Server;
use super::{DETECTION, LOCALIZATION, SAMPLE, file, lines};
use crate::program::Place;

#[tokio::test]
async fn an_episode_is_opened_acted_in_and_scored() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE, "--out", "out"]);
    let listed = server.get("/v1/problems").await;
    let ids: Vec<&str> = listed["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert!(
        ids.contains(&LOCALIZATION) && !ids.iter().any(|id| id.contains("control")),
        "{ids:?}"
    );
    let told = server
        .get(&format!("/v1/problems/{LOCALIZATION}?actions=extended"))
        .await;
    assert!(
        told["briefing"]["actions"]
            .to_string()
            .contains("query_sql")
    );

    let opened = server
        .post(
            "/v1/episodes",
            json!({"problem": LOCALIZATION, "agent": "mine", "max_steps": 6}),
        )
        .await;
    assert_eq!(opened["limits"]["steps"], 6);
    assert!(
        !opened.to_string().contains("scale_pod_zero"),
        "the agent is told what is wrong"
    );
    let episode = format!("/v1/episodes/{}", opened["episode"].as_str().unwrap());
    let steps = format!("{episode}/steps");

    let response = "I look.\n```\nexec_shell(\"kubectl get deployments -n hotel-testbed\")\n```";
    let first = server.post(&steps, json!({"step": 1, "response": response, "usage": {"input_tokens": 7, "output_tokens": 2}})).await;
    assert!(
        first["observation"].as_str().unwrap().contains("0/0"),
        "{first}"
    );
    assert_eq!(
        (&first["ended"], &first["steps_left"]),
        (&Value::Null, &json!(5))
    );
    // The same again is answered again; anything else is out of turn.
    let again = server
        .post(&steps, json!({"step": 1, "response": response}))
        .await;
    assert_eq!(again, first);
    let logs = json!({"action": "get_logs", "namespace": "hotel-testbed", "service": "geo"});
    for step in [1, 3] {
        server
            .ask(
                Method::POST,
                &steps,
                Some(json!({"step": step, "action": logs})),
                409,
            )
            .await;
    }
    let second = server
        .post(&steps, json!({"step": 2, "action": logs}))
        .await;
    assert!(!second["observation"].as_str().unwrap().is_empty());
    // What is no call, or not with these arguments, counts as one.
    let third = server
        .post(&steps, json!({"step": 3, "response": "Hm."}))
        .await;
    assert!(
        third["observation"]
            .as_str()
            .unwrap()
            .contains("no call found"),
        "{third}"
    );
    let fourth = server
        .post(
            &steps,
            json!({"step": 4, "action": {"action": "get_logs", "pod": "geo"}}),
        )
        .await;
    assert!(
        fourth["observation"]
            .as_str()
            .unwrap()
            .contains("there is no argument pod"),
        "{fourth}"
    );
    server
        .ask(Method::GET, &format!("{episode}/result"), None, 409)
        .await;

    let culprit = file_of_truth(&place);
    let last = server
        .post(
            &format!("{episode}/submit"),
            json!({"step": 5, "solution": [culprit]}),
        )
        .await;
    assert_eq!(last["ended"], "submitted");
    let standing = server.get(&episode).await;
    assert_eq!(
        (&standing["ended"], &standing["step"]),
        (&json!("submitted"), &json!(6))
    );
    server
        .ask(
            Method::POST,
            &steps,
            Some(json!({"step": 6, "response": "x"})),
            409,
        )
        .await;
    let result = server.get(&format!("{episode}/result")).await;
    assert_eq!(result["strict"]["success"], true, "{result}");
    assert_eq!(result["invalid_calls"], 2);
    assert_eq!(result["usage"]["input_tokens"], 7);
    let folder = place.path(&format!("out/mine/{LOCALIZATION}-r1"));
    let mut kept = file(&folder.join("result.json"));
    for key in ["in_tokens", "out_tokens"] {
        let tokens = &result["results"][key];
        assert!(tokens.as_u64().unwrap() > 0, "{result}");
        kept["results"][key] = tokens.clone();
    }
    assert_eq!(kept, result);
    assert_eq!(lines(&folder.join("transcript.jsonl")).len(), 7);
}

/// The service that the sample's fault is in, as its truth says.
fn file_of_truth(place: &Place) -> String {
    let shown = place.ok(&["problems", "show", LOCALIZATION, "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let components = shown
        .pointer("/truth/faulty_components/0/0")
        .or_else(|| shown.pointer("/problem/truth/faulty_components/0/0"));
    components
        .unwrap_or_else(|| panic!("{shown}"))
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn requests_for_one_step_at_once_get_one_answer() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE, "--out", "out"]);
    let opening = json!({"problem": DETECTION});
    let key = [("idempotency-key", "one")];
    let open = || server.ask_with(Method::POST, "/v1/episodes", Some(opening.clone()), &key);
    let opened = futures::future::join_all((0..8).map(|_| open())).await;
    let ids: BTreeSet<String> = opened
        .iter()
        .map(|one| one.body["episode"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "a key opens one episode");
    let other = json!({"problem": DETECTION, "max_steps": 3});
    let other = server
        .ask_with(Method::POST, "/v1/episodes", Some(other), &key)
        .await;
    assert_eq!(other.status, 409);

    let steps = format!(
        "/v1/episodes/{}/steps",
        opened[0].body["episode"].as_str().unwrap()
    );
    let metrics =
        json!({"step": 1, "action": {"action": "get_metrics", "namespace": "hotel-testbed"}});
    let asked = (0..8).map(|_| server.post(&steps, metrics.clone()));
    let answers = futures::future::join_all(asked).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let transcript = lines(&place.path(&format!("out/http/{DETECTION}-r1/transcript.jsonl")));
    assert_eq!(transcript.len(), 2, "a header and one step");
}

#[tokio::test]
async fn an_episode_that_nobody_touches_ends() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE, "--out", "out", "--lease", "300ms"]);
    let episode = server.open(json!({"problem": DETECTION})).await;
    let result = place.path(&format!("out/http/{DETECTION}-r1/result.json"));
    let begun = Instant::now();
    while !result.exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the lease never runs out"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let gone = json!({"step": 1, "response": "x"});
    server
        .ask(Method::POST, &format!("{episode}/steps"), Some(gone), 410)
        .await;
    assert_eq!(server.get(&episode).await["ended"], "interrupted");
    assert_eq!(
        server.get(&format!("{episode}/result")).await["end_reason"],
        "interrupted"
    );
}

#[tokio::test]
async fn the_limits_of_the_settings_hold() {
    let place = Place::new();
    let limits = [
        ("AIOPSLAB_MAX_SECONDS", "3600"),
        ("AIOPSLAB_MAX_TOKENS", "100"),
        ("AIOPSLAB_MAX_COST", "5"),
    ];
    let server = Server::start_with(&place, &[SAMPLE, "--out", "out"], &limits);
    let logs = json!({"action": "get_logs", "namespace": "hotel-testbed", "service": "geo"});
    for (usage, reason) in [
        (
            json!({"input_tokens": 90, "output_tokens": 10}),
            "token_limit",
        ),
        (
            json!({"input_tokens": 1, "output_tokens": 1, "cost_usd": 5.0}),
            "cost_limit",
        ),
    ] {
        let opened = server
            .post(
                "/v1/episodes",
                json!({"problem": DETECTION, "agent": reason, "max_steps": 7}),
            )
            .await;
        assert_eq!(
            opened["limits"],
            json!({"steps": 7, "seconds": 3600, "tokens": 100, "cost_usd": 5.0})
        );
        let steps = format!("/v1/episodes/{}/steps", opened["episode"].as_str().unwrap());
        let step = json!({"step": 1, "action": logs, "usage": usage});
        let spent = server.post(&steps, step).await;
        assert_eq!(
            (&spent["ended"], &spent["steps_left"]),
            (&json!(reason), &json!(0))
        );
    }
}

#[tokio::test]
async fn time_runs_from_when_an_episode_is_opened() {
    let place = Place::new();
    let limits = [("AIOPSLAB_MAX_SECONDS", "1")];
    let server = Server::start_with(&place, &[SAMPLE, "--out", "out"], &limits);
    let episode = server.open(json!({"problem": DETECTION})).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let late = json!({"step": 1, "response": "x"});
    let answer = server.post(&format!("{episode}/steps"), late).await;
    assert_eq!(answer["ended"], "time_limit");
    let result = server.get(&format!("{episode}/result")).await;
    assert!(result["not_reproducible"].is_string(), "{result}");
}

#[tokio::test]
async fn a_server_that_is_stopped_ends_its_episodes_and_writes_them() {
    let place = Place::new();
    let mut server = Server::start(&place, &[SAMPLE, "--out", "out"]);
    let episode = server.open(json!({"problem": DETECTION})).await;
    server
        .post(
            &format!("{episode}/steps"),
            json!({"step": 1, "response": "x"}),
        )
        .await;
    assert!(server.stop(), "it ends well");
    let result = file(&place.path(&format!("out/http/{DETECTION}-r1/result.json")));
    assert_eq!(result["end_reason"], "interrupted");
}
