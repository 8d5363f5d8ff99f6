//! What is said of the service is so: the OpenAPI document, the example in docs/step-api.md.

use std::collections::BTreeSet;

use super::SAMPLE;
use super::server::Server;
use crate::program::{Place, is_interop};

#[tokio::test]
async fn the_document_describes_every_route_and_nothing_else() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE]);
    let served = server.get("/openapi.json").await;
    let source = include_str!("../../src/serve/http.rs");
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
    let document = include_str!("../../docs/step-api.md");
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
