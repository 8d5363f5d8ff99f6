use std::sync::Arc;

use futures::executor::block_on;
use serde_json::{Value, json};

use super::*;
use crate::kubectl::testing::{self, MemoryView};

/// The shop of the interpreter's tests with recorded discovery.
fn shop() -> MemoryView {
    let resource = |name: &str, kind: &str, namespaced: bool| {
        json!({"name": name, "singularName": "", "namespaced": namespaced, "kind": kind,
            "verbs": ["get", "list", "watch"]})
    };
    let list = |version: &str, resources: Value| {
        let document =
            json!({"kind": "APIResourceList", "groupVersion": version, "resources": resources});
        (version.to_owned(), document)
    };
    let mut view = testing::shop();
    view.discovery = vec![
        list(
            "v1",
            json!([
                resource("namespaces", "Namespace", false),
                resource("pods", "Pod", true),
                resource("pods/proxy", "PodProxyOptions", true),
                resource("pods/status", "Pod", true),
                resource("secrets", "Secret", true),
            ]),
        ),
        list(
            "apps/v1",
            json!([
                resource("deployments", "Deployment", true),
                {"name": "deployments/scale", "singularName": "", "namespaced": true,
                    "group": "autoscaling", "version": "v1", "kind": "Scale", "verbs": ["get"]},
            ]),
        ),
        list(
            "metrics.k8s.io/v1beta1",
            json!([
                resource("pods", "PodMetrics", true),
                resource("nodes", "NodeMetrics", false),
            ]),
        ),
    ];
    view.uncovered = vec!["secrets".to_owned()];
    view.openapi = vec![("api/v1".to_owned(), json!({"openapi": "3.0.0"}))];
    view.objects.push(testing::object(
        "apps",
        "deployments",
        "Deployment",
        "shop",
        "cart",
        json!({
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "cart"}}},
            "status": {"replicas": 1}
        }),
    ));
    view
}

fn api() -> KubernetesApi<'static> {
    block_on(KubernetesApi::open(Arc::new(shop()))).unwrap()
}

fn path(text: &str) -> ResourcePath {
    match ApiPath::parse(text) {
        ApiPath::Resource(path) => path,
        other => panic!("{text} is {other:?}"),
    }
}

fn read(text: &str, form: Form, labels: &str, fields: &str) -> Result<Value, Status> {
    let options = ListOptions {
        label_selector: labels.to_owned(),
        field_selector: fields.to_owned(),
        ..ListOptions::default()
    };
    block_on(api().read(&path(text), form, &options))
}

fn names(list: &Value) -> Vec<&str> {
    object::list(list, "/items")
        .iter()
        .map(|item| object::text(item, "/metadata/name"))
        .collect()
}

#[test]
fn lists_hold_what_is_selected() {
    let pods = "/api/v1/namespaces/shop/pods";
    let check = |labels: &str, fields: &str, expected: &[&str]| {
        let list = read(pods, Form::Object, labels, fields).unwrap();
        assert_eq!(names(&list), expected, "{labels} {fields}");
        assert_eq!(
            (&list["kind"], &list["apiVersion"]),
            (&json!("PodList"), &json!("v1"))
        );
        assert!(
            list["items"]
                .as_array()
                .unwrap()
                .iter()
                .all(|item| item.get("kind").is_none())
        );
    };
    check("", "", &["cart-1", "web-1"]);
    check("app=cart", "", &["cart-1"]);
    check("app in (x)", "", &[]);
    check("", "status.phase!=Running", &["web-1"]);
    check("", "metadata.name=web-1,spec.nodeName=lab", &["web-1"]);
    let status = read(pods, Form::Object, "", "spec.x=1").unwrap_err();
    assert_eq!(
        (status.code, status.message.as_str()),
        (400, "field label not supported: spec.x")
    );
    assert_eq!(read(pods, Form::Object, "a b", "").unwrap_err().code, 400);
}

#[test]
fn what_is_not_there_is_told_from_what_was_not_recorded() {
    let check = |text: &str, code: u16, message: &str| {
        let status = read(text, Form::Object, "", "").unwrap_err();
        assert_eq!(
            (status.code, status.message.as_str()),
            (code, message),
            "{text}"
        );
    };
    check(
        "/api/v1/namespaces/shop/pods/x",
        404,
        "pods \"x\" not found",
    );
    check(
        "/apis/apps/v1/namespaces/shop/deployments/x",
        404,
        "deployments.apps \"x\" not found",
    );
    check(
        "/api/v1/namespaces/shop/secrets/x",
        503,
        "secrets \"x\" is not available in this recording",
    );
    check(
        "/api/v1/namespaces/shop/secrets",
        503,
        "the list of secrets in namespace shop is not available in this recording",
    );
    let nowhere = "the server could not find the requested resource";
    check("/api/v1/nosuch", 404, nowhere);
    check("/apis/apps/v1beta1/deployments", 404, nowhere);
    check("/api/v1/pods/cart-1", 404, nowhere);
    check("/api/v1/namespaces/shop/namespaces/shop", 404, nowhere);
    check(
        "/api/v1/namespaces/shop/pods/cart-1/proxy/x",
        503,
        "proxy/x of pods \"cart-1\" is not available in this recording",
    );
    check(
        "/api/v1/namespaces/shop/pods/http:cart-1:8080/proxy/x",
        503,
        "proxy/x of pods \"http:cart-1:8080\" is not available in this recording",
    );
    let details = read("/api/v1/namespaces/shop/pods/x", Form::Object, "", "").unwrap_err();
    assert_eq!(
        details.to_json(),
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "pods \"x\" not found", "reason": "NotFound",
            "details": {"name": "x", "kind": "pods"}, "code": 404})
    );
}

