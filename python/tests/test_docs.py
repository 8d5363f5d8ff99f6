"""The agents of the pages in `docs/` are taken from there and run, and print what the pages say."""

from __future__ import annotations

import json
import re
import sys
import unittest
from pathlib import Path

from aiopslab.server import find_binary

from .support import ROOT, Case, run, run_python


def block(page: str, heading: str, language: str) -> str:
    """The first block of a language below a heading."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    below = text[text.index(f"## {heading}\n") :]
    found = re.search(rf"^```{language}\n(.*?)^```$", below, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page} has no {language} block below {heading}"
    return found[1]


class FirstAgentTests(Case):
    """`docs/first-agent.md`."""

    def agent(self, heading: str) -> Path:
        """Writes a page's agent into the test's folder."""
        code = block("first-agent.md", heading, "python")
        self.assertLessEqual(len([line for line in code.splitlines() if line.strip()]), 20)
        path = self.folder / "my-agent.py"
        path.write_text(code, encoding="utf-8")
        return path

    def test_in_python(self) -> None:
        said = run_python(self.agent("In Python"), cwd=self.folder)
        self.assertEqual(said, block("first-agent.md", "In Python", "text"))
        self.assertEqual(len(list((self.folder / "data" / "results").glob("*.json"))), said.count("\n"))

    def test_as_a_program(self) -> None:
        path = self.agent("As a program")
        command = f"exec:{sys.executable} {path}"
        run(
            find_binary(),
            "eval",
            "scale_pod_zero_testbed-1",
            "noop_detection_testbed-1",
            "--agent",
            command,
            "--out",
            "out",
            cwd=self.folder,
        )
        results = [json.loads(path.read_text(encoding="utf-8")) for path in self.folder.rglob("result.json")]
        ours = {one["problem_id"]: one["strict"]["success"] for one in results if one["agent"] == command}
        self.assertEqual(len(ours), 4)
        self.assertTrue(all(ours.values()), ours)


class ScoreOnALaptopTests(Case):
    """`docs/score-on-a-laptop.md`."""

    def test_many_problems(self) -> None:
        agent = block("first-agent.md", "In Python", "python").split("\nagent")[0]
        (self.folder / "my_agent.py").write_text(agent, encoding="utf-8")
        code = block("score-on-a-laptop.md", "In Python", "python")
        said = run_python("-c", code, cwd=self.folder)
        self.assertEqual(said, block("score-on-a-laptop.md", "In Python", "text"))

    def test_an_environment(self) -> None:
        code = block("score-on-a-laptop.md", "Step by step", "python")
        said = run_python("-c", code, cwd=self.folder)
        self.assertEqual(said, block("score-on-a-laptop.md", "Step by step", "text"))


if __name__ == "__main__":
    unittest.main()
