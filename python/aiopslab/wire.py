"""The step API's documents, as far as this package reads them (`docs/step-api.md`)."""

from __future__ import annotations

from typing import Any, TypedDict, Union

Json = dict[str, Any]
"""A JSON object."""

Action = Union[str, Json]
"""What an agent does: text that holds one call, or an action in the transcript's form."""


class ProblemSummary(TypedDict):
    """A problem that can be answered with the snapshots at hand."""

    id: str
    task: str
    application: str
    snapshot: str


class ActionHelp(TypedDict):
    """An action and its documentation."""

    name: str
    help: str


class Briefing(TypedDict):
    """What an agent is told once."""

    task: str
    namespace: str
    description: str
    instructions: str
    actions: list[ActionHelp]


class StepAnswer(TypedDict):
    """What came of a step; `ended` is the reason, once the episode is over."""

    step: int
    observation: str
    ended: str | None
    steps_left: int


class EpisodeOptions(TypedDict, total=False):
    """What may be chosen of an episode; the server has a default for each."""

    clock: str
    """Which moment is the present: `end`, `before-fault`, a moment, or `play`."""
    actions: str
    """`upstream` (AIOpsLab's seven) or `extended`."""
    upstream: bool
    """Whether calls and answers are exactly AIOpsLab's, its mistakes included."""
    repeat: int
    """Which repetition of the problem it is."""
