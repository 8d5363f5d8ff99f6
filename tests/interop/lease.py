#!/usr/bin/env python3
"""A controller that dies leaves no fault behind, also where nobody recovers.

    tests/interop/lease.py AIOPSLAB KUBECTL

A capture whose fault loses packets of a pod is killed with SIGKILL in its window. The helper's lease runs
out, and it must undo its experiment by itself: requests that were slow or failed are answered at once.
Then `aiopslab recover` clears away the rest. Needs a cluster that `aiopslab check` is content with
(KUBECONFIG). About 5 minutes.
"""
import json
import pathlib
import sys
import tempfile
import time

from killed_capture import NAMESPACE, Cluster, run, succeed

FAMILY = "network_loss_testbed-1"
HELPERS = "node-upkeep"
# The pod that loses packets, asked through the API server.
TARGET = f"/api/v1/namespaces/{NAMESPACE}/services/rate:8080/proxy/metrics"
# A lease is a minute; undoing takes a moment.
PATIENCE = 110


def answered_at_once(cluster, count=12):
    """How many of some requests are answered within half a second."""
    quick = 0
    for _ in range(count):
        begun = time.monotonic()
        done = run(cluster.kubectl, "get", "--raw", TARGET, "--request-timeout=5s")
        quick += done.returncode == 0 and time.monotonic() - begun < 0.5
    return quick


def phases(cluster):
    found = json.loads(succeed(cluster.kubectl, "get", "pods", "-n", HELPERS, "-o", "json"))
    return [item["status"]["phase"] for item in found["items"]]


def helper_log(cluster):
    found = succeed(cluster.kubectl, "get", "pods", "-n", HELPERS, "-o", "name").split()
    return "".join(succeed(cluster.kubectl, "logs", "-n", HELPERS, one) for one in found)


def main():
    cluster = Cluster(*sys.argv[1:3])
    cluster.capture_without_fault()
    before = answered_at_once(cluster)
    assert before == 12, f"{before} of 12 requests are answered at once without a fault"
    with tempfile.TemporaryDirectory() as out:
        cluster.kill_in(FAMILY, "window", pathlib.Path(out))
        killed = time.monotonic()
        during = answered_at_once(cluster)
        assert during < 10, f"{during} of 12 requests are answered at once although packets are lost"
        assert phases(cluster) == ["Running"], phases(cluster)
        print(f"ok: the capture is dead, the fault is there ({during} of 12 requests answered at once)")
        # The helper stays, for whoever comes to recover.
        while "undoing" not in helper_log(cluster):
            assert time.monotonic() - killed < PATIENCE, "the fault goes on without its controller"
            time.sleep(2)
        took = time.monotonic() - killed
    after = answered_at_once(cluster)
    assert after == 12, f"{after} of 12 requests are answered at once after the lease"
    print(f"ok: {took:.0f} s after the kill the helper has undone it by itself")
    cluster.recover()
    cluster.wait_until_gone("namespace", HELPERS)
    print("ok: recover clears away the rest")
    cluster.delete_application()


if __name__ == "__main__":
    main()
