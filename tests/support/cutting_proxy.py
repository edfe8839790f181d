"""A TCP proxy on the loopback that cuts connections at given points, for tests; TLS goes through it untouched.

    with CuttingProxy(server.port, down=[1000, 5000]) as proxy:
        proxy.host    # "localhost:41235"

The first connection that carries bytes is cut after 1000 bytes from the server, the next after 5000, all others never;
`up` is the same for bytes to the server. A cut is a reset towards the client."""
import socket
import struct
import threading


class CuttingProxy:
    def __init__(self, port: int, *, down: list[int] | None = None, up: list[int] | None = None):
        self.target = port
        self.cuts = [("down", point) for point in down or []] + [("up", point) for point in up or []]
        self.made = 0  # how many cuts there were
        self.carried_down = 0  # bytes from the server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"localhost:{self.listener.getsockname()[1]}"
        self.lock = threading.Lock()

    def __enter__(self) -> "CuttingProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                cut = self.cuts.pop(0) if self.cuts else None
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            for direction, source, sink in (("up", client, server), ("down", server, client)):
                budget = cut[1] if cut and cut[0] == direction else None
                threading.Thread(target=self._carry, args=(source, sink, client, budget), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, client: socket.socket, budget: int | None) -> None:
        try:
            while data := source.recv(65536 if budget is None else min(65536, budget)):
                sink.sendall(data)
                if sink is client:
                    with self.lock:
                        self.carried_down += len(data)
                if budget is not None and (budget := budget - len(data)) == 0:
                    self.made += 1
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if end is client:
                end.close()
