"""A training loop over one problem, in the form of AIOpsLab's scripts for reinforcement learning.

It knows nothing of this repository. Its policy is a script, and it prints each step's reward.
"""

import sys
from pathlib import Path

from aiopslab.orchestrator.orchestrator import Orchestrator
from aiopslab.orchestrator.rl_env import ProblemRLEnvironment, RewardConfig

POLICY = [
    '```python\nexec_shell("kubectl get pods -n hotel-testbed")\n```',
    '```python\nexec_shell("kubectl  get deployments -n hotel-testbed")\n```',
    '```python\nsubmit("Yes")\n```',
]

if __name__ == "__main__":
    orchestrator = Orchestrator(results_dir=Path("kept"))
    orchestrator.agent_name = "trainer"
    env = ProblemRLEnvironment(
        orchestrator=orchestrator,
        max_steps=12,
        reward_config=RewardConfig(command_match_multiplier=0.5),
        ground_truth_dir=Path("ground_truth"),
    )
    observation, info = env.reset(problem_id=sys.argv[1])
    done = False
    for reply in POLICY:
        assert not done and observation.get("state")
        observation, reward, done, info = env.step(reply)
        print(f"{reward:.3f}", observation.get("actions_left"), done, info.get("terminated"), info.get("truncated"))
