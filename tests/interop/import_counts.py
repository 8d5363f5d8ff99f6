#!/usr/bin/env python3
"""What an import of a data set must count, computed from its files by other means than the importer's.

import_counts.py FORMAT SOURCE prints, per incident, rows by what they are (read, written, quarantined,
outside: of another time), samples, and defects by name; of a support bundle, per file, the objects or the
lines. Python's standard library only.
"""

import csv
import datetime
import gzip
import json
import pathlib
import re
import struct
import sys

csv.field_size_limit(1 << 30)


def rows_of(path):
    """The header and the rows; None stands for one that breaks RFC 4180."""
    table = []
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        while True:
            try:
                table.append(next(reader))
            except csv.Error:
                table.append(None)
            except StopIteration:
                break
    return table[0], [row for row in table[1:] if row != []]


class Incident:
    """Counts of one incident."""

    def __init__(self):
        self.rows = {}
        self.defects = {}
        self.samples = 0
        self.seen = set()

    def defect(self, name, count=1):
        if count:
            self.defects[name] = self.defects.get(name, 0) + count

    def tally(self, kind, what):
        tally = self.rows.setdefault(kind, {"read": 0, "written": 0, "quarantined": 0, "outside": 0})
        tally["read"] += 1
        tally[what] += 1

    def result(self):
        return {"rows": self.rows, "defects": self.defects, "samples": self.samples}


def seconds(text):
    moment = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    return int(moment.replace(tzinfo=datetime.timezone.utc).timestamp())


def minute(second):
    return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%H_%M")


