use serde_json::{Value, json};

use super::printer;
use crate::kubernetes::timestamp;

/// Noon of 2026-01-01.
fn noon() -> i64 {
    timestamp::parse("2026-01-01T12:00:00Z").unwrap()
}

/// Checks cells, which are joined with a bar.
fn check(group: &str, resource: &str, object: Value, expected: &str) {
    let cells = printer(group, resource).unwrap().cells(&object, noon());
    let cells: Vec<String> = cells.iter().map(crate::kubernetes::object::plain).collect();
    assert_eq!(cells.join("|"), expected, "{object}");
}

/// Checks `READY|STATUS|RESTARTS` of a pod.
fn pod(spec: Value, status: Value, expected: &str) {
    let pod = json!({"metadata": {"name": "p"}, "spec": spec, "status": status});
    pod_object(pod, expected);
}

fn pod_object(pod: Value, expected: &str) {
    let cells = printer("", "pods").unwrap().cells(&pod, noon());
    let shown: Vec<String> = cells
        .iter()
        .skip(1)
        .take(3)
        .map(crate::kubernetes::object::plain)
        .collect();
    assert_eq!(shown.join("|"), expected, "{pod}");
}

#[test]
fn containers_decide_the_status_of_a_pod() {
    let one = json!({"containers": [{"name": "a"}]});
    let two = json!({"containers": [{"name": "a"}, {"name": "b"}]});
    pod(one.clone(), json!({"phase": "Pending"}), "0/1|Pending|0");
    pod(
        one.clone(),
        json!({"phase": "Failed", "reason": "Evicted"}),
        "0/1|Evicted|0",
    );
    pod(
        one.clone(),
        json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}),
        "0/1|SchedulingGated|0",
    );
    pod(
        one.clone(),
        json!({"phase": "Running", "containerStatuses": [
            {"name": "a", "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
             "lastState": {"terminated": {"finishedAt": "2026-01-01T11:56:00Z"}}}]}),
        "0/1|CrashLoopBackOff|7 (4m ago)",
    );
    pod(
        one.clone(),
        json!({"phase": "Running", "containerStatuses": [
            {"name": "a", "restartCount": 2, "state": {"terminated": {"exitCode": 3}}}]}),
        "0/1|ExitCode:3|2",
    );
    pod(
        one,
        json!({"phase": "Running", "containerStatuses": [
            {"name": "a", "restartCount": 0, "state": {"terminated": {"exitCode": 3, "signal": 9}}}]}),
        "0/1|Signal:9|0",
    );
    let running_and = |other: Value, ready: &str| {
        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [
                {"name": "a", "restartCount": 0, "state": other},
                {"name": "b", "restartCount": 0, "ready": true, "state": {"running": {}}}]})
    };
    let completed = json!({"terminated": {"reason": "Completed", "exitCode": 0}});
    pod(
        two.clone(),
        running_and(completed.clone(), "True"),
        "1/2|Running|0",
    );
    pod(
        two.clone(),
        running_and(completed, "False"),
        "1/2|NotReady|0",
    );
    pod(
        two,
        running_and(json!({"waiting": {"reason": "ImagePullBackOff"}}), "False"),
        "1/2|ImagePullBackOff|0",
    );
}

#[test]
fn init_containers_decide_before_others() {
    let spec = json!({"initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}],
        "containers": [{"name": "a"}]});
    let init = |statuses: Value| {
        json!({"phase": "Pending", "initContainerStatuses": statuses, "containerStatuses": [
            {"name": "a", "restartCount": 0, "state": {"waiting": {"reason": "PodInitializing"}}}]})
    };
    let waiting = json!({"name": "s", "restartCount": 0, "state": {"waiting": {"reason": "PodInitializing"}}});
    let done = json!({"name": "i", "restartCount": 3, "state": {"terminated": {"exitCode": 0}},
        "lastState": {"terminated": {"finishedAt": "2026-01-01T11:59:00Z"}}});
    let failed = |end: Value| json!([{"name": "i", "restartCount": 3, "state": end}, waiting]);
    pod(
        spec.clone(),
        init(json!([{"name": "i", "restartCount": 0, "state": {"running": {}}}, waiting])),
        "0/2|Init:0/2|0",
    );
    pod(
        spec.clone(),
        init(failed(json!({"terminated": {"exitCode": 4}}))),
        "0/2|Init:ExitCode:4|3",
    );
    pod(
        spec.clone(),
        init(failed(
            json!({"terminated": {"exitCode": 1, "reason": "Error"}}),
        )),
        "0/2|Init:Error|3",
    );
    pod(
        spec.clone(),
        init(failed(json!({"waiting": {"reason": "CrashLoopBackOff"}}))),
        "0/2|Init:CrashLoopBackOff|3",
    );
    pod(
        spec.clone(),
        init(json!([done, waiting])),
        "0/2|Init:1/2|3 (60s ago)",
    );
    // A sidecar that runs counts as a container, and only its restarts go on counting.
    let sidecar = json!({"name": "s", "restartCount": 1, "started": true, "ready": true,
        "state": {"running": {}}});
    pod(
        spec.clone(),
        json!({"phase": "Running", "initContainerStatuses": [done, sidecar],
            "containerStatuses": [{"name": "a", "restartCount": 2, "ready": true, "state": {"running": {}}}]}),
        "2/2|Running|3",
    );
}

