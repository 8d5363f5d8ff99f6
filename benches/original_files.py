#!/usr/bin/env python3
"""Imports and ten questions beside DuckDB over the original files.

    benches/original_files.py [--once] AIOPSLAB [DATA]

Imports the data sets of DATA (../shared/data) with the program AIOPSLAB (a release build) and prints rows, sizes and times of
each; then asks ten questions of what was imported with `aiopslab sql`, and of the original CSV files with DuckDB, whose SQL
makes the documented repairs itself (docs/import.md). The answers must be equal. Times are medians of whole processes: of
three imports, of five questions. Makes a venv with duckdb below ~/.cache/aiopslab/interop.
"""

import csv
import io
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
READERS = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "aiopslab/interop/readers"
IMPORTS, RUNS = 3, 5
INCIDENT = "nezha-2023-01-29T0934Z-1"
NOISSUE = "low_traffic/noissue/metrics.csv"

# DuckDB as a process: statements from the standard input, the answer of the last one as CSV.
DUCKDB = """
import csv, sys, duckdb
database = duckdb.connect()
answer = database.execute(sys.stdin.read())
csv.writer(sys.stdout).writerows(answer.fetchall())
"""

# Rows that two minutes' files have both are one row; lines with Go's zero time have the time of Docker.
SETUP = """
CREATE VIEW lines AS SELECT *, regexp_replace(PodName, '-[0-9a-z]+-[0-9a-z]{5}$', '') AS service,
  rtrim(json_extract_string(Log, '$.log'), chr(10)) AS message,
  CASE WHEN starts_with(TimeUnixNano, '-') THEN epoch_ns(CAST(json_extract_string(Log, '$.time') AS TIMESTAMP_NS))
       ELSE CAST(TimeUnixNano AS BIGINT) END AS moment
  FROM (SELECT DISTINCT * FROM read_csv(LOGS, all_varchar = true));
CREATE VIEW spans AS SELECT *, regexp_replace(PodName, '-[0-9a-z]+-[0-9a-z]{5}$', '') AS service,
  CAST(EndTimeUnixNano AS BIGINT) - CAST(StartTimeUnixNano AS BIGINT) AS took
  FROM (SELECT DISTINCT * FROM read_csv(TRACES, all_varchar = true));
CREATE VIEW samples AS SELECT DISTINCT ON (PodName, Time) * FROM read_csv(METRICS, all_varchar = true, union_by_name = true)
  WHERE Time[:19] >= '2023-01-29 09:19:00' AND Time[:19] < '2023-01-29 09:36:15';
"""
PETSHOP = """
CREATE VIEW cells AS SELECT * FROM (UNPIVOT (SELECT row_number() OVER () AS r, * FROM
  read_csv(NOISSUE, header = false, all_varchar = true)) ON COLUMNS(* EXCLUDE (r, column000)) INTO NAME place VALUE cell);
CREATE VIEW named AS SELECT place, max(cell) FILTER (r = 1) AS node, max(cell) FILTER (r = 2) AS metric,
  max(cell) FILTER (r = 3) AS statistic FROM cells WHERE r <= 3 GROUP BY place;
CREATE VIEW samples AS SELECT node, metric, statistic, CAST(cell AS DOUBLE) AS value FROM cells JOIN named USING (place) WHERE r > 4;
"""

TOOK = '(CAST("end" AS BIGINT) - CAST(start AS BIGINT))'
P95 = """WITH ranked AS (SELECT service, {took} AS took, row_number() OVER (PARTITION BY service ORDER BY {took}) AS nth,
  count(*) OVER (PARTITION BY service) AS n FROM {spans}) SELECT service, took FROM ranked WHERE nth = CAST(ceil(0.95 * n) AS BIGINT) ORDER BY service"""
