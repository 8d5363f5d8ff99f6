"""AIOpsLab's reader of responses, for agents that look at what they have written before they send it.

The server does its own reading, of more than this, and knows which actions there are and what arguments they take.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from ..utils.status import ResponseParsingError

_ONE_FENCE = """the response has to hold one call in one fenced block, like this:
```
exec_shell("kubectl get pods -A")
```"""
_NO_CALL = "no call found: a call is a name with arguments in parentheses"
_NOT_QUOTED = "exec_shell: the command has to be one text in quotes"

# What is between the quotes is the shell's: it may have quotes of its own.
_SHELL = re.compile(
    r"""\(\s*(?:command\s*=\s*)?(\"{3}|'{3}|"|')(.*?)\1\s*"""
    r"""(?:,\s*(?:timeout\s*=\s*)?(-?\d+)\s*)?,?\s*\)\s*(?:\#[^\n]*)?""",
    re.DOTALL,
)


class ResponseParser:
    """Reads the call in a response."""

    def parse(self, response: str) -> dict[str, Any]:
        """Returns `api_name`, `args` and `kwargs` of the call, and as `context` what is said around its fence.

        Raises `ResponseParsingError`, in words for the agent, where there is not exactly one fence with a call.
        """
        parts = response.split("```")
        if len(parts) != 3:
            raise _error(_ONE_FENCE)
        before, block, after = parts
        language, _, rest = block.partition("\n")
        call = (rest if re.fullmatch(r"[\w+-]*", language.strip()) else block).strip()
        name, opened, _ = call.partition("(")
        if not opened:
            raise _error(_NO_CALL)
        shell = name.strip() == "exec_shell"
        args, kwargs = _command(call[len(name) :]) if shell else _arguments(call)
        context = [text.strip() for text in (before, after) if text.strip()]
        return {"api_name": name.strip(), "args": args, "kwargs": kwargs, "context": context}


def _command(arguments: str) -> tuple[list[Any], dict[str, Any]]:
    found = _SHELL.fullmatch(arguments)
    if found is None:
        raise _error(_NOT_QUOTED)
    _, command, timeout = found.groups()
    kwargs = {} if timeout is None else {"timeout": int(timeout)}
    return [command.replace('\\"', '"').replace("\\'", "'")], kwargs


def _arguments(call: str) -> tuple[list[Any], dict[str, Any]]:
    try:
        node = ast.parse(call, mode="eval").body
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            raise ValueError(_NO_CALL)
        args = [_plain(ast.literal_eval(one)) for one in node.args]
        kwargs = {str(one.arg): _plain(ast.literal_eval(one.value)) for one in node.keywords if one.arg}
        if len(kwargs) != len(node.keywords):
            raise ValueError("arguments are given by position or by name")
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise _error(str(error)) from None
    return args, kwargs


def _plain(value: Any) -> Any:
    """What JSON has, too; tuples are lists."""
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise ValueError(f"{value!r} is no text, number, list or dictionary")


def _error(what: str) -> ResponseParsingError:
    return ResponseParsingError(f"Error parsing response: {what}")
