#!/usr/bin/env python3
"""Registries that do harm: each image of hostile.py comes over the wire, and what only a server can do besides. Each is refused with a
clear message, in bounded time and memory; nothing of it is stored. And odd ones that are right."""
import gzip
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import hostile  # noqa: E402
from fake_registry import Call, FakeRegistry  # noqa: E402
from harness import Workspace, need  # noqa: E402
from oci_writer import MEDIA, Layout, digest  # noqa: E402

SECONDS = 60  # for one refusal; most take 0.1
MEBIBYTES = 100  # of any process of sbx
DOCKER = "application/vnd.docker."


def serve(server: FakeRegistry, layout: Layout, descriptor: dict) -> None:
    """What a right registry says of the layout's blobs; rules that come later override it."""
    def send(call: Call, name: str, media_type: str) -> None:
        path = layout.path(name)
        if not path.is_file():
            call.reply(404)
            return
        data = path.read_bytes()
        start = call.range_from()
        if start:
            call.reply(206, data[start:], Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            call.reply(200, data, Content_Type=media_type)

    def manifest(call: Call) -> None:
        name = call.seen.target.rsplit("/", 1)[1]
        media_type = descriptor["mediaType"]
        if name == "bad":
            name = descriptor["digest"]
        elif name != descriptor["digest"]:
            data = layout.path(name).read_bytes()[:200] if layout.path(name).is_file() else b""
            media_type = MEDIA + ("index" if b"image.index" in data else "manifest") + ".v1+json"
        send(call, name, media_type)

    server.clear()
    server.on("GET", "/v2/", lambda call: call.reply(200, b"{}"))
    server.on("GET", "/v2/image/manifests/*", manifest)
    server.on("GET", "/v2/image/blobs/*", lambda call: send(call, call.seen.target.rsplit("/", 1)[1], "application/octet-stream"))


# ---- what only a server can do: rules over a right image ---------------------------------------------------------------
def endless(call: Call) -> None:
    """A body without an end, until the client has had enough."""
    call.head(200, Transfer_Encoding="chunked", Content_Type="application/octet-stream")
    while True:
        call.chunk(bytes(1 << 20))


def shell_layer(layout: Layout) -> dict:
    return layout.layer(hostile.shell_tar())


def right_image(layout: Layout) -> dict:
    return layout.image(hostile.shell_tar())


def over(rule: Callable[[FakeRegistry, Layout, dict], None]):
    def case(server: FakeRegistry, layout: Layout) -> None:
        descriptor = right_image(layout)
        serve(server, layout, descriptor)
        rule(server, layout, descriptor)
    return case


def blobs(answer: Callable[[Call], None]):
    return over(lambda server, _layout, _descriptor: server.on("GET", "/v2/image/blobs/*", answer))


def manifests(answer: Callable[[Call], None]):
    return over(lambda server, _layout, _descriptor: server.on("GET", "/v2/image/manifests/*", answer))


def image(make: Callable[[Layout], dict]):
    return lambda server, layout: serve(server, layout, make(layout))


def other_bytes(server: FakeRegistry, layout: Layout, _descriptor: dict) -> None:
    """As long as they should be, and still others."""
    def answer(call: Call) -> None:
        right = layout.path(call.seen.target.rsplit("/", 1)[1]).read_bytes()
        call.reply(200, right[:-1] + bytes([right[-1] ^ 1]))
    server.on("GET", "/v2/image/blobs/*", answer)


def wide_window(layout: Layout) -> dict:
    """A frame that wants 2 GiB to be unpacked."""
    packed = subprocess.run(["zstd", "-q", "-c", "--ultra", "--long=31", "-1", "--no-check"], input=hostile.shell_tar() + bytes(1 << 20),
                            stdout=subprocess.PIPE, check=True).stdout
    # An encoder that knows the size makes the window smaller; one that streams (as this) does not.
    return layout.manifest(layout.config([digest(b"never reached")]), [layout.blob(packed, "layer.v1.tar+zstd")])


def gzip_bomb(layout: Layout) -> dict:
    """Members of zeros, one behind the other: 64 GiB."""
    member = gzip.compress(bytes(64 << 20), 9, mtime=0)
    return layout.manifest(layout.config([digest(b"never reached")]), [layout.blob(member * 1024, "layer.v1.tar+gzip")])


def both_kinds(layout: Layout) -> dict:
    """CVE-2021-41190: a manifest that is an index, too."""
    manifest = json.loads(layout.path(right_image(layout)["digest"]).read_bytes())
    manifest["manifests"] = []
    return layout.blob(json.dumps(manifest).encode(), "manifest.v1+json")


def type_that_lies(layout: Layout) -> dict:
    return {**right_image(layout), "mediaType": MEDIA + "index.v1+json"}


def index_of_itself(server: FakeRegistry, layout: Layout) -> None:
    """A digest cannot name a document with itself in it; a registry can say that it does."""
    index = layout.nested_index([{**right_image(layout), "mediaType": MEDIA + "index.v1+json"}])
    serve(server, layout, index)
    server.on("GET", "/v2/image/manifests/*",
              lambda call: call.reply(200, layout.path(index["digest"]).read_bytes(), Content_Type=MEDIA + "index.v1+json"))


REFUSED = {
    "blobs without an end": blobs(endless),
    "manifest without an end": manifests(endless),
    "manifest of 5 MiB": manifests(lambda call: call.reply(200, b"{" + b" " * (5 << 20) + b"}", Content_Type=MEDIA + "manifest.v1+json")),
    "redirect to itself": blobs(lambda call: call.reply(307, Location=call.seen.target)),
    "redirect to a file": blobs(lambda call: call.reply(307, Location="file:///etc/passwd")),
    "no manifest but a page": manifests(lambda call: call.reply(200, b"<html>welcome</html>", Content_Type="text/html")),
    "other bytes of the same length": over(other_bytes),
    "blobs that are empty": blobs(lambda call: call.reply(200, b"")),
    "blobs that are too long": blobs(lambda call: call.reply(200, bytes(32 << 20))),
    "index that names itself": index_of_itself,
    "manifest and index in one": image(both_kinds),
    "manifest that is called an index": image(type_that_lies),
    "gzip bomb of many members": image(gzip_bomb),
    "docker schema 1": manifests(lambda call: call.reply(200, b'{"schemaVersion": 1}', Content_Type=DOCKER + "distribution.manifest.v1+prettyjws")),
    **{name: image(make) for name, make in hostile.REFUSED.items()},
    # At the end, because making it may take more memory than anything that is measured.
    "zstd with a window of 2 GiB": image(wide_window),
}


def members(layout: Layout) -> dict:
    """One layer in two members of gzip, as pigz and estargz write it."""
    data = hostile.shell_tar()
    packed = gzip.compress(data[:70_000], mtime=0) + gzip.compress(data[70_000:], mtime=0)
    return layout.manifest(layout.config([digest(data)], Cmd=["/bin/sh", "-c", "echo fine"]), [layout.blob(packed, "layer.v1.tar+gzip")])


def foreign(layout: Layout) -> dict:
    """A layer that lies elsewhere by intent; the registry has it, so nobody asks the address."""
    layer = {**shell_layer(layout), "mediaType": MEDIA + "layer.nondistributable.v1.tar+gzip", "urls": ["http://127.0.0.1:1/layer"]}
    return layout.manifest(layout.config([digest(hostile.shell_tar())], Cmd=["/bin/sh", "-c", "echo fine"]), [layer])


ACCEPTED = {"two members": members, "a foreign layer": foreign}


def files_of(store: Path) -> set[str]:
    """All but locks, and notes of what may be pulled again: a blob that is missing today may be there tomorrow."""
    names = {str(path.relative_to(store)) for path in store.rglob("*") if path.is_file()}
    return {name for name in names if not name.endswith(".lock") and not name.startswith("pending/")}


def largest_child() -> int:
    """Of all that have ended so far; MiB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def refused(place: Workspace, server: FakeRegistry) -> list[str]:
    complaints = []
    store = place.root / "home/.local/share/sbx/store"
    before = files_of(store)
    for number, (name, make) in enumerate(REFUSED.items()):
        hostile.SALT[0] = 1000 + number
        layout = Layout(place.work / f"refused-{number}")
        make(server, layout)
        before_it = largest_child()  # the test's own zstd may have been larger than any of sbx
        outcome = place.sbx("pull", "-q", "--tls-verify=false", f"{server.host}/image:bad", timeout=SECONDS)
        if largest_child() > max(before_it, MEBIBYTES):
            complaints.append(f"{name}: a process took {largest_child()} MiB")
        if outcome.code != 125 or outcome.out or not outcome.err.startswith("sbx: ") or len(outcome.err) > 2000:
            complaints.append(f"{name}: exit code {outcome.code}: {outcome.err[:500]!r}")
        if files_of(store) != before:
            complaints.append(f"{name}: the store has changed: {sorted(files_of(store) ^ before)}")
            before = files_of(store)
        shutil.rmtree(layout.folder)
    return complaints


def accepted(place: Workspace, server: FakeRegistry) -> list[str]:
    complaints = []
    for number, (name, make) in enumerate(ACCEPTED.items()):
        hostile.SALT[0] = 500 + number
        layout = Layout(place.work / f"accepted-{number}")
        serve(server, layout, make(layout))
        outcome = place.sbx("run", "--rm", "--net=none", "--pull=always", "--tls-verify=false", f"{server.host}/image:bad")
        if (outcome.code, outcome.out) != (0, "fine\n"):
            complaints.append(f"{name}: {outcome}")
        if any("127.0.0.1:1" in seen.target for seen in server.requests):
            complaints.append(f"{name}: the address in the manifest was asked")
    return complaints


def main() -> None:
    need("userns", "fuse", "tool:zstd", "tool:busybox")
    with Workspace("hostile_pull") as place, FakeRegistry() as server:
        complaints = accepted(place, server) + refused(place, server)
        clean = place.sbx("system", "check")
        if clean.code != 0:
            complaints.append(f"the store is not whole: {clean}")
        print("\n".join(complaints) or f"{len(REFUSED)} refused")
        if complaints:
            sys.exit(1)


if __name__ == "__main__":
    main()
