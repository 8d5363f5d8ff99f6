"""The wheel that carries the program: its form, and an agent that runs with it and nothing else."""

from __future__ import annotations

import os
import sys
import unittest
import venv
import zipfile
from pathlib import Path

from aiopslab.server import BINARY_VARIABLE, find_binary

from .support import DETECTION, PACKAGE, environment, run, temporary_folder

AGENT = f"""
import asyncio
from aiopslab.orchestrator import Orchestrator

class Agent:
    async def get_action(self, state):
        return '```\\nsubmit("Yes")\\n```'

orchestrator = Orchestrator()
orchestrator.register_agent(Agent())
orchestrator.init_problem("{DETECTION}")
print(asyncio.run(orchestrator.start_problem(3))["results"]["Detection Accuracy"])
"""


@unittest.skipIf(os.name == "nt" or sys.version_info < (3, 11), "a shell and tomllib are needed")
class WheelTests(unittest.TestCase):
    """A script stands for the program, so that nothing large is packed."""

    def setUp(self) -> None:
        """A program that becomes the real one."""
        self.folder = temporary_folder()
        self.program = self.folder / "program"
        self.program.write_text(f'#!/bin/sh\nexec {find_binary()} "$@"\n', encoding="utf-8")

    def build(self, out: str) -> Path:
        """Builds the wheel with the documented command."""
        said = run(
            sys.executable,
            PACKAGE / "build_wheel.py",
            self.program,
            "--out",
            self.folder / out,
            cwd=self.folder,
        )
        return Path(said.strip())

    def test_its_form(self) -> None:
        first, second = self.build("one"), self.build("two")
        self.assertEqual(first.read_bytes(), second.read_bytes())
        self.assertRegex(first.name, r"^aiopslab-[0-9.]+-py3-none-[a-z0-9_.]+\.whl$")
        with zipfile.ZipFile(first) as wheel:
            self.assertIsNone(wheel.testzip())
            program = wheel.getinfo("aiopslab/bin/aiopslab")
            self.assertEqual((program.external_attr >> 16) & 0o777, 0o755)
            names = set(wheel.namelist())
            self.assertLessEqual({"aiopslab/py.typed", "aiopslab/orchestrator/problems/registry.py"}, names)
            self.assertFalse([name for name in names if "tests" in name or "__pycache__" in name])

    def test_the_platform_is_the_oldest_glibc_that_will_do(self) -> None:
        sys.path.insert(0, str(PACKAGE))
        try:
            from build_wheel import platform_tag
        finally:
            sys.path.pop(0)
        if sys.platform == "linux":
            tag = platform_tag(b"\x7fELF GLIBC_2.2.5 GLIBC_2.34 GLIBC_2.9 GLIBC_PRIVATE")
            self.assertTrue(tag.startswith("manylinux_2_34_"), tag)
            self.assertTrue(platform_tag(b"GLIBC_2.2.5").startswith("manylinux_2_17_"))
            self.assertIn("musllinux", platform_tag(b"\x7fELF"))

    def test_an_agent_runs_with_nothing_but_the_wheel(self) -> None:
        place = self.folder / "venv"
        venv.create(place, with_pip=True)
        python = place / "bin" / "python"
        bare = environment(PATH=os.defpath)
        del bare["PYTHONPATH"], bare[BINARY_VARIABLE]
        wheel = self.build("dist")
        run(python, "-m", "pip", "install", "--quiet", "--no-index", wheel, cwd=self.folder, env=bare)
        agent = self.folder / "agent.py"
        agent.write_text(AGENT, encoding="utf-8")
        self.assertEqual(run(python, agent, cwd=self.folder, env=bare).strip(), "Correct")
        said = run(place / "bin" / "aiopslab", "--version", cwd=self.folder, env=bare)
        self.assertTrue(said.startswith("aiopslab "))


if __name__ == "__main__":
    unittest.main()
