//! What is refused: too much, senseless, without the key, from elsewhere.

use reqwest::Method;
use serde_json::json;

use super::server::Server;
use super::{DETECTION, SAMPLE};
use crate::program::Place;

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
