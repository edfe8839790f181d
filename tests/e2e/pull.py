#!/usr/bin/env python3
"""Pulling from a real registry: plain, with TLS and a password; images of skopeo with gzip and zstd layers, of OCI's and
docker's manifests, and an index of several platforms. `run` pulls by itself. What is there is not fetched again, two pulls at
once fetch it once, and a killed one goes on where it was."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, images, need  # noqa: E402
from oci_writer import ARCHITECTURES, Layout, digest, tar  # noqa: E402
from registry_server import NEEDS, RegistryServer  # noqa: E402

USER, PASSWORD = "maria", "correct horse"


def skopeo(*words, **options) -> str:
    return subprocess.run(["skopeo", "--insecure-policy", *map(str, words)], check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **options).stdout


def check(holds: bool, what: str, outcome=None) -> None:
    if not holds:
        sys.exit(f"{what}: {outcome}")
    print(f"{what}: ok")


def fetched(server: RegistryServer, what: str = "blobs") -> int:
    """How many GETs of blobs (or manifests) the registry has answered."""
    return sum(f"GET" in line and f"/{what}/" in line and "response completed" in line
               for line in server.log.read_text(errors="replace").splitlines())


def formats(place: Workspace, server: RegistryServer) -> None:
    source = f"oci:{images()}/small:latest"
    plain = ("--dest-tls-verify=false",)
    for name, options in {"gzip": ("--format=oci",), "docker": ("--format=v2s2",),
                          "zstd": ("--format=oci", "--dest-compress-format=zstd")}.items():
        skopeo("copy", *plain, *options, "--dest-compress", source, f"docker://{server.host}/formats:{name}")
        wanted = json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{server.host}/formats:{name}"))["Digest"]
        pulled = place.sbx("pull", "--tls-verify=false", f"{server.host}/formats:{name}")
        check(pulled.code == 0, f"pull {name}", pulled)
        shown = json.loads(place.sbx("inspect", f"{server.host}/formats:{name}").out)
        shown = shown[0] if isinstance(shown, list) else shown
        check(shown["Digest"] == wanted, f"digest of {name}", (shown["Digest"], wanted))
        place.sbx("rmi", f"{server.host}/formats:{name}")


def again(place: Workspace, server: RegistryServer) -> None:
    name = f"{server.host}/formats:gzip"
    first = place.sbx("run", "--rm", "--tls-verify=false", name, "sh", "-c", "echo pulled by run")
    check((first.code, first.out) == (0, "pulled by run\n"), "run pulls what is missing", first)
    before = fetched(server), fetched(server, "manifests")
    second = place.sbx("run", "--rm", name, "sh", "-c", "echo there")
    check((second.code, second.out) == (0, "there\n") and (fetched(server), fetched(server, "manifests")) == before,
          "run does not pull what is there", second)
    third = place.sbx("pull", "--tls-verify=false", name)
    layers = len(json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{name}"))["Layers"])
    check(third.code == 0 and "Up to date" in third.err, "pull of what is there says so", third)
    check(fetched(server) - before[0] <= 2 and layers >= 1, "no layer is fetched again", fetched(server) - before[0])
    never = place.sbx("run", "--rm", "--pull=never", f"{server.host}/formats:zstd", "true")
    check(never.code == 125 and "no such image" in never.err, "--pull=never", never)


def platforms(place: Workspace, server: RegistryServer) -> None:
    layout = Layout(place.work / "several")
    entries = []
    for architecture in ("s390x", ARCHITECTURES[os.uname().machine]):
        layer = tar({"name": "is", "data": architecture.encode()})
        manifest = layout.manifest(layout.config([digest(layer)], architecture=architecture), [layout.layer(layer)])
        entries.append({**manifest, "platform": {"os": "linux", "architecture": architecture}})
    layout.index(all=layout.nested_index(entries))
    skopeo("copy", "--all", "--dest-tls-verify=false", f"oci:{place.work}/several:all", f"docker://{server.host}/several")
    for options, wanted in (((), ARCHITECTURES[os.uname().machine]), (("--platform=linux/s390x",), "s390x")):
        pulled = place.sbx("pull", "--tls-verify=false", *options, f"{server.host}/several")
        check(pulled.code == 0, f"pull for {wanted}", pulled)
        shown = json.loads(place.sbx("inspect", f"{server.host}/several").out)
        shown = shown[0] if isinstance(shown, list) else shown
        check(shown["Architecture"] == wanted, f"platform {wanted}", shown["Architecture"])
    other = place.sbx("pull", "--tls-verify=false", "--platform=linux/riscv64", f"{server.host}/several")
    check(other.code == 125 and "s390x" in other.err, "a platform that is not there: those that are", other)


def locked(place: Workspace) -> None:
    with RegistryServer(place.work / "locked", tls=True, login=(USER, PASSWORD)) as server:
        name = f"{server.host}/small:1"
        trusted = place.work / "trusted"
        trusted.mkdir()
        (trusted / "ca.crt").write_bytes(server.ca.read_bytes())
        skopeo("copy", f"--dest-cert-dir={trusted}", f"--dest-creds={USER}:{PASSWORD}",
               f"oci:{images()}/small:latest", f"docker://{name}")
        untrusted = place.sbx("pull", name)
        check(untrusted.code == 125 and "certificate" in untrusted.err, "an unknown authority", untrusted)
        trust = place.root / "home/.config/containers/certs.d" / server.host
        trust.mkdir(parents=True)
        (trust / "ca.crt").write_bytes(server.ca.read_bytes())
        stranger = place.sbx("pull", name)
        check(stranger.code == 125 and f"sbx login {server.host}" in stranger.err, "no password", stranger)
        auth = place.work / "auth.json"
        subprocess.run(["skopeo", "login", "--authfile", auth, f"--cert-dir={trusted}", "-u", USER, "--password-stdin",
                        server.host], input=PASSWORD, text=True, check=True, stdout=subprocess.DEVNULL)
        friend = place.sbx("pull", "--authfile", auth, name)
        check(friend.code == 0, "TLS and a password", friend)
        check(PASSWORD not in friend.err + stranger.err + untrusted.err, "no password is told")


def two_at_once(place: Workspace, server: RegistryServer) -> None:
    layout = Layout(place.work / "large")
    layers = [tar({"name": f"file{i}", "data": os.urandom(6 << 20)}) for i in range(3)]
    layout.index(l=layout.image(*layers))
    skopeo("copy", "--dest-tls-verify=false", f"oci:{place.work}/large:l", f"docker://{server.host}/large")
    before = fetched(server)
    pulls = [place.start("sbx", "pull", "-q", "--tls-verify=false", f"{server.host}/large", stdout=subprocess.PIPE, text=True)
             for _ in range(2)]
    told = [each.communicate(timeout=60)[0] for each in pulls]
    check(all(each.returncode == 0 for each in pulls) and told[0] == told[1], "two pulls at once", told)
    check(fetched(server) - before <= 3 + 2, "they fetch each layer once", fetched(server) - before)
    place.sbx("rmi", f"{server.host}/large")
    for delay in (0.05, 0.1, 0.2, 0.3):
        killed = place.start("sbx", "pull", "-q", "--tls-verify=false", f"{server.host}/large", stdout=subprocess.DEVNULL)
        time.sleep(delay)
        for pid in [killed.pid, *(pid for pid, words in place.left().items() if "sbx-transfer" in words)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        killed.wait()
    last = place.sbx("pull", "--tls-verify=false", f"{server.host}/large")
    check(last.code == 0, "a pull after four that were killed", last)
    store = place.root / "home/.local/share/sbx/store"
    check(not os.listdir(store / "staging"), "nothing is left in staging", os.listdir(store / "staging"))


def main() -> None:
    need(*NEEDS, "userns", "fuse", "net", "tool:umoci", "tool:skopeo")
    with Workspace("pull") as place, RegistryServer(place.work / "plain") as server:
        missing = place.sbx("pull", "--tls-verify=false", f"{server.host}/nosuch:1")
        check(missing.code == 125 and "404" in missing.err, "an image that is not there", missing)
        strict = place.sbx("pull", f"{server.host}/nosuch:1")
        check(strict.code == 125 and "--tls-verify=false" in strict.err, "a registry without TLS", strict)
        formats(place, server)
        again(place, server)
        platforms(place, server)
        two_at_once(place, server)
        locked(place)


if __name__ == "__main__":
    main()
