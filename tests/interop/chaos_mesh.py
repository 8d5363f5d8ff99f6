#!/usr/bin/env python3
"""Captures by Chaos Mesh's objects, on a real API server that has Chaos Mesh's own schemas.

    tests/interop/chaos_mesh.py AIOPSLAB KUBECTL

Of Chaos Mesh only the schemas are installed, out of its Go module. What its controllers do to objects this script
does in their place, as their source says: finalizer, records, conditions, the children of a Schedule, and of the
experiments pod-failure and pod-kill; packets and processes it leaves alone. One family of the catalog is captured
as it is, then one with an experiment of each form that the catalog has. Each object must be stored as it was sent
and select the pods of its Service, each capture must leave the cluster as it was, nothing of it may be told in the
recording, and the schemas are removed again. Needs KUBECONFIG and go; four minutes.
"""
import datetime
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.parse

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = pathlib.Path(os.environ.get("AIOPSLAB_INTEROP_TOOLS") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "aiopslab/interop"))
MODULE = "github.com/chaos-mesh/chaos-mesh"
VERSION = "v0.9.1-0.20260902003049-47411975a8cb"
SUM = "h1:0TeWmCELKreoLAXuoPaO2qpJe73foDgOoyU3fdKQN4A="
GROUP = "chaos-mesh.org"
# The kinds that we make, and the one that Chaos Mesh makes beside the targets of a NetworkChaos.
PLAYED = ["podchaos", "networkchaos", "stresschaos", "kernelchaos", "schedules"]
KINDS = [*PLAYED, "podnetworkchaos"]
FINALIZER = "chaos-mesh/records"
NAMESPACE = "node-upkeep"
APPLICATION = "hotel-testbed"
PAUSE = "docker.io/aiopslab/lab-pause:1"
FAMILY = "pod_failure_testbed"
LENGTHS = ["--age", "5s", "--baseline", "15s", "--window", "12s", "--without", "probes"]
# How long a capture may look at what is left before we look, too.
COMPARED_WITHIN = 45
# What an agent sees of Chaos Mesh wherever it is installed, used or not.
INSTALLED = re.compile(r"customresourcedefinitions/|apiservices/|\.chaos-mesh\.org|discovery|coverage of object_versions")

EVERY = """family = "every_experiment_testbed"
summary = "an experiment of each form that the catalog has"
application = "hotel-testbed"
workload = "mixed"
tasks = ["detection", "localization"]
exercised = "never"
variants = [{{ n = 1 }}]
{steps}
[[manifested]]
endpoints = "{failing}"
equals = 0

[truth]
faulty_components = [["{failing}"]]
"""


def ok(text):
    print(f"ok: {text}", flush=True)


def run(*command, text=None, limit=120):
    return subprocess.run(command, capture_output=True, text=True, timeout=limit, input=text)


def succeed(*command, text=None, limit=120):
    done = run(*command, text=text, limit=limit)
    assert done.returncode == 0, f"{command[:6]} failed with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def wait(condition, limit, what):
    until = time.time() + limit
    while not condition():
        assert time.time() < until, f"not within {limit} s: {what}"
        time.sleep(0.5)


