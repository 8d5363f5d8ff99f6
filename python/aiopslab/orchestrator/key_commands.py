"""The calls that AIOpsLab's files of ground truth value: a trainer's agent is rewarded for making them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


class KeyCommands:
    """The valued calls of one problem; each counts once."""

    def __init__(self, commands: Iterable[Mapping[str, Any]]) -> None:
        ordered = sorted(commands, key=lambda command: command.get("sequence_number") or 0)
        self._left = [(str(one["command"]), float(one.get("importance_score", 0.0))) for one in ordered]

    def score(self, response: str) -> float:
        """What the call in a response is worth; 0.0 for one that is not valued, or was made before."""
        call = _call(response)
        for place, (command, worth) in enumerate(self._left):
            if call is not None and _pattern(command).fullmatch(call):
                del self._left[place]
                return worth
        return 0.0

    def remaining(self) -> list[str]:
        """The calls that were not made yet."""
        return [command for command, _ in self._left]


def read_key_commands(folder: Path) -> dict[str, list[Mapping[str, Any]]]:
    """Reads `problem_id` and `key_commands` of a folder's JSON files, each one record or a list of them."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder of ground truth {folder}")
    commands: dict[str, list[Mapping[str, Any]]] = {}
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for record in document if isinstance(document, list) else [document]:
            some = record.get("key_commands", [])
            some = [some] if isinstance(some, dict) else some
            commands.setdefault(record["problem_id"], []).extend(some)
    return commands


def _pattern(command: str) -> re.Pattern[str]:
    """`<anything>` stands for anything, and a space for any space."""
    parts = re.split(r"<[^<>]+>", command)
    return re.compile(".+".join(re.sub(r"\\ ", r"\\s+", re.escape(part)) for part in parts))


def _call(response: str) -> str | None:
    """The call in a response, written as the files write it: texts in double quotes."""
    fenced = re.search(r"```(?:\w*\n)?(.*?)```", response, re.DOTALL)
    try:
        call = ast.parse((fenced[1] if fenced else response).strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            return None
        values = [_written(one) for one in call.args]
        values += [f"{one.arg}={_written(one.value)}" for one in call.keywords]
    except (SyntaxError, ValueError):
        return None
    return f"{call.func.id}({', '.join(values)})"


def _written(node: ast.expr) -> str:
    value = ast.literal_eval(node)
    if isinstance(value, (str, list, dict)):
        return json.dumps(value, sort_keys=True)
    return repr(value)
