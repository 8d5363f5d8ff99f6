"""The server behind this process: one that is there, or a program that is started and ended with it."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from .client import Client
from .errors import NoServer

URL_VARIABLE = "AIOPSLAB_URL"
"""The address of a server that runs."""
BINARY_VARIABLE = "AIOPSLAB_BINARY"
"""The program that is started where there is no address."""
KEY_VARIABLE = "AIOPSLAB_API_KEY"
"""The API key, for a server that wants one."""

_SAYS = "listening on "
_START_SECONDS = 60.0


class Server:
    """A running `aiopslab serve --http`, started by this process and ended with it.

    It listens on a free port of the loopback interface. `snapshots` are folders or names of samples (default:
    what the program finds by itself), `out` is the folder for the episodes' files (default: the next free
    `results/NNN` below the current folder).
    """

    def __init__(
        self,
        snapshots: Sequence[str | Path] = (),
        *,
        out: str | Path | None = None,
        binary: str | Path | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        command = [str(binary or find_binary()), "serve", *map(str, snapshots)]
        command += ["--http", "127.0.0.1:0", "--until-eof", *arguments]
        if out is not None:
            command += ["--out", str(out)]
        self._owner = os.getpid()
        self._said: IO[bytes] = tempfile.TemporaryFile()
        self._process = _spawn(command, self._said)
        self.url = self._address(command)
        self.client = Client(self.url, os.environ.get(KEY_VARIABLE))
        # At the end of the interpreter; if that is killed, the end of the pipe on the program's standard input.
        atexit.register(self.close)

    @property
    def pid(self) -> int:
        """The process id of the program."""
        return self._process.pid

    def close(self) -> None:
        """Ends the program; episodes that are open end as interrupted. A forked process leaves it alone."""
        if self._owner != os.getpid():
            return
        atexit.unregister(self.close)
        self.client.close()
        _end(self._process)
        self._said.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _address(self, command: list[str]) -> str:
        """Waits for the line that says where it listens."""
        assert self._process.stdout is not None
        late = threading.Timer(_START_SECONDS, self._process.kill)
        late.start()
        try:
            line = self._process.stdout.readline().decode(errors="replace").strip()
        finally:
            late.cancel()
        if line.startswith(_SAYS):
            return line[len(_SAYS) :].strip()
        _end(self._process)
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip() or "it says nothing"
        self._said.close()
        raise NoServer(
            f"`{' '.join(command)}` did not start: {said}",
            f"does that command work in a shell? {BINARY_VARIABLE} names another program",
        )


def find_binary(environment: Mapping[str, str] | None = None) -> Path:
    """The program: what `AIOPSLAB_BINARY` names, else the wheel's own, else `aiopslab` on the PATH."""
    environment = os.environ if environment is None else environment
    named = environment.get(BINARY_VARIABLE)
    if named:
        found = shutil.which(named, path=environment.get("PATH"))
        if found is None:
            raise NoServer(f"{BINARY_VARIABLE} is {named}, which is no program")
        return Path(found)
    own = Path(__file__).parent / "bin" / ("aiopslab.exe" if os.name == "nt" else "aiopslab")
    if own.is_file():
        return own
    found = shutil.which("aiopslab", path=environment.get("PATH"))
    if found is None:
        raise NoServer(
            "there is no aiopslab program: this package carries none, and the PATH has none",
            f"install a wheel that carries it, or `cargo install --path .`, or set {BINARY_VARIABLE} to the program "
            f"or {URL_VARIABLE} to the address of a server",
        )
    return Path(found)


_shared_lock = threading.Lock()
_shared: Client | None = None


def connect() -> Client:
    """The client that is used where none is given: of the server at `AIOPSLAB_URL`, or of one that is started.

    The same for the whole process.
    """
    global _shared
    with _shared_lock:
        if _shared is None:
            url = os.environ.get(URL_VARIABLE)
            key = os.environ.get(KEY_VARIABLE)
            _shared = Client(url, key) if url else Server().client
        return _shared


def _spawn(command: list[str], said: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        # In a group of its own: an interrupt at the keyboard is this process's to handle.
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as error:
        said.close()
        raise NoServer(f"{command[0]} can't be started: {error}") from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks a process to end by closing its standard input, then makes it."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
