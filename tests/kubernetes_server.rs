//! The API server of a shipped sample, over loopback.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aiopslab::serve::kubernetes::writes::WriteLog;
use aiopslab::serve::kubernetes::{KubernetesServer, router};
use aiopslab::serve::{listener, tls};
use aiopslab_datasets::Snapshot;
use aiopslab_datasets::samples::samples;
use aiopslab_replay::Clock;
use aiopslab_replay::kubernetes::KubernetesApi;
use aiopslab_replay::recording::Recording;
use camino::Utf8Path;
use reqwest::{Certificate, Client, Method, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const PODS: &str = "/api/v1/namespaces/hotel-testbed/pods";

struct Served {
    client: Client,
    url: String,
    stop: CancellationToken,
    folder: tempfile::TempDir,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn start(secure: bool) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let sample = samples()
            .iter()
            .find(|sample| sample.name == "k8s_target_port_misconfig_testbed-1")
            .unwrap();
        let snapshot = Snapshot::open(&sample.write_below(root).unwrap()).unwrap();
        let now = Clock::End.resolve(&snapshot).unwrap();
        let recording = Recording::open(&snapshot, now).unwrap();
        let stop = CancellationToken::new();
        let prefix = snapshot.manifest().snapshot.to_string();
        let writes = std::fs::File::create(folder.path().join("writes")).unwrap();
        let server = KubernetesServer {
            api: KubernetesApi::open(Arc::new(recording)).await.unwrap(),
            prefix: prefix.clone(),
            writes: WriteLog::new(Some(writes)),
            stop: stop.clone(),
        };
        let tcp = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let address = tcp.local_addr().unwrap();
        let mut builder = Client::builder();
        let secured = secure.then(|| tls::secure(address).unwrap());
        if let Some(secured) = &secured {
            let authority = Certificate::from_pem(secured.authority.as_bytes()).unwrap();
            builder = builder.tls_certs_only([authority]);
        }
        let scheme = if secure { "https" } else { "http" };
        let acceptor = secured.map(|secured| secured.acceptor);
        let served = tokio::spawn(listener::serve(tcp, acceptor, router(server), stop.clone()));
        Self {
            client: builder.build().unwrap(),
            url: format!("{scheme}://{address}/{prefix}"),
            stop,
            folder,
            served,
        }
    }

    async fn ask(&self, path: &str, accept: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        request.header("accept", accept).send().await.unwrap()
    }

    async fn document(&self, path: &str) -> Value {
        let answer = self.ask(path, "application/json").await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Lines of an answer that stays open for a second.
    async fn lines(&self, path: &str, accept: &str) -> Vec<Value> {
        let text = self.ask(path, accept).await.text().await.unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    async fn first_pod(&self) -> String {
        let pods = self.document(PODS).await;
        pods["items"][0]["metadata"]["name"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

#[tokio::test]
async fn discovery_has_a_new_and_an_old_form() {
    let served = Served::start(false).await;
    let new = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let answer = served
        .ask("/apis", &format!("{new},application/json"))
        .await;
    assert_eq!(answer.headers()["content-type"], new);
    let groups: Value = answer.json().await.unwrap();
    let apps = groups["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["metadata"]["name"] == "apps")
        .unwrap();
    let resources = apps["versions"][0]["resources"].as_array().unwrap();
    assert!(
        resources
            .iter()
            .any(|resource| resource["resource"] == "deployments")
    );

    assert_eq!(served.document("/api").await["kind"], "APIVersions");
    assert_eq!(served.document("/apis").await["kind"], "APIGroupList");
    assert_eq!(served.document("/apis/apps").await["kind"], "APIGroup");
    assert_eq!(
        served.document("/apis/apps/v1").await["kind"],
        "APIResourceList"
    );
    assert!(served.document("/version").await["gitVersion"].is_string());
    let health = served.ask("/readyz", "*/*").await;
    assert_eq!(health.text().await.unwrap(), "ok");
}

#[tokio::test]
async fn objects_are_read_in_their_forms() {
    let served = Served::start(false).await;
    let pods = served.document(PODS).await;
    assert_eq!(pods["kind"], "PodList");
    let pod = served.first_pod().await;

    let table: Value = served.ask(PODS, TABLE).await.json().await.unwrap();
    let row = &table["rows"][0];
    assert_eq!(row["cells"][0], json!(pod));
    assert_eq!(row["object"]["kind"], "PartialObjectMetadata");
    let wide = table["columnDefinitions"].as_array().unwrap().len();
    assert_eq!(row["cells"].as_array().unwrap().len(), wide);

    // With and without the prefix that makes the URL the incident's own.
    let (base, _) = served.url.rsplit_once('/').unwrap();
    let answer = served.client.get(format!("{base}{PODS}/{pod}"));
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["kind"], "Pod");

    let log = served
        .ask(&format!("{PODS}/{pod}/log?tailLines=2"), "*/*")
        .await;
    assert_eq!(log.headers()["content-type"], "text/plain");
    assert_eq!(log.text().await.unwrap().lines().count(), 2);

    let answer = served.ask("/api/v1/endpoints", "application/json").await;
    let warning = answer.headers()["warning"].to_str().unwrap();
    assert!(
        warning.starts_with("299 - \"v1 Endpoints is deprecated"),
        "{warning}"
    );
    let escaped = "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode";
    assert_eq!(
        served.document(escaped).await["metadata"]["name"],
        "system:node"
    );
}

#[tokio::test]
async fn long_answers_are_compressed_for_who_can_read_them() {
    let served = Served::start(false).await;
    let ask = |path: &str| {
        let request = served.client.get(format!("{}{path}", served.url));
        request.header("accept-encoding", "gzip").send()
    };
    let compressed = ask("/api/v1/events").await.unwrap();
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    assert_eq!(compressed.headers()["vary"], "Accept-Encoding");
    let mut text = Vec::new();
    let bytes = compressed.bytes().await.unwrap();
    flate2::read::GzDecoder::new(&*bytes)
        .read_to_end(&mut text)
        .unwrap();
    assert!(bytes.len() * 4 < text.len());
    let plain = served.ask("/api/v1/events", "application/json").await;
    assert_eq!(plain.bytes().await.unwrap(), text);
    let short = ask("/api/v1/namespaces/default").await.unwrap();
    assert!(short.headers().get("content-encoding").is_none());
}

#[tokio::test]
async fn failures_are_statuses() {
    let served = Served::start(false).await;
    for (path, accept, code, reason) in [
        (
            "/api/v1/namespaces/hotel-testbed/pods/x",
            "*/*",
            404,
            "NotFound",
        ),
        ("/api/v1/nosuch", "*/*", 404, "NotFound"),
        ("/nosuch", "*/*", 404, "NotFound"),
        ("/", "*/*", 404, "NotFound"),
        ("/api/v1/pods?fieldSelector=a%3Db", "*/*", 400, "BadRequest"),
        (
            "/apis/coordination.k8s.io/v1/leases",
            "*/*",
            503,
            "ServiceUnavailable",
        ),
        ("/openapi/v3", "*/*", 503, "ServiceUnavailable"),
        ("/openapi/v2", "*/*", 503, "ServiceUnavailable"),
        (
            "/api/v1/nodes/lab/proxy/metrics",
            "*/*",
            503,
            "ServiceUnavailable",
        ),
        (
            "/api/v1/namespaces/a/pods/b/exec?command=ls",
            "*/*",
            403,
            "Forbidden",
        ),
        (
            PODS,
            "application/vnd.kubernetes.protobuf",
            406,
            "NotAcceptable",
        ),
    ] {
        let answer = served.ask(path, accept).await;
        assert_eq!(answer.status(), code, "{path}");
        let status: Value = answer.json().await.unwrap();
        assert_eq!(
            (&status["kind"], &status["reason"], &status["code"]),
            (&json!("Status"), &json!(reason), &json!(code)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn informers_get_what_there_is_and_its_end() {
    let served = Served::start(false).await;
    let pods = served.document(PODS).await["items"]
        .as_array()
        .unwrap()
        .len();
    // As client-go's WatchList asks, which k9s does.
    let watch = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan\
                 &allowWatchBookmarks=true&timeoutSeconds=1";
    let events = served
        .lines(&format!("{PODS}?{watch}"), "application/json")
        .await;
    let (last, added) = events.split_last().unwrap();
    assert_eq!(added.len(), pods);
    assert!(
        added
            .iter()
            .all(|event| event["type"] == "ADDED" && event["object"]["kind"] == "Pod")
    );
    assert_eq!(last["type"], "BOOKMARK");
    assert_eq!(
        last["object"]["metadata"]["annotations"],
        json!({"k8s.io/initial-events-end": "true"})
    );
    let version = last["object"]["metadata"]["resourceVersion"]
        .as_str()
        .unwrap();
    let again = format!("{PODS}?watch=true&timeoutSeconds=1&resourceVersion={version}");
    let asked = Instant::now();
    assert!(served.lines(&again, TABLE).await.is_empty());
    assert!(
        asked.elapsed() > Duration::from_millis(900),
        "it is held open"
    );
}

#[tokio::test]
async fn writes_are_refused_and_kept() {
    let served = Served::start(false).await;
    let path = "/apis/apps/v1/namespaces/hotel-testbed/deployments/frontend";
    let send = |method: Method, path: &str, body: Value| {
        let request = served
            .client
            .request(method, format!("{}{path}", served.url));
        request
            .header("content-type", "application/merge-patch+json")
            .body(body.to_string())
            .send()
    };
    let body = json!({"spec": {"replicas": 3}});
    let answer = send(Method::PATCH, path, body.clone()).await.unwrap();
    assert_eq!(answer.status(), 403);
    let status: Value = answer.json().await.unwrap();
    assert_eq!(
        status["details"],
        json!({"name": "frontend", "group": "apps", "kind": "deployments"})
    );
    let kept = std::fs::read_to_string(served.folder.path().join("writes")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!((&kept["method"], &kept["body"]), (&json!("PATCH"), &body));

    let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    // What the sample's recorder might do was not recorded: one is who AIOpsLab's agents are.
    for (verb, allowed) in [("list", true), ("create", true)] {
        let body = json!({"spec": {"resourceAttributes": {"verb": verb, "resource": "pods"}}});
        let answer = send(Method::POST, review, body).await.unwrap();
        assert_eq!(answer.status(), 201);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["status"]["allowed"], allowed, "{verb}");
    }
    let answer = send(Method::POST, "/api/v1/nosuch", json!({}))
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    let large = json!("x".repeat(4 << 20));
    let answer = send(Method::PATCH, path, large).await.unwrap();
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn it_is_secured_and_stops_at_once() {
    let served = Served::start(true).await;
    assert_eq!(served.document("/api/v1/nodes").await["kind"], "NodeList");
    let plain = served.url.replace("https", "http");
    assert!(served.client.get(plain).send().await.is_err());
    let held = served
        .ask(&format!("{PODS}?watch=true&resourceVersion=1"), "*/*")
        .await;
    served.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(20), async {
        held.text().await.unwrap();
        drop(served.client);
        served.served.await.unwrap().unwrap();
    });
    assert!(
        ended.await.is_ok(),
        "an open watch does not hold up the end"
    );
}
