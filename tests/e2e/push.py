#!/usr/bin/env python3
"""Pushing to real registries, and what goes with it: digests that stay, layers that are not sent twice, what skopeo and umoci
make of it; login, logout, search, the tags and the documents of a registry; signatures that policy.json wants."""
import contextlib
import hashlib
import http.server
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, images, need  # noqa: E402
from oci_writer import Layout, digest, tar  # noqa: E402
from registry_server import NEEDS, RegistryServer  # noqa: E402

USER, PASSWORD = "maria", "correct horse"
PLAIN = "--tls-verify=false"


def tool(place: Workspace, *words, **options) -> str:
    done = subprocess.run([*map(str, words)], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=place.environment, cwd=place.work, **options)
    if done.returncode != 0:
        sys.exit(f"{words}: {done.returncode} {done.stderr}")
    return done.stdout


def skopeo(place: Workspace, *words, **options) -> str:
    return tool(place, "skopeo", "--insecure-policy", *words, **options)


def check(holds: bool, what: str, outcome=None) -> None:
    if not holds:
        sys.exit(f"{what}: {outcome}")
    print(f"{what}: ok")


def push(place: Workspace, *words, sent: int | None = None, mounted: int = 0):
    """A push that works; how many layers it sent, and how many the registry took from elsewhere."""
    pushed = place.sbx("push", *words)
    told = "" if sent is None else f"({sent} layers sent"
    check(pushed.code == 0 and told in pushed.err and (sent is None or f"{mounted} mounted)" in pushed.err),
          f"push {' '.join(map(str, words))}", pushed)
    return pushed


def shown(place: Workspace, name: str, *options) -> dict:
    return json.loads(place.sbx("inspect", *options, name).out)[0]


def formats(place: Workspace, server: RegistryServer, small: str) -> None:
    """What sbx writes, read by others: configuration and diff ids are the image's."""
    wanted = shown(place, small)
    for name, options, kind in (("gzip", (), "oci.image.layer.v1.tar+gzip"),
                                ("zstd", ("--compression-format=zstd",), "oci.image.layer.v1.tar+zstd"),
                                ("plain", ("--compression-format=none",), "oci.image.layer.v1.tar"),
                                ("docker", ("--format=v2s2",), "docker.image.rootfs.diff.tar.gzip")):
        remote = f"{server.host}/formats/{name}:1"
        pushed = push(place, PLAIN, *options, small, remote)
        raw = skopeo(place, "inspect", PLAIN, "--raw", f"docker://{remote}")
        check("sha256:" + hashlib.sha256(raw.encode()).hexdigest() == pushed.out.strip(), f"{name}: the digest", pushed)
        manifest = json.loads(raw)
        check(manifest["layers"][0]["mediaType"].endswith(kind), f"{name}: the layers", manifest)
        check(manifest["config"]["digest"] == wanted["Id"], f"{name}: the configuration's digest", manifest)
        config = json.loads(skopeo(place, "inspect", PLAIN, "--config", f"docker://{remote}"))
        check(config["rootfs"]["diff_ids"] == wanted["RootFS"]["Layers"], f"{name}: the diff ids", config)
        skopeo(place, "copy", "--src-tls-verify=false", f"docker://{remote}", f"oci:{place.work}/copied:{name}")
    tool(place, "umoci", "unpack", "--rootless", "--image", f"{place.work}/copied:gzip", place.work / "unpacked")
    check((place.work / "unpacked/rootfs/bin/sh").exists(), "umoci unpacks what sbx pushed")
    refused = place.sbx("push", PLAIN, "--format=v2s2", "--compression-format=zstd", small, f"{server.host}/formats/no:1")
    check(refused.code == 125 and "zstd" in refused.err, "docker's manifests have no zstd", refused)


def nothing_twice(place: Workspace, server: RegistryServer, small: str) -> None:
    first = push(place, PLAIN, small, f"{server.host}/first:1", sent=0, mounted=3)  # formats() sent them
    again = push(place, PLAIN, small, f"{server.host}/first:1", sent=0)
    check(first.out == again.out, "the same push makes the same digest", (first, again))
    place.sbx("tag", small, f"{server.host}/first:1")
    check(push(place, PLAIN, f"{server.host}/first:1").out == first.out, "by its own name", first)
    names = shown(place, f"{server.host}/first:1")["RepoDigests"]
    check(f"{server.host}/first@{first.out.strip()}" in names, "inspect knows what was pushed", names)


