"""Episodes in the form of Gymnasium's environments: `make`, `reset`, `step`, `close`."""

from __future__ import annotations

from typing import Any

from .client import Client, Episode
from .server import connect
from .wire import Action, EpisodeOptions, Json


class Environment:
    """One problem, episode after episode.

    An observation is text, an action is text that holds one call, or a dictionary such as
    `{"action": "get_logs", "namespace": "hotel-testbed", "service": "geo"}`. The reward is 1.0 with the step
    that ends a solved episode, and 0.0 otherwise.
    """

    def __init__(
        self,
        problem: str,
        *,
        agent: str = "gym",
        max_steps: int | None = None,
        client: Client | None = None,
        options: EpisodeOptions | None = None,
    ) -> None:
        self.problem = problem
        self._agent = agent
        self._max_steps = max_steps
        self._client = client or connect()
        self._options = options
        self._resets = 0
        self._episode: Episode | None = None

    def reset(
        self, *, seed: int | None = None, options: EpisodeOptions | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begins an episode; one that is open ends as interrupted.

        A recording leaves nothing to chance, so `seed` changes nothing; Gymnasium has it.
        """
        self.close()
        self._resets += 1
        chosen: EpisodeOptions = {**(self._options or {}), **(options or {})}
        chosen.setdefault("repeat", self._resets)
        self._episode = self._client.episode(
            self.problem, agent=self._agent, max_steps=self._max_steps, options=chosen
        )
        return self._episode.observation, {
            "episode": self._episode.id,
            "briefing": self._episode.briefing,
            "max_steps": self._episode.max_steps,
        }

    def step(self, action: Action) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Takes a step; returns observation, reward, terminated, truncated and info.

        `terminated` says that the agent has submitted, `truncated` that the episode ended otherwise. Then
        `info["result"]` is what the episode's `result.json` holds.
        """
        if self._episode is None or self._episode.ended is not None:
            raise RuntimeError("no episode is open\nhint: call reset first")
        answer = self._episode.step(action)
        info: Json = {"step": answer["step"], "steps_left": answer["steps_left"]}
        reward = 0.0
        if answer["ended"] is not None:
            info["ended"] = answer["ended"]
            info["result"] = self._episode.result()
            reward = 1.0 if info["result"]["strict"]["success"] else 0.0
        submitted = answer["ended"] == "submitted"
        truncated = answer["ended"] is not None and not submitted
        return answer["observation"], reward, submitted, truncated, info

    def close(self) -> None:
        """Ends the episode that is open, if one is."""
        if self._episode is not None:
            self._episode.end()
            self._episode = None

    def __enter__(self) -> Environment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


make = Environment
"""Gymnasium's word for it: `make(problem)`."""