def nezha(source):
    incidents = {}
    for labels in sorted(source.glob("rca_data/*/*-fault_list.json")):
        day = labels.parent
        faults = [fault for hour in json.loads(labels.read_text()).values() for fault in hour]
        times = [seconds(fault["inject_time"]) for fault in faults]
        # The name of a minute's files is the minute after the one that is in them.
        own = {time: time // 60 * 60 + 60 for time in times}

        def is_there(end, time):
            has = all((day / kind / f"{minute(end)}_{kind}.csv").exists() for kind in ("log", "trace"))
            return has and not any(own[other] == end for other in times if other != time)

        for fault, time in zip(faults, times):
            ends = []
            for end in (own[time], own[time] + 60, own[time] + 120):
                if not is_there(end, time):
                    break
                ends.append(end)
            if not ends:
                continue
            for end in (own[time] - 60, own[time] - 120):
                if not is_there(end, time):
                    break
                ends.insert(0, end)
            name = "nezha-" + datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H%MZ")
            incidents[name] = one_of_nezha(source, day, fault, time, ends).result()
    return incidents


def one_of_nezha(source, day, fault, time, ends):
    incident = Incident()
    incident.defect("inject_timestamp", int(int(fault["inject_timestamp"]) != time))
    construct = source / "construct_data" / day.name
    logs = sorted(construct.glob("log/*_log.csv")) + [day / "log" / f"{minute(end)}_log.csv" for end in ends]
    traces = sorted(construct.glob("trace/*_trace.csv")) + [day / "trace" / f"{minute(end)}_trace.csv" for end in ends]
    for path in logs:
        for row in rows_of(path)[1]:
            if row is None:
                incident.defect("malformed_row")
                incident.tally("log rows", "quarantined")
                continue
            if (key := ("log", *row)) in incident.seen:
                incident.defect("duplicate_row")
                incident.tally("log rows", "quarantined")
                continue
            incident.seen.add(key)
            incident.tally("log rows", "written")
            stamp = int(row[1])
            if stamp < 0:
                incident.defect("go_zero_time")
                text = json.loads(row[7])["time"]
                stamp = seconds(text[:19].replace("T", " ")) * 10**9
            clock = json.loads(row[7])["log"][:8]
            if clock[2:3] == ":" and clock[5:6] == ":" and clock.replace(":", "").isdigit():
                hours, minutes, rest = map(int, clock.split(":"))
                ahead = (hours * 3600 + minutes * 60 + rest - stamp // 10**9) % 86400
                incident.defect("message_clock_is_utc_plus_8", int(abs(ahead - 28800) <= 60))
    spans, parents, roots = set(), [], {}
    for path in traces:
        for row in rows_of(path)[1]:
            if (key := ("span", *row)) in incident.seen:
                incident.defect("duplicate_row")
                incident.tally("span rows", "quarantined")
                continue
            incident.seen.add(key)
            incident.tally("span rows", "written")
            incident.defect("span_id_used_twice", int((row[0], row[1]) in spans))
            spans.add((row[0], row[1]))
            roots.setdefault(row[0], 0)
            if row[2] == "root":
                roots[row[0]] += 1
            else:
                parents.append((row[0], row[2]))
    incident.defect("orphan_span", sum(parent not in spans for parent in parents))
    incident.defect("several_roots", sum(count > 1 for count in roots.values()))
    incident.defect("no_root", sum(count == 0 for count in roots.values()))
    first, last = time // 60 * 60 - 900, [end for end in ends if end > time][-1] + 15
    kinds = {
        "front_service.csv": "front-end metric rows",
        "source_50.csv": "edge metric rows (source)",
        "destination_50.csv": "edge metric rows (destination)",
    }
    for path in sorted(day.glob("metric/*.csv")):
        kind = kinds.get(path.name, "pod metric rows")
        if path.name == "dependency.csv":
            continue
        header, rows = rows_of(path)
        labels = 2 if kind.startswith("edge") else 3
        taken = set()
        for row in rows:
            told = seconds(row[0][:19])
            if not first <= told < last:
                incident.tally(kind, "outside")
                continue
            # A row's time has a fraction, but for the tables of edges.
            if (key := (row[0] if labels == 3 else row[1])) in taken:
                incident.defect("duplicate_sample")
                incident.tally(kind, "quarantined")
                continue
            taken.add(key)
            incident.tally(kind, "written")
            incident.samples += sum(1 for value in row[labels:] if value)
            if labels == 3 and abs(int(row[1]) - told) > 1:
                near = [str(told + shift) for shift in (-1, 0, 1)]
                near = [text.replace("67", "81").replace("66", "86").replace("65", "86") for text in near]
                incident.defect("timestamp_digits_replaced" if row[1] in near else "timestamp_is_not_time")
    return incident


def petshop(source):
    incidents = {}
    for path in sorted(source.glob("*/*/issue_*/metrics.csv")) + sorted(source.glob("*/noissue/metrics.csv")):
        incident = Incident()
        incident.defect("label_in_path")
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file, strict=True))[4:]
        time, traffic = float(rows[0][0]), path.relative_to(source).parts[0]
        target = path.parent / "target.json"
        if target.exists():
            time = json.loads(target.read_text())["target"]["timestamp"]
        for row in rows:
            if (key := float(row[0])) in incident.seen:
                incident.defect("duplicate_sample")
                incident.tally("metric rows", "quarantined")
                continue
            incident.seen.add(key)
            incident.tally("metric rows", "written")
            incident.samples += sum(1 for value in row[1:] if value)
        clock = datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H%MZ")
        incidents[f"petshop-{traffic.replace('_', '-')}-{clock}"] = incident.result()
    return incidents


def aiopslab_export(source):
    incident = Incident()
    sampled, traced = [], []
    for path in sorted(source.glob("metrics_output/*/*/kpi_*.csv")):
        for row in rows_of(path)[1]:
            sampled.append(int(row[0]) * 10**6)
            key = (row[0], row[1], row[2])
            incident.defect("collapsed_series", int(key in incident.seen))
            incident.seen.add(key)
            incident.tally("metric rows", "written")
            incident.samples += 1
    spans, parents, roots = set(), [], {}
    for path in sorted(source.glob("trace_output/*.csv")):
        for row in rows_of(path)[1]:
            if (key := tuple(row)) in incident.seen:
                incident.defect("duplicate_row")
                incident.tally("span rows", "quarantined")
                continue
            incident.seen.add(key)
            incident.tally("span rows", "written")
            incident.defect("span_id_used_twice", int((row[0], row[1]) in spans))
            spans.add((row[0], row[1]))
            traced += [int(row[5]), int(row[5]) + int(row[6])]
            roots[row[0]] = roots.get(row[0], 0) + int(row[2] == "ROOT")
            if row[2] != "ROOT":
                parents.append((row[0], row[2]))
    incident.defect("orphan_span", sum(parent not in spans for parent in parents))
    incident.defect("several_roots", sum(count > 1 for count in roots.values()))
    incident.defect("no_root", sum(count == 0 for count in roots.values()))
    apart = max(traced) < min(sampled) or max(sampled) < min(traced)
    incident.defect("modalities_do_not_overlap", int(apart))
    return {"": incident.result()}


