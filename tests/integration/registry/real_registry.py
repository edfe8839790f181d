#!/usr/bin/env python3
"""src/registry against Debian's docker-registry: plain, with TLS by an authority of our own, with a password.

usage: real_registry.py REGISTRY_PROBE"""
import base64
import http.client
import json
import os
import ssl
import sys
import tempfile
from pathlib import Path

from probe import OCI_MANIFEST, Test, sha256
import registry_server
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
    confined = ask("blob", sha256(layer), len(layer), landlock=True)
    if confined.error and confined.error["code"] == "unsupported":
        print(f"SKIP {name}: landlock: {confined.message}")
    else:
        test.equal(f"{name}: confined by Landlock", confined.result, {"sha256": sha256(layer)[7:], "size": len(layer)}, confined)


def main() -> None:
    if missing := registry_server.lacking():
        must = "tools" in os.environ.get("SBX_TESTS_MUST_RUN", "").split(",")
        print(f"{'FAIL' if must else 'SKIP'} tools: no {missing} (tools/setup test)")
        sys.exit(1 if must else 77)
    test = Test(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp"), prefix="sbx-") as folder:
        with RegistryServer(Path(folder) / "plain") as server:
            read_side(test, "plain", server, insecure=True)
            test.fails("plain http is refused", test.ask(server.host, "some/image", "ping"), "system", "--tls-verify")
        with RegistryServer(Path(folder) / "tls", tls=True) as server:
            read_side(test, "tls", server, ca=server.ca)
            test.fails("an unknown authority is refused", test.ask(server.host, "some/image", "ping"), "denied", "certs.d")
            unverified = test.ask(server.host, "some/image", "ping", insecure=True)
            test.equal("insecure: not verified", unverified.result, True, unverified)
            test.check("insecure: TLS comes first", "https" not in unverified.log[0] and unverified.log)
        with RegistryServer(Path(folder) / "login", tls=True, login=LOGIN) as server:
            read_side(test, "login", server, ca=server.ca, login=":".join(LOGIN))
            test.fails("no password", test.ask(server.host, "some/image", "manifest", "latest", ca=server.ca), "denied",
                       "401", f"sbx login {server.host}", "some/image:latest")
            test.fails("wrong password", test.ask(server.host, "some/image", "ping", ca=server.ca, login="someone:wr0ng-w0rd"),
                       "denied", "401", "sbx login", never=("wr0ng-w0rd",))
    test.end()


if __name__ == "__main__":
    main()
