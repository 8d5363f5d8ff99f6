#!/usr/bin/env python3
"""Captures with the steps that the testbed's own families have no use for, on a real cluster.

    tests/interop/steps.py AIOPSLAB HELM [helm|redeploy|node …]

The testbed is deployed from a chart, in which one Service's port is a value and one store has a volume of its
own. Each capture must succeed: the fault shows, the recorded recovery undoes it, the cluster is as before.
Needs KUBECONFIG; two to three minutes for each step.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
APPLICATION = "charted-testbed"
STORE = "postgres-profile"
LENGTHS = ["--age", "25s", "--baseline", "30s", "--window", "15s"]

VOLUME = """apiVersion: v1
kind: PersistentVolume
metadata:
  name: {store}
spec:
  capacity: {{storage: 64Mi}}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: ""
  hostPath: {{path: {path}, type: DirectoryOrCreate}}
"""

FAMILY = """family = "{name}_testbed"
summary = "{summary}"
application = "{application}"
workload = "mixed"
tasks = ["detection", "localization", "analysis"]
exercised = "lab"
variants = [{{ n = 1 }}]

[[inject]]
{step}

[[manifested]]
workload = {{ error_ratio = {{ above = 0.05 }} }}

[[mitigated]]
all = [{{ pods = "ready" }}, {{ workload = {{ error_ratio = {{ back_to_baseline_within = 0.02 }} }} }}]

[truth]
faulty_components = [["{target}"]]
system_level = "{level}"
fault_type = "{fault}"
"""

STEPS = {
    "helm": dict(
        summary="a release was upgraded with the wrong port",
        step=f'helm = "{APPLICATION}"\nvalues = {{ ratePort = 8081 }}',
        target="rate", level="Virtualization", fault="Misconfiguration"),
    "redeploy": dict(
        summary="the application was deployed again while its old volumes were still there",
        step='redeploy = "keep-volumes"',
        target=STORE, level="Virtualization", fault="Operation Error"),
    "node": dict(
        summary="a packet filter of the node drops what is sent to databases",
        step="""node = "geo"
command = ["iptables", "-t", "mangle", "-I", "PREROUTING", "-p", "tcp", "--dport", "5432", "-j", "DROP"]
recover = ["iptables", "-t", "mangle", "-D", "PREROUTING", "-p", "tcp", "--dport", "5432", "-j", "DROP"]""",
        target="geo", level="Operating System", fault="Network/Storage Issue"),
}


def make_chart(folder, volume):
    templates = folder / "templates"
    templates.mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: charted\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("ratePort: 8080\n")
    for file in (PROJECT / "testbed/manifests").glob("[0-9]*.yaml"):
        objects = file.read_text().split("\n---\n")
        for index, text in enumerate(objects):
            if re.search(r"kind: Service\n.*\n  name: rate\n", text):
                objects[index] = text.replace("targetPort: 8080", "targetPort: {{ .Values.ratePort }}")
                assert objects[index] != text, text
            if f"kind: PersistentVolumeClaim\nmetadata:\n  name: {STORE}\n" in text:
                objects[index] = text.replace("spec:\n", f'spec:\n  storageClassName: ""\n  volumeName: {STORE}\n')
        (templates / file.name).write_text("\n---\n".join(objects))
    (templates / "05-volume.yaml").write_text(VOLUME.format(store=STORE, path=volume))


def make_catalog(folder, chart):
    folder.mkdir()
    text = (PROJECT / "problems/applications/hotel-testbed.toml").read_text()
    text = re.sub(r'^name = .*', f'name = "{APPLICATION}"', text, count=1, flags=re.M)
    source = f'source = {{ git = "https://nowhere.invalid/charted", unpinned = "it is only a test", chart = "{chart}", release = "{APPLICATION}" }}'
    text = re.sub(r'^source = .*', source, text, count=1, flags=re.M)
    (folder / f"{APPLICATION}.toml").write_text(text)
    for name, parts in STEPS.items():
        (folder / f"{name}_testbed.toml").write_text(FAMILY.format(name=name, application=APPLICATION, **parts))


def main():
    if len(sys.argv) < 3 or not os.environ.get("KUBECONFIG"):
        raise SystemExit(__doc__)
    aiopslab, helm = sys.argv[1:3]
    steps = sys.argv[3:] or list(STEPS)
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        os.environ["XDG_CACHE_HOME"] = str(work / "cache")
        make_chart(work / "source" / "chart", work / "volume")
        make_catalog(work / "catalog", "chart")
        catalog = ["--catalog", str(work / "catalog")]
        # Claims of another deployment have volumes that were made for them, which nothing can give back.
        check = subprocess.run([aiopslab, "check"], capture_output=True, text=True, timeout=120)
        assert "hotel-testbed is not deployed" in check.stdout, f"{check.stdout}\nhint: kubectl delete namespace hotel-testbed"
        for step in steps:
            options = [*LENGTHS, "--out", str(work / "captures"), "--helm", helm, "--app-dir", str(work / "source")]
            done = subprocess.run([aiopslab, "capture", f"{step}_testbed-1", *catalog, *options],
                                  capture_output=True, text=True, timeout=900)
            assert done.returncode == 0, f"the capture with step {step} failed:\n{done.stderr}{done.stdout}"
            snapshot = work / "captures" / f"{step}_testbed-1"
            verified = subprocess.run([aiopslab, "snapshot", "verify", "--content", str(snapshot)],
                                      capture_output=True, text=True, timeout=300)
            assert verified.returncode == 0, f"{verified.stdout}{verified.stderr}"
            told = [line.strip() for line in done.stderr.splitlines() if re.search(r"ended|gave|restored", line)]
            print(f"{step}: captured, undone ({'; '.join(told)}), verified", flush=True)
    print(f"{len(steps)} passed, 0 failed")


if __name__ == "__main__":
    main()
