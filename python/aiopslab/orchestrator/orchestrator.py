"""Puts a problem to an agent: AIOpsLab's contract over the step API."""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from pathlib import Path
from typing import Any

from ..client import Client, Episode
from ..errors import AiopslabError, NoServer
from ..server import connect
from ..session import Session
from ..utils.status import SubmissionStatus
from ..wire import EpisodeOptions
from .problems.registry import ProblemRegistry

TIME_KEYS = {"detection": "TTD", "localization": "TTL", "analysis": "TTA", "mitigation": "TTM"}
"""AIOpsLab's name for the seconds until the submission, by task."""


class Orchestrator:
    """Runs one problem at a time; several orchestrators may run at once, in threads or in one event loop.

    `results_dir` is where session files go (default: `data/results` below the current folder). The server is
    the process's own (`aiopslab.connect`), unless `client` is another's; `options` choose the clock and the
    like for each episode. `problem_variant_mode` is AIOpsLab's (see `ProblemRegistry`). With `USE_WANDB=true`
    in the environment, as in AIOpsLab, each session is logged to the run that `wandb.init` has begun.
    """

    def __init__(
        self,
        results_dir: str | Path | None = None,
        problem_variant_mode: str | None = None,
        *,
        client: Client | None = None,
        options: EpisodeOptions | None = None,
    ) -> None:
        self.agent: Any = None
        self.agent_name = "agent"
        self.session: Session | None = None
        self.results_dir = results_dir
        self.probs = ProblemRegistry(problem_variant_mode, client=client)
        self.execution_start_time: float | None = None
        self.execution_end_time: float | None = None
        self.use_wandb = os.environ.get("USE_WANDB", "false").lower() == "true"
        self._client = client
        self._options = options
        self.task = ""

    def register_agent(self, agent: Any, name: str = "agent") -> None:
        """Names the agent: an object with `get_action(state)`, asynchronous or not."""
        self.agent = agent
        self.agent_name = name

    def init_problem(self, problem_id: str) -> tuple[str, str, dict[str, str]]:
        """Begins a session; returns the task's description, instructions, and the actions' documentation.

        Raises `UnknownProblem`, a `ValueError`, where no snapshot at hand answers the problem.
        """
        self.execution_start_time = time.time()
        problem = self.probs.get_problem_instance(problem_id, self._options)
        self.task = problem.task
        self.session = Session(self.results_dir)
        self.session.set_problem(problem, pid=problem_id)
        return problem.get_task_description(), problem.get_instructions(), problem.get_available_actions()

    async def start_problem(self, max_steps: int) -> dict[str, Any]:
        """Lets the agent act until it submits or has taken `max_steps` steps; scores and keeps the session.

        What the agent raises is raised here, after its episode has been ended on the server.
        """
        if self.agent is None:
            raise RuntimeError("no agent is registered\nhint: call register_agent first")
        session, episode = await asyncio.to_thread(self.begin_episode, max_steps)
        try:
            last = await self._converse(session, episode)
        except NoServer:
            raise
        except BaseException as error:
            _end(episode, error)
            raise
        return await asyncio.to_thread(self.finish_episode, session, episode, last)

    def begin_episode(self, max_steps: int) -> tuple[Session, Episode]:
        """Begins the episode of the problem that `init_problem` has set; its steps are the caller's to take."""
        session = self.session
        if session is None or session.start_time is not None:
            raise RuntimeError("no problem is open\nhint: call init_problem before each start_problem")
        session.set_agent(self.agent_name)
        client = self._client or connect()
        episode = client.episode(
            session.pid or "", agent=self.agent_name, max_steps=max_steps, options=self._options
        )
        session.start()
        return session, episode

    def finish_episode(self, session: Session, episode: Episode, last: str) -> dict[str, Any]:
        """Scores and keeps a session whose episode is over; `last` is what was observed last."""
        session.end()
        result = episode.result()
        session.take(result)
        duration = session.get_duration()
        session.results.setdefault(TIME_KEYS[self.task], duration)
        session.to_json()
        if self.use_wandb:
            session.to_wandb()
        self.execution_end_time = time.time()
        submitted = result["end_reason"] == "submitted"
        begun = self.execution_start_time or self.execution_end_time
        return {
            "history": session.history,
            "final_state": SubmissionStatus.VALID_SUBMISSION if submitted else last,
            "results": session.results,
            "framework_overhead": self.execution_end_time - begun - duration,
        }

    async def ask_agent(self, state: str) -> str:
        """Asks the agent what it does next."""
        response = self.agent.get_action(state)
        if inspect.isawaitable(response):
            response = await response
        if not isinstance(response, str):
            raise TypeError(f"get_action has to return a text, not {type(response).__name__}")
        return response

    async def _converse(self, session: Session, episode: Episode) -> str:
        observation = episode.observation
        while episode.ended is None:
            response = await self.ask_agent(observation)
            session.add({"role": "assistant", "content": response})
            answer = await asyncio.to_thread(episode.step, response)
            observation = answer["observation"]
            session.add({"role": "env", "content": observation})
        return observation


def _end(episode: Episode, error: BaseException) -> None:
    """Leaves nothing open of an agent that raised, a task that was cancelled, or a step that was refused."""
    broken = isinstance(error, Exception) and not isinstance(error, AiopslabError)
    try:
        if broken:
            episode.end("agent_failed", f"{type(error).__name__}: {error}")
        else:
            episode.end()
    except AiopslabError:
        # The first error is what is to be told; the episode's lease runs out by itself.
        return
