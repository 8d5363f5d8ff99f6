#!/usr/bin/env python3
"""An agent that finds a Service whose target port no pod listens on, and repairs it (docs/agents.md, `exec:`).

    repair_agent.py [--wrong | --delete]

It reads services and deployments, patches the port, and looks again: where the answer says that the state was
refreshed, its command was not carried out, and it does the same once more. With --wrong it repairs another thing (more
replicas); with --delete it repairs the port and deletes a Service that has nothing to do with it.
"""
import json
import re
import sys


def say(call):
    print(json.dumps({"response": f"```\n{call}\n```"}), flush=True)


def shell(command):
    say(f"exec_shell({json.dumps(command)})")
    said = json.loads(sys.stdin.readline())["observation"]
    return re.sub(r"\n?Please take the next action$", "", said)


def listed(namespace, kind):
    return json.loads(shell(f"kubectl get {kind} -n {namespace} -o json"))["items"]


def culprit(namespace):
    """Name of the Service, index of its port, and the port that its pods listen on."""
    ports = {}
    for deployment in listed(namespace, "deployments"):
        spec = deployment["spec"]["template"]["spec"]
        found = [port["containerPort"] for container in spec["containers"] for port in container.get("ports", [])]
        ports[deployment["metadata"]["name"]] = found
    for service in listed(namespace, "services"):
        name = service["metadata"]["name"]
        for index, port in enumerate(service["spec"].get("ports", [])):
            target = port.get("targetPort")
            if isinstance(target, int) and ports.get(name) and target not in ports[name]:
                return name, index, ports[name][0]
    return None


def main():
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    namespace = json.loads(sys.stdin.readline())["namespace"]
    sys.stdin.readline()  # asks to begin
    for _ in range(3):
        found = culprit(namespace)
        if found is None:
            break
        name, index, port = found
        if how == "--wrong":
            said = shell(f"kubectl scale deployment {name} -n {namespace} --replicas=2")
        else:
            patch = json.dumps([{"op": "replace", "path": f"/spec/ports/{index}/targetPort", "value": port}])
            said = shell(f"kubectl patch service {name} -n {namespace} --type=json -p '{patch}'")
        if "refreshed" in said:
            continue
        if how == "--delete":
            shell(f"kubectl delete service user -n {namespace}")
        break
    say("submit()")


main()
