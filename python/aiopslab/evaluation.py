"""An agent on many problems, and what came of it as plain dictionaries."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

from .client import Client
from .errors import AiopslabError
from .orchestrator import Orchestrator
from .orchestrator.problems.registry import ProblemRegistry
from .server import connect
from .wire import EpisodeOptions, Json


def evaluate(
    make_agent: Callable[[], Any],
    problems: Sequence[str] | None = None,
    *,
    name: str = "agent",
    repeat: int = 1,
    max_steps: int = 30,
    jobs: int = 1,
    results_dir: str | Path | None = None,
    client: Client | None = None,
    options: EpisodeOptions | None = None,
) -> Json:
    """Runs an agent on problems (default: all that can be answered), each `repeat` times, `jobs` at once.

    `make_agent` makes an agent for each episode: a class, or a function without arguments. An agent that has
    `init_context(problem_desc, instructions, apis)` is told its problem by it. Returns `agent`, `episodes`
    (each with the keys of its session file) and `tasks`: for each task how many episodes were `asked` and
    `solved`. An agent that raises has not solved its problem, and the evaluation goes on; an error of the
    server ends it.
    """
    client = client or connect()
    ids = list(problems) if problems is not None else ProblemRegistry(client=client).get_problem_ids()
    turns = [(problem, number) for number in range(1, repeat + 1) for problem in ids]

    def run(turn: tuple[str, int]) -> Json:
        problem, number = turn
        chosen: EpisodeOptions = {**(options or {}), "repeat": number}
        orchestrator = Orchestrator(results_dir, client=client, options=chosen)
        orchestrator.register_agent(make_agent(), name)
        return asyncio.run(_episode(orchestrator, problem, max_steps))

    # Each episode has a thread and an event loop of its own: most agents wait for their model without yielding.
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        episodes = list(pool.map(run, turns))
    return {"agent": name, "episodes": episodes, "tasks": _by_task(episodes)}


async def _episode(orchestrator: Orchestrator, problem: str, max_steps: int) -> Json:
    description, instructions, actions = orchestrator.init_problem(problem)
    try:
        if hasattr(orchestrator.agent, "init_context"):
            told = orchestrator.agent.init_context(description, instructions, actions)
            if inspect.isawaitable(told):
                await told
        await orchestrator.start_problem(max_steps)
    except AiopslabError:
        raise
    except Exception as error:
        return {**_session(orchestrator), "end_reason": "agent_failed", "error": repr(error)}
    return _session(orchestrator)


def _session(orchestrator: Orchestrator) -> Json:
    assert orchestrator.session is not None
    return {"task": orchestrator.task, **orchestrator.session.to_dict()}


def _by_task(episodes: list[Json]) -> dict[str, dict[str, int]]:
    tasks: dict[str, dict[str, int]] = {}
    for episode in episodes:
        counts = tasks.setdefault(episode["task"], {"asked": 0, "solved": 0})
        counts["asked"] += 1
        counts["solved"] += bool(episode.get("strict", {}).get("success"))
    return tasks
