#!/usr/bin/env python3
"""Sources for imports of formats of which no real files are at hand, made of real data of other formats.

import_sources.py FORMAT DATA OUT writes a source of FORMAT into the new folder OUT: otlp, openmetrics, remote-read of the
Train-Ticket day of Nezha (DATA/nezha), must-gather of a support bundle (DATA/k8s-support-bundle). Python's standard library only.
"""

import csv
import gzip
import json
import pathlib
import re
import struct
import sys

csv.field_size_limit(1 << 30)
DAY = "2023-01-29"
MINUTES = ("09_34", "09_35", "09_36")
BATCH = 500


def rows(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        header = next(reader)
        while True:
            try:
                yield dict(zip(header, next(reader), strict=True))
            except (csv.Error, ValueError):
                continue
            except StopIteration:
                return


def service(pod):
    return re.sub(r"-[0-9a-z]+-[0-9a-z]{5}$", "", pod)


def text(key, value):
    return {"key": key, "value": {"stringValue": value}}


def resource(pod):
    return {"attributes": [text("service.name", service(pod)), text("k8s.pod.name", pod), text("k8s.namespace.name", "train-ticket")]}


def batches(pairs):
    """Up to BATCH rows of one pod at a time."""
    held = {}
    for pod, row in pairs:
        batch = held.setdefault(pod, [])
        batch.append(row)
        if len(batch) == BATCH:
            yield pod, held.pop(pod)
    yield from held.items()


def lines(kind, scopes, member, pairs):
    for pod, batch in batches(pairs):
        scope = {"scope": {"name": "nezha"}, member: batch}
        yield json.dumps({kind: [{"resource": resource(pod), scopes: [scope]}]}, separators=(",", ":")) + "\n"


def otlp(data, out):
    day = data / "nezha/rca_data" / DAY

    def spans():
        for minute in MINUTES:
            for row in rows(day / f"trace/{minute}_trace.csv"):
                yield row["PodName"], {
                    "traceId": row["TraceID"], "spanId": row["SpanID"], "parentSpanId": "" if row["ParentID"] == "root" else row["ParentID"],
                    "name": row["OperationName"], "kind": 1, "startTimeUnixNano": row["StartTimeUnixNano"],
                    "endTimeUnixNano": row["EndTimeUnixNano"], "status": {}}

    def records():
        for minute in MINUTES:
            for row in rows(day / f"log/{minute}_log.csv"):
                line = json.loads(row["Log"])
                yield row["PodName"], {
                    "timeUnixNano": row["TimeUnixNano"], "body": {"stringValue": line["log"].rstrip("\n")},
                    "attributes": [text("log.iostream", line["stream"])], "traceId": row["TraceID"], "spanId": row["SpanID"]}

    def metrics():
        for pod, name, points in series(data):
            yield pod, {"name": name, "gauge": {"dataPoints": [
                {"timeUnixNano": str(at * 10**6), "asDouble": value} for at, value in points]}}

    (out / "traces.jsonl").write_text("".join(lines("resourceSpans", "scopeSpans", "spans", spans())))
    logs = "".join(lines("resourceLogs", "scopeLogs", "logRecords", records()))
    (out / "logs.jsonl.gz").write_bytes(gzip.compress(logs.encode(), mtime=0))
    (out / "metrics.jsonl").write_text("".join(lines("resourceMetrics", "scopeMetrics", "metrics", metrics())))


def series(data):
    """Pod, name and samples (ms, value) of every pod's metrics of an hour."""
    for path in sorted((data / "nezha/rca_data" / DAY / "metric").glob("*_metric.csv")):
        table = [row for row in rows(path) if row["Time"][11:13] == "09"]
        if not table:
            continue
        for name in list(table[0])[3:]:
            points = [(int(row["TimeStamp"]) * 1000 + int(row["Time"][20:23]), float(row[name])) for row in table if row[name] and row[name].lower() != "nan"]
            if points:
                yield table[0]["PodName"], re.sub(r"[^A-Za-z0-9]+", "_", name.replace("%", "percent")).strip("_"), points


def labels(pod):
    return {"namespace": "train-ticket", "pod": pod, "service": service(pod)}


def openmetrics(data, out):
    written = []
    for pod, name, points in series(data):
        told = ",".join(f'{key}="{value}"' for key, value in labels(pod).items())
        written += [f"{name}{{{told}}} {value!r} {at / 1000:.3f}\n" for at, value in points]
    half = len(written) // 2
    (out / "first.om").write_text("".join(written[:half]) + "# EOF\n")
    (out / "second.om.gz").write_bytes(gzip.compress(("".join(written[half:]) + "# EOF\n").encode(), mtime=0))


def varint(number):
    encoded = bytearray()
    while True:
        number, low = number >> 7, number & 127
        encoded.append(low | (128 if number else 0))
        if not number:
            return bytes(encoded)


def field(tag, content):
    return bytes([tag << 3 | 2]) + varint(len(content)) + content


def snappy(content):
    """A block of literals."""
    packed = bytearray(varint(len(content)))
    for at in range(0, len(content), 65536):
        piece = content[at:at + 65536]
        packed += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
    return bytes(packed)


def remote_read(data, out):
    """Answers of 20 minutes each; both ends of a time are in it, so that its neighbour has the last samples too."""
    known = list(series(data))
    times = [at for _, _, points in known for at, _ in points]
    first, number = min(times), 0
    while first <= max(times):
        last, answer = first + 20 * 60_000, b""
        for pod, name, points in known:
            inside = [(at, value) for at, value in points if first <= at <= last]
            if inside:
                named = sorted({"__name__": name, **labels(pod)}.items())
                told = b"".join(field(1, field(1, key.encode()) + field(2, value.encode())) for key, value in named)
                told += b"".join(field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(at)) for at, value in inside)
                answer += field(1, told)
        (out / f"{number:03}.snappy").write_bytes(snappy(field(1, answer)))
        border = max(at for at in times if at <= last)
        # The samples at the border are in both.
        first, number = border if first < border and last < max(times) else last + 1, number + 1


