//! Steps carried out and undone against an API server in memory: once, and once more.

use std::time::Duration;

use aiopslab_problems::catalog::Catalog;
use aiopslab_problems::family::Flags;
use serde_json::json;

use super::*;
use crate::check::check_fault;
use crate::cluster::in_memory::{InMemory, Objects};
use crate::recover::undo_entries;
use crate::resource::strip_server_fields;
use crate::sources::SourceOptions;

/// An application on a server, with one object of each kind that a step is on.
struct Shop {
    server: InMemory,
    cluster: Cluster,
    application: Application,
}

impl Shop {
    fn open() -> Self {
        let catalog = Catalog::embedded().unwrap();
        let mut application = catalog.application("hotel-testbed").unwrap().clone();
        application.flags = Some(Flags {
            object: "configmap/flags".to_owned(),
            path: r#"data["all.json"]"#.to_owned(),
            restart: "deployment/geo".to_owned(),
        });
        let server = InMemory::default();
        let shop = Self {
            cluster: server.cluster(),
            server,
            application,
        };
        shop.furnish();
        shop
    }

    fn furnish(&self) {
        let namespace = self.application.namespace.as_str();
        let space =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        self.server
            .put(&format!("/api/v1/namespaces/{namespace}"), space);
        let flags = json!({"flags": {"slow": {"variants": {"on": true, "off": false},
            "defaultVariant": "off"}}});
        let labels = json!({"app": "geo"});
        let objects = json!([
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "geo"},
                "spec": {"selector": labels,
                    "ports": [{"name": "http", "port": 8080, "targetPort": 8080}]}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "geo"},
                "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels},
                        "spec": {"containers": [{"name": "geo", "image": "geo:1"}]}}}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "flags"},
                "data": {"all.json": flags.to_string()}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rates"},
                "data": {"eur": "1"}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "geo-0"},
                "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}},
        ]);
        for object in objects.as_array().unwrap() {
            let mut object = object.clone();
            object["metadata"]["namespace"] = json!(namespace);
            object["metadata"]["labels"] = labels.clone();
            let [version, kind, name] =
                ["/apiVersion", "/kind", "/metadata/name"].map(|pointer| text(&object, pointer));
            let path = self.path(version, kind, name);
            self.server.put(&path, object);
        }
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": "pv-1"}, "status": {"phase": "Bound"},
            "spec": {"persistentVolumeReclaimPolicy": "Delete",
                "claimRef": {"namespace": namespace, "name": "geo"}}});
        self.server.put("/api/v1/persistentvolumes/pv-1", volume);
    }

    fn path(&self, version: &str, kind: &str, name: &str) -> String {
        let namespace = &self.application.namespace;
        let base = if version.contains('/') { "apis" } else { "api" };
        let resource = kind.to_ascii_lowercase();
        format!("/{base}/{version}/namespaces/{namespace}/{resource}s/{name}")
    }

    async fn prepare(&self, steps: Value) -> Vec<Entry> {
        let steps: Vec<Step> = serde_json::from_value(steps).unwrap();
        let before = self.server.objects();
        let entries = prepare(&self.cluster, &self.application, &steps).await;
        assert_eq!(self.server.objects(), before, "preparing changed something");
        entries.unwrap()
    }

    async fn inject(&self, entries: &[Entry]) -> Objects {
        for entry in entries {
            let mut scene = Scene {
                cluster: &self.cluster,
                application: &self.application,
                workload: None,
                anchors: Anchors::default(),
            };
            inject(&mut scene, entry).await.unwrap();
        }
        self.server.objects()
    }

    /// Undoes entries; tells what each came to.
    async fn undo(&self, entries: &[Entry]) -> (Objects, Vec<String>) {
        let namespace = &self.application.namespace;
        let (done, problems) = undo_entries(&self.cluster, namespace, entries).await;
        assert_eq!(problems, Vec::<String>::new());
        (self.server.objects(), done)
    }
}

/// Objects without what the server counts.
fn bare(mut objects: Objects) -> Objects {
    objects.values_mut().for_each(strip_server_fields);
    objects
}

/// Carries steps out twice and undoes them twice.
async fn check(steps: Value) {
    let shop = Shop::open();
    let untouched = shop.server.objects();
    let entries = shop.prepare(steps.clone()).await;
    let (still, done) = shop.undo(&entries).await;
    assert_eq!(still, untouched, "{steps}: undoing what was not done");
    assert!(!done.is_empty());
    let broken = shop.inject(&entries).await;
    assert_ne!(bare(broken.clone()), bare(untouched.clone()), "{steps}");
    assert_eq!(shop.inject(&entries).await, broken, "{steps}: again");
    let (restored, done) = shop.undo(&entries).await;
    assert_eq!(bare(restored.clone()), bare(untouched), "{steps}: undone");
    assert!(done.iter().any(|line| !line.ends_with("is as before")));
    let (still, done) = shop.undo(&entries).await;
    assert_eq!(still, restored, "{steps}: undone again");
    let is_as_before = |line: &String| line.ends_with("is as before");
    assert!(done.iter().all(is_as_before), "{steps}: {done:?}");
}

