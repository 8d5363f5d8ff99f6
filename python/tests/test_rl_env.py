"""AIOpsLab's environment for reinforcement learning, and what its calls are worth."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

from aiopslab import UnknownProblem
from aiopslab.orchestrator import Orchestrator, ProblemRLEnvironment, RewardConfig
from aiopslab.orchestrator.key_commands import KeyCommands, read_key_commands

from .support import DETECTION, QUIET, Case

LOOK = '```\nexec_shell("kubectl get pods -n hotel-testbed")\n```'
SUBMIT = '```\nsubmit("Yes")\n```'


class EnvironmentTests(Case):
    """Episodes, a step at a time."""

    def environment(self, name: str, max_steps: int = 5) -> ProblemRLEnvironment:
        """With sessions in the test's folder."""
        orchestrator = Orchestrator(self.folder, client=self.client)
        orchestrator.agent_name = name
        return ProblemRLEnvironment(orchestrator, max_steps=max_steps)

    def test_an_episode(self) -> None:
        env = self.environment("rl")
        observation, info = env.reset(DETECTION)
        self.assertEqual(
            {key: value for key, value in observation.items() if key != "state"},
            {"actions_left": 5, "last_action": None, "last_response": None, "problem_id": DETECTION},
        )
        self.assertIn("Namespace: hotel-testbed", observation["state"])
        self.assertIn("\n\nInstructions:\n", observation["state"])
        self.assertEqual(info["available_actions"], list(info["actions"]))
        self.assertIn("exec_shell", info["available_actions"])
        self.assertIn(info["task_description"].strip(), observation["state"])
        observation, reward, done, info = env.step(LOOK)
        self.assertEqual((reward, done, observation["actions_left"], info["step"]), (-0.01, False, 4, 1))
        self.assertIn("READY", observation["last_response"])
        self.assertNotIn("Please take the next action", observation["state"])
        self.assertTrue(observation["state"].endswith(f"Environment:\n{info['raw_response']}"))
        self.assertIsNone(info["results"])
        observation, reward, done, info = env.step(SUBMIT)
        self.assertEqual((reward, done, info["terminated"], info["truncated"]), (1.0, True, True, False))
        self.assertEqual(observation["last_response"], "VALID_SUBMISSION")
        self.assertEqual(info["results"]["Detection Accuracy"], "Correct")
        with self.assertRaisesRegex(RuntimeError, "hint: call reset first"):
            env.step(SUBMIT)
        observation, _ = env.reset()
        self.assertEqual((observation["problem_id"], observation["last_action"]), (DETECTION, None))
        env.close()
        self.assertEqual([one["end_reason"] for one in self.ends("rl")], ["submitted", "interrupted"])
        self.assertEqual(len(list(self.folder.iterdir())), 2)

    def test_the_step_limit(self) -> None:
        env = self.environment("rl-tireless")
        env.reset(QUIET, max_steps=2)
        self.assertEqual(env.step("let me think")[1], -0.01)
        observation, reward, done, info = env.step(LOOK)
        self.assertEqual((reward, done, info["terminated"], info["truncated"]), (-0.5, True, False, True))
        self.assertEqual(observation["actions_left"], 0)
        self.assertEqual([one["end_reason"] for one in self.ends("rl-tireless")], ["step_limit"])

    def test_what_is_refused(self) -> None:
        env = self.environment("rl-refused")
        with self.assertRaisesRegex(ValueError, "the first reset has to name a problem"):
            env.reset()
        with self.assertRaises(UnknownProblem):
            env.reset("no_such-detection-1")
        env.reset(QUIET)
        with self.assertRaisesRegex(TypeError, "an action is a text with a call, not dict"):
            env.step({"action": "submit"})  # type: ignore[arg-type]
        env.close()
        env.close()

    def test_rewards_are_chosen(self) -> None:
        env = self.environment("rl-paid")
        env.reward_config = RewardConfig(success=7.0, step=-3.0)
        env.reset(QUIET)
        self.assertEqual([env.step(LOOK)[1], env.step(SUBMIT)[1]], [-3.0, 7.0])


class KeyCommandTests(unittest.TestCase):
    """Which calls are the ones that are valued."""

    def worth(self, command: str, response: str) -> float:
        """Of one response where one call is worth 1."""
        return KeyCommands([{"command": command, "importance_score": 1}]).score(response)

    def test_what_matches(self) -> None:
        shell = 'exec_shell("kubectl get pods -n <namespace>")'
        for response in (
            'exec_shell("kubectl get pods -n a")',
            "```\nexec_shell('kubectl get   pods -n a-b')\n```",
            'I look.\n```python\nexec_shell("kubectl get pods -n a -o wide")\n```',
        ):
            self.assertEqual(self.worth(shell, response), 1.0, response)
        for response in (
            'exec_shell("kubectl get pods")',
            'exec_shell("kubectl get pods -n ")',
            'get_logs("kubectl get pods -n a")',
            "exec_shell(name)",
            "no call (",
            "",
        ):
            self.assertEqual(self.worth(shell, response), 0.0, response)
        self.assertEqual(self.worth('get_metrics("<a>", duration=5)', 'get_metrics("x", duration=5)'), 1.0)
        self.assertEqual(self.worth('submit({"a": "b"})', "submit({'a': 'b'})"), 1.0)

    def test_each_counts_once(self) -> None:
        commands = KeyCommands(
            [
                {"command": "b()", "importance_score": 2, "sequence_number": 2},
                {"command": "a()", "importance_score": 1, "sequence_number": 1},
            ]
        )
        self.assertEqual(commands.remaining(), ["a()", "b()"])
        self.assertEqual([commands.score("b()"), commands.score("b()")], [2.0, 0.0])
        self.assertEqual(commands.remaining(), ["a()"])


class GroundTruthTests(Case):
    """The files."""

    def test_they_are_read(self) -> None:
        one = {"problem_id": "x", "key_commands": {"command": "a()"}}
        more = [{"problem_id": "x", "key_commands": [{"command": "b()"}]}, {"problem_id": "y"}]
        for name, document in (("1.json", one), ("2.json", more)):
            (self.folder / name).write_text(json.dumps(document), encoding="utf-8")
        self.assertEqual(
            read_key_commands(self.folder), {"x": [{"command": "a()"}, {"command": "b()"}], "y": []}
        )

    def test_a_folder_that_is_missing(self) -> None:
        with self.assertRaisesRegex(FileNotFoundError, "there is no folder of ground truth .*nowhere"):
            ProblemRLEnvironment(Orchestrator(client=self.client), ground_truth_dir=Path("nowhere"))


if __name__ == "__main__":
    unittest.main()