def text_lines(path):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="\n") as file:
        yield from file


def otlp(source):
    incident = Incident()
    spans, parents, roots, when = set(), [], {}, {"spans": [], "log records": [], "data points": []}
    for path in sorted(source.rglob("*.jsonl*")):
        for line in text_lines(path):
            document = json.loads(line)
            for of in document.get("resourceSpans", []):
                for span in (span for scope in of["scopeSpans"] for span in scope["spans"]):
                    if (key := (json.dumps(of["resource"]), json.dumps(span))) in incident.seen:
                        incident.defect("duplicate_row")
                        incident.tally("spans", "quarantined")
                        continue
                    incident.seen.add(key)
                    incident.tally("spans", "written")
                    incident.defect("span_id_used_twice", int((span["traceId"], span["spanId"]) in spans))
                    spans.add((span["traceId"], span["spanId"]))
                    roots[span["traceId"]] = roots.get(span["traceId"], 0) + int(not span["parentSpanId"])
                    if span["parentSpanId"]:
                        parents.append((span["traceId"], span["parentSpanId"]))
                    when["spans"] += [int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])]
            for of in document.get("resourceLogs", []):
                for record in (record for scope in of["scopeLogs"] for record in scope["logRecords"]):
                    if int(record["timeUnixNano"]) < 0:
                        incident.defect("unreadable_value")
                        incident.tally("log records", "quarantined")
                        continue
                    incident.tally("log records", "written")
                    body = record["body"]["stringValue"]
                    around = any(record[name] and record[name] not in body for name in ("traceId", "spanId"))
                    incident.defect("record_around_line", int(around))
                    when["log records"].append(int(record["timeUnixNano"]))
            for of in document.get("resourceMetrics", []):
                for metric in (metric for scope in of["scopeMetrics"] for metric in scope["metrics"]):
                    for point in metric["gauge"]["dataPoints"]:
                        at = int(point["timeUnixNano"]) // 10**6
                        if (key := (json.dumps(of["resource"]), metric["name"], at)) in incident.seen:
                            incident.defect("duplicate_sample")
                            incident.tally("data points", "quarantined")
                            continue
                        incident.seen.add(key)
                        incident.tally("data points", "written")
                        incident.samples += 1
                        when["data points"].append(int(point["timeUnixNano"]))
    incident.defect("orphan_span", sum(parent not in spans for parent in parents))
    incident.defect("several_roots", sum(count > 1 for count in roots.values()))
    incident.defect("no_root", sum(count == 0 for count in roots.values()))
    ranges = [(min(times), max(times)) for times in when.values() if times]
    apart = any(one[1] < other[0] or other[1] < one[0] for one in ranges for other in ranges)
    incident.defect("modalities_do_not_overlap", int(apart))
    return {"": incident.result()}


def openmetrics(source):
    incident = Incident()
    for path in sorted(source.rglob("*.om*")):
        ended = False
        for line in text_lines(path):
            ended = line == "# EOF\n"
            if line.startswith("#"):
                continue
            series, _, at = re.fullmatch(r"(.*\}) (\S+) (\S+)\n", line).groups()
            if (key := (series, round(float(at) * 1000))) in incident.seen:
                incident.defect("duplicate_sample")
                incident.tally("samples", "quarantined")
                continue
            incident.seen.add(key)
            incident.tally("samples", "written")
            incident.samples += 1
        incident.defect("no_eof", int(not ended))
    return {"": incident.result()}


