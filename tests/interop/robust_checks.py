"""What robust.py does to a capture, and what it looks for afterwards."""
import base64
import concurrent.futures
import gzip
import http.client
import json
import re
import secrets
import threading
import time
import urllib.request

from robust_lab import IMAGE, NAMESPACE, audit, decoded, wait, writer


class Check:
    """Made before the capture, disturbed in its window, looked at after it."""
    name = ""
    window = 0
    pods = ()

    def __init__(self, lab, proxy):
        self.lab, self.proxy = lab, proxy
        self.done, self.error = threading.Event(), ""

    def before(self):
        pass

    def disturb(self):
        pass

    def after(self, snapshot):
        return ""

    def during(self):
        try:
            self.disturb()
        except Exception as error:  # told by the main thread
            self.error = repr(error)
        self.done.set()

    def clean(self):
        if self.pods:
            self.lab.kubectl("delete", "pod", "-n", NAMESPACE, "--ignore-not-found", "--grace-period=1", *self.pods)


class Prometheus(Check):
    name = "prometheus"

    def disturb(self):
        found = self.lab.get("pod", "-n", "observe", "-l", "app.kubernetes.io/name=prometheus")["items"] or [
            pod for pod in self.lab.get("pod", "-n", "observe")["items"] if pod["metadata"]["name"].startswith("prometheus")]
        pod = found[0]["metadata"]["name"]
        self.lab.kill("observe", pod, "prometheus")
        self.killed = time.time_ns()

    def after(self, snapshot):
        holes = self.lab.holes(snapshot, "metric_samples", f"namespace={NAMESPACE}")
        around = [hole for hole in holes if hole[0] <= self.killed <= hole[1]]
        assert around, f"killed at {self.killed}, told: {holes}"
        start, end, reason = around[0]
        count = lambda where: self.lab.sql(snapshot, "select count(*) c from metric_samples where " + where)[0]["c"]
        at = "arrow_cast(timestamp, 'Int64')"
        before, behind = count(f"{at} < {start // 1_000_000}"), count(f"{at} > {end // 1_000_000}")
        assert before and behind, f"{before} samples before, {behind} after it"
        return f"{before} samples before, {behind} after; told: {(end - start) / 1e9:.1f} s, {reason}"


class Api(Check):
    name = "api"
    pods = ("robust-steady", "robust-cut")

    def before(self):
        self.lab.apply(writer("robust-steady", 200, 100), writer("robust-cut", 100, 100))
        self.lab.wait_running(*self.pods)

    def disturb(self):
        self.proxy.gone = {"configmaps"}
        cutting = threading.Thread(target=self.proxy.cut, args=(6,))
        self.cut = time.time_ns()
        cutting.start()
        time.sleep(0.5)
        kubectl = self.lab.kubectl
        kubectl("create", "configmap", "-n", NAMESPACE, "robust-flash")
        kubectl("create", "serviceaccount", "-n", NAMESPACE, "robust-account")
        for number in range(3):
            kubectl("annotate", "--overwrite", "serviceaccount", "-n", NAMESPACE, "robust-account", f"number=n{number}")
        kubectl("delete", "configmap", "-n", NAMESPACE, "robust-flash")
        kubectl("delete", "pod", "-n", NAMESPACE, "robust-cut", "--grace-period=2", "--wait=true")
        cutting.join()
        self.back = time.time_ns()
        self.lab.apply(writer("robust-cut", 100, 100))
        time.sleep(3)
        kubectl("delete", "serviceaccount", "-n", NAMESPACE, "robust-account")

    def after(self, snapshot):
        lab = self.lab
        assert "configmaps" in self.proxy.told_gone, "nobody resumed the watch of configmaps"
        told = lab.holes(snapshot, "object_versions", "resource=configmaps")
        assert any(start <= self.cut + 1_000_000_000 and end >= self.back - 1_000_000_000 for start, end, _ in told), told
        flash = lab.sql(snapshot, "select event from object_versions where name = 'robust-flash'")
        # The other kinds go on where they stopped.
        others = lab.holes(snapshot, "object_versions", "resource=serviceaccounts")
        versions = lab.sql(snapshot, "select event from object_versions where name = 'robust-account' order by seq")
        assert not others and [row["event"] for row in versions] == ["added"] + ["modified"] * 3 + ["deleted"], (others, versions)
        holes = lab.holes(snapshot, "log_lines", f"namespace={NAMESPACE}")
        (lines, _), = lab.lines(snapshot, "robust-steady").values()
        kept, missing = audit(lines, holes)
        assert lines[-1][1] > self.back and missing == 0, f"{missing} lines of a log that was there all the time"
        # Nobody could read what this one wrote after the cut.
        cut, said = list(lab.lines(snapshot, "robust-cut").values())[0]
        audit(cut, holes)
        assert said or any("robust-cut" in reason and end > self.cut for _, end, reason in holes), holes
        return (f"410 told for {told[0][1] / 1e9 - told[0][0] / 1e9:.1f} s ({len(flash)} versions of what came and went in it); "
                f"{len(versions)} versions of a kind that resumed; {kept} lines, none missing; "
                f"the pod deleted meanwhile: {len(cut)} lines, the rest told")

    def clean(self):
        super().clean()
        for what in ("configmap/robust-flash", "serviceaccount/robust-account"):
            self.lab.kubectl("delete", "-n", NAMESPACE, "--ignore-not-found", what)


