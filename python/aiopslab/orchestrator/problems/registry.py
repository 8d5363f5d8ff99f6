"""Which problems there are: those that can be answered with the snapshots at hand."""

from __future__ import annotations

from ...client import Client
from ...server import connect
from ...wire import EpisodeOptions, ProblemSummary
from .recorded import RecordedProblem


class ProblemRegistry:
    """AIOpsLab's registry. The server is asked when the first question comes, and once.

    `variant_mode` is AIOpsLab's, which varies a fault anew with each run. It changes nothing here: a recording
    is one variant, and every one at hand is listed.
    """

    DOCKER_REGISTRY = ["flower_node_stop-detection", "flower_model_misconfig-detection"]
    """AIOpsLab's problems in Docker. There are no recordings of them: what is recorded is Kubernetes."""

    def __init__(self, variant_mode: str | None = None, *, client: Client | None = None) -> None:
        self._client = client
        self._problems: dict[str, ProblemSummary] | None = None

    @property
    def PROBLEM_REGISTRY(self) -> dict[str, ProblemSummary]:  # noqa: N802 - AIOpsLab's name
        """The problems by id, in the server's order."""
        if self._problems is None:
            listed = (self._client or connect()).problems()
            self._problems = {problem["id"]: problem for problem in listed}
        return self._problems

    def get_problem_ids(self, task_type: str | None = None) -> list[str]:
        """The ids of all problems, or of a task's (`detection`, `localization`, `analysis`, `mitigation`)."""
        problems = self.PROBLEM_REGISTRY.values()
        return [one["id"] for one in problems if task_type is None or one["task"] == task_type]

    def get_problem_count(self, task_type: str | None = None) -> int:
        """How many `get_problem_ids` returns."""
        return len(self.get_problem_ids(task_type))

    def get_problem(self, problem_id: str) -> ProblemSummary | None:
        """What is known of a problem, if there is one of this id."""
        return self.PROBLEM_REGISTRY.get(problem_id)

    def get_problem_instance(
        self, problem_id: str, options: EpisodeOptions | None = None
    ) -> RecordedProblem:
        """The problem as its agent is told it.

        Raises `UnknownProblem`, a `ValueError`, where no snapshot at hand answers it.
        """
        client = self._client or connect()
        return RecordedProblem(problem_id, client.briefing(problem_id, options))

    def get_problem_deployment(self, problem_id: str) -> str:
        """Where AIOpsLab runs a problem: `k8s`, or `docker`."""
        return "docker" if problem_id in self.DOCKER_REGISTRY else "k8s"
