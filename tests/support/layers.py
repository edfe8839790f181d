#!/usr/bin/env python3
"""layers.py OUTPUT-FOLDER: writes the layer tars of the small test image, base.tar change.tar top.tar.

Written by Python and not taken from a folder, so that an ordinary user gets owners, set-uid files and whiteouts into
them, and so that they are the same bytes every time.

base    busybox and its commands, a few programs of coreutils with their libraries, users, and one of everything
change  whiteouts, an opaque directory, replaced and hard-linked files, a directory that becomes a file
top     odd names, a file put back where a whiteout was, a hard link to a file of a lower layer"""
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

WHEN = 1_600_000_000  # every mtime, plus a few seconds where a difference is wanted
COREUTILS = ["stat", "cp", "mv", "ln", "touch", "sha256sum", "truncate", "getfattr", "setfattr"]
APPLETS = """sh ash true false cat echo ls id env sleep pwd head tail wc grep find mkdir rmdir rm chmod chown mkfifo ps
 kill hostname ip wget nc tty stty readlink test expr seq sort uniq cut tr sed awk dd mount umount su tar od date
 printf xargs nslookup httpd nproc getty mktemp du df tee yes basename dirname vi which whoami""".split()


class Layer:
    """A tar that is being written; every entry has an owner, a mode and a time because the caller says so."""

    def __init__(self, file: Path):
        self._tar = tarfile.open(file, "w", format=tarfile.PAX_FORMAT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._tar.close()

    def add(self, name, kind=tarfile.REGTYPE, data=b"", mode=0o644, owner=(0, 0), later=0, link="", xattrs=None):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.mtime, info.linkname = kind, mode, WHEN + later, link
        info.uid, info.gid = owner
        info.size = len(data)
        info.pax_headers = {f"SCHILY.xattr.{key}": value for key, value in (xattrs or {}).items()}
        self._tar.addfile(info, io.BytesIO(data) if data else None)

    def folder(self, name, mode=0o755, **more):
        self.add(name, tarfile.DIRTYPE, mode=mode, **more)

    def symlink(self, name, target, **more):
        self.add(name, tarfile.SYMTYPE, mode=0o777, link=target, **more)

    def hard_link(self, name, target, **more):
        self.add(name, tarfile.LNKTYPE, link=target, **more)

    def program(self, name, source):
        self.add(name, data=Path(source).read_bytes(), mode=0o755)


def libraries(program: str) -> list[str]:
    lines = subprocess.run(["ldd", program], check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()
    words = [word for line in lines for word in line.split() if word.startswith("/")]
    return sorted(set(words))


def base(layer: Layer) -> None:
    layer.folder("./")
    for name in ("bin", "dev", "etc", "home", "lib", "lib64", "opt", "proc", "root", "run", "sys", "usr", "usr/bin",
                 "usr/sbin", "usr/lib", "var", "var/lib", "srv"):
        layer.folder(name, mode=0o700 if name == "root" else 0o755)
    layer.folder("tmp", mode=0o1777)
    layer.folder("home/alice", owner=(1000, 1000), mode=0o750)
    layer.program("bin/busybox", shutil.which("busybox"))
    for applet in APPLETS:
        layer.symlink(f"bin/{applet}", "busybox")
    wanted = {shutil.which(tool) for tool in COREUTILS}
    for tool in sorted(wanted):
        layer.program("usr/bin/" + os.path.basename(tool), tool)
    placed = set()
    for library in sorted({library for tool in wanted for library in libraries(tool)}):
        name = library.lstrip("/")
        for folder in reversed(list(Path(name).parents)[:-1]):
            if str(folder) not in placed | {"lib", "lib64", "usr", "usr/lib"}:
                layer.folder(str(folder))
                placed.add(str(folder))
        layer.program(name, library)
    layer.add("etc/passwd", data=b"root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n"
                                 b"daemon:x:1:1:daemon:/usr/sbin:/bin/false\n")
    layer.add("etc/group", data=b"root:x:0:\ndaemon:x:1:\nstaff:x:50:alice\nalice:x:1000:\nwheel:x:10:alice\n")
    # What a sandbox mounts its own over; there, so that no mount changes the tree that is compared.
    for name in ("etc/hosts", "etc/hostname", "etc/resolv.conf", "srv/tree_list"):
        layer.add(name, mode=0o755 if name.startswith("srv") else 0o644)
    layer.add("etc/os-release", data=b"ID=small\nNAME=\"Small\"\n")
    layer.folder("data", owner=(1000, 50), mode=0o2775)
    layer.add("data/plain", data=b"plain\n", owner=(1000, 50), mode=0o640)
    layer.add("data/setuid", data=b"#!/bin/sh\nid\n", mode=0o4755)
    layer.add("data/setgid", data=b"x", mode=0o2755, owner=(0, 50))
    layer.add("data/no-access", data=b"nobody reads this but root\n", mode=0o000)
    layer.add("data/xattr", data=b"has xattrs\n", xattrs={"user.color": "blue", "user.sbx.deep": "x" * 200})
    layer.add("data/first-name", data=b"one inode, three names\n", later=5)
    layer.hard_link("data/second-name", "data/first-name")
    layer.hard_link("data/third-name", "data/first-name")
    layer.symlink("data/relative-link", "plain")
    layer.symlink("data/absolute-link", "/etc/os-release")
    layer.symlink("data/dangling-link", "nowhere/at/all")
    layer.symlink("data/climbing-link", "../../../../../../etc/os-release")
    layer.add("data/fifo", tarfile.FIFOTYPE, mode=0o600, owner=(1000, 1000))
    layer.add("data/empty")
    layer.add("data/big", data=bytes(range(256)) * 4096)
    layer.folder("gone")
    layer.add("gone/file", data=b"whited out with its folder\n")
    layer.folder("emptied")
    for name in ("a", "b", "c"):
        layer.add(f"emptied/{name}", data=name.encode())
    layer.folder("emptied/deep")
    layer.add("emptied/deep/d", data=b"d")
    layer.folder("kept")
    layer.add("kept/removed", data=b"r")
    layer.add("kept/replaced", data=b"old\n")
    layer.add("kept/chmodded", data=b"same bytes, other mode\n")
    layer.folder("becomes-file")
    layer.add("becomes-file/inside", data=b"i")
    layer.add("becomes-folder", data=b"f")
    layer.add("linked-later", data=b"gets a second name two layers up\n")


def change(layer: Layer) -> None:
    layer.add(".wh.gone")
    layer.folder("emptied", mode=0o711, later=10)
    layer.add("emptied/.wh..wh..opq")
    layer.add("emptied/new", data=b"after the opaque mark\n")
    layer.folder("kept", later=20)
    layer.add("kept/.wh.removed")
    layer.add("kept/replaced", data=b"new and longer\n", later=20)
    layer.add("kept/chmodded", data=b"same bytes, other mode\n", mode=0o600)
    layer.add("becomes-file", data=b"now a file\n")
    layer.folder("becomes-folder")
    layer.add("becomes-folder/inside", data=b"now a folder\n")
    layer.add("kept/pair-a", data=b"hard links within the layer\n")
    layer.hard_link("kept/pair-b", "kept/pair-a")
    layer.folder("implicit", later=30)
    layer.add("implicit/parent/is/never/named", data=b"implicit parents\n")


def top(layer: Layer) -> None:
    layer.folder("odd names", mode=0o755)
    for name in ("new\nline", "tab\there", "quote\"and'", "back\\slash", " leading", "trailing ", "-dash", "*glob?", "$HOME",
                 "ünïcödé", "x" * 255, "..dots", "wh.not-a-whiteout"):
        layer.add(f"odd names/{name}", data=name.encode())
    deep = "long"
    layer.folder(deep)
    for _ in range(10):
        deep += "/" + "d" * 60
        layer.folder(deep)
    layer.add(deep + "/file", data=b"a path of more than 600 bytes\n")
    layer.add("kept/removed", data=b"back again\n")
    layer.hard_link("linked-now", "linked-later")
    layer.add("gone", data=b"a file where a folder was whited out\n")


def main() -> None:
    folder = Path(sys.argv[1])
    for name, fill in (("base", base), ("change", change), ("top", top)):
        with Layer(folder / f"{name}.tar") as layer:
            fill(layer)


if __name__ == "__main__":
    main()
