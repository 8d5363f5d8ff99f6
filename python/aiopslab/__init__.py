"""Agents of AIOpsLab on recorded incidents, offline.

An agent that was written for AIOpsLab runs unchanged:

    from aiopslab.orchestrator import Orchestrator

Besides there are `evaluate` (an agent on many problems), `make` (episodes as Gymnasium's environments), and
`Client` for the step API itself. All of them use the server of this process (`connect`): the one at
`AIOPSLAB_URL`, or a program that is started when it is first needed.
"""

from .client import Client, Episode
from .errors import AiopslabError, NoServer, Refused, UnknownProblem
from .evaluation import evaluate
from .gym import Environment, make
from .server import Server, connect
from .version import __version__

__all__ = [
    "AiopslabError",
    "Client",
    "Environment",
    "Episode",
    "NoServer",
    "Refused",
    "Server",
    "UnknownProblem",
    "__version__",
    "connect",
    "evaluate",
    "make",
]
