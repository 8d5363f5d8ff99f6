"""A proxy before an API server that can cut every connection, refuse new ones, and say 410 to a watch."""
import base64
import json
import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

GONE = b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}}\n'


class ApiServer:
    """How the API server of the current kubeconfig is reached."""

    def __init__(self, kubectl):
        view = subprocess.run([kubectl, "config", "view", "--raw", "--minify", "-o", "json"],
                              capture_output=True, text=True, check=True)
        config = json.loads(view.stdout)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        url = urllib.parse.urlsplit(cluster["server"])
        self.address = (url.hostname, url.port or 443)
        decode = lambda text: base64.b64decode(text).decode()
        self.context = ssl.create_default_context(cadata=decode(cluster["certificate-authority-data"]))
        with tempfile.NamedTemporaryFile("w") as pem:
            pem.write(decode(user["client-certificate-data"]) + decode(user["client-key-data"]))
            pem.flush()
            self.context.load_cert_chain(pem.name)

    def connect(self):
        plain = socket.create_connection(self.address, timeout=10)
        secure = self.context.wrap_socket(plain, server_hostname=self.address[0])
        secure.settimeout(None)
        return secure


class Proxy:
    """Plain HTTP on loopback: one request a connection, passed on over TLS."""

    def __init__(self, server, folder):
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.refuse_until = 0.0
        self.gone = set()  # resources whose next resumed watch is told that its version is gone
        self.told_gone = []
        self.live = set()
        self.kubeconfig = pathlib.Path(folder, "proxy.kubeconfig")
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": f"http://127.0.0.1:{self.listener.getsockname()[1]}"}}],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "nobody"}}]}))
        threading.Thread(target=self.accept, daemon=True).start()

    def cut(self, seconds):
        """Breaks every connection and refuses new ones for a while."""
        self.refuse_until = time.time() + seconds
        for one in list(self.live):
            try:
                # A reset, as of a machine that is gone.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        time.sleep(seconds)

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        upstream = None
        self.live.add(client)
        try:
            if time.time() < self.refuse_until:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                block = client.recv(65536)
                if not block:
                    return
                head += block
            head, body = head.split(b"\r\n\r\n", 1)
            lines = head.split(b"\r\n")
            if self.is_gone(lines[0].decode()):
                client.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
                               b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(GONE), GONE))
                return
            upgrades = any(line.lower().startswith(b"upgrade:") for line in lines)
            if not upgrades:
                lines = [line for line in lines if not line.lower().startswith(b"connection:")] + [b"Connection: close"]
            upstream = self.server.connect()
            self.live.add(upstream)
            upstream.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
            back = threading.Thread(target=self.pump, args=(upstream, client), daemon=True)
            back.start()
            self.pump(client, upstream, half=True)
            back.join()
        except OSError:
            pass
        finally:
            for one in (client, upstream):
                if one is not None:
                    self.live.discard(one)
                    one.close()

    def is_gone(self, request):
        url = urllib.parse.urlsplit(request.split(" ")[1])
        resource = url.path.rsplit("/", 1)[-1]
        if resource in self.gone and "watch=1" in url.query and "&resourceVersion=" in url.query:
            self.gone.discard(resource)
            self.told_gone.append(resource)
            return True
        return False

    @staticmethod
    def pump(source, target, half=False):
        try:
            while block := source.recv(65536):
                target.sendall(block)
        except OSError:
            half = False
        if not half:
            for one in (source, target):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
