#!/usr/bin/env python3
"""Images that podman, buildah and skopeo push, pulled and run; images that sbx pushes and saves, taken by podman, skopeo and umoci: the
configuration and the diff ids are the same everywhere. The store itself is a layout that skopeo and umoci read in place."""
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, full_ids, images, need  # noqa: E402
from registry_server import NEEDS, RegistryServer  # noqa: E402

PLAIN = "--tls-verify=false"


def tool(place: Workspace, *words) -> str:
    done = subprocess.run([*map(str, words)], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=place.environment, cwd=place.work)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: {done.returncode} {done.stderr}")
    return done.stdout


def check(holds: bool, what: str, outcome=None) -> None:
    if not holds:
        sys.exit(f"{what}: {outcome}")
    print(f"{what}: ok")


def facts(config: dict, digest: str) -> tuple:
    return digest, tuple(config["rootfs"]["diff_ids"])


class Peers:
    """podman and buildah with a storage of their own, and skopeo."""

    def __init__(self, place: Workspace):
        self.place = place
        storage = ("--root", place.work / "storage", "--runroot", place.root / "r", "--storage-driver=vfs")
        self.podman, self.buildah = ("podman", *storage), ("buildah", *storage)
        self.skopeo = ("skopeo", "--insecure-policy")

    def remote(self, name: str) -> tuple:
        """Configuration digest and diff ids, by skopeo."""
        manifest = json.loads(tool(self.place, *self.skopeo, "inspect", PLAIN, "--raw", f"docker://{name}"))
        config = json.loads(tool(self.place, *self.skopeo, "inspect", PLAIN, "--config", f"docker://{name}"))
        return facts(config, manifest["config"]["digest"])

    def layout(self, folder: Path, reference: str) -> tuple:
        raw = json.loads(tool(self.place, *self.skopeo, "inspect", "--raw", f"oci:{folder}:{reference}"))
        config = json.loads(tool(self.place, *self.skopeo, "inspect", "--config", f"oci:{folder}:{reference}"))
        return facts(config, raw["config"]["digest"])

    def end(self) -> None:
        tool(self.place, "podman", "unshare", "rm", "-rf", self.place.work / "storage")
        tool(self.place, *self.podman, "system", "migrate")  # ends the process that podman leaves


def stored(place: Workspace, name: str) -> tuple:
    shown = json.loads(place.sbx("inspect", name).out)[0]
    return shown["Id"], tuple(shown["RootFS"]["Layers"])


def runs(place: Workspace, name: str, wanted: tuple, what: str) -> None:
    ran = place.sbx("run", "--rm", "--net=none", PLAIN, name, "sh", "-c", "busybox true && echo it runs")
    check((ran.code, ran.out) == (0, "it runs\n"), f"{what}: runs", ran)
    check(stored(place, name) == wanted, f"{what}: same configuration and diff ids", (stored(place, name), wanted))
    place.sbx("rmi", "--force", stored(place, name)[0])


def theirs(place: Workspace, server: RegistryServer, peers: Peers) -> None:
    source = f"oci:{images()}/small:latest"
    pushed = {f"skopeo-{name}": ("copy", "--dest-tls-verify=false", *options, source)
              for name, options in {"oci": ("--format=oci",), "docker": ("--format=v2s2",),
                                    "zstd": ("--format=oci", "--dest-compress-format=zstd", "--dest-compress")}.items()}
    for name, words in pushed.items():
        tool(place, *peers.skopeo, *words, f"docker://{server.host}/{name}:1")
        runs(place, f"{server.host}/{name}:1", peers.remote(f"{server.host}/{name}:1"), name)
    if not full_ids():
        return
    tool(place, *peers.podman, "pull", "-q", source)
    identity = tool(place, *peers.podman, "images", "-q").split()[0]
    for program, words in (("podman", peers.podman), ("buildah", peers.buildah)):
        for kind, options in {"gzip": ("--format=oci",), "docker": ("--format=v2s2",), "zstd": ("--format=oci", "--compression-format=zstd")}.items():
            name = f"{server.host}/{program}-{kind}:1"
            tool(place, *words, "push", "-q", PLAIN, *options, identity, f"docker://{name}")
            runs(place, name, peers.remote(name), f"{program}-{kind}")
    listed = f"{server.host}/several:1"
    tool(place, *peers.podman, "manifest", "create", "several")
    tool(place, *peers.podman, "manifest", "add", "--os=linux", "several", f"containers-storage:[vfs@{place.work}/storage+{place.root}/r]{identity}")
    tool(place, *peers.podman, "manifest", "push", "--all", PLAIN, "several", f"docker://{listed}")
    pulled = place.sbx("pull", PLAIN, listed)
    check(pulled.code == 0, "podman's manifest list", pulled)
    runs(place, listed, peers.remote(f"{server.host}/podman-gzip:1"), "podman's manifest list")


def ours(place: Workspace, server: RegistryServer, peers: Peers) -> None:
    wanted = stored(place, "small")
    for kind, options in {"gzip": (), "zstd": ("--compression-format=zstd",), "docker": ("--format=v2s2",)}.items():
        name = f"{server.host}/ours-{kind}:1"
        check(place.sbx("push", "-q", PLAIN, *options, "small", name).code == 0, f"push {kind}")
        check(peers.remote(name) == wanted, f"pushed {kind}, by skopeo", peers.remote(name))
    for kind in ("oci-archive", "docker-archive", "oci-dir"):
        saved = place.sbx("save", "--format", kind, "-o", f"saved-{kind}", "small")
        check(saved.code == 0, f"save {kind}", saved)
    tool(place, *peers.skopeo, "copy", f"oci-archive:{place.work}/saved-oci-archive", f"oci:{place.work}/copied:1")
    check(peers.layout(place.work / "copied", "1") == wanted, "saved as an archive, by skopeo")
    full_name = "docker.io/library/small:latest"
    tool(place, "umoci", "unpack", "--rootless", "--image", f"{place.work}/copied:1", place.work / "bundle")
    check((place.work / "bundle/rootfs/bin/busybox").exists(), "umoci unpacks it")
    store = place.root / "home/.local/share/sbx/store"
    tool(place, *peers.skopeo, "copy", f"oci:{store}:{full_name}", f"oci:{place.work}/in-place:1")
    check(peers.layout(place.work / "in-place", "1") == wanted, "skopeo reads the store in place")
    if not full_ids():
        return
    for kind, name in (("push", f"docker://{server.host}/ours-zstd:1"), ("archive", f"oci-archive:{place.work}/saved-oci-archive"),
                       ("docker", f"docker-archive:{place.work}/saved-docker-archive")):
        tls = (PLAIN,) if kind == "push" else ()
        identity = tool(place, *peers.podman, "pull", "-q", *tls, name).split()[-1]
        told = json.loads(tool(place, *peers.podman, "image", "inspect", identity))[0]
        check(("sha256:" + told["Id"].removeprefix("sha256:"), tuple(told["RootFS"]["Layers"])) == wanted, f"podman takes it: {kind}", told["Id"])


def main() -> None:
    need(*NEEDS, "userns", "fuse", "tool:umoci", "tool:skopeo", "tool:podman", "tool:buildah")
    with Workspace("round_trips") as place, RegistryServer(place.work / "registry") as server:
        peers = Peers(place)
        try:
            theirs(place, server, peers)
            check(place.sbx("load", f"oci:{images()}/small:latest", "--tag", "small").code == 0, "load")
            ours(place, server, peers)
        finally:
            if full_ids():
                peers.end()


if __name__ == "__main__":
    main()
