#!/usr/bin/env python3
"""Images, containers and changes to them on a file system that lacks what network file systems lack (restricted_fs): what comes
out is what an ordinary file system gives; it is still there when the file system's server was killed; and what cannot be is told.

restricted.py WORD,...|refused   the words of restricted_fs -w"""
import os
import signal
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, full_ids, images, need, wait_until  # noqa: E402

RESTRICTED_FS = os.environ.get("RESTRICTED_FS", "restricted_fs")

# Each line is one that some lesser file system has no call for. Link counts are compared where there are links.
CHANGES = r"""
set -e
echo changed >>/etc/profile.local; mkdir -p "/new/with space" /new/from/sub; echo data >"/new/with space/file"
chown 3:4 "/new/with space/file" /new/from 2>/dev/null || true; chmod 4751 "/new/with space/file"; chmod 1777 /new; chmod 2750 /new/from
touch -d "2001-02-03 04:05:06" /new/old; ln -s "/new/../x y" /new/link; ln /new/old /new/second || cp -p /new/old /new/second
mkfifo /new/pipe; echo inner >/new/from/sub/file; mv /new/from /new/to; mv /home /usr/moved; mkdir /home; echo n >/home/n
mv /etc/passwd /etc/passwd.moved; rm -r /kept; mkdir /kept; : >/kept/empty; rm /kept/empty; head -c 300000 /bin/busybox >/new/large
mkdir /going; echo g >/going/g; (exec 3</going/g; rm -r /going; cat <&3; echo h >/new/h; exec 4</new/h; mv /new/old /new/h; cat <&4)
cp /bin/busybox /new/program; echo over >/new/over; mv /new/over "/new/with space/file"; echo again >>/data/plain; chmod 600 /data/plain
echo end >>/data/big; chmod 4700 /data/setuid; chmod 640 /data/xattr; rm /data/third-name
"""
# A hard-linked file of the image is one file only where there are hard links.
LINKED = "echo x >>/data/second-name\n"


def check(holds: bool, what: str, outcome=None) -> None:
    if not holds:
        sys.exit(f"{what}: {outcome}")
    print(f"{what}: ok")


def members(archive: Path, links: bool) -> dict:
    """What a tar says of each path; with `links`, which are names of one file too."""
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            whole = tar.getmember(member.linkname) if member.islnk() else member
            data = tar.extractfile(whole).read() if whole.isreg() else b""
            time = whole.mtime if whole.mtime < 1_500_000_000 else "new"
            found[member.name] = (whole.type, oct(whole.mode), whole.uid, whole.gid, time, whole.size, hash(data),
                                  "" if member.islnk() else member.linkname, links and member.islnk(), dict(whole.pax_headers))
            found[member.name][-1].pop("mtime", None)
            found[member.name][-1].pop("linkpath", None)
    return found


class Mount:
    """A restricted file system at `at`, until the end of this object's life."""

    def __init__(self, place: Workspace, words: str):
        self.place, self.words, self.at, self.backing = place, words, place.work / "mount", place.work / "backing"
        self.at.mkdir()
        self.backing.mkdir()
        self.server = None

    def __enter__(self) -> "Mount":
        self.server = self.place.start(RESTRICTED_FS, "-w", self.words, self.backing, self.at, "sleep", "100000")
        if not wait_until(lambda: self.server.poll() is not None or os.path.ismount(self.at), 20):
            sys.exit("the file system does not appear")
        if self.server.poll() is not None:
            sys.exit(self.server.returncode)
        return self

    def __exit__(self, *_) -> None:
        # Lazily: in a test that failed somebody may still be in there.
        self.place.run("fusermount3", "-u", "-z", self.at)
        self.server.kill()
        self.server.wait()


def of_root(place: Workspace, root: Path):
    """sbx with its images and containers in `root`."""
    return lambda *words, **more: place.sbx("--root", root, *words, **more)


def fill(place: Workspace, root: Path, image: str, script: str) -> str:
    """Loads, runs, changes; what was said."""
    sbx = of_root(place, root)
    loaded = sbx("load", image)
    check(loaded.code == 0, "load", loaded)
    ran = sbx("run", "--net=none", "--name", "changed", "small", "sh", "-c", script)
    check(ran.code == 0, "a container that changes its files", ran)
    return ran.out


def export(place: Workspace, root: Path, archive: str, links: bool) -> dict:
    written = of_root(place, root)("export", "-o", archive, "changed")
    check(written.code == 0, "export", written)
    return members(place.work / archive, links)


def differences(wanted: dict, got: dict) -> list[str]:
    return [f"{path}: wanted {wanted.get(path)}, got {got.get(path)}" for path in sorted(wanted.keys() | got.keys())
            if wanted.get(path) != got.get(path)]