def digests_stay(place: Workspace, server: RegistryServer, other: RegistryServer) -> None:
    source = f"oci:{images()}/small:latest"
    theirs = f"{server.host}/theirs:1"
    # What skopeo remembers of zstd layers makes it write docker manifests that it then refuses.
    shutil.rmtree(place.root / "home/.local/share/containers/cache", ignore_errors=True)
    skopeo(place, "copy", "--dest-tls-verify=false", "--format=v2s2", source, f"docker://{theirs}")
    digest_there = json.loads(skopeo(place, "inspect", PLAIN, f"docker://{theirs}"))["Digest"]
    place.sbx("rmi", "--force", shown(place, "small")["Id"])
    check(place.sbx("pull", PLAIN, theirs).code == 0, "pull")
    same = push(place, PLAIN, theirs, f"{server.host}/elsewhere/copy:1", sent=0, mounted=3)
    check(same.out.strip() == digest_there and "new one" not in same.err, "another repository: mounted, the same digest", same)
    anew = push(place, PLAIN, theirs, f"{other.host}/copy:1", sent=3)
    check(anew.out.strip() != digest_there and digest_there in anew.err, "another registry: a new digest, and sbx says so", anew)
    # What sbx compressed it can compress again.
    place.sbx("rmi", "--force", shown(place, theirs)["Id"])
    check(place.sbx("pull", PLAIN, f"{other.host}/copy:1").code == 0, "pull what sbx pushed")
    made_again = push(place, PLAIN, f"{other.host}/copy:1", f"{server.host}/back:1")
    check(made_again.out == anew.out, "the same bytes again, the same digest", (made_again, anew))


def indexes(place: Workspace, server: RegistryServer) -> None:
    layout = Layout(place.work / "several")
    layer = tar({"name": "is", "data": b"this"})
    entry = {**layout.manifest(layout.config([digest(layer)]), [layout.layer(layer)]),
             "platform": {"os": "linux", "architecture": "amd64"}}
    layout.index(all=layout.nested_index([entry]))
    skopeo(place, "copy", "--all", "--dest-tls-verify=false", f"oci:{place.work}/several:all", f"docker://{server.host}/several:1")
    remote = f"docker://{server.host}/several:1"
    raw = place.sbx("inspect", PLAIN, "--raw", "--platform=linux/amd64", remote)
    index = "sha256:" + hashlib.sha256(raw.out.encode()).hexdigest()
    facts = shown(place, remote, PLAIN, "--platform=linux/amd64")
    check(facts["Registry"]["Digest"] == index and facts["Registry"]["Platforms"] == ["linux/amd64"],
          "inspect of a registry's index", facts)
    check(facts["Registry"]["Tags"] == ["1"] and facts["RootFS"]["Layers"] == [digest(layer)], "its tags and layers", facts)
    config = place.sbx("inspect", PLAIN, "--raw", "--config", "--platform=linux/amd64", remote)
    check("sha256:" + hashlib.sha256(config.out.encode()).hexdigest() == facts["Id"], "its configuration", config)
    by_digest = f"{server.host}/several:1@{index}"
    check(place.sbx("pull", PLAIN, "--platform=linux/amd64", by_digest).code == 0, "pull by the digest of an index")
    for name in (by_digest, index):
        found = place.sbx("inspect", "--format={{json .RepoDigests}}", name)
        check(found.code == 0 and index in found.out, f"found again: {name}", found)
    missing = place.sbx("inspect", PLAIN, f"docker://{server.host}/several:2")
    check(missing.code == 125 and "404" in missing.err, "inspect of what is not there", missing)
    local = place.sbx("inspect", "--raw", f"{server.host}/several:1")
    check(local.code == 125 and "docker://" in local.err, "--raw is for registries", local)


