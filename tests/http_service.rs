//! AIOpsLab's HTTP service and the step API, on a running `aiopslab serve`.

mod contract;
mod server;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use self::server::Server;
use crate::program::{Place, is_interop};

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
    assert_eq!(file(&folder.join("result.json")), result);
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
async fn what_is_too_much_or_makes_no_sense_is_refused() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE, "--out", "out", "--max-episodes", "2"]);
    let detection = json!({"problem": DETECTION});
    let first = server.open(detection.clone()).await;
    let second = server.open(detection.clone()).await;
    assert!(place.path(&format!("out/http-2/{DETECTION}-r1")).is_dir());
    server
        .ask(Method::POST, "/v1/episodes", Some(detection.clone()), 429)
        .await;
    let end = json!({"reason": "agent_failed", "error": "it broke"});
    let ended = server.ask(Method::DELETE, &first, Some(end), 200).await;
    assert_eq!(ended["ended"], "agent_failed");
    // Once more, and nothing changes.
    assert_eq!(
        server.ask(Method::DELETE, &first, None, 200).await["ended"],
        "agent_failed"
    );
    let third = server.open(detection).await;

    for (body, status, says) in [
        (json!({"problem": "nosuch"}), 404, DETECTION),
        (
            json!({"problem": DETECTION, "max_steps": 1001}),
            400,
            "1000",
        ),
        (json!({"problem": DETECTION, "max_steps": 0}), 400, "1000"),
        (
            json!({"problem": DETECTION, "clock": "noon"}),
            400,
            "unknown clock",
        ),
        (
            json!({"problem": DETECTION, "clock": "2001-01-01T00:00:00Z"}),
            400,
            "outside",
        ),
        (
            json!({"problem": DETECTION, "clock": "before-fault"}),
            400,
            "not asked at",
        ),
        (
            json!({"problem": DETECTION, "agent": "baseline:doctor"}),
            400,
            "baseline",
        ),
        (
            json!({"problem": DETECTION, "upstream": true, "actions": "extended"}),
            400,
            "extended",
        ),
        (
            json!({"problem": DETECTION, "seed": 1}),
            400,
            "unknown field `seed`",
        ),
        (json!({"agent": "x"}), 400, "missing field `problem`"),
    ] {
        let said = server
            .ask(Method::POST, "/v1/episodes", Some(body.clone()), status)
            .await;
        assert!(said.to_string().contains(says), "{body}: {said}");
    }
    let steps = format!("{third}/steps");
    for body in [
        json!({"step": 1}),
        json!({"step": 1, "response": "x", "action": {}}),
        json!({"step": 1, "action": {}}),
    ] {
        server.ask(Method::POST, &steps, Some(body), 400).await;
    }
    server
        .ask(Method::GET, "/v1/episodes/nosuch", None, 404)
        .await;
    let large = json!({"step": 1, "response": "x".repeat(5 << 20)});
    server.ask(Method::POST, &steps, Some(large), 413).await;
    let plain = server
        .ask_with(
            Method::DELETE,
            &second,
            None,
            &[("content-type", "text/plain")],
        )
        .await;
    assert_eq!(plain.status, 200, "a body that is not there needs no type");
    let plain = reqwest::Client::new()
        .post(format!("{}{steps}", server.url))
        .body("{\"step\": 1}")
        .send();
    assert_eq!(plain.await.unwrap().status(), 415);
    let nowhere = reqwest::get(format!("{}/v1/nowhere", server.url))
        .await
        .unwrap();
    assert_eq!(nowhere.status(), 404);
    assert!(nowhere.text().await.unwrap().contains("openapi.json"));

    // A limit ends an episode with what its last action answered.
    let short = server
        .open(json!({"problem": DETECTION, "max_steps": 1}))
        .await;
    let shell = json!({"step": 1, "action": {"action": "exec_shell", "command": "echo last"}});
    let last = server.post(&format!("{short}/steps"), shell).await;
    assert_eq!(
        (&last["ended"], &last["observation"]),
        (&json!("step_limit"), &json!("last\n")),
        "{last}"
    );
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
async fn a_key_is_needed_where_there_is_one_and_beyond_this_machine() {
    let place = Place::new();
    place.refused(
        &["serve", SAMPLE, "--http", "0.0.0.0:0"],
        &["--api-key-file", "AIOPSLAB_API_KEY"],
    );
    place.refused(&["serve", SAMPLE], &["nothing to serve"]);
    place.refused(
        &[
            "serve",
            SAMPLE,
            "scale_pod_zero_testbed-2",
            "--kubernetes",
            "127.0.0.1:0",
        ],
        &["exactly one"],
    );
    std::fs::write(place.path("key"), "\n").unwrap();
    place.refused(
        &[
            "serve",
            SAMPLE,
            "--http",
            "127.0.0.1:0",
            "--api-key-file",
            "key",
        ],
        &["key", "is empty"],
    );

    let server = Server::start_with(&place, &[SAMPLE], &[("AIOPSLAB_API_KEY", "secret")]);
    assert_eq!(
        server.get("/health").await,
        json!({"status": "healthy", "service": "AIOpsLab"})
    );
    for path in ["/problems", "/agents", "/openapi.json", "/v1/problems"] {
        server.ask(Method::GET, path, None, 401).await;
        let right = server
            .ask_with(
                Method::GET,
                path,
                None,
                &[("authorization", "Bearer secret")],
            )
            .await;
        assert_eq!(right.status, 200, "{path}");
        let wrong = server
            .ask_with(
                Method::GET,
                path,
                None,
                &[("authorization", "Bearer Secret")],
            )
            .await;
        assert_eq!(wrong.status, 401, "{path}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_get_nothing() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE]);
    let from_a_page = [("origin", "http://example.org")];
    let answered = server
        .ask_with(Method::GET, "/problems", None, &from_a_page)
        .await;
    let allowed = answered
        .headers
        .keys()
        .find(|name| name.as_str().starts_with("access-control"));
    assert_eq!(allowed, None);
    let rebound = server
        .ask_with(Method::GET, "/problems", None, &[("host", "example.org")])
        .await;
    assert_eq!(rebound.status, 403);
}

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
    assert_eq!(simulated["results"]["Detection Accuracy"], "Correct");
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

#[tokio::test]
async fn the_document_describes_every_route_and_nothing_else() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE]);
    let served = server.get("/openapi.json").await;
    let source = include_str!("../src/serve/http.rs");
    let routes: BTreeSet<&str> = source
        .split(".route(\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let described: BTreeSet<&str> = served["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(described, routes);
    for (method, path) in server.contract().operations() {
        let url = format!("{}{}", server.url, path.replace("{id}", "x"));
        let method = method.to_uppercase().parse().unwrap();
        let answered = reqwest::Client::new()
            .request(method, &url)
            .send()
            .await
            .unwrap();
        assert_ne!(answered.status(), 405, "{url}");
    }
    let other = reqwest::Client::new()
        .put(format!("{}/problems", server.url))
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), 405);
}

