#!/usr/bin/env python3
"""What an import of a data set must count, computed from its files by other means than the importer's.

import_counts.py FORMAT SOURCE prints, per incident, rows by what they are (read, written, quarantined,
outside: of another time), samples, and defects by name. Python's standard library only.
"""

import csv
import datetime
import json
import pathlib
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


if __name__ == "__main__":
    formats = {"nezha": nezha, "petshop": petshop, "aiopslab-export": aiopslab_export}
    counts = formats[sys.argv[1]](pathlib.Path(sys.argv[2]))
    print(json.dumps(counts, indent=1, sort_keys=True))