#[test]
fn deleted_pods_terminate() {
    let deleted = |phase: &str, reason: &str| {
        json!({"metadata": {"name": "p", "deletionTimestamp": "2026-01-01T12:00:00Z"},
            "spec": {"containers": [{"name": "a"}]},
            "status": {"phase": phase, "reason": reason}})
    };
    pod_object(deleted("Running", ""), "0/1|Terminating|0");
    pod_object(deleted("Succeeded", ""), "0/1|Succeeded|0");
    pod_object(deleted("Running", "NodeLost"), "0/1|Unknown|0");
}

#[test]
fn jobs_and_their_like_are_printed() {
    let created = "2026-01-01T11:00:00Z";
    let job = |spec: Value, status: Value| json!({"metadata": {"name": "j", "creationTimestamp": created}, "spec": spec, "status": status});
    check(
        "batch",
        "jobs",
        job(
            json!({"completions": 3}),
            json!({"succeeded": 1, "startTime": created}),
        ),
        "j|Running|1/3|60m|60m|||<none>",
    );
    check(
        "batch",
        "jobs",
        job(
            json!({"parallelism": 4}),
            json!({"startTime": created, "conditions": [{"type": "Failed", "status": "True"}]}),
        ),
        "j|Failed|0/1 of 4|60m|60m|||<none>",
    );
    check(
        "batch",
        "cronjobs",
        json!({"metadata": {"name": "c", "creationTimestamp": created},
            "spec": {"schedule": "* * * * *", "suspend": false},
            "status": {"lastScheduleTime": "2026-01-01T11:59:30Z", "active": [{}]}}),
        "c|* * * * *|<none>|False|1|30s|60m|||<none>",
    );
    check(
        "apps",
        "controllerrevisions",
        json!({"metadata": {"name": "r", "creationTimestamp": created, "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "controller": true}]},
            "revision": 2}),
        "r|statefulset.apps/web|2|60m",
    );
}

#[test]
fn autoscalers_show_their_targets() {
    let scaler = |metrics: Value, current: Value| {
        json!({"metadata": {"name": "h", "creationTimestamp": "2026-01-01T11:00:00Z"},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1,
                "maxReplicas": 5, "metrics": metrics},
            "status": {"currentReplicas": 2, "currentMetrics": current}})
    };
    let cpu = json!({"type": "Resource", "resource": {"name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": 80}}});
    let current = json!({"type": "Resource", "resource": {"name": "cpu",
        "current": {"averageUtilization": 5, "averageValue": "5m"}}});
    let check = |metrics: Value, current: Value, targets: &str| {
        check(
            "autoscaling",
            "horizontalpodautoscalers",
            scaler(metrics, current),
            &format!("h|Deployment/web|{targets}|1|5|2|60m"),
        );
    };
    check(json!([cpu]), json!([current]), "cpu: 5%/80%");
    check(json!([cpu]), json!([]), "cpu: <unknown>/80%");
    check(json!([]), json!([]), "<none>");
    check(
        json!([cpu, {"type": "Pods", "pods": {"target": {"averageValue": "1000m"}}}, cpu]),
        json!([current]),
        "cpu: 5%/80%, <unknown>/1 + 1 more...",
    );
    check(
        json!([{"type": "External", "external": {"target": {"averageValue": "30"}}}]),
        json!([{"external": {"current": {"averageValue": "7500m"}}}]),
        "7500m/30 (avg)",
    );
}

