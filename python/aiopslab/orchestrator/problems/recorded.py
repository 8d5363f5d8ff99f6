"""A problem in AIOpsLab's form, as far as a recording has one."""

from __future__ import annotations

from typing import Any

from ...wire import Briefing


class RecordedProblem:
    """What an agent is told of a problem, under the names of AIOpsLab's tasks.

    Nothing is deployed, injected or recovered: that was done when it was recorded. Actions and scores are those of
    an episode, which `Orchestrator` runs.
    """

    def __init__(self, problem_id: str, briefing: Briefing) -> None:
        self.problem_id = problem_id
        self.task = briefing["task"]
        self.namespace = briefing["namespace"]
        self._briefing = briefing

    def get_task_description(self) -> str:
        """What is asked, and of which application."""
        return self._briefing["description"]

    def get_instructions(self) -> str:
        """How to act and to submit."""
        return self._briefing["instructions"]

    def get_available_actions(self) -> dict[str, str]:
        """The documentation of each action."""
        return {action["name"]: action["help"] for action in self._briefing["actions"]}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"a recorded problem has no {name}\nhint: Orchestrator.start_problem acts on it, and scores"
        )
