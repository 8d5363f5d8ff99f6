"""Episodes in the form of Gymnasium's environments."""

from __future__ import annotations

import unittest

import aiopslab

from .support import DETECTION, LOCALIZATION, QUIET, Case

LOOK = {"action": "get_logs", "namespace": "hotel-testbed", "service": "geo"}


class EnvironmentTests(Case):
    """What `reset` and `step` return, and what stays on record."""

    def test_an_episode_that_is_solved(self) -> None:
        with aiopslab.make(DETECTION, client=self.client) as environment:
            observation, info = environment.reset(seed=7)
            self.assertEqual(observation, "Please take the next action")
            self.assertEqual(info["briefing"]["task"], "detection")
            observation, reward, terminated, truncated, info = environment.step(LOOK)
            self.assertTrue(observation)
            self.assertEqual((reward, terminated, truncated), (0.0, False, False))
            self.assertNotIn("result", info)
            _, reward, terminated, truncated, info = environment.step('submit("Yes")')
            self.assertEqual((reward, terminated, truncated), (1.0, True, False))
            self.assertEqual(info["result"]["results"]["Detection Accuracy"], "Correct")

    def test_a_wrong_answer_has_no_reward(self) -> None:
        for problem, answer in ((QUIET, 'submit("Yes")'), (LOCALIZATION, 'submit(["frontend"])')):
            with aiopslab.make(problem, client=self.client) as environment:
                environment.reset()
                self.assertEqual(environment.step(answer)[1:4], (0.0, True, False))

    def test_an_episode_without_an_answer_is_truncated(self) -> None:
        with aiopslab.make(DETECTION, client=self.client, max_steps=2) as environment:
            environment.reset()
            self.assertEqual(environment.step(LOOK)[4]["steps_left"], 1)
            _, reward, terminated, truncated, info = environment.step(LOOK)
            self.assertEqual((reward, terminated, truncated), (0.0, False, True))
            self.assertEqual(info["ended"], "step_limit")

    def test_resets_give_the_same_episode(self) -> None:
        seen = []
        with aiopslab.make(DETECTION, client=self.client) as environment:
            for seed in (0, 1, None):
                environment.reset(seed=seed)
                seen.append([environment.step(LOOK)[0] for _ in range(2)])
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0], seen[2])

    def test_nothing_stays_open(self) -> None:
        with aiopslab.make(DETECTION, client=self.client, agent="restless") as environment:
            for _ in range(3):
                environment.reset()
            environment.step(LOOK)
        self.assertEqual([one["end_reason"] for one in self.ends("restless")], ["interrupted"] * 3)
        environment.close()

    def test_steps_need_an_open_episode(self) -> None:
        environment = aiopslab.make(DETECTION, client=self.client)
        with self.assertRaisesRegex(RuntimeError, "hint: call reset first"):
            environment.step(LOOK)
        environment.reset(options={"clock": "play"})
        environment.step('submit("Yes")')
        with self.assertRaisesRegex(RuntimeError, "hint: call reset first"):
            environment.step(LOOK)


if __name__ == "__main__":
    unittest.main()
