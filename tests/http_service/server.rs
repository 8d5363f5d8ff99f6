//! `aiopslab serve --http` as a process, and a client of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin};

use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::Value;

use super::contract::Contract;
use crate::program::{Place, serve};

/// The server; it ends with its standard input.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) process: Child,
    input: Option<ChildStdin>,
    client: Client,
    contract: Contract,
}

/// What a request came to.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Server {
    pub(crate) fn start(place: &Place, arguments: &[&str]) -> Self {
        Self::start_with(place, arguments, &[])
    }

    pub(crate) fn start_with(
        place: &Place,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut process = serve(place, arguments, &["--http", "127.0.0.1:0"], environment);
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("it said {line:?}"));
        Self {
            url: url.to_owned(),
            input: process.stdin.take(),
            process,
            client: Client::builder().pool_max_idle_per_host(0).build().unwrap(),
            contract: Contract::read(),
        }
    }

    pub(crate) fn contract(&self) -> &Contract {
        &self.contract
    }

    /// A request with further headers, checked against the contract.
    pub(crate) async fn ask_with(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answered {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path} answered {text:?}"));
        self.contract
            .check(method.as_str(), path, body.as_ref(), status, &answer);
        Answered {
            status,
            headers,
            body: answer,
        }
    }

    /// A request that has to have this status.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        status: u16,
    ) -> Value {
        let answered = self.ask_with(method, path, body, &[]).await;
        assert_eq!(answered.status, status, "{path}: {}", answered.body);
        answered.body
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None, 200).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let status = if path == "/v1/episodes" { 201 } else { 200 };
        self.ask(Method::POST, path, Some(body), status).await
    }

    /// Opens an episode; answers with its path.
    pub(crate) async fn open(&self, body: Value) -> String {
        let opened = self.post("/v1/episodes", body).await;
        format!("/v1/episodes/{}", opened["episode"].as_str().unwrap())
    }

    /// Ends the standard input and waits for the end.
    pub(crate) fn stop(&mut self) -> bool {
        drop(self.input.take());
        self.process.wait().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        drop(self.process.wait());
    }
}
