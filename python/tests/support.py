"""What the tests share: one server for all of them, and the records that it leaves."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from aiopslab.client import Client
from aiopslab.server import BINARY_VARIABLE, KEY_VARIABLE, URL_VARIABLE, Server, find_binary

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parent
DETECTION = "scale_pod_zero_testbed-detection-1"
LOCALIZATION = "scale_pod_zero_testbed-localization-1"
ANALYSIS = "scale_pod_zero_testbed-analysis-1"
QUIET = "noop_detection_testbed-1"

_started: tuple[Server, Path] | None = None


class Case(unittest.TestCase):
    """A test that talks to the server and has a folder for what it writes."""

    client: Client
    records: Path
    """Where the server leaves its episodes."""

    @classmethod
    def setUpClass(cls) -> None:
        """Starts the server with the first of the cases."""
        global _started
        if _started is None:
            out = temporary_folder()
            _started = Server(out=out), out
        cls.client = _started[0].client
        cls.records = _started[1]

    def setUp(self) -> None:
        """Makes the folder."""
        self.folder = temporary_folder()

    def ends(self, agent: str) -> list[dict[str, Any]]:
        """How the episodes of an agent ended, by the last line of their transcripts."""
        found = []
        for path in sorted(self.records.rglob("transcript.jsonl")):
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            if lines[0]["agent"] == agent and lines[-1]["record"] == "end":
                found.append(lines[-1])
        return found


def temporary_folder() -> Path:
    """A new folder that goes with this process."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def environment(**changes: str) -> dict[str, str]:
    """The environment of a program that knows the package and where the binary is, and nothing of servers."""
    ours = {key: value for key, value in os.environ.items() if key not in (URL_VARIABLE, KEY_VARIABLE)}
    return {**ours, "PYTHONPATH": str(PACKAGE), BINARY_VARIABLE: str(find_binary()), **changes}


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Runs a program to its end and returns what it printed; fails with what it complained about."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=env or environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def run_python(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Runs this Python."""
    return run(sys.executable, *arguments, cwd=cwd, env=env)
