"""Agents in AIOpsLab's form, run unmodified over every shipped problem."""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any

from .support import Case, run, run_python
from aiopslab.orchestrator.problems.registry import ProblemRegistry
from aiopslab.server import find_binary

CLIENTS = Path(__file__).parent / "clients"


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
        self.assertEqual(sorted(sessions), sorted(ProblemRegistry(self.client).get_problem_ids()))
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


if __name__ == "__main__":
    unittest.main()
