//! What `getent` of glibc 2.36 and `nslookup` of BIND 9.18 and BusyBox 1.35 printed in a pod of the
//! lab: the names asked for here must be told exactly as they were there.

use aiopslab_problems::environment::Verdict;
use serde_json::{Value, json};

use crate::kubectl::testing::{MemoryView, object, run, shop};
use crate::view::ExecAnswer;

const RECURSION: &str = ";; Got recursion not available from 10.96.0.10\n";
const BIND: &str = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n";
const BUSYBOX: &str = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n";
const COREFILE: &str =
    "cluster.local in-addr.arpa {\n  kubernetes cluster.local in-addr.arpa {\n    ttl 30\n  }\n}\n";

fn example(line: &str, stdout: impl Into<String>, exit_code: i32) -> (String, ExecAnswer) {
    let answer = ExecAnswer {
        container: "cart".into(),
        container_id: "c://2".into(),
        argv: line.split(' ').map(str::to_owned).collect(),
        stdout: stdout.into().into_bytes(),
        stderr: Vec::new(),
        exit_code,
        lasting: !line.ends_with(" cart"),
    };
    ("uid-cart-1".into(), answer)
}

/// The small cluster of the tests, with a DNS.
fn view() -> MemoryView {
    let mut view = shop();
    let mut add = |resource: &str, kind: &str, namespace: &str, name: &str, body: Value| {
        let group = if resource == "endpointslices" {
            "discovery.k8s.io"
        } else {
            ""
        };
        view.objects
            .push(object(group, resource, kind, namespace, name, body));
    };
    let mut service = |namespace: &str, name: &str, address: &str, selector: Value| {
        let body =
            json!({"spec": {"type": "ClusterIP", "clusterIP": address, "selector": selector}});
        add("services", "Service", namespace, name, body);
    };
    service("default", "kubernetes", "10.96.0.1", Value::Null);
    service(
        "kube-system",
        "kube-dns",
        "10.96.0.10",
        json!({"k8s-app": "kube-dns"}),
    );
    service("observe", "jaeger", "10.96.107.183", Value::Null);
    service("shop", "cart", "10.96.4.5", Value::Null);
    service("shop", "geo", "10.96.107.200", Value::Null);
    service("shop", "one", "None", Value::Null);
    service("shop", "two", "None", Value::Null);
    for (name, addresses) in [
        ("one", &["10.244.0.9"][..]),
        ("two", &["10.244.0.9", "10.244.0.8"]),
    ] {
        let endpoints: Vec<Value> = addresses
            .iter()
            .map(|one| json!({"addresses": [one], "conditions": {"ready": true}}))
            .collect();
        let body = json!({"metadata": {"labels": {"kubernetes.io/service-name": name}},
            "endpoints": endpoints});
        add("endpointslices", "EndpointSlice", "shop", name, body);
    }
    let outside = json!({"spec": {"type": "ExternalName", "externalName": "example.com"}});
    add("services", "Service", "shop", "outside", outside);
    add(
        "configmaps",
        "ConfigMap",
        "kube-system",
        "coredns",
        json!({"data": {"Corefile": COREFILE}}),
    );
    let coredns = json!({
        "metadata": {"labels": {"k8s-app": "kube-dns"}},
        "spec": {"volumes": [{"name": "config", "configMap": {"name": "coredns"}}]},
        "status": {"startTime": "2026-01-01T11:00:00Z",
            "conditions": [{"type": "Ready", "status": "True"}]}
    });
    add("pods", "Pod", "kube-system", "coredns-1", coredns);
    view.exec = vec![
        example(
            "cat /etc/resolv.conf",
            "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
            0,
        ),
        example(
            "cat /etc/hosts",
            "127.0.0.1\tlocalhost\n10.244.0.7\tcart-1\n",
            0,
        ),
    ];
    view
}

fn with_getent() -> MemoryView {
    let mut view = view();
    let found = "10.96.0.1       kubernetes.default.svc.cluster.local\n";
    view.exec.extend([
        example("getent hosts kubernetes.default", found, 0),
        example(
            "getent hosts kubernetes.default.svc.cluster.local",
            found,
            0,
        ),
        example("getent hosts no-such-service", "", 2),
        example(
            "getent hosts no-such-service.default.svc.cluster.local",
            "",
            2,
        ),
        example(
            "getent hosts cart",
            "10.96.4.5       cart.shop.svc.cluster.local\n",
            0,
        ),
    ]);
    view
}

fn with_bind() -> MemoryView {
    let mut view = view();
    let found = |count: usize, name: &str, address: &str| {
        let before = RECURSION.repeat(count);
        format!("{before}{BIND}Name:\t{name}\nAddress: {address}\n{RECURSION}\n")
    };
    let missing = |name: &str| {
        let before = RECURSION.repeat(4);
        format!("{before}{BIND}** server can't find {name}: NXDOMAIN\n\n")
    };
    let full = "kubernetes.default.svc.cluster.local";
    view.exec.extend([
        example(
            "nslookup kubernetes.default",
            found(2, full, "10.96.0.1"),
            0,
        ),
        example(&format!("nslookup {full}"), found(4, full, "10.96.0.1"), 0),
        example("nslookup no-such-service", missing("no-such-service"), 1),
        example(
            "nslookup no-such-service.default.svc.cluster.local",
            missing("no-such-service.default.svc.cluster.local"),
            1,
        ),
    ]);
    view
}