def kill_server(place: Workspace, root: Path) -> None:
    """What was written before a kill -9 of our file system's server is there afterwards."""
    sbx = of_root(place, root)
    words = ["sbx", "--root", root, "run", "--net=none", "--name", "killed", "small", "sh", "-c",
             "echo kept >/kept/new; mv /home /moved; rm /etc/passwd; chmod 4711 /data/plain; echo up >&2; exec sleep 1000"]
    with open(place.work / "err", "w+b") as errors:
        started = place.start(*words, stderr=errors)
    check(wait_until(lambda: b"up" in (place.work / "err").read_bytes(), 30), "a container that is to be killed",
          (place.work / "err").read_text())
    server = next(pid for pid, name in place.left().items() if name.startswith("sbx: fs"))
    os.kill(server, signal.SIGKILL)
    check(started.wait(20) == 125, "it ends", started.returncode)
    written = sbx("export", "-o", "killed.tar", "killed")
    check(written.code == 0, "export of it", written)
    found = members(place.work / "killed.tar", False)
    check("moved" in found and "home" not in found and "etc/passwd" not in found and found["data/plain"][1] == "0o4711"
          and found["kept/new"][5] == 5, "its changes")


def own_files(place: Workspace, root: Path) -> None:
    """/etc/hosts and its like, which lie in the container's directory, where the other ids of a sandbox may not look: the mount is
    for one user only."""
    sbx = of_root(place, root)
    show = "ls -l /etc/hosts /etc/hostname /etc/resolv.conf && cat /etc/hosts /etc/hostname /etc/resolv.conf"
    words = ["run", "--rm", "--net=none", "--hostname", "named"]
    shown = sbx(*words, "small", "sh", "-c", show)
    check(shown.code == 0 and shown.out.count("named") == 2 and shown.out.count("-rw-r--r--") == 3, "/etc/hosts and others", shown)
    if full_ids():
        other = sbx(*words, "--user", "1000:1000", "small", "sh", "-c", show)
        check(other.code == 0 and other.out.split("\n", 3)[3] == shown.out.split("\n", 3)[3], "the same for another user", other)
    # As docker: what the container writes there lasts until it ends.
    started = sbx("run", "-d", "--net=none", "--name", "hosts", "small", "sleep", "1000")
    check(started.code == 0, "one in the background", started)
    check(sbx("exec", "hosts", "sh", "-c", "echo 192.0.2.7 mine >>/etc/hosts").code == 0, "a line more")
    check("192.0.2.7 mine" in sbx("exec", "hosts", "cat", "/etc/hosts").out, "it stays")
    check(sbx("restart", "--time", "0", "hosts").code == 0, "restart")
    again = sbx("exec", "hosts", "cat", "/etc/hosts")
    check(again.code == 0 and "localhost" in again.out and "mine" not in again.out, "and goes with the end", again)
    check(sbx("rm", "--force", "hosts").code == 0, "rm")


def compare(words: str) -> None:
    lacks = words.replace("nfs", "xattrs,rename,removal,holes").replace("all", "xattrs,rename,removal,holes,links").split(",")
    links = "links" not in lacks
    with Workspace("restricted") as place:
        image = f"oci:{images()}/small:latest"
        ordinary = place.work / "ordinary"
        script = CHANGES + (LINKED if links else "")
        said = fill(place, ordinary, image, script)
        wanted = export(place, ordinary, "wanted.tar", links)
        check(len(wanted) > 150, "enough to compare with", len(wanted))
        mount = Mount(place, words)
        with mount:
            root = mount.at / "sbx"
            check(fill(place, root, image, script) == said, "the same is said")
            found = differences(wanted, export(place, root, "got.tar", links))
            check(not found, "the same files", "\n".join(found))
            own_files(place, root)
            kill_server(place, root)
            checked = of_root(place, root)("system", "check")
            check(checked.code == 0, "the store is whole", checked)
            thrown = of_root(place, root)("run", "--rm", "--net=none", "small", "sh", "-c", "rm -r /usr /etc; echo gone")
            check((thrown.code, thrown.out) == (0, "gone\n"), "one that is thrown away", thrown)
        # All that had it open is gone, and so is what the server remembered.
        with mount:
            found = differences(wanted, export(place, root, "again.tar", links))
            check(not found, "the same files at the next mount", "\n".join(found))
            imported = of_root(place, root)("import", place.work / "again.tar", "again")
            check(imported.code == 0, "import", imported)
            removed = of_root(place, root)("system", "prune", "--all", "--force")
            check(removed.code == 0 and not os.listdir(root / "containers"), "prune", removed)


def refused() -> None:
    """Neither attributes nor symlinks: said at once, with what to do."""
    with Workspace("restricted-refused") as place:
        image = f"oci:{images()}/small:latest"
        with Mount(place, "xattrs,symlinks") as mount:
            sbx = of_root(place, mount.at / "sbx")
            check(sbx("load", image).code == 0, "load")
            ran = sbx("run", "--net=none", "small", "true")
            check(ran.code == 125 and "neither extended attributes (user.*) nor symbolic links" in ran.err and "SBX_ROOT" in ran.err,
                  "a reason and a way out", ran)


def main() -> None:
    need("userns", "fuse", "tool:umoci", "tool:skopeo", "tool:fusermount3")
    if sys.argv[1] == "refused":
        refused()
    else:
        compare(sys.argv[1])


if __name__ == "__main__":
    main()