# Question, of what, ours, DuckDB's.
QUESTIONS = [
    ("log lines per service", "nezha", "SELECT service, count(*) FROM log_lines GROUP BY service ORDER BY service",
     "SELECT service, count(*) FROM lines GROUP BY service ORDER BY service"),
    ("lines with ERROR per service", "nezha",
     "SELECT service, count(*) FROM log_lines WHERE strpos(CAST(message AS VARCHAR), 'ERROR') > 0 GROUP BY service ORDER BY service",
     "SELECT service, count(*) FROM lines WHERE contains(message, 'ERROR') GROUP BY service ORDER BY service"),
    ("first and last line per service (ns)", "nezha",
     "SELECT service, min(CAST(timestamp AS BIGINT)), max(CAST(timestamp AS BIGINT)) FROM log_lines GROUP BY service ORDER BY service",
     "SELECT service, min(moment), max(moment) FROM lines GROUP BY service ORDER BY service"),
    ("spans per service", "nezha", "SELECT service, count(*) FROM raw.spans GROUP BY service ORDER BY service",
     "SELECT service, count(*) FROM spans GROUP BY service ORDER BY service"),
    ("p95 of a span's duration per service (ns)", "nezha", P95.format(took=TOOK, spans="raw.spans"), P95.format(took="took", spans="spans")),
    ("slowest span per operation (ns)", "nezha", f"SELECT operation, max({TOOK}) FROM raw.spans GROUP BY operation ORDER BY operation",
     "SELECT OperationName, max(took) FROM spans GROUP BY ALL ORDER BY ALL"),
    ("calls between services", "nezha",
     "SELECT p.service, c.service, count(*) FROM raw.spans AS c JOIN raw.spans AS p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id"
     " WHERE p.service <> c.service GROUP BY p.service, c.service ORDER BY p.service, c.service",
     "SELECT p.service, c.service, count(*) FROM spans AS c JOIN spans AS p ON c.TraceID = p.TraceID AND c.ParentID = p.SpanID"
     " WHERE p.service <> c.service GROUP BY ALL ORDER BY ALL"),
    ("most CPU per pod (m)", "nezha",
     "SELECT pod, count(*), max(value) FROM metrics WHERE name = 'CpuUsage_m' GROUP BY pod ORDER BY pod",
     'SELECT PodName, count("CpuUsage(m)"), max(CAST("CpuUsage(m)" AS DOUBLE)) FROM samples GROUP BY PodName ORDER BY PodName'),
    ("highest p99 latency per node (s)", "petshop",
     "SELECT labels['service'], max(value) FROM metrics WHERE name = 'latency' AND labels['statistic'] = 'p99' GROUP BY labels['service'] ORDER BY 1",
     "SELECT node, max(value) FROM samples WHERE metric = 'latency' AND statistic = 'p99' GROUP BY node ORDER BY node"),
    ("samples and mean per metric and statistic", "petshop",
     "SELECT name, labels['statistic'], count(*), avg(value) FROM metrics GROUP BY name, labels['statistic'] ORDER BY 1, 2",
     "SELECT metric, statistic, count(*), avg(value) FROM samples GROUP BY metric, statistic ORDER BY metric, statistic"),
]