#[test]
fn objects_have_many_forms() {
    let cart = "/api/v1/namespaces/shop/pods/cart-1";
    let whole = read(cart, Form::Object, "", "").unwrap();
    assert_eq!(
        (&whole["kind"], &whole["apiVersion"]),
        (&json!("Pod"), &json!("v1"))
    );
    assert_eq!(
        read(&format!("{cart}/status"), Form::Object, "", "").unwrap(),
        whole
    );

    let partial = read(cart, Form::Metadata, "", "").unwrap();
    assert_eq!(partial["kind"], "PartialObjectMetadata");
    assert!(partial.get("spec").is_none());

    let table = read(cart, Form::Table(Include::Metadata), "", "").unwrap();
    assert_eq!(
        table["rows"][0]["cells"],
        json!(["cart-1", "1/1", "Running", "1 (5m30s ago)", "60m", "<none>"])
    );
    assert_eq!(table["rows"][0]["object"]["metadata"]["name"], "cart-1");
    let table = read("/api/v1/pods", Form::Table(Include::None), "", "").unwrap();
    assert_eq!(table["rows"][1]["object"], Value::Null);
    assert_eq!(table["columnDefinitions"].as_array().unwrap().len(), 6);

    let scale = "/apis/apps/v1/namespaces/shop/deployments/cart/scale";
    let scale = read(scale, Form::Object, "", "").unwrap();
    assert_eq!(
        (&scale["spec"]["replicas"], &scale["status"]["selector"]),
        (&json!(2), &json!("app=cart"))
    );
}

