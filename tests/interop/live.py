#!/usr/bin/env python3
"""An agent that diagnoses in replay and repairs on the cluster, and agents that do so wrongly.

    tests/interop/live.py AIOPSLAB SNAPSHOT [repair|wrong|delete …]

SNAPSHOT is of a target-port problem. `repair` must be scored as repaired, `wrong` (another thing is repaired) and
`delete` (the port is repaired, an innocent Service deleted) must not. Without a choice: `repair` alone, about two
minutes. Needs a cluster that `aiopslab check` is content with (KUBECONFIG), and the toolbox image on it.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

AGENT = pathlib.Path(__file__).with_name("repair_agent.py")
OPTIONS = {"repair": "", "wrong": " --wrong", "delete": " --delete"}


def check_transcript(path):
    """The agent began on the snapshot and went on live; what it wrote at the switch was not carried out."""
    steps = [record for record in map(json.loads, path.open()) if record["record"] == "step"]
    live = [step.get("live", False) for step in steps]
    switch = live.index(True)
    assert switch >= 2 and all(live[switch:]), live
    assert "refreshed" in steps[switch]["observation"] and steps[switch]["verdict"] == "denied", steps[switch]
    return switch, len(steps)


def evaluate(aiopslab, snapshot, how, out):
    command = [aiopslab, "eval", snapshot, "--task", "mitigation", "--on-write", "live", "--prewarm", "--json",
               "--baseline", "15s", "--settle", "40s", "--agent", f"exec:python3 {AGENT}{OPTIONS[how]}", "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{command} failed with {done.returncode}\n{done.stdout}{done.stderr}"
    episodes = json.loads(done.stdout)["episodes"]
    ours, others = episodes[0], episodes[1:]
    assert len(others) == 3 and not any(one["success"] for one in others), others
    switch, steps = check_transcript(pathlib.Path(out, ours["folder"], "transcript.jsonl"))
    evidence = json.loads(pathlib.Path(out, ours["folder"], "evidence.json").read_text())
    said = ours.get("unmitigated", "repaired")
    print(f"{how}: {switch} steps in replay, {steps - switch} live; {said} after {evidence['settled_after']:.0f} s")
    assert ours["success"] == (how == "repair"), ours
    if how == "delete":
        assert evidence["broken"] == ["services hotel-testbed/user is gone"], evidence["broken"]


def main():
    if len(sys.argv) < 3 or not set(sys.argv[3:]) <= set(OPTIONS):
        sys.exit(__doc__)
    for how in sys.argv[3:] or ["repair"]:
        with tempfile.TemporaryDirectory() as out:
            evaluate(sys.argv[1], sys.argv[2], how, out)


main()