def varint(content, at):
    number = shift = 0
    while True:
        byte, at = content[at], at + 1
        number, shift = number | (byte & 127) << shift, shift + 7
        if byte < 128:
            return number, at


def unpacked(block):
    """A block of snappy."""
    length, at = varint(block, 0)
    out = bytearray()
    while at < len(block):
        tag, at = block[at], at + 1
        if tag & 3 == 0:
            size = tag >> 2
            if size >= 60:
                more = size - 59
                size, at = int.from_bytes(block[at:at + more], "little"), at + more
            out += block[at:at + size + 1]
            at += size + 1
            continue
        if tag & 3 == 1:
            size, back, at = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | block[at], at + 1
        else:
            width = 2 if tag & 3 == 2 else 4
            size, back, at = (tag >> 2) + 1, int.from_bytes(block[at:at + width], "little"), at + width
        for _ in range(size):
            out.append(out[-back])
    assert len(out) == length
    return bytes(out)


def fields(message):
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 2:
            size, at = varint(message, at)
            value, at = message[at:at + size], at + size
        elif key & 7 == 1:
            value, at = struct.unpack("<d", message[at:at + 8])[0], at + 8
        else:
            value, at = varint(message, at)
        yield key >> 3, value


def remote_read(source):
    incident = Incident()
    for path in sorted(source.rglob("*.snappy")):
        answers = (answer for _, answer in fields(unpacked(path.read_bytes())))
        for series in (series for answer in answers for _, series in fields(answer)):
            told = tuple(tuple(value for _, value in fields(label)) for tag, label in fields(series) if tag == 1)
            for sample in (sample for tag, sample in fields(series) if tag == 2):
                if (key := (told, dict(fields(sample)).get(2, 0))) in incident.seen:
                    incident.defect("duplicate_sample")
                    incident.tally("samples", "quarantined")
                    continue
                incident.seen.add(key)
                incident.tally("samples", "written")
                incident.samples += 1
    return {"": incident.result()}


def must_gather(source):
    """Of a must-gather whose YAML is JSON: objects, and lines of the logs whose pods are there."""
    incident = Incident()
    root = next(source.rglob("namespaces")).parent
    pods = set()
    for path in sorted(root.rglob("*.yaml")):
        document = json.loads(path.read_text().removeprefix("---\n"))
        for item in document.get("items", [document]) or []:
            incident.tally("objects", "written")
            if path.name == "pods.yaml":
                pods.add((item["metadata"]["namespace"], item["metadata"]["name"]))
    for path in sorted(root.glob("namespaces/*/pods/*/*/*/logs/*.log")):
        current = path.with_name("current.log")
        # The log of one instance, under both names.
        is_twice = path.name == "previous.log" and current.is_file() and current.read_bytes() == path.read_bytes()
        if (path.parts[-7], path.parts[-5]) in pods and not is_twice:
            for _ in text_lines(path):
                incident.tally("log lines", "written")
    return {"": incident.result()}


def support_bundle(source):
    """Of a support bundle: how many objects or lines each file has that has any."""
    root = next(source.rglob("cluster-resources"))
    counts = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name = path.relative_to(root.parent).as_posix()
        if path.suffix == ".log":
            counts[name] = {"log lines": sum(1 for _ in text_lines(path))}
        elif path.suffix == ".yaml":
            # A list whose items begin at the margin.
            counts[name] = {"objects": sum(line.startswith("- ") for line in text_lines(path))}
        else:
            document = json.loads(path.read_text())
            if isinstance(document, dict) and "items" in document:
                counts[name] = {"objects": len(document["items"] or [])}
    return counts


if __name__ == "__main__":
    formats = {
        "nezha": nezha, "petshop": petshop, "aiopslab-export": aiopslab_export, "otlp": otlp, "openmetrics": openmetrics,
        "remote-read": remote_read, "must-gather": must_gather, "k8s-support-bundle": support_bundle,
    }
    counts = formats[sys.argv[1]](pathlib.Path(sys.argv[2]))
    print(json.dumps(counts, indent=1, sort_keys=True))
