#!/usr/bin/env python3
"""Images that are damaged, or were made to do harm: each is refused with a clear message, and the store is unchanged.
And odd ones that are right: plain layers, a nested index of several platforms."""
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, need  # noqa: E402
from oci_writer import ARCHITECTURES, Layout, digest, tar  # noqa: E402

BUSYBOX = Path(shutil.which("busybox") or "/bin/busybox")


SALT = [0]


def shell_tar(*more: dict) -> bytes:
    """A layer that no image before it had: the bytes of one that is in the store already would not be looked at again."""
    return tar(*more, {"name": "salt", "data": str(SALT[0]).encode()}, {"name": "bin/busybox", "data": BUSYBOX.read_bytes()}, {"name": "bin/sh", "kind": tarfile.SYMTYPE, "link": "busybox"})


def flip(layout: Layout, name: str) -> None:
    content = bytearray(layout.path(name).read_bytes())
    content[len(content) // 2] ^= 1
    layout.path(name).write_bytes(content)


# ---- refused: name of the case → what makes the image -----------------------------------------------------------------
def tampered_layer(layout: Layout) -> dict:
    layer = layout.layer(shell_tar())
    manifest = layout.manifest(layout.config([digest(shell_tar())]), [layer])
    flip(layout, layer["digest"])
    return manifest


def truncated_layer(layout: Layout) -> dict:
    layer = layout.layer(shell_tar())
    manifest = layout.manifest(layout.config([digest(shell_tar())]), [layer])
    path = layout.path(layer["digest"])
    path.write_bytes(path.read_bytes()[:-1000])
    return manifest


def wrong_diff_id(layout: Layout) -> dict:
    return layout.manifest(layout.config([digest(b"something else")]), [layout.layer(shell_tar())])


def missing_diff_id(layout: Layout) -> dict:
    return layout.manifest(layout.config([]), [layout.layer(shell_tar())])


def missing_blob(layout: Layout) -> dict:
    manifest = layout.image(shell_tar())
    layer = next(path for path in layout.path("").iterdir() if path.stat().st_size > 100_000)
    layer.unlink()
    return manifest


def tampered_config(layout: Layout) -> dict:
    config = layout.config([digest(shell_tar())])
    manifest = layout.manifest(config, [layout.layer(shell_tar())])
    flip(layout, config["digest"])
    return manifest


def tampered_manifest(layout: Layout) -> dict:
    manifest = layout.image(shell_tar())
    flip(layout, manifest["digest"])
    return manifest


def digest_that_climbs(layout: Layout) -> dict:
    manifest = layout.image(shell_tar())
    return {**manifest, "digest": "sha256:../../../../../../etc/passwd"}


def no_json(layout: Layout) -> dict:
    return layout.blob(b"[" * 100_000, "manifest.v1+json")


def other_platform(layout: Layout) -> dict:
    return layout.manifest(layout.config([digest(shell_tar())], architecture="s390x"), [layout.layer(shell_tar())])


def self_containing_index(layout: Layout) -> dict:
    inner = layout.nested_index([])
    for _ in range(64):
        inner = layout.nested_index([inner])
    return inner


def no_tar(layout: Layout) -> dict:
    return layout.image(b"this is no tar, but long enough to look at" * 1000)


def tar_cut_short(layout: Layout) -> dict:
    return layout.image(shell_tar()[:100_000])


def entry(**what) -> Callable[[Layout], dict]:
    return lambda layout: layout.image(shell_tar(), tar(what))


def entries(*what: dict) -> Callable[[Layout], dict]:
    return lambda layout: layout.image(shell_tar(), tar(*what))


def bomb(layout: Layout) -> dict:
    """64 GiB of zeros in some kilobytes; made by repeating one zstd frame, as an attacker would."""
    frame = subprocess.run(["zstd", "-q", "-c", "-19"], input=bytes(64 << 20), stdout=subprocess.PIPE, check=True).stdout
    return layout.manifest(layout.config([digest(b"never reached")]), [layout.blob(frame * 1024, "layer.v1.tar+zstd")])


REFUSED = {
    "tampered layer": tampered_layer,
    "truncated layer": truncated_layer,
    "wrong diffID": wrong_diff_id,
    "fewer diffIDs than layers": missing_diff_id,
    "missing blob": missing_blob,
    "tampered config": tampered_config,
    "tampered manifest": tampered_manifest,
    "digest that is a path": digest_that_climbs,
    "manifest that is 100,000 brackets": no_json,
    "image of another platform": other_platform,
    "index in index, 65 deep": self_containing_index,
    "layer that is no tar": no_tar,
    "tar cut short": tar_cut_short,
    "name with ..": entry(name="a/../../escaped", data=b"x"),
    "name that begins with ..": entry(name="../escaped", data=b"x"),
    "absolute name": entry(name="/etc/escaped", data=b"x"),
    "dangling hard link": entry(name="a", kind=tarfile.LNKTYPE, link="nowhere"),
    "hard link to itself": entry(name="a", kind=tarfile.LNKTYPE, link="a"),
    "cyclic hard links": entries({"name": "a", "kind": tarfile.LNKTYPE, "link": "b"}, {"name": "b", "kind": tarfile.LNKTYPE, "link": "a"}),
    "hard link that climbs": entry(name="a", kind=tarfile.LNKTYPE, link="../../../../etc/passwd"),
    "hard link to a directory": entries({"name": "d", "kind": tarfile.DIRTYPE}, {"name": "a", "kind": tarfile.LNKTYPE, "link": "d"}),
    "file where a parent must be": entries({"name": "a", "data": b"x"}, {"name": "a/b", "data": b"x"}),
    "whiteout of nothing": entry(name=".wh.never-there"),
    "decompression bomb": bomb,
}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refused(place: Workspace) -> list[str]:
    complaints = []
    store = place.root / "home/.local/share/sbx/store"
    before = snapshot(store)
    for number, (name, make) in enumerate(REFUSED.items()):
        SALT[0] = number + 1
        layout = Layout(place.work / f"refused-{number}")
        layout.index(bad=make(layout))
        outcome = place.sbx("load", f"oci:{layout.folder}:bad", timeout=120)
        if outcome.code in (0, None) or outcome.code < 0 or not outcome.err.startswith("sbx: ") or len(outcome.err) > 2000:
            complaints.append(f"{name}: exit code {outcome.code}: {outcome.err[:500]!r}")
        if snapshot(store) != before:
            complaints.append(f"{name}: the store has changed: {sorted(snapshot(store).keys() ^ before.keys())}")
            before = snapshot(store)
        shutil.rmtree(layout.folder)
    return complaints


def accepted(place: Workspace) -> list[str]:
    layout = Layout(place.work / "accepted")
    plain = layout.image(shell_tar(), compression="plain", Cmd=["/bin/sh", "-c", "echo plain"])
    ours = layout.image(shell_tar(), tar({"name": "x", "data": b"y"}), Cmd=["/bin/sh", "-c", "echo our platform"])
    theirs = other_platform(layout)
    architecture = ARCHITECTURES[platform.machine()]
    index = layout.nested_index([{**theirs, "platform": {"os": "linux", "architecture": "s390x"}},
                                 {**ours, "platform": {"os": "linux", "architecture": architecture}}])
    layout.index(plain=plain, several=index)
    complaints = []
    for reference, said in (("plain", "plain\n"), ("several", "our platform\n")):
        outcome = place.sbx("run", "--rm", "--net", "none", f"oci:{layout.folder}:{reference}")
        if (outcome.code, outcome.out) != (0, said):
            complaints.append(f"{reference}: {outcome}")
    return complaints


def main() -> None:
    need("userns", "fuse", "tool:zstd", "tool:busybox")
    with Workspace("hostile") as place:
        complaints = accepted(place) + refused(place)
        print("\n".join(complaints) or f"{len(REFUSED)} refused")
        if complaints:
            sys.exit(1)


if __name__ == "__main__":
    main()
