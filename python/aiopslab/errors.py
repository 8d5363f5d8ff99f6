"""What can go wrong. Each error says on a second line what the way out is, where there is one."""

from __future__ import annotations


class AiopslabError(Exception):
    """The server can't be used, or refuses."""

    def __init__(self, what: str, hint: str | None = None) -> None:
        super().__init__(f"{what}\nhint: {hint}" if hint else what)
        self.what = what
        self.hint = hint


class NoServer(AiopslabError):
    """There is no server: none was found, it did not start, or it is gone."""


class Refused(AiopslabError):
    """The server's answer is an error."""

    def __init__(self, status: int, what: str, hint: str | None = None) -> None:
        super().__init__(what, hint)
        self.status = status


class UnknownProblem(Refused, ValueError):
    """No snapshot at hand answers this problem; a `ValueError`, as in AIOpsLab."""