RESOURCES = {
    "configmaps": ("core", "configmaps"), "deployments": ("apps", "deployments"), "events": ("core", "events"),
    "jobs": ("batch", "jobs"), "pods": ("core", "pods"), "pvcs": ("core", "persistentvolumeclaims"),
    "replicasets": ("apps", "replicasets"), "services": ("core", "services"), "statefulsets": ("apps", "statefulsets"),
}


def must_gather(data, out):
    """JSON is YAML."""
    bundle = data / "k8s-support-bundle/support-bundle/cluster-resources"
    root = out / "must-gather.local.1/image"

    def write(path, document):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("---\n" + json.dumps(document, indent=1) + "\n")

    for name, (group, resource) in RESOURCES.items():
        for path in sorted((bundle / name).glob("*.json")):
            write(f"namespaces/{path.stem}/{group}/{resource}.yaml", json.loads(path.read_text()))
    for name in ("namespaces", "nodes"):
        listed = json.loads((bundle / f"{name}.json").read_text())
        for item in listed["items"]:
            item = {"kind": "Namespace" if name == "namespaces" else "Node", "apiVersion": "v1", **item}
            own = item["metadata"]["name"]
            write(f"namespaces/{own}/{own}.yaml" if name == "namespaces" else f"cluster-scoped-resources/core/nodes/{own}.yaml", item)
    for path in sorted((bundle / "pods/logs").glob("*/*/*.log")):
        container = path.stem.removesuffix("-previous")
        folder = root / "namespaces" / path.parts[-3] / "pods" / path.parts[-2] / container / container / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        name = "previous.log" if path.stem.endswith("-previous") else "current.log"
        # These logs have the times of the application; a must-gather's have the kubelet's before them.
        stamped = [f"2022-04-13T00:00:{number % 60:02}.000000000Z {line}\n" for number, line in enumerate(path.read_text().splitlines())]
        (folder / name).write_text("".join(stamped))
    (root / "timestamp").write_text("2022-04-14 00:29:00 +0000 UTC m=+0.1\n2022-04-14 00:30:00 +0000 UTC m=+60.1\n")


if __name__ == "__main__":
    formats = {"otlp": otlp, "openmetrics": openmetrics, "remote-read": remote_read, "must-gather": must_gather}
    target = pathlib.Path(sys.argv[3])
    target.mkdir(parents=True)
    formats[sys.argv[1]](pathlib.Path(sys.argv[2]), target)
