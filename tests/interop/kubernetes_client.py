"""The Python package `kubernetes` on a served recording: kubernetes_client.py KUBECONFIG POD."""

import os
import sys

from kubernetes import client, config, dynamic, watch

kubeconfig, pod = sys.argv[1:]
namespace = os.environ["INCIDENT"]
config.load_kube_config(kubeconfig)
core, apps = client.CoreV1Api(), client.AppsV1Api()

pods = core.list_namespaced_pod(namespace).items
assert pod in [found.metadata.name for found in pods]
assert core.read_namespaced_pod(pod, namespace).status.phase == "Running"
assert apps.read_namespaced_deployment("frontend", namespace).status.ready_replicas == 1
assert apps.read_namespaced_deployment_scale("frontend", namespace).spec.replicas == 1
log = core.read_namespaced_pod_log(pod, namespace, tail_lines=2)
assert len(log.splitlines()) == 2, log
assert client.VersionApi().get_code().git_version.startswith("v1.")

usage = client.CustomObjectsApi().list_cluster_custom_object("metrics.k8s.io", "v1beta1", "nodes")
assert usage["items"][0]["usage"]["cpu"].endswith("n")

events = list(watch.Watch().stream(core.list_namespaced_pod, namespace, timeout_seconds=2))
assert len(events) == len(pods) and {event["type"] for event in events} == {"ADDED"}

services = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="Service")
assert len(services.get(namespace=namespace).items) > 10


def allowed(verb):
    attributes = client.V1ResourceAttributes(verb=verb, resource="pods")
    spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
    review = client.V1SelfSubjectAccessReview(spec=spec)
    return client.AuthorizationV1Api().create_self_subject_access_review(review).status.allowed


# This recording does not hold what its recorder was allowed: everything, as for AIOpsLab's agents.
assert allowed("list") and allowed("delete")


def refused(code, call, *arguments):
    try:
        call(*arguments)
    except client.ApiException as error:
        assert error.status == code, error
    else:
        raise AssertionError(f"{call} was not refused")


refused(404, core.read_namespaced_pod, "nosuch", namespace)
refused(403, core.delete_namespaced_pod, pod, namespace)
refused(503, client.EventsV1Api().list_event_for_all_namespaces)