def searches(place: Workspace, server: RegistryServer) -> None:
    found = json.loads(place.sbx("search", PLAIN, "--format=json", f"{server.host}/formats").out)
    check({each["Name"] for each in found} == {f"{server.host}/formats/{name}" for name in ("gzip", "zstd", "plain", "docker")},
          "search looks through the catalog", found)
    few = place.sbx("search", PLAIN, "--limit=2", "--format={{.Name}}", f"{server.host}/formats")
    check(len(few.out.split()) == 2 and "more" in few.err, "--limit", few)
    tags = place.sbx("search", PLAIN, "--list-tags", f"{server.host}/formats/gzip")
    check(tags.out.splitlines()[1].split() == [f"{server.host}/formats/gzip", "1"], "--list-tags", tags)
    for words, reason in ((("--limit=0", "x"), "--limit"), (("--filter=size=1", f"{server.host}/x"), "filter"),
                          (("--list-tags", "--filter=stars=1", "x"), "--list-tags")):
        wrong = place.sbx("search", PLAIN, *words)
        check(wrong.code == 125 and reason in wrong.err, f"search {' '.join(words)}", wrong)


def passwords(place: Workspace, small: str) -> None:
    with RegistryServer(place.work / "locked", tls=True, login=(USER, PASSWORD)) as server:
        trust = place.root / "home/.config/containers/certs.d" / server.host
        trust.mkdir(parents=True)
        (trust / "ca.crt").write_bytes(server.ca.read_bytes())
        target = f"{server.host}/mine:1"
        stranger = place.sbx("push", small, target)
        check(stranger.code == 125 and f"sbx login {server.host}" in stranger.err, "push without a password", stranger)
        wrong = place.sbx("login", "-u", USER, "--password-stdin", server.host, input_bytes=b"wrong\n")
        check(wrong.code == 125 and "401" in wrong.err, "a wrong password", wrong)
        check(place.sbx("login", "--get-login", server.host).code == 125, "is not kept")
        right = place.sbx("login", "-u", USER, "--password-stdin", server.host, input_bytes=PASSWORD.encode() + b"\n")
        check(right.code == 0 and "Succeeded" in right.out, "login", right)
        kept = place.root / "run/containers/auth.json"
        check(kept.stat().st_mode & 0o777 == 0o600 and str(kept) in right.err, "where podman keeps it, for nobody else", right)
        check(place.sbx("login", "--get-login", server.host).out == USER + "\n", "--get-login")
        check("already" in place.sbx("login", server.host).out, "a second login needs no password")
        push(place, small, target)
        check(json.loads(skopeo(place, "inspect", f"--cert-dir={trust}", f"docker://{target}"))["Name"] == f"{server.host}/mine",
              "skopeo uses the same login")
        check(PASSWORD not in wrong.err + right.err + right.out, "no password is told")
        check(place.sbx("logout", server.host).code == 0 and PASSWORD not in kept.read_text(), "logout")
        again = place.sbx("logout", server.host)
        check(again.code == 125 and "not logged in" in again.err, "logout again", again)
        gone = place.sbx("pull", target)
        check(gone.code == 125 and "sbx login" in gone.err, "and it is forgotten", gone)
        typed_passwords(place, server)
        for words, reason in ((("-u", "x", "-p", "y", "--password-stdin", "localhost:1"), "exclude"),
                              (("--password-stdin", "localhost:1"), "--username"),
                              (("-u", "x", "-p", "y", "https://localhost:1"), "https://"),
                              (("-u", "x", "localhost:1"), "terminal")):
            bad = place.sbx("login", *words)
            check(bad.code == 125 and reason in bad.err, f"login {' '.join(words)}", bad)


