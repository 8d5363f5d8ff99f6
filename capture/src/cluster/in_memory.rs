//! An API server in memory, for tests: it keeps what is written to it.
//!
//! Of a real one it has what faults are carried out by: discovery, objects and lists, patches (merge,
//! JSON, apply), dry runs, that a write which changes nothing leaves the version as it was, and a
//! program that can be run in pods.
//! Nothing takes time, and there are no controllers but Chaos Mesh's, which injects at once.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use super::{Cluster, ExecAnswer, ExecCall};

/// API version, kind, and whether it lives in namespaces.
const KINDS: [(&str, &str, bool); 13] = [
    ("v1", "ConfigMap", true),
    ("v1", "Namespace", false),
    ("v1", "Node", false),
    ("v1", "PersistentVolume", false),
    ("v1", "PersistentVolumeClaim", true),
    ("v1", "Pod", true),
    ("v1", "Secret", true),
    ("v1", "Service", true),
    ("apps/v1", "Deployment", true),
    ("batch/v1", "CronJob", true),
    ("batch/v1", "Job", true),
    ("chaos-mesh.org/v1alpha1", "NetworkChaos", true),
    ("chaos-mesh.org/v1alpha1", "Schedule", true),
];

/// Objects by path.
pub(crate) type Objects = BTreeMap<String, Value>;

/// The server; its clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct InMemory {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: Objects,
    /// Counted up with each change; uids and versions are made of it.
    changes: u64,
    /// What no patch may hold.
    refused: Option<String>,
}

/// What is asked.
struct Call {
    method: Method,
    path: String,
    query: BTreeMap<String, String>,
    content_type: String,
    body: Value,
}

impl InMemory {
    /// Puts an object there, whatever it was before.
    pub(crate) fn put(&self, path: &str, object: Value) {
        let mut state = self.state.lock().unwrap();
        state.objects.remove(path);
        state.keep(path, object);
    }

    /// Refuses patches that hold a text from now on, as a schema would.
    pub(crate) fn refuse(&self, text: &str) {
        self.state.lock().unwrap().refused = Some(text.to_owned());
    }

    /// All that is there.
    pub(crate) fn objects(&self) -> Objects {
        self.state.lock().unwrap().objects.clone()
    }

    /// The way to it that everything else takes.
    pub(crate) fn cluster(&self) -> Cluster {
        let state = Arc::clone(&self.state);
        let service = service_fn(move |request: Request<Body>| {
            let state = Arc::clone(&state);
            async move {
                let call = Call::read(request).await;
                let (status, answer) = state.lock().unwrap().answer(&call);
                let answer = Body::from(answer.to_string().into_bytes());
                let response = Response::builder().status(status).body(answer);
                Ok::<_, Infallible>(response.unwrap())
            }
        });
        let client = kube::Client::new(service, "default");
        let mut cluster = Cluster::unproven(client, "memory:".into());
        cluster.in_memory = Some(self.clone());
        cluster
    }

    /// Runs a command in a pod. The one program is `annotate KEY VALUE`, which is done to the pod.
    pub(super) fn exec(&self, call: &ExecCall<'_>) -> ExecAnswer {
        assert_eq!(call.argv[0], "annotate");
        let path = format!("/api/v1/namespaces/{}/pods/{}", call.namespace, call.pod);
        let mut state = self.state.lock().unwrap();
        let mut pod = state.objects[&path].clone();
        pod["metadata"]["annotations"][&call.argv[1]] = json!(call.argv[2]);
        state.keep(&path, pod);
        ExecAnswer {
            stdout: Vec::new(),
            stderr: Vec::new(),
            exit_code: 0,
        }
    }
}