class Pod(Check):
    name = "pod"
    pods = ("robust-killed", "robust-deleted")

    def before(self):
        self.lab.apply(writer("robust-killed", 500, 100), writer("robust-deleted", 500, 100))
        self.lab.wait_running(*self.pods)

    def disturb(self):
        time.sleep(8 if self.proxy.refuse_until else 1)  # not while the connection is cut
        self.lab.kill(NAMESPACE, "robust-killed", "perl")
        wait(lambda: self.lab.get("pod", "-n", NAMESPACE, "robust-killed")["status"]["containerStatuses"][0]["restartCount"] == 1,
             20, "the killed container is started again")
        self.previous = self.lab.kubectl("logs", "-n", NAMESPACE, "robust-killed", "--previous", "--tail=1")
        self.lab.kubectl("delete", "pod", "-n", NAMESPACE, "robust-deleted")
        self.lab.apply(writer("robust-deleted", 500, 100))

    def after(self, snapshot):
        holes = self.lab.holes(snapshot, "log_lines", f"namespace={NAMESPACE}")
        instances = list(self.lab.lines(snapshot, "robust-killed").values())
        assert len(instances) == 2, f"{len(instances)} instances of the killed container"
        lines = [lines for lines, _ in instances]
        counts = [audit(one, holes) for one in lines]
        last = int(self.previous.split()[1])
        assert lines[0][-1][0] == last or any("robust-killed" in hole[2] for hole in holes), (lines[0][-1], last)
        deleted, said = list(self.lab.lines(snapshot, "robust-deleted").values())[0]
        assert said, "the last words of the deleted pod are not there"
        kept, missing = audit(deleted, holes, said[0][0])
        return (f"killed: {counts[0][0]} and {counts[1][0]} lines, {counts[0][1] + counts[1][1]} missing; "
                f"deleted: {kept} of {said[0][0]} lines, {missing} told missing")


class Logs(Check):
    name = "logs"
    window = 75
    pods = ("robust-loud",)
    lines, size, rate = 1_000_000, 190, 25_000

    def before(self):
        self.lab.apply(writer("robust-loud", self.rate, self.size, self.lines))
        self.lab.wait_running(*self.pods)

    def disturb(self):
        self.lab.kubectl("exec", "-n", NAMESPACE, "robust-loud", "--", "sh", "-c", "kill -USR1 1")
        wait(lambda: "wrote" in self.lab.kubectl("logs", "-n", NAMESPACE, "robust-loud", "--tail=1"), 100, "200 MB are written")
        self.written = time.time_ns()

    def after(self, snapshot):
        holes = self.lab.holes(snapshot, "log_lines", f"namespace={NAMESPACE}")
        (lines, said), = self.lab.lines(snapshot, "robust-loud").values()
        kept, missing = audit(lines, holes, self.lines, self.written)
        size = kept * (self.size + 14) / 1e6
        seconds = (lines[-1][1] - lines[0][1]) / 1e9
        return f"{self.lines} lines written, {kept} recorded ({size:.0f} MB in {seconds:.0f} s), {missing} told missing by {len(holes)} holes"