def typed(place: Workspace, words: list, answers: list[tuple[str, bytes]]) -> tuple[int, str]:
    """A command on a terminal of its own: waits for each question and answers it. Its exit code and all the terminal showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(place.work)
        os.execvpe("sbx", ["sbx", *map(str, words)], place.environment)
    screen = b""
    waiting = list(answers)
    deadline = time.monotonic() + 60
    while True:
        if not select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
            os.kill(pid, signal.SIGKILL)
            break
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other side has closed
            piece = b""
        if not piece:
            break
        screen += piece
        if waiting and screen.decode(errors="replace").rstrip(" ").endswith(waiting[0][0]):
            os.write(terminal, waiting.pop(0)[1])
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen.decode(errors="replace")


def typed_passwords(place: Workspace, server: RegistryServer) -> None:
    # A mistake and its correction: x and a backspace; a name of two bytes, taken back whole.
    code, screen = typed(place, ["login", server.host],
                         [("Username:", USER.encode() + b"\n"), ("Password:", b"x\xc3\xa4\x7f\x7f" + PASSWORD.encode() + b"\r")])
    check(code == 0 and "Succeeded" in screen and PASSWORD not in screen, "a password that is typed", (code, screen))
    place.sbx("logout", server.host)
    code, screen = typed(place, ["login", "-u", USER, server.host], [("Password:", b"half\x03")])
    check(code == 125 and "broken off" in screen and "half" not in screen, "Ctrl-C instead of a password", (code, screen))


class Signatures(http.server.SimpleHTTPRequestHandler):
    """A folder of signatures on a web server."""

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(folder: Path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Signatures(*a, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def signatures(place: Workspace, server: RegistryServer) -> None:
    """policy.json's signedBy: the signature lies on a web server, the key on this machine."""
    home, store = place.work / "gnupg", place.work / "sigstore"
    home.mkdir(mode=0o700)
    store.mkdir()
    gpg = ("gpg", "--homedir", home, "--batch", "--yes", "--quiet", "--no-tty", "--passphrase", "", "--pinentry-mode", "loopback")
    tool(place, *gpg, "--quick-generate-key", "signer@example.com", "ed25519", "sign", "never")
    key = place.work / "signer.gpg"
    tool(place, *gpg, "--output", key, "--export", "signer@example.com")
    containers = place.root / "home/.config/containers"
    (containers / "registries.d").mkdir(parents=True, exist_ok=True)
    (containers / "policy.json").write_text(json.dumps({
        "default": [{"type": "insecureAcceptAnything"}],
        "transports": {"docker": {f"{server.host}/formats": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": str(key)}]}}}))
    name = f"{server.host}/formats/gzip:1"
    with served(store) as address:
        (containers / "registries.d/test.yaml").write_text(f"docker:\n  {server.host}:\n    lookaside: {address}\n")
        unsigned = place.sbx("pull", PLAIN, name)
        check(unsigned.code == 125 and "sign" in unsigned.err, "policy.json wants a signature", unsigned)
        manifest = json.loads(skopeo(place, "inspect", PLAIN, f"docker://{name}"))["Digest"]
        claim = json.dumps({"critical": {"type": "atomic container signature", "image": {"docker-manifest-digest": manifest},
                                         "identity": {"docker-reference": name}}, "optional": {}})
        lies = store / "formats" / f"gzip@{manifest.replace(':', '=')}"
        lies.mkdir(parents=True)
        tool(place, *gpg, "--local-user", "signer@example.com", "--output", lies / "signature-1", "--sign", input=claim)
        signed = place.sbx("pull", PLAIN, name)
        check(signed.code == 0, "a signed image", signed)
        stolen = place.sbx("pull", PLAIN, f"{server.host}/formats/zstd:1")
        check(stolen.code == 125, "the signature of another image is none", stolen)
        free = place.sbx("pull", PLAIN, f"{server.host}/first:1")
        check(free.code == 0, "what the policy does not name", free)
    tool(place, "gpgconf", "--homedir", home, "--kill", "all")
    (containers / "policy.json").unlink()


def main() -> None:
    need(*NEEDS, "tool:umoci", "tool:skopeo", "tool:gpg")
    with Workspace("push") as place, RegistryServer(place.work / "plain") as server, \
            RegistryServer(place.work / "other") as other:
        check(place.sbx("load", f"oci:{images()}/small:latest", "--tag", "small").code == 0, "load")
        formats(place, server, "small")
        nothing_twice(place, server, "small")
        searches(place, server)
        indexes(place, server)
        passwords(place, "small")
        digests_stay(place, server, other)
        signatures(place, server)
        for words, reason in ((("nosuch", f"{server.host}/x"), "no such image"), (("nosuch", "oci:/tmp/x"), "sbx save"),
                              (("nosuch", f"{server.host}/x@sha256:{'0' * 64}"), "tag"), (("nosuch", "UPPER"), "no name")):
            wrong = place.sbx("push", PLAIN, *words)
            check(wrong.code == 125 and reason in wrong.err, f"push {' '.join(words)}", wrong)
        clean = place.sbx("system", "check")
        check(clean.code == 0, "the store is whole", clean)


if __name__ == "__main__":
    main()
