#!/usr/bin/env python3
"""Kills a capture with SIGKILL in each of its stages and looks at what is left.

    tests/interop/killed_capture.py [--fresh] [--family FAMILY-N]… AIOPSLAB KUBECTL [STAGE …]

After every kill `aiopslab recover` must bring the cluster back (every object of the application that a
user wrote is compared), a second one must find nothing, and `aiopslab snapshot salvage` must make what was
recorded usable. Needs a cluster that `aiopslab check` is content with (KUBECONFIG). Without stages: all of
them, about 15 minutes. With --fresh each capture deploys the application and its recovery deletes it;
otherwise it stays between captures and is deleted at the end. A capture only begins once the application
is healthy under load, so that each also shows that the one before was undone; a last one without a fault
does so for the last.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

FAMILY = "scale_pod_zero_testbed-1"
WITHOUT_FAULT = "noop_detection_testbed-1"
NAMESPACE = "hotel-testbed"
STAGES = ["deploy", "workload", "settle", "record", "baseline", "inject", "verify", "window", "probe", "stop",
          "recover", "clean up", "compare", "finish"]
# No recorder may have written anything yet.
UNRECORDED = STAGES[:STAGES.index("baseline")]
# From here on the state at the start is known, so that a salvaged folder answers kubectl.
RECORDED = STAGES[STAGES.index("baseline"):]
LENGTHS = ["--age", "5s", "--baseline", "12s", "--window", "12s"]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def succeed(*command):
    done = run(*command)
    assert done.returncode == 0, f"{command} failed with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


class Cluster:
    def __init__(self, aiopslab, kubectl):
        self.aiopslab, self.kubectl = aiopslab, kubectl

    def written(self):
        """What users wrote of the application's objects: everything but status and bookkeeping."""
        kinds = "deployments,services,configmaps,statefulsets,persistentvolumeclaims"
        found = run(self.kubectl, "get", kinds, "-n", NAMESPACE, "-o", "json")
        return {
            f"{item['kind']}/{item['metadata']['name']}": {key: item.get(key) for key in ("spec", "data")}
            for item in json.loads(found.stdout or "{}").get("items", [])
        }

    def wait_until_gone(self, *what):
        for _ in range(90):
            if run(self.kubectl, "get", *what).returncode != 0:
                return
            time.sleep(2)
        raise AssertionError(f"{what} is still there")

    def capture_without_fault(self):
        with tempfile.TemporaryDirectory() as out:
            succeed(self.aiopslab, "capture", WITHOUT_FAULT, "--keep", "--out", out, *LENGTHS)

    def kill_in(self, family, stage, out):
        """Starts a capture and kills it shortly after it has said that it is in the stage."""
        command = [self.aiopslab, "capture", family, "--out", str(out), *LENGTHS]
        capture = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        said = []
        for line in capture.stderr:
            said.append(line)
            if re.match(rf"\s*\d+s {re.escape(stage)} ", line):
                time.sleep(1.5 if stage in ("window", "baseline") else 0.3)
                capture.send_signal(signal.SIGKILL)
                break
        else:
            raise AssertionError(f"the capture never came to {stage}:\n{''.join(said)}")
        capture.communicate()

    def delete_application(self):
        succeed(self.kubectl, "delete", "namespace", NAMESPACE, "--ignore-not-found")
        self.wait_until_gone("namespace", NAMESPACE)

    def recover(self):
        done = succeed(self.aiopslab, "recover")
        again = succeed(self.aiopslab, "recover")
        assert "nothing to recover" in again, f"a second recover found something: {again}"
        return done


def salvage(cluster, folder, stage):
    """What is said of the folder afterwards."""
    if (folder / "manifest.json").exists():
        succeed(cluster.aiopslab, "snapshot", "verify", str(folder))
        return "finished before it was killed"
    done = run(cluster.aiopslab, "snapshot", "salvage", str(folder))
    if stage in UNRECORDED and "before anything was recorded" in done.stderr:
        return "nothing was recorded yet"
    assert done.returncode == 0, f"salvage after a kill in {stage}: {done.stderr}"
    succeed(cluster.aiopslab, "snapshot", "verify", str(folder))
    if stage in RECORDED:
        pods = succeed(cluster.aiopslab, "shell", str(folder), "-c", f"kubectl get pods -n {NAMESPACE}")
        assert "frontend" in pods and "not available" not in pods, f"no pods in what was salvaged: {pods}"
        deployment = succeed(cluster.aiopslab, "shell", str(folder), "-c", f"kubectl get deploy -n {NAMESPACE} nosuch; true")
        assert "not available" not in deployment, f"the recording can't tell absence: {deployment}"
    rows = re.search(r"^all .*$", done.stdout, re.M)
    return f"salvaged, {rows.group(0).split()[-1]} bytes" if rows else "salvaged"


def try_stage(cluster, family, stage, fresh):
    if fresh:
        cluster.delete_application()
    elif not cluster.written():
        cluster.capture_without_fault()
    before = cluster.written()
    with tempfile.TemporaryDirectory() as out:
        cluster.kill_in(family, stage, pathlib.Path(out))
        done = cluster.recover()
        if fresh:
            cluster.wait_until_gone("namespace", NAMESPACE)
        cluster.wait_until_gone("job", "-n", "default", "workload")
        after = cluster.written()
        assert after == before, f"not as before: {[key for key in before if before[key] != after.get(key)]}\n{done}"
        return salvage(cluster, pathlib.Path(out, family), stage)


def main():
    arguments = sys.argv[1:]
    fresh = "--fresh" in arguments
    arguments = [word for word in arguments if word != "--fresh"]
    families = []
    while "--family" in arguments:
        at = arguments.index("--family")
        families += arguments[at + 1:at + 2]
        del arguments[at:at + 2]
    if len(arguments) < 2 or not os.environ.get("KUBECONFIG"):
        raise SystemExit(__doc__)
    cluster = Cluster(*arguments[:2])
    if run(cluster.kubectl, "get", "namespace", NAMESPACE, "-o", "jsonpath={.status.phase}").stdout == "Terminating":
        cluster.wait_until_gone("namespace", NAMESPACE)
    stages = arguments[2:] or STAGES
    tried = [(family, stage) for family in families or [FAMILY] for stage in stages]
    for family, stage in tried:
        said = try_stage(cluster, family, stage, fresh or stage == "deploy")
        print(f"{family} killed in {stage:<9} recovered, nothing left; {said}", flush=True)
    if not fresh:
        cluster.capture_without_fault()
    cluster.delete_application()
    print(f"{len(tried)} passed, 0 failed")


if __name__ == "__main__":
    main()
