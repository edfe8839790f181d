"""Debian's docker-registry on a free port of the loopback, for tests: plain, with TLS, with a password.

    with RegistryServer(folder, tls=True, login=("user", "secret")) as server:
        server.host      # "localhost:41231"
        server.ca        # Path of the authority's certificate, None without TLS
        server.stop(); server.start()    # same port, same storage; kill=True for SIGKILL

Needs docker-registry; with TLS openssl, with a login htpasswd (apache2-utils)."""
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

# What a test that uses RegistryServer needs, as arguments of harness.need().
NEEDS = ("tool:docker-registry", "tool:openssl", "tool:htpasswd")
START_SECONDS = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lacking() -> str | None:
    """The first tool that is missing; None if all are there."""
    return next((need[5:] for need in NEEDS if not shutil.which(need[5:])), None)


def make_authority(folder: Path) -> tuple[Path, Path, Path]:
    """A certificate authority and a certificate for localhost by it: (authority, certificate, key)."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key = folder / "ca.crt", folder / "ca.key"
    certificate, key, request = folder / "server.crt", folder / "server.key", folder / "server.csr"
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="utf-8")

    def openssl(*words) -> None:
        subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", 2, "-subj", "/CN=sbx test authority")
    openssl("req", *curve, "-keyout", key, "-out", request, "-subj", "/CN=localhost")
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", certificate,
            "-days", 2, "-extfile", extensions)
    return ca, certificate, key


class RegistryServer:
    """One docker-registry, its storage and its certificates below `folder`, which the caller removes."""

    def __init__(self, folder: Path, *, tls: bool = False, login: tuple[str, str] | None = None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.login = login
        self.ca = self.certificate = self.key = None
        if tls:
            self.ca, self.certificate, self.key = make_authority(self.folder / "tls")
        self.port = 0
        self.process: subprocess.Popen | None = None
        self.log = self.folder / "registry.log"

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://{self.host}"

    def _configuration(self) -> str:
        lines = ["version: 0.1", "log: {level: info}", "storage:",
                 f"  filesystem: {{rootdirectory: {self.folder / 'storage'}}}",
                 "  delete: {enabled: true}",
                 "http:", f"  addr: localhost:{self.port}", "  relativeurls: true"]
        if self.ca:
            lines += ["  tls:", f"    certificate: {self.certificate}", f"    key: {self.key}"]
        if self.login:
            password_file = self.folder / "htpasswd"
            made = subprocess.run(["htpasswd", "-niB", "-C", "5", self.login[0]], input=self.login[1], text=True, check=True,
                                  stdout=subprocess.PIPE)
            password_file.write_text(made.stdout.strip() + "\n", encoding="utf-8")
            lines += ["auth:", "  htpasswd:", "    realm: test", f"    path: {password_file}"]
        return "\n".join(lines) + "\n"

    def _answers(self) -> bool:
        try:
            if self.ca:
                context = ssl.create_default_context(cafile=str(self.ca))
                connection = http.client.HTTPSConnection("localhost", self.port, timeout=5, context=context)
            else:
                connection = http.client.HTTPConnection("localhost", self.port, timeout=5)
            connection.request("GET", "/v2/")
            return connection.getresponse().status in (200, 401)
        except OSError:
            return False

    def start(self) -> "RegistryServer":
        """Starts it, or starts it again on the port it had."""
        chosen = self.port
        for _ in range(5):
            self.port = chosen or free_port()
            configuration = self.folder / "config.yml"
            configuration.write_text(self._configuration(), encoding="utf-8")
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(["docker-registry", "serve", str(configuration)], stdin=subprocess.DEVNULL,
                                                stdout=log, stderr=log, env={**os.environ, "OTEL_TRACES_EXPORTER": "none"})
            deadline = time.monotonic() + START_SECONDS
            while self.process.poll() is None and time.monotonic() < deadline:
                if self._answers():
                    return self
                time.sleep(0.02)
            self.stop(kill=True)  # somebody else took the port, most likely
        raise RuntimeError(f"docker-registry does not start: {self.log.read_text(encoding='utf-8', errors='replace')[-2000:]}")

    def stop(self, kill: bool = False) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def __enter__(self) -> "RegistryServer":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop(kill=True)
