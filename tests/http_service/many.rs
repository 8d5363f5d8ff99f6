//! Many episodes at once.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use serde_json::{Value, json};

use super::server::Server;
use super::{file, lines};
use crate::program::{Place, is_interop};

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