def schemas():
    """The files of the CustomResourceDefinitions, fetched once."""
    kept = TOOLS / "chaos-mesh" / VERSION
    if not kept.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as work:
            environment = os.environ | {"GOMODCACHE": work, "GOFLAGS": "-modcacherw"}
            done = subprocess.run(["go", "mod", "download", "-json", f"{MODULE}@{VERSION}"], cwd=work, env=environment,
                                  capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, f"the module of Chaos Mesh can't be fetched:\n{done.stdout}{done.stderr}"
            fetched = json.loads(done.stdout)
            assert fetched["Sum"] == SUM, f"the module is another: {fetched['Sum']}"
            new = kept.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            shutil.copytree(pathlib.Path(fetched["Dir"], "config/crd/bases"), new)
            new.rename(kept)
    return [kept / f"chaos-mesh.org_{kind}.yaml" for kind in KINDS]


def steps_of_the_catalog():
    """An experiment of each form: the testbed's own ones first, then what only others have."""
    files = (PROJECT / "problems/catalog").glob("*.toml")
    forms = {}
    for file in sorted(files, key=lambda file: (not file.stem.endswith("_testbed"), file)):
        family = tomllib.loads(file.read_text())
        for step in family.get("inject", []):
            # Chaos Mesh has no such experiment.
            if step.get("chaos", "disk-fill") == "disk-fill":
                continue
            variables = family["variants"][0]
            filled = {key: value.format_map(variables) if isinstance(value, str) else value for key, value in step.items()}
            forms.setdefault((step["chaos"], *sorted(step)), filled)
    return list(forms.values())


def lost(sent, stored, path=""):
    """The paths of what was sent and is not stored likewise."""
    if isinstance(sent, dict) and isinstance(stored, dict):
        return [one for key in sent for one in lost(sent[key], stored.get(key), f"{path}.{key}")]
    if isinstance(sent, list) and isinstance(stored, list) and len(sent) == len(stored):
        return [one for index, (a, b) in enumerate(zip(sent, stored)) for one in lost(a, b, f"{path}[{index}]")]
    return [] if sent == stored else [f"{path}: sent {sent!r}, stored {stored!r}"]


class Server:
    """The API server, through a kubectl proxy."""

    def __init__(self, kubectl):
        self.proxy = subprocess.Popen([kubectl, "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.proxy.stdout.readline().rsplit(":", 1)[1])

    def stop(self):
        self.proxy.terminate()
        self.proxy.wait()

    def ask(self, method, path, body=None, kind="application/json", missing_is_none=False):
        for _ in range(10):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read()
            connection.close()
            # A kind that is new: "storage is (re)initializing".
            if answer.status != 429:
                break
            time.sleep(1)
        if missing_is_none and answer.status == 404:
            return None
        assert answer.status < 300, f"{method} {path}: {answer.status} {text.decode()}"
        return json.loads(text)

    def get(self, path):
        return self.ask("GET", path, missing_is_none=True)

    def items(self, path):
        return (self.get(path) or {}).get("items", [])

    def merge(self, path, body):
        """A patch that must not hold a field that the schema lacks."""
        return self.ask("PATCH", f"{path}?fieldValidation=Strict", body, "application/merge-patch+json", missing_is_none=True)

    def is_established(self, kind):
        found = self.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind}.{GROUP}")
        conditions = (found.get("status") or {}).get("conditions") or []
        return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)

    def pods(self, selector):
        labels = urllib.parse.quote(",".join(f"{key}={value}" for key, value in selector["labelSelectors"].items()))
        return [pod for space in selector["namespaces"]
                for pod in self.items(f"/api/v1/namespaces/{space}/pods?labelSelector={labels}")]

    def behind(self, service):
        """The names of the pods behind a Service, as the cluster itself counts them."""
        query = f"labelSelector=kubernetes.io/service-name%3D{service}"
        slices = self.items(f"/apis/discovery.k8s.io/v1/namespaces/{APPLICATION}/endpointslices?{query}")
        return {end["targetRef"]["name"] for one in slices for end in one.get("endpoints") or []}

    def has(self, namespace):
        return self.get(f"/api/v1/namespaces/{namespace}") is not None

    def chaos(self):
        """Every object of Chaos Mesh that we make or that is made of ours, with its path."""
        for kind in PLAYED:
            for found in self.items(f"/apis/{GROUP}/v1alpha1/{kind}"):
                meta = found["metadata"]
                yield f"/apis/{GROUP}/v1alpha1/namespaces/{meta['namespace']}/{kind}/{meta['name']}", found

    def journalled(self):
        """Our objects as they are sent, by name, with the Service that is meant: the journals hold them."""
        found = {}

        def look(value):
            plan = value.get("plan") if isinstance(value, dict) else None
            if isinstance(plan, dict) and plan.get("driver") == "chaos_mesh":
                found[plan["object"]["metadata"]["name"]] = plan["object"], value["object"].removeprefix("service/")
            for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
                look(inner)

        journals = "/api/v1/namespaces/kube-system/configmaps?labelSelector=settings.kubernetes.io/scope%3Dsession"
        for journal in self.items(journals):
            look(json.loads(journal["data"]["session"]))
        return found


class ChaosMesh(threading.Thread):
    """What Chaos Mesh's controllers do to objects."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.failure, self.ended = server, None, False
        self.sent, self.services, self.selected, self.children = {}, {}, {}, 0

    def run(self):
        while not self.ended:
            self.guarded(lambda: [self.guarded(self.take, path, found) for path, found in self.server.chaos()])
            time.sleep(0.3)

    def guarded(self, call, *arguments):
        """Whatever fails: the other objects are let go of."""
        try:
            call(*arguments)
        except Exception as error:
            self.failure = self.failure or f"{type(error).__name__}: {error}"

    def take(self, path, found):
        is_ours = "ownerReferences" not in found["metadata"]
        name = found["metadata"]["name"]
        if is_ours and name not in self.sent:
            self.sent[name], self.services[name] = self.server.journalled()[name]
            gone = lost(self.sent[name], found)
            assert not gone, f"the server did not keep all of {found['kind']} {name}: {'; '.join(gone)}"
        if found["kind"] == "Schedule":
            self.spawn(path, found)
        elif "deletionTimestamp" in found["metadata"]:
            self.end(path, found)
        elif FINALIZER not in found["metadata"].get("finalizers", []):
            records = self.records(found)
            # A child may come when the pod that takes another's place is not there yet.
            assert records or not is_ours, f"{found['kind']} selects nothing: {found['spec']}"
            if records:
                self.begin(path, found, records)

    def records(self, found):
        """The targets, as Chaos Mesh names them: pods, or containers of them."""
        spec, action = found["spec"], found["spec"].get("action")
        of_pods = found["kind"] == "NetworkChaos" or action in ("pod-kill", "pod-failure")
        records = []
        for key, part in ((".", spec), (".Target", spec.get("target"))):
            if part is None:
                continue
            assert part["mode"] == "all", part
            for pod in self.server.pods(part["selector"]):
                # Without names: the first container.
                inside = [container["name"] for container in pod["spec"]["containers"]]
                names = [name for name in inside if name in part.get("containerNames", inside[:1])]
                records += [(key, pod, name) for name in ([None] if of_pods else names)]
        service = self.services.get(found["metadata"]["name"])
        chosen = {pod["metadata"]["name"] for key, pod, _ in records if key == "."}
        assert not service or chosen == self.server.behind(service), f"behind {service} are other pods than {chosen}"
        return records

    def status(self, path, records, phase, wanted):
        is_in = phase == "Injected"
        said = [("Selected", True), ("AllInjected", is_in), ("AllRecovered", not is_in), ("Paused", False)]
        ids = [(key, "/".join(filter(None, [pod["metadata"]["namespace"], pod["metadata"]["name"], container])))
               for key, pod, container in records]
        self.server.merge(path, {"status": {
            "conditions": [{"type": kind, "status": str(holds)} for kind, holds in said],
            "experiment": {"desiredPhase": wanted, "containerRecords": [
                {"id": target, "selectorKey": key, "phase": phase, "injectedCount": int(is_in), "recoveredCount": 0}
                for key, target in ids]}}})
        return [target for _, target in ids]

    def begin(self, path, found, records):
        self.server.merge(path, {"metadata": {"finalizers": [FINALIZER]}})
        self.status(path, records, "Not Injected", "Run")
        for _, pod, _ in records:
            self.disturb(found, pod)
        ours = found["metadata"].get("labels", {}).get("managed-by", found["metadata"]["name"])
        targets = self.selected.setdefault(ours, [])
        targets += [one for one in self.status(path, records, "Injected", "Run") if one not in targets]

    def disturb(self, found, pod):
        meta, spec = pod["metadata"], found["spec"]
        place = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        if spec.get("action") == "pod-kill":
            self.server.ask("DELETE", f"{place}?gracePeriodSeconds={spec.get('gracePeriod', 0)}", missing_is_none=True)
        elif spec.get("action") == "pod-failure":
            images = {container["name"]: container["image"] for container in pod["spec"]["containers"]}
            noted = {self.annotation(found, name): image for name, image in images.items()}
            self.set_images(place, dict.fromkeys(images, PAUSE), noted)
        elif found["kind"] == "NetworkChaos":
            beside = f"/apis/{GROUP}/v1alpha1/namespaces/{meta['namespace']}/podnetworkchaos"
            if self.server.get(f"{beside}/{meta['name']}") is None:
                owner = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
                self.server.ask("POST", beside, {
                    "apiVersion": f"{GROUP}/v1alpha1", "kind": "PodNetworkChaos", "spec": {},
                    "metadata": {"name": meta["name"], "namespace": meta["namespace"], "ownerReferences": [owner]}})

    @staticmethod
    def annotation(found, container):
        key = f"chaos-mesh-{found['metadata']['name']}-{found['spec']['action']}-{container}-normal-image"
        return key if len(key) <= 63 else f"{container}-normal"

    def set_images(self, place, images, annotations):
        containers = [{"name": name, "image": image} for name, image in images.items()]
        self.server.ask("PATCH", place, {"metadata": {"annotations": annotations}, "spec": {"containers": containers}},
                        "application/strategic-merge-patch+json", missing_is_none=True)

    def end(self, path, found):
        if found["spec"].get("action") == "pod-failure":
            for pod in self.server.pods(found["spec"]["selector"]):
                meta, noted = pod["metadata"], {}
                for container in pod["spec"]["containers"]:
                    key = self.annotation(found, container["name"])
                    if key in meta.get("annotations", {}):
                        noted[container["name"]] = (key, meta["annotations"][key])
                images = {name: image for name, (_, image) in noted.items()}
                self.set_images(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}", images,
                                {key: None for key, _ in noted.values()})
        # What it made beside its targets goes with these.
        self.server.merge(path, {"metadata": {"finalizers": []}})

    def spawn(self, path, found):
        """The first child comes after one interval; each later one after another."""
        meta, spec = found["metadata"], found["spec"]
        if "deletionTimestamp" in meta:
            return
        every = int(re.fullmatch(r"@every (\d+)s", spec["schedule"]).group(1))
        last = (found.get("status") or {}).get("time") or meta["creationTimestamp"]
        now = time.time()
        if now < calendar(last) + every:
            return
        owner = {"apiVersion": found["apiVersion"], "kind": "Schedule", "name": meta["name"], "uid": meta["uid"],
                 "controller": True, "blockOwnerDeletion": True}
        item = spec["type"][0].lower() + spec["type"][1:]
        self.children += 1
        children = f"/apis/{GROUP}/v1alpha1/namespaces/{meta['namespace']}/{spec['type'].lower()}"
        self.server.ask("POST", f"{children}?fieldValidation=Strict", {
            "apiVersion": found["apiVersion"], "kind": spec["type"], "spec": spec[item],
            "metadata": {"name": f"{meta['name']}-{self.children:05}", "namespace": meta["namespace"],
                         "labels": {"managed-by": meta["name"]}, "ownerReferences": [owner]}})
        self.server.merge(path, {"status": {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))}})
        older = [(other, child) for other, child in self.server.chaos()
                 if child["metadata"].get("labels", {}).get("managed-by") == meta["name"]]
        older.sort(key=lambda one: one[1]["metadata"]["name"])
        for other, _ in older[:-spec["historyLimit"]]:
            self.server.ask("DELETE", other, missing_is_none=True)


def calendar(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def capture(aiopslab, mesh, folder, name, *options):
    """A capture that must end well, with the controllers played meanwhile."""
    log = folder / f"{name}.log"
    command = [aiopslab, "capture", f"{name}-1", "--out", str(folder / "captures"), *LENGTHS, *options]
    with log.open("w") as said:
        running = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
    until, compared = time.time() + 300, None
    try:
        while running.poll() is None:
            time.sleep(0.5)
            told = log.read_text()
            compared = compared or (time.time() if re.search(r"^\s*\d+s compare ", told, re.M) else None)
            assert not mesh.failure, f"{mesh.failure}\n{told}"
            assert time.time() < until, f"the capture does not end:\n{told}"
            is_late = compared and time.time() > compared + COMPARED_WITHIN
            assert not is_late, f"the cluster is not as it was:\n{told}"
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
            try:
                running.wait(60)
            except subprocess.TimeoutExpired:
                running.kill()
    assert not mesh.failure, f"{mesh.failure}\n{log.read_text()}"
    assert running.returncode == 0, f"the capture of {name} failed:\n{log.read_text()}"
    return folder / "captures" / f"{name}-1"


def check_objects(server, mesh, before, count):
    """What one capture made: all selected, all gone."""
    made = {name: sent for name, sent in mesh.sent.items() if name not in before}
    assert len(made) == count, f"{len(made)} objects of Chaos Mesh for {count} experiments"
    for name, sent in made.items():
        item = sent["spec"] if sent["kind"] != "Schedule" else sent["spec"]["podChaos"]
        what = item.get("action") or "/".join(item.get("stressors", {"failKernRequest": 0}))
        assert mesh.selected.get(name), f"{sent['kind']} {name} was never begun"
        ok(f"{sent['kind']} ({what}): stored as sent, selects {', '.join(mesh.selected[name])}")
    left = [path for path, _ in server.chaos()]
    assert not left, f"left behind: {left}"
    assert not server.has(NAMESPACE), f"the namespace {NAMESPACE} was left behind"


def check_recording(aiopslab, snapshot):
    succeed(aiopslab, "snapshot", "verify", str(snapshot))
    audit = json.loads(run(aiopslab, "snapshot", "audit", str(snapshot), "--json").stdout)
    leaks = [leak for one in audit["snapshots"] for leak in one["leaks"]]
    told = [leak for leak in leaks if not INSTALLED.search(leak["place"])]
    assert not told, f"the recording tells of the experiment: {json.dumps(told[:20], indent=1)}"
    return len(leaks)


def clean(aiopslab, kubectl, server, mesh, files):
    """Whatever went wrong: nothing stays."""
    run(aiopslab, "recover", limit=300)
    mesh.ended = True
    if mesh.is_alive():
        mesh.join(30)
    for path, _ in server.chaos():
        server.ask("DELETE", path, missing_is_none=True)
        server.merge(path, {"metadata": {"finalizers": []}})
    for kind in PLAYED:
        wait(lambda: not server.items(f"/apis/{GROUP}/v1alpha1/{kind}"), 60, f"no {kind}")
    succeed(kubectl, "delete", "namespace", NAMESPACE, APPLICATION, "--ignore-not-found", "--timeout=150s", limit=180)
    succeed(kubectl, "delete", "--ignore-not-found", "--timeout=60s", *(word for file in files for word in ("-f", str(file))))
    wait(lambda: server.get(f"/apis/{GROUP}") is None, 30, f"the API group {GROUP} is gone")


def main():
    if len(sys.argv) != 3 or not os.environ.get("KUBECONFIG"):
        raise SystemExit(__doc__)
    aiopslab, kubectl = sys.argv[1:]
    files = schemas()
    server = Server(kubectl)
    mesh = ChaosMesh(server)
    try:
        assert server.get(f"/apis/{GROUP}") is None, "this cluster has Chaos Mesh: use one that has not"
        for namespace in (NAMESPACE, APPLICATION):
            assert not server.has(namespace), f"hint: kubectl delete namespace {namespace}"
        with tempfile.TemporaryDirectory() as work:
            try:
                tried(aiopslab, kubectl, server, mesh, files, pathlib.Path(work))
            finally:
                clean(aiopslab, kubectl, server, mesh, files)
        ok("no schema, object or namespace is left")
    finally:
        server.stop()
    print("chaos mesh: passed")


def tried(aiopslab, kubectl, server, mesh, files, work):
    words = [word for file in files for word in ("-f", str(file))]
    succeed(kubectl, "apply", "--server-side", *words)
    # Not `kubectl wait`: it fails on an object whose status has no conditions yet.
    wait(lambda: all(server.is_established(kind) for kind in KINDS), 60, "the schemas are established")
    ok(f"the schemas of Chaos Mesh {VERSION.split('-')[-1]} are established: {', '.join(KINDS)}")
    wait(lambda: list(server.chaos()) == [], 30, "the new kinds can be listed")
    mesh.start()

    snapshot = capture(aiopslab, mesh, work, FAMILY, "--keep")
    check_objects(server, mesh, {}, 1)
    ok(f"{FAMILY}, as the catalog has it: injected by Chaos Mesh, shown, undone; nothing of it is left")
    installed = check_recording(aiopslab, snapshot)
    ok(f"its recording tells nothing of the experiment, and in {installed} places that Chaos Mesh is installed")

    steps = steps_of_the_catalog()
    failing = next(step["service"] for step in steps if step["chaos"] == "pod-failure")
    written = ""
    for step in steps:
        written += "\n[[inject]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in step.items())
    (work / "catalog").mkdir()
    (work / "catalog" / "every_experiment_testbed.toml").write_text(EVERY.format(steps=written, failing=failing))
    before = dict(mesh.sent)
    capture(aiopslab, mesh, work, "every_experiment_testbed", "--catalog", str(work / "catalog"))
    check_objects(server, mesh, before, len(steps))
    ok(f"{len(steps)} experiments at once: injected, undone; nothing of them is left ({mesh.children} children of Schedules)")

    for sent in mesh.sent.values():
        sent["metadata"]["namespace"] = "default"
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(mesh.sent.values())})
    created = succeed(kubectl, "create", "--dry-run=server", "--validate=strict", "-f", "-", text=listed).splitlines()
    assert len(created) == len(mesh.sent), created
    ok(f"kubectl create --dry-run=server --validate=strict takes all {len(created)} of them")


if __name__ == "__main__":
    main()