#[test]
fn services_and_endpoints_are_printed() {
    let service = |spec: Value, status: Value| {
        json!({"metadata": {"name": "s", "creationTimestamp": "2026-01-01T11:00:00Z"},
            "spec": spec, "status": status})
    };
    check(
        "",
        "services",
        service(
            json!({"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"], "ports": [
                {"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]}),
            json!({"loadBalancer": {"ingress": [{"ip": "2.2.2.2"}, {"hostname": "a.example"}]}}),
        ),
        "s|LoadBalancer|10.0.0.1|2.2.2.2,a.example|80:30080/TCP,53/UDP|60m|<none>",
    );
    check(
        "",
        "services",
        service(
            json!({"type": "LoadBalancer", "clusterIPs": ["None"]}),
            json!({}),
        ),
        "s|LoadBalancer|None|<pending>|<none>|60m|<none>",
    );
    check(
        "",
        "services",
        service(
            json!({"type": "ExternalName", "externalName": "db.example", "selector": {"b": "2", "a": "1"}}),
            json!({}),
        ),
        "s|ExternalName|<none>|db.example|<none>|60m|a=1,b=2",
    );
    let endpoints = |subsets: Value| json!({"metadata": {"name": "e", "creationTimestamp": "2026-01-01T11:00:00Z"}, "subsets": subsets});
    check("", "endpoints", endpoints(json!([])), "e|<none>|60m");
    check(
        "",
        "endpoints",
        endpoints(json!([{"notReadyAddresses": [{"ip": "1.1.1.1"}], "ports": [{"port": 80}]}])),
        "e||60m",
    );
    check(
        "",
        "endpoints",
        endpoints(json!([{"addresses": [{"ip": "1.1.1.1"}, {"ip": "fd::1"}],
            "ports": [{"port": 80}, {"port": 81}]}])),
        "e|1.1.1.1:80,[fd::1]:80,1.1.1.1:81 + 1 more...|60m",
    );
    let slice = |ports: Value, endpoints: Value| {
        json!({"metadata": {"name": "e", "creationTimestamp": "2026-01-01T11:00:00Z"},
            "addressType": "IPv4", "ports": ports, "endpoints": endpoints})
    };
    check(
        "discovery.k8s.io",
        "endpointslices",
        slice(json!([]), json!(null)),
        "e|IPv4|<unset>|<unset>|60m",
    );
    check(
        "discovery.k8s.io",
        "endpointslices",
        slice(
            json!([{"port": 80}]),
            json!([{"addresses": ["a", "b"]}, {"addresses": ["c"]}, {"addresses": ["d"]}]),
        ),
        "e|IPv4|80|a,b,c + 1 more...|60m",
    );
}

#[test]
fn nodes_and_events_are_printed() {
    check(
        "",
        "nodes",
        json!({"metadata": {"name": "n", "creationTimestamp": "2026-01-01T11:00:00Z",
            "labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge"}},
            "spec": {"unschedulable": true},
            "status": {"conditions": [{"type": "Ready", "status": "Unknown"}],
                "nodeInfo": {"kubeletVersion": "v1.34.4"}}}),
        "n|NotReady,SchedulingDisabled|edge,worker|60m|v1.34.4|<none>|<none>|<unknown>|<unknown>|<unknown>",
    );
    let event = |extra: Value| {
        let mut event = json!({"metadata": {"name": "e"}, "type": "Normal", "reason": "R",
            "involvedObject": {"kind": "Pod", "name": "p"}, "message": " m\n"});
        event
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        event
    };
    check(
        "",
        "events",
        event(
            json!({"firstTimestamp": "2026-01-01T11:00:00Z", "lastTimestamp": "2026-01-01T11:59:00Z",
            "count": 4, "source": {"component": "kubelet", "host": "n"}}),
        ),
        "60s|Normal|R|pod/p||kubelet, n|m|60m|4|e",
    );
    check(
        "",
        "events",
        event(
            json!({"eventTime": "2026-01-01T11:00:00.000000Z", "reportingComponent": "s",
            "series": {"count": 9, "lastObservedTime": "2026-01-01T11:59:30.000000Z"}}),
        ),
        "30s|Normal|R|pod/p||s|m|60m|9|e",
    );
    check(
        "",
        "events",
        event(json!({})),
        "<unknown>|Normal|R|pod/p|||m|<unknown>|1|e",
    );
}

#[test]
fn claims_and_quotas_are_printed() {
    let created = "2026-01-01T11:00:00Z";
    check(
        "",
        "persistentvolumeclaims",
        json!({"metadata": {"name": "c", "creationTimestamp": created},
            "spec": {"resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"},
            "status": {"phase": "Pending"}}),
        "c|Pending|||||<unset>|60m|Filesystem",
    );
    check(
        "",
        "resourcequotas",
        json!({"metadata": {"name": "q", "creationTimestamp": created},
            "status": {"hard": {"pods": "4", "limits.cpu": "2", "requests.cpu": "1"},
                "used": {"pods": "1", "limits.cpu": "500m"}}}),
        "q|pods: 1/4, requests.cpu: 0/1|limits.cpu: 500m/2|60m",
    );
    check(
        "networking.k8s.io",
        "ingresses",
        json!({"metadata": {"name": "i", "creationTimestamp": created},
            "spec": {"rules": [{"host": "a"}, {"host": "b"}, {"host": "c"}, {"host": "d"}], "tls": [{}]}}),
        "i|<none>|a,b,c + 1 more...||80, 443|60m",
    );
}
