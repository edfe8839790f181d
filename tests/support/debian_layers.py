#!/usr/bin/env python3
"""debian_layers.py BASE.tar FULL.tar FOLDER: cuts two root file systems into the layers of one image.

FOLDER/1.tar  BASE without device nodes, which an ordinary user's umoci cannot unpack
FOLDER/2.tar  what FULL has more, or other
FOLDER/3.tar  whiteouts, an opaque directory, hard links within and across layers, a set-uid file, a user"""
import io
import sys
import tarfile
from pathlib import Path

KEPT_KINDS = (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)
WHEN = 1_650_000_000


def key(info: tarfile.TarInfo) -> tuple:
    return (info.type, info.mode, info.uid, info.gid, info.size, info.mtime, info.linkname, info.pax_headers.get("SCHILY.xattr.security.capability"))


def copy(source: tarfile.TarFile, info: tarfile.TarInfo, target: tarfile.TarFile) -> None:
    target.addfile(info, source.extractfile(info) if info.isreg() and info.size else None)


def add(target: tarfile.TarFile, name: str, data: bytes = b"", mode: int = 0o644, kind=tarfile.REGTYPE, link: str = "") -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime, info.linkname, info.size = kind, mode, WHEN, link, len(data)
    target.addfile(info, io.BytesIO(data))


def last_layer(target: tarfile.TarFile, full: tarfile.TarFile, names: set[str]) -> None:
    docs = sorted(name for name in names if name.startswith("./usr/share/doc/") and name.count("/") == 4)
    assert len(docs) > 20, "a Debian without documents is not what this test wants"
    for name in docs[:10]:
        folder, _, last = name.rpartition("/")
        add(target, f"{folder}/.wh.{last}")
    add(target, docs[12] + "/.wh..wh..opq")
    add(target, docs[12] + "/README", b"all that is left\n")
    passwd = full.extractfile("./etc/passwd").read() + b"tester:*:1000:1000:Tester:/home/tester:/bin/sh\n"
    add(target, "./etc/passwd", passwd)
    add(target, "./etc/group", full.extractfile("./etc/group").read() + b"tester:x:1000:\n")
    add(target, "./home/tester", kind=tarfile.DIRTYPE, mode=0o755)
    add(target, "./opt/links", kind=tarfile.DIRTYPE, mode=0o755)
    add(target, "./opt/links/one", b"one inode\n")
    add(target, "./opt/links/two", kind=tarfile.LNKTYPE, link="./opt/links/one")
    add(target, "./opt/links/across", kind=tarfile.LNKTYPE, link="./etc/debian_version")
    add(target, "./opt/setuid", b"#!/bin/sh\nid -u\n", mode=0o4755)
    add(target, "./srv/tree_list", mode=0o755)
    for name in ("./etc/hosts", "./etc/hostname", "./etc/resolv.conf"):
        add(target, name)


def main() -> None:
    base_file, full_file, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    known = {}
    with tarfile.open(base_file) as base, tarfile.open(folder / "1.tar", "w", format=tarfile.PAX_FORMAT) as target:
        for info in base:
            if info.type in KEPT_KINDS:
                known[info.name] = key(info)
                copy(base, info, target)
    with tarfile.open(full_file) as full:
        members = [info for info in full if info.type in KEPT_KINDS]
        with tarfile.open(folder / "2.tar", "w", format=tarfile.PAX_FORMAT) as target:
            for info in members:
                if known.get(info.name) != key(info):
                    copy(full, info, target)
            for gone in sorted(known.keys() - {info.name for info in members}):
                above, _, last = gone.rpartition("/")
                add(target, f"{above}/.wh.{last}")
        with tarfile.open(folder / "3.tar", "w", format=tarfile.PAX_FORMAT) as target:
            last_layer(target, full, {"./" + info.name.removeprefix("./") for info in members})


if __name__ == "__main__":
    main()
