"""The client: retries that do no harm, and errors that say what to do."""

from __future__ import annotations

import unittest

from aiopslab import AiopslabError, Client, NoServer, Refused, UnknownProblem

from .flaky import Relay
from .support import ANALYSIS, DETECTION, Case

LOOK = '```\nget_logs("hotel-testbed", "geo")\n```'


class ClientTests(Case):
    """Against the real server."""

    def finished(self, client: Client, agent: str) -> dict[str, object]:
        """A short episode; its result."""
        episode = client.episode(DETECTION, agent=agent)
        for _ in range(3):
            self.assertIsNone(episode.step(LOOK)["ended"])
        answer = episode.submit("Yes")
        self.assertEqual((answer["step"], answer["ended"]), (4, "submitted"))
        return episode.result()

    def test_lost_answers_change_nothing(self) -> None:
        direct = self.finished(self.client, "direct")
        for instead in (None, 503):
            name = f"lost-{instead}"
            with Relay(self.client.url, instead) as relay, Client(relay.url, pause=0.0) as client:
                result = self.finished(client, name)
            # One episode, four steps, one result: each was lost once.
            self.assertEqual(relay.lost, 6)
            self.assertEqual([one["end_reason"] for one in self.ends(name)], ["submitted"])
            for key in ("trace", "results", "strict", "coverage", "repeated_calls"):
                self.assertEqual(result[key], direct[key])

    def test_a_server_that_never_answers(self) -> None:
        with Relay(self.client.url) as relay:
            with self.assertRaisesRegex(NoServer, "does not answer: .+\nhint: is it still running"):
                Client(relay.url, retries=0).problems()
        with self.assertRaisesRegex(NoServer, "does not answer"):
            Client("http://127.0.0.1:1", retries=2, pause=0.0).problems()

    def test_an_address_that_is_none(self) -> None:
        for url in ("127.0.0.1:80", "ftp://example.org", "http://", ""):
            with self.assertRaisesRegex(AiopslabError, "hint: write it as http://"):
                Client(url)

    def test_a_server_that_is_another(self) -> None:
        with Client(self.client.url + "/elsewhere") as client, self.assertRaises(Refused) as raised:
            client.problems()
        self.assertEqual(raised.exception.status, 404)

    def test_what_the_server_refuses(self) -> None:
        with self.assertRaises(UnknownProblem) as unknown:
            self.client.episode("no_such-detection-1")
        self.assertEqual(unknown.exception.status, 404)
        with self.assertRaises(Refused) as clock:
            self.client.episode(DETECTION, options={"clock": "tomorrow"})
        self.assertEqual(clock.exception.status, 400)
        episode = self.client.episode(ANALYSIS)
        with self.assertRaises(Refused) as runs:
            episode.result()
        self.assertEqual(runs.exception.status, 409)
        episode.end()
        self.assertEqual(episode.ended, "interrupted")
        with self.assertRaises(Refused) as over:
            episode.step(LOOK)
        self.assertIn(over.exception.status, (409, 410))
        self.assertEqual(episode.result()["end_reason"], "interrupted")

    def test_actions_in_the_form_of_the_transcript(self) -> None:
        episode = self.client.episode(DETECTION)
        written = episode.step('```\nget_logs("hotel-testbed", "geo")\n```')["observation"]
        action = {"action": "get_logs", "namespace": "hotel-testbed", "service": "geo"}
        self.assertEqual(episode.step(action)["observation"], written)
        self.assertEqual(episode.step({"action": "submit", "solution": "Yes"})["ended"], "submitted")

    def test_connections_are_kept_and_closed(self) -> None:
        with Client(self.client.url) as client:
            client.problems()
            client.close()
            self.assertEqual(client.problems(), self.client.problems())


if __name__ == "__main__":
    unittest.main()
