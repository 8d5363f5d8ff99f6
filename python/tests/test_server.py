"""Finding, starting and ending the program."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit

import aiopslab
from aiopslab import Client, NoServer, Refused, Server
from aiopslab.server import BINARY_VARIABLE, URL_VARIABLE, find_binary

from .support import DETECTION, ROOT, Case, environment, run_python

SAYS_URL = "import aiopslab; c = aiopslab.connect(); print(c.url, len(c.problems()), flush=True)"


class ServerTests(Case):
    """Servers beside the one of the tests."""

    def test_snapshots_and_the_folder_of_records(self) -> None:
        out = self.folder / "out"
        with Server(["noop_detection_testbed-2"], out=out) as server:
            ids = [problem["id"] for problem in server.client.problems()]
            self.assertEqual(ids, ["noop_detection_testbed-2"])
            server.client.episode(ids[0]).submit("No")
        self.assertEqual(len(list(out.rglob("result.json"))), 1)
        self.assertTrue(gone(server.url))
        server.close()

    def test_what_is_open_when_the_server_ends_is_kept(self) -> None:
        with Server(out=self.folder) as server:
            server.client.episode(DETECTION).step('```\nexec_shell("ls")\n```')
        (transcript,) = self.folder.rglob("transcript.jsonl")
        self.assertIn('"end_reason":"interrupted"', transcript.read_text(encoding="utf-8"))

    def test_a_server_that_is_killed_is_missed(self) -> None:
        server = Server(out=self.folder)
        with Client(server.url, pause=0.0) as client:
            episode = client.episode(DETECTION)
            os.kill(server.pid, signal.SIGKILL)
            server.close()
            with self.assertRaisesRegex(NoServer, "hint: is it still running"):
                episode.step('```\nexec_shell("ls")\n```')

    def test_an_api_key(self) -> None:
        key = self.folder / "key"
        key.write_text("open sesame\n", encoding="utf-8")
        with Server(out=self.folder / "out", arguments=["--api-key-file", str(key)]) as server:
            with self.assertRaises(Refused) as raised:
                server.client.problems()
            self.assertEqual(raised.exception.status, 401)
            with Client(server.url, "open sesame") as client:
                self.assertTrue(client.problems())
            self.assertEqual(
                run_python(
                    "-c",
                    SAYS_URL,
                    cwd=self.folder,
                    env=environment(**{URL_VARIABLE: server.url, "AIOPSLAB_API_KEY": "open sesame"}),
                ).split()[0],
                server.url,
            )

    def test_a_command_that_is_refused_is_told(self) -> None:
        with self.assertRaisesRegex(NoServer, "no_such_snapshot.*did not start: (.|\n)+no_such_snapshot"):
            Server(["no_such_snapshot"])
        with self.assertRaisesRegex(NoServer, "can't be started"):
            Server(binary=self.folder)

    def test_a_process_attaches_or_starts(self) -> None:
        attached = run_python(
            "-c", SAYS_URL, cwd=self.folder, env=environment(**{URL_VARIABLE: self.client.url})
        )
        self.assertEqual(attached.split(), [self.client.url, str(len(self.client.problems()))])
        started = run_python("-c", SAYS_URL, cwd=self.folder).split()
        self.assertNotEqual(started[0], self.client.url)
        self.assertEqual(started[1], attached.split()[1])
        self.assertTrue(gone(started[0]), "the program has outlived the process that started it")

    def test_one_server_for_all_threads_of_a_process(self) -> None:
        code = (
            "import aiopslab; from concurrent.futures import ThreadPoolExecutor as Pool\n"
            "with Pool(8) as pool: print(len({c.url for c in pool.map(lambda _: aiopslab.connect(), range(8))}))"
        )
        self.assertEqual(run_python("-c", code, cwd=self.folder).strip(), "1")

    def test_it_goes_with_a_process_that_is_killed(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", SAYS_URL + "; input()"],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None and process.stdout is not None
        url = process.stdout.readline().decode().split()[0]
        self.assertFalse(gone(url, within=0.0))
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
        self.assertTrue(gone(url), "the program has outlived the process that was killed")

    @unittest.skipIf(os.name == "nt", "there is no fork")
    def test_a_forked_process_uses_it_and_leaves_it(self) -> None:
        self.client.problems()
        child = os.fork()
        if child == 0:
            works = len(self.client.problems()) > 0
            os._exit(0 if works else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertTrue(self.client.problems())


class FindTests(unittest.TestCase):
    """Which program it is."""

    def setUp(self) -> None:
        """Something that could be the program."""
        from .support import temporary_folder

        self.folder = temporary_folder()
        self.program = self.folder / "aiopslab"
        self.program.write_text("#!/bin/sh\n", encoding="utf-8")
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    def test_where_it_is_looked_for(self) -> None:
        path = str(self.folder)
        self.assertEqual(find_binary({BINARY_VARIABLE: str(self.program), "PATH": ""}), self.program)
        self.assertEqual(find_binary({"PATH": path}), self.program)

    def test_the_way_out_when_there_is_none(self) -> None:
        with self.assertRaisesRegex(NoServer, f"hint: .*wheel.*{BINARY_VARIABLE}.*{URL_VARIABLE}"):
            find_binary({"PATH": str(self.folder / "empty")})
        with self.assertRaisesRegex(NoServer, f"{BINARY_VARIABLE} is /no/such"):
            find_binary({BINARY_VARIABLE: "/no/such"})


class VersionTests(unittest.TestCase):
    """One version for the program and the package."""

    def test_it_is_the_workspace_s(self) -> None:
        cargo = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
        found = re.search(r'^version = "(.+)"$', cargo, re.MULTILINE)
        assert found is not None
        self.assertEqual(aiopslab.__version__, found[1])

    def test_the_module_is_the_program(self) -> None:
        said = run_python("-m", "aiopslab", "--version", cwd=Path.cwd())
        self.assertEqual(said.split(), ["aiopslab", aiopslab.__version__])


def gone(url: str, within: float = 30.0) -> bool:
    """Whether nobody listens at an address, or soon won't."""
    parts = urlsplit(url)
    deadline = time.monotonic() + within
    while True:
        try:
            socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5).close()
        except OSError:
            return True
        if time.monotonic() >= deadline:
            return False


if __name__ == "__main__":
    unittest.main()