fn with_busybox() -> MemoryView {
    let mut view = view();
    let lines = |lines: &[&str]| format!("{BUSYBOX}{}\n\n", lines.join("\n\n"));
    let no = |name: &str| format!("** server can't find {name}: NXDOMAIN");
    view.exec.extend([
        example(
            "nslookup kubernetes.default",
            lines(&[&no("kubernetes.default"), &no("kubernetes.default")]),
            1,
        ),
        example(
            "nslookup no-such-service",
            lines(&[
                &no("no-such-service.cluster.local"),
                &no("no-such-service.shop.svc.cluster.local"),
            ]),
            1,
        ),
        example(
            "nslookup cart",
            lines(&[
                &no("cart.cluster.local"),
                "Name:\tcart.shop.svc.cluster.local\nAddress: 10.96.4.5",
            ]),
            1,
        ),
    ]);
    view
}

fn ask(view: &MemoryView, command: &str) -> (String, Verdict) {
    let outcome = run(
        view,
        &format!("kubectl exec -n shop cart-1 -- {command} 2>/dev/null"),
    );
    (outcome.text(), outcome.verdict)
}

#[test]
fn getent_tells_of_other_names_as_it_told_of_one() {
    let view = with_getent();
    for (name, text) in [
        (
            "jaeger.observe",
            "10.96.107.183   jaeger.observe.svc.cluster.local\n",
        ),
        (
            "jaeger.observe.svc.cluster.local",
            "10.96.107.183   jaeger.observe.svc.cluster.local\n",
        ),
        ("geo", "10.96.107.200   geo.shop.svc.cluster.local\n"),
        ("one", "10.244.0.9      one.shop.svc.cluster.local\n"),
        ("nosuch", ""),
        ("nosuch.shop.svc.cluster.local", ""),
    ] {
        let answer = ask(&view, &format!("getent hosts {name}"));
        assert_eq!(answer, (text.to_owned(), Verdict::Answered), "{name}");
    }
    // Several addresses in an order of their own, what other people own, a form that nobody asked.
    for name in [
        "two",
        "outside",
        "example.com",
        "localhost",
        "10.96.0.1",
        "jaeger.observe.svc",
    ] {
        let answer = ask(&view, &format!("getent hosts {name}"));
        assert_eq!(answer.1, Verdict::NotCaptured, "{name}");
    }
}

#[test]
fn nslookup_of_bind() {
    let view = with_bind();
    let expected = format!(
        "{}{BIND}Name:\tjaeger.observe.svc.cluster.local\nAddress: 10.96.107.183\n{RECURSION}\n",
        RECURSION.repeat(2)
    );
    assert_eq!(ask(&view, "nslookup jaeger.observe").0, expected);
    let expected = format!(
        "{}{BIND}** server can't find nosuch.dns.svc.cluster.local: NXDOMAIN\n\n",
        RECURSION.repeat(4)
    );
    assert_eq!(
        ask(&view, "nslookup nosuch.dns.svc.cluster.local").0,
        expected
    );
    // No Service of its own namespace was asked for while it was recorded.
    assert_eq!(ask(&view, "nslookup geo").1, Verdict::NotCaptured);
}

#[test]
fn nslookup_of_busybox_does_not_search_names_with_dots() {
    let view = with_busybox();
    let expected = format!(
        "{BUSYBOX}** server can't find jaeger.observe: NXDOMAIN\n\n** server can't find jaeger.observe: NXDOMAIN\n\n"
    );
    assert_eq!(ask(&view, "nslookup jaeger.observe").0, expected);
    let expected = format!(
        "{BUSYBOX}** server can't find geo.cluster.local: NXDOMAIN\n\nName:\tgeo.shop.svc.cluster.local\nAddress: 10.96.107.200\n\n"
    );
    assert_eq!(ask(&view, "nslookup geo").0, expected);
}

#[test]
fn a_dns_that_does_not_work_or_means_something_else_is_not_guessed_at() {
    let change = |resource: &str, name: &str, pointer: &str, value: Value| {
        let mut view = with_getent();
        let found = view
            .objects
            .iter_mut()
            .find(|one| one.resource == resource && one.name == name)
            .unwrap();
        *found.object.pointer_mut(pointer).unwrap() = value;
        ask(&view, "getent hosts jaeger.observe").1
    };
    let unready = json!([{"type": "Ready", "status": "False"}]);
    let other =
        "cluster.local {\n rewrite name jaeger.observe geo.shop\n kubernetes cluster.local\n}";
    let not_captured = Verdict::NotCaptured;
    assert_eq!(
        change("pods", "coredns-1", "/status/conditions", unready),
        not_captured
    );
    assert_eq!(
        change("configmaps", "coredns", "/data/Corefile", json!(other)),
        not_captured
    );
    assert_eq!(
        change("services", "kube-dns", "/spec/clusterIP", json!("10.9.9.9")),
        not_captured
    );
    let mut view = with_getent();
    let policy = object(
        "networking.k8s.io",
        "networkpolicies",
        "NetworkPolicy",
        "shop",
        "p",
        json!({}),
    );
    view.objects.push(policy);
    assert_eq!(ask(&view, "getent hosts jaeger.observe").1, not_captured);
}

#[test]
fn a_program_that_the_container_lacks_fails_as_it_did() {
    let mut view = view();
    let mut answer = example("nslookup kubernetes.default", "", -1);
    answer.1.stderr =
        b"Internal error occurred: \"nslookup\": executable file not found in $PATH".to_vec();
    view.exec.push(answer);
    let outcome = run(&view, "kubectl exec -n shop cart-1 -- nslookup geo");
    let expected =
        "error: Internal error occurred: \"nslookup\": executable file not found in $PATH\n";
    assert_eq!(
        (outcome.text().as_str(), outcome.verdict),
        (expected, Verdict::Answered)
    );
}
