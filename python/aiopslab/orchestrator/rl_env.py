"""AIOpsLab's environment for reinforcement learning: observations are dictionaries, and each step has a reward.

For trainers that were written for it; `aiopslab.make` has Gymnasium's form, and its reward is a right answer's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..client import Episode
from ..session import Session
from ..utils.status import SubmissionStatus
from .key_commands import KeyCommands, read_key_commands
from .orchestrator import Orchestrator

GROUND_TRUTH_VARIABLE = "AIOPSLAB_GROUND_TRUTH_DIR"
"""The folder of ground truth, where none is given."""

_ASKS_ON = "\nPlease take the next action"


@dataclass(frozen=True)
class RewardConfig:
    """What is paid. `success` is for any submission, right or wrong: `info["results"]` says which it was."""

    success: float = 1.0
    invalid_submission: float = -1.0
    """AIOpsLab's; its actions take every submission, and so do ours."""
    step: float = -0.01
    timeout: float = -0.5
    command_match_multiplier: float = 0.1


class ProblemRLEnvironment:
    """One problem after the other, a step at a time.

    `ground_truth_dir` has AIOpsLab's files of calls that are worth something; without one, and for a problem
    that none of them is about, no call is.
    """

    def __init__(
        self,
        orchestrator: Orchestrator | None = None,
        *,
        max_steps: int = 30,
        reward_config: RewardConfig | None = None,
        ground_truth_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        self.orchestrator = orchestrator or Orchestrator()
        self.max_steps = max_steps
        self.reward_config = reward_config or RewardConfig()
        self.problem_id: str | None = None
        folder = ground_truth_dir or os.environ.get(GROUND_TRUTH_VARIABLE)
        self._valued = read_key_commands(Path(folder)) if folder else {}
        self._briefing: tuple[str, str, dict[str, str]] = ("", "", {})
        self._open: tuple[Session, Episode] | None = None
        self._commands: KeyCommands | None = None
        self._steps = 0
        self._said: str | None = None
        self._seen: str | None = None
        self._results: dict[str, Any] | None = None

    def reset(
        self, problem_id: str | None = None, *, max_steps: int | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begins an episode of a problem (default: the one before); returns observation and info."""
        self.close()
        self.max_steps = self.max_steps if max_steps is None else max_steps
        self.problem_id = self.problem_id if problem_id is None else problem_id
        if self.problem_id is None:
            raise ValueError("the first reset has to name a problem")
        self._briefing = self.orchestrator.init_problem(self.problem_id)
        self._open = self.orchestrator.begin_episode(self.max_steps)
        valued = self._valued.get(self.problem_id)
        self._commands = KeyCommands(valued) if valued else None
        self._steps = 0
        self._said = self._seen = self._results = None
        info = self._info(terminated=False, truncated=False)
        info["problem_id"] = self.problem_id
        info["task_description"], info["instructions"], _ = self._briefing
        if self._commands is not None:
            info["power_commands"] = self._commands.remaining()
        return self._observation(), info

    def step(self, action: str) -> tuple[dict[str, Any], float, bool, dict[str, Any]]:
        """Takes a step: a text with one call; returns observation, reward, whether it was the last, and info."""
        if self._open is None:
            raise RuntimeError("no episode is open\nhint: call reset first")
        if not isinstance(action, str):
            raise TypeError(f"an action is a text with a call, not {type(action).__name__}")
        session, episode = self._open
        answer = episode.step(action)
        self._steps += 1
        self._said = action
        submitted = answer["ended"] == "submitted"
        observation = answer["observation"].removesuffix(_ASKS_ON)
        self._seen = SubmissionStatus.VALID_SUBMISSION.name if submitted else observation
        done = answer["ended"] is not None
        if done:
            self._finish(session, episode)
        reward = self._reward(action, submitted, done)
        return self._observation(), reward, done, self._info(submitted, done and not submitted)

    def close(self) -> None:
        """Ends the episode that is open, if one is, and keeps its session."""
        if self._open is not None:
            session, episode = self._open
            episode.end()
            self._finish(session, episode)

    def _finish(self, session: Session, episode: Episode) -> None:
        self._open = None
        self._results = self.orchestrator.finish_episode(session, episode, self._seen or "")["results"]

    def _reward(self, action: str, submitted: bool, done: bool) -> float:
        if submitted:
            return self.reward_config.success
        if done:
            return self.reward_config.timeout
        worth = self._commands.score(action) if self._commands is not None else 0.0
        return self.reward_config.step + worth * self.reward_config.command_match_multiplier

    def _observation(self) -> dict[str, Any]:
        description, instructions, _ = self._briefing
        state = [description.strip(), f"Instructions:\n{instructions.strip()}"]
        if self._seen is not None:
            state.append(f"Environment:\n{self._seen}")
        return {
            "state": "\n\n".join(state),
            "actions_left": max(self.max_steps - self._steps, 0),
            "last_action": self._said,
            "last_response": self._seen,
            "problem_id": self.problem_id,
        }

    def _info(self, terminated: bool, truncated: bool) -> dict[str, Any]:
        _, _, actions = self._briefing
        info: dict[str, Any] = {
            "available_actions": list(actions),
            "actions": actions,
            "step": self._steps,
            "terminated": terminated,
            "truncated": truncated,
            "raw_response": self._seen,
            "results": self._results,
        }
        if self._commands is not None:
            info["power_commands_remaining"] = self._commands.remaining()
        return info
