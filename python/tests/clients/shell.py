"""A plain agent with a shell, in the form of AIOpsLab's clients, and its driver.

It knows nothing of this repository: its imports and its contract are AIOpsLab's. Its "model" is a script.
"""

import asyncio

from aiopslab.orchestrator import Orchestrator
from aiopslab.orchestrator.problems.registry import ProblemRegistry

TEMPLATE = """{prob_desc}
You can use a shell:
{shell_api}
When you know the answer:
{submit_api}
"""


class Script:
    """In the place of a model: looks at the pods, then submits what it always submits."""

    def run(self, messages):
        said = messages[0]["content"]
        if len(messages) < 4:
            return ['I look at the pods.\n\n```\nexec_shell("kubectl get pods -A")\n```']
        if 'Submit "Yes"' in said:
            return ['```\nsubmit("Yes")\n```']
        if "The levels are" in said:
            answer = '{"system_level": "Virtualization", "fault_type": "Operation Error"}'
            return [f"```\nsubmit({answer})\n```"]
        return ['```\nsubmit(["geo"])\n```']


class Agent:
    def __init__(self):
        self.history = []
        self.llm = Script()

    def init_context(self, problem_desc: str, instructions: str, apis: str):
        self.shell_api = self._filter_dict(apis, lambda name, _: "exec_shell" in name)
        self.submit_api = self._filter_dict(apis, lambda name, _: "submit" in name)

        def described(some):
            return "\n\n".join(f"{name}\n{text}" for name, text in some.items())

        self.system_message = TEMPLATE.format(
            prob_desc=problem_desc,
            shell_api=described(self.shell_api),
            submit_api=described(self.submit_api),
        )
        self.task_message = instructions
        self.history.append({"role": "system", "content": self.system_message})
        self.history.append({"role": "user", "content": self.task_message})

    async def get_action(self, input) -> str:
        self.history.append({"role": "user", "content": input})
        response = self.llm.run(self.history)
        self.history.append({"role": "assistant", "content": response[0]})
        return response[0]

    def _filter_dict(self, dictionary, wanted):
        return {name: text for name, text in dictionary.items() if wanted(name, text)}


if __name__ == "__main__":
    problems = ProblemRegistry().PROBLEM_REGISTRY
    for pid in problems:
        agent = Agent()
        orchestrator = Orchestrator()
        orchestrator.register_agent(agent, name="shell")
        problem_desc, instructs, apis = orchestrator.init_problem(pid)
        agent.init_context(problem_desc, instructs, apis)
        asyncio.run(orchestrator.start_problem(max_steps=10))
