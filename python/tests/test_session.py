"""The file that is kept of a session: AIOpsLab's name, form and keys."""

from __future__ import annotations

import asyncio
import json
import os
import unittest
from pathlib import Path
from typing import Any

from aiopslab.orchestrator import Orchestrator
from aiopslab.server import find_binary
from aiopslab.session import Session, SessionItem

from .support import DETECTION, Case, run

# What AIOpsLab writes, with the items that it has.
UPSTREAM: dict[str, Any] = {
    "agent": "gpt-w-shell",
    "session_id": "5bbd7c5c-6d5f-4b0b-a8c1-0f0f5c0f3f7b",
    "problem_id": "misconfig_app_hotel_res-detection-1",
    "start_time": 1764500000.25,
    "end_time": 1764500042.5,
    "trace": [
        {"role": "assistant", "content": '```\nsubmit("Yes")\n```'},
        {"role": "env", "content": "1"},
    ],
    "results": {"Detection Accuracy": "Correct", "TTD": 42.25, "steps": 1, "in_tokens": 1, "out_tokens": 7},
}


class Submits:
    """The shortest agent."""

    async def get_action(self, state: str) -> str:
        """Submits."""
        return '```\nsubmit("Yes")\n```'


class SessionTests(Case):
    """Written, read, and read by others."""

    def kept(self, results_dir: Path | None) -> Orchestrator:
        """A session that is over."""
        orchestrator = Orchestrator(results_dir, client=self.client)
        orchestrator.register_agent(Submits(), "kept")
        orchestrator.init_problem(DETECTION)
        asyncio.run(orchestrator.start_problem(5))
        return orchestrator

    def test_the_file(self) -> None:
        session = self.kept(self.folder / "deep" / "results").session
        assert session is not None
        (path,) = (self.folder / "deep" / "results").iterdir()
        self.assertEqual(path.name, f"{session.session_id}_{session.start_time}.json")
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
        self.assertEqual(text, json.dumps(data, indent=4))
        self.assertEqual(list(data)[:7], list(UPSTREAM))
        self.assertEqual(data["trace"], UPSTREAM["trace"])
        self.assertEqual(data, session.to_dict())
        self.assertEqual(data["results"], {**UPSTREAM["results"], "TTD": session.get_duration()})
        self.assertEqual((data["end_reason"], data["solution"]), ("submitted", "Yes"))
        self.assertTrue(data["strict"]["success"])

    def test_the_folder_that_is_used_without_one(self) -> None:
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            self.kept(None)
        finally:
            os.chdir(before)
        self.assertEqual(len(list((self.folder / "data" / "results").glob("*.json"))), 1)

    def test_it_is_read_back(self) -> None:
        session = self.kept(self.folder).session
        assert session is not None
        (path,) = self.folder.iterdir()
        again = Session(self.folder)
        again.from_json(path.name)
        self.assertEqual(again.to_dict(), session.to_dict())
        self.assertEqual((again.history, again.solution), (session.history, "Yes"))

    def test_the_program_scores_it_the_same(self) -> None:
        self.kept(self.folder)
        (path,) = self.folder.iterdir()
        told = json.loads(run(find_binary(), "score", path, "--json", cwd=self.folder))
        self.assertEqual((told["changed"], told["unscored"]), ([], []))
        self.assertEqual(len(told["episodes"]), 1)

    def test_a_file_of_aiopslab(self) -> None:
        (self.folder / "theirs.json").write_text(json.dumps(UPSTREAM), encoding="utf-8")
        session = Session(self.folder)
        session.from_json("theirs.json")
        self.assertEqual(session.to_dict(), UPSTREAM)
        self.assertEqual(session.get_duration(), 42.25)
        self.assertEqual(session.history[1], SessionItem("env", "1"))

    def test_items(self) -> None:
        session = Session()
        session.add(SessionItem("assistant", "a"))
        session.add({"role": "env", "content": "b"})
        session.add([{"role": "assistant", "content": "c"}, SessionItem("env", "d")])
        session.add(None)
        self.assertEqual([item.content for item in session.history], ["a", "b", "c", "d"])
        with self.assertRaises(TypeError):
            session.add(7)  # type: ignore[arg-type]
        session.clear()
        self.assertEqual(session.history, [])
        with self.assertRaises(RuntimeError):
            session.get_duration()


if __name__ == "__main__":
    unittest.main()
