"""AIOpsLab's contract: what comes back, what is raised, and that nothing stays open."""

from __future__ import annotations

import asyncio
import json
import unittest
from collections.abc import Awaitable, Callable
from typing import Any

from aiopslab import Refused, UnknownProblem, evaluate
from aiopslab.orchestrator import Orchestrator
from aiopslab.orchestrator.problems.registry import ProblemRegistry
from aiopslab.session import SessionItem
from aiopslab.utils.status import SubmissionStatus

from .support import ANALYSIS, DETECTION, LOCALIZATION, QUIET, Case

SUBMIT = '```\nsubmit("Yes")\n```'
LOOK = '```\nexec_shell("kubectl get pods -n hotel-testbed")\n```'


class Agent:
    """Says what it is given to say, then goes on repeating the last of it."""

    def __init__(self, *responses: Any) -> None:
        self.responses = list(responses)
        self.states: list[str] = []

    async def get_action(self, state: str) -> Any:
        """The next response."""
        self.states.append(state)
        return self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]


class Asking(Agent):
    """Answers by calling something."""

    async def get_action(self, state: str) -> Any:
        """What the call gives or raises."""
        given: Callable[[], Awaitable[Any]] = self.responses[0]
        return await given()


class OrchestratorTests(Case):
    """One orchestrator."""

    def orchestrator(self, agent: Any, name: str = "agent") -> Orchestrator:
        """With an agent, and sessions in the test's folder."""
        orchestrator = Orchestrator(self.folder, client=self.client)
        orchestrator.register_agent(agent, name)
        return orchestrator

    def start(self, orchestrator: Orchestrator, problem: str, max_steps: int = 5) -> dict[str, Any]:
        """A whole problem."""
        orchestrator.init_problem(problem)
        return asyncio.run(orchestrator.start_problem(max_steps))

    def test_texts_of_a_problem(self) -> None:
        for problem, asked in (
            (DETECTION, '"Yes"'),
            (LOCALIZATION, "root cause"),
            (ANALYSIS, "system_level"),
        ):
            description, instructions, actions = self.orchestrator(Agent(SUBMIT)).init_problem(problem)
            self.assertIn("Namespace: hotel-testbed", description)
            self.assertIn(asked, description + instructions)
            self.assertEqual(
                sorted(actions),
                [
                    "exec_shell",
                    "get_logs",
                    "get_metrics",
                    "get_traces",
                    "read_metrics",
                    "read_traces",
                    "submit",
                ],
            )
            self.assertTrue(all(isinstance(text, str) and text for text in actions.values()))

    def test_what_a_problem_comes_to(self) -> None:
        agent = Agent(LOOK, SUBMIT)
        end = self.start(self.orchestrator(agent), DETECTION)
        self.assertEqual(sorted(end), ["final_state", "framework_overhead", "history", "results"])
        self.assertIs(end["final_state"], SubmissionStatus.VALID_SUBMISSION)
        self.assertEqual([item.role for item in end["history"]], ["assistant", "env"] * 2)
        self.assertEqual(end["history"][0], SessionItem("assistant", LOOK))
        self.assertEqual(end["history"][-1], SessionItem("env", "1"))
        self.assertEqual(end["results"]["Detection Accuracy"], "Correct")
        self.assertEqual(end["results"]["steps"], 2)
        self.assertGreater(end["results"]["TTD"], 0.0)
        self.assertGreater(end["framework_overhead"], 0.0)
        self.assertEqual(agent.states[0], "Please take the next action")
        self.assertTrue(agent.states[1].startswith(end["history"][1].content))
        self.assertTrue(agent.states[1].endswith("\nPlease take the next action"))

    def test_the_figures_are_those_of_aiopslab(self) -> None:
        always = {"success", "steps", "in_tokens", "out_tokens"}
        for problem, keys in (
            (LOCALIZATION, {"TTL", "Localization Accuracy", "is_subset"}),
            (ANALYSIS, {"TTA", "system_level_correct", "fault_type_correct"}),
        ):
            end = self.start(self.orchestrator(Agent("```\nsubmit([])\n```")), problem)
            self.assertEqual(set(end["results"]), keys | always)
            self.assertIs(end["results"]["success"], False)

    def test_the_step_limit(self) -> None:
        orchestrator = self.orchestrator(Agent(LOOK), "tireless")
        end = self.start(orchestrator, DETECTION, max_steps=3)
        self.assertEqual(len(end["history"]), 6)
        self.assertIn("READY", end["final_state"])
        self.assertEqual(end["results"]["Detection Accuracy"], "Invalid Format")
        self.assertEqual([one["end_reason"] for one in self.ends("tireless")], ["step_limit"])

    def test_what_is_no_call_is_a_step_and_an_observation(self) -> None:
        end = self.start(self.orchestrator(Agent("let me think", "```\nfly()\n```", SUBMIT)), QUIET)
        self.assertEqual(end["results"], {**end["results"], "steps": 3, "Detection Accuracy": "Incorrect"})
        self.assertIn("Error", end["history"][1].content)
        self.assertIn("fly", end["history"][3].content)

    def test_an_agent_that_is_not_asynchronous(self) -> None:
        class Plain:
            def get_action(self, state: str) -> str:
                return SUBMIT

        self.assertEqual(self.start(self.orchestrator(Plain()), DETECTION)["results"]["steps"], 1)

    def test_what_the_agent_raises_is_raised_when_its_episode_is_over(self) -> None:
        async def fails() -> str:
            raise LookupError("no model today")

        with self.assertRaisesRegex(LookupError, "no model today"):
            self.start(self.orchestrator(Asking(fails), "raises"), DETECTION)
        (end,) = self.ends("raises")
        self.assertEqual(end["end_reason"], "agent_failed")
        self.assertEqual(end["error"], "LookupError: no model today")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_task_that_is_cancelled_leaves_nothing_open(self) -> None:
        async def cancelled() -> str:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.Event().wait()
            return SUBMIT

        with self.assertRaises(asyncio.CancelledError):
            self.start(self.orchestrator(Asking(cancelled), "cancelled"), DETECTION)
        self.assertEqual([one["end_reason"] for one in self.ends("cancelled")], ["interrupted"])

    def test_an_agent_that_answers_no_text(self) -> None:
        with self.assertRaisesRegex(TypeError, "get_action has to return a text, not NoneType"):
            self.start(self.orchestrator(Agent(None)), DETECTION)

    def test_a_response_that_is_too_large(self) -> None:
        with self.assertRaises(Refused) as raised:
            self.start(self.orchestrator(Agent("x" * (16 << 20)), "verbose"), DETECTION)
        self.assertEqual(raised.exception.status, 413)
        self.assertEqual([one["end_reason"] for one in self.ends("verbose")], ["interrupted"])

    def test_a_problem_that_is_unknown(self) -> None:
        for problem in ("no_such-detection-1", "../problems", "scale_pod_zero_testbed-mitigation-1"):
            with self.assertRaises(ValueError) as raised:
                self.orchestrator(Agent(SUBMIT)).init_problem(problem)
            self.assertIsInstance(raised.exception, UnknownProblem)

    def test_the_order_of_calls(self) -> None:
        orchestrator = Orchestrator(self.folder, client=self.client)
        with self.assertRaisesRegex(RuntimeError, "hint: call register_agent first"):
            asyncio.run(orchestrator.start_problem(5))
        orchestrator.register_agent(Agent(SUBMIT))
        with self.assertRaisesRegex(RuntimeError, "hint: call init_problem"):
            asyncio.run(orchestrator.start_problem(5))
        self.start(orchestrator, DETECTION)
        with self.assertRaisesRegex(RuntimeError, "hint: call init_problem"):
            asyncio.run(orchestrator.start_problem(5))

    def test_options_of_an_episode(self) -> None:
        orchestrator = Orchestrator(
            self.folder, client=self.client, options={"clock": "play", "actions": "extended"}
        )
        orchestrator.register_agent(Agent('```\nquery_sql("select 6 * 7 as answer")\n```', SUBMIT))
        self.assertIn("query_sql", orchestrator.init_problem(DETECTION)[2])
        end = asyncio.run(orchestrator.start_problem(5))
        self.assertEqual(end["history"][1].content.split(), ["answer", "42"])

    def test_several_orchestrators_in_one_event_loop(self) -> None:
        problems = [DETECTION, LOCALIZATION, ANALYSIS, QUIET] * 3

        async def one(problem: str) -> dict[str, Any]:
            orchestrator = self.orchestrator(Agent(LOOK, LOOK.replace("pods", "services"), SUBMIT))
            orchestrator.init_problem(problem)
            return await orchestrator.start_problem(5)

        async def together() -> list[dict[str, Any]]:
            return await asyncio.gather(*map(one, problems))

        ends = asyncio.run(together())
        for problem, end in zip(problems, ends):
            alone = asyncio.run(one(problem))
            self.assertEqual(end["history"], alone["history"])
            self.assertEqual(_unmeasured(end["results"]), _unmeasured(alone["results"]))
        self.assertEqual(len(list(self.folder.iterdir())), 2 * len(problems))