#[tokio::test]
async fn the_example_of_the_documentation_works() {
    let place = Place::new();
    let document = include_str!("../docs/step-api.md");
    let example = document
        .split("```python\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    std::fs::write(place.path("agent.py"), example).unwrap();
    let server = Server::start(&place, &["--out", "out"]);
    let agent = std::process::Command::new("python3")
        .arg(place.path("agent.py"))
        .arg(&server.url)
        .output();
    let output = match agent {
        Ok(output) => output,
        Err(missing) => {
            assert!(!is_interop(), "python3: {missing}");
            println!("skipped: there is no python3");
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        said,
        "True\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A conversation with a mistake in it, and the answer last.
const SCRIPT: &str = "```
exec_shell(\"kubectl get pods -A | grep -v Running\")
```
---
```
get_logs(\"hotel-testbed\", \"frontend\")
```
---
nothing
---
```
submit([\"geo\"])
```
";

/// What of an episode does not depend on who asked, and where.
fn recorded(folder: &Path) -> (Vec<Value>, Value) {
    let mut transcript = lines(&folder.join("transcript.jsonl"));
    transcript[0]["agent"] = Value::Null;
    let mut result = file(&folder.join("result.json"));
    result["agent"] = Value::Null;
    result["session_id"] = Value::Null;
    (transcript, result)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_episodes_at_once_are_those_of_a_sequential_run() {
    // Two for each problem, or as many as a busy service has.
    let many = if is_interop() { 200 } else { 44 };
    let place = Place::new();
    std::fs::write(place.path("script"), SCRIPT).unwrap();
    place.ok(&[
        "eval",
        "--agent",
        "scripted:script",
        "--out",
        "one",
        "--jobs",
        "1",
    ]);
    let server = Server::start(&place, &["--out", "many"]);
    let problems = server.get("/problems").await;
    let problems: Vec<&str> = problems
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    let episodes: Vec<(String, &str)> = (0..many)
        .map(|n| {
            (
                format!("agent{}", n / problems.len()),
                problems[n % problems.len()],
            )
        })
        .collect();
    // All are open before the first one acts.
    let opened = futures::stream::iter(&episodes)
        .map(|(agent, problem)| server.open(json!({"problem": problem, "agent": agent})))
        .buffered(32)
        .collect::<Vec<_>>()
        .await;
    let are_done = AtomicBool::new(false);
    let conversations = async {
        futures::future::join_all(opened.iter().map(|episode| converse(&server, episode))).await;
        are_done.store(true, Ordering::Relaxed);
    };
    // Who asks for nothing that has to be computed does not wait for those who do.
    let others = async {
        for _ in 0..20 {
            server.get("/health").await;
        }
        assert!(
            !are_done.load(Ordering::Relaxed),
            "idle requests had to wait"
        );
    };
    tokio::join!(conversations, others);
    for (agent, problem) in episodes {
        let at = |root: &str, agent: &str| -> PathBuf {
            place.path(&format!("{root}/{agent}/{problem}-r1"))
        };
        let (transcript, result) = recorded(&at("many", &agent));
        let (wanted_transcript, wanted) = recorded(&at("one", "scripted-script"));
        assert_eq!(transcript, wanted_transcript, "{agent} {problem}");
        assert_eq!(result, wanted, "{agent} {problem}");
    }
}

async fn converse(server: &Server, episode: &str) {
    let steps = format!("{episode}/steps");
    for (step, response) in (1_u32..).zip(SCRIPT.split("\n---\n")) {
        let said = json!({"step": step, "response": response.trim_matches('\n')});
        let answer = server.post(&steps, said).await;
        assert_eq!(
            answer["ended"].is_null(),
            !response.contains("submit"),
            "{answer}"
        );
    }
}