class Objects(Check):
    name = "objects"
    window = 60
    first, count = 3500, 5000

    def pod(self, number):
        env = [{"name": f"SETTING_{one}", "value": "x" * 40} for one in range(20)]
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"robust-many-{number:05}", "labels": {"robust": "many"}},
                "spec": {"schedulingGates": [{"name": "robust/never"}], "containers": [{"name": "none", "image": IMAGE, "env": env}]}}

    def many(self, call, numbers):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(call, numbers))

    def request(self, method, path, body=None, kind="application/json"):
        server = self.proxy.server
        connection = http.client.HTTPSConnection(*server.address, context=server.context, timeout=60)
        connection.request(method, path, body and json.dumps(body), {"Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status in (200, 201, 202, 404, 409), f"{method} {path}: {answer.status} {text[:200]}"

    def path(self, number=None):
        return f"/api/v1/namespaces/{NAMESPACE}/pods" + (f"/robust-many-{number:05}" if number is not None else "")

    def before(self):
        self.many(lambda number: self.request("POST", self.path(), self.pod(number)), range(self.first))

    def disturb(self):
        numbers = range(self.first, self.count)
        self.many(lambda number: self.request("POST", self.path(), self.pod(number)), numbers)
        for value in ("yes", None):
            change = {"metadata": {"annotations": {"changed": value}}}
            self.many(lambda number: self.request("PATCH", self.path(number), change, "application/merge-patch+json"), range(1000))
        self.many(lambda number: self.request("DELETE", self.path(number) + "?gracePeriodSeconds=0"), numbers)

    def after(self, snapshot):
        rows = self.lab.sql(snapshot, "select event, count(*) c from object_versions "
                            "where resource = 'pods' and name like 'robust-many-%' group by event")
        found = {row["event"]: row["c"] for row in rows}
        holes = self.lab.holes(snapshot, "object_versions", "resource=pods")
        fresh = self.count - self.first
        expected = {"initial": self.first, "added": fresh, "modified": 2000, "deleted": fresh}
        assert holes or all(found.get(event, 0) >= count for event, count in expected.items()), (found, holes)
        return f"versions by event: {found}; holes told: {len(holes)}"

    def clean(self):
        self.request("DELETE", self.path() + "?labelSelector=robust%3Dmany&gracePeriodSeconds=0")
        wait(lambda: not self.lab.kubectl("get", "pods", "-n", NAMESPACE, "-l", "robust=many", "-o", "name"), 120, "the pods are gone")


class Secrets(Check):
    name = "secrets"
    pods = ("robust-planted",)
    places = ["secret", "secret-dsn", "env", "args", "flag", "annotation", "configmap-key", "configmap-yaml", "configmap-json",
              "configmap-binary", "helm-secret", "helm-value", "helm-configmap", "log-bearer", "log-cookie", "log-api-key", "log-url",
              "log-json", "log-learnt", "span-authorization", "span-cookie", "span-api-key", "span-statement", "span-event", "event"]

    def __init__(self, lab, proxy):
        super().__init__(lab, proxy)
        # No word, and nothing that a rule knows by its looks.
        self.planted = {place: "Pl7" + secrets.token_urlsafe(15).replace("-", "a").replace("_", "b") + "q" for place in self.places}

    def before(self):
        planted = self.planted
        encode = lambda text: base64.b64encode(text.encode() if isinstance(text, str) else text).decode()
        release = lambda place, inner: base64.b64encode(gzip.compress(json.dumps(
            {"name": "robust", "config": inner, "manifest": f"password: {planted[place]}"}).encode())).decode()
        meta = lambda name, **more: {"name": name, "namespace": NAMESPACE, **more}
        data = {"app.yaml": f"store:\n  host: x\n  password: {planted['configmap-yaml']}\n",
                "app.json": json.dumps({"client": {"apiKey": planted["configmap-json"]}}), "db-password": planted["configmap-key"]}
        self.lab.apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": meta("robust-planted"), "data": {
                "password": encode(planted["secret"]), "dsn": encode(f"postgres://geo:{planted['secret-dsn']}@db/geo")}},
            {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": meta("sh.helm.release.v1.robust.v1"),
             "data": {"release": encode(release("helm-secret", {"auth": {"rootPassword": planted["helm-value"]}}))}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("robust-release", labels={"owner": "helm"}),
             "data": {"release": release("helm-configmap", {})}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("robust-planted", annotations={
                "example.com/api-token": planted["annotation"]}), "data": data,
             "binaryData": {"app.env": encode(f"API_TOKEN={planted['configmap-binary']}\n")}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta("robust-planted"), "spec": {
                "terminationGracePeriodSeconds": 1, "containers": [{
                    "name": "planted", "image": IMAGE, "imagePullPolicy": "IfNotPresent",
                    "env": [{"name": "ENCRYPTION_KEY", "value": planted["env"]}, {"name": "PLANTED", "valueFrom": {
                        "secretKeyRef": {"name": "robust-planted", "key": "password"}}}],
                    "command": ["perl", "-e", LOGGER, "--", "--auth-token", planted["args"], f"--password={planted['flag']}"]}]}})
        self.lab.wait_running(*self.pods)

    def log_lines(self):
        planted = self.planted
        return [f"> Authorization: Bearer {planted['log-bearer']}", f"Cookie: session={planted['log-cookie']}; theme=dark",
                f"x-api-key: {planted['log-api-key']}", f"connecting to redis://:{planted['log-url']}@redis:6379",
                json.dumps({"level": "info", "msg": "login", "password": planted["log-json"]}),
                f"the helper said {planted['secret']} and {planted['helm-value']}",
                f"learnt: token={planted['log-learnt']}"]

    def disturb(self):
        # Lines are given to the pod's first process, whose output is its log.
        for line in self.log_lines():
            self.lab.kubectl("exec", "-i", "-n", NAMESPACE, "robust-planted", "--", "sh", "-c", "cat > /proc/1/fd/1", text=line + "\n")
        jaeger = self.lab.get("service", "-n", "observe", "jaeger")["spec"]["clusterIP"]
        attribute = lambda key, value: {"key": key, "value": {"stringValue": value}}
        values = {"arrayValue": {"values": [{"stringValue": f"sid={self.planted['span-cookie']}"}]}}
        now = time.time_ns()
        span = {"traceId": secrets.token_hex(16), "spanId": secrets.token_hex(8), "name": "GET /planted", "kind": 2,
                "startTimeUnixNano": str(now - 5_000_000), "endTimeUnixNano": str(now), "attributes": [
                    attribute("http.request.header.authorization", f"Bearer {self.planted['span-authorization']}"),
                    {"key": "http.request.header.cookie", "value": values},
                    attribute("http.request.header.x-api-key", self.planted["span-api-key"]),
                    attribute("db.statement", f"ALTER USER geo PASSWORD '{self.planted['span-statement']}'")],
                "events": [{"timeUnixNano": str(now), "name": "retry", "attributes": [
                    attribute("http.url", f"http://x/?api_key={self.planted['span-event']}")]}]}
        body = {"resourceSpans": [{"resource": {"attributes": [attribute("service.name", "robust-planted")]},
                                   "scopeSpans": [{"scope": {"name": "robust"}, "spans": [span]}]}]}
        request = urllib.request.Request(f"http://{jaeger}:4318/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).read()
        self.lab.kubectl("create", "-f", "-", text=json.dumps({
            "apiVersion": "v1", "kind": "Event", "metadata": {"generateName": "robust-", "namespace": NAMESPACE},
            "involvedObject": {"kind": "Pod", "namespace": NAMESPACE, "name": "robust-planted"}, "type": "Warning",
            "reason": "Failed", "message": f"dial postgres://geo:{self.planted['event']}@db refused"}))

    def after(self, snapshot):
        forms = {}
        for place, secret in self.planted.items():
            # Base64 of it, wherever it begins within three bytes.
            encoded = [base64.b64encode(b"\0" * shift + secret.encode())[4 if shift else 0:-4] for shift in range(3)]
            forms[place] = [secret.encode(), secret.encode().hex().encode(), *encoded]
        found, read, lines = set(), 0, 0
        for name, content in decoded(self.lab, snapshot):
            read += 1
            lines += content.count(b"robust-planted")
            found |= {f"{place} in {name}" for place, many in forms.items() if any(form in content for form in many)}
            for packed in re.findall(rb"H4sI[A-Za-z0-9+/=]{60,}", content):
                text = gzip.decompress(base64.b64decode(packed))
                found |= {f"{place} in {name}, packed" for place, many in forms.items() if any(form in text for form in many)}
        assert not found, "; ".join(sorted(found))
        assert lines > 10, "what was planted was not recorded at all"
        spans = self.lab.sql(snapshot, "select attributes from raw.spans where service = 'robust-planted'")
        logged = self.lab.sql(snapshot, "select count(*) c from log_lines where pod = 'robust-planted'")[0]["c"]
        events = self.lab.sql(snapshot, "select cells from object_versions where resource = 'events' and object like '%dial postgres%'")
        assert len(spans) == 1 and logged == len(self.log_lines()) and events, (spans, logged, events)
        return f"{len(self.planted)} secrets planted, none in {read} tables and files; {logged} log lines, the span and the event are there"

    def clean(self):
        super().clean()
        for what in ("secret/robust-planted", "secret/sh.helm.release.v1.robust.v1", "configmap/robust-release", "configmap/robust-planted"):
            self.lab.kubectl("delete", "-n", NAMESPACE, "--ignore-not-found", what)
        self.lab.kubectl("delete", "events", "-n", NAMESPACE, "--field-selector", "involvedObject.name=robust-planted")


# Prints nothing itself, and ends when it is told to.
LOGGER = "$SIG{TERM} = sub { exit 0 }; sleep 1 while 1;"
CHECKS = {check.name: check for check in (Prometheus, Api, Pod, Secrets, Logs, Objects)}
