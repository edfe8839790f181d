#!/usr/bin/env python3
"""src/registry against Debian's docker-registry: plain, with TLS by an authority of our own, with a password.

usage: real_registry.py REGISTRY_PROBE"""
import base64
import http.client
import json
import os
import random
import ssl
import sys
import tempfile
from pathlib import Path

from probe import OCI_MANIFEST, Test, sha256
import registry_server
from cutting_proxy import CuttingProxy
from registry_server import RegistryServer

LOGIN = ("someone", "s3cret-w0rd")


def call(server: RegistryServer, method: str, path: str, body: bytes | None = None, **headers):
    """One request by python's own client; (status, headers)."""
    if server.ca:
        connection = http.client.HTTPSConnection("localhost", server.port, timeout=20,
                                                 context=ssl.create_default_context(cafile=str(server.ca)))
    else:
        connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    if server.login:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(server.login).encode()).decode()
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers


def push(server: RegistryServer, repository: str, tag: str, layer: bytes) -> bytes:
    """An image of one layer, by python: what sbx reads shall not depend on what sbx writes."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    for blob in (config, layer):
        status, headers = call(server, "POST", f"/v2/{repository}/blobs/uploads/")
        assert status == 202, status
        where = headers["Location"]
        where += ("&" if "?" in where else "?") + "digest=" + sha256(blob)
        status, _ = call(server, "PUT", where, blob, Content_Type="application/octet-stream")
        assert status == 201, status
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(config), "size": len(config)},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": sha256(layer), "size": len(layer)}],
    }).encode()
    status, _ = call(server, "PUT", f"/v2/{repository}/manifests/{tag}", manifest, Content_Type=OCI_MANIFEST)
    assert status == 201, status
    return manifest


def read_side(test: Test, name: str, server: RegistryServer, **settings) -> None:
    layer = os.urandom(3_000_000)
    manifest = push(server, "some/image", "latest", layer)

    def ask(*words, **more):
        return test.ask(server.host, "some/image", *words, **(settings | more))
    wanted = {"digest": sha256(manifest), "type": OCI_MANIFEST, "size": len(manifest)}
    test.equal(f"{name}: ping", ask("ping").result, True, ask("ping"))
    test.equal(f"{name}: manifest by tag", ask("manifest", "latest").result, wanted)
    test.equal(f"{name}: manifest by digest", ask("manifest", sha256(manifest)).result, wanted)
    test.equal(f"{name}: head", ask("head", "latest").result, {"digest": sha256(manifest)})
    whole = ask("blob", sha256(layer), len(layer))
    test.equal(f"{name}: blob", whole.result, {"sha256": sha256(layer)[7:], "size": len(layer)}, whole)
    rest = ask("blob", sha256(layer), len(layer), 1_000_001)
    test.equal(f"{name}: the rest of a blob", rest.result,
               {"sha256": sha256(layer[1_000_001:])[7:], "size": len(layer) - 1_000_001}, rest)
    test.equal(f"{name}: blob is there", ask("has", sha256(layer), len(layer)).result, {"has": True})
    test.equal(f"{name}: blob is not there", ask("has", sha256(b"no"), 2).result, {"has": False})
    test.fails(f"{name}: no such tag", ask("manifest", "nothing"), "not-found", "404", "MANIFEST_UNKNOWN", "some/image:nothing")
    test.fails(f"{name}: no such blob", ask("blob", sha256(b"no"), 2), "not-found", "404", sha256(b"no"))
    test.fails(f"{name}: a blob of another size", ask("blob", sha256(layer), 7), "corrupt", "3000000")
    answer = ask("threads", 8, sha256(layer), len(layer))
    test.equal(f"{name}: eight threads", answer.result, {sha256(layer)[7:]: 8}, answer)
    confined = ask("blob", sha256(layer), len(layer), landlock=True)
    if confined.error and confined.error["code"] == "unsupported":
        print(f"SKIP {name}: landlock: {confined.message}")
    else:
        test.equal(f"{name}: confined by Landlock", confined.result, {"sha256": sha256(layer)[7:], "size": len(layer)}, confined)


def write_side(test: Test, name: str, server: RegistryServer, folder: Path, **settings) -> None:
    def ask(repository: str, *words, **more):
        return test.ask(server.host, repository, *words, **(settings | more))

    def file(content: bytes) -> Path:
        path = folder / sha256(content)[7:20]
        path.write_bytes(content)
        return path

    def stored(repository: str, content: bytes) -> str | bool:
        status, headers = call(server, "GET", f"/v2/{repository}/blobs/{sha256(content)}")
        return (status, headers.get("Content-Length")) != (200, str(len(content))) and f"the registry has {status}"

    large = os.urandom(1 << 20) * 70  # three pieces
    for size, content in {"no byte": b"", "one byte": b"x", "some": os.urandom(100_000), "large": large}.items():
        answer = ask("my/image", "upload", file(content))
        test.check(f"{name}: upload {size}", answer.error and answer.message, answer.result and stored("my/image", content))
    test.equal(f"{name}: large blobs go in pieces", sum(line.startswith("PATCH") for line in answer.log), 3)
    test.equal(f"{name}: mount", ask("my/other", "mount", sha256(large), "my/image").result, {"mounted": True})
    test.check(f"{name}: which is there", stored("my/other", large))
    absent = os.urandom(1000)
    answer = ask("my/other", "mount", sha256(absent), "my/image", file(absent))
    test.check(f"{name}: not mounted, uploaded in the same session", answer.error and answer.message,
               answer.result != {"mounted": False} and str(answer.result), stored("my/other", absent),
               sum(line.startswith("POST") for line in answer.log) > (1 if not server.login else 2) and str(answer.log))
    config, layer = b"{}", b"layer"
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(config), "size": len(config)},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": sha256(layer), "size": len(layer)}],
    }).encode()
    test.fails(f"{name}: a manifest without its blobs", ask("my/image", "put", "t", file(manifest), OCI_MANIFEST), "system",
               "400", "MANIFEST_BLOB_UNKNOWN")
    for content in (config, layer):
        ask("my/image", "upload", file(content))
    for i in range(12):
        answer = ask("my/image", "put", f"v{i:02}", file(manifest), OCI_MANIFEST)
    test.equal(f"{name}: put a manifest", answer.result, sha256(manifest), answer)
    test.equal(f"{name}: and read it", ask("my/image", "manifest", "v11").result,
               {"digest": sha256(manifest), "type": OCI_MANIFEST, "size": len(manifest)})
    # In no order, and all of them whatever n says: pages are tested with a fake registry.
    answer = ask("my/image", "tags", 100)
    test.equal(f"{name}: all tags", (sorted(answer.result["tags"]), answer.result["complete"]),
               ([f"v{i:02}" for i in range(12)], True), answer)
    answer = ask("my/image", "tags", 5)
    test.equal(f"{name}: five tags", (len(answer.result["tags"]), answer.result["complete"]), (5, False), answer)
    answer = ask("", "search", "OTHER", 10)
    test.equal(f"{name}: search", answer.result, {"found": [["my/other", "", 0, False]], "complete": True}, answer)
    answer = ask("my/image", "referrers", sha256(manifest))
    test.equal(f"{name}: no referrers", answer.result, [], answer)
    index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": sha256(manifest), "size": len(manifest)}]}).encode()
    ask("my/image", "put", "sha256-" + sha256(manifest)[7:], file(index), "application/vnd.oci.image.index.v1+json")
    answer = ask("my/image", "referrers", sha256(manifest))
    test.equal(f"{name}: referrers by their tag", answer.result, [sha256(manifest)], answer)


def cut_connections(test: Test, server: RegistryServer, folder: Path) -> None:
    """A proxy that cuts: what was sent or read before is not lost, or is sent again."""
    generator = random.Random(2026)
    large = os.urandom(1 << 20) * 70
    path = folder / "large"
    path.write_bytes(large)
    for i in range(4):
        points = [generator.randrange(1000, 60 << 20) for _ in range(2)]
        with CuttingProxy(server.port, up=points) as proxy:
            repository = f"cut/up{i}"
            answer = test.ask(proxy.host, repository, "upload", path, ca=server.ca)
            status, headers = call(server, "GET", f"/v2/{repository}/blobs/{sha256(large)}")
        test.check(f"upload cut after {points}", proxy.made == 0 and "it was not cut", answer.error and answer.message, status != 200 and f"{status}")
    for i in range(10):
        points = [generator.randrange(1000, 60 << 20) for _ in range(4)]
        with CuttingProxy(server.port, down=points) as proxy:
            answer = test.ask(proxy.host, "cut/up0", "blob", sha256(large), len(large), ca=server.ca)
        test.check(f"download cut after {points}", proxy.made == 0 and "it was not cut",
                   answer.result != {"sha256": sha256(large)[7:], "size": len(large)} and f"{answer.result} {answer.message}")


def main() -> None:
    if missing := registry_server.lacking():
        must = "tools" in os.environ.get("SBX_TESTS_MUST_RUN", "").split(",")
        print(f"{'FAIL' if must else 'SKIP'} tools: no {missing} (tools/setup test)")
        sys.exit(1 if must else 77)
    test = Test(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp"), prefix="sbx-") as folder:
        with RegistryServer(Path(folder) / "plain") as server:
            read_side(test, "plain", server, insecure=True)
            write_side(test, "plain", server, Path(folder), insecure=True)
            test.fails("plain http is refused", test.ask(server.host, "some/image", "ping"), "system", "--tls-verify")
        with RegistryServer(Path(folder) / "tls", tls=True) as server:
            read_side(test, "tls", server, ca=server.ca)
            cut_connections(test, server, Path(folder))
            test.fails("an unknown authority is refused", test.ask(server.host, "some/image", "ping"), "denied", "certs.d")
            unverified = test.ask(server.host, "some/image", "ping", insecure=True)
            test.equal("insecure: not verified", unverified.result, True, unverified)
            test.check("insecure: TLS comes first", "https" not in unverified.log[0] and unverified.log)
        with RegistryServer(Path(folder) / "login", tls=True, login=LOGIN) as server:
            read_side(test, "login", server, ca=server.ca, login=":".join(LOGIN))
            write_side(test, "login", server, Path(folder), ca=server.ca, login=":".join(LOGIN))
            test.fails("no password", test.ask(server.host, "some/image", "manifest", "latest", ca=server.ca), "denied",
                       "401", f"sbx login {server.host}", "some/image:latest")
            test.fails("wrong password", test.ask(server.host, "some/image", "ping", ca=server.ca, login="someone:wr0ng-w0rd"),
                       "denied", "401", "sbx login", never=("wr0ng-w0rd",))
    test.end()


if __name__ == "__main__":
    main()