#[test]
fn watches_tell_what_there_is_and_then_nothing() {
    let watch = |form: Form, version: &str, send_initial_events: bool| {
        let start = WatchStart {
            resource_version: version.to_owned(),
            send_initial_events,
        };
        let pods = path("/api/v1/namespaces/shop/pods");
        block_on(api().watch(&pods, form, &ListOptions::default(), &start)).unwrap()
    };
    let types = |watch: &Watch| -> Vec<String> {
        let events = watch.events.iter();
        events
            .map(|e| object::text(e, "/type").to_owned())
            .collect()
    };
    assert_eq!(types(&watch(Form::Object, "", false)), ["ADDED", "ADDED"]);
    assert!(watch(Form::Object, "1", false).events.is_empty());
    let initial = watch(Form::Object, "", true);
    assert_eq!(types(&initial), ["ADDED", "ADDED", "BOOKMARK"]);
    assert_eq!(
        initial.events[2]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
    assert!(
        initial.bookmark["object"]["metadata"]
            .get("annotations")
            .is_none()
    );
    let tables = watch(Form::Table(Include::Metadata), "", false);
    assert!(tables.events[0]["object"]["columnDefinitions"].is_array());
    assert!(tables.events[1]["object"]["columnDefinitions"].is_null());

    let one = path("/api/v1/namespaces/shop/pods/web-1");
    let start = WatchStart::default();
    let one = block_on(api().watch(&one, Form::Object, &ListOptions::default(), &start)).unwrap();
    assert_eq!(one.events[0]["object"]["metadata"]["name"], "web-1");
    assert_eq!(one.events.len(), 1);
}

#[test]
fn logs_are_those_of_the_container_that_ran() {
    let check = |pod: &str, query: &[(&str, &str)], expected: Result<&str, &str>| {
        let api = api();
        let path = path(&format!("/api/v1/namespaces/shop/pods/{pod}/log"));
        let options = LogOptions::parse(pod, api.now(), query.iter().copied()).unwrap();
        let log = block_on(api.pod_log(&path, &options));
        let log = log.map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(
            log.as_deref().map_err(|status| status.message.as_str()),
            expected,
            "{pod} {query:?}"
        );
    };
    check("cart-1", &[], Ok("start\nerror a\nerror b\n"));
    check("cart-1", &[("previous", "true")], Ok("dying\n"));
    check("cart-1", &[("tailLines", "1")], Ok("error b\n"));
    check(
        "cart-1",
        &[("sinceSeconds", "180"), ("limitBytes", "4")],
        Ok("erro"),
    );
    check(
        "cart-1",
        &[("timestamps", "true"), ("tailLines", "1")],
        Ok("2026-01-01T11:59:59.500000000Z error b\n"),
    );
    check("x", &[], Err("pods \"x\" not found"));
    check(
        "web-1",
        &[],
        Err("a container name must be specified for pod web-1, choose one of: [web proxy]"),
    );
    check(
        "web-1",
        &[("container", "web")],
        Err("container \"web\" in pod \"web-1\" is waiting to start: ContainerCreating"),
    );
    check(
        "web-1",
        &[("container", "web"), ("previous", "true")],
        Err("previous terminated container \"web\" in pod \"web-1\" not found"),
    );
}

#[test]
fn usage_is_answered_as_metrics() {
    let pods = "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods";
    let list = read(pods, Form::Object, "", "").unwrap();
    assert_eq!(list["kind"], "PodMetricsList");
    let cart = &list["items"][0];
    assert_eq!(cart["window"], "15s");
    assert_eq!(
        cart["containers"],
        json!([{"name": "cart", "usage": {"cpu": "12345678n", "memory": "71680Ki"}}])
    );
    assert_eq!(cart["metadata"]["labels"]["app"], "cart");
    assert!(names(&read(pods, Form::Object, "app=web", "").unwrap()).is_empty());
    let status = read(&format!("{pods}/web-1"), Form::Object, "", "").unwrap_err();
    assert_eq!(
        status.message,
        "podmetrics.metrics.k8s.io \"shop/web-1\" not found"
    );
    let nodes = "/apis/metrics.k8s.io/v1beta1/nodes";
    assert_eq!(read(nodes, Form::Object, "", "").unwrap_err().code, 503);
    let table = read(pods, Form::Table(Include::None), "", "").unwrap();
    assert_eq!(
        table["rows"][0]["cells"],
        json!(["cart-1", "12345678n", "71680Ki", "15s"])
    );
}

#[test]
fn documents_are_answered() {
    let api = api();
    let index = block_on(api.openapi_index("/x")).unwrap();
    assert_eq!(
        index["paths"]["api/v1"]["serverRelativeURL"],
        "/x/openapi/v3/api/v1"
    );
    assert!(block_on(api.openapi("api/v1")).is_ok());
    assert_eq!(block_on(api.openapi("apis/x/v1")).unwrap_err().code, 404);
    let mut view = shop();
    view.openapi.clear();
    view.version = Value::Null;
    let api = block_on(KubernetesApi::open(Arc::new(view))).unwrap();
    assert_eq!(block_on(api.openapi_index("")).unwrap_err().code, 503);
    assert_eq!(block_on(api.openapi("api/v1")).unwrap_err().code, 503);
    assert_eq!(block_on(api.version()).unwrap_err().code, 503);
}

#[test]
fn long_lists_come_in_chunks() {
    let get = |query: &str| -> Result<Value, Status> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let request = ReadRequest {
            path: "/api/v1/pods".to_owned(),
            parameters: pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            prefix: String::new(),
            accepted: Ok(Accepted::Form(Form::Object)),
        };
        let mut view = shop();
        for (namespace, name) in [("shop-b", "x"), ("shop", "a"), ("z", "cart-1")] {
            let pod = testing::object("", "pods", "Pod", namespace, name, json!({}));
            view.objects.push(pod);
        }
        block_on(async {
            match KubernetesApi::open(Arc::new(view))
                .await
                .unwrap()
                .get(&request)
                .await?
            {
                Answer::Document(list) => Ok(list),
                other => panic!("{other:?}"),
            }
        })
    };
    // As etcd sorts them: `shop-b/x` before `shop/a`.
    let all = ["x", "a", "cart-1", "web-1", "cart-1"];
    assert_eq!(names(&get("limit=0").unwrap()), all);
    assert_eq!(names(&get("limit=2&resourceVersion=0").unwrap()), all);
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let list = get(&format!("limit=2&continue={after}")).unwrap();
        seen.extend(names(&list).into_iter().map(str::to_owned));
        let left = list["metadata"].get("remainingItemCount");
        assert_eq!(
            left.and_then(Value::as_u64).unwrap_or(0),
            5 - seen.len() as u64
        );
        match list["metadata"]["continue"].as_str() {
            Some(token) => after = token.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, all);
    let selected = get("limit=1&labelSelector=app").unwrap();
    assert_eq!(names(&selected), ["cart-1"]);
    assert!(selected["metadata"]["continue"].is_string());
    assert!(selected["metadata"].get("remainingItemCount").is_none());
    assert_eq!(get("limit=2&continue=!").unwrap_err().code, 400);
    let both = format!("limit=2&continue={after}&resourceVersion=7");
    assert_eq!(get(&both).unwrap_err().code, 400);
}

#[test]
fn the_parts_of_an_object_are_those_that_are_served() {
    let scale = "/apis/apps/v1/namespaces/shop/deployments/cart/scale";
    let table = read(scale, Form::Table(Include::Object), "", "").unwrap();
    assert_eq!(
        table["rows"][0]["cells"].as_array().unwrap()[..3],
        [json!("cart"), json!(2), json!(1)]
    );
    assert_eq!(table["rows"][0]["object"]["kind"], "Scale");
    assert_eq!(table["rows"][0]["object"]["apiVersion"], "autoscaling/v1");
    let nothing = "/apis/apps/v1/namespaces/shop/deployments/cart/nosuch";
    assert_eq!(read(nothing, Form::Object, "", "").unwrap_err().code, 404);
}
