"""How a submission went, and AIOpsLab's errors for agents' drivers that name them."""

from __future__ import annotations

from enum import Enum


class SubmissionStatus(Enum):
    """The environment's answer to a submission."""

    VALID_SUBMISSION = 1
    INVALID_SUBMISSION = 2


class InvalidActionError(Exception):
    """There is no such action. Here an agent reads that as an observation; it is not raised."""


class ResponseParsingError(Exception):
    """A response is no call. `ResponseParser` raises it; of an episode, an agent reads it as an observation."""
