"""What agents import of AIOpsLab besides its orchestrator: it is there, and does what has a meaning here."""

from __future__ import annotations

import unittest
from typing import Any

from aiopslab.errors import UnknownProblem
from aiopslab.orchestrator.orchestrator import Orchestrator
from aiopslab.orchestrator.parser import ResponseParser
from aiopslab.orchestrator.problems.registry import ProblemRegistry
from aiopslab.session import Session
from aiopslab.utils.status import ResponseParsingError

from .support import DETECTION, Case


def fenced(call: str) -> str:
    """A response in the form of AIOpsLab's example."""
    return f"Action:\n```\n{call}\n```"


class ModulePaths(Case):
    """Each is used as AIOpsLab's own code uses it."""

    def test_a_problem_of_the_registry(self) -> None:
        registry = ProblemRegistry(client=self.client)
        problem = registry.get_problem_instance(DETECTION)
        told = Orchestrator(client=self.client).init_problem(DETECTION)
        self.assertEqual(
            told,
            (problem.get_task_description(), problem.get_instructions(), problem.get_available_actions()),
        )
        self.assertEqual((problem.namespace, problem.task), ("hotel-testbed", "detection"))
        with self.assertRaisesRegex(AttributeError, "no inject_fault\nhint: Orchestrator.start_problem"):
            problem.inject_fault()
        with self.assertRaises(UnknownProblem):
            registry.get_problem_instance("no_such-detection-1")

    def test_where_problems_run(self) -> None:
        registry = ProblemRegistry(client=self.client)
        self.assertEqual(registry.get_problem_deployment(DETECTION), "k8s")
        for problem in registry.DOCKER_REGISTRY:
            self.assertEqual(registry.get_problem_deployment(problem), "docker")
            self.assertIsNone(registry.get_problem(problem))

    def test_the_problem_of_a_session(self) -> None:
        session = Session(self.folder)
        problem = object()
        session.set_problem(problem, pid=DETECTION)
        self.assertIs(session.problem, problem)
        self.assertEqual(session.to_dict()["problem_id"], DETECTION)

    def test_responses_that_are_calls(self) -> None:
        calls: list[tuple[str, str, list[Any], dict[str, Any]]] = [
            ('get_logs("ns", "geo")', "get_logs", ["ns", "geo"], {}),
            ('get_metrics("ns", duration=-5)', "get_metrics", ["ns"], {"duration": -5}),
            ('submit(("a", \'b\')) # both (I think)', "submit", [["a", "b"]], {}),
            ('submit({"a": [None, True]})', "submit", [{"a": [None, True]}], {}),
            ("submit()", "submit", [], {}),
            ('exec_shell("ls")', "exec_shell", ["ls"], {}),
            ('exec_shell("""ls""", 90) # lists (all)', "exec_shell", ["ls"], {"timeout": 90}),
            ("exec_shell(command='sleep 5', timeout=9)", "exec_shell", ["sleep 5"], {"timeout": 9}),
            ('exec_shell("echo \\"a, 90\\" \'(b)\'")', "exec_shell", ["echo \"a, 90\" '(b)'"], {}),
            ('exec_shell("cat <<E\nx\\n\nE\n")', "exec_shell", ["cat <<E\nx\\n\nE\n"], {}),
        ]
        for call, name, args, kwargs in calls:
            for response in (fenced(call), fenced(call).replace("```\n", "```python\n", 1)):
                wanted = {"api_name": name, "args": args, "kwargs": kwargs, "context": ["Action:"]}
                self.assertEqual(ResponseParser().parse(response), wanted)

    def test_responses_that_are_none(self) -> None:
        for response in (
            'submit("Yes")',
            fenced('submit("Yes")') + fenced('submit("No")'),
            fenced("submit"),
            fenced('submit("Yes"'),
            fenced('submit("Yes")\nsubmit("No")'),
            fenced("submit(yes)"),
            fenced("submit(1 + 1)"),
            fenced("submit({1, 2})"),
            fenced("submit({[]: 1})"),
            fenced("submit(**{})"),
            fenced("a.submit()"),
            fenced("exec_shell(ls)"),
            fenced("submit(" + "[" * 5000),
        ):
            with self.assertRaises(ResponseParsingError) as raised:
                ResponseParser().parse(response)
            self.assertRegex(str(raised.exception), "^Error parsing response: ")


if __name__ == "__main__":
    unittest.main()
