"""A whole episode by the PyPI package `mcp` or `fastmcp`:
mcp_client.py MODE PROFILE (URL | COMMAND...); MODE: sessions, no-sessions or fastmcp."""

import asyncio
import sys

mode, profile, *target = sys.argv[1:]

# What each profile calls: a look at the deployments, further looks, the submission.
LOOKS = {
    "actions": [
        ("exec_shell", {"command": "kubectl get deployments -n hotel-testbed"}, "0/0"),
        ("get_logs", {"namespace": "hotel-testbed", "service": "frontend"}, "{"),
        ("get_traces", {"namespace": "hotel-testbed"}, ".csv"),
        ("get_logs", {"namespace": "hotel-testbed"}, "argument service is missing"),
    ],
    "sregym": [
        ("exec_kubectl_cmd_safely", {"cmd": "kubectl get deployments -n hotel-testbed"}, "0/0"),
        ("get_services", {}, "frontend"),
        ("get_operations", {"service": "frontend"}, "operation"),
        ("get_traces", {"service": "frontend", "last_n_minutes": 1}, "trace_id"),
        ("get_dependency_graph", {}, "frontend"),
    ],
    "k8s-mcp": [
        ("resources_list", {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "hotel-testbed"}, "0/0"),
        ("namespaces_list", {}, "hotel-testbed"),
        ("pods_list_in_namespace", {"namespace": "hotel-testbed", "labelSelector": "app.kubernetes.io/name=geo"}, "geo"),
        ("pods_list", {}, "kube-system"),
        ("pods_top", {"namespace": "hotel-testbed"}, "CPU"),
        ("nodes_top", {}, "CPU"),
        ("events_list", {"namespace": "hotel-testbed"}, "REASON"),
        ("resources_get", {"apiVersion": "v1", "kind": "Service", "namespace": "hotel-testbed", "name": "geo"}, "kind: Service"),
        ("resources_scale", {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "hotel-testbed", "name": "geo"}, ""),
        ("resources_create_or_update", {"resource": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}'}, "orbidden"),
        ("resources_delete", {"apiVersion": "v1", "kind": "Service", "namespace": "hotel-testbed", "name": "geo"}, "orbidden"),
    ],
}
SUBMIT = ("submit", {"ans": "Yes"} if profile == "sregym" else {"has_anomaly": "Yes"})


def text_of(result):
    return "\n".join(part.text for part in result.content if hasattr(part, "text"))


def failed(result):
    return bool(getattr(result, "is_error", None) or getattr(result, "isError", None))


async def talk(client, call, instructions):
    assert "site reliability engineer" in instructions, instructions
    tools = await client.list_tools()
    names = {tool.name for tool in getattr(tools, "tools", tools)}
    assert {name for name, _, _ in LOOKS[profile]} | {"submit"} <= names, names
    prompt = await client.get_prompt("task")
    assert "submit" in prompt.messages[0].content.text
    resource = await client.read_resource("aiopslab://task")
    assert "submit" in getattr(resource, "contents", resource)[0].text
    for name, arguments, expected in LOOKS[profile]:
        result = await call(name, arguments)
        text = text_of(result)
        assert not failed(result) and expected in text, f"{name}: {text[:500]}"
    result = await call(*SUBMIT)
    assert not failed(result) and text_of(result) == "submitted", text_of(result)
    for _ in range(2):
        result = await call(*SUBMIT)
        assert failed(result) and "over" in text_of(result), text_of(result)


async def with_mcp():
    from mcp import Client, StdioServerParameters

    server = target[0] if target[0].startswith("http") else StdioServerParameters(command=target[0], args=target[1:])
    sessions = mode == "sessions"
    async with Client(server, mode="legacy" if sessions else "auto") as client:
        assert (client.protocol_version < "2026") == sessions, client.protocol_version
        await talk(client, client.call_tool, client.instructions or "")


async def with_fastmcp():
    from fastmcp import Client
    from fastmcp.client.transports import StdioTransport

    server = target[0] if target[0].startswith("http") else StdioTransport(target[0], target[1:])

    async with Client(server) as client:
        async def call(name, arguments):
            return await client.call_tool(name, arguments, raise_on_error=False)

        await talk(client, call, client.instructions or "")


asyncio.run(with_fastmcp() if mode == "fastmcp" else with_mcp())
