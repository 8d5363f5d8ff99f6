"""A session: one agent on one problem once, and the file that is kept of it.

The keys are AIOpsLab's, in its order; what the server's `result.json` says besides comes after them.
"""

from __future__ import annotations

import importlib
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .wire import Json

_UPSTREAM_KEYS = (
    "agent",
    "session_id",
    "problem_id",
    "start_time",
    "end_time",
    "trace",
    "results",
)


@dataclass
class SessionItem:
    """Something that was said: by the `assistant` or by the `env`."""

    role: str
    content: str


class Session:
    """What is known of a session, while it runs and after."""

    def __init__(self, results_dir: str | Path | None = None) -> None:
        self.session_id: str = str(uuid.uuid4())
        self.problem: Any = None
        self.pid: str | None = None
        self.agent_name: str | None = None
        self.solution: Any = None
        self.results: dict[str, Any] = {}
        self.history: list[SessionItem] = []
        self.start_time: float | None = None
        self.end_time: float | None = None
        self.results_dir = results_dir
        self.more: Json = {}

    def set_problem(self, problem: Any, pid: str | None = None) -> None:
        """Keeps the problem, and its id for the session's file."""
        self.problem = problem
        self.pid = pid

    def set_agent(self, agent_name: str) -> None:
        """Names the agent."""
        self.agent_name = agent_name

    def set_solution(self, solution: Any) -> None:
        """Keeps what was submitted."""
        self.solution = solution

    def set_results(self, results: dict[str, Any]) -> None:
        """Keeps the figures."""
        self.results = results

    def add(self, item: SessionItem | Mapping[str, str] | list[Any] | None) -> None:
        """Adds an item, or a list of them, to the history."""
        if not item:
            return
        if isinstance(item, SessionItem):
            self.history.append(item)
        elif isinstance(item, list):
            for one in item:
                self.add(one)
        elif isinstance(item, Mapping):
            self.history.append(SessionItem(role=item["role"], content=item["content"]))
        else:
            raise TypeError(f"a session has items, dictionaries and lists of them, not {type(item)}")

    def clear(self) -> None:
        """Forgets the history."""
        self.history = []

    def start(self) -> None:
        """The agent begins."""
        self.start_time = time.time()

    def end(self) -> None:
        """The agent is done."""
        self.end_time = time.time()

    def get_duration(self) -> float:
        """Seconds that the agent took."""
        if self.start_time is None or self.end_time is None:
            raise RuntimeError("the session is not over")
        return self.end_time - self.start_time

    def take(self, result: Json) -> None:
        """Takes over the server's result of the episode."""
        self.history = [SessionItem(**item) for item in result["trace"]]
        self.solution = result["solution"]
        self.results = dict(result["results"])
        self.more = {key: value for key, value in result.items() if key not in _UPSTREAM_KEYS}
        # The server names an episode by what it is of, so that the same one has the same name.
        self.more["episode_id"] = result["session_id"]

    def to_dict(self) -> Json:
        """The session as its file has it."""
        return {
            "agent": self.agent_name,
            "session_id": self.session_id,
            "problem_id": self.pid,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "trace": [asdict(item) for item in self.history],
            "results": self.results,
            **self.more,
        }

    def to_json(self) -> Path:
        """Writes `<session_id>_<start_time>.json` into the results folder, and returns its path."""
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.session_id}_{self.start_time}.json"
        path.write_text(json.dumps(self.to_dict(), indent=4), encoding="utf-8")
        return path

    def to_wandb(self) -> None:
        """Logs the session to the run of Weights & Biases that is open; `wandb` is the caller's to install."""
        importlib.import_module("wandb").log(self.to_dict())

    def from_json(self, filename: str | Path) -> None:
        """Reads a file of the results folder, ours or AIOpsLab's."""
        data = json.loads((self._folder() / filename).read_text(encoding="utf-8"))
        self.agent_name = data.get("agent")
        self.session_id = data["session_id"]
        self.pid = data.get("problem_id")
        self.start_time = data.get("start_time")
        self.end_time = data.get("end_time")
        self.history = [SessionItem(item["role"], item["content"]) for item in data["trace"]]
        self.results = data.get("results") or {}
        self.more = {key: value for key, value in data.items() if key not in _UPSTREAM_KEYS}
        self.solution = self.more.get("solution")

    def _folder(self) -> Path:
        return Path(self.results_dir) if self.results_dir else Path("data") / "results"