class RegistryTests(Case):
    """Which problems there are."""

    def test_the_problems_at_hand(self) -> None:
        registry = ProblemRegistry(client=self.client)
        ids = registry.get_problem_ids()
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(registry.get_problem_count(), len(ids))
        self.assertGreaterEqual(len(ids), 22)
        by_task = [registry.get_problem_ids(task) for task in ("detection", "localization", "analysis")]
        self.assertEqual(sorted(sum(by_task, [])), sorted(ids))
        self.assertEqual([DETECTION in some for some in by_task], [True, False, False])
        self.assertEqual(registry.get_problem_ids("mitigation"), [])
        self.assertEqual(list(registry.PROBLEM_REGISTRY), ids)
        self.assertEqual(Orchestrator(client=self.client).probs.get_problem_ids(), ids)

    def test_one_problem(self) -> None:
        problem = ProblemRegistry(client=self.client).get_problem(DETECTION)
        assert problem is not None
        self.assertEqual(problem["task"], "detection")
        self.assertEqual(problem["snapshot"], "scale_pod_zero_testbed-1")
        self.assertIsNone(ProblemRegistry(client=self.client).get_problem("no_such-detection-1"))


class EvaluateTests(Case):
    """An agent on many problems."""

    def test_figures_are_the_same_with_any_number_of_jobs(self) -> None:
        problems = [DETECTION, QUIET, LOCALIZATION]

        def results(jobs: int) -> list[dict[str, Any]]:
            told = evaluate(
                lambda: Agent(LOOK, SUBMIT),
                problems,
                repeat=2,
                jobs=jobs,
                results_dir=self.folder,
                client=self.client,
            )
            tasks = {"detection": {"asked": 4, "solved": 2}, "localization": {"asked": 2, "solved": 0}}
            self.assertEqual(told["tasks"], tasks)
            self.assertEqual([one["problem_id"] for one in told["episodes"]], problems * 2)
            return [{**one, "results": _unmeasured(one["results"])} for one in told["episodes"]]

        keys = ("session_id", "start_time", "end_time")
        several, one = results(6), results(1)
        for left, right in zip(several, one):
            self.assertEqual(
                {key: value for key, value in left.items() if key not in keys},
                {key: value for key, value in right.items() if key not in keys},
            )

    def test_an_agent_that_raises_has_not_solved_its_problem(self) -> None:
        class Broken:
            async def get_action(self, state: str) -> str:
                raise KeyError("answer")

        told = evaluate(Broken, [DETECTION], results_dir=self.folder, client=self.client)
        self.assertEqual(told["tasks"], {"detection": {"asked": 1, "solved": 0}})
        self.assertEqual(told["episodes"][0]["end_reason"], "agent_failed")
        self.assertEqual(told["episodes"][0]["error"], "KeyError('answer')")

    def test_the_agent_is_told_its_problem_and_the_rest_is_json(self) -> None:
        class Told(Agent):
            def init_context(self, problem_desc: str, instructions: str, apis: dict[str, str]) -> None:
                assert "Namespace" in problem_desc and "submit" in instructions and "get_logs" in apis
                self.responses = [SUBMIT]

        told = evaluate(Told, [DETECTION], results_dir=self.folder, client=self.client, name="told")
        self.assertEqual(told["tasks"]["detection"]["solved"], 1)
        self.assertEqual(json.loads(json.dumps(told))["agent"], "told")

    def test_an_unknown_problem_ends_it(self) -> None:
        with self.assertRaises(UnknownProblem):
            evaluate(lambda: Agent(SUBMIT), ["no_such-detection-1"], client=self.client)


def _unmeasured(results: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in results.items() if key not in ("TTD", "TTL", "TTA", "TTM")}


if __name__ == "__main__":
    unittest.main()