def size(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def imported(aiopslab, name, source, out):
    """Imports a source some times; prints its line of the table."""
    times = []
    for run in range(IMPORTS):
        target = out if run == 0 else out.with_name(f"{out.name}-{run}")
        begun = time.monotonic()
        said = run_program([aiopslab, "import", name, str(source), "--out", str(target), "--json"])
        times.append(time.monotonic() - begun)
    report = json.loads(said)
    reports = [one["report"] for one in report["incidents"]] if "incidents" in report else [report["report"]]
    total = dict.fromkeys(("read", "written", "quarantined", "outside"), 0)
    for one in reports:
        for tally in [*one["rows"].values(), one["objects"]]:
            for what in total:
                total[what] += tally[what]
    left_out = sum(len(one["objects"]["left_out"]) for one in reports)
    assert total["read"] == sum(total[what] for what in ("written", "quarantined", "outside")) + left_out
    repaired = sum(defect["count"] for one in reports for defect in one["defects"] if defect["treatment"] == "repaired")
    # Files that several incidents read are counted once.
    before = {entry["path"]: entry["bytes"] for one in reports for entry in one["sources"]}
    before = sum(before.values()) or size(source)
    print(f"{name:20} {len(reports):9} {total['read']:9} {total['written']:9} {total['quarantined']:11} {total['outside']:12} {repaired:8}"
          f" {before / 1e6:8.2f} {size(out) / 1e6:8.2f} {statistics.median(times):7.2f}", flush=True)


def run_program(command, text=None):
    ran = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{' '.join(command)} failed: {ran.stderr}")
    return ran.stdout


def timed(command, text=None):
    times = []
    for _ in range(RUNS):
        begun = time.monotonic()
        said = run_program(command, text)
        times.append(time.monotonic() - begun)
    return said, statistics.median(times) * 1000


def are_equal(one, other):
    """Whether two tables hold the same cells; sums of fractions may differ in their last digits."""
    def same(left, right):
        try:
            return math.isclose(float(left), float(right), rel_tol=1e-12)
        except ValueError:
            return left == right
    return len(one) == len(other) and all(
        len(a) == len(b) and all(same(*cells) for cells in zip(a, b)) for a, b in zip(one, other))


def ask(aiopslab, data, out):
    reports = {path: json.loads((path / "withheld/import.json").read_text())["report"] for path in out.glob("*/*-1")}
    petshop = next(path for path, report in reports.items() if report["sources"][0]["path"] == NOISSUE)
    snapshots = {"nezha": out / "nezha" / INCIDENT, "petshop": petshop}
    paths = [entry["path"] for entry in reports[snapshots["nezha"]]["sources"]]
    setup = {"nezha": SETUP, "petshop": PETSHOP.replace("NOISSUE", f"'{data}/petshop/dataset/{NOISSUE}'")}
    for name, end in (("LOGS", "_log.csv"), ("TRACES", "_trace.csv"), ("METRICS", "_metric.csv")):
        setup["nezha"] = setup["nezha"].replace(name, str([f"{data}/nezha/{path}" for path in paths if path.endswith(end)]))
    python = READERS / "bin/python"
    _, idle = timed([str(python), "-c", DUCKDB], "SELECT 1")
    _, nothing = timed([aiopslab, "sql", "-s", str(petshop), "--format", "csv", "SELECT 1"])
    print(f"\n{'question':45} {'of':8} {'rows':>5} {'aiopslab':>9} {'duckdb':>9}  (ms)")
    print(f"{'(nothing: SELECT 1)':45} {'':8} {1:5} {nothing:9.0f} {idle:9.0f}")
    for title, of, ours, theirs in QUESTIONS:
        said, mine = timed([aiopslab, "sql", "-s", str(snapshots[of]), "--format", "csv", ours])
        answer = list(csv.reader(io.StringIO(said)))[1:]
        said, other = timed([str(python), "-c", DUCKDB], setup[of] + theirs)
        beside = list(csv.reader(io.StringIO(said)))
        assert answer and are_equal(answer, beside), f"{title}\naiopslab: {answer[:4]}\nduckdb: {beside[:4]}"
        print(f"{title:45} {of:8} {len(answer):5} {mine:9.0f} {other:9.0f}", flush=True)
    print(f"original files: {len(QUESTIONS)} questions, equal answers")


def main(aiopslab, data):
    if not (READERS / "bin/python").exists():
        run_program([sys.executable, "-m", "venv", str(READERS)])
    run_program([str(READERS / "bin/pip"), "-q", "install", "duckdb>=2"])
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        with tarfile.open(data / "aiopslab-actions/files.tar.gz") as archive:
            archive.extractall(out / "exported", filter="data")
        print(f"{'source':20} {'snapshots':>9} {'rows':>9} {'written':>9} {'quarantined':>11} {'another time':>12} {'repaired':>8}"
              f" {'MB in':>8} {'MB out':>8} {'seconds':>7}")
        for name, source in (("nezha", data / "nezha"), ("petshop", data / "petshop/dataset"), ("aiopslab-export", out / "exported"),
                             ("k8s-support-bundle", data / "k8s-support-bundle")):
            imported(aiopslab, name, source, out / name)
        # No real files are at hand: these are made of Nezha's and the bundle's.
        for name in ("otlp", "openmetrics", "remote-read", "must-gather"):
            made = out / f"made-{name}"
            run_program([sys.executable, str(ROOT / "tests/interop/import_sources.py"), name, str(data), str(made)])
            imported(aiopslab, name, made, out / name)
        ask(aiopslab, data, out)


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[0] == "--once":
        IMPORTS = RUNS = 1
        given = given[1:]
    main(str(pathlib.Path(given[0]).resolve()), pathlib.Path(given[1] if len(given) > 1 else ROOT.parent / "shared/data").resolve())
