#!/usr/bin/env python3
"""A release as the ecosystem reads it, without us.

    tests/interop/release_layouts.py AIOPSLAB RELEASE

polars, DuckDB, `datasets` and `mlcroissant` read the release from its folder, and find what its figures say;
its card's own examples are run. The release is one that was built with --url and --published. Needs datasets, duckdb, mlcroissant, polars (PyPI).
"""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import datasets
import duckdb
import mlcroissant
import polars
import pyarrow.parquet
import yaml

checks = 0


def equal(what, found, expected):
    global checks
    assert found == expected, f"{what}: {found!r}, expected {expected!r}"
    checks += 1


def readers(files, tables):
    """polars and DuckDB count the rows of every table."""
    for name, size in tables.items():
        equal(f"{name} in polars", polars.scan_parquet(files[name]).select(polars.len()).collect().item(), size["rows"])
        equal(f"{name} in DuckDB", duckdb.sql(f"SELECT count(*) FROM read_parquet({files[name]})").fetchall()[0][0], size["rows"])


def hugging_face(card, files, tables):
    """Every configuration of the card is loaded from the folder; what has no configuration can't be loaded."""
    head = yaml.safe_load(card.split("---\n")[1])
    configs = {config["config_name"]: config["data_files"] for config in head["configs"]}
    datasets.disable_progress_bars()
    for name in configs:
        equal(f"{name} in datasets", datasets.load_dataset(os.getcwd(), name, split="train").num_rows, tables[name]["rows"])
    for name in tables.keys() - configs.keys():
        try:
            datasets.Features.from_arrow_schema(pyarrow.parquet.read_schema(files[name][0]))
            refused = "it is read"
        except ValueError as error:
            refused = str(error)
        equal(f"{name}, which has no configuration", "map<" in refused and "datasets dtype" in refused, True)


def croissant(manifest, tables):
    """The description is valid, knows every file, and leads to the rows."""
    described = mlcroissant.Dataset("croissant.json")
    issues = described.metadata.ctx.issues
    equal("errors of mlcroissant", list(issues.errors), [])
    equal("warnings of mlcroissant", list(issues.warnings), [])
    listed = {one.id: one.sha256 for one in described.metadata.file_objects}
    documents = {"README.md", "croissant.json", "CITATION.cff"}
    equal("files and digests", listed, {path: file["sha256"] for path, file in manifest["files"].items() if path not in documents})
    for path, digest in listed.items():
        if path.endswith(".parquet"):
            equal(path, hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest(), digest)
    equal("record sets", sorted(one.id for one in described.metadata.record_sets), sorted(tables))
    for name in ("coverage", "usage"):
        if name not in tables:
            continue
        records = list(described.records(name))
        equal(f"records of {name}", len(records), tables[name]["rows"])
        equal(f"columns of {name}", None in records[0], False)
        snapshots = {record[f"{name}/snapshot"].decode() for record in records}
        equal(f"snapshots in {name}", snapshots <= manifest["snapshots"].keys() and len(snapshots) > 0, True)


def examples(card, tables):
    """The Python of the card, as it stands there: each example prints how many rows it found."""
    for example in re.findall(r"```python\n(.*?)```", card, re.DOTALL):
        ran = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, timeout=600)
        name = example.splitlines()[0]
        assert ran.returncode == 0, f"{name}: {ran.stderr}"
        equal(f"the card's {name}", int(ran.stdout.split()[-1]) in {size["rows"] for size in tables.values()}, True)


def main():
    aiopslab, release = sys.argv[1:]
    os.chdir(release)
    manifest = json.loads(pathlib.Path("release.json").read_text())
    tables = manifest["figures"]["tables"]
    card = pathlib.Path("README.md").read_text()
    said = subprocess.run([aiopslab, "release", "card", "."], capture_output=True, text=True, timeout=60)
    equal("the card as the program prints it", said.stdout, card)
    citation = yaml.safe_load(pathlib.Path("CITATION.cff").read_text())
    equal("the version to cite", citation["version"], manifest["version"])
    equal("the day to cite", str(citation["date-released"]), manifest["published"])
    sets = [one for one in json.loads(pathlib.Path("croissant.json").read_text())["distribution"] if "includes" in one]
    files = {one["@id"].removesuffix("-files"): one["includes"] for one in sets}
    readers(files, tables)
    hugging_face(card, files, tables)
    croissant(manifest, tables)
    examples(card, tables)
    print(f"release layouts: {checks} checks")


main()
