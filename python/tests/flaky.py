"""A relay to the server that loses answers: the request arrives, and the connection ends without a word."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Relay:
    """Passes every request on twice over: for the first time its answer is lost, or becomes `instead`."""

    def __init__(self, url: str, instead: int | None = None) -> None:
        self.lost = 0
        self._seen: set[tuple[str, str, bytes]] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(urlsplit(url).netloc, instead))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self, address: str, instead: int | None) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            """Relays one connection."""

            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                """Relays a request, and loses its answer if it is a new one."""
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server = http.client.HTTPConnection(address)
                server.request(self.command, self.path, body, dict(self.headers))
                answer = server.getresponse()
                text = answer.read()
                server.close()
                key = (self.command, self.path, body)
                status = answer.status
                if key not in relay._seen:
                    relay._seen.add(key)
                    relay.lost += 1
                    if instead is None:
                        self.close_connection = True
                        return
                    status, text = instead, b"try again"
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = pass_on  # noqa: N815 - the base class's names

            def log_message(self, format: str, *arguments: object) -> None:
                """Says nothing."""

        return Handler
