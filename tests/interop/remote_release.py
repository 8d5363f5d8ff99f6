#!/usr/bin/env python3
"""What tests/interop/remote.sh needs of Python: a large snapshot, and one question to it.

    remote_release.py grow AIOPSLAB SAMPLE OUT SERVICE
        a release of one snapshot: SAMPLE with a log file of about 100 MB, in which the pods of SERVICE keep
        the log that they have
    remote_release.py get-logs AIOPSLAB URL PROBLEM NAMESPACE SERVICE
        one get_logs over the step API on a snapshot behind a URL; prints what it took

Needs pyarrow (PyPI) to grow.
"""
import hashlib
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

LINES = "logs/lines.parquet"
SIZE = 100_000_000
# Hexadecimal digits after each line: half a byte of each is left by compression.
PADDING = 200


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def grow(aiopslab, sample, out, service):
    import pyarrow
    import pyarrow.parquet

    sample, out = pathlib.Path(sample), pathlib.Path(out)
    snapshot = out / "snapshots" / sample.name
    shutil.copytree(sample, snapshot)
    table = pyarrow.parquet.read_table(snapshot / LINES)
    pods, seqs, messages = (table[name].to_pylist() for name in ("pod", "seq", "message"))
    times = SIZE // (sum(not pod.startswith(service) for pod in pods) * (PADDING // 2 + 8))
    chance = random.Random(1)
    source, seq, message = [], [], []
    for at, pod in enumerate(pods):
        copies = 1 if pod.startswith(service) else times
        for copy in range(copies):
            source.append(at)
            seq.append(seqs[at] if copies == 1 else seqs[at] * times + copy)
            padding = b"" if copies == 1 else b" " + chance.randbytes(PADDING // 2).hex().encode()
            message.append(messages[at] + padding)
    grown = table.take(source)
    for name, values in (("seq", seq), ("message", message)):
        index = table.schema.get_field_index(name)
        field = table.schema.field(name)
        grown = grown.set_column(index, field, pyarrow.array(values, field.type))
    # The order stays: copies follow what they are copies of, within their pod.
    pyarrow.parquet.write_table(
        grown, snapshot / LINES, compression="zstd",
        row_group_size=131_072, data_page_size=256 << 10, write_page_index=True,
        use_dictionary=["namespace", "service", "pod", "container", "stream"])
    manifest = json.loads((snapshot / "manifest.json").read_text())
    manifest["files"][LINES] = {"rows": grown.num_rows, "bytes": (snapshot / LINES).stat().st_size,
                                "sha256": digest(snapshot / LINES)}
    (snapshot / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True))
    verified = subprocess.run([aiopslab, "snapshot", "verify", snapshot, "--json"], capture_output=True, text=True)
    checks = {check["name"]: check for check in json.loads(verified.stdout)["checks"]}
    assert all(check["passed"] for check in checks.values()), checks
    files = {str(path.relative_to(out)): {"bytes": path.stat().st_size, "sha256": digest(path)}
             for path in sorted(out.rglob("*")) if path.is_file()}
    release = {
        "format_version": "1", "name": "large", "version": "1.0.0", "held_out": False, "licence": "CC0-1.0",
        "citation": "none", "files": files, "figures": {},
        "snapshots": {sample.name: {"snapshot": manifest["snapshot"], "application": manifest["application"],
                                    "logical_digest": checks["logical digest"]["detail"], "problems": {}}},
    }
    (out / "release.json").write_text(json.dumps(release, indent=2, sort_keys=True))
    print(f"{sum(file['bytes'] for file in files.values())} bytes, {grown.num_rows} log lines")


def get_logs(aiopslab, url, problem, namespace, service):
    with tempfile.TemporaryDirectory() as work:
        process = subprocess.Popen(
            [aiopslab, "--verbose", "serve", url, "--http", "127.0.0.1:0", "--until-eof", "--out", f"{work}/out"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(f"{work}/log", "w"), text=True, cwd=work)
        server = process.stdout.readline().split()[-1]

        def ask(path, body):
            request = urllib.request.Request(server + path, json.dumps(body).encode(),
                                             {"Content-Type": "application/json"})
            return json.load(urllib.request.urlopen(request, timeout=300))

        episode = ask("/v1/episodes", {"problem": problem})
        action = {"action": "get_logs", "namespace": namespace, "service": service}
        begun = time.monotonic()
        answer = ask(f"/v1/episodes/{episode['episode']}/steps", {"step": 1, "action": action})
        took = time.monotonic() - begun
        process.communicate(timeout=60)
        log = re.sub(r"\x1b\[[0-9;]*m", "", pathlib.Path(f"{work}/log").read_text())
    found = re.search(r"fetched\.requests=(\d+) fetched\.bytes=(\d+)", log)
    assert found and answer["observation"], log
    print(f"get_logs of {service}: {len(answer['observation'])} characters in {took:.2f} s; "
          f"{found[2]} bytes fetched in {found[1]} requests")


if __name__ == "__main__":
    {"grow": grow, "get-logs": get_logs}[sys.argv[1]](*sys.argv[2:])
