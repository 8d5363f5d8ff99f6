//! A web server for the files of a folder. It knows ranges, lists nothing, and counts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};

/// The server; it ends with the test.
pub(crate) struct Web {
    pub(crate) url: String,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    root: PathBuf,
    asked: Mutex<Vec<String>>,
    bytes: AtomicU64,
    knows_ranges: AtomicBool,
    /// Answers that are whole before it breaks off in the middle of each.
    whole: AtomicUsize,
}

impl Web {
    pub(crate) fn serve(root: &Path) -> Self {
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            asked: Mutex::default(),
            bytes: AtomicU64::new(0),
            knows_ranges: AtomicBool::new(true),
            whole: AtomicUsize::new(usize::MAX),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            shared,
            _runtime: runtime,
        }
    }

    /// Methods and paths, in the order of the requests.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Bytes of files that were sent.
    pub(crate) fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::SeqCst)
    }

    pub(crate) fn forget(&self) {
        self.shared.asked.lock().unwrap().clear();
        self.shared.bytes.store(0, Ordering::SeqCst);
    }

    pub(crate) fn without_ranges(&self) {
        self.shared.knows_ranges.store(false, Ordering::SeqCst);
    }

    pub(crate) fn break_off_after(&self, answers: usize) {
        self.shared.whole.store(answers, Ordering::SeqCst);
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let asked = format!("{method} {}", uri.path());
    shared.asked.lock().unwrap().push(asked);
    let file = shared.root.join(uri.path().trim_start_matches('/'));
    let known = [Method::GET, Method::HEAD].contains(&method);
    let Some(whole) = known.then(|| std::fs::read(file).ok()).flatten() else {
        let missing = Response::builder().status(StatusCode::NOT_FOUND);
        return missing.body(Body::empty()).unwrap();
    };
    let mut response = Response::builder();
    let mut part = 0..whole.len();
    if let Some(range) = headers.get(RANGE)
        && shared.knows_ranges.load(Ordering::SeqCst)
    {
        let range = range.to_str().unwrap().strip_prefix("bytes=").unwrap();
        let (from, to) = range.split_once('-').unwrap();
        part = from.parse().unwrap()..to.parse::<usize>().unwrap() + 1;
        response = response
            .status(StatusCode::PARTIAL_CONTENT)
            .header(CONTENT_RANGE, format!("bytes {range}/{}", whole.len()));
    }
    let bytes = Bytes::from(whole).slice(part);
    let response = response.header(CONTENT_LENGTH, bytes.len());
    let step = |left: usize| left.checked_sub(1);
    let left = shared
        .whole
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, step);
    if left.is_err() {
        let half = bytes.slice(..bytes.len() / 2);
        let parts = [Ok(half), Err(std::io::Error::other("broken off"))];
        let body = Body::from_stream(futures::stream::iter(parts));
        return response.body(body).unwrap();
    }
    shared.bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
    response.body(Body::from(bytes)).unwrap()
}