#[tokio::test]
async fn fields_are_set_once_and_set_back_once() {
    let port = json!({"patch": "service/geo",
        "set": {"path": "spec.ports[*].targetPort", "to": 9999}});
    let selector = json!({"patch": "service/geo",
        "json": [{"op": "remove", "path": "/spec/selector/app"}]});
    let image = json!({"patch": "deployment/geo",
        "merge": {"metadata": {"annotations": {"a/b": "c"}}, "spec": {"paused": true}}});
    let scale = json!({"scale": "deployment/geo", "replicas": 0});
    let flag = json!({"flag": "slow", "variant": "on"});
    let restart = json!({"restart": "deployment/geo"});
    for step in [&port, &selector, &image, &scale, &flag, &restart] {
        check(json!([step])).await;
    }
    check(json!([port, scale, restart])).await;
}

#[tokio::test]
async fn an_object_is_made_anew_once_and_put_back_once() {
    check(json!([{"recreate": "deployment/geo",
        "set": {"path": "spec.template.spec.nodeSelector", "to": {"zone": "none"}}}]))
    .await;
    check(json!([{"restart": "deployment/geo", "at_once": true}])).await;
}

#[tokio::test]
async fn an_object_comes_once_and_goes_once() {
    let map = |name: &str| {
        json!({"apply": {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name}, "data": {"eur": "2"}}})
    };
    check(json!([map("new")])).await;
    check(json!([map("rates")])).await;
}

#[tokio::test]
async fn an_object_goes_once_and_comes_back_once() {
    check(json!([{"delete": "service/geo"}])).await;
    check(json!([{"delete": "configmap", "labels": {"app": "geo"}}])).await;
}

#[tokio::test]
async fn an_experiment_begins_once_and_ends_once() {
    check(json!([{"chaos": "network-loss", "service": "geo", "loss_percent": 50}])).await;
}

#[tokio::test]
async fn a_schedule_is_gone_when_its_experiments_are() {
    let shop = Shop::open();
    let untouched = shop.server.objects();
    let steps = json!([{"chaos": "container-kill", "service": "geo", "container": "geo",
        "every_seconds": 5}]);
    let entries = shop.prepare(steps).await;
    let plan = serde_json::to_value(&entries[0]).unwrap();
    let schedule = &plan["plan"]["object"]["metadata"]["name"];
    shop.inject(&entries).await;
    let path = format!(
        "/apis/chaos-mesh.org/v1alpha1/namespaces/{}/networkchaos/child",
        chaos::NAMESPACE
    );
    let child = json!({"metadata": {"name": "child", "namespace": chaos::NAMESPACE,
        "ownerReferences": [{"kind": "Schedule", "name": schedule}]}});
    shop.server.put(&path, child);
    let collected = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        shop.cluster.delete(&path).await.unwrap();
    };
    let ((restored, _), ()) = tokio::join!(shop.undo(&entries), collected);
    assert_eq!(restored, untouched, "the namespace goes with the last one");
}

