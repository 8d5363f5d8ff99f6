"""The npm package `kubernetes-mcp-server` on a served recording, as an agent talks to it:
kubernetes_mcp.py PROGRAM KUBECONFIG POD."""

import json
import os
import subprocess
import sys

program, kubeconfig, pod = sys.argv[1:]
namespace = os.environ["INCIDENT"]
server = subprocess.Popen(
    [program, "--kubeconfig", kubeconfig],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
    text=True,
)
asked = 0


def send(message):
    server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    server.stdin.flush()


def ask(method, parameters):
    global asked
    asked += 1
    send({"id": asked, "method": method, "params": parameters})
    for line in server.stdout:
        answer = json.loads(line)
        if answer.get("id") == asked:
            assert "error" not in answer, answer
            return answer["result"]
    raise AssertionError(f"no answer to {method}")


def call(tool, expected, fails=False, **arguments):
    result = ask("tools/call", {"name": tool, "arguments": arguments})
    text = "\n".join(part.get("text", "") for part in result["content"])
    assert bool(result.get("isError")) == fails, f"{tool}: {text}"
    assert expected in text, f"{tool}: {expected!r} is not in {text[:500]!r}"


try:
    ask(
        "initialize",
        {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "interop", "version": "0"},
        },
    )
    send({"method": "notifications/initialized"})
    tools = {tool["name"] for tool in ask("tools/list", {})["tools"]}
    assert {"pods_list", "pods_log", "resources_list"} <= tools, tools
    call("namespaces_list", namespace)
    call("pods_list", pod)
    call("pods_list_in_namespace", pod, namespace=namespace)
    call("pods_get", "containerStatuses", namespace=namespace, name=pod)
    call("pods_log", '"service":"geo"', namespace=namespace, name=pod, tail=5)
    call("pods_top", pod, namespace=namespace)
    call("events_list", "Scheduled", namespace=namespace)
    call("resources_list", "frontend", apiVersion="apps/v1", kind="Deployment", namespace=namespace)
    call("resources_get", "replicas", apiVersion="apps/v1", kind="Deployment", namespace=namespace, name="frontend")
    call("pods_get", "not found", fails=True, namespace=namespace, name="nosuch")
    call("pods_delete", "", fails=True, namespace=namespace, name=pod)
finally:
    server.stdin.close()
    server.terminate()
    server.wait(10)
