"""AIOpsLab's orchestrator, driving a server of recorded incidents."""

from .orchestrator import Orchestrator

__all__ = ["Orchestrator"]
