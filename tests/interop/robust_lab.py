"""The cluster, for the checks of robust.py: kubectl, processes of pods, SQL on snapshots."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

NAMESPACE = "hotel-testbed"
MANIFESTS = pathlib.Path(__file__).resolve().parents[2] / "testbed" / "manifests"
IMAGE = "docker.io/aiopslab/toolbox:1"
# Writes numbered lines, a certain number of them only when it gets SIGUSR1; says in the end how many there were.
WRITER = r"""
$| = 1; my ($rate, $bytes, $most) = @ARGV; my ($n, $pad, $end) = (0, "x" x $bytes, 0);
$SIG{TERM} = sub { $end = 1 };
my $go = $most == 0; $SIG{USR1} = sub { $go = 1 };
select undef, undef, undef, 0.05 until $go || $end;
my $started = time;
while (!$end && ($most == 0 || $n < $most)) {
    for (1 .. $rate / 20) { last if $most && $n >= $most; printf "line %08d %s\n", $n++, $pad; }
    # In step with the clock, however long the writing took.
    my $ahead = $n / $rate - (time - $started); select undef, undef, undef, $ahead > 1 ? 1 : 0.05;
}
printf "wrote %08d\n", $n; sleep 3600 unless $end;
"""


def writer(name, rate, size, most=0):
    """A pod that writes so many lines a second, of so many bytes."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"robust": "yes"}},
            "spec": {"terminationGracePeriodSeconds": 5, "automountServiceAccountToken": False, "containers": [
                {"name": "writer", "image": IMAGE, "imagePullPolicy": "IfNotPresent",
                 "command": ["perl", "-e", WRITER, str(rate), str(size), str(most)]}]}}


class Lab:
    def __init__(self, aiopslab, kubectl):
        self.aiopslab, self.kubectl_path = aiopslab, kubectl

    def succeed(self, *command, text=None, limit=300):
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, input=text)
        assert done.returncode == 0, f"{command[:6]} failed with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def kubectl(self, *words, text=None):
        return self.succeed(self.kubectl_path, *words, text=text)

    def apply(self, *objects):
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        return self.kubectl("apply", "-f", "-", text=document)

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def has_namespace(self, name):
        return self.kubectl("get", "namespace", name, "--ignore-not-found", "-o", "name") != ""

    def bring_up(self):
        """The application, so that more can be put beside it before the capture, which waits until it is healthy."""
        is_going = lambda: "Terminating" in self.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "--no-headers")
        wait(lambda: not is_going(), 120, "the namespace that was being deleted is gone")
        if not self.has_namespace(NAMESPACE):
            # Not workload.yaml, which the capture starts itself.
            for file in sorted(MANIFESTS.glob("[0-9]*.yaml")):
                self.kubectl("apply", "-f", str(file))

    def delete_namespace(self, name):
        self.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=150s")

    def wait_running(self, *pods):
        self.kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=60s", *(f"pod/{pod}" for pod in pods))

    def kill(self, namespace, pod, program):
        """Kills a pod's process of this name with SIGKILL; returns its pid."""
        uid = self.get("pod", "-n", namespace, pod)["metadata"]["uid"]
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if uid in (folder / "cgroup").read_text() and os.path.basename(words[0].decode()) == program:
                    os.kill(int(folder.name), 9)
                    return int(folder.name)
            except (OSError, ValueError):
                continue
        raise AssertionError(f"no process {program} of pod {pod}")

    def sql(self, snapshot, query):
        rows = self.succeed(self.aiopslab, "sql", "--snapshot", str(snapshot), "--format", "json", query)
        return [json.loads(row) for row in rows.splitlines()]

    def holes(self, snapshot, table, scope=""):
        """What coverage tells to be missing: from, to (ns), reason."""
        rows = self.sql(snapshot, 'select arrow_cast("from", \'Int64\') f, arrow_cast("to", \'Int64\') t, reason, scope, state '
                        f"from coverage where \"table\" = '{table}' and state <> 'recorded'")
        return [(row["f"], row["t"], row.get("reason", "")) for row in rows if scope in row["scope"]]

    def lines(self, snapshot, pod):
        """Numbers and times (ns) of a writer's lines, by instance, in order; and how many it said there were."""
        rows = self.sql(snapshot, "select instance_id i, arrow_cast(timestamp, 'Int64') t, "
                        "substr(arrow_cast(message, 'Utf8'), 1, 5) w, arrow_cast(substr(arrow_cast(message, 'Utf8'), 6, 9), 'Int64') n "
                        f"from log_lines where pod = '{pod}' order by instance_id, seq")
        instances = {}
        for row in rows:
            lines, said = instances.setdefault(row["i"], ([], []))
            (said if row["w"] == "wrote" else lines).append((row["n"], row["t"]))
        return instances


def audit(lines, holes, said=None, end=None):
    """Counts numbered lines; every one that is missing must lie in a hole that coverage tells of."""
    seen, missing, silent = set(), 0, []
    before = None
    for number, at in lines:
        assert number not in seen, f"line {number} is there twice"
        seen.add(number)
        if before and number != before[0] + 1:
            missing += number - before[0] - 1
            if not any(start <= before[1] + 1_000_000 and at - 1_000_000 <= stop for start, stop, _ in holes):
                silent.append((before[0] + 1, number - 1))
        before = (number, at)
    last = before[0] + 1 if before else 0
    if said is not None and last < said:
        missing += said - last
        at = before[1] if before else 0
        if not any(start <= at + 1_000_000 and stop >= (end or at) for start, stop, _ in holes):
            silent.append((last, said - 1))
    assert not silent, f"lines {silent[:5]} are missing, and coverage does not tell: {holes}"
    return len(seen), missing


def decoded(lab, snapshot):
    """The rows of every table as JSON, what is withheld too, and every other file as it is."""
    manifest = json.loads((snapshot / "manifest.json").read_text())
    withheld = json.loads((snapshot / "withheld" / "files.json").read_text())
    tables = {"coverage", "metric_series", "metric_metadata", "log_instances", "log_lines", "spans", "object_versions",
              "object_api", "usage", "exec"}
    with tempfile.TemporaryDirectory() as folder:
        # The withheld tables as a snapshot of their own.
        other = pathlib.Path(folder, "withheld")
        shutil.copytree(snapshot / "withheld", other)
        files = {path.removeprefix("withheld/"): entry for path, entry in withheld.items() if path.endswith(".parquet")}
        (other / "manifest.json").write_text(json.dumps(manifest | {"files": files}))
        for name, place in (("", snapshot), ("withheld/", other)):
            for table in sorted(tables):
                binary = {"log_lines": ["message"], "exec": ["stdout", "stderr"]}.get(table, [])
                columns = "".join(f", arrow_cast({column}, 'Utf8') as text_{column}" for column in binary)
                query = f"select *{columns} from raw.{table}"
                yield name + table, lab.succeed(lab.aiopslab, "sql", "--snapshot", str(place), "--format", "json", query).encode()
    for file in sorted(path for path in snapshot.rglob("*") if path.is_file()):
        yield str(file.relative_to(snapshot)), file.read_bytes()
        if file.suffix == ".zst":
            yield f"{file.name}, unpacked", subprocess.run(["zstd", "-dc", str(file)], capture_output=True, check=True).stdout


def wait(condition, limit, what):
    until = time.time() + limit
    while not condition():
        assert time.time() < until, f"not within {limit} s: {what}"
        time.sleep(0.5)