impl Call {
    async fn read(request: Request<Body>) -> Self {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap();
        let query = head.uri.query().unwrap_or_default();
        let content_type = head.headers.get("content-type");
        let content_type = content_type.map_or("", |it| it.to_str().unwrap());
        Self {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            content_type: content_type.to_owned(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }
}

impl State {
    fn answer(&mut self, call: &Call) -> (u16, Value) {
        let path = call.path.as_str();
        match (call.method.as_str(), path) {
            ("GET", "/api") => (200, discovery(true)),
            ("GET", "/apis") => (200, discovery(false)),
            ("GET", _) if is_collection(path) => (200, self.list(call)),
            ("GET", _) => match self.objects.get(path) {
                Some(object) => (200, object.clone()),
                None => refused(404, "not found"),
            },
            ("POST", _) => self.create(call),
            ("PATCH", _) => self.patch(call),
            ("DELETE", _) => self.delete(path),
            _ => refused(405, "not allowed"),
        }
    }

    fn list(&self, call: &Call) -> Value {
        let wanted = call.query.get("labelSelector").map_or("", String::as_str);
        let has_labels = |object: &Value| {
            let mut wanted = wanted.split(',').filter_map(|pair| pair.split_once('='));
            wanted.all(|(key, value)| object["metadata"]["labels"][key] == value)
        };
        let items: Vec<&Value> = self
            .objects
            .iter()
            .filter(|(path, _)| path.rsplit_once('/').is_some_and(|it| it.0 == call.path))
            .map(|(_, object)| object)
            .filter(|object| has_labels(object))
            .collect();
        json!({"kind": "List", "metadata": {}, "items": items})
    }

    fn create(&mut self, call: &Call) -> (u16, Value) {
        let name = call.body["metadata"]["name"].as_str().unwrap();
        let path = format!("{}/{name}", call.path);
        if self.objects.contains_key(&path) {
            return refused(409, "already exists");
        }
        (201, self.keep(&path, call.body.clone()))
    }

    fn patch(&mut self, call: &Call) -> (u16, Value) {
        let path = call.path.as_str();
        if let Some(text) = &self.refused
            && call.body.to_string().contains(text)
        {
            return refused(422, &format!("{text} is not allowed"));
        }
        let mut object = match (self.objects.get(path), call.content_type.as_str()) {
            (Some(object), _) => object.clone(),
            (None, "application/apply-patch+yaml") => json!({}),
            (None, _) => return refused(404, "not found"),
        };
        match call.content_type.as_str() {
            "application/json-patch+json" => {
                for operation in call.body.as_array().unwrap() {
                    if operate(&mut object, operation).is_none() {
                        return refused(422, &format!("{operation} can't be done"));
                    }
                }
            }
            // As good as a server-side apply, while nothing is taken out of what was applied.
            "application/merge-patch+json" | "application/apply-patch+yaml" => {
                merge(&mut object, &call.body);
            }
            _ => return refused(415, "an unknown kind of patch"),
        }
        if call.query.contains_key("dryRun") {
            return (200, object);
        }
        (200, self.keep(path, object))
    }

    fn delete(&mut self, path: &str) -> (u16, Value) {
        let Some(object) = self.objects.remove(path) else {
            return refused(404, "not found");
        };
        self.changes += 1;
        // A namespace takes all of its own along.
        if let Some(name) = path.strip_prefix("/api/v1/namespaces/")
            && !name.contains('/')
        {
            let own = format!("/namespaces/{name}/");
            self.objects.retain(|path, _| !path.contains(&own));
        }
        (200, object)
    }

    fn keep(&mut self, path: &str, mut object: Value) -> Value {
        let known = self.objects.get(path);
        if known == Some(&object) {
            return object;
        }
        self.changes += 1;
        if known.is_none() {
            object["metadata"]["uid"] = json!(format!("uid-{}", self.changes));
        }
        object["metadata"]["resourceVersion"] = json!(self.changes.to_string());
        if object["apiVersion"] == "chaos-mesh.org/v1alpha1" {
            object["status"]["conditions"] = json!([{"type": "AllInjected", "status": "True"}]);
            object["status"]["time"] = json!("2026-01-01T00:00:00Z");
        }
        self.objects.insert(path.to_owned(), object.clone());
        object
    }
}

/// Whether a path names a collection rather than an object: the namespace, the resource and the
/// name each add to it.
fn is_collection(path: &str) -> bool {
    let is_of_group = path.starts_with("/apis/");
    path.split('/').count() % 2 == usize::from(is_of_group)
}

fn refused(status: u16, message: &str) -> (u16, Value) {
    let answer = json!({"kind": "Status", "status": "Failure", "code": status, "message": message});
    (status, answer)
}

/// What the core group has, or all others.
fn discovery(is_core: bool) -> Value {
    let mut groups = Vec::new();
    for (api_version, kind, is_namespaced) in KINDS {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        if group.is_empty() != is_core {
            continue;
        }
        let singular = kind.to_ascii_lowercase();
        let plural = match singular.ends_with("chaos") {
            true => singular.clone(),
            false => format!("{singular}s"),
        };
        let scope = if is_namespaced {
            "Namespaced"
        } else {
            "Cluster"
        };
        let resource = json!({"resource": plural, "singularResource": singular, "scope": scope,
            "responseKind": {"kind": kind}, "verbs": ["get", "list", "watch"]});
        groups.push(json!({"metadata": {"name": group},
            "versions": [{"version": version, "resources": [resource]}]}));
    }
    json!({"kind": "APIGroupDiscoveryList", "items": groups})
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let fields = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            fields.shift_remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// One operation of RFC 6902, of those that we send; none: it can't be done.
fn operate(object: &mut Value, operation: &Value) -> Option<()> {
    let path = operation["path"].as_str()?;
    let value = &operation["value"];
    let (parent, key) = path.rsplit_once('/')?;
    let key = key.replace("~1", "/").replace("~0", "~");
    let present = object.pointer(path).cloned();
    let parent = object.pointer_mut(parent)?;
    match operation["op"].as_str()? {
        "test" => (present.as_ref() == Some(value)).then_some(()),
        "replace" if present.is_none() => None,
        "add" | "replace" => match parent {
            Value::Object(fields) => {
                fields.insert(key, value.clone());
                Some(())
            }
            Value::Array(items) => items
                .get_mut(key.parse::<usize>().ok()?)
                .map(|item| *item = value.clone()),
            _ => None,
        },
        "remove" => parent.as_object_mut()?.shift_remove(&key).map(|_| ()),
        _ => None,
    }
}
