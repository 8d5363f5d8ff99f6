#!/usr/bin/env python3
"""Snapshots without us: docs/formats/snapshot-v1.md is enough to write one and to read one.

    tests/interop/snapshot_format.py AIOPSLAB SNAPSHOT…

Writes a snapshot with pyarrow by what the document says; the program must verify it, find the same logical
digest and answer from it. Then ten questions on each SNAPSHOT are answered by DuckDB and by polars out of the
Parquet files, and by `aiopslab sql`: all three must agree. Needs duckdb, polars, pyarrow (PyPI).
"""
import csv
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile

import duckdb
import polars
import pyarrow
import pyarrow.compute
import pyarrow.parquet

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/formats/snapshot-v1.md"
TYPES = {
    "text": pyarrow.string(), "binary": pyarrow.binary(), "boolean": pyarrow.bool_(),
    "int32": pyarrow.int32(), "int64": pyarrow.int64(), "uint32": pyarrow.uint32(), "uint64": pyarrow.uint64(),
    "float64": pyarrow.float64(), "timestamp ms UTC": pyarrow.timestamp("ms", "UTC"),
    "timestamp ns UTC": pyarrow.timestamp("ns", "UTC"),
    "map text to text": pyarrow.map_(pyarrow.string(), pyarrow.field("value", pyarrow.string(), nullable=False)),
}
START = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
SECOND = 1_000_000_000


def documented():
    """The tables as the document describes them: name to file, schema and sort columns."""
    tables = {}
    section = DOCUMENT.read_text().split("\n## Tables")[1].split("\n## ")[0]
    for part in section.split("\n### `")[1:]:
        name = part.split("`")[0]
        file = part.split("File `")[1].split("`")[0]
        order = part.split("sorted by ")[1].split(".\n")[0].replace("`", "").split(", ")
        rows = [[cell.strip() for cell in line.split("|")] for line in part.splitlines() if line.startswith("| `")]
        fields = [pyarrow.field(row[1].strip("`"), TYPES[row[2]], nullable=row[3] == "yes") for row in rows]
        tables[name] = (file, pyarrow.schema(fields), order)
    return tables