#[tokio::test]
async fn a_command_is_undone_whether_or_not_it_ran() {
    let shop = Shop::open();
    let path = shop.path("v1", "Pod", "geo-0");
    let mut pod = shop.server.objects()[&path].clone();
    pod["metadata"]["annotations"] = json!({"user": "there"});
    pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
    shop.server.put(&path, pod);
    let untouched = shop.server.objects();
    let steps = json!([{"exec": "deployment/geo", "command": ["annotate", "user", "gone"],
        "recover": ["annotate", "user", "there"]}]);
    let entries = shop.prepare(steps).await;
    let ran = [r#"ran "annotate user there" in deployment/geo"#];
    let (still, done) = shop.undo(&entries).await;
    assert_eq!(still, untouched, "undoing what was not done");
    assert_eq!(done, ran);
    let broken = shop.inject(&entries).await;
    assert_eq!(broken[&path]["metadata"]["annotations"]["user"], "gone");
    assert_eq!(shop.inject(&entries).await, broken);
    let (restored, done) = shop.undo(&entries).await;
    assert_eq!(bare(restored.clone()), bare(untouched));
    assert_eq!(done, ran);
    let (still, done) = shop.undo(&entries).await;
    assert_eq!(still, restored, "undone again");
    assert_eq!(done, ran);
}

#[tokio::test]
async fn what_took_the_place_of_a_deleted_pod_stays() {
    let shop = Shop::open();
    let path = shop.path("v1", "Pod", "geo-0");
    let mut pod = shop.server.objects()[&path].clone();
    pod["metadata"]["ownerReferences"] = json!([{"kind": "StatefulSet", "controller": true}]);
    shop.server.put(&path, pod.clone());
    let entries = shop.prepare(json!([{"delete": "pod/geo-0"}])).await;
    assert!(!shop.inject(&entries).await.contains_key(&path));
    shop.server.put(&path, pod);
    let replaced = shop.server.objects();
    assert_eq!(shop.inject(&entries).await, replaced);
    for _ in 0..2 {
        let (still, done) = shop.undo(&entries).await;
        assert_eq!(still, replaced);
        assert_eq!(done, ["pod/geo-0 is as before"]);
    }
}

#[tokio::test]
async fn an_application_is_deployed_anew_once_each_way() {
    let shop = Shop::open();
    let entries = shop.prepare(json!([{"redeploy": "keep-volumes"}])).await;
    let untouched = shop.server.objects();
    assert_eq!(shop.undo(&entries).await.0, untouched);
    let broken = shop.inject(&entries).await;
    let space = format!("/api/v1/namespaces/{}", shop.application.namespace);
    assert_ne!(uid(&broken[&space]), uid(&untouched[&space]));
    assert_eq!(shop.inject(&entries).await, broken);
    let (restored, _) = shop.undo(&entries).await;
    let volume = "/api/v1/persistentvolumes/pv-1";
    assert_eq!(bare(restored.clone())[volume], bare(untouched)[volume]);
    assert_eq!(shop.undo(&entries).await.0, restored);
}

#[tokio::test]
async fn a_helper_that_never_started_is_taken_away_once() {
    let shop = Shop::open();
    let untouched = shop.server.objects();
    let steps = json!([{"node": "geo", "command": ["false"], "recover": ["true"]}]);
    let entries = shop.prepare(steps).await;
    let plan = serde_json::to_value(&entries[0]).unwrap();
    let name = plan["plan"]["helpers"][0]["name"].as_str().unwrap();
    let space = format!("/api/v1/namespaces/{}", chaos::NAMESPACE);
    let named = |name: &str| json!({"metadata": {"name": name}});
    shop.server.put(&space, named(chaos::NAMESPACE));
    shop.server
        .put(&format!("{space}/pods/{name}"), named(name));
    let (restored, done) = shop.undo(&entries).await;
    assert_eq!(restored, untouched);
    assert_eq!(done, ["ended the experiment on service/geo"]);
    let (still, done) = shop.undo(&entries).await;
    assert_eq!(still, untouched);
    assert_eq!(done, ["service/geo is as before"]);
}

/// Checks steps on a shop; tells whether they would do, and what is said. Nothing may change.
async fn checked(shop: &Shop, steps: Value) -> (bool, String) {
    let before = shop.server.objects();
    let catalog = Catalog::embedded().unwrap();
    let family = catalog.family("scale_pod_zero_testbed").unwrap();
    let mut family = family.resolve(1).unwrap();
    family.inject = serde_json::from_value(steps).unwrap();
    let options = SourceOptions::default();
    let line = check_fault(&shop.cluster, &shop.application, &family, &options).await;
    assert_eq!(shop.server.objects(), before);
    (line.ok, line.detail)
}

#[tokio::test]
async fn a_fault_is_checked_without_being_injected() {
    let shop = Shop::open();
    let scale = json!({"scale": "deployment/geo", "replicas": 0});
    let flag = json!({"flag": "slow", "variant": "on"});
    let (ok, detail) = checked(&shop, json!([scale, flag])).await;
    assert!(ok, "{detail}");
    assert_eq!(
        detail,
        "scale_pod_zero_testbed-1: the cluster would take its 3 changes"
    );
    for missing in [
        json!({"scale": "deployment/rate", "replicas": 0}),
        json!({"exec": "deployment/rate", "command": ["true"], "recover": ["true"]}),
    ] {
        let (ok, detail) = checked(&shop, json!([missing])).await;
        assert!(!ok);
        assert!(
            detail.ends_with("on deployment/rate changes nothing: there is no such object"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn the_object_of_an_experiment_is_checked_and_its_driver_named() {
    let shop = Shop::open();
    let loss = json!({"chaos": "network-loss", "service": "geo", "loss_percent": 50});
    let stress = json!({"chaos": "cpu-stress", "service": "geo", "workers": 1});
    for (step, driver) in [
        (&loss, "by Chaos Mesh"),
        (&stress, "by helper pods of ours"),
    ] {
        let (ok, detail) = checked(&shop, json!([step])).await;
        assert!(ok, "{detail}");
        assert!(detail.contains(&format!("its one change, {driver} (not asked: ")));
    }
    shop.server.refuse("correlation");
    let (ok, detail) = checked(&shop, json!([loss])).await;
    assert!(!ok);
    assert!(detail.ends_with("correlation is not allowed"), "{detail}");
}
