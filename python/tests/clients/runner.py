"""A runner in the form of AIOpsLab's own: one agent, problems by the command line, variants and wandb as options.

It knows nothing of this repository. Its agent always submits the same.
"""

import argparse
import asyncio
import os

import wandb
from aiopslab.orchestrator import Orchestrator
from aiopslab.orchestrator.problems.registry import ProblemRegistry


class Agent:
    def init_context(self, problem_desc: str, instructions: str, apis: str):
        self.system_message = problem_desc

    async def get_action(self, input) -> str:
        return '```\nsubmit("Yes")\n```'


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--problem-ids", nargs="+", default=[])
    parser.add_argument("--problem-variant-mode", choices=["static", "variant"], default=None)
    args = parser.parse_args()
    use_wandb = os.getenv("USE_WANDB", "false").lower() == "true"
    if use_wandb:
        wandb.init(project="runner")
    known = ProblemRegistry(variant_mode=args.problem_variant_mode).get_problem_ids()
    print(len(known), len(ProblemRegistry(args.problem_variant_mode).PROBLEM_REGISTRY))
    for pid in args.problem_ids:
        agent = Agent()
        orchestrator = Orchestrator(problem_variant_mode=args.problem_variant_mode)
        orchestrator.register_agent(agent, name="runner")
        agent.init_context(*orchestrator.init_problem(pid))
        asyncio.run(orchestrator.start_problem(max_steps=3))
    if use_wandb:
        wandb.finish()
