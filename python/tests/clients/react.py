"""An agent in the manner of ReAct (Yao et al. 2022), in the form of AIOpsLab's clients, and its driver.

Thought, action, observation; every action and its documentation is in the prompt, and each turn reminds of the
form. It knows nothing of this repository. Its "model" is a script that reasons over what it has read.
"""

import asyncio
import json
import os
import re

from aiopslab.orchestrator import Orchestrator
from aiopslab.orchestrator.problems.registry import ProblemRegistry

REMINDER = (
    "Never repeat an action. Answer with:\nThought: <what follows from what you saw>\nAction: <one call>"
)


class ScriptedModel:
    """In the place of a model: which deployments are not ready, and which services have no endpoints?"""

    def run(self, messages):
        told = messages[0]["content"]
        seen = "\n".join(message["content"] for message in messages[2:] if message["role"] == "user")
        namespace = re.search(r"^Namespace: (\S+)$", told, re.MULTILINE).group(1)
        if "UP-TO-DATE" not in seen:
            return self.answer("a fault shows in the deployments first", self.shell("deployments", namespace))
        if "ENDPOINTS" not in seen:
            return self.answer("now who has no endpoints", self.shell("endpoints", namespace))
        idle = re.findall(r"^(\S+) +0/\d+ ", seen, re.MULTILINE)
        alone = re.findall(r"^(\S+) +<none> ", seen, re.MULTILINE)
        blamed = sorted(set(idle) | set(alone))
        return self.answer(f"what is down: {blamed or 'nothing'}", self.submission(told, blamed))

    def shell(self, kind, namespace):
        return f'exec_shell("kubectl get {kind} -n {namespace}")'

    def submission(self, told, blamed):
        if "The levels are" in told:
            return 'submit({"system_level": "Virtualization", "fault_type": "Operation Error"})'
        if "root cause" in told:
            return f"submit({json.dumps(blamed)})"
        return 'submit("Yes")' if blamed else 'submit("No")'

    def answer(self, thought, action):
        return [f"Thought: {thought}\nAction:\n```\n{action}\n```"]


class Agent:
    def __init__(self):
        self.history = []
        self.llm = ScriptedModel()

    def init_context(self, problem_desc: str, instructions: str, apis: str):
        shell = {name: text for name, text in apis.items() if "exec_shell" in name}
        submit = {name: text for name, text in apis.items() if "submit" in name}
        telemetry = {name: text for name, text in apis.items() if name not in shell and name not in submit}
        parts = [problem_desc]
        for title, some in (("Telemetry", telemetry), ("Shell", shell), ("Submission", submit)):
            parts.append(f"{title}:\n" + "\n\n".join(f"{name}\n{text}" for name, text in some.items()))
        self.history.append({"role": "system", "content": "\n\n".join(parts)})
        self.history.append({"role": "user", "content": instructions})

    async def get_action(self, input) -> str:
        self.history.append({"role": "user", "content": f"{input}\n\n{REMINDER}"})
        response = self.llm.run(self.history)
        self.history.append({"role": "assistant", "content": response[0]})
        return response[0]


if __name__ == "__main__":
    os.makedirs("results", exist_ok=True)
    for pid in ProblemRegistry().get_problem_ids():
        agent = Agent()
        orchestrator = Orchestrator()
        orchestrator.register_agent(agent, name="react")
        problem_desc, instructs, apis = orchestrator.init_problem(pid)
        agent.init_context(problem_desc, instructs, apis)
        full_output = asyncio.run(orchestrator.start_problem(max_steps=30))
        with open(os.path.join("results", f"react_{pid}.json"), "w") as f:
            json.dump(full_output.get("results", {}), f, indent=2)
