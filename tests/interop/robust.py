#!/usr/bin/env python3
"""Captures while things go wrong, and looks whether anything was lost without being told.

    tests/interop/robust.py [--keep FOLDER] AIOPSLAB KUBECTL [CHECK …]

All CHECKs are made in one capture (of the no-fault family, through a proxy of this script's):

  prometheus   Prometheus is killed with SIGKILL
  api          every connection to the API server is cut for 6 s, and a watch is told 410 Gone afterwards
  pod          a recorded container is killed with SIGKILL, a recorded pod is deleted
  secrets      secrets planted in env, arguments, logs, annotations, ConfigMaps, Helm releases, spans: none in any file
  logs         a container writes 200 MB in 1,000,000 numbered lines; its log is rotated (about three minutes)
  objects      5,000 pods are made, a thousand changed twice, 1,500 deleted (about three minutes)

Each leaves the cluster as the capture found it. Without CHECK: the first four, which take about 90 s. Needs a cluster that `aiopslab check` is content with
(KUBECONFIG), on this machine, and root (to kill processes of pods). What was made is deleted afterwards.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import robust_checks
from api_proxy import ApiServer, Proxy
from robust_lab import NAMESPACE, Lab

FAMILY = "noop_detection_testbed-1"
# What the process may use, whatever it records.
MOST_MEMORY = 1 << 30


def capture(lab, proxy, out, checks):
    """Runs a capture, and the checks' disturbances in its window; says what memory it used at most."""
    window = max([14] + [check.window for check in checks])
    command = [lab.aiopslab, "capture", FAMILY, "--keep", "--out", str(out), "--kubeconfig", str(proxy.kubeconfig),
               "--kubectl", lab.kubectl_path, "--age", "5s", "--baseline", "12s", "--window", f"{window}s", "--without", "probes"]
    began = time.time()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    memory = [0]

    def measure():
        while process.poll() is None:
            try:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                return
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    memory[0] = int(line.split()[1]) << 10
            time.sleep(0.2)

    threading.Thread(target=measure, daemon=True).start()
    said = []
    for line in process.stderr:
        said.append(line)
        if " window " in line and line.strip()[0].isdigit():
            for check in checks:
                threading.Thread(target=check.during, daemon=True).start()
    process.wait()
    folder = pathlib.Path(out, FAMILY)
    if process.returncode and not (folder / "manifest.json").exists():
        raise AssertionError(f"the capture failed:\n{''.join(said[-25:])}")
    for check in checks:
        assert check.done.wait(60), f"{check.name}: its disturbance did not end: {check.error}"
        assert not check.error, f"{check.name}: {check.error}"
    return folder, memory[0], round(time.time() - began)


def main():
    arguments = sys.argv[1:]
    out = None
    if arguments[:1] == ["--keep"]:
        out = pathlib.Path(arguments[1])
        arguments = arguments[2:]
    known = robust_checks.CHECKS
    names = arguments[2:] or ["prometheus", "api", "pod", "secrets"]
    if len(arguments) < 2 or not os.environ.get("KUBECONFIG") or not set(names) <= set(known):
        raise SystemExit(__doc__)
    lab = Lab(*arguments[:2])
    was_there = lab.has_namespace(NAMESPACE)
    with tempfile.TemporaryDirectory() as folder:
        proxy = Proxy(ApiServer(lab.kubectl_path), folder)
        checks = [known[name](lab, proxy) for name in names]
        failed = []
        try:
            lab.bring_up()
            for check in checks:
                check.before()
            snapshot, memory, seconds = capture(lab, proxy, out or folder, checks)
            lab.succeed(lab.aiopslab, "snapshot", "verify", str(snapshot))
            print(f"captured in {seconds} s; peak memory {memory >> 20} MiB", flush=True)
            assert memory < MOST_MEMORY, "that is too much"
            for check in checks:
                try:
                    print(f"{check.name}: {check.after(snapshot)}", flush=True)
                except AssertionError as error:
                    failed.append(check.name)
                    print(f"{check.name}: FAILED: {error}", flush=True)
        finally:
            for check in checks:
                check.clean()
            if not was_there:
                lab.delete_namespace(NAMESPACE)
    print(f"{len(checks) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
