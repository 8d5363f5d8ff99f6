"""AIOpsLab's orchestrator, driving a server of recorded incidents."""

from .orchestrator import Orchestrator
from .rl_env import ProblemRLEnvironment, RewardConfig

__all__ = ["Orchestrator", "ProblemRLEnvironment", "RewardConfig"]