def recording():
    """Rows of a small system: a service that fails, its caller, a log line of each, one object."""
    whole = {"source": "python", "scope": "", "from": START, "to": START + 60 * SECOND, "state": "recorded",
             "reason": None, "from_is_source_start": True}
    lacking = {**whole, "state": "missing", "reason": "nobody looked"}
    covered = [{"table": name, **(lacking if name in ("metric_metadata", "object_api", "usage", "exec") else whole)}
               for name in documented() if name != "coverage"]
    pods = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "cart-1", "namespace": "shop"}}
    text = {"attributes": "[]", "resource": "[]", "scope": None, "events": "[]", "links": "[]", "flags": 1,
            "warnings": None, "source": "python", "message": None}
    return {
        "coverage": covered,
        "metric_series": [{"series_id": 0, "source": "python", "name": "up", "namespace": "shop", "pod": "cart-1",
                           "labels": [("job", "shop"), ("namespace", "shop"), ("pod", "cart-1")], "container": None,
                           "node": None, "first": START // 1_000_000, "last": START // 1_000_000 + 30_000}],
        "metric_samples": [{"series_id": 0, "timestamp": START // 1_000_000 + at, "value": value, "histogram": None}
                           for at, value in ((0, 1.0), (30_000, float("nan")))],
        "log_instances": [{"instance_id": 0, "pod_uid": "u-1", "namespace": "shop", "pod": "cart-1", "container": "cart",
                           "role": "container", "restart": 0, "container_id": "", "node": "", "started": None,
                           "finished": None, "exit_code": None, "reason": None, "first_line_kept": True}],
        "log_lines": [{"instance_id": 0, "seq": seq, "timestamp": START + seq * SECOND, "message": line, "stream": None,
                       "namespace": "shop", "service": "cart", "pod": "cart-1", "container": "cart"}
                      for seq, line in enumerate((b"listening", b"not text: \xff", b"ERROR no stock"))],
        "spans": [{"trace_id": "1" * 32, "span_id": span, "parent_span_id": parent, "service": service, "operation": "buy",
                   "kind": "server", "start": START + at, "end": START + at + SECOND, "status": status, **text}
                  for span, parent, service, at, status in (("a" * 16, None, "frontend", 0, "ok"),
                                                            ("b" * 16, "a" * 16, "cart", 1000, "error"))],
        "object_versions": [{"seq": 0, "event": "initial", "observed": START, "exact": False, "valid_from": START,
                             "valid_to": None, "group": "", "version": "v1", "resource": "pods", "kind": "Pod",
                             "namespace": "shop", "name": "cart-1", "uid": "u-1", "resource_version": "1",
                             "object": json.dumps(pods), "cells": None}],
    }


def digest(tables):
    """The logical digest, as the document defines it."""
    whole = hashlib.sha256()

    def cell(column, value):
        column.update(b"\0" if value is None else b"\1" + len(value).to_bytes(8, "little") + value)

    for name, table in tables:
        whole.update(name.encode())
        for field, values in zip(table.schema, table.columns):
            column = hashlib.sha256()
            if pyarrow.types.is_map(field.type):
                for entries in values.to_pylist():
                    cell(column, len(entries).to_bytes(8, "little"))
                    for text in (part for entry in entries for part in entry):
                        cell(column, text.encode())
            elif pyarrow.types.is_string(field.type) or pyarrow.types.is_binary(field.type):
                for value in values.cast(pyarrow.binary()).to_pylist():
                    cell(column, value)
            elif pyarrow.types.is_boolean(field.type):
                for value in values.to_pylist():
                    cell(column, None if value is None else bytes([value]))
            else:
                # The bits of the values, NaN payloads and nanoseconds included.
                array, width = values.combine_chunks(), field.type.bit_width // 8
                bits = (array.buffers()[1] or pyarrow.py_buffer(b"")).to_pybytes()
                for at, known in enumerate(array.is_valid().to_pylist(), array.offset):
                    cell(column, bits[at * width:(at + 1) * width] if known else None)
            whole.update(b"\0" + field.name.encode() + column.digest())
    return whole.hexdigest()


def read(folder):
    """The visible tables of a snapshot, in the document's order."""
    return [(name, pyarrow.parquet.read_table(folder / file)) for name, (file, _, _) in documented().items()]


def write(folder):
    """Writes a snapshot by the document, without `withheld/`."""
    rows, files = recording(), {}
    for name, (file, schema, order) in documented().items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pyarrow.Table.from_pylist(rows.get(name, []), schema)
        pyarrow.parquet.write_table(table.sort_by([(column, "ascending") for column in order]), path)
        content = path.read_bytes()
        files[file] = {"rows": table.num_rows, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = {
        "format_version": "1", "snapshot": "0123456789abcdef", "application": "shop", "namespaces": ["shop"],
        "service_label": "app", "versions": {}, "clock_offsets": {}, "recorders": {}, "settings": {},
        "observed": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:01:00Z"}, "end": "2026-01-01T00:01:00Z",
        "state": "complete", "files": files, "redaction": {"rules": [], "values": 0},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True))


# Each question for everyone, or where dialects differ for: aiopslab (DataFusion), DuckDB, polars.
QUESTIONS = {
    "log lines by pod": "SELECT namespace, pod, count(*) AS n FROM log_lines GROUP BY namespace, pod ORDER BY namespace, pod",
    "lines that tell of errors": (
        "SELECT pod, count(*) AS n FROM log_lines WHERE TRY_CAST(message AS VARCHAR) LIKE '%rror%' GROUP BY pod ORDER BY pod",
        "SELECT pod, count(*) AS n FROM log_lines WHERE message::VARCHAR LIKE '%rror%' GROUP BY pod ORDER BY pod",
        lambda tables: tables["log_lines"].filter(polars.col("message").bin.contains(b"rror")).group_by("pod").len().sort("pod")),
    "spans by service and status": "SELECT service, status, count(*) AS n FROM spans GROUP BY service, status ORDER BY service, status",
    "time by operation, nanoseconds": (
        'SELECT service, operation, sum(CAST("end" AS BIGINT) - CAST(start AS BIGINT)) AS ns FROM spans GROUP BY service, operation ORDER BY service, operation',
        'SELECT service, operation, sum(epoch_ns("end") - epoch_ns(start))::BIGINT AS ns FROM spans GROUP BY service, operation ORDER BY service, operation',
        lambda tables: tables["spans"].group_by("service", "operation").agg(
            (polars.col("end") - polars.col("start")).dt.total_nanoseconds().sum()).sort("service", "operation")),
    "who calls whom": "SELECT p.service AS caller, c.service AS callee, count(*) AS n FROM spans AS c JOIN spans AS p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id WHERE p.service <> c.service GROUP BY p.service, c.service ORDER BY caller, callee",
    "samples by metric": "SELECT s.name, count(*) AS n FROM metric_samples AS m JOIN metric_series AS s ON m.series_id = s.series_id GROUP BY s.name ORDER BY s.name",
    "series by job": (
        "SELECT labels['job'] AS job, count(*) AS n FROM metric_series WHERE labels['job'] IS NOT NULL GROUP BY labels['job'] ORDER BY job",
        "SELECT labels['job'] AS job, count(*) AS n FROM metric_series WHERE labels['job'] IS NOT NULL GROUP BY ALL ORDER BY job",
        lambda tables: tables["metric_series"].group_by(polars.col("labels").map.get("job").alias("job")).len()
            .drop_nulls("job").sort("job")),
    "objects and their versions": "SELECT resource, count(*) AS n, count(DISTINCT uid) AS objects FROM object_versions GROUP BY resource ORDER BY resource",
    "kinds of what is there at the end": (
        "SELECT json_get_str(object, 'kind') AS k, count(*) AS n FROM object_versions WHERE valid_to IS NULL GROUP BY 1 ORDER BY 1",
        "SELECT json_extract_string(object, '$.kind') AS k, count(*) AS n FROM object_versions WHERE valid_to IS NULL GROUP BY 1 ORDER BY 1",
        lambda tables: tables["object_versions"].filter(polars.col("valid_to").is_null())
            .group_by(polars.col("object").str.json_path_match("$.kind").alias("k")).len().sort("k")),
    "most memory": "SELECT kind, name, max(memory_bytes) AS bytes, count(*) AS n FROM usage GROUP BY kind, name ORDER BY kind, name",
}


def plain(rows):
    return [tuple("" if cell is None else str(cell) for cell in row) for row in rows]


def ask(aiopslab, folder):
    """Asks everyone everything; returns how many rows were compared."""
    tables = {name: folder / file for name, (file, _, _) in documented().items()}
    database = duckdb.connect()
    for name, path in tables.items():
        database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{path}')")
    frames = {name: polars.scan_parquet(path) for name, path in tables.items()}
    context = polars.SQLContext(frames)
    compared = 0
    for title, question in QUESTIONS.items():
        ours, theirs, frame = question if isinstance(question, tuple) else (question, question, None)
        # `spans` alone are those that had ended by the snapshot's end.
        ours = ours.replace(" spans", " raw.spans")
        said = succeed(aiopslab, "sql", "-s", str(folder), "--format", "csv", ours)
        answers = {
            "aiopslab": plain(list(csv.reader(io.StringIO(said)))[1:]),
            "duckdb": plain(database.execute(theirs).fetchall()),
            "polars": plain((frame(frames) if frame else context.execute(question)).collect().rows()),
        }
        for name, answer in answers.items():
            assert answer == answers["aiopslab"], f"{folder.name}: {title}\naiopslab: {answers['aiopslab'][:5]}\n{name}: {answer[:5]}"
        compared += len(answers["aiopslab"])
    return compared


def succeed(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command} failed with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def main():
    aiopslab, folders = sys.argv[1], [pathlib.Path(path) for path in sys.argv[2:]]
    with tempfile.TemporaryDirectory() as temporary:
        ours = pathlib.Path(temporary, "written-in-python")
        ours.mkdir()
        write(ours)
        failed = succeed(aiopslab, "sql", "-s", str(ours), "--format", "csv", "SELECT service FROM raw.spans WHERE status = 'error'")
        assert failed.split() == ["service", "cart"], failed
        for folder in [ours, *folders]:
            checks = json.loads(succeed(aiopslab, "snapshot", "verify", str(folder), "--json"))["checks"]
            said = next(check["detail"] for check in checks if check["name"] == "logical digest")
            computed = digest(read(folder))
            assert said == computed, f"{folder}: the digest is {computed}, the program says {said}"
            print(f"{folder.name}: {len(QUESTIONS)} questions, {ask(aiopslab, folder)} rows, the same digest", flush=True)
    print(f"snapshot format: {1 + len(folders)} snapshots, {len(QUESTIONS)} questions each, three engines agree")


main()
