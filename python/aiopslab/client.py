"""A client of the step API: requests, retries, and episodes."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote, urlsplit

from .errors import AiopslabError, NoServer, Refused, UnknownProblem
from .wire import Action, Briefing, EpisodeOptions, Json, ProblemSummary, StepAnswer

# The server is busy or behind something that is: the same request may succeed in a moment.
_TRY_AGAIN = frozenset({429, 502, 503, 504})


class Client:
    """Talks to one server; threads may share it.

    Every request may be sent twice without harm: an episode is made under an idempotency key, and a step
    bears its number. So a lost connection is tried again, `retries` times, after `pause` seconds and then
    twice as long each time.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout: float = 600.0,
        retries: int = 4,
        pause: float = 0.1,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AiopslabError(f"{url!r} is no address of a server", "write it as http://127.0.0.1:1818")
        self.url = url.rstrip("/")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._root = parts.path.rstrip("/")
        self._api_key = api_key
        self._timeout = timeout
        self._retries = retries
        self._pause = pause
        self._idle = _Idle()

    def problems(self) -> list[ProblemSummary]:
        """The problems that can be answered with the snapshots at hand."""
        return cast(list[ProblemSummary], self.request("GET", "/v1/problems")["problems"])

    def briefing(self, problem: str, options: EpisodeOptions | None = None) -> Briefing:
        """What an agent will be told of a problem, without an episode."""
        query = f"?actions={quote(options['actions'])}" if options and "actions" in options else ""
        document = _known(self, problem, "GET", f"/v1/problems/{quote(problem, safe='')}{query}")
        return cast(Briefing, document["briefing"])

    def episode(
        self,
        problem: str,
        *,
        agent: str = "http",
        max_steps: int | None = None,
        options: EpisodeOptions | None = None,
    ) -> Episode:
        """Begins an episode."""
        body: Json = {"problem": problem, "agent": agent, **(options or {})}
        if max_steps is not None:
            body["max_steps"] = max_steps
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return Episode(self, _known(self, problem, "POST", "/v1/episodes", body, key))

    def request(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Sends a request until it is answered, and returns the answer's document.

        Raises `Refused` for an error of the server's, `NoServer` if there is no answer.
        """
        text = None if body is None else json.dumps(body).encode()
        attempt = 0
        while True:
            last = attempt == self._retries
            try:
                status, answer = self._send(method, path, text, headers or {})
            except (OSError, http.client.HTTPException) as error:
                if last:
                    raise NoServer(
                        f"the server at {self.url} does not answer: {error or type(error).__name__}",
                        "is it still running, and is the address right?",
                    ) from error
            else:
                if status < 400:
                    return json.loads(answer)
                if status not in _TRY_AGAIN or last:
                    raise _refusal(status, answer)
            time.sleep(self._pause * 2**attempt)
            attempt += 1

    def close(self) -> None:
        """Closes the connections that are kept; the next request opens another."""
        self._idle.clear()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        connection = self._idle.take() or self._connect()
        sent = {"Accept": "application/json", **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        if self._api_key is not None:
            sent["Authorization"] = f"Bearer {self._api_key}"
        try:
            try:
                connection.request(method, self._root + path, body=body, headers=sent)
            except (BrokenPipeError, ConnectionResetError):
                # A body that is too large is refused before it has been read: the answer may be there.
                pass
            response = connection.getresponse()
            answer = response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._idle.put(connection)
        return response.status, answer

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)


class Episode:
    """An episode on the server, with the number of its next step."""

    def __init__(self, client: Client, made: Json) -> None:
        self._client = client
        self._path = f"/v1/episodes/{made['episode']}"
        self._next = int(made["step"])
        self.id: str = made["episode"]
        self.briefing: Briefing = made["briefing"]
        self.observation: str = made["observation"]
        self.max_steps: int = made["limits"]["steps"]
        self.ended: str | None = None

    def step(self, action: Action) -> StepAnswer:
        """Takes one step."""
        said = {"response": action} if isinstance(action, str) else {"action": action}
        return self._advance("steps", said)

    def submit(self, solution: Any) -> StepAnswer:
        """Submits, which ends the episode."""
        return self._advance("submit", {"solution": solution})

    def end(self, reason: str = "interrupted", error: str | None = None) -> None:
        """Ends the episode, if it is not over: `interrupted`, or `agent_failed` with the agent's error."""
        if self.ended is None:
            body = {"reason": reason} if error is None else {"reason": reason, "error": error}
            self.ended = self._client.request("DELETE", self._path, body)["ended"]

    def result(self) -> Json:
        """The result of an episode that is over, as in its `result.json`."""
        return cast(Json, self._client.request("GET", f"{self._path}/result"))

    def _advance(self, what: str, said: Json) -> StepAnswer:
        body = {"step": self._next, **said}
        answer = cast(StepAnswer, self._client.request("POST", f"{self._path}/{what}", body))
        self._next += 1
        self.ended = answer["ended"]
        return answer


class _Idle:
    """Connections that wait for the next request. A forked process doesn't use its parent's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: list[http.client.HTTPConnection] = []
        self._process = os.getpid()

    def take(self) -> http.client.HTTPConnection | None:
        with self._lock:
            if self._process != os.getpid():
                self._process = os.getpid()
                self._close()
            return self._connections.pop() if self._connections else None

    def put(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._connections.append(connection)

    def clear(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        while self._connections:
            self._connections.pop().close()


def _known(
    client: Client,
    problem: str,
    method: str,
    path: str,
    body: Json | None = None,
    headers: Mapping[str, str] | None = None,
) -> Json:
    """The answer to a request about a problem."""
    try:
        return cast(Json, client.request(method, path, body, headers))
    except Refused as error:
        if error.status != 404:
            raise
        raise UnknownProblem(error.status, error.what, error.hint) from None


def _refusal(status: int, answer: bytes) -> Refused:
    try:
        document = json.loads(answer)
        return Refused(status, document["error"], document.get("hint"))
    except (ValueError, TypeError, KeyError):
        text = answer.decode(errors="replace").strip()[:200]
        return Refused(
            status,
            f"the server answered {status}: {text}",
            "is there an aiopslab server at this address?",
        )
