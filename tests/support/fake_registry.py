"""A server that does what no registry should, for tests: each path of it is a function that answers as it likes.

    with FakeRegistry(certificate=..., key=...) as server:
        server.on("GET", "/v2/x/blobs/*", lambda call: call.reply(200, b"body"))
        server.host       # "localhost:41233"
        server.requests   # what came, in order: Seen(method, target, headers, body)

Plain HTTP without a certificate. `*` at the end of a path stands for anything; the last rule that fits wins."""
import socket
import ssl
import struct
import threading
from typing import Callable, NamedTuple

MAX_HEAD = 1 << 20


class Seen(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes


class Call:
    """One request, and the connection to answer it by."""

    def __init__(self, connection: socket.socket, seen: Seen):
        self.connection, self.seen = connection, seen
        self.open = True  # whether the connection serves another request afterwards

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self, status: int, **headers) -> None:
        """Status line and headers as they are given, with _ for -; no Content-Length of its own."""
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def reply(self, status: int, body: bytes = b"", **headers) -> None:
        self.head(status, Content_Length=len(body), **headers)
        if self.seen.method != "HEAD":
            self.send(body)

    def chunk(self, data: bytes) -> None:
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def range_from(self) -> int:
        """The first byte a Range header asks for; 0 without one."""
        text = self.seen.headers.get("range", "bytes=0-")
        return int(text[len("bytes="):].split("-")[0])

    def cut(self) -> None:
        """Ends the connection by a reset, as a dying machine would."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()

    def hang_up(self) -> None:
        self.open = False


class FakeRegistry:
    def __init__(self, certificate=None, key=None, address: str = "localhost"):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.host = f"{address}:{self.port}"
        self.url = f"{'https' if certificate else 'http'}://{self.host}"
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate, key)
        self.rules: list[tuple[str, str, Callable[[Call], None]]] = []
        self.requests: list[Seen] = []
        self.connections: set[socket.socket] = set()
        self.lock = threading.Lock()

    def on(self, method: str, path: str, answer: Callable[[Call], None]) -> None:
        self.rules.insert(0, (method, path, answer))

    def clear(self) -> None:
        self.rules.clear()
        self.requests.clear()

    def __enter__(self) -> "FakeRegistry":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.listener.close()
        with self.lock:
            for connection in self.connections:
                connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        raw.settimeout(60)
        connection = raw
        try:
            if self.context:
                connection = self.context.wrap_socket(raw, server_side=True)
            with self.lock:
                self.connections.add(connection)
            while self._one(connection):
                pass
        except (OSError, ValueError):
            pass  # the client went away, or spoke no HTTP: its own business
        finally:
            with self.lock:
                self.connections.discard(connection)
            connection.close()

    def _one(self, connection: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if data == b"" and more[:1] == b"\x16":
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                return False
            if not more or len(data) > MAX_HEAD:
                return False
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = bytearray(body)  # bytes would be copied by each +=
        while len(body) < int(headers.get("content-length", 0)):
            more = connection.recv(1 << 20)
            if not more:
                break
            body += more
        seen = Seen(method, target, headers, bytes(body))
        with self.lock:
            self.requests.append(seen)
        call = Call(connection, seen)
        self._rule(seen)(call)
        return call.open

    def _rule(self, seen: Seen) -> Callable[[Call], None]:
        path = seen.target.split("?")[0]
        for method, pattern, answer in self.rules:
            fits = path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
            if fits and method in (seen.method, "*"):
                return answer
        return lambda call: call.reply(404, b'{"errors":[{"code":"NAME_UNKNOWN","message":"no rule of the test"}]}')
