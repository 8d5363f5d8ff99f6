"""Agents in AIOpsLab's form, run unmodified over every shipped problem."""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path
from typing import Any

from .support import DETECTION, PACKAGE, Case, environment, run, run_python
from aiopslab.orchestrator.problems.registry import ProblemRegistry
from aiopslab.server import find_binary

CLIENTS = Path(__file__).parent / "clients"

# In the place of Weights & Biases' package.
WANDB = """
def init(**chosen):
    print("init")

def log(session):
    print("log", session["agent"], session["problem_id"], session["results"]["Detection Accuracy"])

def finish():
    print("finish")
"""


class UnmodifiedClients(Case):
    """Each is a script in a folder of its own, with nothing but the package to import."""

    def sessions(self, client: str) -> dict[str, dict[str, Any]]:
        """Runs a client; returns its session files by problem."""
        run_python(CLIENTS / client, cwd=self.folder)
        files = [
            json.loads(path.read_text(encoding="utf-8"))
            for path in (self.folder / "data" / "results").glob("*.json")
        ]
        sessions = {session["problem_id"]: session for session in files}
        self.assertEqual(len(files), len(sessions))
        self.assertEqual(sorted(sessions), sorted(ProblemRegistry(client=self.client).get_problem_ids()))
        return sessions

    def test_a_plain_shell_agent(self) -> None:
        sessions = self.sessions("shell.py")
        for session in sessions.values():
            self.assertEqual(session["agent"], "shell")
            self.assertEqual(session["results"]["steps"], 2)
            self.assertIn("NAMESPACE", session["trace"][1]["content"])
            self.assertEqual(session["trace"][-1], {"role": "env", "content": "1"})
        detections = [one for one in sessions.values() if one["task"] == "detection"]
        for session in detections:
            quiet = session["problem_id"].startswith("noop_")
            wanted = "Incorrect" if quiet else "Correct"
            self.assertEqual(session["results"]["Detection Accuracy"], wanted)
        self.assertGreaterEqual(len(detections), 11)

    def test_a_react_agent_with_a_scripted_model(self) -> None:
        sessions = self.sessions("react.py")
        solved = {problem for problem, session in sessions.items() if session["strict"]["success"]}
        for problem in sessions:
            if problem.startswith(("noop_", "scale_pod_zero_")):
                self.assertIn(problem, solved)
        # It looks at no ports, so a wrong one escapes it.
        self.assertNotIn("k8s_target_port_misconfig_testbed-detection-1", solved)
        for problem, session in sessions.items():
            kept = json.loads((self.folder / "results" / f"react_{problem}.json").read_text())
            self.assertEqual(kept, session["results"])
        files = sorted((self.folder / "data" / "results").glob("*.json"))
        for path in files[:3]:
            said = json.loads(run(find_binary(), "score", path, "--json", cwd=self.folder))
            self.assertEqual(said["changed"], [], said)

    def test_a_runner_with_variants_and_wandb(self) -> None:
        (self.folder / "wandb.py").write_text(WANDB, encoding="utf-8")
        path = os.pathsep.join((str(PACKAGE), str(self.folder)))
        known = len(ProblemRegistry(client=self.client).get_problem_ids())
        for variants in ([], ["--problem-variant-mode", "variant"]):
            arguments: list[str | Path] = [CLIENTS / "runner.py", "--problem-ids", DETECTION, *variants]
            quiet = run_python(*arguments, cwd=self.folder, env=environment(PYTHONPATH=path))
            self.assertEqual(quiet, f"{known} {known}\n")
            logged = run_python(
                *arguments, cwd=self.folder, env=environment(PYTHONPATH=path, USE_WANDB="true")
            )
            self.assertEqual(logged, f"init\n{known} {known}\nlog runner {DETECTION} Correct\nfinish\n")
        self.assertEqual(len(list((self.folder / "data" / "results").glob("*.json"))), 4)

    def test_a_trainer(self) -> None:
        (self.folder / "ground_truth").mkdir()
        record = {
            "problem_id": DETECTION,
            "key_commands": [
                {"command": 'exec_shell("kubectl get deployments -n <namespace>")', "importance_score": 4}
            ],
        }
        (self.folder / "ground_truth" / "one.json").write_text(json.dumps(record), encoding="utf-8")
        said = run_python(CLIENTS / "trainer.py", DETECTION, cwd=self.folder)
        self.assertEqual(
            said, "-0.010 11 False False False\n1.990 10 False False False\n1.000 9 True True False\n"
        )
        (path,) = (self.folder / "kept").glob("*.json")
        session = json.loads(path.read_text(encoding="utf-8"))
        self.assertEqual((session["agent"], session["problem_id"]), ("trainer", DETECTION))
        self.assertEqual(session["results"]["Detection Accuracy"], "Correct")


if __name__ == "__main__":
    unittest.main()
