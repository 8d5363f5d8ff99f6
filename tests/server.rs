//! A scripted server on loopback: it answers what the test says and keeps what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::Value;
use tokio::runtime::Runtime;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

type Answers = dyn Fn(&Seen, usize) -> Response + Send + Sync;

#[derive(Clone)]
struct Shared {
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Answers>,
}

/// The server; it is gone when this is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Shared,
    _runtime: Runtime,
}

impl Server {
    /// Starts it; `answers` is given each request and its number, from 0.
    pub(crate) fn start(
        answers: impl Fn(&Seen, usize) -> Response + Send + Sync + 'static,
    ) -> Self {
        let runtime = Runtime::new().unwrap();
        let shared = Shared {
            seen: Arc::default(),
            answers: Arc::new(answers),
        };
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listening = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(listening).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            shared,
            _runtime: runtime,
        }
    }

    /// What it was asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }
}

async fn answer(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let seen = Seen {
        uri: uri.to_string(),
        headers,
        body: serde_json::from_slice(&body).unwrap(),
    };
    let number = {
        let mut all = shared.seen.lock().unwrap();
        all.push(seen.clone());
        all.len() - 1
    };
    (shared.answers)(&seen, number)
}
